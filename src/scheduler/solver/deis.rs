//! [`Deis`].

use tch::Tensor;

use super::lagrange::lagrange;
use super::{Denoise, Solver};
use crate::error::Result;
use crate::nn::ops::linear_combination;
use crate::noise::NoiseSource;
use crate::scheduler::level::Step;
use crate::scheduler::order::{FinalSteps, Order};

/// The log-ρ form of DEIS (Zhang and Chen 2022): Adams-Bashforth on the predicted noise, whose polynomial
/// is one of ln σ while the integral is over σ.
pub(super) struct Deis {
    order: Order,
    final_steps: FinalSteps,
    total: usize,
    /// ln σ and predicted noise of the last steps, the latest first.
    history: Vec<(f64, Tensor)>,
}

impl Deis {
    pub(super) fn new(order: Order, final_steps: FinalSteps, total: usize) -> Self {
        Self { order, final_steps, total, history: Vec::new() }
    }
}

impl Solver for Deis {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        _: &mut NoiseSource,
    ) -> Result<Tensor> {
        let (sigma, to) = (step.from.sigma, step.to.sigma);
        let denoised = denoise.denoise(x, step.from)?;
        let predicted_noise = linear_combination(&[(1.0 / sigma, x), (-1.0 / sigma, &denoised)])?;
        self.history.insert(0, (sigma.ln(), predicted_noise));
        self.history.truncate(self.order.number());
        let order = self.history.len().min(self.final_steps.most(step, self.total));
        let nodes: Vec<f64> = self.history.iter().take(order).map(|(node, _)| *node).collect();
        let weight = |index: usize| integral(&lagrange(&nodes, index), sigma, to);
        let used = self.history.iter().take(order).enumerate();
        let weighted = used.map(|(index, (_, predicted_noise))| (weight(index), predicted_noise));
        linear_combination(&std::iter::once((1.0, x)).chain(weighted).collect::<Vec<_>>())
    }
}

/// The integral over σ of a polynomial, of at most second degree, of ln σ.
fn integral(polynomial: &[f64], from: f64, to: f64) -> f64 {
    let antiderivatives = |sigma: f64| {
        let log = sigma.ln();
        [sigma, sigma * (log - 1.0), sigma * (log * log - 2.0 * log + 2.0)]
    };
    let differences = antiderivatives(to).into_iter().zip(antiderivatives(from)).map(|(b, a)| b - a);
    polynomial.iter().zip(differences).map(|(coefficient, difference)| coefficient * difference).sum()
}
