//! [`Conv2d`], and nearest-neighbour upsampling.

use tch::{Kind, Tensor};

use crate::error::Result;
use crate::runtime::shim;
use crate::weights::{Parameter, Weights};

/// From where on Winograd's algorithm is used: channels of input and output, and tiles of 4x4 outputs in a picture. With
/// 16 tiles it was slower than libtorch's convolutions, with 64 faster by a third or more; see `docs/measured.md`. With 64
/// channels it was faster too, but TAESD's strips are equal to the whole to the last bit.
const FEWEST_CHANNELS: i64 = 128;
const FEWEST_TILES: i64 = 64;

/// A 2-D convolution with a square kernel and a bias.
#[derive(Debug)]
pub struct Conv2d {
    weight: Parameter,
    bias: Option<Tensor>,
    stride: i64,
    padding: i64,
}

impl Conv2d {
    /// Reads a convolution of that kernel size, stride 1, which keeps the picture's size.
    pub fn load(weights: &Weights, channels_in: i64, channels_out: i64, kernel: i64) -> Result<Self> {
        let bias = Some(weights.tensor("bias", &[channels_out])?);
        let weight = weights.parameter("weight", &[channels_out, channels_in, kernel, kernel])?;
        Ok(Self { weight, bias, stride: 1, padding: kernel / 2 })
    }

    /// Reads a 3x3 convolution without a bias.
    pub fn load_unbiased(weights: &Weights, channels_in: i64, channels_out: i64) -> Result<Self> {
        let weight = weights.parameter("weight", &[channels_out, channels_in, 3, 3])?;
        Ok(Self { weight, bias: None, stride: 1, padding: 1 })
    }

    /// The same with a stride.
    #[must_use]
    pub fn stride(self, stride: i64) -> Self {
        Self { stride, ..self }
    }

    /// The same with another number of zeros on each side.
    #[must_use]
    pub fn padding(self, padding: i64) -> Self {
        Self { padding, ..self }
    }

    /// Where the weights are.
    pub(crate) fn device(&self) -> tch::Device {
        self.weight.stored().device()
    }

    /// # Shapes
    /// `(B, in, H, W)` to `(B, out, H', W')`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.forward_rows(x, self.padding)
    }

    /// The same with another number of rows of zeros above and below, for a part of a picture.
    pub(crate) fn forward_rows(&self, x: &Tensor, rows_of_zeros: i64) -> Result<Tensor> {
        let (stride, padding) = ([self.stride; 2], [rows_of_zeros, self.padding]);
        let bias = self.bias.as_ref();
        let y = self.weight.with(|weight| match self.is_faster_by_winograd(x, weight, padding)? {
            true => shim::winograd(x, weight, bias, padding),
            false => Ok(x.f_conv2d(weight, bias, stride, padding, [1, 1], 1)?),
        })?;
        match self.weight.low_rank() {
            Some(low_rank) => Ok(y.f_add(&low_rank.conv2d(x, stride, padding)?)?),
            None => Ok(y),
        }
    }

    /// Whether Winograd's algorithm computes this convolution, and in less time than libtorch.
    ///
    /// By the size of one picture, so that a picture is the same in every batch.
    fn is_faster_by_winograd(&self, x: &Tensor, weight: &Tensor, [rows, columns]: [i64; 2]) -> Result<bool> {
        let (channels_out, channels_in, kernel, _) = weight.size4()?;
        let (_, _, height, width) = x.size4()?;
        let tiles = |side: i64, zeros: i64| (side + 2 * zeros - 2 + 3) / 4;
        Ok((kernel, self.stride) == (3, 1)
            && channels_out.min(channels_in) >= FEWEST_CHANNELS
            && tiles(height, rows) * tiles(width, columns) >= FEWEST_TILES
            && x.device() == tch::Device::Cpu
            && (x.f_kind()?, weight.f_kind()?) == (Kind::Float, Kind::Float)
            && !shim::grad_enabled())
    }

    /// The rows of zeros above and below a picture.
    pub(crate) fn rows_of_zeros(&self) -> i64 {
        self.padding
    }

    /// The stride.
    pub(crate) fn step(&self) -> i64 {
        self.stride
    }

    /// Channels of the output.
    pub(crate) fn channels(&self) -> i64 {
        self.weight.stored().shape().first().copied().unwrap_or(0)
    }
}

/// Nearest-neighbour upsampling to `size` (height, width).
///
/// # Shapes
/// `(B, C, H, W)` to `(B, C, size)`.
pub fn upsample_nearest(x: &Tensor, size: [i64; 2]) -> Result<Tensor> {
    Ok(x.f_upsample_nearest2d(size, None, None)?)
}

/// Bilinear upsampling to `size` (height, width).
///
/// # Shapes
/// `(B, C, H, W)` to `(B, C, size)`.
pub(crate) fn upsample_bilinear(x: &Tensor, size: [i64; 2]) -> Result<Tensor> {
    Ok(x.f_upsample_bilinear2d(size, false, None, None)?)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;
    use crate::noise::NoiseSource;

    fn normal(seed: u64, shape: &[i64]) -> Tensor {
        NoiseSource::new(&[seed]).unwrap().normal(shape).unwrap()
    }

    /// `‖found − expected‖ / ‖expected‖` of a convolution of `x`, where f64 says what is expected.
    fn error(conv: &Conv2d, x: &Tensor, rows_of_zeros: i64) -> f64 {
        let found = conv.forward_rows(x, rows_of_zeros).unwrap().to_kind(Kind::Double);
        let double = |x: &Tensor| x.to_kind(Kind::Double);
        let (weight, bias) =
            (double(&conv.weight.stored().tensor().unwrap()), conv.bias.as_ref().map(double));
        let padding = [rows_of_zeros, conv.padding];
        let expected = double(x).conv2d(&weight, bias.as_ref(), [1, 1], padding, [1, 1], 1);
        assert_eq!(found.size(), expected.size());
        ((found - &expected).norm() / expected.norm()).double_value(&[])
    }

    fn conv(channels_in: i64, channels_out: i64, kind: Kind) -> Conv2d {
        let scale = 1. / (9. * channels_in as f64).sqrt();
        let weight = normal(1, &[channels_out, channels_in, 3, 3]).squeeze_dim(0) * scale;
        let bias = Some(normal(2, &[channels_out]).squeeze_dim(0));
        Conv2d { weight: Parameter::new(weight.to_kind(kind), Kind::Float), bias, stride: 1, padding: 1 }
    }

    /// Sizes that are no multiples of a tile, rows of a larger picture, batches, blocks of output channels and of tiles.
    #[test]
    fn winograd_is_a_convolution() {
        let _guard = crate::runtime::no_grad();
        let (kernels, halves) = (conv(144, 131, Kind::Float), conv(144, 131, Kind::Half));
        let sizes = [(1, 32, 64), (3, 34, 61), (1, 35, 62), (1, 3, 301), (1, 301, 3), (2, 90, 99)];
        for (batch, height, width) in sizes {
            let mut noise = NoiseSource::new(&[3, 4, 5][..batch]).unwrap();
            let x = noise.normal(&[144, height, width]).unwrap() + 0.5;
            let cases = [(&kernels, 1), (&halves, 1), (&kernels, 0), (&kernels, 2)];
            for (index, (conv, rows)) in cases.into_iter().enumerate() {
                let asked = conv.weight.with(|weight| conv.is_faster_by_winograd(&x, weight, [rows, 1]));
                assert!(asked.unwrap(), "{height} x {width}");
                let error = error(conv, &x, rows);
                assert!((1e-8..2e-6).contains(&error), "{height} x {width}, case {index}: {error:.1e}");
            }
            // Rows of a larger picture: not the strides of a tensor of their own.
            let rows = x.narrow(2, 1, height - 2);
            assert!(error(&kernels, &rows, 1) < 2e-6);
            let columns = x.transpose(2, 3);
            assert!(error(&kernels, &columns, 1) < 2e-6);
        }
    }

    /// More kernels than are transformed at a time, on one thread and on several.
    #[test]
    fn winograd_of_many_channels() {
        let _guard = crate::runtime::no_grad();
        let (conv, x) = (conv(1300, 400, Kind::Float), normal(3, &[1300, 33, 31]));
        let threads = tch::get_num_threads();
        // Of both numbers here one is not the machine's.
        for count in [1, 3] {
            tch::set_num_threads(count);
            let error = error(&conv, &x, 1);
            assert!((1e-8..2e-6).contains(&error), "{count} threads: {error:.1e}");
        }
        tch::set_num_threads(threads);
    }

    /// The table of `docs/measured.md`: `cargo test --lib which_is_faster -- --ignored --nocapture`.
    #[test]
    #[ignore = "a measurement"]
    fn which_is_faster() {
        let _guard = crate::runtime::no_grad();
        tch::set_num_threads(1);
        let shapes = [
            (64, 64, [128, 32].as_slice()),
            (128, 128, &[256, 64, 32, 16]),
            (256, 256, &[128, 64, 32, 16]),
            (512, 512, &[64, 32]),
            (320, 320, &[128, 64, 32]),
            (640, 640, &[64, 32, 16]),
            (960, 640, &[32]),
            (1280, 640, &[32]),
            (1920, 640, &[32]),
            (1280, 1280, &[32, 16]),
            (2560, 1280, &[32, 16]),
            (4, 512, &[64]),
            (512, 8, &[64]),
        ];
        for (channels_in, channels_out, sides) in shapes {
            let conv = conv(channels_in, channels_out, Kind::Float);
            let (weight, bias) = (conv.weight.stored().tensor().unwrap(), conv.bias.as_ref());
            for &side in sides {
                let x = normal(3, &[channels_in, side, side]);
                let seconds = |body: &dyn Fn() -> Tensor| {
                    let start = std::time::Instant::now();
                    drop(body());
                    start.elapsed().as_secs_f64()
                };
                let theirs = || x.conv2d(&weight, bias, [1, 1], [1, 1], [1, 1], 1);
                let ours = || shim::winograd(&x, &weight, bias, [1, 1]).unwrap();
                let expected = x.to_kind(Kind::Double).conv2d(
                    &weight.to_kind(Kind::Double),
                    bias.map(|bias| bias.to_kind(Kind::Double)).as_ref(),
                    [1, 1],
                    [1, 1],
                    [1, 1],
                    1,
                );
                let error = |found: Tensor| {
                    ((found.to_kind(Kind::Double) - &expected).norm() / expected.norm()).double_value(&[])
                };
                let errors = (error(ours()), error(theirs()));
                assert!(errors.0 < 2e-6, "{channels_in} to {channels_out} at {side}: {errors:?}");
                let (mut best, mut best_of_ours) = (f64::INFINITY, f64::INFINITY);
                for _ in 0..4 {
                    best = best.min(seconds(&theirs));
                    best_of_ours = best_of_ours.min(seconds(&ours));
                }
                let flops = 18. * (channels_in * channels_out * side * side) as f64;
                eprintln!(
                    "{channels_in} to {channels_out}, {side} x {side}: {:.2}, {:.0} and {:.0} GFLOP/s, \
                     errors {:.0e} ({:.0e})",
                    best / best_of_ours,
                    flops / best / 1e9,
                    flops / best_of_ours / 1e9,
                    errors.0,
                    errors.1
                );
            }
        }
    }

    /// Not where a gradient is asked for, on few channels, and of other kernels.
    #[test]
    fn winograd_only_where_it_is_faster() {
        let x = normal(3, &[144, 64, 64]);
        let asked = |conv: &Conv2d, x: &Tensor| {
            conv.weight.with(|weight| conv.is_faster_by_winograd(x, weight, [1, 1])).unwrap()
        };
        let kernels = conv(144, 131, Kind::Float);
        assert!(!asked(&kernels, &x));
        let _guard = crate::runtime::no_grad();
        assert!(asked(&kernels, &x));
        assert!(!asked(&kernels, &x.narrow(2, 0, 9).narrow(3, 0, 9)));
        assert!(!asked(&conv(144, 3, Kind::Float), &x));
        assert!(!asked(&conv(144, 131, Kind::Float).stride(2), &x));
    }
}
