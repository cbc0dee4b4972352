//! `sdxl_status`, the last error of a thread, and the boundary that no panic crosses.

use std::any::Any;
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Error, ErrorKind};
use crate::runtime::interrupt::Busy;

/// How a call ended. 0 is success. Numbers are never reused; later versions may add some.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum sdxl_status {
    /// Success.
    SDXL_STATUS_OK = 0,

    /// A handle is zero, freed, of another type, or none of this library.
    SDXL_STATUS_INVALID_HANDLE = 100,
    /// A pointer is NULL that must not be.
    SDXL_STATUS_NULL_POINTER = 101,
    /// A text is not UTF-8.
    SDXL_STATUS_INVALID_TEXT = 102,
    /// The `struct_size` of a struct is none of this library's versions.
    SDXL_STATUS_INVALID_STRUCT_SIZE = 103,
    /// A buffer is too small; nothing was written into it.
    SDXL_STATUS_BUFFER_TOO_SMALL = 104,

    /// A value is outside its range. The message names it and the range.
    SDXL_STATUS_INVALID_VALUE = 200,
    /// The model lacks a part that the request needs.
    SDXL_STATUS_MISSING_PART = 201,

    /// A file cannot be read or written.
    SDXL_STATUS_IO = 300,
    /// A file was read, but its content is not what it should be.
    SDXL_STATUS_INVALID_FILE = 301,
    /// A checkpoint does not fit its model. The message lists every difference.
    SDXL_STATUS_INVALID_CHECKPOINT = 302,
    /// A LoRA is broken or not of this model. The message lists every difference.
    SDXL_STATUS_INVALID_LORA = 303,

    /// The device does not exist, or cannot do what is asked of it.
    SDXL_STATUS_DEVICE = 400,
    /// The machine or the device has no memory left. What was there before still works.
    SDXL_STATUS_OUT_OF_MEMORY = 401,
    /// libtorch reported an error, or cannot be loaded: the message names the library that is missing.
    SDXL_STATUS_LIBTORCH = 402,

    /// The weights, or the type that is computed in, gave numbers that are not finite.
    SDXL_STATUS_NON_FINITE = 500,

    /// The job was cancelled.
    SDXL_STATUS_CANCELLED = 600,
    /// The job has not finished yet.
    SDXL_STATUS_UNFINISHED = 601,

    /// The worker process of an isolated pipeline died or cannot be started. The next job starts another one.
    SDXL_STATUS_WORKER = 700,

    /// An error of the library itself: please report it. All objects can still be used and freed.
    SDXL_STATUS_INTERNAL = 900,
    /// The process is a fork of the one that used the library first, which libtorch does not survive.
    SDXL_STATUS_FORKED = 901,
}

use sdxl_status::*;

impl sdxl_status {
    /// The names of all of them.
    const NAMES: &[(Self, &CStr)] = &[
        (SDXL_STATUS_OK, c"SDXL_STATUS_OK"),
        (SDXL_STATUS_INVALID_HANDLE, c"SDXL_STATUS_INVALID_HANDLE"),
        (SDXL_STATUS_NULL_POINTER, c"SDXL_STATUS_NULL_POINTER"),
        (SDXL_STATUS_INVALID_TEXT, c"SDXL_STATUS_INVALID_TEXT"),
        (SDXL_STATUS_INVALID_STRUCT_SIZE, c"SDXL_STATUS_INVALID_STRUCT_SIZE"),
        (SDXL_STATUS_BUFFER_TOO_SMALL, c"SDXL_STATUS_BUFFER_TOO_SMALL"),
        (SDXL_STATUS_INVALID_VALUE, c"SDXL_STATUS_INVALID_VALUE"),
        (SDXL_STATUS_MISSING_PART, c"SDXL_STATUS_MISSING_PART"),
        (SDXL_STATUS_IO, c"SDXL_STATUS_IO"),
        (SDXL_STATUS_INVALID_FILE, c"SDXL_STATUS_INVALID_FILE"),
        (SDXL_STATUS_INVALID_CHECKPOINT, c"SDXL_STATUS_INVALID_CHECKPOINT"),
        (SDXL_STATUS_INVALID_LORA, c"SDXL_STATUS_INVALID_LORA"),
        (SDXL_STATUS_DEVICE, c"SDXL_STATUS_DEVICE"),
        (SDXL_STATUS_OUT_OF_MEMORY, c"SDXL_STATUS_OUT_OF_MEMORY"),
        (SDXL_STATUS_LIBTORCH, c"SDXL_STATUS_LIBTORCH"),
        (SDXL_STATUS_NON_FINITE, c"SDXL_STATUS_NON_FINITE"),
        (SDXL_STATUS_CANCELLED, c"SDXL_STATUS_CANCELLED"),
        (SDXL_STATUS_UNFINISHED, c"SDXL_STATUS_UNFINISHED"),
        (SDXL_STATUS_WORKER, c"SDXL_STATUS_WORKER"),
        (SDXL_STATUS_INTERNAL, c"SDXL_STATUS_INTERNAL"),
        (SDXL_STATUS_FORKED, c"SDXL_STATUS_FORKED"),
    ];

    pub(super) fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Io => SDXL_STATUS_IO,
            ErrorKind::File => SDXL_STATUS_INVALID_FILE,
            ErrorKind::Checkpoint => SDXL_STATUS_INVALID_CHECKPOINT,
            ErrorKind::Lora => SDXL_STATUS_INVALID_LORA,
            ErrorKind::Invalid => SDXL_STATUS_INVALID_VALUE,
            ErrorKind::Missing => SDXL_STATUS_MISSING_PART,
            ErrorKind::NonFinite => SDXL_STATUS_NON_FINITE,
            ErrorKind::Device => SDXL_STATUS_DEVICE,
            ErrorKind::OutOfMemory => SDXL_STATUS_OUT_OF_MEMORY,
            ErrorKind::Torch => SDXL_STATUS_LIBTORCH,
            ErrorKind::Cancelled => SDXL_STATUS_CANCELLED,
            ErrorKind::Unfinished => SDXL_STATUS_UNFINISHED,
            ErrorKind::Worker => SDXL_STATUS_WORKER,
            ErrorKind::Internal => SDXL_STATUS_INTERNAL,
        }
    }
}

/// Why a call failed.
pub(super) struct Failure {
    pub(super) status: sdxl_status,
    pub(super) message: String,
}

pub(super) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    pub(super) fn new(status: sdxl_status, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(sdxl_status::of(&error), error.to_string())
    }
}

thread_local! {
    static LAST_ERROR: RefCell<CString> = RefCell::default();
}

/// Runs the body of a function: errors and panics become its status, and the message of this thread.
pub(super) fn guard(body: impl FnOnce() -> Outcome) -> sdxl_status {
    let guarded = catch_unwind(AssertUnwindSafe(|| {
        check_process()?;
        let _busy = Busy::new();
        body()
    }));
    let failure = match guarded {
        Ok(Ok(())) => return SDXL_STATUS_OK,
        Ok(Err(failure)) => failure,
        Err(panic) => {
            let status = SDXL_STATUS_INTERNAL;
            // Dropping what a panic carries may panic again.
            let dropped = catch_unwind(AssertUnwindSafe(|| drop::<Box<dyn Any + Send>>(panic)));
            std::mem::forget(dropped);
            Failure::new(status, "internal error: a panic, whose text is on standard error")
        }
    };
    remember(&failure.message);
    failure.status
}

fn remember(message: &str) {
    let text = CString::new(message.replace('\0', "\u{fffd}")).unwrap_or_default();
    // A thread that is ending has no message any more.
    let _ = LAST_ERROR.try_with(|last| *last.borrow_mut() = text);
}

/// libtorch's threads and locks do not live on in a forked process.
fn check_process() -> Outcome {
    static FIRST: AtomicU32 = AtomicU32::new(0);
    let this = std::process::id();
    match FIRST.compare_exchange(0, this, Ordering::Relaxed, Ordering::Relaxed) {
        Err(first) if first != this => Err(Failure::new(
            SDXL_STATUS_FORKED,
            format!(
                "process {this} is a fork of {first}, which used the library before: start a new program instead"
            ),
        )),
        _ => Ok(()),
    }
}

/// The message of the last call on this thread that failed: what was expected, what was found, and where.
///
/// Returns UTF-8 that is valid until the next failing call on the same thread; "" where none has failed.
/// It belongs to the library: copy it, do not free it.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_last_error_message() -> *const c_char {
    LAST_ERROR.try_with(|last| last.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}

/// The name of a status, such as "SDXL_STATUS_OK".
///
/// - status: any number; "unknown" for one that this version does not have.
///
/// Returns a text that is valid forever.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_status_name(status: i32) -> *const c_char {
    let named = sdxl_status::NAMES.iter().find(|(value, _)| *value as i32 == status);
    named.map_or(c"unknown", |(_, name)| name).as_ptr()
}
