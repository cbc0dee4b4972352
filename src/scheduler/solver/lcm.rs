//! [`Lcm`].

use tch::Tensor;

use super::{Denoise, Solver};
use crate::error::Result;
use crate::nn::ops::linear_combination;
use crate::noise::NoiseSource;
use crate::scheduler::level::Step;

/// The standard deviation of the data in the boundary condition of consistency models.
const SIGMA_DATA: f64 = 0.5;

/// Multistep consistency sampling of latent consistency models (Luo et al. 2023, algorithm 3): predict the
/// data, then add fresh noise up to the next level.
pub(super) struct Lcm {
    pub(super) timestep_scaling: f64,
}

impl Solver for Lcm {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        noise: &mut NoiseSource,
    ) -> Result<Tensor> {
        let denoised = denoise.denoise(x, step.from)?;
        let time = step.from.timestep * self.timestep_scaling;
        let total = time * time + SIGMA_DATA * SIGMA_DATA;
        let c_skip = SIGMA_DATA * SIGMA_DATA / total;
        let c_out = time / total.sqrt();
        // The skip connection is from the sample of unit variance.
        let alpha = 1.0 / (step.from.sigma.powi(2) + 1.0).sqrt();
        let consistent = linear_combination(&[(c_out, &denoised), (c_skip * alpha, x)])?;
        if step.to.sigma == 0.0 {
            return Ok(consistent);
        }
        linear_combination(&[(1.0, &consistent), (step.to.sigma, &noise.normal_like(x)?)])
    }
}
