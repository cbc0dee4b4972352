//! [`LowRank`]: a LoRA in training.

use tch::Tensor;

use crate::error::Result;
use crate::runtime::Numbers;

/// A LoRA of one layer whose halves are in training (arXiv 2106.09685): the layer gives
/// `W·x + scale · up(down(x))`, so that no gradient of the size of `W` is made.
///
/// A training begins with `down` drawn at random and `up` zero, and writes both as `unet.<layer>.lora_A.weight` and
/// `unet.<layer>.lora_B.weight`, with which [`Lora`](super::Lora) and diffusers read a scale of 1.
#[derive(Debug)]
pub struct LowRank {
    down: Tensor,
    up: Tensor,
    scale: f64,
}

impl LowRank {
    /// From both halves, which the layer reads and does not copy.
    ///
    /// # Shapes
    /// `down` `(rank, in)`, `up` `(out, rank)`; for convolutions `(rank, in, k, k)` and `(out, rank, 1, 1)`.
    pub fn new(down: Tensor, up: Tensor, scale: f64) -> Self {
        Self { down, up, scale }
    }

    /// What it adds to a linear layer: `(…, in)` to `(…, out)`.
    pub fn linear(&self, x: &Tensor) -> Result<Tensor> {
        let down = x.f_linear(&self.down, None::<&Tensor>)?;
        Ok(down.f_linear(&self.up, None::<&Tensor>)?.f_mul_number(self.scale)?)
    }

    /// What it adds to a convolution of that stride and padding: `(B, in, H, W)` to `(B, out, H', W')`.
    pub fn conv2d(&self, x: &Tensor, stride: [i64; 2], padding: [i64; 2]) -> Result<Tensor> {
        let down = x.f_conv2d(&self.down, None::<&Tensor>, stride, padding, [1, 1], 1)?;
        let up = down.f_conv2d(&self.up, None::<&Tensor>, [1, 1], [0, 0], [1, 1], 1)?;
        Ok(up.f_mul_number(self.scale)?)
    }
}
