//! [`Held`]: numbers from elsewhere, of which there is a tensor once one is asked for.

use std::iter::repeat_n;
use std::sync::{Arc, OnceLock};

use half::{bf16, f16};
use ndarray::{Array, ArrayView, Dimension};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tch::{Kind, Tensor};

use super::{Element, array_from, array_of};
use crate::error::{Error, Result};
use crate::runtime::upload::{FillError, bytes_of, tensor_filled};
use crate::runtime::{Precision, shim};

/// Numbers of a shape. Those that come from a file, from the caller or from another process stay plain bytes until a
/// tensor of them is needed: a process that only hands them on does without libtorch.
#[derive(Debug)]
pub(crate) struct Held {
    /// What the tensor is made of; `None` where it was there first.
    plain: Option<Arc<Plain>>,
    tensor: OnceLock<Tensor>,
}

/// Numbers in row-major order, as they lie in memory.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) precision: Precision,
    pub(crate) shape: Vec<i64>,
    pub(crate) bytes: Vec<u8>,
}

impl Plain {
    /// Numbers that fill a shape.
    ///
    /// # Errors
    /// [`Error::Invalid`] where there are more or fewer.
    pub(crate) fn new(precision: Precision, shape: Vec<i64>, bytes: Vec<u8>) -> Result<Self> {
        let size = precision.kind().elt_size_in_bytes() as i64;
        let expected = shape.iter().try_fold(size, |product, &side| product.checked_mul(side));
        if expected != i64::try_from(bytes.len()).ok() || shape.iter().any(|&side| side < 0) {
            let expected = format!("as many as a tensor of shape {shape:?} has");
            return Err(Error::invalid("tensor", format!("{} bytes", bytes.len()), expected));
        }
        Ok(Self { precision, shape, bytes })
    }

    /// The numbers of a view, in f32.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(crate) fn of_view<T: Element, D: Dimension>(view: &ArrayView<'_, T, D>) -> Result<Self> {
        let shape = view.shape().iter().map(|&size| size as i64).collect();
        Ok(Self {
            precision: Precision::F32,
            shape,
            bytes: bytes_of_values(view.iter().map(|x| x.to_f32()))?,
        })
    }

    /// The numbers of a tensor of floats; what is not of 16 bits becomes f32.
    pub(crate) fn of_tensor(tensor: &Tensor) -> Result<Self> {
        let precision = match tensor.f_kind()? {
            Kind::Half => Precision::F16,
            Kind::BFloat16 => Precision::Bf16,
            _ => Precision::F32,
        };
        let bytes = bytes_of(&tensor.f_to_kind(precision.kind())?)?;
        Ok(Self { precision, shape: tensor.size(), bytes })
    }

    /// A new tensor on the CPU.
    ///
    /// # Errors
    /// [`Error::Torch`] where libtorch cannot be loaded, or has no memory for it.
    pub(crate) fn tensor(&self) -> Result<Tensor> {
        shim::load()?;
        let fill = |memory: &mut [u8]| {
            memory.copy_from_slice(&self.bytes);
            Ok(())
        };
        tensor_filled(&self.shape, self.precision.kind(), fill).map_err(|error| match error {
            FillError::Io(source) => Error::Internal { reason: source.to_string() },
            FillError::Torch(error) => error,
        })
    }

    /// The numbers, each in f32.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(crate) fn values(&self) -> Result<Vec<f32>> {
        let pairs = self.bytes.as_chunks().0.iter().copied();
        match self.precision {
            Precision::F32 => reserved(self.bytes.as_chunks().0.iter().copied().map(f32::from_le_bytes)),
            Precision::F16 => reserved(pairs.map(|pair| f16::from_le_bytes(pair).to_f32())),
            Precision::Bf16 => reserved(pairs.map(|pair| bf16::from_le_bytes(pair).to_f32())),
        }
    }

    fn to_f32(&self) -> Result<Self> {
        let bytes = bytes_of_values(self.values()?.into_iter())?;
        Ok(Self { precision: Precision::F32, shape: self.shape.clone(), bytes })
    }
}

/// All values, for which there is room or an error.
fn reserved<T>(values: impl ExactSizeIterator<Item = T>) -> Result<Vec<T>> {
    let mut all = Vec::new();
    all.try_reserve_exact(values.len())
        .map_err(|_| Error::OutOfMemory { bytes: values.len() * size_of::<T>() })?;
    all.extend(values);
    Ok(all)
}

fn bytes_of_values(values: impl ExactSizeIterator<Item = f32>) -> Result<Vec<u8>> {
    Ok(reserved(values.map(f32::to_le_bytes))?.into_flattened())
}

impl Held {
    pub(crate) fn shape(&self) -> Vec<i64> {
        match (&self.plain, self.tensor.get()) {
            (Some(plain), _) => plain.shape.clone(),
            (None, tensor) => tensor.map(Tensor::size).unwrap_or_default(),
        }
    }

    /// The tensor, on the CPU unless it was made from one.
    ///
    /// # Errors
    /// [`Error::Torch`] where libtorch cannot be loaded, or has no memory for it.
    pub(crate) fn tensor(&self) -> Result<&Tensor> {
        if let (None, Some(plain)) = (self.tensor.get(), &self.plain) {
            // Another thread may be first; then this one goes.
            let _ = self.tensor.set(plain.tensor()?);
        }
        self.tensor.get().ok_or_else(|| Error::Internal { reason: "numbers that nobody has".into() })
    }

    /// The numbers as they lie in memory.
    pub(crate) fn plain(&self) -> Result<Arc<Plain>> {
        match &self.plain {
            Some(plain) => Ok(Arc::clone(plain)),
            None => Plain::of_tensor(self.tensor()?).map(Arc::new),
        }
    }

    /// A host array; 16-bit types are rounded to.
    pub(crate) fn to_array<T: Element, D: Dimension>(&self) -> Result<Array<T, D>> {
        let Some(plain) = &self.plain else { return array_from(self.tensor()?) };
        array_of(&plain.shape, reserved(plain.values()?.into_iter().map(T::from_f32))?)
    }

    /// Zeros of the same shape and type.
    pub(crate) fn zeros_like(&self) -> Result<Self> {
        match &self.plain {
            Some(plain) => {
                let bytes = reserved(repeat_n(0, plain.bytes.len()))?;
                Ok(Plain { precision: plain.precision, shape: plain.shape.clone(), bytes }.into())
            }
            None => Ok(Self::from(self.tensor()?.f_zeros_like()?)),
        }
    }

    /// The same in f32.
    pub(crate) fn into_f32(self) -> Result<Self> {
        match self.plain {
            Some(plain) if plain.precision != Precision::F32 => plain.to_f32().map(Self::from),
            Some(plain) => Ok(Self { plain: Some(plain), tensor: self.tensor }),
            None => Ok(Self::from(self.tensor()?.f_to_kind(Kind::Float)?)),
        }
    }
}

impl From<Plain> for Held {
    fn from(plain: Plain) -> Self {
        Self { plain: Some(Arc::new(plain)), tensor: OnceLock::new() }
    }
}

impl From<Tensor> for Held {
    fn from(tensor: Tensor) -> Self {
        Self { plain: None, tensor: tensor.into() }
    }
}

impl Clone for Held {
    /// The numbers are shared, not copied.
    fn clone(&self) -> Self {
        let tensor = self.tensor.get().map(Tensor::shallow_clone);
        Self { plain: self.plain.clone(), tensor: tensor.map(OnceLock::from).unwrap_or_default() }
    }
}

/// How it travels: bytes as one piece.
#[derive(Serialize, Deserialize)]
struct Message<'a> {
    precision: Precision,
    shape: Vec<i64>,
    #[serde(borrow, with = "serde_bytes")]
    bytes: &'a [u8],
}

impl Serialize for Held {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let plain = self.plain().map_err(S::Error::custom)?;
        Message { precision: plain.precision, shape: plain.shape.clone(), bytes: &plain.bytes }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Held {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Message { precision, shape, bytes } = Message::deserialize(deserializer)?;
        Plain::new(precision, shape, bytes.to_vec()).map(Self::from).map_err(D::Error::custom)
    }
}
