//! [`SaSolver`]: stochastic Adams methods.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::lagrange::lagrange;
use super::{Denoise, Solver};
use crate::error::{Error, Result};
use crate::nn::ops::linear_combination;
use crate::noise::NoiseSource;
use crate::scheduler::level::{Level, Step};
use crate::scheduler::order::{Ending, PolynomialOf};

/// The options of SA-Solver (Xue et al. 2023). The default is diffusers'.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SaSolver {
    /// The order of the Adams-Bashforth predictor, 1 to 4. Default: 2.
    pub predictor_order: usize,
    /// The order of the Adams-Moulton corrector, 1 to 4. Default: 2.
    pub corrector_order: usize,
    /// What it interpolates. Default: the denoised sample.
    pub polynomial_of: PolynomialOf,
    /// Whether the orders fall at the end. Default: they do.
    pub ending: Ending,
    /// diffusers' `lambda_min_clipped`, as in [`DpmSolver`](super::DpmSolver). Default: −∞.
    pub lambda_min: f64,
}

impl Default for SaSolver {
    fn default() -> Self {
        let (polynomial_of, ending) = Default::default();
        Self { predictor_order: 2, corrector_order: 2, polynomial_of, ending, lambda_min: f64::NEG_INFINITY }
    }
}

impl SaSolver {
    pub(crate) fn check(self) -> Result<()> {
        for (field, order) in
            [("predictor_order", self.predictor_order), ("corrector_order", self.corrector_order)]
        {
            if !(1..=4).contains(&order) {
                return Err(Error::invalid(field, order, "from 1 to 4"));
            }
        }
        match self.lambda_min.is_nan() {
            true => Err(Error::invalid("lambda_min", self.lambda_min, "a number")),
            false => Ok(()),
        }
    }

    /// The number of predictions that are kept.
    fn memory(self) -> usize {
        self.predictor_order.max(self.corrector_order - 1)
    }
}

/// Algorithm 1 of the paper: after each model call the last step is taken again with its result and with the
/// same noise.
pub(super) struct StochasticAdams {
    options: SaSolver,
    total: usize,
    /// λ = −ln σ and the prediction of the last steps, the latest first.
    history: Vec<(f64, Tensor)>,
    last: Option<Last>,
}

/// What the last step began with.
struct Last {
    x: Tensor,
    from: Level,
    noise: Tensor,
    corrector_order: usize,
}

impl StochasticAdams {
    pub(super) fn new(options: SaSolver, total: usize) -> Self {
        Self { options, total, history: Vec::new(), last: None }
    }

    /// A step with the polynomial through the latest `order` predictions.
    fn adams(&self, x: &Tensor, (from, to): (Level, f64), order: usize, noise: &Tensor) -> Result<Tensor> {
        let tau = tau(from.timestep);
        let k = 1.0 + tau * tau;
        let h = (from.sigma / to).ln();
        let used = self.history.iter().take(order);
        // λ as seen from the end of the step.
        let nodes: Vec<f64> = used.clone().map(|(lambda, _)| lambda + to.ln()).collect();
        let (kept, scale, rate, of_noise) = match self.options.polynomial_of {
            PolynomialOf::Data => {
                let of_noise = to * (-(-2.0 * tau * tau * h).exp_m1()).sqrt();
                ((-k * h).exp(), k, k, of_noise)
            }
            PolynomialOf::Noise => (1.0, -k * to, -1.0, tau * to * (2.0 * h).exp_m1().sqrt()),
        };
        let moments = moments(rate, h, order);
        let extra = self.few_steps_term(&nodes, h, k);
        let weights = (0..nodes.len()).map(|index| {
            let integral: f64 =
                lagrange(&nodes, index).iter().zip(&moments).map(|(c, moment)| c * moment).sum();
            scale * integral + if index == 0 { extra } else { -extra }
        });
        let mut terms = vec![(kept, x), (of_noise, noise)];
        terms.extend(weights.zip(used.map(|(_, prediction)| prediction)));
        linear_combination(&terms)
    }

    /// The authors' change of the second order for few steps, which does not alter the order: it is added to
    /// the weight of the latest prediction and taken from that of the other one.
    fn few_steps_term(&self, nodes: &[f64], h: f64, k: f64) -> f64 {
        let [latest, other] = nodes else { return 0.0 };
        if self.options.polynomial_of == PolynomialOf::Noise {
            return 0.0;
        }
        let change = h * h / 2.0 - (h * k + (-k * h).exp_m1()) / (k * k);
        k * change / (latest - other)
    }
}

impl Solver for StochasticAdams {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        noise: &mut NoiseSource,
    ) -> Result<Tensor> {
        let sigma = step.from.sigma;
        let denoised = denoise.denoise(x, step.from)?;
        if step.to.sigma == 0.0 {
            return Ok(denoised);
        }
        let prediction = match self.options.polynomial_of {
            PolynomialOf::Data => denoised,
            PolynomialOf::Noise => linear_combination(&[(1.0 / sigma, x), (-1.0 / sigma, &denoised)])?,
        };
        self.history.insert(0, (-sigma.ln(), prediction));
        let x = match &self.last {
            Some(last) => self.adams(&last.x, (last.from, sigma), last.corrector_order, &last.noise)?,
            None => x.shallow_clone(),
        };
        self.history.truncate(self.options.memory());
        let left = match self.options.ending {
            Ending::LowerOrder => self.total.saturating_sub(step.index),
            Ending::FullOrder => usize::MAX - 1,
        };
        let order = self.options.predictor_order.min(left).min(self.history.len());
        let corrector_order = self.options.corrector_order.min(left + 1).min(self.history.len() + 1);
        let drawn = noise.normal_like(&x)?;
        let moved = self.adams(&x, (step.from, step.to.sigma), order, &drawn)?;
        self.last = Some(Last { x, from: step.from, noise: drawn, corrector_order });
        Ok(moved)
    }
}

/// How stochastic a step is, by the timestep that it starts at: the paper's choice.
fn tau(timestep: f64) -> f64 {
    if (200.0..=800.0).contains(&timestep) { 1.0 } else { 0.0 }
}

/// ∫ e^(rate·u)·u^j du from −h to 0, for as many powers.
fn moments(rate: f64, h: f64, count: usize) -> Vec<f64> {
    let decay = (-rate * h).exp();
    let mut moments: Vec<f64> = Vec::new();
    for j in 0..count {
        let moment = match moments.last() {
            None => -(-rate * h).exp_m1() / rate,
            // By parts.
            Some(before) => -((-h).powi(j as i32) * decay + j as f64 * before) / rate,
        };
        moments.push(moment);
    }
    moments
}
