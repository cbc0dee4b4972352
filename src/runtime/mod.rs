//! The ground that everything stands on: devices, compute types, and libtorch behind safe functions.

mod device;
pub(crate) mod files;
pub(crate) mod interrupt;
pub(crate) mod memory;
mod numbers;
mod shared;
pub(crate) mod shim;
pub(crate) mod upload;
mod worker;

use std::sync::Mutex;

pub use device::{Device, Precision};
pub use memory::MemoryFile;
pub(crate) use numbers::{Numbers, number};
pub(crate) use shared::{ReadOnly, Shared};
pub(crate) use worker::{Worker, locked};

use crate::error::{Error, Result};

/// What [`set_threads`] was told, and whether libtorch has still to be told.
struct Threads {
    count: Option<i32>,
    is_deferred: bool,
}

static THREADS: Mutex<Threads> = Mutex::new(Threads { count: None, is_deferred: false });

/// The number of threads that [`set_threads`] has set, if it has.
pub(crate) fn threads() -> Option<usize> {
    locked(&THREADS).count.and_then(|count| usize::try_from(count).ok())
}

/// Sets the number of CPU threads of libtorch, for the whole process. Default: all cores.
///
/// # Errors
/// [`Error::Invalid`] unless it is 1 to 1024.
pub fn set_threads(threads: usize) -> Result<()> {
    match i32::try_from(threads) {
        Ok(count @ 1..=1024) => {
            let mut threads = locked(&THREADS);
            *threads = Threads { count: Some(count), is_deferred: true };
            if shim::is_loaded() {
                threads.tell_libtorch();
            }
            Ok(())
        }
        _ => Err(Error::invalid("threads", threads, "1 to 1024")),
    }
}

impl Threads {
    fn tell_libtorch(&mut self) {
        if let Some(count) = self.count.filter(|_| self.is_deferred) {
            tch::set_num_threads(count);
            self.is_deferred = false;
        }
    }
}

/// Turns gradients off on this thread until the guard is dropped, also when a panic unwinds.
pub(crate) fn no_grad() -> tch::NoGradGuard {
    tch::no_grad_guard()
}
