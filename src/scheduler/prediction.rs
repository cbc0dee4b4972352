//! [`Prediction`]: what the network's output means.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::error::{Error, Result};
use crate::nn::ops::linear_combination;
use crate::runtime::Numbers;

/// What the network predicts. The default is [`Prediction::Epsilon`], which Stable Diffusion XL predicts.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub enum Prediction {
    /// The noise.
    #[default]
    Epsilon,
    /// The velocity `α·noise − s·data` (Salimans and Ho 2022), with α² + s² = 1 and σ = s/α.
    V,
    /// The data.
    Sample,
    /// EDM's preconditioned output (Karras et al. 2022, table 1). Playground v2.5: `sigma_data` 0.5.
    Edm {
        /// The standard deviation of the data.
        sigma_data: f64,
    },
    /// The same with the opposite sign, a velocity. CosXL: `sigma_data` 1, which is [`Prediction::V`].
    EdmVelocity {
        /// The standard deviation of the data.
        sigma_data: f64,
    },
}

/// `input = c_in·x` goes into the network, `c_skip·x + c_out·output` is the denoised sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coefficients {
    /// The factor of `x` in the denoised sample.
    pub c_skip: f64,
    /// The factor of the network's output in the denoised sample.
    pub c_out: f64,
    /// The factor that brings `x` to unit variance for the network.
    pub c_in: f64,
}

impl Prediction {
    /// The three factors at a noise level.
    pub fn coefficients(self, sigma: f64) -> Coefficients {
        let total = (sigma * sigma + 1.0).sqrt();
        match self {
            Self::Epsilon => Coefficients { c_skip: 1.0, c_out: -sigma, c_in: 1.0 / total },
            Self::V => Coefficients { c_skip: total.powi(-2), c_out: -sigma / total, c_in: 1.0 / total },
            Self::Sample => Coefficients { c_skip: 0.0, c_out: 1.0, c_in: 1.0 / total },
            Self::Edm { sigma_data } => edm(sigma, sigma_data, 1.0),
            Self::EdmVelocity { sigma_data } => edm(sigma, sigma_data, -1.0),
        }
    }

    /// What goes into the network for `x` at the level `sigma`.
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn input(self, x: &Tensor, sigma: f64) -> Result<Tensor> {
        Ok(x.f_mul_number(self.coefficients(sigma).c_in)?)
    }

    /// The denoised sample that the network's `output` means for `x` at the level `sigma`.
    ///
    /// # Errors
    /// [`Error::Torch`] where the shapes differ.
    pub fn denoised(self, output: &Tensor, x: &Tensor, sigma: f64) -> Result<Tensor> {
        match self {
            Self::Sample => Ok(output.shallow_clone()),
            _ => {
                let Coefficients { c_skip, c_out, .. } = self.coefficients(sigma);
                linear_combination(&[(c_skip, x), (c_out, output)])
            }
        }
    }

    pub(crate) fn check(self) -> Result<()> {
        match self {
            Self::Edm { sigma_data } | Self::EdmVelocity { sigma_data }
                if !(sigma_data.is_finite() && sigma_data > 0.0) =>
            {
                Err(Error::invalid("sigma_data", sigma_data, "a positive number"))
            }
            _ => Ok(()),
        }
    }
}

fn edm(sigma: f64, sigma_data: f64, sign: f64) -> Coefficients {
    let variance = sigma * sigma + sigma_data * sigma_data;
    Coefficients {
        c_skip: sigma_data * sigma_data / variance,
        c_out: sign * sigma * sigma_data / variance.sqrt(),
        c_in: 1.0 / variance.sqrt(),
    }
}
