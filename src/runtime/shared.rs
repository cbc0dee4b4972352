//! [`Shared`]: one set of weights, read by many pipelines on many threads.
#![expect(unsafe_code, reason = "tch's Tensor is not Sync; weights that nobody changes may be shared")]

use std::ops::Deref;
use std::sync::Arc;

/// A reference-counted set of loaded weights.
pub(crate) struct Shared<T>(Arc<T>);

/// Values that several threads may read at once although they hold tensors.
///
/// tch leaves `Sync` off `Tensor`, because some of its methods change the tensor through `&self`. libtorch itself
/// reads a tensor from several threads without a race, its reference counts are atomic.
///
/// # Safety
/// No method that takes `&self` writes into a tensor, and all that is no tensor is `Send` and `Sync`.
pub(crate) unsafe trait ReadOnly {}

// SAFETY: the value is never handed out mutably, and the trait says that it is only read.
unsafe impl<T: ReadOnly> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: ReadOnly> Sync for Shared<T> {}

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
