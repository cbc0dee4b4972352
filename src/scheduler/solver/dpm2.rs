//! [`Dpm2`] and [`Dpm2Ancestral`].

use std::sync::Arc;

use tch::Tensor;

use super::euler::{ancestral, euler};
use super::{Denoise, Solver};
use crate::error::Result;
use crate::nn::ops::linear_combination;
use crate::noise::NoiseSource;
use crate::scheduler::level::{Extent, Level, Step, Table};

/// DPM-Solver-2 of Lu et al. 2022 as k-diffusion writes it (`sample_dpm_2`): the slope half way in ln σ,
/// applied to the whole step.
pub(super) struct Dpm2 {
    pub(super) table: Arc<Table>,
}

/// The same to a lower level than asked for, and fresh noise up to it (`sample_dpm_2_ancestral`).
pub(super) struct Dpm2Ancestral {
    pub(super) table: Arc<Table>,
}

/// Half way in ln σ between the two ends of a step; none for a step to zero, which is Euler's.
pub(super) fn middle(step: &Step, table: &Table) -> Option<Level> {
    between(step.from.sigma, step.to.sigma, table)
}

/// Half way in ln σ to the level that [`Dpm2Ancestral`] goes down to.
pub(super) fn ancestral_middle(step: &Step, table: &Table) -> Option<Level> {
    let (down, _) = ancestral(step.from.sigma, step.to.sigma, 1.0);
    between(step.from.sigma, down, table)
}

fn between(sigma: f64, to: f64, table: &Table) -> Option<Level> {
    (to > 0.0).then(|| table.at_sigma((sigma * to).sqrt()))
}

impl Solver for Dpm2 {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        _: &mut NoiseSource,
    ) -> Result<Tensor> {
        let middle = middle(step, &self.table);
        midpoint(x, step, middle, step.to.sigma, denoise)
    }
}

impl Solver for Dpm2Ancestral {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        noise: &mut NoiseSource,
    ) -> Result<Tensor> {
        let (down, up) = ancestral(step.from.sigma, step.to.sigma, 1.0);
        let middle = ancestral_middle(step, &self.table);
        let moved = midpoint(x, step, middle, down, denoise)?;
        if middle.is_none() || step.extent == Extent::FirstCall {
            return Ok(moved);
        }
        linear_combination(&[(1.0, &moved), (up, &noise.normal_like(x)?)])
    }
}

/// From the start of a step down to `to`, with the slope at `middle` if there is one.
fn midpoint(
    x: &Tensor,
    step: &Step,
    middle: Option<Level>,
    to: f64,
    denoise: &mut dyn Denoise,
) -> Result<Tensor> {
    let sigma = step.from.sigma;
    let denoised = denoise.denoise(x, step.from)?;
    let Some(middle) = middle else { return euler(x, &denoised, sigma, to) };
    let half_way = euler(x, &denoised, sigma, middle.sigma)?;
    if step.extent == Extent::FirstCall {
        return Ok(half_way);
    }
    let denoised = denoise.denoise(&half_way, middle)?;
    let slope = (to - sigma) / middle.sigma;
    linear_combination(&[(1.0, x), (slope, &half_way), (-slope, &denoised)])
}
