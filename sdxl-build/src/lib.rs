//! Where libtorch lies, for the build scripts of programs that use the crate `sdxl`.
//!
//! `cargo run` and `cargo test` need nothing of this. A program that is also started by other means finds
//! libtorch through a build script of one line, in a crate with `sdxl-build` among its build dependencies:
//!
//! ```no_run
//! # #![allow(clippy::needless_doctest_main, reason = "it is the whole script")]
//! fn main() {
//!     sdxl_build::link();
//! }
//! ```

use std::path::Path;

/// Lets the programs of this package look for libtorch where it lies now (as `RUNPATH`, on Unix).
pub fn link() {
    if cfg!(unix) {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{}", lib().display());
    }
}

/// The folder of libtorch's headers. Empty with the feature `doc-only`.
pub fn include() -> &'static Path {
    Path::new(option_env!("SDXL_LIBTORCH_INCLUDE").unwrap_or_default())
}

/// The folder of libtorch's libraries. Empty with the feature `doc-only`.
pub fn lib() -> &'static Path {
    Path::new(option_env!("SDXL_LIBTORCH_LIB").unwrap_or_default())
}
