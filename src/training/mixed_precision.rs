//! Training in 16 bits with weights of 32.

use crate::error::Result;
use crate::runtime::Device;
use crate::runtime::shim::Autocast;

/// Computes a loss with the matrix products and convolutions in bfloat16, as `torch.autocast` does. Weights, norms,
/// the loss and the optimizer stay in f32. Call `backward` on the result outside.
///
/// For CUDA, and for CPUs with bfloat16 instructions (AVX-512 BF16, AMX). On other CPUs it is slower than f32.
///
/// ```no_run
/// # use sdxl::{Device, training::*};
/// # fn loss(model: &DiffusionModel, objective: &Objective, examples: &Examples, draws: &mut Draws) -> sdxl::Result<()> {
/// let loss = mixed_precision(Device::Cuda(0), || model.loss(objective, examples, draws))?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Those of `loss`.
pub fn mixed_precision<R>(device: Device, loss: impl FnOnce() -> Result<R>) -> Result<R> {
    let _autocast = Autocast::enter(device)?;
    loss()
}
