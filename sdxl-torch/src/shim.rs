//! The functions of `shim/`, whose headers document them. Those that return a `c_int` return 0, or 1 and then
//! `sdxl_shim_error` has the text.

use std::ffi::{c_char, c_int, c_void};

/// A generator of random numbers.
#[repr(C)]
pub struct Generator {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    pub fn sdxl_shim_load() -> *const c_char;
    pub fn sdxl_shim_is_loaded() -> c_int;
    pub fn sdxl_shim_error() -> *const c_char;
    pub fn sdxl_shim_generator_new(seed: u64, out: *mut *mut Generator) -> c_int;
    pub fn sdxl_shim_generator_free(generator: *mut Generator);
    pub fn sdxl_shim_randn(
        generator: *mut Generator,
        sizes: *const i64,
        rank: usize,
        out: *mut *mut c_void,
    ) -> c_int;
    pub fn sdxl_shim_load_cuda() -> c_int;
    pub fn sdxl_shim_grad_enabled() -> c_int;
    pub fn sdxl_shim_trim();
    pub fn sdxl_shim_autocast(cuda: c_int, enter: c_int) -> c_int;
    pub fn sdxl_shim_winograd(
        x: *const c_void,
        weight: *const c_void,
        bias: *const c_void,
        rows: i64,
        columns: i64,
        scratch: *mut c_void,
        out: *mut *mut c_void,
    ) -> c_int;
}
