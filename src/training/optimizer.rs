//! [`AdamW`].

use std::ops::Range;

use tch::Tensor;

use crate::error::{Error, Result};
use crate::runtime::Numbers;

/// Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101), as `torch.optim.AdamW`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamW {
    /// How slowly the mean of the gradients moves.
    pub beta1: f64,
    /// How slowly the mean of their squares moves.
    pub beta2: f64,
    /// Keeps the division finite.
    pub eps: f64,
    /// The part of a weight that is lost in a step, times the learning rate.
    pub weight_decay: f64,
}

impl Default for AdamW {
    /// diffusers' training scripts: 0.9, 0.999, 1e-8 and 0.01.
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.01 }
    }
}

/// The running means of gradients and of their squares.
pub(super) struct Moments {
    pub(super) first: Tensor,
    pub(super) second: Tensor,
}

impl Moments {
    pub(super) fn new(weights: &Tensor) -> Result<Self> {
        Ok(Self { first: weights.f_zeros_like()?, second: weights.f_zeros_like()? })
    }
}

impl AdamW {
    pub(super) fn check(&self) -> Result<()> {
        let fields = [
            ("beta1", self.beta1),
            ("beta2", self.beta2),
            ("eps", self.eps),
            ("weight_decay", self.weight_decay),
        ];
        for (field, value) in fields {
            if !(0. ..1.).contains(&value) {
                return Err(Error::invalid(field, value, "0 to below 1"));
            }
        }
        Ok(())
    }

    /// Step `step` (from 1) on the ranges of the weights that have a gradient; the others stay as they are, as
    /// parameters without gradient do in PyTorch.
    pub(super) fn step(
        &self,
        weights: &Tensor,
        gradients: (&Tensor, &[Range<i64>]),
        moments: &mut Moments,
        (learning_rate, step): (f64, u64),
    ) -> Result<()> {
        let Self { beta1, beta2, eps, weight_decay } = *self;
        let correction = |beta: f64| 1. - beta.powf(step as f64);
        let step_size = learning_rate / correction(beta1);
        let (gradients, ranges) = gradients;
        for Range { start, end } in ranges {
            let part = |tensor: &Tensor| tensor.f_narrow(0, *start, end - start);
            let gradient = part(gradients)?;
            let (mut first, mut second) = (part(&moments.first)?, part(&moments.second)?);
            let _ = first.f_lerp_number_(&gradient, 1. - beta1)?;
            let square = gradient.f_square()?.f_mul_number_(1. - beta2)?;
            let _ = second.f_mul_number_(beta2)?.f_add_(&square)?;
            let denominator = second.f_sqrt()?.f_div_number_(correction(beta2).sqrt())?.f_add_number_(eps)?;
            let update = first.f_div(&denominator)?.f_mul_number_(-step_size)?;
            let _ = part(weights)?.f_mul_number_(1. - learning_rate * weight_decay)?.f_add_(&update)?;
        }
        Ok(())
    }
}
