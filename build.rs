//! Lets `libsdxl.so` load libtorch when it is needed, and programs find it; writes the C header.

use std::fmt::Write;
use std::path::PathBuf;
use std::{env, fs, io};

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
    write_header()?;
    if env::var_os("CARGO_FEATURE_DOC_ONLY").is_some() {
        return Ok(());
    }
    // Cargo gives these options to the shared libraries of dependents, too, which are not to be like ours: hence they are
    // for what is built here, where `.cargo/config.toml` says so.
    println!("cargo::rerun-if-env-changed=SDXL_SHARED_LIBRARY");
    if cfg!(target_os = "linux") && env::var_os("SDXL_SHARED_LIBRARY").is_some() {
        shape_shared_library();
        load_libtorch_lazily()?;
    }
    // What is run where it was built; dependents call `sdxl_build::link` themselves.
    for target in ["tests", "examples", "benches"] {
        println!("cargo::rustc-link-arg-{target}=-Wl,-rpath,{}", sdxl_build::lib().display());
    }
    // The worker looks where the library looks; where it was built, that is Cargo's business.
    println!("cargo::rustc-link-arg-bins=-Wl,-rpath,$ORIGIN:$ORIGIN/sdxl:{}", sdxl_build::lib().display());
    link_into_target()
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
    let options = [
        &format!("-soname,{soname}"),
        "-rpath,$ORIGIN:$ORIGIN/sdxl",
        // libtorch does not survive being unloaded.
        "-z,nodelete",
        // What other crates export to C is nobody's business.
        "--exclude-libs,ALL",
    ];
    for option in options {
        println!("cargo::rustc-link-arg-cdylib=-Wl,{option}");
    }
}

/// `libsdxl.so` calls no function of libtorch but through `src/lazy`. The linker keeps the initialisers of the C++ files
/// that it does without, which need libstdc++, and nothing else of them. On other systems it is linked with
/// libtorch as a Rust program is.
fn load_libtorch_lazily() -> io::Result<()> {
    println!("cargo::rerun-if-changed=src/lazy");
    let target = |name| env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let is_possible = target("OS") == "linux" && target("ARCH") == "x86_64" && target("ENV") == "gnu";
    if !is_possible {
        return Ok(());
    }
    let list = PathBuf::from(env::var_os("DEP_SDXL_TORCH_FUNCTIONS").unwrap_or_default());
    println!("cargo::rerun-if-changed={}", list.display());
    let folder = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let (mut calls, mut options) = (String::new(), String::new());
    // Those two are never jumped to, but have their own meaning here.
    for name in ["sdxl_shim_load", "sdxl_shim_is_loaded"] {
        let _ = writeln!(options, "-Wl,--wrap={name}");
    }
    for (index, name) in fs::read_to_string(list)?.lines().enumerate() {
        let _ = writeln!(calls, "FUNCTION({index}, {name})");
        let _ = writeln!(options, "-Wl,--wrap={name}");
    }
    fs::write(folder.join("functions.inc"), calls)?;
    fs::write(folder.join("wrapped"), options)?;
    cc::Build::new()
        .files(["src/lazy/libtorch.c", "src/lazy/calls.S"])
        .include(&folder)
        .define("VERSION", format!("{:?}", env!("CARGO_PKG_VERSION")).as_str())
        .cargo_metadata(false)
        .compile("sdxl_lazy");
    println!("cargo::rustc-link-arg-cdylib={}", folder.join("libsdxl_lazy.a").display());
    println!("cargo::rustc-link-arg-cdylib=@{}", folder.join("wrapped").display());
    Ok(())
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
