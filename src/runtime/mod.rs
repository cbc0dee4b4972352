//! The ground that everything stands on: devices, compute types, and libtorch behind safe functions.

mod device;
mod shared;
pub(crate) mod shim;

pub use device::{Device, Precision};
pub(crate) use shared::Shared;

/// Turns gradients off on this thread until the guard is dropped, also when a panic unwinds.
pub(crate) fn no_grad() -> tch::NoGradGuard {
    tch::no_grad_guard()
}
