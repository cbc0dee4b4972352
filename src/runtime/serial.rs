//! Tensors for serde: `#[serde(with = "crate::runtime::serial")]`. They arrive on the CPU, in f32, f16 or bf16.

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tch::{Kind, Tensor};

use super::Precision;
use super::upload::{FillError, bytes_of, tensor_filled};
use crate::error::{Error, Result};

#[derive(Serialize, Deserialize)]
struct Plain<'a> {
    precision: Precision,
    shape: Vec<i64>,
    #[serde(borrow, with = "serde_bytes")]
    bytes: &'a [u8],
}

pub(crate) fn serialize<S: Serializer>(tensor: &Tensor, serializer: S) -> Result<S::Ok, S::Error> {
    let (precision, shape, bytes) = plain(tensor).map_err(S::Error::custom)?;
    Plain { precision, shape, bytes: &bytes }.serialize(serializer)
}

fn plain(tensor: &Tensor) -> Result<(Precision, Vec<i64>, Vec<u8>)> {
    let precision = match tensor.f_kind()? {
        Kind::Half => Precision::F16,
        Kind::BFloat16 => Precision::Bf16,
        _ => Precision::F32,
    };
    Ok((precision, tensor.size(), bytes_of(&tensor.f_to_kind(precision.kind())?)?))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tensor, D::Error> {
    let Plain { precision, shape, bytes } = Plain::deserialize(deserializer)?;
    let kind = precision.kind();
    let size = kind.elt_size_in_bytes() as i64;
    let expected = shape.iter().try_fold(size, |product, &side| product.checked_mul(side));
    if expected != i64::try_from(bytes.len()).ok() || shape.iter().any(|&side| side < 0) {
        return Err(D::Error::custom(format!("{} bytes for a tensor of shape {shape:?}", bytes.len())));
    }
    let fill = |memory: &mut [u8]| {
        memory.copy_from_slice(bytes);
        Ok(())
    };
    tensor_filled(&shape, kind, fill).map_err(|error| match error {
        FillError::Io(error) => D::Error::custom(error),
        FillError::Torch(error) => D::Error::custom::<Error>(error),
    })
}
