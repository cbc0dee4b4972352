//! [`UniPc`]: the unified predictor-corrector.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::lagrange::lagrange;
use super::{Denoise, Solver};
use crate::error::Result;
use crate::nn::ops::linear_combination;
use crate::noise::NoiseSource;
use crate::scheduler::level::Step;
use crate::scheduler::order::{Ending, Order, PolynomialOf};

/// The options of UniPC (Zhao et al. 2023). The default is diffusers'.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct UniPc {
    /// The order, as soon as there are enough predictions for it. Default: the second.
    pub order: Order,
    /// B(h) of the paper. Default: [`UniPcVariant::Bh2`].
    pub variant: UniPcVariant,
    /// What it interpolates. Default: the denoised sample.
    pub polynomial_of: PolynomialOf,
    /// Whether the order falls at the end. A step to zero noise is always first order. Default: it does.
    pub ending: Ending,
    /// diffusers' `disable_corrector`: the steps, counted from 0, whose result is not corrected. Default: none.
    pub uncorrected: Vec<usize>,
}

/// B(h) of UniPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum UniPcVariant {
    /// `bh1`: B(h) = h.
    Bh1,
    /// `bh2`: B(h) = e^h − 1. The default.
    #[default]
    Bh2,
}

/// Algorithms 1 and 2 of the paper: after each model call the sample is corrected with its result.
pub(super) struct PredictorCorrector {
    options: UniPc,
    total: usize,
    /// The last predictions and the levels that they were made at, the latest first.
    history: Vec<(f64, Tensor)>,
    /// The corrected sample that the last step began at, and its order.
    last: Option<(Tensor, usize)>,
}

impl PredictorCorrector {
    pub(super) fn new(options: UniPc, total: usize) -> Self {
        Self { options, total, history: Vec::new(), last: None }
    }

    /// The step from the level of the latest prediction to `to`. With `prediction`, which was made at `to`,
    /// it is the corrector's, without it the predictor's.
    fn update(&self, x: &Tensor, to: f64, order: usize, prediction: Option<&Tensor>) -> Result<Tensor> {
        let data = self.options.polynomial_of == PolynomialOf::Data;
        let Some((sigma, latest)) = self.history.first() else { return Ok(x.shallow_clone()) };
        let h = (sigma / to).ln();
        let hh = if data { -h } else { h };
        let scale = if data { 1.0 } else { to };
        let kept = if data { to / sigma } else { 1.0 };
        // scale·(e^hh − 1), in the form that also holds for a step to zero
        let change = if data { hh.exp_m1() } else { sigma - to };
        let b_of_h = match self.options.variant {
            UniPcVariant::Bh1 => hh,
            UniPcVariant::Bh2 => hh.exp_m1(),
        };
        let older = self.history.iter().skip(1).take(order - 1);
        let ratios: Vec<f64> = older.clone().map(|(past, _)| (sigma / past).ln() / h).collect();
        let weights = weights(&ratios, hh, b_of_h, prediction.is_some());
        let mut terms = vec![(kept, x)];
        let mut of_latest = -change;
        let mut add = |weight: f64, term| {
            // Each is a difference to the latest prediction.
            terms.push((-scale * b_of_h * weight, term));
            of_latest += scale * b_of_h * weight;
        };
        for (((_, past), ratio), weight) in older.zip(&ratios).zip(&weights) {
            add(weight / ratio, past);
        }
        if let (Some(prediction), Some(weight)) = (prediction, weights.last()) {
            add(*weight, prediction);
        }
        terms.push((of_latest, latest));
        linear_combination(&terms)
    }
}

impl Solver for PredictorCorrector {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        _: &mut NoiseSource,
    ) -> Result<Tensor> {
        let (sigma, to) = (step.from.sigma, step.to.sigma);
        let denoised = denoise.denoise(x, step.from)?;
        let prediction = match self.options.polynomial_of {
            PolynomialOf::Data => denoised,
            PolynomialOf::Noise => linear_combination(&[(1.0 / sigma, x), (-1.0 / sigma, &denoised)])?,
        };
        let is_corrected = !self.options.uncorrected.iter().any(|index| index + 1 == step.index);
        let x = match &self.last {
            Some((before, order)) if is_corrected => self.update(before, sigma, *order, Some(&prediction))?,
            _ => x.shallow_clone(),
        };
        self.history.insert(0, (sigma, prediction));
        self.history.truncate(self.options.order.number());
        let left = match self.options.ending {
            Ending::LowerOrder => self.total.saturating_sub(step.index),
            Ending::FullOrder => usize::MAX,
        };
        let highest = if to == 0.0 || to == sigma { 1 } else { left };
        let order = self.history.len().min(highest);
        let moved = self.update(&x, to, order, None)?;
        self.last = Some((x, order));
        Ok(moved)
    }
}

/// ρ of the paper, which solves Σₖ ρₖ·rₖ^i = bᵢ: one for each ratio, and for the corrector one for the
/// new prediction, whose ratio is 1.
fn weights(ratios: &[f64], hh: f64, b_of_h: f64, is_corrector: bool) -> Vec<f64> {
    let nodes: Vec<f64> = ratios.iter().copied().chain(is_corrector.then_some(1.0)).collect();
    if nodes.len() == 1 {
        // The papers' choice for order 2 of the predictor and order 1 of the corrector.
        return vec![0.5];
    }
    let mut phi = hh.exp_m1() / hh - 1.0;
    let mut factorial = 1.0;
    let b: Vec<f64> = (2..nodes.len() + 2)
        .map(|next| {
            let value = phi * factorial / b_of_h;
            factorial *= next as f64;
            phi = phi / hh - 1.0 / factorial;
            value
        })
        .collect();
    // The polynomial Lₖ through 1 at rₖ and 0 at the others singles out ρₖ = Σᵢ bᵢ·[coefficient i of Lₖ].
    let single = |index| lagrange(&nodes, index).iter().zip(&b).map(|(c, b)| c * b).sum();
    (0..nodes.len()).map(single).collect()
}
