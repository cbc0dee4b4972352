//! [`Run`]: a plan, a solver and how far they have come.

use tch::Tensor;

use super::level::{Level, Step};
use super::plan::Plan;
use super::solver::{Denoise, Solver};
use crate::error::{Error, Result};
use crate::noise::NoiseSource;
use crate::runtime::Numbers;

/// One run of a [`Plan`].
pub struct Run {
    plan: Plan,
    solver: Box<dyn Solver>,
    position: usize,
}

impl Run {
    /// A run with a solver of the caller's, at its first step.
    pub fn new(plan: Plan, solver: Box<dyn Solver>) -> Self {
        Self { plan, solver, position: 0 }
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The number of steps taken.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The step that comes next; none at the end.
    pub fn next_step(&self) -> Option<Step> {
        self.plan.steps().get(self.position).copied()
    }

    /// The noise level that the sample is at.
    pub fn level(&self) -> Option<Level> {
        match self.position.checked_sub(1) {
            Some(last) => self.plan.level_after(last),
            None => self.plan.steps().first().map(|step| step.from),
        }
    }

    /// Takes the next step. `x` is what [`Plan::start`] or the step before gave, perhaps changed since; the
    /// result is a sample at [`level`](Self::level), of the same shape.
    ///
    /// # Errors
    /// Whatever `denoise` returns; [`Error::Invalid`] after the last step.
    pub fn step(&mut self, x: &Tensor, denoise: &mut dyn Denoise, noise: &mut NoiseSource) -> Result<Tensor> {
        let Some(step) = self.next_step() else {
            return Err(Error::invalid("step", self.position, format!("one of {}", self.plan.steps().len())));
        };
        let moved = self.solver.step(x, &step, denoise, noise)?;
        let bridge = self.plan.bridge(self.position);
        self.position += 1;
        match bridge == 1.0 {
            true => Ok(moved),
            false => Ok(moved.f_mul_number(bridge)?),
        }
    }

    /// The latents, as diffusers' class would hold them, that the sample `x` at [`level`](Self::level) is.
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn latents(&self, x: &Tensor) -> Result<Tensor> {
        self.plan.latents(x, self.level().map_or(0.0, |level| level.sigma))
    }
}
