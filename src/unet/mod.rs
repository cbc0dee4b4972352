//! The UNet: embed, down, middle, up, out (SDXL paper, section 2.1; sdxl `unet/config.json`).

mod block;
mod deep;
mod embedding;
mod freeu;
mod perturbed;
mod prepared;
mod resnet;
mod transformer;

use tch::Tensor;

pub use deep::DeepCache;
pub use embedding::{UnetConditioning, guidance_embedding};
pub use freeu::FreeU;
pub use perturbed::{Perturbed, SelfAttentions};
pub use prepared::PreparedConditioning;
pub use resnet::Resnet;
pub use transformer::{Transformer, TransformerShape};

use crate::config::UnetConfig;
use crate::error::Result;
use crate::nn::{Conv2d, GroupNorm, silu};
use crate::weights::Weights;
use block::{Down, Mid, Told, Up};
use embedding::TimeEmbedding;
use freeu::Skips;
use prepared::TextKeys;

/// SDXL's UNet: predicts the noise (or velocity) in noisy latents, told the noise level and a
/// [`UnetConditioning`].
#[derive(Debug)]
pub struct Unet {
    config: UnetConfig,
    embedding: TimeEmbedding,
    conv_in: Conv2d,
    down_blocks: Vec<Down>,
    mid_block: Mid,
    up_blocks: Vec<Up>,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
}

/// What changes the network for one evaluation. By default nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct UnetOptions<'a> {
    /// FreeU.
    pub freeu: Option<FreeU>,
    /// Self-attentions that are perturbed.
    pub perturbed: Option<Perturbed<'a>>,
    /// Deep levels that are not evaluated every time.
    pub deep: Option<&'a DeepCache>,
}

impl Unet {
    /// Reads a UNet of that shape, under diffusers' names.
    pub fn load(weights: &Weights, config: &UnetConfig) -> Result<Self> {
        config.check()?;
        let first = config.model_channels();
        let embedding = TimeEmbedding::load(weights, config)?;
        let conv_in = Conv2d::load(&weights.at("conv_in"), config.in_channels, first, 3)?;

        // The channels of the skip connections, as they are pushed on the way down.
        let mut skips = vec![first];
        let mut channels = first;
        let mut down_blocks = Vec::with_capacity(config.down.len());
        for (index, level) in config.down.iter().enumerate() {
            let last = index + 1 == config.down.len();
            let weights = weights.at("down_blocks").at(index);
            down_blocks.push(Down::load(&weights, config, level, block::Place { channels, last })?);
            channels = level.channels;
            skips.extend(level.transformers.iter().map(|_| channels));
            skips.extend((!last).then_some(channels));
        }
        let mid_block = Mid::load(&weights.at("mid_block"), config)?;
        let mut up_blocks = Vec::with_capacity(config.up.len());
        for (index, level) in config.up.iter().enumerate() {
            let last = index + 1 == config.up.len();
            let skips = skips.split_off(skips.len().saturating_sub(level.transformers.len()));
            let weights = weights.at("up_blocks").at(index);
            let place = block::Place { channels, last };
            up_blocks.push(Up::load(&weights, config, level, (place, &skips))?);
            channels = level.channels;
        }
        Ok(Self {
            config: config.clone(),
            embedding,
            conv_in,
            down_blocks,
            mid_block,
            up_blocks,
            conv_norm_out: GroupNorm::load(
                &weights.at("conv_norm_out"),
                config.norm_num_groups,
                first,
                config.norm_eps,
            )?,
            conv_out: Conv2d::load(&weights.at("conv_out"), first, config.out_channels, 3)?,
        })
    }

    /// The shape of the network.
    pub fn config(&self) -> &UnetConfig {
        &self.config
    }

    /// The self-attentions whose names have one of these parts in them: `mid`, `up_blocks.0.attentions.1`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a part that no name has.
    pub fn self_attentions(&self, parts: &[String]) -> Result<SelfAttentions> {
        let all: Vec<&str> = self.transformers().flat_map(Transformer::self_attentions).collect();
        SelfAttentions::choose(&all, parts)
    }

    fn transformers(&self) -> impl Iterator<Item = &Transformer> {
        let down = self.down_blocks.iter().flat_map(Down::transformers);
        let up = self.up_blocks.iter().flat_map(Up::transformers);
        down.chain(self.mid_block.transformers()).chain(up)
    }

    /// Computes what is the same in every step of a run.
    pub fn prepare(&self, conditioning: &UnetConditioning) -> Result<PreparedConditioning> {
        Ok(PreparedConditioning {
            text: TextKeys::of(self.transformers(), conditioning)?,
            added: self.embedding.added(conditioning)?,
            timestep_cond: conditioning.timestep_cond.as_ref().map(Tensor::shallow_clone),
        })
    }

    /// One evaluation of the network.
    ///
    /// # Shapes
    /// `sample` `(B, in_channels, H, W)` of any size, in the compute type; `timestep` `(B)` in f32, 0 to 999
    /// and possibly between integers; the conditioning has `B` rows. Returns `(B, out_channels, H, W)`.
    pub fn forward(
        &self,
        sample: &Tensor,
        timestep: &Tensor,
        conditioning: &UnetConditioning,
    ) -> Result<Tensor> {
        self.forward_with(sample, timestep, &self.prepare(conditioning)?, UnetOptions::default())
    }

    /// The same with options, and a conditioning that [`prepare`](Self::prepare) has made for the whole run.
    ///
    /// # Shapes
    /// Those of [`forward`](Self::forward).
    pub fn forward_with(
        &self,
        sample: &Tensor,
        timestep: &Tensor,
        conditioning: &PreparedConditioning,
        options: UnetOptions,
    ) -> Result<Tensor> {
        let time = self.embedding.forward(timestep, conditioning, sample.f_kind()?)?;
        let told = Told { time: &time, text: &conditioning.text, perturbed: options.perturbed };

        let (rows, ..) = sample.size4()?;
        let mut x = self.conv_in.forward(sample)?;
        let mut skips = Skips::new(options.freeu);
        skips.push(&x);
        let last = self.up_blocks.len().saturating_sub(1);
        let (deep_up, last_up) = self.up_blocks.split_at(last);
        match options.deep.and_then(|deep| deep.reused(rows)) {
            Some(features) => {
                if let Some(first) = self.down_blocks.first() {
                    drop(first.forward_layers(x, told, &mut skips)?);
                }
                x = features;
                deep_up.iter().for_each(|_| skips.next_level());
            }
            None => {
                for block in &self.down_blocks {
                    x = block.forward(x, told, &mut skips)?;
                }
                x = self.mid_block.forward(x, told)?;
                for block in deep_up {
                    x = block.forward(x, told, &mut skips)?;
                }
                if let Some(deep) = options.deep {
                    deep.keep(&x);
                }
            }
        }
        for block in last_up {
            x = block.forward(x, told, &mut skips)?;
        }
        let x = silu(&self.conv_norm_out.forward(&x)?)?;
        self.conv_out.forward(&x)
    }
}
