//! The blocks that encoder and decoder share.

use tch::Tensor;

use super::tiling::{Body, Reach, Strips};
use crate::config::AutoencoderKlConfig;
use crate::error::Result;
use crate::nn::{Conv2d, GroupNorm, Linear, LinearSpec, scaled_dot_product};
use crate::weights::Weights;

/// Epsilon of every group norm of the autoencoder.
const NORM_EPS: f64 = 1e-6;

pub(super) fn group_norm(
    weights: &Weights,
    config: &AutoencoderKlConfig,
    channels: i64,
) -> Result<GroupNorm> {
    GroupNorm::load(weights, config.norm_num_groups, channels, NORM_EPS)
}

/// A residual block without a time embedding.
#[derive(Debug)]
pub struct Resnet {
    norm1: GroupNorm,
    conv1: Conv2d,
    norm2: GroupNorm,
    conv2: Conv2d,
    conv_shortcut: Option<Conv2d>,
}

impl Resnet {
    /// Reads a block from `input` to `output` channels.
    pub fn load(weights: &Weights, config: &AutoencoderKlConfig, input: i64, output: i64) -> Result<Self> {
        let conv_shortcut = if input == output {
            None
        } else {
            Some(Conv2d::load(&weights.at("conv_shortcut"), input, output, 1)?)
        };
        Ok(Self {
            norm1: group_norm(&weights.at("norm1"), config, input)?,
            conv1: Conv2d::load(&weights.at("conv1"), input, output, 3)?,
            norm2: group_norm(&weights.at("norm2"), config, output)?,
            conv2: Conv2d::load(&weights.at("conv2"), output, output, 3)?,
            conv_shortcut,
        })
    }

    /// # Shapes
    /// `(B, in, H, W)` to `(B, out, H, W)`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        // In place: what nobody else has needs no memory of its own.
        let h = self.conv1.forward(&self.norm1.forward(x)?.f_silu_()?)?;
        let mut h = self.conv2.forward(&self.norm2.forward(&h)?.f_silu_()?)?;
        match &self.conv_shortcut {
            Some(shortcut) => Ok(h.f_add_(&shortcut.forward(x)?)?),
            None => Ok(h.f_add_(x)?),
        }
    }

    /// The same strip by strip.
    pub(super) fn forward_strips(&self, x: Strips) -> Result<Strips> {
        let channels = self.conv2.channels();
        let norm1 = x.normalisation(&self.norm1)?;
        let h: Body = &|rows| rows.normed(&norm1)?.conv(&self.conv1);
        let shortcut: Body = &|rows| match &self.conv_shortcut {
            Some(shortcut) => rows.conv(shortcut),
            None => rows.same(),
        };
        let [h, shortcut] = x.layers(Reach::Around(1), channels, [h, shortcut])?;
        let norm2 = h.normalisation(&self.norm2)?;
        h.layer(Reach::Around(1), channels, &|rows| rows.normed(&norm2)?.conv(&self.conv2))?.plus(shortcut)
    }
}

/// Residual blocks of one level, the first of which changes the number of channels.
pub(super) fn resnets(
    weights: &Weights,
    config: &AutoencoderKlConfig,
    (input, output): (i64, i64),
    count: usize,
) -> Result<Vec<Resnet>> {
    (0..count)
        .map(|index| {
            let input = if index == 0 { input } else { output };
            Resnet::load(&weights.at("resnets").at(index), config, input, output)
        })
        .collect()
}

/// Two residual blocks around an attention of a single head.
#[derive(Debug)]
pub(super) struct Mid {
    first: Resnet,
    attention: SpatialAttention,
    second: Resnet,
}

impl Mid {
    pub(super) fn load(weights: &Weights, config: &AutoencoderKlConfig, channels: i64) -> Result<Self> {
        Ok(Self {
            first: Resnet::load(&weights.at("resnets.0"), config, channels, channels)?,
            attention: SpatialAttention::load(&weights.at("attentions.0"), config, channels)?,
            second: Resnet::load(&weights.at("resnets.1"), config, channels, channels)?,
        })
    }

    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = self.first.forward(x)?;
        let x = self.attention.forward(&x)?;
        self.second.forward(&x)
    }
}

/// Self-attention over all pixels, one head as wide as the level.
#[derive(Debug)]
pub struct SpatialAttention {
    group_norm: GroupNorm,
    to_q: Linear,
    to_k: Linear,
    to_v: Linear,
    to_out: Linear,
}

impl SpatialAttention {
    /// Reads an attention of that width.
    pub fn load(weights: &Weights, config: &AutoencoderKlConfig, channels: i64) -> Result<Self> {
        let linear = |name| Linear::load(&weights.at(name), LinearSpec::Biased(channels, channels));
        Ok(Self {
            group_norm: group_norm(&weights.at("group_norm"), config, channels)?,
            to_q: linear("to_q")?,
            to_k: linear("to_k")?,
            to_v: linear("to_v")?,
            to_out: linear("to_out.0")?,
        })
    }

    /// # Shapes
    /// `(B, channels, H, W)`, kept.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, channels, height, width) = x.size4()?;
        // (B, C, H, W) -> (B, H·W, C)
        let h = self.group_norm.forward(x)?.f_view([batch, channels, height * width])?.f_transpose(1, 2)?;
        let head = |x: Tensor| x.f_unsqueeze(1);
        let q = head(self.to_q.forward(&h)?)?;
        let k = head(self.to_k.forward(&h)?)?;
        let v = head(self.to_v.forward(&h)?)?;
        let h = self.to_out.forward(&scaled_dot_product(&q, &k, &v)?.f_squeeze_dim(1)?)?;
        let h = h.f_transpose(1, 2)?.f_reshape([batch, channels, height, width])?;
        Ok(x.f_add(&h)?)
    }
}

/// Halves the size. The autoencoder's convention is one row of zeros on the right and at the bottom only.
#[derive(Debug)]
pub struct Downsample {
    conv: Conv2d,
}

impl Downsample {
    /// Reads a downsampler of that many channels.
    pub fn load(weights: &Weights, channels: i64) -> Result<Self> {
        Ok(Self { conv: Conv2d::load(&weights.at("conv"), channels, channels, 3)?.stride(2).padding(0) })
    }

    /// # Shapes
    /// `(B, channels, H, W)` to `(B, channels, H/2, W/2)`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.conv.forward(&x.f_constant_pad_nd([0, 1, 0, 1])?)
    }

    /// The same strip by strip.
    pub(super) fn forward_strips(&self, x: Strips) -> Result<Strips> {
        x.layer(Reach::Halved(0), self.conv.channels(), &|rows| rows.padded_at_the_end()?.conv(&self.conv))
    }
}
