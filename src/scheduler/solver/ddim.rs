//! [`Ddim`].

use tch::Tensor;

use super::euler::ancestral;
use super::{Denoise, Solver};
use crate::error::Result;
use crate::nn::ops::linear_combination;
use crate::noise::NoiseSource;
use crate::scheduler::clip::Clip;
use crate::scheduler::level::Step;

/// Equation 12 of Song et al. 2020. In sigma space it is Euler's method, ancestral for η > 0.
pub(super) struct Ddim {
    eta: f64,
    clip: Clip,
}

impl Ddim {
    pub(super) fn new(eta: f64, clip: Clip) -> Self {
        Self { eta, clip }
    }
}

impl Solver for Ddim {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        noise: &mut NoiseSource,
    ) -> Result<Tensor> {
        let denoised = denoise.denoise(x, step.from)?;
        let sigma = step.from.sigma;
        let (down, up) = ancestral(sigma, step.to.sigma, self.eta);
        // The direction keeps to the network's own prediction, also where the sample is clipped.
        let clipped = self.clip.apply(&denoised)?;
        let kept = down / sigma;
        let moved = linear_combination(&[(1.0, &clipped), (kept, x), (-kept, &denoised)])?;
        if self.eta == 0.0 {
            return Ok(moved);
        }
        linear_combination(&[(1.0, &moved), (up, &noise.normal_like(x)?)])
    }
}
