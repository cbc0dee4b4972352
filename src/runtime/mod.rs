//! The ground that everything stands on: devices, compute types, and libtorch behind safe functions.

mod device;
pub(crate) mod files;
pub(crate) mod memory;
mod numbers;
mod shared;
pub(crate) mod shim;
pub(crate) mod upload;
mod worker;

use std::sync::atomic::{AtomicUsize, Ordering};

pub use device::{Device, Precision};
pub use memory::MemoryFile;
pub(crate) use numbers::{Numbers, number};
pub(crate) use shared::{ReadOnly, Shared};
pub(crate) use worker::{Worker, locked};

use crate::error::{Error, Result};

/// What was set; 0 for nothing.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// The number of threads that [`set_threads`] has set, if it has.
pub(crate) fn threads() -> Option<usize> {
    Some(THREADS.load(Ordering::Relaxed)).filter(|&threads| threads > 0)
}

/// Sets the number of CPU threads of libtorch, for the whole process. Default: all cores.
///
/// # Errors
/// [`Error::Invalid`] unless it is 1 to 1024.
pub fn set_threads(threads: usize) -> Result<()> {
    match i32::try_from(threads) {
        Ok(count @ 1..=1024) => {
            THREADS.store(threads, Ordering::Relaxed);
            // Otherwise `shim::load` does it.
            if shim::is_loaded() {
                tch::set_num_threads(count);
            }
            Ok(())
        }
        _ => Err(Error::invalid("threads", threads, "1 to 1024")),
    }
}

/// Turns gradients off on this thread until the guard is dropped, also when a panic unwinds.
pub(crate) fn no_grad() -> tch::NoGradGuard {
    tch::no_grad_guard()
}
