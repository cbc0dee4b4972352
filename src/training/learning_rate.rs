//! [`LearningRate`]: how fast a training learns at each step.

use std::f64::consts::PI;

use crate::error::{Error, Result};

/// A learning rate with warm-up and decay, as diffusers' `get_scheduler`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearningRate {
    /// The largest rate.
    pub peak: f64,
    /// For that many steps the rate rises evenly, from 0.
    pub warmup_steps: u64,
    /// What comes after the warm-up.
    pub decay: Decay,
}

/// How a learning rate falls after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decay {
    /// Not at all.
    Constant,
    /// Evenly, to 0 at that step.
    Linear(u64),
    /// Along half a cosine, to 0 at that step.
    Cosine(u64),
}

impl LearningRate {
    /// A rate that stays.
    pub fn constant(rate: f64) -> Self {
        Self { peak: rate, warmup_steps: 0, decay: Decay::Constant }
    }

    /// The rate of step `step`, from 0.
    pub fn at(&self, step: u64) -> f64 {
        if step < self.warmup_steps {
            return self.peak * step as f64 / self.warmup_steps as f64;
        }
        let progress = |end: u64| {
            let length = end.saturating_sub(self.warmup_steps).max(1);
            ((step - self.warmup_steps) as f64 / length as f64).min(1.)
        };
        self.peak
            * match self.decay {
                Decay::Constant => 1.,
                Decay::Linear(end) => 1. - progress(end),
                Decay::Cosine(end) => 0.5 * (1. + (PI * progress(end)).cos()),
            }
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.peak.is_finite() && self.peak > 0. {
            return Ok(());
        }
        Err(Error::invalid("learning rate", self.peak, "a finite number above 0"))
    }
}
