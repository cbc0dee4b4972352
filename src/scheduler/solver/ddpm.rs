//! [`Ddpm`].

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::euler::{ancestral, euler};
use super::{Denoise, Solver};
use crate::error::Result;
use crate::nn::ops::linear_combination;
use crate::noise::NoiseSource;
use crate::scheduler::level::Step;

/// How much noise [`SolverKind::Ddpm`](super::SolverKind) adds in each step; diffusers' `variance_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Variance {
    /// `fixed_small`: that of the posterior for one data point. The default.
    #[default]
    Small,
    /// `fixed_large`: beta itself, that of the posterior for unit-variance data.
    Large,
}

/// Algorithm 2 of Ho et al. 2020. Its mean is that of Euler's ancestral method.
pub(super) struct Ddpm {
    pub(super) variance: Variance,
}

impl Solver for Ddpm {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        noise: &mut NoiseSource,
    ) -> Result<Tensor> {
        let (sigma, to) = (step.from.sigma, step.to.sigma);
        let denoised = denoise.denoise(x, step.from)?;
        let (down, small) = ancestral(sigma, to, 1.0);
        let moved = euler(x, &denoised, sigma, down)?;
        if step.from.timestep == 0.0 {
            return Ok(moved);
        }
        let up = match self.variance {
            Variance::Small => small,
            // β/ᾱ' with ᾱ = 1/(σ² + 1)
            Variance::Large => {
                let (before, after) = (sigma * sigma + 1.0, to * to + 1.0);
                (after * (before - after).max(0.0) / before).sqrt()
            }
        };
        linear_combination(&[(1.0, &moved), (up, &noise.normal_like(x)?)])
    }
}
