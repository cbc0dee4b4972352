//! Which noise levels a run visits and how it moves from one to the next.
//!
//! A [`Scheduler`] is four values that know nothing of each other, and a trait:
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
//! ```
//! use sdxl::NoiseSource;
//! use sdxl::scheduler::{Level, Range, Scheduler};
//! use tch::Tensor;
//!
//! # fn network(input: &Tensor, _timestep: f64) -> Tensor { input * 0.5 }
//! # fn main() -> sdxl::Result<()> {
//! let scheduler = Scheduler::dpmpp_2m_karras()?;
//! let prediction = scheduler.prediction();
//! let mut noise = NoiseSource::new(&[42])?;
//! let plan = scheduler.plan(20, Range::full())?;
//! let mut x = plan.start(&noise.normal(&[4, 128, 128])?)?;
//! let mut run = scheduler.run(plan);
//! while run.next_step().is_some() {
//!     let mut denoise = |x: &Tensor, level: Level| {
//!         let output = network(&prediction.input(x, level.sigma)?, level.timestep);
//!         prediction.denoised(&output, x, level.sigma)
//!     };
//!     x = run.step(&x, &mut denoise, &mut noise)?;
//! }
//! let latents = run.latents(&x)?;
//! # assert_eq!(latents.size(), [1, 4, 128, 128]);
//! # Ok(())
//! # }
//! ```
//!
//! # Equal to diffusers
//!
//! Class by class and option by option, the results are those of diffusers 0.42.1 to rounding. That includes
//! what looks odd there: DDIM goes down T/N timesteps wherever the next step begins; the base model's last
//! Heun step is broken off half way where the refiner takes over; LMS and PNDM that start part way count as if
//! they had not; the third order of the multistep DPM-Solvers is second order ([`ThirdOrder`] mends it).
//!
//! It differs where diffusers does not do what it says:
//! - Trailing spacing makes one step too many there for 61, 103 and some other numbers of steps.
//! - `interpolation_type="log_linear"` ignores the timesteps there.
//! - One exponential step of an EDM class begins at the lowest level there, with the noise of the highest.
//! - UniPC (bh1 or with full order) and full-order DPM-Solvers divide by zero there where a step ends at zero
//!   noise or has no length.
//! - A Brownian path without a seed of its own takes the picture's, not one from a global generator.

mod beta;
mod brownian;
mod builder;
mod class;
mod clip;
mod config;
mod curve;
mod export;
mod level;
mod name;
mod noise_schedule;
mod order;
mod plan;
mod prediction;
mod preset;
mod range;
mod reader;
mod run;
mod seed_sequence;
mod serial;
mod solver;
mod spacing;
mod steps;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use brownian::SdeNoise;
pub use builder::{InitialNoise, SchedulerBuilder};
pub use clip::Clip;
pub use curve::Curve;
pub use level::{Extent, Level, Step, Timescale};
pub use name::{PredictionName, PresetName, SchedulerName, SpacingName};
pub(crate) use noise_schedule::ZeroSnr;
pub use noise_schedule::{Betas, NoiseSchedule, TerminalSnr};
pub use order::{Ending, FinalSteps, Order, PolynomialOf};
pub use plan::Plan;
pub use prediction::{Coefficients, Prediction};
pub use range::Range;
pub use run::Run;
pub use solver::{
    Correction, CustomSolver, Denoise, DpmAlgorithm, DpmSolver, SaSolver, Solver, SolverKind, ThirdOrder,
    UniPc, UniPcVariant, Variance, WarmUp,
};
pub use spacing::{Interpolation, Rounding, Spacing, Terminal};

use crate::error::Result;
use builder::Settings;
use config::Config;
use level::Table;

/// A way of sampling. Immutable, cheap to clone, and shared freely between threads.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "serial::Plain", into = "serial::Plain")]
pub struct Scheduler {
    settings: Settings,
    table: Arc<Table>,
    /// What it was built from, where some choices may be left to the solver.
    builder: SchedulerBuilder,
    /// The checkpoint's file.
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
    /// [`Error::Invalid`](crate::Error::Invalid) where the schedule has no room for so many steps, or the
    /// range is empty or outside of 0 to 1.
    pub fn plan(&self, steps: usize, range: Range) -> Result<Plan> {
        Plan::new(&self.settings, &self.table, steps, range)
    }

    /// A run of a plan of this scheduler, at its first step.
    pub fn run(&self, plan: Plan) -> Run {
        let solver = self.settings.solver.start(&plan, &self.settings);
        Run::new(plan, solver)
    }

    /// A builder with all of these settings, to change some of them.
    pub fn to_builder(&self) -> SchedulerBuilder {
        self.builder.clone()
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
