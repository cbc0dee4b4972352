//! How many predictions a multistep solver combines, when fewer, and which.

use serde::{Deserialize, Serialize};

use super::level::Step;

/// The order of a solver: how fast the error falls with the number of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Order {
    /// The first.
    First,
    /// The second, the default.
    #[default]
    Second,
    /// The third.
    Third,
}

impl Order {
    pub(crate) fn number(self) -> usize {
        match self {
            Self::First => 1,
            Self::Second => 2,
            Self::Third => 3,
        }
    }
}

/// What the order of the last steps is; diffusers' `lower_order_final` and `euler_at_final`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum FinalSteps {
    /// `lower_order_final`: in runs of fewer than 15 steps, the last but one is at most second order and
    /// the last one first order. The default.
    #[default]
    LowerOrder,
    /// `euler_at_final`: the last one is first order.
    Euler,
    /// Both of these.
    LowerOrderAndEuler,
    /// Neither.
    FullOrder,
}

impl FinalSteps {
    /// The highest order that a step may have.
    pub(crate) fn most(self, step: &Step, total: usize) -> usize {
        let lower = matches!(self, Self::LowerOrder | Self::LowerOrderAndEuler) && total < 15;
        let euler = matches!(self, Self::Euler | Self::LowerOrderAndEuler);
        let left = total.saturating_sub(step.index);
        match left {
            // A step to zero has no other order, and one of no length no divided differences.
            _ if step.to.sigma == 0.0 || step.to.sigma == step.from.sigma => 1,
            1 if lower || euler => 1,
            2 if lower => 2,
            _ => usize::MAX,
        }
    }
}

/// What happens in the last steps to the order of UniPC and SA-Solver; diffusers' `lower_order_final`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Ending {
    /// It is at most as high as there are steps left. The default.
    #[default]
    LowerOrder,
    /// It stays.
    FullOrder,
}

/// What the polynomials of UniPC and SA-Solver interpolate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum PolynomialOf {
    /// The denoised sample: `predict_x0`, `data_prediction`. The default.
    #[default]
    Data,
    /// The predicted noise.
    Noise,
}
