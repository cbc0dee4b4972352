//! [`DpmppSde`].

use std::sync::Arc;

use tch::{Kind, Tensor};

use super::euler::{ancestral, euler};
use super::{Denoise, Solver};
use crate::error::Result;
use crate::nn::ops::linear_combination;
use crate::noise::NoiseSource;
use crate::runtime::Numbers;
use crate::scheduler::brownian::SdeSampler;
use crate::scheduler::level::{Extent, Step, Table};

/// k-diffusion's `sample_dpmpp_sde` with r = ½: an ancestral step half way in ln σ, then the whole ancestral
/// step with the prediction made there.
pub(super) struct DpmppSde {
    pub(super) table: Arc<Table>,
    pub(super) sampler: SdeSampler,
}

impl Solver for DpmppSde {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        noise: &mut NoiseSource,
    ) -> Result<Tensor> {
        let (sigma, to) = (step.from.sigma, step.to.sigma);
        let denoised = denoise.denoise(x, step.from)?;
        if to == 0.0 {
            return euler(x, &denoised, sigma, to);
        }
        let times = logarithms(sigma, to)?;
        let middle = self.table.at_sigma((sigma * to).sqrt());
        let drawn = self.sampler.draw(x, (times.from, times.middle), noise)?;
        let half_way = ancestral_step(x, &denoised, (sigma, middle.sigma), &drawn)?;
        if step.extent == Extent::FirstCall {
            return Ok(half_way);
        }
        let denoised = denoise.denoise(&half_way, middle)?;
        let drawn = self.sampler.draw(x, (times.from, times.to), noise)?;
        ancestral_step(x, &denoised, (sigma, to), &drawn)
    }
}

fn ancestral_step(x: &Tensor, denoised: &Tensor, (sigma, to): (f64, f64), noise: &Tensor) -> Result<Tensor> {
    let (down, up) = ancestral(sigma, to, 1.0);
    let moved = euler(x, denoised, sigma, down)?;
    linear_combination(&[(1.0, &moved), (up, noise)])
}

struct Times {
    from: f64,
    middle: f64,
    to: f64,
}

/// The levels of a step after −ln and back in f32, as k-diffusion hands them to the Brownian path. That
/// resolves a millionth, so their last bit decides which noise is drawn.
fn logarithms(sigma: f64, to: f64) -> Result<Times> {
    let scalar = |value: f64| Tensor::f_from_slice(&[value as f32]);
    let (start, end) = (scalar(sigma)?.f_log()?.f_neg()?, scalar(to)?.f_log()?.f_neg()?);
    let middle = end.f_sub(&start)?.f_mul_number(0.5)?.f_add(&start)?;
    let back = |t: &Tensor| t.f_neg()?.f_exp()?.f_to_kind(Kind::Double)?.f_double_value(&[0]);
    Ok(Times { from: back(&start)?, middle: back(&middle)?, to: back(&end)? })
}
