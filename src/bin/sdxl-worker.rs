//! The process of an isolated pipeline. `libsdxl.so` starts it; it is nothing to be called by hand.

use std::process::ExitCode;

fn main() -> ExitCode {
    sdxl::isolation::serve()
}
