//! The encoder: a picture to a distribution of latents.

use tch::Tensor;

use super::block::{Downsample, Mid, Resnet, group_norm, resnets};
use super::tiling::{Reach, Strips};
use crate::config::AutoencoderKlConfig;
use crate::error::Result;
use crate::nn::{Conv2d, GroupNorm, ops};
use crate::runtime::Numbers;
use crate::weights::Weights;

/// A diagonal Gaussian over latents (unscaled), as the encoder gives it.
#[derive(Debug)]
pub struct Moments {
    /// Its mean, which is also its mode.
    pub mean: Tensor,
    /// Its logarithmic variance, within [-30, 20].
    pub logvar: Tensor,
}

impl Moments {
    /// From mean and logarithmic variance, one behind the other in the channels.
    pub(crate) fn split(moments: &Tensor) -> Result<Self> {
        let channels = moments.size4()?.1 / 2;
        Ok(Self {
            mean: moments.f_narrow(1, 0, channels)?,
            logvar: moments.f_narrow(1, channels, channels)?.f_clamp_numbers(-30., 20.)?,
        })
    }

    /// The reverse of [`split`](Self::split).
    pub(crate) fn cat(&self) -> Result<Tensor> {
        Ok(Tensor::f_cat(&[&self.mean, &self.logvar], 1)?)
    }

    /// `mean + exp(logvar / 2) · noise`, for standard normal `noise` of the same shape.
    pub fn sample(&self, noise: &Tensor) -> Result<Tensor> {
        let deviation = self.logvar.f_mul_number(0.5)?.f_exp()?;
        ops::linear_combination(&[(1., &self.mean), (1., &deviation.f_mul(noise)?)])
    }
}

#[derive(Debug)]
pub(super) struct Encoder {
    conv_in: Conv2d,
    down_blocks: Vec<Down>,
    mid_block: Mid,
    conv_norm_out: GroupNorm,
    conv_out: Conv2d,
}

#[derive(Debug)]
struct Down {
    resnets: Vec<Resnet>,
    downsampler: Option<Downsample>,
}

impl Encoder {
    pub(super) fn load(weights: &Weights, config: &AutoencoderKlConfig) -> Result<Self> {
        let first = config.block_out_channels.first().copied().unwrap_or(0);
        let last = config.block_out_channels.last().copied().unwrap_or(0);
        let levels = config.block_out_channels.len();
        let mut channels = first;
        let conv_in = Conv2d::load(&weights.at("conv_in"), config.in_channels, first, 3)?;
        let mut down_blocks = Vec::with_capacity(levels);
        for (index, &output) in config.block_out_channels.iter().enumerate() {
            let weights = weights.at("down_blocks").at(index);
            let resnets = resnets(&weights, config, (channels, output), config.layers_per_block)?;
            let downsampler = if index + 1 == levels {
                None
            } else {
                Some(Downsample::load(&weights.at("downsamplers.0"), output)?)
            };
            down_blocks.push(Down { resnets, downsampler });
            channels = output;
        }
        Ok(Self {
            conv_in,
            down_blocks,
            mid_block: Mid::load(&weights.at("mid_block"), config, last)?,
            conv_norm_out: group_norm(&weights.at("conv_norm_out"), config, last)?,
            conv_out: Conv2d::load(&weights.at("conv_out"), last, 2 * config.latent_channels, 3)?,
        })
    }

    /// # Shapes
    /// `(B, 3, H, W)` to `(B, 2·latent, H/8, W/8)`.
    pub(super) fn forward(&self, image: &Tensor) -> Result<Tensor> {
        let mut x = self.conv_in.forward(image)?;
        for block in &self.down_blocks {
            for resnet in &block.resnets {
                x = resnet.forward(&x)?;
            }
            if let Some(downsampler) = &block.downsampler {
                x = downsampler.forward(&x)?;
            }
        }
        self.latents(&x)
    }

    /// The same with the large activations in strips.
    pub(super) fn forward_strips(&self, image: &Tensor) -> Result<Tensor> {
        let conv = &self.conv_in;
        let mut x = Strips::of(image)?.layer(Reach::Around(1), conv.channels(), &|rows| rows.conv(conv))?;
        for block in &self.down_blocks {
            for resnet in &block.resnets {
                x = resnet.forward_strips(x)?;
            }
            if let Some(downsampler) = &block.downsampler {
                x = downsampler.forward_strips(x)?;
            }
        }
        self.latents(&x.into_whole()?)
    }

    /// The end, at the size of the latents.
    fn latents(&self, x: &Tensor) -> Result<Tensor> {
        let x = self.mid_block.forward(x)?;
        self.conv_out.forward(&self.conv_norm_out.forward(&x)?.f_silu_()?)
    }
}
