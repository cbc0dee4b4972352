//! [`Singlestep`]: the singlestep DPM-Solvers.

use tch::Tensor;

use super::dpm::{DpmSolver, Memory};
use super::dpm_coefficients::{Correction, Factors};
use super::{Denoise, Solver};
use crate::error::Result;
use crate::noise::NoiseSource;
use crate::scheduler::brownian::SdeSampler;
use crate::scheduler::level::Step;
use crate::scheduler::order::FinalSteps;

/// DPM-Solver in groups of as many steps as its order (Lu et al. 2022, algorithms 1 and 2): each step of a
/// group begins again at the group's start, with one prediction more.
pub(super) struct Singlestep {
    /// The order of each step of the schedule.
    orders: Vec<usize>,
    /// The sample that the group began at.
    start: Option<Tensor>,
    memory: Memory,
}

impl Singlestep {
    /// `total` is the number of steps of the schedule; whether it ends at zero noise comes with it.
    pub(super) fn new(options: DpmSolver, (total, ends_at_zero): (usize, bool), sampler: SdeSampler) -> Self {
        let orders = orders(options, total, ends_at_zero);
        Self { orders, start: None, memory: Memory::new(options, sampler) }
    }
}

/// 1, 2, 1, 2, … or 1, 2, 3, 1, 2, 3, …; the last group is broken off where the run ends, and does not end
/// with its highest order if it may not.
fn orders(options: DpmSolver, total: usize, ends_at_zero: bool) -> Vec<usize> {
    let order = options.order.number();
    let is_lower = matches!(options.final_steps, FinalSteps::LowerOrder | FinalSteps::LowerOrderAndEuler);
    let mut orders: Vec<usize> = (0..total).map(|index| index % order + 1).collect();
    if let Some(last) = orders.last_mut()
        && (ends_at_zero || (is_lower && *last == order))
    {
        *last = 1;
    }
    orders
}

impl Solver for Singlestep {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        noise: &mut NoiseSource,
    ) -> Result<Tensor> {
        let drawn = self.memory.predict(x, step, denoise, noise)?;
        let Memory { options, history, .. } = &self.memory;
        let order = self.orders.get(step.index).copied().unwrap_or(1).min(history.len());
        if order == 1 || self.start.is_none() {
            self.start = Some(x.shallow_clone());
        }
        let Some((from, _)) = history.get(order - 1) else { return Ok(x.shallow_clone()) };
        let to = step.to.sigma;
        let factors = options.algorithm.factors((*from, to), order, options);
        let weights = weights(&factors, order, to, options.correction, history);
        self.memory.combine(self.start.as_ref().unwrap_or(x), &factors, weights, drawn.as_ref())
    }
}

/// The factors of the predictions themselves, the latest first, given those of their divided differences.
fn weights(
    factors: &Factors,
    order: usize,
    to: f64,
    correction: Correction,
    history: &[(f64, Tensor)],
) -> [f64; 3] {
    let Factors { d0, d1, d2, .. } = *factors;
    match (order, history) {
        (2, [(s0, _), (s1, _), ..]) => {
            // D₀ = m₁, D₁ = (m₀ − m₁)/r₀
            let r0 = (s1 / s0).ln() / (s1 / to).ln();
            [d1 / r0, d0 - d1 / r0, 0.0]
        }
        (3, [(s0, _), (s1, _), (s2, _), ..]) => {
            // D₀ = m₂, D₁₀ = (m₁ − m₂)/r₁, D₁₁ = (m₀ − m₂)/r₀; midpoint takes D₁₁ for D₁, Heun
            // D₁ = (r₀·D₁₀ − r₁·D₁₁)/(r₀ − r₁), D₂ = 2·(D₁₁ − D₁₀)/(r₀ − r₁)
            let h = (s2 / to).ln();
            let (r0, r1) = ((s2 / s0).ln() / h, (s2 / s1).ln() / h);
            let (d10, d11) = match correction {
                Correction::Midpoint => (0.0, d1),
                Correction::Heun => ((d1 * r0 - 2.0 * d2) / (r0 - r1), (2.0 * d2 - d1 * r1) / (r0 - r1)),
            };
            [d11 / r0, d10 / r1, d0 - d11 / r0 - d10 / r1]
        }
        _ => [d0, 0.0, 0.0],
    }
}
