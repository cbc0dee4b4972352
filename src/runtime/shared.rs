//! [`Shared`]: one set of weights, read by many pipelines on many threads.
#![expect(unsafe_code, reason = "tch's Tensor is not Sync; weights that nobody changes may be shared")]

use std::ops::Deref;
use std::sync::Arc;

/// A reference-counted set of loaded weights.
///
/// tch leaves `Sync` off `Tensor`, because some of its methods change the tensor through `&self`. A model
/// behind `Shared` only ever gives out `&T`, and no `forward` writes into its parameters: libtorch reads
/// a tensor from several threads without a race, its reference counts are atomic.
pub(crate) struct Shared<T>(Arc<T>);

// SAFETY: the value is never handed out mutably and its tensors are only read (see the type).
unsafe impl<T> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
