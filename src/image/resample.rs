//! Resizing as Pillow does it, to the last bit: weights in 22 fractional bits, the rows first, 8 bits between.

use ndarray::{Array2, Array3, ArrayView3, Axis};

/// Bits of a weight behind the point: 8 of the pixel, 2 for sums above 255 and below 0, and these.
const PRECISION_BITS: u32 = 32 - 8 - 2;
/// One half, with which sums begin.
const HALF: i32 = 1 << (PRECISION_BITS - 1);

/// What a pixel's neighbours weigh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    /// Keys' cubic with a = −1/2.
    Bicubic,
    /// Three lobes.
    Lanczos,
}

impl Filter {
    fn support(self) -> f64 {
        match self {
            Self::Bicubic => 2.,
            Self::Lanczos => 3.,
        }
    }

    fn weight(self, x: f64) -> f64 {
        match self {
            Self::Bicubic => match x.abs() {
                x if x < 1. => (1.5 * x - 2.5) * x * x + 1.,
                x if x < 2. => (((x - 5.) * x + 8.) * x - 4.) * -0.5,
                _ => 0.,
            },
            Self::Lanczos if (-3. ..3.).contains(&x) => sinc(x) * sinc(x / 3.),
            Self::Lanczos => 0.,
        }
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0. {
        return 1.;
    }
    let x = x * std::f64::consts::PI;
    x.sin() / x
}

/// `pixels` of shape `(height, width, channels)` at another size.
pub(super) fn resample(
    pixels: ArrayView3<'_, u8>,
    (width, height): (usize, usize),
    filter: Filter,
) -> Array3<u8> {
    let (rows, columns, _) = pixels.dim();
    let wide = along(pixels, Axis(1), (0., columns as f64), width, filter);
    along(wide.view(), Axis(0), (0., rows as f64), height, filter)
}

/// The part `from..to` of a side, at another length; unchanged where that is the whole and its length the same.
pub(super) fn along(
    pixels: ArrayView3<'_, u8>,
    axis: Axis,
    part: (f64, f64),
    length: usize,
    filter: Filter,
) -> Array3<u8> {
    let side = pixels.len_of(axis);
    if side == length && part == (0., side as f64) {
        return pixels.to_owned();
    }
    let mut shape = pixels.raw_dim();
    shape[axis.index()] = length;
    let mut output = Array3::zeros(shape);
    let weights = weights(side, part, length, filter);
    if axis == Axis(1) {
        for (mut row, pixels) in output.outer_iter_mut().zip(pixels.outer_iter()) {
            let pixels = pixels.as_standard_layout();
            for (mut pixel, weights) in row.outer_iter_mut().zip(&weights) {
                weights.along_row(
                    pixels.as_slice().unwrap_or_default(),
                    pixel.as_slice_mut().unwrap_or_default(),
                );
            }
        }
        return output;
    }
    for (mut row, weights) in output.outer_iter_mut().zip(&weights) {
        let mut sums = Array2::from_elem(row.raw_dim(), HALF);
        for (index, weight) in (weights.first..).zip(&weights.values) {
            let line = pixels.index_axis(Axis(0), index);
            sums.zip_mut_with(&line, |sum, &pixel| *sum += i32::from(pixel) * weight);
        }
        row.zip_mut_with(&sums, |pixel, sum| *pixel = rounded(*sum));
    }
    output
}

/// What the pixels of the input from `first` on weigh in one of the output.
struct Weights {
    first: usize,
    values: Vec<i32>,
}

impl Weights {
    /// One pixel of a row of pixels, each as many bytes as it has channels.
    fn along_row(&self, row: &[u8], pixel: &mut [u8]) {
        let channels = pixel.len();
        let seen = row.get(self.first * channels..).unwrap_or_default();
        for (channel, byte) in pixel.iter_mut().enumerate() {
            let bytes = seen.iter().skip(channel).step_by(channels.max(1));
            let products = bytes.zip(&self.values).map(|(&byte, weight)| i32::from(byte) * weight);
            *byte = rounded(HALF + products.sum::<i32>());
        }
    }
}

fn rounded(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

fn weights(side: usize, (from, to): (f64, f64), length: usize, filter: Filter) -> Vec<Weights> {
    let scale = (to - from) / length as f64;
    let stretch = scale.max(1.);
    let support = filter.support() * stretch;
    let of = |index: usize| {
        let center = from + (index as f64 + 0.5) * scale;
        let first = (center - support + 0.5).max(0.) as usize;
        let end = ((center + support + 0.5).max(0.) as usize).min(side);
        let reach = first..end.max(first);
        let values: Vec<f64> =
            reach.map(|index| filter.weight((index as f64 - center + 0.5) * (1. / stretch))).collect();
        let sum: f64 = values.iter().sum();
        let whole = |value: &f64| {
            let value = if sum == 0. { *value } else { value / sum };
            (value * f64::from(1 << PRECISION_BITS)).round() as i32
        };
        Weights { first, values: values.iter().map(whole).collect() }
    };
    (0..length).map(of).collect()
}
