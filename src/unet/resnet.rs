//! The residual block.

use tch::Tensor;

use crate::config::UnetConfig;
use crate::error::Result;
use crate::nn::{Conv2d, GroupNorm, Linear, LinearSpec, silu};
use crate::weights::Weights;

/// Two convolutions beside a shortcut, told the time embedding between them.
#[derive(Debug)]
pub struct Resnet {
    norm1: GroupNorm,
    conv1: Conv2d,
    time_emb_proj: Linear,
    norm2: GroupNorm,
    conv2: Conv2d,
    conv_shortcut: Option<Conv2d>,
}

impl Resnet {
    /// Reads a block from `input` to `output` channels.
    pub fn load(weights: &Weights, config: &UnetConfig, input: i64, output: i64) -> Result<Self> {
        let (groups, eps) = (config.norm_num_groups, config.norm_eps);
        let time = LinearSpec::Biased(config.time_embed_dim(), output);
        let conv_shortcut = if input == output {
            None
        } else {
            Some(Conv2d::load(&weights.at("conv_shortcut"), input, output, 1)?)
        };
        Ok(Self {
            norm1: GroupNorm::load(&weights.at("norm1"), groups, input, eps)?,
            conv1: Conv2d::load(&weights.at("conv1"), input, output, 3)?,
            time_emb_proj: Linear::load(&weights.at("time_emb_proj"), time)?,
            norm2: GroupNorm::load(&weights.at("norm2"), groups, output, eps)?,
            conv2: Conv2d::load(&weights.at("conv2"), output, output, 3)?,
            conv_shortcut,
        })
    }

    /// One block.
    ///
    /// # Shapes
    /// `x` `(B, in, H, W)`, `time` `(B, time_embed_dim)`; returns `(B, out, H, W)`.
    pub fn forward(&self, x: &Tensor, time: &Tensor) -> Result<Tensor> {
        let h = self.conv1.forward(&silu(&self.norm1.forward(x)?)?)?;
        let time = self.time_emb_proj.forward(&silu(time)?)?.f_unsqueeze(-1)?.f_unsqueeze(-1)?;
        let h = h.f_add(&time)?;
        let h = self.conv2.forward(&silu(&self.norm2.forward(&h)?)?)?;
        match &self.conv_shortcut {
            Some(shortcut) => Ok(shortcut.forward(x)?.f_add(&h)?),
            None => Ok(x.f_add(&h)?),
        }
    }
}
