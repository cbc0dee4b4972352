//! The levels of the UNet: [`Down`], [`Mid`] and [`Up`].

use tch::Tensor;

use super::freeu::Skips;
use super::perturbed::Perturbed;
use super::prepared::TextKeys;
use super::resnet::Resnet;
use super::transformer::{Transformer, TransformerShape};
use crate::config::{LevelConfig, MidConfig, UnetConfig};
use crate::error::Result;
use crate::nn::{Conv2d, upsample_nearest};
use crate::weights::Weights;

/// Where a level stands: the channels that come in, and whether it is the last on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) channels: i64,
    pub(super) last: bool,
}

/// What every block is told beside its input.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    /// `(B, time_embed_dim)`.
    pub(super) time: &'a Tensor,
    pub(super) text: &'a TextKeys,
    pub(super) perturbed: Option<Perturbed<'a>>,
}

/// The transformers of a level, one behind each residual block that has one.
fn load_attentions(
    weights: &Weights,
    config: &UnetConfig,
    level: &LevelConfig,
) -> Result<Vec<Option<Transformer>>> {
    let load = |(index, depth): (usize, &Option<usize>)| match depth {
        Some(depth) => {
            let weights = weights.at("attentions").at(index);
            let shape = TransformerShape { width: level.channels, heads: level.heads, depth: *depth };
            Transformer::load(&weights, config, shape).map(Some)
        }
        None => Ok(None),
    };
    level.transformers.iter().enumerate().map(load).collect()
}

/// `DownBlock2D` and `CrossAttnDownBlock2D`.
#[derive(Debug)]
pub(super) struct Down {
    resnets: Vec<Resnet>,
    attentions: Vec<Option<Transformer>>,
    downsampler: Option<Conv2d>,
}

impl Down {
    pub(super) fn load(
        weights: &Weights,
        config: &UnetConfig,
        level: &LevelConfig,
        place: Place,
    ) -> Result<Self> {
        let resnets = (0..level.transformers.len())
            .map(|index| {
                let input = if index == 0 { place.channels } else { level.channels };
                Resnet::load(&weights.at("resnets").at(index), config, input, level.channels)
            })
            .collect::<Result<_>>()?;
        let attentions = load_attentions(weights, config, level)?;
        let downsampler = if place.last {
            None
        } else {
            let weights = weights.at("downsamplers.0.conv");
            Some(Conv2d::load(&weights, level.channels, level.channels, 3)?.stride(2))
        };
        Ok(Self { resnets, attentions, downsampler })
    }

    pub(super) fn transformers(&self) -> impl Iterator<Item = &Transformer> {
        self.attentions.iter().flatten()
    }

    /// Pushes the output of every residual block (and its transformer) and of the downsampler on `skips`.
    pub(super) fn forward(&self, x: Tensor, told: Told, skips: &mut Skips) -> Result<Tensor> {
        let mut x = self.forward_layers(x, told, skips)?;
        if let Some(downsampler) = &self.downsampler {
            x = downsampler.forward(&x)?;
            skips.push(&x);
        }
        Ok(x)
    }

    /// The same without the downsampler: what the way up has at this size.
    pub(super) fn forward_layers(&self, mut x: Tensor, told: Told, skips: &mut Skips) -> Result<Tensor> {
        for (resnet, attention) in self.resnets.iter().zip(&self.attentions) {
            x = resnet.forward(&x, told.time)?;
            if let Some(attention) = attention {
                x = attention.forward_prepared(&x, told.text, told.perturbed)?;
            }
            skips.push(&x);
        }
        Ok(x)
    }
}

/// `UNetMidBlock2DCrossAttn`; a single residual block or nothing in smaller models.
#[derive(Debug)]
pub(super) struct Mid {
    resnets: Vec<Resnet>,
    attention: Option<Transformer>,
}

impl Mid {
    pub(super) fn load(weights: &Weights, config: &UnetConfig) -> Result<Self> {
        let (channels, heads) = config.down.last().map_or((0, 1), |level| (level.channels, level.heads));
        let (count, depth) = match config.mid {
            MidConfig::Absent => (0, None),
            MidConfig::Resnet => (1, None),
            MidConfig::Transformer(depth) => (2, Some(depth)),
        };
        let resnets = (0..count)
            .map(|index| Resnet::load(&weights.at("resnets").at(index), config, channels, channels))
            .collect::<Result<_>>()?;
        let attention = match depth {
            Some(depth) => {
                let shape = TransformerShape { width: channels, heads, depth };
                Some(Transformer::load(&weights.at("attentions.0"), config, shape)?)
            }
            None => None,
        };
        Ok(Self { resnets, attention })
    }

    pub(super) fn transformers(&self) -> impl Iterator<Item = &Transformer> {
        self.attention.iter()
    }

    pub(super) fn forward(&self, mut x: Tensor, told: Told) -> Result<Tensor> {
        for (index, resnet) in self.resnets.iter().enumerate() {
            x = resnet.forward(&x, told.time)?;
            if let Some(attention) = self.attention.as_ref().filter(|_| index == 0) {
                x = attention.forward_prepared(&x, told.text, told.perturbed)?;
            }
        }
        Ok(x)
    }
}

/// `UpBlock2D` and `CrossAttnUpBlock2D`.
#[derive(Debug)]
pub(super) struct Up {
    resnets: Vec<Resnet>,
    attentions: Vec<Option<Transformer>>,
    upsampler: Option<Conv2d>,
}

impl Up {
    /// `input` is the place of the level, and the channels of the skip connections that it pops, the last
    /// one first.
    pub(super) fn load(
        weights: &Weights,
        config: &UnetConfig,
        level: &LevelConfig,
        (place, skips): (Place, &[i64]),
    ) -> Result<Self> {
        let resnets = skips
            .iter()
            .rev()
            .enumerate()
            .map(|(index, skip)| {
                let input = if index == 0 { place.channels } else { level.channels };
                Resnet::load(&weights.at("resnets").at(index), config, input + skip, level.channels)
            })
            .collect::<Result<_>>()?;
        let attentions = load_attentions(weights, config, level)?;
        let upsampler = if place.last {
            None
        } else {
            Some(Conv2d::load(&weights.at("upsamplers.0.conv"), level.channels, level.channels, 3)?)
        };
        Ok(Self { resnets, attentions, upsampler })
    }

    pub(super) fn transformers(&self) -> impl Iterator<Item = &Transformer> {
        self.attentions.iter().flatten()
    }

    /// Pops one skip connection for each residual block.
    pub(super) fn forward(&self, mut x: Tensor, told: Told, skips: &mut Skips) -> Result<Tensor> {
        for (resnet, attention) in self.resnets.iter().zip(&self.attentions) {
            x = resnet.forward(&skips.join(&x)?, told.time)?;
            if let Some(attention) = attention {
                x = attention.forward_prepared(&x, told.text, told.perturbed)?;
            }
        }
        if let Some(upsampler) = &self.upsampler {
            // To the size of the next skip connection: twice as large, or one less where the way down
            // rounded up (a latent of 9 x 13).
            x = upsampler.forward(&upsample_nearest(&x, skips.size()?)?)?;
        }
        skips.next_level();
        Ok(x)
    }
}
