//! [`Solver`]: how one step is taken. [`SolverKind`]: which of them.

mod ddim;
mod ddpm;
mod deis;
mod dpm;
mod dpm2;
mod dpm_coefficients;
mod dpm_singlestep;
mod dpmpp_2s;
mod dpmpp_sde;
mod euler;
mod heun;
mod kind;
mod lagrange;
mod lcm;
mod lms;
mod pndm;
mod sa_solver;
mod tcd;
mod unipc;

use tch::Tensor;

use super::level::{Level, Step};
use crate::error::Result;
use crate::noise::NoiseSource;

pub use ddpm::Variance;
pub use dpm::DpmSolver;
pub use dpm_coefficients::{Correction, DpmAlgorithm, ThirdOrder};
pub(crate) use kind::Family;
pub use kind::{CustomSolver, SolverKind};
pub use pndm::WarmUp;
pub use sa_solver::SaSolver;
pub use unipc::{UniPc, UniPcVariant};

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
/// It works on `x = data + sigma·noise` in f32, whatever the model and its prediction type are. One is made
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
