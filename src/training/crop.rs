//! Algorithm 1 of the paper: a picture cut to its bucket, and what it was before.

use tch::Tensor;

use super::draws::Draws;
use crate::conditioning::{Crop, MicroConditioning, Size};
use crate::error::Result;
use crate::image::Image;

/// A picture as the model is trained on it.
#[derive(Debug)]
pub struct Cropped {
    /// `(1, 3, height, width)` in [-1, 1], of the bucket's size.
    pub picture: Tensor,
    /// The picture's own size, where the cut began, and the bucket's size.
    pub micro: MicroConditioning,
}

/// Scales a picture until it just covers the bucket, and cuts the bucket out at a random place (SDXL paper,
/// section 2.2, algorithm 1; with buckets as in section 2.3).
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) for an impossible bucket.
pub fn crop(image: &Image, bucket: Size, draws: &mut Draws) -> Result<Cropped> {
    let original = Size::new(image.width() as i64, image.height() as i64);
    let scale =
        (bucket.width as f64 / original.width as f64).max(bucket.height as f64 / original.height as f64);
    let side = |original: i64, bucket: i64| ((original as f64 * scale).round() as i64).max(bucket);
    let (width, height) = (side(original.width, bucket.width), side(original.height, bucket.height));
    let scaled = image.resized(clamped(width), clamped(height))?.to_tensor()?;
    let left = draws.below((width - bucket.width + 1) as usize) as i64;
    let top = draws.below((height - bucket.height + 1) as usize) as i64;
    let picture = scaled.f_narrow(2, top, bucket.height)?.f_narrow(3, left, bucket.width)?;
    let micro = MicroConditioning {
        original_size: Some(original),
        crop: Crop { left, top },
        target_size: Some(bucket),
    };
    Ok(Cropped { picture, micro })
}

fn clamped(side: i64) -> u32 {
    u32::try_from(side).unwrap_or(u32::MAX)
}
