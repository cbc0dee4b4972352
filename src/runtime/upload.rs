//! Bytes into tensors and back: the only place that hands memory to libtorch.
#![expect(unsafe_code, reason = "reads files straight into a tensor's memory")]

use std::io;
use std::slice;

use tch::{Device, Kind, Tensor};

use crate::error::{Error, Result};

/// A new f32 tensor on the CPU from numbers in row-major order.
pub(crate) fn tensor_from(values: &[f32], shape: &[i64]) -> Result<Tensor> {
    let count = shape.iter().try_fold(1i64, |product, &size| product.checked_mul(size));
    if count != i64::try_from(values.len()).ok() {
        return Err(Error::invalid("values", values.len(), format!("as many as shape {shape:?} has")));
    }
    Ok(Tensor::f_from_slice(values)?.f_reshape(shape)?)
}

/// A new tensor on the CPU whose memory `fill` writes, so that a file is read without a second copy.
pub(crate) fn tensor_filled(
    shape: &[i64],
    kind: Kind,
    fill: impl FnOnce(&mut [u8]) -> io::Result<()>,
) -> Result<Tensor, FillError> {
    // Zeroed, so that `fill` never sees uninitialised memory.
    let tensor =
        Tensor::f_zeros(shape, (kind, Device::Cpu)).map_err(|error| FillError::Torch(error.into()))?;
    let bytes = tensor.numel() * kind.elt_size_in_bytes();
    if bytes > 0 {
        // SAFETY: a new contiguous CPU tensor owns `numel * element size` bytes that nobody else sees yet.
        let memory = unsafe { slice::from_raw_parts_mut(tensor.data_ptr().cast::<u8>(), bytes) };
        fill(memory).map_err(FillError::Io)?;
    }
    Ok(tensor)
}

/// Why a tensor could not be filled; the caller knows the file.
pub(crate) enum FillError {
    Io(io::Error),
    Torch(Error),
}

/// The bytes of a tensor in row-major order, copied to the host.
pub(crate) fn bytes_of(tensor: &Tensor) -> Result<Vec<u8>> {
    let tensor = tensor.f_to_device(Device::Cpu)?.f_contiguous()?;
    let kind = tensor.f_kind()?;
    let count = tensor.numel() * kind.elt_size_in_bytes();
    if count == 0 {
        return Ok(Vec::new());
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(count).map_err(|_| Error::OutOfMemory { bytes: count })?;
    // SAFETY: a contiguous CPU tensor has `count` readable bytes, which live as long as `tensor`.
    bytes.extend_from_slice(unsafe { slice::from_raw_parts(tensor.data_ptr().cast::<u8>(), count) });
    Ok(bytes)
}
