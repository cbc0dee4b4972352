//! [`Conv2d`], and nearest-neighbour upsampling.

use tch::Tensor;

use crate::error::Result;
use crate::weights::{Parameter, Weights};

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
        let y = self
            .weight
            .with(|weight| Ok(x.f_conv2d(weight, self.bias.as_ref(), stride, padding, [1, 1], 1)?))?;
        match self.weight.low_rank() {
            Some(low_rank) => Ok(y.f_add(&low_rank.conv2d(x, stride, padding)?)?),
            None => Ok(y),
        }
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
        self.weight.stored().size().first().copied().unwrap_or(0)
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
