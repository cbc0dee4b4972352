//! [`Solver`]: how one step is taken. [`SolverKind`]: which of them.

mod ddim;
mod dpm;
mod dpm_coefficients;
mod euler;

use std::fmt;
use std::sync::Arc;

use tch::Tensor;

use super::clip::{Clip, Clipped};
use super::level::{Level, Step, Table};
use super::plan::Plan;
use super::spacing::Terminal;
use crate::error::{Error, Result};
use crate::noise::NoiseSource;

pub use dpm::DpmSolver;
pub use dpm_coefficients::{Correction, DpmAlgorithm};

/// The network as a solver sees it, with guidance, scaling and prediction type already dealt with.
///
/// Any closure `FnMut(&Tensor, Level) -> Result<Tensor>` is one.
pub trait Denoise {
    /// The denoised sample that the network predicts for `x` at a noise level, in the shape of `x`.
    ///
    /// # Errors
    /// Whatever goes wrong in the network.
    fn denoise(&mut self, x: &Tensor, level: Level) -> Result<Tensor>;
}

impl<F: FnMut(&Tensor, Level) -> Result<Tensor>> Denoise for F {
    fn denoise(&mut self, x: &Tensor, level: Level) -> Result<Tensor> {
        self(x, level)
    }
}

/// A method of integrating from one noise level to the next, with its state during one run.
///
/// It works on `x = data + sigma·noise` in f32, whatever the model and its prediction type are. Make one
/// for each run: [`SolverKind`] does, and [`SolverKind::Custom`] takes yours.
pub trait Solver: Send {
    /// Brings `x` from the level `step.from` to the level `step.to`.
    ///
    /// # Errors
    /// Whatever `denoise` returns, or [`Error::Torch`](crate::Error::Torch).
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        noise: &mut NoiseSource,
    ) -> Result<Tensor>;
}

/// Which solver, with its own options. The default is [`SolverKind::Euler`].
#[derive(Debug, Clone, Default)]
pub enum SolverKind {
    /// Euler's method (Karras et al. 2022, algorithm 2 without its correction). First order.
    #[default]
    Euler,
    /// DDIM (Song et al. 2020), in the steps of T/N that diffusers takes whatever the spacing.
    Ddim {
        /// The share of fresh noise: 0 (none, diffusers' default) to 1 (as much as DDPM).
        eta: f64,
    },
    /// The multistep DPM-Solver family: DPM++ 2M, its SDE form, 3M SDE, DPM-Solver.
    DpmMultistep(DpmSolver),
    /// A solver written outside of this crate.
    Custom(CustomSolver),
}

/// How the diffusers classes of a solver count timesteps and keep their samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// The classes made after k-diffusion: samples in sigma space, fractional timesteps.
    KDiffusion,
    /// DPM-Solver, UniPC, DEIS: samples of unit variance, whole timesteps, one spare point in the spacing.
    DpmSolver,
    /// DDIM, DDPM, PNDM: samples of unit variance, whole timesteps.
    Ddim,
}

impl SolverKind {
    pub(crate) fn family(&self) -> Family {
        match self {
            Self::Euler | Self::Custom(_) => Family::KDiffusion,
            Self::DpmMultistep(_) => Family::DpmSolver,
            Self::Ddim { .. } => Family::Ddim,
        }
    }

    /// A solver at the start of the run of a plan.
    pub(crate) fn start(&self, plan: &Plan, clip: Clip) -> Box<dyn Solver> {
        let solver: Box<dyn Solver> = match self {
            // It needs the sample as predicted, too.
            Self::Ddim { eta } => return Box::new(ddim::Ddim::new(*eta, clip)),
            Self::Euler => Box::new(euler::Euler),
            Self::DpmMultistep(options) => Box::new(dpm::Multistep::new(*options, plan.total_steps())),
            Self::Custom(custom) => (custom.make)(plan),
        };
        match clip {
            Clip::Off => solver,
            clip => Box::new(Clipped { clip, solver }),
        }
    }

    /// Where a run ends if nothing else is asked for.
    pub(crate) fn usual_terminal(&self) -> Terminal {
        match self {
            Self::DpmMultistep(options) if options.algorithm.predicts_noise() => Terminal::SigmaMin,
            _ => Terminal::Zero,
        }
    }

    /// The number of training timesteps that are used.
    pub(crate) fn used_timesteps(&self, table: &Table) -> usize {
        match self {
            Self::DpmMultistep(options) => table.count_above(options.lambda_min),
            _ => table.len(),
        }
    }

    pub(crate) fn check(&self, terminal: Terminal) -> Result<()> {
        match self {
            Self::Ddim { eta } if !(0.0..=1.0).contains(eta) => {
                Err(Error::invalid("eta", eta, "from 0 to 1"))
            }
            Self::DpmMultistep(options) => options.check(terminal),
            _ => Ok(()),
        }
    }
}

/// A way of making a solver of your own, for [`SolverKind::Custom`].
#[derive(Clone)]
pub struct CustomSolver {
    name: String,
    make: Arc<MakeSolver>,
}

type MakeSolver = dyn Fn(&Plan) -> Box<dyn Solver> + Send + Sync;

impl CustomSolver {
    /// A solver that `make` makes at the start of each run. `name` is for messages.
    pub fn new(name: &str, make: impl Fn(&Plan) -> Box<dyn Solver> + Send + Sync + 'static) -> Self {
        Self { name: name.to_owned(), make: Arc::new(make) }
    }
}

impl fmt::Debug for CustomSolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CustomSolver").field(&self.name).finish()
    }
}
