//! [`Euler`] and [`EulerAncestral`].

use tch::Tensor;

use super::{Denoise, Solver};
use crate::error::Result;
use crate::nn::ops::linear_combination;
use crate::noise::NoiseSource;
use crate::scheduler::level::Step;

/// Euler's method on dx/dσ = (x − denoised)/σ.
pub(super) struct Euler;

impl Solver for Euler {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        _: &mut NoiseSource,
    ) -> Result<Tensor> {
        let denoised = denoise.denoise(x, step.from)?;
        euler(x, &denoised, step.from.sigma, step.to.sigma)
    }
}

/// Euler's method to a lower level than asked for, and fresh noise up to it.
pub(super) struct EulerAncestral;

impl Solver for EulerAncestral {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        noise: &mut NoiseSource,
    ) -> Result<Tensor> {
        let denoised = denoise.denoise(x, step.from)?;
        let (down, up) = ancestral(step.from.sigma, step.to.sigma, 1.0);
        let moved = euler(x, &denoised, step.from.sigma, down)?;
        linear_combination(&[(1.0, &moved), (up, &noise.normal_like(x)?)])
    }
}

/// `x + (x − denoised)/σ·(σ' − σ)`.
pub(super) fn euler(x: &Tensor, denoised: &Tensor, sigma: f64, to: f64) -> Result<Tensor> {
    let kept = to / sigma;
    linear_combination(&[(kept, x), (1.0 - kept, denoised)])
}

/// Splits a step to `to` into a deterministic part down to the first level and fresh noise of the second,
/// as much of it as DDPM's posterior has, times `eta`.
pub(super) fn ancestral(sigma: f64, to: f64, eta: f64) -> (f64, f64) {
    let up = (eta * to * (1.0 - (to / sigma).powi(2)).max(0.0).sqrt()).min(to);
    ((to * to - up * up).max(0.0).sqrt(), up)
}
