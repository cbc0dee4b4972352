//! [`Plan`]: the steps of one run, and how its samples begin and end.

use std::sync::Arc;

use tch::Tensor;

use super::builder::{InitialNoise, Settings};
use super::level::{Level, Step, Table};
use super::noise_schedule::NoiseSchedule;
use super::range::Range;
use super::solver::Family;
use super::steps;
use crate::error::Result;
use crate::nn::ops::linear_combination;
use crate::runtime::Numbers;

/// The steps of one run.
#[derive(Debug, Clone)]
pub struct Plan {
    steps: Vec<Step>,
    levels: Vec<Level>,
    table: Arc<Table>,
    initial_noise: InitialNoise,
    is_unit_variance: bool,
}

impl Plan {
    pub(crate) fn new(settings: &Settings, table: &Arc<Table>, count: usize, range: Range) -> Result<Self> {
        let levels = steps::levels(settings, table, count)?;
        let is_continuous = matches!(settings.noise_schedule, NoiseSchedule::Continuous { .. });
        Ok(Self {
            steps: steps::steps(settings, table, &levels, range)?,
            levels,
            table: Arc::clone(table),
            initial_noise: settings.initial_noise,
            is_unit_variance: settings.solver.family() != Family::KDiffusion && !is_continuous,
        })
    }

    /// The steps, in order. There is at least one. Those of [`SolverKind::Pndm`](super::SolverKind::Pndm)
    /// are its model calls, which are a few more than the steps asked for.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// All noise levels of the whole schedule, in order, the terminal one included.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// A level between those of the plan, with the timestep that the network is told for it.
    pub fn level(&self, sigma: f64) -> Level {
        self.table.at_sigma(sigma)
    }

    /// The first sample of a run from nothing; `noise` is standard normal, of the shape of the latents.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn start(&self, noise: &Tensor) -> Result<Tensor> {
        Ok(noise.f_mul_number(self.initial_scale())?)
    }

    /// The factor of [`start`](Self::start).
    pub fn initial_scale(&self) -> f64 {
        let sigma = self.levels.first().map_or(0.0, |level| level.sigma);
        match self.initial_noise {
            InitialNoise::Sigma => sigma,
            InitialNoise::WithData => total(sigma),
        }
    }

    /// The first sample of a run from a picture: `latents` with as much `noise` as the first step takes off.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch) where the shapes differ.
    pub fn start_from(&self, latents: &Tensor, noise: &Tensor) -> Result<Tensor> {
        linear_combination(&[(1.0, latents), (self.first_sigma(), noise)])
    }

    /// The first sample of a run that goes on from the latents of another, which ended where this begins.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn resume(&self, latents: &Tensor) -> Result<Tensor> {
        Ok(latents.f_mul_number(1.0 / self.latent_scale(self.first_sigma()))?)
    }

    /// The latents, as diffusers' class would hold them, that the sample `x` at a noise level is. The
    /// k-diffusion family and EDM hold `x` itself, the others a sample of unit variance.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn latents(&self, x: &Tensor, sigma: f64) -> Result<Tensor> {
        Ok(x.f_mul_number(self.latent_scale(sigma))?)
    }

    /// The factor that takes a sample at the end of step `index` of [`steps`](Self::steps) to where the
    /// next one begins. It is not 1 where diffusers' steps do not meet: it keeps the unit-variance sample.
    pub(crate) fn bridge(&self, index: usize) -> f64 {
        match (self.steps.get(index), self.steps.get(index + 1)) {
            (Some(step), Some(next)) => self.latent_scale(step.to.sigma) / self.latent_scale(next.from.sigma),
            _ => 1.0,
        }
    }

    /// The level that `x` is at after step `index`.
    pub(crate) fn level_after(&self, index: usize) -> Option<Level> {
        let next = self.steps.get(index + 1).map(|step| step.from);
        next.or_else(|| self.steps.get(index).map(|step| step.to))
    }

    /// The number of steps of the whole schedule.
    pub(crate) fn total_steps(&self) -> usize {
        self.levels.len().saturating_sub(1)
    }

    /// T/N, whole: how many training timesteps diffusers goes down in one step of DDIM or PNDM.
    pub(crate) fn stride(&self) -> f64 {
        steps::stride(&self.table, &self.levels)
    }

    pub(crate) fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table)
    }

    fn first_sigma(&self) -> f64 {
        self.steps.first().map_or(0.0, |step| step.from.sigma)
    }

    fn latent_scale(&self, sigma: f64) -> f64 {
        if self.is_unit_variance { 1.0 / total(sigma) } else { 1.0 }
    }
}

/// √(σ² + 1), the standard deviation of unit-variance data with that noise.
fn total(sigma: f64) -> f64 {
    (sigma * sigma + 1.0).sqrt()
}
