//! A Gaussian as Pillow computes it, to the last bit: three boxes of fractional width, each side by itself.

use ndarray::{Array3, ArrayView3, ArrayViewMut1, Axis};

const PASSES: usize = 3;

/// `pixels` of shape `(height, width, channels)` blurred by a Gaussian of that standard deviation. At the edges the
/// last pixel goes on for ever.
pub(super) fn gaussian(pixels: ArrayView3<'_, u8>, deviation: f64) -> Array3<u8> {
    let radius = box_radius(deviation as f32);
    let mut blurred = pixels.to_owned();
    for axis in [Axis(1), Axis(0)] {
        for mut line in blurred.lanes_mut(axis) {
            for _ in 0..PASSES {
                box_line(&mut line, radius);
            }
        }
    }
    blurred
}

/// The half width of boxes that are together as wide as the Gaussian (Gwosdek et al. 2011, equations 7, 11, 14).
fn box_radius(deviation: f32) -> f32 {
    let variance = deviation * deviation / PASSES as f32;
    let length = (12. * f64::from(variance) + 1.).sqrt() as f32;
    let whole = ((length - 1.) / 2.).floor();
    let fraction = (2. * whole + 1.) * (whole * (whole + 1.) - 3. * variance);
    whole + fraction / (6. * (variance - (whole + 1.) * (whole + 1.)))
}

/// One box over one line, in 24 fractional bits.
fn box_line(line: &mut ArrayViewMut1<'_, u8>, radius: f32) {
    let whole = radius as usize;
    let weight = ((1u32 << 24) as f32 / (radius * 2. + 1.)) as u32;
    let edge_weight = ((1u32 << 24) - (whole as u32 * 2 + 1) * weight) / 2;
    let before: Vec<u32> = line.iter().map(|&pixel| u32::from(pixel)).collect();
    let last = before.len().saturating_sub(1);
    let at = |index: isize| before.get(index.clamp(0, last as isize) as usize).copied().unwrap_or(0);
    let reach = whole as isize;
    let mut sum: u32 = (-reach..=reach).map(at).sum();
    for (index, pixel) in (0isize..).zip(line.iter_mut()) {
        let edges = at(index - reach - 1) + at(index + reach + 1);
        // As Pillow, modulo 2³²: the sum is below 2³² but for rounding.
        let total = sum.wrapping_mul(weight).wrapping_add(edges.wrapping_mul(edge_weight));
        *pixel = (total.wrapping_add(1 << 23) >> 24) as u8;
        sum = sum + at(index + reach + 1) - at(index - reach);
    }
}
