//! [`Mask`]: which part of a picture is repainted.

use std::path::Path;

use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Axis};
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::Image;
use super::blur::gaussian;
use super::layout::luminance;
use super::resample::{Filter, resample};
use crate::error::{Error, Result};
use crate::runtime::Numbers;

/// Shades of grey over a picture: what is lighter than half is repainted, the rest is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mask {
    /// `(height, width)`.
    #[serde(with = "crate::host::bytes")]
    shades: Array2<u8>,
}

impl Mask {
    /// From shades of shape `(height, width)`, 0 (kept) to 255 (repainted).
    ///
    /// # Errors
    /// [`Error::Invalid`] for a side of 0 or over 16 384 pixels.
    pub fn from_shades(shades: ArrayView2<'_, u8>) -> Result<Self> {
        let (height, width) = shades.dim();
        let sides = 1..=super::MAX_SIDE as usize;
        if !sides.contains(&height) || !sides.contains(&width) {
            let expected = format!("sides of 1 to {} pixels", super::MAX_SIDE);
            return Err(Error::invalid("mask", format!("{width}x{height}"), expected));
        }
        Ok(Self { shades: shades.as_standard_layout().into_owned() })
    }

    /// The luminance of a picture (ITU-R 601-2, in integers as Pillow computes it).
    pub fn from_image(image: &Image) -> Self {
        let shade = |pixel: ndarray::ArrayView1<'_, u8>| {
            let mut channels = pixel.iter().copied();
            luminance([(); 3].map(|()| channels.next().unwrap_or(0)))
        };
        Self { shades: image.pixels().map_axis(ndarray::Axis(2), shade) }
    }

    /// Reads a picture file as a mask.
    ///
    /// # Errors
    /// As [`Image::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self::from_image(&Image::open(path)?))
    }

    /// The shades, `(height, width)`.
    pub fn shades(&self) -> ArrayView2<'_, u8> {
        self.shades.view()
    }

    /// The mask with soft edges: a Gaussian of that standard deviation in pixels, byte for byte as Pillow, and so
    /// diffusers, blurs. The edge that is repainted stays where the blurred mask is half; an overlay on the original
    /// picture fades with it.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless the deviation is above 0 and at most 1000.
    pub fn blurred(&self, deviation: f64) -> Result<Self> {
        if !(deviation > 0. && deviation <= 1000.) {
            return Err(Error::invalid("mask_blur", deviation, "above 0 and at most 1000"));
        }
        self.through(|shades| gaussian(shades, deviation))
    }

    /// The mask at another size in pixels, resized as pictures are.
    pub(crate) fn resized(&self, width: u32, height: u32) -> Result<Self> {
        self.through(|shades| resample(shades, (width as usize, height as usize), Filter::Lanczos))
    }

    /// Whether there is nothing to repaint, not even in a soft edge.
    pub(crate) fn is_black(&self) -> bool {
        self.shades.iter().all(|shade| *shade == 0)
    }

    /// The shades as a picture of one channel, changed.
    pub(super) fn through(&self, change: impl FnOnce(ArrayView3<'_, u8>) -> Array3<u8>) -> Result<Self> {
        let changed = change(self.shades.view().insert_axis(Axis(2)));
        Self::from_shades(changed.index_axis(Axis(2), 0))
    }

    /// 1 where the picture is repainted, 0 elsewhere: `(1, 1, height, width)`, f32, on the CPU.
    pub(crate) fn to_tensor(&self) -> Result<Tensor> {
        let (height, width) = self.shades.dim();
        let values: Vec<u8> = self.shades.iter().copied().collect();
        let shades = Tensor::f_from_slice(&values)?.f_reshape([1, 1, height as i64, width as i64])?;
        // diffusers: shade / 255 ≥ 0.5.
        Ok(shades.f_to_kind(Kind::Float)?.f_div_number(255.)?.f_ge_number(0.5)?.f_to_kind(Kind::Float)?)
    }
}
