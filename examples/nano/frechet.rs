//! How far apart two collections of pictures are: [`features`] of each picture, [`distance`] of the two collections;
//! [`between`] is both.
#![allow(clippy::disallowed_methods, reason = "a program may end where libtorch fails")]

use sdxl::tch::{Kind, Tensor};
use sdxl::{Error, Image, Result};

use super::measure::luminance;

/// Cells in a row and in a column, and directions.
const CELLS: i64 = 4;
const DIRECTIONS: u32 = 8;

/// How much the gradients count: with this factor they and the colours vary alike over the scenes.
const GRADIENTS: f64 = 50.;

/// 176 numbers for a picture: in each of 4 x 4 cells a histogram of oriented gradients (Dalal and Triggs, 2005; eight
/// directions without sign, the mean length of the luminance's gradient in each, not normalised) and the mean red, green
/// and blue. A picture without learning: comparable with nothing but themselves.
pub fn features(image: &Image) -> Result<Tensor> {
    let luminance = luminance(image)?.f_div_scalar(255.)?;
    let (height, width) = (image.height() as i64, image.width() as i64);
    let inside = |top: i64, left: i64| luminance.f_narrow(2, top, height - 2)?.f_narrow(3, left, width - 2);
    let x = inside(1, 2)?.f_sub(&inside(1, 0)?)?.f_div_scalar(2.)?;
    let y = inside(2, 1)?.f_sub(&inside(0, 1)?)?.f_div_scalar(2.)?;
    let length = x.f_hypot(&y)?;
    // Direction 0 is around the x axis.
    let step = std::f64::consts::PI / f64::from(DIRECTIONS);
    let angle = y.f_atan2(&x)?.f_add_scalar(step / 2.)?.f_div_scalar(step)?.f_floor()?;
    let direction = angle.f_remainder(f64::from(DIRECTIONS))?;
    let of = |number| length.f_mul(&direction.f_eq(f64::from(number))?.f_to_kind(Kind::Double)?);
    let lengths = (0..DIRECTIONS).map(of).collect::<Result<Vec<_>, _>>()?;
    let gradients = Tensor::f_cat(&lengths, 1)?.f_mul_scalar(GRADIENTS)?;
    let colours = image.to_tensor()?.f_to_kind(Kind::Double)?.f_div_scalar(2.)?.f_add_scalar(0.5)?;
    let pooled = |values: &Tensor| values.f_adaptive_avg_pool2d([CELLS, CELLS])?.f_reshape([-1]);
    Ok(Tensor::f_cat(&[pooled(&gradients)?, pooled(&colours)?], 0)?)
}

/// The [`distance`] of two collections of pictures.
pub fn between(one: &[Image], other: &[Image]) -> Result<f64> {
    let described = |images: &[Image]| images.iter().map(features).collect::<Result<Vec<_>>>();
    distance(&described(one)?, &described(other)?)
}

/// The Fréchet distance of two collections of features, seen as normal distributions with their means and covariances:
/// `|m₁ − m₂|² + tr(C₁ + C₂ − 2 (C₁ C₂)^½)`. Small collections are farther apart than what they are drawn from: compare
/// distances for equal numbers of pictures only.
///
/// # Errors
/// [`Error::Invalid`] for fewer than two pictures.
pub fn distance(one: &[Tensor], other: &[Tensor]) -> Result<f64> {
    let ((mean, rows), (other_mean, other_rows)) = (normal(one)?, normal(other)?);
    let sum = |tensor: Tensor| tensor.f_sum(Kind::Double)?.f_double_value(&[]);
    let apart = sum(mean.f_sub(&other_mean)?.f_square()?)?;
    let spread = sum(rows.f_square()?)? + sum(other_rows.f_square()?)?;
    // C₁ is X₁ᵀ X₁ and C₂ is X₂ᵀ X₂, so the roots of the eigenvalues of C₁ C₂ are the singular values of X₁ X₂ᵀ. No
    // covariance is needed, nor the root of one, which is inexact where there are fewer pictures than features.
    let (_, singular_values, _) = rows.f_matmul(&other_rows.f_tr()?)?.f_svd(true, false)?;
    Ok(apart + spread - 2. * sum(singular_values)?)
}

/// The mean, and rows whose squares' sum is the covariance.
fn normal(features: &[Tensor]) -> Result<(Tensor, Tensor)> {
    if features.len() < 2 {
        return Err(Error::Invalid {
            field: "pictures",
            value: features.len().to_string(),
            expected: "2 or more".to_owned(),
        });
    }
    let rows = Tensor::f_stack(features, 0)?;
    let mean = rows.f_mean_dim([0i64].as_slice(), false, Kind::Double)?;
    let rows = rows.f_sub(&mean)?.f_div_scalar((features.len() as f64 - 1.).sqrt())?;
    Ok((mean, rows))
}
