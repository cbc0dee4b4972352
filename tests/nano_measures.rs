//! The measures of the small model's pictures, on cases whose numbers are known.
#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

#[path = "../examples/nano/frechet.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the examples")]
mod frechet;
#[path = "../examples/nano/measure.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the examples")]
mod measure;
#[path = "../examples/nano/sheet.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the examples")]
mod sheet;

use frechet::{distance, features};
use measure::{detail, deviation, mean, psnr, quantile, ssim};
use ndarray::Array3;
use sdxl::Image;
use sdxl::tch::{Kind, Tensor};
use sheet::sheet;

/// A picture of `(width, height)` whose pixels are a function of x and y.
fn picture((width, height): (usize, usize), pixel: impl Fn(usize, usize) -> [u8; 3]) -> Image {
    let value = |(y, x, channel): (usize, usize, usize)| pixel(x, y)[channel];
    Image::from_pixels(Array3::from_shape_fn((height, width, 3), value).view()).unwrap()
}

fn plain(level: u8) -> Image {
    picture((20, 16), |_, _| [level; 3])
}

/// Something with many edges.
fn pattern(factors: [usize; 3]) -> Image {
    let [by_y, by_x, by_channel] = factors;
    picture((20, 16), |x, y| {
        [0, 1, 2].map(|channel| ((y * by_y + x * by_x + channel * by_channel) % 256) as u8)
    })
}

#[track_caller]
fn near(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{value}, not {expected}");
}

#[test]
fn detail_is_that_of_edges() {
    near(detail(&plain(90)).unwrap(), 0., 1e-4);
    // A gradient has none.
    near(detail(&picture((20, 16), |x, y| [(5 * x + 3 * y) as u8; 3])).unwrap(), 0., 1e-4);
    // A single pixel: four times its value, and once in each of its four neighbours; 18 x 14 pixels are inside.
    let dot = picture((20, 16), |x, y| if (x, y) == (9, 7) { [100; 3] } else { [0; 3] });
    near(detail(&dot).unwrap(), 8. * 100. / (18. * 14.), 1e-4);
    // Green is lighter than blue.
    let of =
        |colour: [u8; 3]| detail(&picture((20, 16), |x, _| if x < 10 { [0; 3] } else { colour })).unwrap();
    near(of([0, 200, 0]) / of([0, 0, 200]), 0.587 / 0.114, 1e-4);
}

#[test]
fn signal_to_noise() {
    assert_eq!(psnr(&pattern([7, 13, 5]), &pattern([7, 13, 5])).unwrap(), f64::INFINITY);
    near(psnr(&plain(100), &plain(110)).unwrap(), 20. * (255f64 / 10.).log10(), 1e-3);
    near(psnr(&plain(0), &plain(255)).unwrap(), 0., 1e-6);
}

#[test]
fn similarity() {
    let picture = pattern([7, 13, 5]);
    near(ssim(&picture, &picture).unwrap(), 1., 1e-9);
    // Plain pictures have a mean only.
    let c1 = 2.55f64.powi(2);
    let expected = (2. * 100. * 150. + c1) / (100. * 100. + 150. * 150. + c1);
    near(ssim(&plain(100), &plain(150)).unwrap(), expected, 1e-4);
    // From NumPy and SciPy, with f = convolve2d(…, outer(g, g), "valid"), g = exp(−x² / 4.5) from −5 to 5, normalised:
    // mean((2 f(x) f(y) + c1) (2 cov + c2) / ((f(x)² + f(y)² + c1) (var x + var y + c2))).
    near(ssim(&picture, &pattern([9, 11, 3])).unwrap(), 0.799_395_938_652_569_5, 1e-5);
    assert!(ssim(&picture, &plain(128)).unwrap() < 0.1);
}

#[test]
fn features_are_gradients_and_colours() {
    let numbers = |image: &Image| Vec::<f64>::try_from(features(image).unwrap()).unwrap();
    let grey = numbers(&plain(51));
    assert_eq!(grey.len(), 176);
    grey[..128].iter().for_each(|value| near(*value, 0., 1e-5));
    grey[128..].iter().for_each(|value| near(*value, 0.2, 1e-6));
    // Lighter to the right, to the bottom, and both ways between: directions of eight, 16 cells each.
    for (direction, by_x, by_y) in [(0, 3, 0), (4, 0, 3), (2, 3, 3), (6, 3, -3)] {
        let ramp = picture((20, 20), |x, y| [(100 + by_x * x as i32 + by_y * y as i32) as u8; 3]);
        let numbers = numbers(&ramp);
        let length = 50. * f64::from(by_x * by_x + by_y * by_y).sqrt() / 255.;
        for (index, value) in numbers[..128].iter().enumerate() {
            near(*value, if index / 16 == direction { length } else { 0. }, 1e-4);
        }
    }
    // Cells are those of the picture, row by row: the red of the last one.
    let corner = numbers(&picture((32, 32), |x, y| if x >= 24 && y >= 24 { [255, 0, 0] } else { [0; 3] }));
    near(corner[128 + 15], 1., 1e-6);
    near(corner[128 + 14], 0., 1e-6);
    near(corner[128 + 16 + 15], 0., 1e-6);
}

/// Points with exactly that mean and covariance: the columns of the covariance's root, on both sides of the mean.
fn points(mean: [f64; 2], covariance: [[f64; 2]; 2]) -> Vec<Tensor> {
    let [[a, b], [_, c]] = covariance;
    // Cholesky's. Each column counts twice, and the covariance of four points divides by three.
    let root = [[a.sqrt(), b / a.sqrt()], [0., (c - b * b / a).sqrt()]];
    let scale = 1.5f64.sqrt();
    root.iter()
        .flat_map(|[x, y]| [scale, -scale].map(|sign| [mean[0] + sign * x, mean[1] + sign * y]))
        .map(|point| Tensor::from_slice(&point))
        .collect()
}

#[test]
fn distance_of_normal_distributions() {
    let one = points([0., 0.], [[2., 0.5], [0.5, 1.]]);
    near(distance(&one, &one).unwrap(), 0., 1e-9);
    // Moved.
    let moved: Vec<Tensor> = one.iter().map(|point| point + Tensor::from_slice(&[3f64, -4.])).collect();
    near(distance(&one, &moved).unwrap(), 25., 1e-9);
    // Along the axes it is the distance of means and deviations.
    let (narrow, wide) = (points([1., 0.], [[4., 0.], [0., 9.]]), points([0., 0.], [[1., 0.], [0., 25.]]));
    near(distance(&narrow, &wide).unwrap(), 1. + 1. + 4., 1e-9);
    // For 2 x 2 matrices tr √(A B) is √(tr A B + 2 √det A B).
    let other = points([0., 0.], [[1., -0.3], [-0.3, 3.]]);
    near(distance(&one, &other).unwrap(), 0.929_311_854_967_774_1, 1e-9);
    near(distance(&other, &one).unwrap(), 0.929_311_854_967_774_1, 1e-9);
    assert!(distance(&one, &one[..1]).is_err());
    assert_eq!(one[0].kind(), Kind::Double);
}

/// Fewer pictures than features: the covariances have no full rank.
#[test]
fn distance_of_pictures() {
    let described = |factors: [usize; 4]| -> Vec<Tensor> {
        factors.iter().map(|factor| features(&pattern([*factor, 13, 5])).unwrap()).collect()
    };
    let one = described([7, 9, 11, 20]);
    near(distance(&one, &one).unwrap(), 0., 1e-6);
    assert!(distance(&one, &described([8, 10, 30, 41])).unwrap() > 0.01);
}

#[test]
fn means_and_quantiles() {
    let values = [4., 1., 3., 2.];
    assert_eq!((mean(&values), mean(&[])), (2.5, 0.));
    near(deviation(&values), (5f64 / 3.).sqrt(), 1e-12);
    assert_eq!((quantile(&values, 0.5), quantile(&values, 0.9), quantile(&values, 0.)), (2., 4., 1.));
    assert!(quantile(&[], 0.5).is_nan());
}

#[test]
fn sheets_have_cells_of_the_largest_size() {
    let colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255]];
    let sizes = [(8, 8), (12, 6), (6, 12)];
    let images: Vec<Image> =
        sizes.into_iter().zip(colours).map(|(size, colour)| picture(size, |_, _| colour)).collect();
    let sheet = sheet(&images, 2).unwrap();
    assert_eq!((sheet.width(), sheet.height()), (4 + 2 * 16, 4 + 2 * 16));
    for (index, colour) in colours.into_iter().enumerate() {
        let (top, left) = (4 + index / 2 * 16 + 6, 4 + index % 2 * 16 + 6);
        let pixels = sheet.pixels();
        assert_eq!([0, 1, 2].map(|channel| pixels[[top, left, channel]]), colour);
        let count = pixels.rows().into_iter().filter(|row| row.to_vec() == colour).count();
        assert_eq!(count, sizes[index].0 * sizes[index].1);
    }
}
