//! Parts of pictures: cut out, fitted into a size, put back, and more canvas around a picture.

use std::fmt;

use ndarray::{Array2, Array3, ArrayView3, Axis, s};
use serde::{Deserialize, Serialize};

use super::blur::gaussian;
use super::resample::{Filter, along, resample};
use super::{Image, MAX_SIDE, Mask};
use crate::error::{Error, Result};

/// Pixels of a picture: from `left` to before `right`, from `top` to before `bottom`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rectangle {
    /// The first column.
    pub left: usize,
    /// The first row.
    pub top: usize,
    /// Behind the last column.
    pub right: usize,
    /// Behind the last row.
    pub bottom: usize,
}

impl Rectangle {
    pub(crate) fn width(&self) -> usize {
        self.right.saturating_sub(self.left)
    }

    pub(crate) fn height(&self) -> usize {
        self.bottom.saturating_sub(self.top)
    }
}

/// Pixels of canvas to add on each side of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Margins {
    /// On the left.
    pub left: u32,
    /// Above.
    pub top: u32,
    /// On the right.
    pub right: u32,
    /// Below.
    pub bottom: u32,
}

impl fmt::Display for Margins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{},{}", self.left, self.top, self.right, self.bottom)
    }
}

impl Mask {
    /// What of the picture is looked at where only the surroundings of the mask are redrawn: all that is not black,
    /// `padding` pixels around it, and as much more as gives it the shape of `width` x `height`, within the picture.
    /// As diffusers' `get_crop_region`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a mask that is all black, and for a size without pixels or over 16 384 pixels.
    pub fn crop_region(&self, (width, height): (u32, u32), padding: u32) -> Result<Rectangle> {
        if self.is_black() {
            return Err(Error::invalid("mask", "all black", "some light, where the crop is around it"));
        }
        if [width, height].iter().any(|side| !(1..=MAX_SIDE).contains(side)) {
            let expected = format!("sides of 1 to {MAX_SIDE} pixels");
            return Err(Error::invalid("size", format!("{width}x{height}"), expected));
        }
        let shades = self.shades();
        let (rows, columns) = shades.dim();
        let sides = |axis: usize| {
            let is_light = |line: &ndarray::ArrayView1<'_, u8>| line.iter().any(|shade| *shade > 0);
            let lines = || shades.axis_iter(Axis(axis));
            let first = lines().position(|line| is_light(&line)).unwrap_or(0) as i64;
            let after = lines().rev().position(|line| is_light(&line)).unwrap_or(0) as i64;
            let length = shades.len_of(Axis(axis)) as i64;
            ((first - i64::from(padding)).max(0), (length - after + i64::from(padding)).min(length))
        };
        let (mut y, mut x) = (sides(0), sides(1));
        let wanted = f64::from(width) / f64::from(height);
        if (x.1 - x.0) as f64 / (y.1 - y.0) as f64 > wanted {
            y = widened(y, (x.1 - x.0) as f64 / wanted, rows as i64);
        } else {
            x = widened(x, (y.1 - y.0) as f64 * wanted, columns as i64);
        }
        let [left, top, right, bottom] = [x.0, y.0, x.1, y.1].map(|side| side.max(0) as usize);
        Ok(Rectangle { left, top, right, bottom })
    }
}

/// A part of a side, made longer on both ends, moved back into the side and cut where it is longer than that.
fn widened((from, to): (i64, i64), wanted: f64, side: i64) -> (i64, i64) {
    let more = (wanted - (to - from) as f64) as i64;
    let (mut from, mut to) = (from - more / 2, to + more - more / 2);
    let over = (to - side).max(0);
    (from, to) = (from - over, to - over);
    let under = (-from).max(0);
    (from + under, (to + under).min(side))
}

impl Image {
    /// A part of the picture, which must be within it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a rectangle that is empty or not within the picture.
    pub fn cropped(&self, part: Rectangle) -> Result<Self> {
        check(part, (self.width(), self.height()))?;
        Self::from_pixels(self.pixels.slice(s![part.top..part.bottom, part.left..part.right, ..]))
    }

    /// The part, fitted into a size as diffusers' `resize_mode="fill"`: whole, in the middle, and what is left at
    /// the sides filled with its outermost pixels.
    pub(crate) fn filling(&self, part: Rectangle, size: (usize, usize)) -> Result<Self> {
        Self::from_pixels(filled(self.cropped(part)?.pixels.view(), size).view())
    }

    /// The picture with another over a part of it, as far as the mask says: fitted into the part as diffusers'
    /// `resize_mode="crop"`, then at 0 nothing of it, at 255 nothing of the picture.
    pub(crate) fn overlaid(&self, drawn: &Self, part: Rectangle, mask: &Mask) -> Result<Self> {
        let drawn = covered(drawn.pixels.view(), (part.width(), part.height()));
        let mut pixels = self.pixels.clone();
        let mut place = pixels.slice_mut(s![part.top..part.bottom, part.left..part.right, ..]);
        let shades = mask.shades();
        let shades = shades.slice(s![part.top..part.bottom, part.left..part.right]);
        for ((row, column, channel), pixel) in place.indexed_iter_mut() {
            let shade = shades.get((row, column)).copied().unwrap_or(0);
            let new = drawn.get((row, column, channel)).copied().unwrap_or(*pixel);
            let sum = u32::from(new) * u32::from(shade) + u32::from(*pixel) * u32::from(255 - shade);
            *pixel = ((sum + 127) / 255) as u8;
        }
        Self::from_pixels(pixels.view())
    }

    /// The picture on a larger canvas, and the mask of what is new: to be painted by inpainting. The new area has the
    /// colours of the nearest edge, softened, which gives a run below full strength something to begin with.
    ///
    /// # Errors
    /// [`Error::Invalid`] without any margin, and where a side becomes longer than 16 384 pixels.
    pub fn outpainted(&self, margins: Margins) -> Result<(Self, Mask)> {
        let (width, height) = (self.width(), self.height());
        let [left, top, right, bottom] =
            [margins.left, margins.top, margins.right, margins.bottom].map(|margin| margin as usize);
        let (new_width, new_height) = (left + width + right, top + height + bottom);
        let fits = new_width.max(new_height) <= MAX_SIDE as usize;
        if !fits || margins == Margins::default() {
            let expected = format!("some pixels, for sides of up to {MAX_SIDE}");
            return Err(Error::invalid("outpaint", margins, expected));
        }
        let nearest = |row: usize, column: usize, channel: usize| {
            let (row, column) = (row.saturating_sub(top), column.saturating_sub(left));
            let place = (row.min(height - 1), column.min(width - 1), channel);
            self.pixels.get(place).copied().unwrap_or(0)
        };
        let canvas =
            Array3::from_shape_fn((new_height, new_width, 3), |place| nearest(place.0, place.1, place.2));
        let widest = [left, top, right, bottom].into_iter().max().unwrap_or(0);
        let mut canvas = gaussian(canvas.view(), (widest as f64 / 4.).clamp(1., 64.));
        canvas.slice_mut(s![top..top + height, left..left + width, ..]).assign(&self.pixels);
        let mut mask = Array2::from_elem((new_height, new_width), 255u8);
        mask.slice_mut(s![top..top + height, left..left + width]).fill(0);
        Ok((Self::from_pixels(canvas.view())?, Mask::from_shades(mask.view())?))
    }
}

impl Mask {
    /// As [`Image::filling`].
    pub(crate) fn filling(&self, part: Rectangle, size: (usize, usize)) -> Result<Self> {
        let (rows, columns) = self.shades().dim();
        check(part, (columns, rows))?;
        self.through(|shades| {
            filled(shades.slice(s![part.top..part.bottom, part.left..part.right, ..]), size)
        })
    }
}

fn check(part: Rectangle, (width, height): (usize, usize)) -> Result<()> {
    let within =
        part.left < part.right && part.right <= width && part.top < part.bottom && part.bottom <= height;
    if within {
        return Ok(());
    }
    let Rectangle { left, top, right, bottom } = part;
    let expected = format!("some pixels of a picture of {width}x{height}");
    Err(Error::invalid("rectangle", format!("{left},{top} to {right},{bottom}"), expected))
}

/// The largest size of the same shape that fits into another.
fn fitting((width, height): (usize, usize), (source_width, source_height): (usize, usize)) -> (usize, usize) {
    let is_wider = width * source_height < source_width * height;
    if is_wider {
        (width, (source_height * width / source_width).max(1))
    } else {
        ((source_width * height / source_height).max(1), height)
    }
}

fn filled(pixels: ArrayView3<'_, u8>, (width, height): (usize, usize)) -> Array3<u8> {
    let (rows, columns, channels) = pixels.dim();
    let (inner_width, inner_height) = fitting((width, height), (columns, rows));
    let inner = resample(pixels, (inner_width, inner_height), Filter::Lanczos);
    let (left, top) = (width / 2 - inner_width / 2, height / 2 - inner_height / 2);
    let mut output = Array3::zeros((height, width, channels));
    output.slice_mut(s![top..top + inner_height, left..left + inner_width, ..]).assign(&inner);
    // diffusers resizes a part without any width: the outermost two pixels by the cubic's weights beyond the edge.
    let mut fill = |axis: Axis, before: usize, length: usize, side: usize| {
        let beyond = |at: usize, count: usize| {
            along(inner.view(), axis, (at as f64, at as f64), count, Filter::Bicubic)
        };
        let mut place = |from: usize, count: usize, at: usize| {
            if count > 0 {
                output.slice_axis_mut(axis, (from..from + count).into()).assign(&beyond(at, count));
            }
        };
        place(0, before, 0);
        place(before + length, side - before - length, length);
    };
    if inner_width < width {
        fill(Axis(1), left, inner_width, width);
    } else if inner_height < height {
        fill(Axis(0), top, inner_height, height);
    }
    output
}

/// Resized so that it covers the size, and cut to it.
fn covered(pixels: ArrayView3<'_, u8>, (width, height): (usize, usize)) -> Array3<u8> {
    let (rows, columns, _) = pixels.dim();
    let is_wider = width * rows > columns * height;
    let (whole_width, whole_height) = if is_wider {
        (width, (rows * width / columns).max(height))
    } else {
        ((columns * height / rows).max(width), height)
    };
    let whole = resample(pixels, (whole_width, whole_height), Filter::Lanczos);
    let (left, top) = (whole_width / 2 - width / 2, whole_height / 2 - height / 2);
    whole.slice(s![top..top + height, left..left + width, ..]).to_owned()
}
