//! [`Dpmpp2sAncestral`].

use std::sync::Arc;

use tch::Tensor;

use super::euler::{ancestral, euler};
use super::{Denoise, Solver};
use crate::error::Result;
use crate::nn::ops::linear_combination;
use crate::noise::NoiseSource;
use crate::scheduler::level::{Step, Table};

/// k-diffusion's `sample_dpmpp_2s_ancestral`: DPM-Solver++ (2S) of Lu et al. 2022b with r = ½ to a lower
/// level than asked for, and fresh noise up to it. diffusers has no class for it.
pub(super) struct Dpmpp2sAncestral {
    pub(super) table: Arc<Table>,
}

impl Solver for Dpmpp2sAncestral {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        noise: &mut NoiseSource,
    ) -> Result<Tensor> {
        let sigma = step.from.sigma;
        let (down, up) = ancestral(sigma, step.to.sigma, 1.0);
        let denoised = denoise.denoise(x, step.from)?;
        if down == 0.0 {
            return euler(x, &denoised, sigma, 0.0);
        }
        let middle = self.table.at_sigma((sigma * down).sqrt());
        // In λ = −ln σ the exponential integrator of a constant prediction is Euler's step.
        let half_way = euler(x, &denoised, sigma, middle.sigma)?;
        let denoised = denoise.denoise(&half_way, middle)?;
        let moved = euler(x, &denoised, sigma, down)?;
        linear_combination(&[(1.0, &moved), (up, &noise.normal_like(x)?)])
    }
}
