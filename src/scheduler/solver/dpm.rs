//! [`DpmSolver`]: the multistep DPM-Solvers.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::dpm_coefficients::{Correction, DpmAlgorithm, Factors, ThirdOrder};
use super::{Denoise, Solver};
use crate::error::{Error, Result};
use crate::nn::ops::linear_combination;
use crate::noise::NoiseSource;
use crate::scheduler::brownian::{SdeNoise, SdeSampler};
use crate::scheduler::level::Step;
use crate::scheduler::order::{FinalSteps, Order};
use crate::scheduler::spacing::Terminal;

/// The options of DPM-Solver. The default is DPM++ 2M, diffusers' defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DpmSolver {
    /// Which form. Default: `dpmsolver++`.
    pub algorithm: DpmAlgorithm,
    /// The order, as soon as there are enough predictions for it. Default: the second.
    pub order: Order,
    /// The second order's correction. Default: midpoint.
    pub correction: Correction,
    /// The last term of the third order. Default: as in diffusers.
    pub third_order: ThirdOrder,
    /// What the last steps are. A step to zero noise is always first order. Default: lower order.
    pub final_steps: FinalSteps,
    /// Where the noise of the SDE forms comes from. Default: plain draws.
    pub noise: SdeNoise,
    /// diffusers' `lambda_min_clipped`: timesteps whose ln(1/σ) is below are left out. The cosine schedule
    /// needs −5.1. Default: −∞, all are used.
    pub lambda_min: f64,
}

impl Default for DpmSolver {
    fn default() -> Self {
        Self {
            algorithm: DpmAlgorithm::default(),
            order: Order::Second,
            correction: Correction::default(),
            third_order: ThirdOrder::default(),
            final_steps: FinalSteps::default(),
            noise: SdeNoise::default(),
            lambda_min: f64::NEG_INFINITY,
        }
    }
}

impl DpmSolver {
    pub(crate) fn check(&self, terminal: Terminal) -> Result<()> {
        if self.algorithm.predicts_noise() && terminal == Terminal::Zero {
            let expected =
                "SigmaMin: a polynomial of the predicted noise cannot reach zero noise (dpmsolver++ can)";
            return Err(Error::invalid("terminal", "Zero", expected));
        }
        if self.algorithm == DpmAlgorithm::SdeDpmSolver && self.order == Order::Third {
            return Err(Error::invalid(
                "order",
                "Third",
                "First or Second: sde-dpmsolver has no third order",
            ));
        }
        if self.lambda_min.is_nan() {
            return Err(Error::invalid("lambda_min", self.lambda_min, "a number"));
        }
        Ok(())
    }
}

/// What the multistep and the singlestep form keep from step to step.
pub(super) struct Memory {
    pub(super) options: DpmSolver,
    sampler: SdeSampler,
    /// The last predictions and the levels that they were made at, the latest first.
    pub(super) history: Vec<(f64, Tensor)>,
}

impl Memory {
    pub(super) fn new(options: DpmSolver, sampler: SdeSampler) -> Self {
        Self { options, sampler, history: Vec::new() }
    }

    /// Evaluates the model and remembers what it predicts. Returns the noise of the SDE forms.
    pub(super) fn predict(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        noise: &mut NoiseSource,
    ) -> Result<Option<Tensor>> {
        let DpmSolver { algorithm, order, .. } = self.options;
        let (sigma, to) = (step.from.sigma, step.to.sigma);
        let denoised = denoise.denoise(x, step.from)?;
        let prediction = match algorithm.predicts_noise() {
            true => linear_combination(&[(1.0 / sigma, x), (-1.0 / sigma, &denoised)])?,
            false => denoised,
        };
        self.history.insert(0, (sigma, prediction));
        self.history.truncate(order.number());
        match algorithm.is_stochastic() {
            true => self.sampler.draw(x, (sigma, to), noise).map(Some),
            false => Ok(None),
        }
    }

    /// The next sample, from `x` at the start of the step and the weights of the predictions.
    pub(super) fn combine(
        &self,
        x: &Tensor,
        factors: &Factors,
        weights: [f64; 3],
        drawn: Option<&Tensor>,
    ) -> Result<Tensor> {
        let mut terms = vec![(factors.x, x)];
        terms.extend(weights.into_iter().zip(self.history.iter().map(|(_, prediction)| prediction)));
        terms.extend(drawn.map(|drawn| (factors.noise, drawn)));
        linear_combination(&terms)
    }
}

/// Algorithm 2 of Lu et al. 2022b (DPM-Solver++ 2M) and its relatives: Adams-Bashforth in λ = −ln σ.
pub(super) struct Multistep {
    total: usize,
    memory: Memory,
}

impl Multistep {
    pub(super) fn new(options: DpmSolver, total: usize, sampler: SdeSampler) -> Self {
        Self { total, memory: Memory::new(options, sampler) }
    }

    fn order(&self, step: &Step) -> usize {
        let Memory { options, history, .. } = &self.memory;
        let most = options.final_steps.most(step, self.total);
        options.order.number().min(history.len()).min(most)
    }
}

impl Solver for Multistep {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        noise: &mut NoiseSource,
    ) -> Result<Tensor> {
        let drawn = self.memory.predict(x, step, denoise, noise)?;
        let Memory { options, history, .. } = &self.memory;
        let (order, to) = (self.order(step), step.to.sigma);
        let mut factors = options.algorithm.factors((step.from.sigma, to), order, options);
        if options.third_order == ThirdOrder::Exact {
            // D₂ is half of the second derivative.
            factors.d2 *= 2.0;
        }
        let weights = weights(&factors, order, to, history);
        self.memory.combine(x, &factors, weights, drawn.as_ref())
    }
}

/// The factors of the predictions themselves, given those of their divided differences.
fn weights(factors: &Factors, order: usize, to: f64, history: &[(f64, Tensor)]) -> [f64; 3] {
    let Factors { d0, d1, d2, .. } = *factors;
    match (order, history) {
        (2, [(s0, _), (s1, _), ..]) => {
            // D₁ = (m₀ − m₁)/r₀
            let r0 = (s1 / s0).ln() / (s0 / to).ln();
            [d0 + d1 / r0, -d1 / r0, 0.0]
        }
        (3, [(s0, _), (s1, _), (s2, _), ..]) => {
            // D₁₀ = (m₀ − m₁)/r₀, D₁₁ = (m₁ − m₂)/r₁,
            // D₁ = D₁₀ + r₀/(r₀ + r₁)·(D₁₀ − D₁₁), D₂ = (D₁₀ − D₁₁)/(r₀ + r₁)
            let h = (s0 / to).ln();
            let (r0, r1) = ((s1 / s0).ln() / h, (s2 / s1).ln() / h);
            let second = (d1 * r0 + d2) / (r0 + r1);
            let (d10, d11) = (d1 + second, -second);
            [d0 + d10 / r0, -d10 / r0 + d11 / r1, -d11 / r1]
        }
        _ => [d0, 0.0, 0.0],
    }
}
