//! [`Curve`]: how noise levels are spread between the first and the last.

use serde::{Deserialize, Serialize};

use super::beta::inverse_beta;
use super::spacing::linspace;
use crate::error::{Error, Result};

/// How the noise levels are spread between the ends that [`Spacing`](super::Spacing) or the training give.
///
/// The k-diffusion family takes the first and the last level of the spacing for ends, the other solvers
/// the highest and the lowest level of the training, as in diffusers.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub enum Curve {
    /// The levels of the timesteps of the spacing themselves.
    #[default]
    Spacing,
    /// Evenly in σ^(1/ρ) (Karras et al. 2022, equation 5).
    Karras {
        /// ρ, 7 in the paper. Larger is denser at low noise.
        rho: f64,
    },
    /// Evenly in ln σ. diffusers' `use_lu_lambdas` is the same with [`Rounding::Nearest`](super::Rounding).
    Exponential,
    /// Quantiles of a beta distribution (Lee et al. 2024): denser at both ends.
    Beta {
        /// The first shape, 0.6 in the paper.
        alpha: f64,
        /// The second shape, 0.6 in the paper.
        beta: f64,
    },
}

impl Curve {
    /// Karras' levels with ρ = 7.
    pub const KARRAS: Self = Self::Karras { rho: 7.0 };
    /// Beta levels with 0.6 and 0.6.
    pub const BETA: Self = Self::Beta { alpha: 0.6, beta: 0.6 };

    /// `count` levels from `max` down to `min`; none for [`Curve::Spacing`].
    pub(crate) fn sigmas(self, min: f64, max: f64, count: usize) -> Vec<f64> {
        match self {
            Self::Spacing => Vec::new(),
            Self::Karras { rho } => {
                let (low, high) = (min.powf(1.0 / rho), max.powf(1.0 / rho));
                linspace(0.0, 1.0, count).into_iter().map(|u| (high + u * (low - high)).powf(rho)).collect()
            }
            Self::Exponential => linspace(max.ln(), min.ln(), count).into_iter().map(f64::exp).collect(),
            Self::Beta { alpha, beta } => {
                let quantile = |u: f64| inverse_beta(1.0 - u, alpha, beta);
                linspace(0.0, 1.0, count).into_iter().map(|u| min + quantile(u) * (max - min)).collect()
            }
        }
    }

    pub(crate) fn check(self) -> Result<()> {
        let positive = |field: &'static str, value: f64| match value.is_finite() && value > 0.0 {
            true => Ok(()),
            false => Err(Error::invalid(field, value, "a positive number")),
        };
        match self {
            Self::Spacing | Self::Exponential => Ok(()),
            Self::Karras { rho } => positive("rho", rho),
            Self::Beta { alpha, beta } => positive("alpha", alpha).and_then(|()| positive("beta", beta)),
        }
    }
}
