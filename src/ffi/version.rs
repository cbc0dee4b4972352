//! Versions, and what concerns the whole process.

use std::ffi::{CStr, CString, c_char};
use std::sync::LazyLock;

use super::arguments::text;
use super::error::{guard, sdxl_status};
use crate::runtime::{self, Device};

/// The number of this interface. It grows when something is added, and functions that exist keep their meaning.
/// A program runs with every library whose sdxl_abi_version() is at least the SDXL_ABI_VERSION of its header.
pub const SDXL_ABI_VERSION: u32 = 1;

/// The number of the interface that the library has.
///
/// Returns SDXL_ABI_VERSION of the library's own header.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_abi_version() -> u32 {
    SDXL_ABI_VERSION
}

/// The version of the library: SDXL_VERSION of its own header, such as "0.1.0".
///
/// Returns a text that is valid forever.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_version() -> *const c_char {
    static VERSION: LazyLock<CString> =
        LazyLock::new(|| CString::new(env!("CARGO_PKG_VERSION")).unwrap_or_default());
    CStr::as_ptr(&VERSION)
}

/// Sets the number of threads that libtorch computes with on the CPU, for the whole process.
///
/// - threads: 1 to 1024. Default: all cores.
///
/// Any thread, before the first job. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_set_threads(threads: u32) -> sdxl_status {
    guard(|| Ok(runtime::set_threads(threads as usize)?))
}

/// Finds out whether a device is there.
///
/// - device: "cpu", "cuda" (the first one) or "cuda:N".
///
/// Returns SDXL_STATUS_DEVICE where it is not, and SDXL_STATUS_LIBTORCH where libtorch cannot be loaded; the message says
/// what is missing.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_check_device(device: *const c_char) -> sdxl_status {
    guard(|| Ok(text(device, "device")?.parse::<Device>()?.check()?))
}
