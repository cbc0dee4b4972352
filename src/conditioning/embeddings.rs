//! [`TextEmbeddings`]: encoded text.

use std::path::Path;

use ndarray::{Array2, Array3, ArrayView2, ArrayView3};
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::error::{Error, Result};
use crate::host::{Element, Held, Plain};
use crate::weights::{read_held, save_held};

/// Text as the UNet sees it: kept to encode a prompt once, or made elsewhere.
/// A clone shares the numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TextEmbeddings {
    pub(crate) context: Held,
    pub(crate) pooled: Held,
}

impl TextEmbeddings {
    /// From tensors `context` `(B, tokens, cross_attention_dim)` and `pooled` `(B, projection_dim)`; one row
    /// serves all pictures of a request.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the shapes do not go together.
    pub fn new(context: Tensor, pooled: Tensor) -> Result<Self> {
        Self::held(context.into(), pooled.into())
    }

    fn held(context: Held, pooled: Held) -> Result<Self> {
        let (found, shape) = (context.shape(), pooled.shape());
        match (found.as_slice(), shape.as_slice()) {
            (&[rows, tokens, _], &[pooled_rows, _]) if rows == pooled_rows && rows > 0 && tokens > 0 => {
                Ok(Self { context, pooled })
            }
            _ => Err(Error::invalid(
                "embeddings",
                format!("shapes {found:?} and {shape:?}"),
                "(B, tokens, width) and (B, width)",
            )),
        }
    }

    /// From host arrays of f32, `half::f16` or `half::bf16`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_arrays<T: Element>(context: ArrayView3<'_, T>, pooled: ArrayView2<'_, T>) -> Result<Self> {
        Self::held(Plain::of_view(&context)?.into(), Plain::of_view(&pooled)?.into())
    }

    /// The text, token by token: `(B, tokens, cross_attention_dim)`.
    pub fn context<T: Element>(&self) -> Result<Array3<T>> {
        self.context.to_array()
    }

    /// The text in one vector: `(B, projection_dim)`.
    pub fn pooled<T: Element>(&self) -> Result<Array2<T>> {
        self.pooled.to_array()
    }

    /// Reads the tensors `context` and `pooled` of a safetensors file.
    ///
    /// # Errors
    /// [`Error::File`] where the file is invalid or lacks one of them; [`Error::Invalid`] for shapes that do not go
    /// together.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::held(read_held(path, "context")?, read_held(path, "pooled")?)
    }

    /// Saves a safetensors file with the tensors `context` and `pooled`, in f32 unless they have 16 bits.
    ///
    /// # Errors
    /// [`Error::Io`] where the folder cannot be written to.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        save_held(path.as_ref(), &[("context", &self.context), ("pooled", &self.pooled)])
    }

    /// Zeros of the same shape: what an absent negative prompt is in models that ask for it.
    pub fn zeros_like(&self) -> Result<Self> {
        Ok(Self { context: self.context.zeros_like()?, pooled: self.pooled.zeros_like()? })
    }
}
