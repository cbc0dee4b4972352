//! Which noise levels a run visits and how it moves from one to the next.
//!
//! A [`Scheduler`] is five values that know nothing of each other and one trait:
//!
//! | part | question | type |
//! |---|---|---|
//! | noise schedule | which levels was the model trained on? | [`NoiseSchedule`] |
//! | spacing | which of them does a run visit? | [`Spacing`], [`Curve`] |
//! | terminal | where does it end? | [`Terminal`] |
//! | prediction | what does the network's output mean? | [`Prediction`] |
//! | solver | how is one step taken? | [`SolverKind`], the trait [`Solver`] |
//!
//! Everything happens in *sigma space*: a sample is `x = data + sigma·noise` in f32, whatever the model.
//! [`Scheduler::plan`] gives the steps of a run, [`Scheduler::run`] a [`Run`] that takes them. Nothing here
//! knows of a network: a run is given a [`Denoise`], which may be a closure.
//!
//! The results equal diffusers 0.42.1 to rounding, class by class.

mod beta;
mod builder;
mod class;
mod clip;
mod config;
mod curve;
mod level;
mod name;
mod noise_schedule;
mod ops;
mod order;
mod plan;
mod prediction;
mod range;
mod run;
mod solver;
mod spacing;

use std::sync::Arc;

pub use builder::{InitialNoise, SchedulerBuilder};
pub use clip::Clip;
pub use curve::Curve;
pub use level::{Extent, Level, Step, Timescale};
pub use noise_schedule::{Betas, NoiseSchedule, TerminalSnr};
pub use order::{FinalSteps, Order};
pub use plan::Plan;
pub use prediction::{Coefficients, Prediction};
pub use range::Range;
pub use run::Run;
pub use solver::{Correction, CustomSolver, Denoise, DpmAlgorithm, DpmSolver, Solver, SolverKind};
pub use spacing::{Rounding, Spacing, Terminal};

use crate::error::{Error, Result};
use builder::Settings;
use config::Config;
use level::Table;

/// A way of sampling. Immutable, cheap to clone, and shared freely between threads.
#[derive(Debug, Clone)]
pub struct Scheduler {
    settings: Settings,
    table: Arc<Table>,
    config: Config,
}

impl Scheduler {
    /// Starts from Stable Diffusion XL's own settings: Euler's method, leading spacing, epsilon prediction.
    pub fn builder() -> SchedulerBuilder {
        SchedulerBuilder::default()
    }

    /// The steps of a run of `steps`, or of the part of it that `range` names.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the schedule has no room for so many steps, or the
    /// range is empty or outside of 0 to 1.
    pub fn plan(&self, steps: usize, range: Range) -> Result<Plan> {
        Plan::new(&self.settings, &self.table, steps, range)
    }

    /// A run of a plan of this scheduler, at its first step.
    pub fn run(&self, plan: Plan) -> Run {
        let solver = self.settings.solver.start(&plan, self.settings.clip);
        Run::new(plan, solver)
    }

    /// The same with the `eta` that diffusers' pipelines pass to [`SolverKind::Ddim`].
    ///
    /// # Errors
    /// [`Error::Invalid`] outside of 0 to 1, and for anything but 0 where the solver has no `eta`.
    pub fn with_eta(&self, eta: f64) -> Result<Self> {
        let solver = match &self.settings.solver {
            SolverKind::Ddim { .. } => SolverKind::Ddim { eta },
            other if eta == 0.0 => other.clone(),
            other => return Err(Error::invalid("eta", eta, format!("0, since {other:?} has none"))),
        };
        solver.check(self.settings.terminal)?;
        Ok(Self { settings: Settings { solver, ..self.settings.clone() }, ..self.clone() })
    }

    /// What the network's output means.
    pub fn prediction(&self) -> Prediction {
        self.settings.prediction
    }

    /// Which solver takes the steps.
    pub fn solver(&self) -> &SolverKind {
        &self.settings.solver
    }

    /// Which timesteps are visited.
    pub fn spacing(&self) -> &Spacing {
        &self.settings.spacing
    }

    /// How the noise levels are spread.
    pub fn curve(&self) -> Curve {
        self.settings.curve
    }

    /// Which noise levels the model was trained on.
    pub fn noise_schedule(&self) -> &NoiseSchedule {
        &self.settings.noise_schedule
    }

    /// Where a run ends.
    pub fn terminal(&self) -> Terminal {
        self.settings.terminal
    }
}
