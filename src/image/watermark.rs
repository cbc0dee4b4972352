//! The invisible watermark of the reference pipeline: 48 bits, many times over, in the blue difference of a picture.
//!
//! It is the method `dwtDct` of invisible-watermark 0.2.0 with the message of diffusers' `StableDiffusionXLWatermarker`,
//! number for number, so that what reads theirs reads ours. In spite of its name there is no cosine transform in it, and
//! it writes the details of the blue difference back with rows and columns swapped.

use std::array::from_fn;
use std::f32::consts::FRAC_1_SQRT_2 as HALF;

use ndarray::{Array2, Array3, ArrayView2, ArrayViewMut2, ArrayViewMut3, Axis, Ix4, Zip, s};
use tch::{Device, Kind, Tensor};

use super::Image;
use crate::error::{Error, Result};
use crate::host::{Plain, array_from};

/// What it says, from the highest of its bits on.
const MESSAGE: u64 = 0b1011_0011_1110_1100_1001_0000_0111_1011_1011_0001_1001_1110;
const BITS: usize = 48;
/// A bit is in which half of a step of this size a number lies.
const STEP: f32 = 36.;
/// Of each 4 x 4 means, one carries a bit.
const BLOCK: (usize, usize) = (4, 4);
/// The reference marks no picture narrower than this, and none of fewer pixels than its square.
const SMALLEST: usize = 256;

impl Image {
    /// Pictures `(B, 3, height, width)` in [-1, 1] with the invisible watermark of the reference pipeline, for
    /// [`from_tensor`](Self::from_tensor): f32 on the CPU, clamped. This is what
    /// [`watermark`](crate::pipeline::RequestBuilder::watermark) does. Pictures narrower than 256 pixels or of fewer than
    /// 256 x 256 are left as they are: no reader accepts those.
    ///
    /// # Errors
    /// [`Error::Invalid`] where there are not 3 channels.
    pub fn watermark(images: &Tensor) -> Result<Tensor> {
        let (_, channels, height, width) = images.size4()?;
        if channels != 3 {
            return Err(Error::invalid("images", format!("{channels} channels"), "3 channels"));
        }
        if !fits(width as usize, height as usize) {
            return Ok(images.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?);
        }
        let mut pictures = array_from::<f32, Ix4>(images)?;
        // The range and the order of operations are the reference's; what is outside of [0, 255] is not clamped yet.
        pictures.mapv_inplace(|value| 255. * (value / 2. + 0.5));
        for picture in pictures.axis_iter_mut(Axis(0)) {
            mark(picture);
        }
        pictures.mapv_inplace(|value| (2. * (value / 255. - 0.5)).clamp(-1., 1.));
        Plain::of_view(&pictures.view())?.tensor()
    }

    /// How many of the 48 bits of the reference pipeline's watermark are read from the picture: about 24 where there is
    /// none, nearly all where there is one. `None` for pictures that are too small for one.
    pub fn watermark_bits(&self) -> Option<u32> {
        fits(self.width(), self.height()).then(|| {
            let planes = self.pixels.view().permuted_axes([2, 0, 1]);
            let read = read(planes.mapv(f32::from));
            BITS as u32 - (read ^ MESSAGE).count_ones()
        })
    }
}

fn fits(width: usize, height: usize) -> bool {
    width >= SMALLEST && width.saturating_mul(height) >= SMALLEST * SMALLEST
}

/// The bit of a block, counted row by row.
fn bit(block: usize) -> u64 {
    MESSAGE >> (BITS - 1 - block % BITS) & 1
}

/// Marks red, green and blue of 0 to 255, `(3, height, width)`.
fn mark(mut picture: ArrayViewMut3<'_, f32>) {
    on_pixels(picture.view_mut(), to_yuv);
    let mut blue_difference = whole_blocks(&mut picture);
    let mut means = wavelets(blue_difference.view());
    for (index, mut block) in means.exact_chunks_mut(BLOCK).into_iter().enumerate() {
        if let Some(carrier) =
            block.iter_mut().skip(1).reduce(|a, b| if b.mean.abs() > a.mean.abs() { b } else { a })
        {
            let size = carrier.mean.abs();
            let marked = size - size % STEP + STEP * (0.25 + 0.5 * bit(index) as f32);
            carrier.mean = if carrier.mean < 0. { -marked } else { marked };
        }
    }
    for (mut pixels, wavelet) in blue_difference.exact_chunks_mut((2, 2)).into_iter().zip(&means) {
        for (pixel, value) in pixels.iter_mut().zip(wavelet.pixels()) {
            *pixel = value;
        }
    }
    on_pixels(picture, to_rgb);
}

/// The message that red, green and blue of 0 to 255 carry, `(3, height, width)`.
fn read(mut picture: Array3<f32>) -> u64 {
    on_pixels(picture.view_mut(), to_yuv);
    let mut view = picture.view_mut();
    let means = wavelets(whole_blocks(&mut view).view());
    // Of each bit: the blocks that say 1, and all.
    let mut votes = [(0u32, 0u32); BITS];
    for (vote, block) in (0..BITS).cycle().zip(means.exact_chunks(BLOCK)) {
        let sizes = block.iter().skip(1).map(|wavelet| wavelet.mean.abs());
        let largest = sizes.fold(0., f32::max);
        if let Some((ones, all)) = votes.get_mut(vote) {
            *ones += u32::from(largest % STEP > STEP / 2.);
            *all += 1;
        }
    }
    // The reference's threshold: 255 times the mean is above 127.
    votes.iter().fold(0, |message, (ones, all)| message << 1 | u64::from(255 * ones > 127 * all))
}

/// A change of all pixels, whose three numbers are in as many planes.
fn on_pixels(mut picture: ArrayViewMut3<'_, f32>, change: impl Fn([f32; 3]) -> [f32; 3]) {
    let planes = picture.multi_slice_mut((s![0, .., ..], s![1, .., ..], s![2, .., ..]));
    Zip::from(planes.0).and(planes.1).and(planes.2).for_each(|a, b, c| [*a, *b, *c] = change([*a, *b, *c]));
}

/// OpenCV's `COLOR_BGR2YUV` of floats, whose differences are around 0.5 whatever the range. It multiplies and adds without
/// rounding between.
fn to_yuv([red, green, blue]: [f32; 3]) -> [f32; 3] {
    let luma = blue.mul_add(0.114, green.mul_add(0.587, red * 0.299));
    [luma, (blue - luma).mul_add(0.492, 0.5), (red - luma).mul_add(0.877, 0.5)]
}

/// OpenCV's `COLOR_YUV2BGR` of floats.
fn to_rgb([luma, u, v]: [f32; 3]) -> [f32; 3] {
    let (u, v) = (u - 0.5, v - 0.5);
    [v.mul_add(1.14, luma), v.mul_add(-0.581, u.mul_add(-0.395, luma)), u.mul_add(2.032, luma)]
}

/// The blue difference, but for what is left over of sides that are no multiples of 4.
fn whole_blocks<'a>(picture: &'a mut ArrayViewMut3<'_, f32>) -> ArrayViewMut2<'a, f32> {
    let (_, height, width) = picture.dim();
    picture.slice_mut(s![1, ..height / 4 * 4, ..width / 4 * 4])
}

/// Haar's wavelets of 2 x 2 pixels.
struct Wavelet {
    /// Twice the mean of the pixels.
    mean: f32,
    /// Upper less lower pixels, left less right ones, and one diagonal less the other.
    rows: f32,
    columns: f32,
    diagonal: f32,
}

fn wavelets(plane: ArrayView2<'_, f32>) -> Array2<Wavelet> {
    Zip::from(plane.exact_chunks((2, 2))).map_collect(|cell| {
        let mut pixels = cell.iter().map(|pixel| pixel * HALF);
        let [upper_left, upper_right, lower_left, lower_right] =
            from_fn(|_| pixels.next().unwrap_or_default());
        let (low_left, low_right) = ((upper_left + lower_left) * HALF, (upper_right + lower_right) * HALF);
        let (high_left, high_right) = ((upper_left - lower_left) * HALF, (upper_right - lower_right) * HALF);
        Wavelet {
            mean: low_left + low_right,
            rows: high_left + high_right,
            columns: low_left - low_right,
            diagonal: high_left - high_right,
        }
    })
}

impl Wavelet {
    /// The pixels again, row by row: as the reference does it, with `rows` in the place of `columns`.
    fn pixels(&self) -> [f32; 4] {
        let [mean, rows, columns, diagonal] =
            [self.mean, self.rows, self.columns, self.diagonal].map(|value| value * HALF);
        let (low_left, low_right) = ((mean + rows) * HALF, (mean - rows) * HALF);
        let (high_left, high_right) = ((columns + diagonal) * HALF, (columns - diagonal) * HALF);
        [low_left + high_left, low_right + high_right, low_left - high_left, low_right - high_right]
    }
}
