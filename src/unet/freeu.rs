//! [`FreeU`]: the way up with more of its own and less of the skip connections (arXiv 2309.11497).

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::error::{Error, Result};
use crate::nn::ops::linear_combination;
use crate::runtime::Numbers;

/// FreeU: in the first two levels of the way up, half of the channels are amplified, and the lowest frequencies
/// of the skip connections are damped. No training, no cost.
///
/// The default is what its authors advise for SDXL. 1 changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FreeU {
    /// Factor of the skip connections' lowest frequencies in the first level. Default 0.9.
    pub s1: f64,
    /// The same in the second level. Default 0.2.
    pub s2: f64,
    /// Factor of the first half of the channels in the first level. Default 1.3.
    pub b1: f64,
    /// The same in the second level. Default 1.4.
    pub b2: f64,
}

impl Default for FreeU {
    fn default() -> Self {
        Self { s1: 0.9, s2: 0.2, b1: 1.3, b2: 1.4 }
    }
}

impl FreeU {
    /// # Errors
    /// [`Error::Invalid`] for a factor that is not above 0 and at most 100.
    pub(crate) fn check(&self) -> Result<()> {
        let factors =
            [("freeu.s1", self.s1), ("freeu.s2", self.s2), ("freeu.b1", self.b1), ("freeu.b2", self.b2)];
        match factors.into_iter().find(|(_, factor)| !(*factor > 0. && *factor <= 100.)) {
            Some((field, factor)) => Err(Error::invalid(field, factor, "above 0 and at most 100")),
            None => Ok(()),
        }
    }

    /// The factors of a level of the way up: of the skip connections, of the channels.
    fn level(&self, index: usize) -> Option<(f64, f64)> {
        match index {
            0 => Some((self.s1, self.b1)),
            1 => Some((self.s2, self.b2)),
            _ => None,
        }
    }
}

/// The skip connections of one evaluation, the last one on top.
pub(super) struct Skips {
    tensors: Vec<Tensor>,
    freeu: Option<FreeU>,
    level: usize,
}

impl Skips {
    pub(super) fn new(freeu: Option<FreeU>) -> Self {
        Self { tensors: Vec::new(), freeu, level: 0 }
    }

    pub(super) fn push(&mut self, x: &Tensor) {
        self.tensors.push(x.shallow_clone());
    }

    /// `x` with the skip connection on top behind its channels.
    pub(super) fn join(&mut self, x: &Tensor) -> Result<Tensor> {
        let skip = self.tensors.pop().ok_or_else(no_skip)?;
        match self.freeu.and_then(|freeu| freeu.level(self.level)) {
            Some((s, b)) => Ok(Tensor::f_cat(&[amplified(x, b)?, filtered(&skip, s)?], 1)?),
            None => Ok(Tensor::f_cat(&[x, &skip], 1)?),
        }
    }

    /// Height and width of the skip connection on top.
    pub(super) fn size(&self) -> Result<[i64; 2]> {
        let (_, _, height, width) = self.tensors.last().ok_or_else(no_skip)?.size4()?;
        Ok([height, width])
    }

    /// The level above comes next.
    pub(super) fn next_level(&mut self) {
        self.level += 1;
    }
}

/// Cannot happen with the blocks of one configuration: the way up has one block more than the way down.
fn no_skip() -> Error {
    Error::invalid("up_blocks", "more residual blocks than skip connections", "one for each skip connection")
}

/// The first half of the channels, times a factor.
fn amplified(x: &Tensor, factor: f64) -> Result<Tensor> {
    let channels = x.size4()?.1;
    let half = channels / 2;
    let first = x.f_narrow(1, 0, half)?.f_mul_number(factor)?;
    Ok(Tensor::f_cat(&[first, x.f_narrow(1, half, channels - half)?], 1)?)
}

/// The frequencies 0 and −1 along each side, times a factor: the four in the middle where 0 is put there.
fn filtered(x: &Tensor, factor: f64) -> Result<Tensor> {
    let (_, _, height, width) = x.size4()?;
    // 1 at the lowest frequencies of a side.
    let lowest = |length: i64| -> Result<Tensor> {
        let values: Vec<f32> =
            (0..length).map(|index| if index == 0 || index == length - 1 { 1. } else { 0. }).collect();
        Ok(Tensor::f_from_slice(&values)?.f_to_device(x.device())?)
    };
    let lowest = lowest(height)?.f_outer(&lowest(width)?)?;
    let dims = [-2, -1].as_slice();
    // Always in f32: the transform has no 16-bit form for every size.
    let whole = x.f_to_kind(Kind::Float)?;
    let spectrum = whole.f_fft_fft2(None::<&[i64]>, dims, "backward")?.f_mul(&lowest)?;
    // Only what changes goes through the transform, so that the rest is not rounded there and back.
    let low = spectrum.f_fft_ifft2(None::<&[i64]>, dims, "backward")?.f_real()?;
    Ok(linear_combination(&[(1., &whole), (factor - 1., &low)])?.f_to_kind(x.f_kind()?)?)
}
