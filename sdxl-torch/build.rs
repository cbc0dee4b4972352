//! Compiles the C++ shim against libtorch, and writes down the functions of `functions.txt` for `lib.rs`.

use std::fmt::Write;
use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=shim");
    println!("cargo::rerun-if-changed=functions.txt");
    let list = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("functions.txt");
    // The build script of sdxl makes what calls them.
    println!("cargo::metadata=functions={}", list.display());
    println!("cargo::rerun-if-env-changed=SDXL_SHARED_LIBRARY");
    if env::var_os("CARGO_FEATURE_DOC_ONLY").is_some() {
        return write_table("");
    }
    compile_shim();
    // Every shared library above exports the table and keeps what is in it. Only libsdxl.so hides it (build.rs of sdxl).
    if env::var_os("SDXL_SHARED_LIBRARY").is_none() {
        return write_table("");
    }
    // No options for the linker: Cargo gives those of shared libraries to all shared libraries above, too.
    write_table(&fs::read_to_string(list)?)
}

fn compile_shim() {
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .files(["shim/torch_ext.cpp", "shim/threads.cpp", "shim/winograd.cpp"])
        .include(sdxl_build::include())
        .flag("-D_GLIBCXX_USE_CXX11_ABI=1")
        // In every profile: the convolutions live on what the compiler vectorises.
        .opt_level(3)
        // libtorch's headers are not ours to mend.
        .flag_if_supported("-Wno-unused-parameter")
        .compile("sdxl_shim");
}

/// `table.rs`: the functions of the list, in its order.
fn write_table(list: &str) -> io::Result<()> {
    let target = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("table.rs");
    if list.is_empty() {
        return fs::write(target, "");
    }
    let (mut declared, mut table) = (String::new(), String::new());
    for name in list.lines() {
        let _ = writeln!(declared, "    fn {name}();");
        let _ = writeln!(table, "    {name},");
    }
    let count = list.lines().count();
    let names = format!("{}\n{list}\0", env!("CARGO_PKG_VERSION"));
    let table = format!(
        "/// The version, and the names, each on a line.\n\
         #[unsafe(no_mangle)]\n\
         pub static sdxl_torch_names: [u8; {}] = *b{:?};\n\n\
         unsafe extern \"C\" {{\n{declared}}}\n\n\
         /// The functions, in the order of [`sdxl_torch_names`].\n\
         #[unsafe(no_mangle)]\n\
         pub static sdxl_torch_functions: [unsafe extern \"C\" fn(); {count}] = [\n{table}];\n",
        names.len(),
        names
    );
    fs::write(target, table)
}
