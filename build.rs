//! Compiles the C++ shim, and tells our own and our users' binaries where libtorch lies.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-changed=src/shim");
    if env::var_os("CARGO_FEATURE_DOC_ONLY").is_some() {
        return;
    }
    // Set by torch-sys, which has found libtorch or failed before us.
    let lib = env::var("DEP_TCH_LIBTORCH_LIB").expect("torch-sys names the folder of libtorch's libraries");
    compile_shim(&lib);
    // Reaches our own tests, examples and libsdxl.so, but no dependent: those read the metadata.
    println!("cargo::rustc-link-arg=-Wl,-rpath,{lib}");
    println!("cargo::metadata=libtorch_lib={lib}");
}

fn compile_shim(lib: &str) {
    println!("cargo::rerun-if-env-changed=LIBTORCH_INCLUDE");
    let root = env::var_os("LIBTORCH_INCLUDE")
        .filter(|_| env::var_os("LIBTORCH_USE_PYTORCH").is_none())
        .map_or_else(|| PathBuf::from(lib).join(".."), PathBuf::from);
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .file("src/shim/torch_ext.cpp")
        .include(root.join("include"))
        .flag("-D_GLIBCXX_USE_CXX11_ABI=1")
        // libtorch's headers are not ours to mend.
        .flag_if_supported("-Wno-unused-parameter")
        .compile("sdxl_shim");
}
