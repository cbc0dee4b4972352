//! [`Lms`].

use tch::Tensor;

use super::lagrange::lagrange;
use super::{Denoise, Solver};
use crate::error::Result;
use crate::nn::ops::linear_combination;
use crate::noise::NoiseSource;
use crate::scheduler::level::Step;

/// The linear multistep method (Adams-Bashforth) in σ, k-diffusion's `sample_lms`.
pub(super) struct Lms {
    order: usize,
    /// All levels of the schedule, also those before the run.
    sigmas: Vec<f64>,
    /// The last slopes, the latest first.
    slopes: Vec<Tensor>,
}

impl Lms {
    pub(super) fn new(order: usize, sigmas: Vec<f64>) -> Self {
        Self { order, sigmas, slopes: Vec::new() }
    }
}

impl Solver for Lms {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        _: &mut NoiseSource,
    ) -> Result<Tensor> {
        let (sigma, to) = (step.from.sigma, step.to.sigma);
        let denoised = denoise.denoise(x, step.from)?;
        self.slopes.insert(0, linear_combination(&[(1.0 / sigma, x), (-1.0 / sigma, &denoised)])?);
        self.slopes.truncate(self.order);
        // As in diffusers, the order counts from the start of the schedule: a run that starts later has
        // the weights of slopes that it never saw, and leaves those slopes out.
        let seen = self.sigmas.iter().take(step.index + 1);
        let nodes: Vec<f64> = seen.rev().take(self.order).copied().collect();
        let weight = |index: usize| integral(&lagrange(&nodes, index), sigma, to);
        let weighted = self.slopes.iter().enumerate().map(|(index, slope)| (weight(index), slope));
        linear_combination(&std::iter::once((1.0, x)).chain(weighted).collect::<Vec<_>>())
    }
}

/// The integral of a polynomial.
fn integral(polynomial: &[f64], from: f64, to: f64) -> f64 {
    let power = |t: f64, exponent: usize| (0..exponent).fold(1.0, |product, _| product * t);
    let terms = polynomial.iter().enumerate().map(|(exponent, coefficient)| {
        coefficient * (power(to, exponent + 1) - power(from, exponent + 1)) / (exponent + 1) as f64
    });
    terms.sum()
}
