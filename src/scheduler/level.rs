//! [`Level`] and [`Step`]: what a solver is told. [`Table`]: from σ to the network's timestep and back.

use serde::{Deserialize, Serialize};

use super::spacing::Interpolation;

/// A noise level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// The standard deviation of the noise: `x = data + sigma·noise`.
    pub sigma: f64,
    /// The timestep that the network is told for it, already rounded where diffusers rounds.
    pub timestep: f64,
}

/// One move of a solver: from a noise level to the next one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The level that `x` is at.
    pub from: Level,
    /// The level to bring `x` to.
    pub to: Level,
    /// The place of this step in the whole schedule, from 0, wherever the run starts.
    pub index: usize,
    /// How much of the step is asked for.
    pub extent: Extent,
}

/// How much of a [`Step`] is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extent {
    /// All of it.
    #[default]
    Whole,
    /// Only the first model call of a solver that makes two, and the sample that it would pass to the
    /// second: diffusers stops there when `denoising_end` falls between the two.
    FirstCall,
}

/// What number the network is told for a noise level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Timescale {
    /// The index of the training timestep.
    #[default]
    Index,
    /// ¼·ln σ, as EDM and diffusers' `timestep_type="continuous"` do.
    LogSigma,
}

/// The noise levels of the training timesteps.
#[derive(Debug)]
pub(crate) struct Table {
    sigmas: Vec<f64>,
    /// Natural logarithms, rounded to f32 as in diffusers: truncated timesteps depend on that.
    log_sigmas: Vec<f64>,
    timescale: Timescale,
    interpolation: Interpolation,
}

impl Table {
    pub(crate) fn new(sigmas: Vec<f64>, timescale: Timescale, interpolation: Interpolation) -> Self {
        let log_sigmas = sigmas.iter().map(|sigma| f64::from(sigma.ln() as f32)).collect();
        Self { sigmas, log_sigmas, timescale, interpolation }
    }

    /// The number of training timesteps; 0 for a continuous schedule.
    pub(crate) fn len(&self) -> usize {
        self.sigmas.len()
    }

    /// Whether the network is told the index of a timestep.
    pub(crate) fn tells_indices(&self) -> bool {
        self.timescale == Timescale::Index
    }

    /// The number of timesteps with −ln σ of at least `lambda`.
    pub(crate) fn count_above(&self, lambda: f64) -> usize {
        self.sigmas.partition_point(|sigma| -sigma.ln() >= lambda)
    }

    /// The smallest and the largest level.
    pub(crate) fn ends(&self) -> (f64, f64) {
        (self.sigmas.first().copied().unwrap_or(0.0), self.sigmas.last().copied().unwrap_or(0.0))
    }

    /// The level at a timestep; interpolated between two.
    pub(crate) fn sigma(&self, timestep: f64) -> f64 {
        let timestep = timestep.clamp(0.0, self.sigmas.len().saturating_sub(1) as f64);
        let (low, weight) = (timestep.floor() as usize, timestep.fract());
        match (self.sigmas.get(low), self.sigmas.get(low + 1), self.interpolation) {
            (Some(&low), Some(&high), Interpolation::Linear) => low + (high - low) * weight,
            (Some(&low), Some(&high), Interpolation::LogLinear) => low * (high / low).powf(weight),
            (Some(&last), None, _) => last,
            (None, ..) => 0.0,
        }
    }

    /// The fractional timestep of a level: linear in ln σ between two, the nearest outside the table.
    pub(crate) fn timestep(&self, sigma: f64) -> f64 {
        let log_sigma = sigma.max(1e-10).ln();
        let below = self.log_sigmas.iter().rposition(|&entry| entry <= log_sigma);
        let low = below.unwrap_or(0).min(self.log_sigmas.len().saturating_sub(2));
        let (Some(&below), Some(&next)) = (self.log_sigmas.get(low), self.log_sigmas.get(low + 1)) else {
            return 0.0;
        };
        let weight = ((below - log_sigma) / (below - next)).clamp(0.0, 1.0);
        (1.0 - weight) * low as f64 + weight * (low + 1) as f64
    }

    /// The level of a σ, with the number that the network is told for it.
    pub(crate) fn at_sigma(&self, sigma: f64) -> Level {
        Level { sigma, timestep: self.told(sigma, || self.timestep(sigma)) }
    }

    /// The level of a timestep.
    pub(crate) fn at_timestep(&self, timestep: f64) -> Level {
        let sigma = self.sigma(timestep);
        Level { sigma, timestep: self.told(sigma, || timestep) }
    }

    /// The number that the network is told, in f32 as it is everywhere.
    pub(crate) fn told(&self, sigma: f64, index: impl FnOnce() -> f64) -> f64 {
        let told = match self.timescale {
            Timescale::Index => index(),
            Timescale::LogSigma => 0.25 * sigma.ln(),
        };
        f64::from(told as f32)
    }
}
