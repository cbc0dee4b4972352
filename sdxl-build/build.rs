//! Finds libtorch where torch-sys looks for it, or names the way to get it.
//!
//! The message of torch-sys itself cannot name our way. Cargo starts a job the earlier the more other jobs wait
//! for it: behind this one wait the build script of sdxl and, behind that, all that waits for torch-sys too.
//! Hence, where libtorch is missing, this script fails first (as long as sdxl has no direct dependency on
//! torch-sys), and Cargo stops.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// tch 0.24 is made for this version of libtorch and no other.
const VERSION: &str = "2.11.0";

struct Libtorch {
    include: PathBuf,
    lib: PathBuf,
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_DOC_ONLY").is_some() {
        return;
    }
    for name in [
        "LIBTORCH_USE_PYTORCH",
        "LIBTORCH",
        "LIBTORCH_INCLUDE",
        "LIBTORCH_LIB",
        "LIBTORCH_BYPASS_VERSION_CHECK",
    ] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    match find() {
        Ok(libtorch) => {
            println!("cargo::rustc-env=SDXL_LIBTORCH_INCLUDE={}", libtorch.include.display());
            println!("cargo::rustc-env=SDXL_LIBTORCH_LIB={}", libtorch.lib.display());
        }
        Err(problem) => println!("cargo::error={problem}. {}", fix()),
    }
}

fn find() -> Result<Libtorch, String> {
    let libtorch = if env::var_os("LIBTORCH_USE_PYTORCH").is_some() {
        let root = python().ok_or("LIBTORCH_USE_PYTORCH is set, but Python has no torch")?;
        Libtorch { include: root.join("include"), lib: root.join("lib") }
    } else {
        let system = || Path::new("/usr/lib/libtorch.so").exists().then(|| PathBuf::from("/usr"));
        let root = variable("LIBTORCH").or_else(system).ok_or("LIBTORCH is not set")?;
        let folder = |name, default| variable(name).unwrap_or_else(|| root.clone()).join(default);
        Libtorch { include: folder("LIBTORCH_INCLUDE", "include"), lib: folder("LIBTORCH_LIB", "lib") }
    };
    let header = libtorch.include.join("torch/headeronly/version.h");
    // Looks again when libtorch is gone or another one.
    println!("cargo::rerun-if-changed={}", header.display());
    let found = version(&header);
    if found.as_deref() == Some(VERSION) || env::var_os("LIBTORCH_BYPASS_VERSION_CHECK").is_some() {
        return Ok(libtorch);
    }
    let found = found.map_or("no libtorch".into(), |version| format!("libtorch {version}"));
    Err(format!("{} holds {found}", libtorch.include.display()))
}

/// The folder of the torch package of the Python that torch-sys asks.
fn python() -> Option<PathBuf> {
    let name = if env::var_os("VIRTUAL_ENV").is_some() { "python" } else { "python3" };
    let program = "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])";
    let output = Command::new(name).args(["-c", program]).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| path.trim_end().into())
}

/// What libtorch's headers say about themselves.
fn version(header: &Path) -> Option<String> {
    let header = fs::read_to_string(header).ok()?;
    let part = |name: &str| {
        let define = format!("#define TORCH_VERSION_{name} ");
        header.lines().find_map(|line| line.strip_prefix(&define).map(str::to_owned))
    };
    Some([part("MAJOR")?, part("MINOR")?, part("PATCH")?].join("."))
}

/// What to do about it: in a checkout of sdxl, and in a project that depends on sdxl.
fn fix() -> String {
    let script = variable("CARGO_MANIFEST_DIR").unwrap_or_default().join("libtorch");
    let script = script.canonicalize().unwrap_or(script);
    let checkout = script.parent().and_then(Path::parent).map(|folder| folder.join(".libtorch"));
    if checkout.is_some() && checkout == variable("LIBTORCH") {
        return format!("To set up libtorch {VERSION}, run: {}", script.display());
    }
    format!("To get libtorch {VERSION}, run: export LIBTORCH=\"$(python3 '{}' --path)\"", script.display())
}

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).map(PathBuf::from)
}
