//! [`Heun`].

use tch::Tensor;

use super::euler::euler;
use super::{Denoise, Solver};
use crate::error::Result;
use crate::nn::ops::linear_combination;
use crate::noise::NoiseSource;
use crate::scheduler::level::{Extent, Step};

/// Algorithm 1 of Karras et al. 2022: Euler's method, then the mean of the slopes at both ends.
pub(super) struct Heun;

impl Solver for Heun {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        _: &mut NoiseSource,
    ) -> Result<Tensor> {
        let (sigma, to) = (step.from.sigma, step.to.sigma);
        let denoised = denoise.denoise(x, step.from)?;
        let predicted = euler(x, &denoised, sigma, to)?;
        if to == 0.0 || step.extent == Extent::FirstCall {
            return Ok(predicted);
        }
        let denoised_there = denoise.denoise(&predicted, step.to)?;
        let (here, there) = (0.5 * (to - sigma) / sigma, 0.5 * (to - sigma) / to);
        linear_combination(&[
            (1.0 + here, x),
            (-here, &denoised),
            (there, &predicted),
            (-there, &denoised_there),
        ])
    }
}
