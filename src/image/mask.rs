//! [`Mask`]: which part of a picture is repainted.

use std::path::Path;

use ::image::imageops::{FilterType, blur, resize};
use ::image::{GrayImage, ImageBuffer};
use ndarray::{Array2, ArrayView2};
use tch::{Kind, Tensor};

use super::Image;
use crate::error::{Error, Result};

/// Shades of grey over a picture: what is lighter than half is repainted, the rest is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// `(height, width)`.
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
        let luminance = |pixel: ndarray::ArrayView1<'_, u8>| {
            let weights = [19595u32, 38470, 7471];
            let sum: u32 = pixel.iter().zip(weights).map(|(&value, weight)| u32::from(value) * weight).sum();
            ((sum + 0x8000) >> 16) as u8
        };
        Self { shades: image.pixels().map_axis(ndarray::Axis(2), luminance) }
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

    /// The mask with soft edges: a Gaussian of that standard deviation in pixels. The edge that is repainted
    /// stays where the blurred mask is half.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless the deviation is above 0 and at most 1000.
    pub fn blurred(&self, deviation: f64) -> Result<Self> {
        if !(deviation > 0. && deviation <= 1000.) {
            return Err(Error::invalid("mask_blur", deviation, "above 0 and at most 1000"));
        }
        Self::from_buffer(&blur(&self.to_buffer()?, deviation as f32))
    }

    /// The mask at another size in pixels.
    pub(crate) fn resized(&self, width: u32, height: u32) -> Result<Self> {
        if self.shades.dim() == (height as usize, width as usize) {
            return Ok(self.clone());
        }
        Self::from_buffer(&resize(&self.to_buffer()?, width, height, FilterType::Lanczos3))
    }

    /// 1 where the picture is repainted, 0 elsewhere: `(1, 1, height, width)`, f32, on the CPU.
    pub(crate) fn to_tensor(&self) -> Result<Tensor> {
        let (height, width) = self.shades.dim();
        let values: Vec<u8> = self.shades.iter().copied().collect();
        let shades = Tensor::f_from_slice(&values)?.f_reshape([1, 1, height as i64, width as i64])?;
        // diffusers: shade / 255 ≥ 0.5.
        Ok(shades.f_to_kind(Kind::Float)?.f_div_scalar(255.)?.f_ge(0.5)?.f_to_kind(Kind::Float)?)
    }

    fn to_buffer(&self) -> Result<GrayImage> {
        let (height, width) = self.shades.dim();
        ImageBuffer::from_raw(width as u32, height as u32, self.shades.iter().copied().collect()).ok_or_else(
            || Error::invalid("mask", format!("{width}x{height}"), "a mask that fits into memory"),
        )
    }

    fn from_buffer(buffer: &GrayImage) -> Result<Self> {
        let shape = (buffer.height() as usize, buffer.width() as usize);
        let shades = ArrayView2::from_shape(shape, buffer.as_raw())
            .map_err(|error| Error::invalid("mask", format!("{shape:?}"), error.to_string()))?;
        Self::from_shades(shades)
    }
}
