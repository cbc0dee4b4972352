//! [`GroupNorm`] and [`LayerNorm`].

use tch::Tensor;

use crate::error::Result;
use crate::weights::Weights;

/// Normalises groups of channels to mean 0 and variance 1, then scales and shifts each channel.
#[derive(Debug)]
pub struct GroupNorm {
    weight: Tensor,
    bias: Tensor,
    groups: i64,
    eps: f64,
}

impl GroupNorm {
    /// Reads `weight` and `bias` of shape `(channels)`; `groups` divides `channels`.
    pub fn load(weights: &Weights, groups: i64, channels: i64, eps: f64) -> Result<Self> {
        Ok(Self {
            weight: weights.tensor("weight", &[channels])?,
            bias: weights.tensor("bias", &[channels])?,
            groups,
            eps,
        })
    }

    /// # Shapes
    /// `(B, channels, …)`, kept.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.f_group_norm(self.groups, Some(&self.weight), Some(&self.bias), self.eps, true)?)
    }
}

/// Normalises the last dimension to mean 0 and variance 1, then scales and shifts it.
#[derive(Debug)]
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    width: i64,
    eps: f64,
}

impl LayerNorm {
    /// Reads `weight` and `bias` of shape `(width)`.
    pub fn load(weights: &Weights, width: i64, eps: f64) -> Result<Self> {
        Ok(Self {
            weight: weights.tensor("weight", &[width])?,
            bias: weights.tensor("bias", &[width])?,
            width,
            eps,
        })
    }

    /// # Shapes
    /// `(…, width)`, kept.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.f_layer_norm([self.width], Some(&self.weight), Some(&self.bias), self.eps, true)?)
    }
}
