//! Compiles the C++ shim against libtorch, and lets programs find libtorch's libraries.

use std::path::PathBuf;
use std::{env, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=src/shim");
    if env::var_os("CARGO_FEATURE_DOC_ONLY").is_some() {
        return Ok(());
    }
    compile_shim();
    // Reaches our own tests, examples and libsdxl.so, but no dependent: those call this themselves.
    sdxl_build::link();
    link_into_target()
}

fn compile_shim() {
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .file("src/shim/torch_ext.cpp")
        .include(sdxl_build::include())
        .flag("-D_GLIBCXX_USE_CXX11_ABI=1")
        // libtorch's headers are not ours to mend.
        .flag_if_supported("-Wno-unused-parameter")
        .compile("sdxl_shim");
}

/// `cargo run` and `cargo test`, of dependents too, let the loader look where build scripts let the linker look,
/// but only inside the target folder. So a link in there leads to libtorch.
fn link_into_target() -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = env::var_os("OUT_DIR").map(PathBuf::from) {
        let link = folder.join("libtorch");
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(sdxl_build::lib(), &link)?;
        println!("cargo::rustc-link-search=native={}", link.display());
    }
    Ok(())
}
