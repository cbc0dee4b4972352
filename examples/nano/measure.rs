//! Numbers for pictures: [`detail`] of one, [`psnr`] and [`ssim`] of two; and for such numbers: [`mean`], [`deviation`],
//! [`quantile`].
#![allow(clippy::disallowed_methods, reason = "a program may end where libtorch fails")]

use sdxl::tch::{Kind, Tensor};
use sdxl::{Image, Result};

/// How light the pixels are, 0 to 255: `(1, 1, height, width)`, the luma of Rec. 601.
pub fn luminance(image: &Image) -> Result<Tensor> {
    let rgb = image.to_tensor()?.f_to_kind(Kind::Double)?.f_add_scalar(1.)?.f_mul_scalar(127.5)?;
    rgb.f_conv2d(&numbers(&[0.299, 0.587, 0.114], [1, 3, 1, 1])?, None::<Tensor>, [1], [0], [1], 1)
        .map_err(Into::into)
}

/// Fine detail: the mean absolute value of the Laplacian of the luminance, that is of the difference between four times
/// a pixel and the sum of its four neighbours, in steps of 255, without the pixels at the edge. 0 for a plain surface
/// or a gradient; blur lowers it, noise raises it.
pub fn detail(image: &Image) -> Result<f64> {
    let laplacian = numbers(&[0., -1., 0., -1., 4., -1., 0., -1., 0.], [1, 1, 3, 3])?;
    value(&valid(&luminance(image)?, &laplacian)?.f_abs()?)
}

/// Peak signal-to-noise ratio in dB: 10 log10(255² / the mean square of the differences of all values). Infinite for
/// equal pictures.
pub fn psnr(one: &Image, other: &Image) -> Result<f64> {
    let difference = one.to_tensor()?.f_sub(&other.to_tensor()?)?.f_to_kind(Kind::Double)?;
    // From -1 to 1, the peak is 2.
    Ok(10. * (4. / value(&difference.f_square()?)?).log10())
}

/// Structural similarity (Wang et al., 2004) of the luminance: means, variances and covariance in windows of 11 x 11
/// pixels under a Gaussian of standard deviation 1.5, K1 = 0.01, K2 = 0.03, over all windows inside the picture. 1 for
/// equal pictures.
pub fn ssim(one: &Image, other: &Image) -> Result<f64> {
    let (c1, c2) = ((0.01f64 * 255.).powi(2), (0.03f64 * 255.).powi(2));
    let window = gaussian()?;
    let (x, y) = (luminance(one)?, luminance(other)?);
    let (mean_x, mean_y) = (valid(&x, &window)?, valid(&y, &window)?);
    let moment = |one: &Tensor, other: &Tensor, means: &Tensor| {
        Ok::<_, sdxl::Error>(valid(&one.f_mul(other)?, &window)?.f_sub(means)?)
    };
    let (xx, yy, xy) = (mean_x.f_square()?, mean_y.f_square()?, mean_x.f_mul(&mean_y)?);
    let (var_x, var_y, cov) = (moment(&x, &x, &xx)?, moment(&y, &y, &yy)?, moment(&x, &y, &xy)?);
    let above: Tensor = (2. * &xy + c1) * (2. * &cov + c2);
    let below: Tensor = (&xx + &yy + c1) * (&var_x + &var_y + c2);
    value(&above.f_div(&below)?)
}

fn gaussian() -> Result<Tensor> {
    let row: Vec<f64> = (-5..=5).map(|x| (-f64::from(x * x) / (2. * 1.5 * 1.5)).exp()).collect();
    let sum: f64 = row.iter().sum();
    let cells: Vec<f64> = row.iter().flat_map(|y| row.iter().map(move |x| x * y / (sum * sum))).collect();
    numbers(&cells, [1, 1, 11, 11])
}

/// A picture of one channel under a filter, wherever the filter fits.
fn valid(picture: &Tensor, filter: &Tensor) -> Result<Tensor> {
    Ok(picture.f_conv2d(filter, None::<Tensor>, [1], [0], [1], 1)?)
}

fn numbers(values: &[f64], shape: [i64; 4]) -> Result<Tensor> {
    Ok(Tensor::f_from_slice(values)?.f_reshape(shape)?)
}

fn value(tensor: &Tensor) -> Result<f64> {
    Ok(tensor.f_mean(Kind::Double)?.f_double_value(&[])?)
}

/// 0 of none.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The standard deviation; 0 of fewer than two.
pub fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / values.len().saturating_sub(1).max(1) as f64).sqrt()
}

/// The smallest value that is no smaller than this part of them: the median for 0.5. NaN of none.
pub fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (part * sorted.len() as f64).ceil().max(1.) as usize;
    sorted.get(rank - 1).or(sorted.last()).copied().unwrap_or(f64::NAN)
}
