//! Compiles the C++ shim against libtorch, lets programs find libtorch's libraries, and writes the C header.

use std::path::PathBuf;
use std::{env, io};

/// The files of the C interface, in the order of the header: that of use.
const INTERFACE: [&str; 18] = [
    "version",
    "error",
    "pipeline_options",
    "pipeline",
    "lora",
    "textual_inversion",
    "adapters",
    "conditioning",
    "scheduler",
    "scheduler_levels",
    "request",
    "request_beginning",
    "job",
    "image",
    "image_edit",
    "latents",
    "embeddings",
    "names",
];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=src/shim");
    write_header()?;
    if env::var_os("CARGO_FEATURE_DOC_ONLY").is_some() {
        return Ok(());
    }
    compile_shim();
    shape_shared_library();
    // What is run where it was built; dependents call `sdxl_build::link` themselves.
    for target in ["tests", "examples", "benches"] {
        println!("cargo::rustc-link-arg-{target}=-Wl,-rpath,{}", sdxl_build::lib().display());
    }
    // The worker looks where the library looks; where it was built, that is Cargo's business.
    println!("cargo::rustc-link-arg-bins=-Wl,-rpath,$ORIGIN:$ORIGIN/sdxl:{}", sdxl_build::lib().display());
    link_into_target()
}

fn compile_shim() {
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .files(["src/shim/torch_ext.cpp", "src/shim/threads.cpp", "src/shim/winograd.cpp"])
        .include(sdxl_build::include())
        .flag("-D_GLIBCXX_USE_CXX11_ABI=1")
        // In every profile: the convolutions live on what the compiler vectorises.
        .opt_level(3)
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

/// `libsdxl.so` looks for libtorch beside itself, or in a folder `sdxl` there, wherever it lies.
fn shape_shared_library() {
    let soname =
        format!("libsdxl.so.{}.{}", env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"));
    if cfg!(target_os = "linux") {
        let options = [
            &format!("-soname,{soname}"),
            "-rpath,$ORIGIN:$ORIGIN/sdxl",
            // libtorch does not survive being unloaded.
            "-z,nodelete",
            // What other crates export to C is nobody's business.
            "--exclude-libs,ALL",
        ];
        for option in options {
            println!("cargo::rustc-cdylib-link-arg=-Wl,{option}");
        }
    }
}

/// Writes `sdxl.h` into the build folder. A test compares it with `include/sdxl.h`.
fn write_header() -> io::Result<()> {
    println!("cargo::rerun-if-changed=src/ffi");
    println!("cargo::rerun-if-changed=cbindgen.toml");
    let target = env::var_os("OUT_DIR").map(|folder| PathBuf::from(folder).join("sdxl.h"));
    let mut config = cbindgen::Config::from_file("cbindgen.toml").map_err(io::Error::other)?;
    let version = env!("CARGO_PKG_VERSION");
    let [major, minor, patch] =
        [env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"), env!("CARGO_PKG_VERSION_PATCH")];
    config.after_includes = Some(format!(
        "\n/// The version that this header belongs to; sdxl_version() is that of the library.\n\
         #define SDXL_VERSION \"{version}\"\n#define SDXL_VERSION_MAJOR {major}\n\
         #define SDXL_VERSION_MINOR {minor}\n#define SDXL_VERSION_PATCH {patch}"
    ));
    let builder = INTERFACE.iter().fold(cbindgen::Builder::new().with_config(config), |builder, name| {
        builder.with_src(format!("src/ffi/{name}.rs"))
    });
    let header = builder.generate().map_err(io::Error::other)?;
    if let Some(target) = target {
        header.write_to_file(target);
    }
    Ok(())
}
