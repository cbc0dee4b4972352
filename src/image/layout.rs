//! [`PixelLayout`]: pixels in the memory of other programs, in and out.

use half::f16;
use ndarray::Array3;

use super::{Image, MAX_SIDE};
use crate::error::{Error, Result};

/// How a pixel is stored. All are sRGB-encoded, floats from 0 to 1; alpha is written as opaque and not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PixelFormat {
    /// Red, green, blue, of 8 bits. The default.
    #[default]
    Rgb8,
    /// Red, green, blue, alpha, of 8 bits.
    Rgba8,
    /// Blue, green, red, alpha, of 8 bits.
    Bgra8,
    /// Luminance (ITU-R 601-2) of 8 bits: masks.
    Gray8,
    /// Red, green, blue, alpha, of 16-bit floats.
    Rgba16F,
    /// Red, green, blue, alpha, of 32-bit floats.
    Rgba32F,
}

impl PixelFormat {
    /// Bytes of one pixel.
    pub fn bytes(self) -> usize {
        match self {
            Self::Gray8 => 1,
            Self::Rgb8 => 3,
            Self::Rgba8 | Self::Bgra8 => 4,
            Self::Rgba16F => 8,
            Self::Rgba32F => 16,
        }
    }

    fn write(self, rgb: [u8; 3], pixel: &mut [u8]) {
        let [red, green, blue] = rgb;
        let floats = rgb.into_iter().map(|value| f32::from(value) / 255.).chain([1.]);
        match self {
            Self::Rgb8 => pixel.copy_from_slice(&rgb),
            Self::Rgba8 => pixel.copy_from_slice(&[red, green, blue, u8::MAX]),
            Self::Bgra8 => pixel.copy_from_slice(&[blue, green, red, u8::MAX]),
            Self::Gray8 => pixel.copy_from_slice(&[luminance(rgb)]),
            Self::Rgba16F => {
                for (channel, value) in pixel.chunks_exact_mut(2).zip(floats) {
                    channel.copy_from_slice(&f16::from_f32(value).to_ne_bytes());
                }
            }
            Self::Rgba32F => {
                for (channel, value) in pixel.chunks_exact_mut(4).zip(floats) {
                    channel.copy_from_slice(&value.to_ne_bytes());
                }
            }
        }
    }

    fn read(self, pixel: &[u8]) -> [u8; 3] {
        // What is not finite is black or white.
        let rounded = |value: f32| (value.clamp(0., 1.) * 255.).round_ties_even() as u8;
        let mut rgb = [0; 3];
        match (self, pixel) {
            (Self::Gray8, &[grey]) => rgb = [grey; 3],
            (Self::Rgb8, &[red, green, blue]) | (Self::Rgba8, &[red, green, blue, _]) => {
                rgb = [red, green, blue];
            }
            (Self::Bgra8, &[blue, green, red, _]) => rgb = [red, green, blue],
            (Self::Rgba16F, _) => {
                for (value, &[low, high]) in rgb.iter_mut().zip(pixel.as_chunks::<2>().0) {
                    *value = rounded(f16::from_ne_bytes([low, high]).to_f32());
                }
            }
            _ => {
                for (value, &bytes) in rgb.iter_mut().zip(pixel.as_chunks::<4>().0) {
                    *value = rounded(f32::from_ne_bytes(bytes));
                }
            }
        }
        rgb
    }
}

/// Luminance (ITU-R 601-2, in integers as Pillow computes it).
pub(super) fn luminance(rgb: [u8; 3]) -> u8 {
    let weights = [19595u32, 38470, 7471];
    let sum: u32 = rgb.into_iter().zip(weights).map(|(value, weight)| u32::from(value) * weight).sum();
    ((sum + 0x8000) >> 16) as u8
}

/// In which order the rows of a picture lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RowOrder {
    /// From top to bottom, as in image files. The default.
    #[default]
    TopDown,
    /// From bottom to top, as in OpenGL's and Unity's textures.
    BottomUp,
}

/// How a picture lies in memory. The default is [`PixelFormat::Rgb8`] from top to bottom without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PixelLayout {
    /// How a pixel is stored.
    pub format: PixelFormat,
    /// In which order the rows lie.
    pub row_order: RowOrder,
    /// Bytes from the start of a row to the start of the next; 0 means that there are no gaps.
    pub stride: usize,
}

impl PixelLayout {
    /// Bytes from row to row, and of a whole picture; the last row needs no gap behind it.
    fn sizes(self, width: usize, height: usize) -> Result<(usize, usize)> {
        let row = width * self.format.bytes();
        let stride = if self.stride == 0 { row } else { self.stride };
        let size = height.checked_sub(1).and_then(|above| above.checked_mul(stride)?.checked_add(row));
        match size {
            Some(size) if stride >= row => Ok((stride, size)),
            _ => Err(Error::invalid("stride", stride, format!("0 or at least {row} bytes, those of a row"))),
        }
    }

    /// How many bytes a picture of that size takes.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a side of 0 or over 16 384 pixels, and for a stride shorter than a row.
    pub fn size(self, width: usize, height: usize) -> Result<usize> {
        check_sides(width, height)?;
        Ok(self.sizes(width, height)?.1)
    }
}

impl Image {
    /// A picture from pixels in any layout.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a side of 0 or over 16 384 pixels, a stride shorter than a row, and where there are
    /// fewer bytes than the layout needs.
    pub fn from_bytes(width: usize, height: usize, layout: PixelLayout, bytes: &[u8]) -> Result<Self> {
        check_sides(width, height)?;
        let (stride, size) = layout.sizes(width, height)?;
        check_length(bytes.len(), size)?;
        let mut pixels = Vec::with_capacity(width * height * 3);
        for row in 0..height {
            let row = if layout.row_order == RowOrder::TopDown { row } else { height - 1 - row };
            let row = bytes.get(row * stride..).unwrap_or_default().chunks_exact(layout.format.bytes());
            pixels.extend(row.take(width).flat_map(|pixel| layout.format.read(pixel)));
        }
        let shape = (height, width, 3);
        let pixels = Array3::from_shape_vec(shape, pixels)
            .map_err(|error| Error::invalid("pixels", "a strange size", error.to_string()))?;
        Ok(Self { pixels, texts: Vec::new() })
    }

    /// Writes the pixels into memory of any layout; the gaps between rows are left alone.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a stride shorter than a row, and where there are fewer bytes than
    /// [`PixelLayout::size`] says.
    pub fn write_bytes(&self, layout: PixelLayout, bytes: &mut [u8]) -> Result<()> {
        let (width, height) = (self.width(), self.height());
        let (stride, size) = layout.sizes(width, height)?;
        check_length(bytes.len(), size)?;
        let standard = self.pixels.as_standard_layout();
        let rows = standard.as_slice().unwrap_or_default().chunks_exact(width * 3);
        for (row, pixels) in rows.enumerate() {
            let row = if layout.row_order == RowOrder::TopDown { row } else { height - 1 - row };
            let target = bytes.get_mut(row * stride..).unwrap_or_default();
            let target = target.chunks_exact_mut(layout.format.bytes());
            for (pixel, rgb) in target.zip(pixels.as_chunks::<3>().0) {
                layout.format.write(*rgb, pixel);
            }
        }
        Ok(())
    }
}

fn check_sides(width: usize, height: usize) -> Result<()> {
    let sides = 1..=MAX_SIDE as usize;
    if sides.contains(&width) && sides.contains(&height) {
        return Ok(());
    }
    let expected = format!("sides of 1 to {MAX_SIDE} pixels");
    Err(Error::invalid("size", format!("{width}x{height}"), expected))
}

fn check_length(found: usize, needed: usize) -> Result<()> {
    match found >= needed {
        true => Ok(()),
        false => Err(Error::invalid("pixels", format!("{found} bytes"), format!("at least {needed} bytes"))),
    }
}
