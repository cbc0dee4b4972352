//! [`Linear`].

use tch::Tensor;

use crate::error::Result;
use crate::weights::{Parameter, Weights};

/// `y = x·Wᵀ + b`.
#[derive(Debug)]
pub struct Linear {
    weight: Parameter,
    bias: Option<Tensor>,
}

/// The widths of a linear layer, and whether it has a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinearSpec {
    /// Input and output width, with a bias.
    Biased(i64, i64),
    /// Input and output width, without a bias.
    Unbiased(i64, i64),
}

impl Linear {
    /// From a weight of shape `(out, in)` and a bias of shape `(out)`.
    pub fn new(weight: Parameter, bias: Option<Tensor>) -> Self {
        Self { weight, bias }
    }

    /// Reads `weight` and, where the layer has one, `bias`.
    pub fn load(weights: &Weights, spec: LinearSpec) -> Result<Self> {
        let (input, output, bias) = match spec {
            LinearSpec::Biased(input, output) => (input, output, Some(weights.tensor("bias", &[output])?)),
            LinearSpec::Unbiased(input, output) => (input, output, None),
        };
        Ok(Self { weight: weights.parameter("weight", &[output, input])?, bias })
    }

    /// # Shapes
    /// `(…, in)` to `(…, out)`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = self.weight.with(|weight| Ok(x.f_linear(weight, self.bias.as_ref())?))?;
        match self.weight.low_rank() {
            Some(low_rank) => Ok(y.f_add(&low_rank.linear(x)?)?),
            None => Ok(y),
        }
    }
}
