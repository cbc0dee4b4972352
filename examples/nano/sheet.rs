//! [`sheet`]: pictures side by side.

use ndarray::{Array3, s};
use sdxl::{Image, Result};

/// Pixels between pictures and around them, and how light they are.
const GAP: usize = 4;
const LIGHTNESS: u8 = 64;

/// The pictures in rows, each in the middle of a cell that the largest of them fit.
///
/// # Errors
/// [`Error::Invalid`](sdxl::Error::Invalid) for more than fits into a picture.
pub fn sheet(images: &[Image], columns: usize) -> Result<Image> {
    let columns = columns.max(1);
    let width = images.iter().map(Image::width).max().unwrap_or(0);
    let height = images.iter().map(Image::height).max().unwrap_or(0);
    let rows = images.len().div_ceil(columns);
    let side = |cells: usize, side: usize| cells * (side + GAP) + GAP;
    let mut pixels = Array3::from_elem((side(rows, height), side(columns, width), 3), LIGHTNESS);
    for (index, image) in images.iter().enumerate() {
        let top = side(index / columns, height) + (height - image.height()) / 2;
        let left = side(index % columns, width) + (width - image.width()) / 2;
        let (bottom, right) = (top + image.height(), left + image.width());
        pixels.slice_mut(s![top..bottom, left..right, ..]).assign(&image.pixels());
    }
    Image::from_pixels(pixels.view())
}
