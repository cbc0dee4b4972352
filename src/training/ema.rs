//! [`Ema`]: the moving average of the weights, which draws better than the weights themselves.

use tch::Tensor;

use crate::error::{Error, Result};
use crate::runtime::Numbers;

/// An exponential moving average whose decay rises to `decay`, as diffusers' `EMAModel`: after `n` steps it is
/// `min(decay, n / (9 + n))`, so that the first weights are soon forgotten.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ema {
    /// The part of the average that a step keeps. Default: 0.9999.
    pub decay: f64,
}

impl Default for Ema {
    fn default() -> Self {
        Self { decay: 0.9999 }
    }
}

impl Ema {
    /// What step `step` (from 1) keeps.
    pub fn decay_at(&self, step: u64) -> f64 {
        let passed = step.saturating_sub(1) as f64;
        if passed == 0. { 0. } else { ((1. + passed) / (10. + passed)).min(self.decay) }
    }

    pub(super) fn check(&self) -> Result<()> {
        if (0. ..=1.).contains(&self.decay) {
            return Ok(());
        }
        Err(Error::invalid("ema decay", self.decay, "0 to 1"))
    }

    pub(super) fn step(&self, average: &mut Tensor, weights: &Tensor, step: u64) -> Result<()> {
        let _ = average.f_lerp_number_(weights, 1. - self.decay_at(step))?;
        Ok(())
    }
}
