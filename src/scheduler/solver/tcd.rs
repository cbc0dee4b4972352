//! [`Tcd`].

use std::sync::Arc;

use tch::Tensor;

use super::euler::euler;
use super::{Denoise, Solver};
use crate::error::Result;
use crate::nn::ops::linear_combination;
use crate::noise::NoiseSource;
use crate::scheduler::level::{Step, Table};

/// Strategic stochastic sampling of trajectory consistency distillation (Zheng et al. 2024, algorithm 4):
/// Euler's method down to the timestep (1 − η)·next, then fresh noise up to the next level.
pub(super) struct Tcd {
    pub(super) eta: f64,
    pub(super) table: Arc<Table>,
    /// The number of steps of the whole schedule.
    pub(super) total: usize,
}

impl Solver for Tcd {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        noise: &mut NoiseSource,
    ) -> Result<Tensor> {
        let (sigma, to) = (step.from.sigma, step.to.sigma);
        let denoised = denoise.denoise(x, step.from)?;
        if self.eta == 0.0 || step.index + 1 >= self.total {
            return euler(x, &denoised, sigma, to);
        }
        // In f32, as diffusers multiplies: it is rounded down.
        let lower = ((1.0 - self.eta) as f32 * step.to.timestep as f32).floor();
        let down = self.table.sigma(f64::from(lower)).min(to);
        let moved = euler(x, &denoised, sigma, down)?;
        let up = (to * to - down * down).sqrt();
        linear_combination(&[(1.0, &moved), (up, &noise.normal_like(x)?)])
    }
}
