//! `cargo package` takes all that the crate needs, and no more than a registry accepts.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_package_is_whole_and_small() {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("package");
    let _ = fs::remove_dir_all(&place);
    run(cargo().args(["package", "--no-verify", "--allow-dirty", "--target-dir"]).arg(&place));
    let library = unpack(&place, "sdxl");
    let helper = unpack(&place, "sdxl-build");
    let torch = unpack(&place, "sdxl-torch");

    for (root, packaged, of_all) in [
        (Path::new(ROOT).to_owned(), &library, "src/lazy/calls.S"),
        (Path::new(ROOT).join("sdxl-torch"), &torch, "shim/torch_ext.cpp"),
    ] {
        let mut sources = Vec::new();
        for folder in ["src", "shim"].map(|folder| root.join(folder)).iter().filter(|folder| folder.exists())
        {
            files(folder, &mut sources);
        }
        assert!(sources.contains(&root.join(of_all)));
        for file in sources {
            let packaged = packaged.join(file.strip_prefix(&root).unwrap());
            assert_eq!(fs::read(&packaged).unwrap(), fs::read(&file).unwrap(), "{}", packaged.display());
        }
    }
    assert!(torch.join("functions.txt").exists());
    // A reader of the error "LIBTORCH is not set" finds it here.
    assert!(fs::read_to_string(helper.join("libtorch")).unwrap().starts_with("#!/usr/bin/env python3"));
    for left_out in ["bindings", "models", "tests/golden", "tests/consumer", ".cargo", ".ci"] {
        assert!(!library.join(left_out).exists(), "{left_out} is packaged");
    }

    // All that the code includes is there. The other two are not in the registry yet.
    let patch =
        |name: &str, path: &Path| format!("patch.crates-io.{name}.path={:?}", path.display().to_string());
    run(cargo()
        .args(["check", "--features", "doc-only", "--config", &patch("sdxl-build", &helper)])
        .args(["--config", &patch("sdxl-torch", &torch)])
        .arg("--manifest-path")
        .arg(library.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("")));
}

/// The folder of a packaged crate.
fn unpack(place: &Path, name: &str) -> PathBuf {
    let name = format!("{name}-{}", env!("CARGO_PKG_VERSION"));
    let package = place.join(format!("package/{name}.crate"));
    let size = fs::metadata(&package).unwrap().len();
    assert!(size < 10 << 20, "{name} is {size} bytes, more than a registry accepts");
    // `-m`: files of this moment, so that cargo looks at them.
    run(Command::new("tar").arg("-xmf").arg(&package).arg("-C").arg(place));
    place.join(name)
}

fn cargo() -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(ROOT).args(["--quiet", "--offline"]);
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}
