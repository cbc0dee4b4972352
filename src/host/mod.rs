//! Numbers on the host: arrays of f32, `half::f16` and `half::bf16`, and [`Held`], which may become a tensor.

mod held;

use half::{bf16, f16};
use ndarray::{Array, Dimension};
use tch::Tensor;

pub(crate) use held::{Held, Plain};

use crate::error::{Error, Result};

/// The types in which latents and embeddings go in and out.
pub trait Element: sealed::Sealed + Copy {}

impl Element for f32 {}
impl Element for f16 {}
impl Element for bf16 {}

mod sealed {
    use half::{bf16, f16};

    pub trait Sealed: tch::kind::Element + Default + Copy {
        fn to_f32(self) -> f32;
        fn from_f32(value: f32) -> Self;
    }

    impl Sealed for f32 {
        fn to_f32(self) -> f32 {
            self
        }

        fn from_f32(value: f32) -> Self {
            value
        }
    }

    impl Sealed for f16 {
        fn to_f32(self) -> f32 {
            self.to_f32()
        }

        fn from_f32(value: f32) -> Self {
            Self::from_f32(value)
        }
    }

    impl Sealed for bf16 {
        fn to_f32(self) -> f32 {
            self.to_f32()
        }

        fn from_f32(value: f32) -> Self {
            Self::from_f32(value)
        }
    }
}

/// A host array with the numbers of a tensor; 16-bit types are rounded to.
pub(crate) fn array_from<T: Element, D: Dimension>(tensor: &Tensor) -> Result<Array<T, D>> {
    let count = tensor.numel();
    let mut values = vec![T::default(); count];
    let host = tensor.f_to_device(tch::Device::Cpu)?.f_to_kind(T::KIND)?.f_contiguous()?;
    host.f_copy_data(&mut values, count)?;
    array_of(&tensor.size(), values)
}

/// A host array of numbers in row-major order.
fn array_of<T, D: Dimension>(shape: &[i64], values: Vec<T>) -> Result<Array<T, D>> {
    let shape: Vec<usize> = shape.iter().map(|&size| size as usize).collect();
    Array::from_shape_vec(shape.clone(), values)
        .and_then(|array| array.into_dimensionality())
        .map_err(|error| Error::invalid("tensor", format!("shape {shape:?}"), error.to_string()))
}

/// Arrays of bytes for serde: `#[serde(with = "crate::host::bytes")]`.
pub(crate) mod bytes {
    use ndarray::{Array, Dimension};
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Plain<'a> {
        shape: Vec<usize>,
        #[serde(borrow, with = "serde_bytes")]
        bytes: &'a [u8],
    }

    pub(crate) fn serialize<D: Dimension, S: Serializer>(
        array: &Array<u8, D>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let dense = array.as_standard_layout();
        let bytes = dense.as_slice().unwrap_or_default();
        Plain { shape: array.shape().to_vec(), bytes }.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Dimension, De: Deserializer<'de>>(
        deserializer: De,
    ) -> Result<Array<u8, D>, De::Error> {
        let Plain { shape, bytes } = Plain::deserialize(deserializer)?;
        let array = Array::from_shape_vec(shape, bytes.to_vec()).map_err(De::Error::custom)?;
        array.into_dimensionality().map_err(De::Error::custom)
    }
}
