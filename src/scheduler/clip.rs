//! [`Clip`]: keeping the denoised sample within bounds.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::level::{Level, Step};
use super::solver::{Denoise, Solver};
use crate::error::{Error, Result};
use crate::noise::NoiseSource;
use crate::runtime::Numbers;

/// What is done to the denoised sample before a solver uses it. Latents need none, the default.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub enum Clip {
    /// Nothing.
    #[default]
    Off,
    /// `clip_sample`: to between −range and range.
    Range(f64),
    /// `thresholding`: to between −s and s and then divided by s, where s is the quantile `ratio` of the
    /// absolute values of each picture, at least 1 and at most `max` (Imagen; not meant for latents).
    Dynamic {
        /// diffusers' `dynamic_thresholding_ratio`, by default 0.995.
        ratio: f64,
        /// diffusers' `sample_max_value`, by default 1.
        max: f64,
    },
}

impl Clip {
    pub(crate) fn apply(self, denoised: &Tensor) -> Result<Tensor> {
        match self {
            Self::Off => Ok(denoised.shallow_clone()),
            Self::Range(range) => Ok(denoised.f_clamp_numbers(-range, range)?),
            Self::Dynamic { ratio, max } => {
                let flat = denoised.f_flatten(1, -1)?;
                let scale =
                    flat.f_abs()?.f_quantile_scalar(ratio, 1, true, "linear")?.f_clamp_numbers(1.0, max)?;
                let clipped = flat.f_clamp_tensor(Some(&scale.f_neg()?), Some(&scale))?.f_div(&scale)?;
                Ok(clipped.f_reshape(denoised.size())?)
            }
        }
    }

    pub(crate) fn check(self) -> Result<()> {
        match self {
            Self::Range(range) if range.is_nan() || range <= 0.0 => {
                Err(Error::invalid("clip range", range, "a positive number"))
            }
            Self::Dynamic { ratio, .. } if !(0.0..=1.0).contains(&ratio) => {
                Err(Error::invalid("clip ratio", ratio, "a number from 0 to 1"))
            }
            Self::Dynamic { max, .. } if max.is_nan() || max <= 0.0 => {
                Err(Error::invalid("clip max", max, "a positive number"))
            }
            _ => Ok(()),
        }
    }
}

/// A solver that sees clipped denoised samples only.
pub(crate) struct Clipped {
    pub(crate) clip: Clip,
    pub(crate) solver: Box<dyn Solver>,
}

impl Solver for Clipped {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        noise: &mut NoiseSource,
    ) -> Result<Tensor> {
        let clip = self.clip;
        let mut clipped = |x: &Tensor, level: Level| clip.apply(&denoise.denoise(x, level)?);
        self.solver.step(x, step, &mut clipped, noise)
    }
}
