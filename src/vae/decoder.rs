//! The decoder: latents to a picture.

use tch::Tensor;

use super::block::{Mid, Resnet, group_norm, resnets};
use super::tiling::{Reach, Strips};
use crate::config::AutoencoderKlConfig;
use crate::error::Result;
use crate::nn::{Conv2d, GroupNorm, upsample_nearest};
use crate::weights::Weights;

#[derive(Debug)]
pub(super) struct Decoder {
    conv_in: Conv2d,
    mid_block: Mid,
    up_blocks: Vec<Up>,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
}

#[derive(Debug)]
struct Up {
    resnets: Vec<Resnet>,
    upsampler: Option<Conv2d>,
}

impl Decoder {
    pub(super) fn load(weights: &Weights, config: &AutoencoderKlConfig) -> Result<Self> {
        let first = config.block_out_channels.first().copied().unwrap_or(0);
        let last = config.block_out_channels.last().copied().unwrap_or(0);
        let levels = config.block_out_channels.len();
        let conv_in = Conv2d::load(&weights.at("conv_in"), config.latent_channels, last, 3)?;
        let mid_block = Mid::load(&weights.at("mid_block"), config, last)?;
        let mut channels = last;
        let mut up_blocks = Vec::with_capacity(levels);
        for (index, &output) in config.block_out_channels.iter().rev().enumerate() {
            let weights = weights.at("up_blocks").at(index);
            // One more than on the encoder's side.
            let resnets = resnets(&weights, config, (channels, output), config.layers_per_block + 1)?;
            let upsampler = if index + 1 == levels {
                None
            } else {
                Some(Conv2d::load(&weights.at("upsamplers.0.conv"), output, output, 3)?)
            };
            up_blocks.push(Up { resnets, upsampler });
            channels = output;
        }
        Ok(Self {
            conv_in,
            mid_block,
            up_blocks,
            conv_norm_out: group_norm(&weights.at("conv_norm_out"), config, first)?,
            conv_out: Conv2d::load(&weights.at("conv_out"), first, config.out_channels, 3)?,
        })
    }

    /// # Shapes
    /// `(B, latent, h, w)` to `(B, 3, 8h, 8w)`.
    pub(super) fn forward(&self, latents: &Tensor) -> Result<Tensor> {
        let x = self.conv_in.forward(latents)?;
        let mut x = self.mid_block.forward(&x)?;
        for block in &self.up_blocks {
            for resnet in &block.resnets {
                x = resnet.forward(&x)?;
            }
            if let Some(upsampler) = &block.upsampler {
                let (_, _, height, width) = x.size4()?;
                x = upsampler.forward(&upsample_nearest(&x, [2 * height, 2 * width])?)?;
            }
        }
        self.conv_out.forward(&self.conv_norm_out.forward(&x)?.f_silu_()?)
    }

    /// The same with the large activations in strips.
    pub(super) fn forward_strips(&self, latents: &Tensor) -> Result<Tensor> {
        let x = self.conv_in.forward(latents)?;
        let mut x = Strips::of(&self.mid_block.forward(&x)?)?;
        for block in &self.up_blocks {
            for resnet in &block.resnets {
                x = resnet.forward_strips(x)?;
            }
            if let Some(conv) = &block.upsampler {
                x = x.layer(Reach::Doubled, conv.channels(), &|rows| rows.conv(conv))?;
            }
        }
        let norm = x.normalisation(&self.conv_norm_out)?;
        let conv = &self.conv_out;
        x.layer(Reach::Around(1), conv.channels(), &|rows| rows.normed(&norm)?.conv(conv))?.into_whole()
    }
}
