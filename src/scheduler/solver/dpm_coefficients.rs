//! The coefficients that the multistep and the singlestep form of DPM-Solver share.

use serde::{Deserialize, Serialize};

use super::dpm::DpmSolver;

/// Which form of DPM-Solver (Lu et al. 2022).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum DpmAlgorithm {
    /// `dpmsolver++`: polynomials of the denoised sample. The default.
    #[default]
    DpmSolverPlusPlus,
    /// `dpmsolver`: polynomials of the predicted noise. Cannot end at [`Terminal::Zero`](crate::scheduler::Terminal).
    DpmSolver,
    /// `sde-dpmsolver++`: the same for the reverse SDE, with fresh noise in each step.
    SdeDpmSolverPlusPlus,
    /// `sde-dpmsolver`. Cannot end at zero, and has no third order.
    SdeDpmSolver,
}

/// How the second order is corrected; diffusers' `solver_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Correction {
    /// As in the midpoint method. The default.
    #[default]
    Midpoint,
    /// As in Heun's method.
    Heun,
}

/// The last term of the third order.
///
/// The multistep form in diffusers, which follows the authors' code, has half of it, and that is second order
/// only; for the SDE it also has a wrong sign, in both forms, and that is first order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ThirdOrder {
    /// As in diffusers. The default: whoever asks for its sampler gets its pictures.
    #[default]
    Diffusers,
    /// As the expansion has it: third order.
    Exact,
}

/// The factors of the sample, of the prediction D₀, of its divided differences D₁ and D₂, and of noise.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Factors {
    pub(super) x: f64,
    pub(super) d0: f64,
    pub(super) d1: f64,
    pub(super) d2: f64,
    pub(super) noise: f64,
}

impl DpmAlgorithm {
    pub(super) fn is_stochastic(self) -> bool {
        matches!(self, Self::SdeDpmSolverPlusPlus | Self::SdeDpmSolver)
    }

    /// Whether the polynomial is one of the predicted noise, and not of the denoised sample.
    pub(super) fn predicts_noise(self) -> bool {
        matches!(self, Self::DpmSolver | Self::SdeDpmSolver)
    }

    /// The factors of a step from σ to `to`. With λ = −ln σ these are the papers' formulas divided by the
    /// α of the end. `h` is the step in λ, infinite for a step to zero, which is first order only.
    pub(super) fn factors(self, (sigma, to): (f64, f64), order: usize, options: &DpmSolver) -> Factors {
        let DpmSolver { correction, third_order, .. } = *options;
        let h = (sigma / to).ln();
        let midpoint = order == 2 && correction == Correction::Midpoint;
        let mut factors = match self {
            Self::DpmSolverPlusPlus => {
                let decay = (-h).exp_m1();
                let d1 = if midpoint { -0.5 * decay } else { decay / h + 1.0 };
                Factors { x: to / sigma, d0: -decay, d1, d2: -((decay + h) / (h * h) - 0.5), noise: 0.0 }
            }
            Self::DpmSolver => {
                let growth = h.exp_m1();
                let d1 = if midpoint { 0.5 * growth } else { growth / h - 1.0 };
                let d2 = -to * ((growth - h) / (h * h) - 0.5);
                Factors { x: 1.0, d0: to - sigma, d1: -to * d1, d2, noise: 0.0 }
            }
            Self::SdeDpmSolverPlusPlus => {
                let decay = (-2.0 * h).exp_m1();
                let d1 = if midpoint { -0.5 * decay } else { decay / (2.0 * h) + 1.0 };
                let half = if third_order == ThirdOrder::Exact { 0.5 } else { -0.5 };
                let d2 = (-decay - 2.0 * h) / (4.0 * h * h) + half;
                Factors { x: (to / sigma).powi(2), d0: -decay, d1, d2, noise: to * (-decay).sqrt() }
            }
            Self::SdeDpmSolver => {
                let growth = h.exp_m1();
                let d1 = if midpoint { growth } else { 2.0 * (growth / h - 1.0) };
                let noise = (sigma * sigma - to * to).max(0.0).sqrt();
                Factors { x: 1.0, d0: 2.0 * (to - sigma), d1: -to * d1, d2: 0.0, noise }
            }
        };
        if order < 3 {
            factors.d2 = 0.0;
        }
        if order < 2 {
            factors.d1 = 0.0;
        }
        factors
    }
}
