//! [`Pndm`].

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{Denoise, Solver};
use crate::error::Result;
use crate::nn::ops::linear_combination;
use crate::noise::NoiseSource;
use crate::runtime::Numbers;
use crate::scheduler::level::{Step, Table};

/// How [`SolverKind::Pndm`](super::SolverKind) begins, before it has predictions to combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum WarmUp {
    /// `skip_prk_steps`: with Heun's method for the first step. The default, and Stable Diffusion XL's.
    #[default]
    Heun,
    /// With three Runge-Kutta steps of four model calls each, as the paper does.
    RungeKutta,
}

impl WarmUp {
    /// The number of model calls of its Runge-Kutta steps.
    pub(crate) fn runge_kutta_calls(self) -> usize {
        match self {
            Self::Heun => 0,
            Self::RungeKutta => 12,
        }
    }
}

/// What diffusers' class combines: the network's output as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    Noise,
    Velocity,
}

/// Pseudo numerical methods on manifolds (Liu et al. 2022). In sigma space, equation 11 of the paper is
/// Euler's step along a combination of predictions. Each [`Step`] of its plan is one model call.
pub(super) struct Pndm {
    warm_up: WarmUp,
    output: Output,
    table: Arc<Table>,
    stride: f64,
    /// The number of calls so far.
    calls: usize,
    /// The outputs of the last steps, the latest first.
    outputs: Vec<Tensor>,
    /// The sample and the level that the Runge-Kutta or Heun step began at.
    start: Option<(Tensor, f64)>,
    /// The weighted outputs of the Runge-Kutta step so far.
    sum: Option<Tensor>,
}

impl Solver for Pndm {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        _: &mut NoiseSource,
    ) -> Result<Tensor> {
        let denoised = denoise.denoise(x, step.from)?;
        let output = self.output.of(x, &denoised, step.from.sigma)?;
        let call = self.calls;
        self.calls += 1;
        match call < self.warm_up.runge_kutta_calls() {
            true => self.runge_kutta(call, x, step, output),
            false => self.multistep(call, x, step, output),
        }
    }
}

impl Pndm {
    /// `stride` is the distance of two steps in training timesteps.
    pub(super) fn new(warm_up: WarmUp, output: Output, table: Arc<Table>, stride: f64) -> Self {
        Self { warm_up, output, table, stride, calls: 0, outputs: Vec::new(), start: None, sum: None }
    }

    /// The classical fourth-order method, one of its four calls.
    fn runge_kutta(&mut self, call: usize, x: &Tensor, step: &Step, output: Tensor) -> Result<Tensor> {
        let weight = if matches!(call % 4, 0 | 3) { 1.0 / 6.0 } else { 1.0 / 3.0 };
        if call.is_multiple_of(4) {
            self.outputs.insert(0, output.shallow_clone());
            self.start = Some((x.shallow_clone(), step.from.sigma));
            self.sum = None;
        }
        let weighted = output.f_mul_number(weight)?;
        let sum = match &self.sum {
            Some(sum) => sum.f_add(&weighted)?,
            None => weighted,
        };
        let direction = if call % 4 == 3 { sum.shallow_clone() } else { output };
        self.sum = Some(sum);
        let Some((start, sigma)) = &self.start else { return Ok(x.shallow_clone()) };
        self.output.transfer(start, *sigma, step.to.sigma, &direction)
    }

    /// Adams-Bashforth, of as high an order as there are outputs, up to the fourth.
    fn multistep(&mut self, call: usize, x: &Tensor, step: &Step, output: Tensor) -> Result<Tensor> {
        if let (1, Some((start, began))) = (call, &self.start) {
            // The second call, at the end of the first step: that step again, with both outputs. diffusers
            // takes it to have begun one stride above and keeps the unit-variance sample.
            let sigma = self.table.sigma(step.from.timestep + self.stride);
            let kept = ((sigma * sigma + 1.0) / (began * began + 1.0)).sqrt();
            let first = self.outputs.first().unwrap_or(&output);
            let mean = linear_combination(&[(0.5, &output), (0.5, first)])?;
            return self.output.transfer(&start.f_mul_number(kept)?, sigma, step.to.sigma, &mean);
        }
        if call == 0 {
            self.start = Some((x.shallow_clone(), step.from.sigma));
        }
        self.outputs.insert(0, output);
        self.outputs.truncate(4);
        let weights: &[f64] = match self.outputs.len() {
            1 => &[1.0],
            2 => &[3.0 / 2.0, -1.0 / 2.0],
            3 => &[23.0 / 12.0, -16.0 / 12.0, 5.0 / 12.0],
            _ => &[55.0 / 24.0, -59.0 / 24.0, 37.0 / 24.0, -9.0 / 24.0],
        };
        let terms: Vec<(f64, &Tensor)> = weights.iter().copied().zip(&self.outputs).collect();
        let direction = linear_combination(&terms)?;
        self.output.transfer(x, step.from.sigma, step.to.sigma, &direction)
    }
}

impl Output {
    /// What the network said, given the denoised sample.
    fn of(self, x: &Tensor, denoised: &Tensor, sigma: f64) -> Result<Tensor> {
        let total = (sigma * sigma + 1.0).sqrt();
        match self {
            Self::Noise => linear_combination(&[(1.0 / sigma, x), (-1.0 / sigma, denoised)]),
            // α·noise − s·data
            Self::Velocity => linear_combination(&[
                (1.0 / (total * sigma), x),
                (-1.0 / (total * sigma) - sigma / total, denoised),
            ]),
        }
    }

    /// Moves `x` along an output, which is understood at the level where `x` is.
    fn transfer(self, x: &Tensor, sigma: f64, to: f64, output: &Tensor) -> Result<Tensor> {
        let change = to - sigma;
        let variance = sigma * sigma + 1.0;
        match self {
            Self::Noise => linear_combination(&[(1.0, x), (change, output)]),
            // noise = α·velocity + s·(unit-variance sample)
            Self::Velocity => linear_combination(&[
                (1.0 + change * sigma / variance, x),
                (change / variance.sqrt(), output),
            ]),
        }
    }
}
