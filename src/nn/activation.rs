//! Activations, and the GEGLU feed-forward layer.

use tch::Tensor;

use super::{Linear, LinearSpec};
use crate::error::Result;
use crate::runtime::Numbers;
use crate::weights::Weights;

/// `x · sigmoid(x)`.
pub fn silu(x: &Tensor) -> Result<Tensor> {
    Ok(x.f_silu()?)
}

/// The exact GELU, with the error function.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    Ok(x.f_gelu("none")?)
}

/// `x · sigmoid(1.702 x)`, CLIP's approximation of the GELU.
pub fn quick_gelu(x: &Tensor) -> Result<Tensor> {
    Ok(x.f_mul(&x.f_mul_number(1.702)?.f_sigmoid()?)?)
}

/// The feed-forward layer of a transformer block: a gated GELU (GEGLU) between two linear layers.
#[derive(Debug)]
pub struct FeedForward {
    /// `net.0.proj`: value and gate side by side.
    proj_in: Linear,
    /// `net.2`.
    proj_out: Linear,
}

impl FeedForward {
    /// Reads a layer of that width, four times as wide inside.
    pub fn load(weights: &Weights, width: i64) -> Result<Self> {
        Ok(Self {
            proj_in: Linear::load(&weights.at("net.0.proj"), LinearSpec::Biased(width, 8 * width))?,
            proj_out: Linear::load(&weights.at("net.2"), LinearSpec::Biased(4 * width, width))?,
        })
    }

    /// # Shapes
    /// `(…, width)`, kept.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = self.proj_in.forward(x)?;
        let half = x.size().last().copied().unwrap_or(0) / 2;
        let (value, gate) = (x.f_narrow(-1, 0, half)?, x.f_narrow(-1, half, half)?);
        self.proj_out.forward(&value.f_mul(&gelu(&gate)?)?)
    }
}
