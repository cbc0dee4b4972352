//! What the crate `sdxl` calls of libtorch, as C functions: torch-sys's, and those of our shim that tch lacks.
//!
//! Rust programs link all of it. `libsdxl.so` does not: it has the functions of `functions.txt` as jumps, which load this
//! crate's shared library, `libsdxl_torch.so`, when libtorch is first needed. So a program can use `libsdxl.so` where
//! libtorch is not there, or must not be, and is told what is missing where it is needed.
//!
//! Nothing here is meant for other crates.
#![allow(unsafe_code, reason = "C functions")]
#![allow(missing_docs, reason = "the shim's headers have the documentation")]

// The functions of torch-sys are in the library that it brings.
use tch as _;

pub mod shim;

/// What `libsdxl.so` looks for, with a list of names by which it knows that both were made of the same one.
#[allow(non_upper_case_globals, reason = "C finds them by these names")]
#[allow(clashing_extern_declarations, reason = "here functions are addresses")]
mod table {
    include!(concat!(env!("OUT_DIR"), "/table.rs"));
}
