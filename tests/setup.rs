//! `scripts/libtorch` says in one line what is wrong and what to do, and takes no half-made libtorch for a whole.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/libtorch");

/// A pip that the script finds before the real one, and that does this.
const PIP_WITHOUT_NETWORK: &str = "import sys; sys.exit('WARNING: retrying\\nERROR: no route to host')";
const PIP_OF_ANOTHER_INDEX: &str =
    "import sys; open(sys.argv[sys.argv.index('--dest') + 1] + '/torch.whl', 'w').write('something else')";

#[test]
fn a_failure_is_one_line_that_says_what_to_do() {
    let place = Place::new("failures");
    fs::write(place.path("file"), "").unwrap();
    fs::create_dir_all(place.path("other/include/torch/headeronly")).unwrap();
    fs::create_dir_all(place.path("other/lib")).unwrap();
    fs::write(place.path("other/lib/libtorch_cpu.so"), "").unwrap();
    let header =
        ["MAJOR 2", "MINOR 13", "PATCH 0"].map(|part| format!("#define TORCH_VERSION_{part}\n")).concat();
    fs::write(place.path("other/include/torch/headeronly/version.h"), header).unwrap();

    let text = |name: &str| place.path(name).display().to_string();
    let cases = [
        ("LIBTORCH", "/nowhere".to_owned(), "", "LIBTORCH leads to /nowhere, which holds libtorch none"),
        ("LIBTORCH", text("other"), "", "which holds libtorch 2.13.0, not 2.11.0: unset or correct it"),
        ("SDXL_CACHE", text("file"), "", "set SDXL_CACHE to a folder of yours"),
        ("SDXL_CACHE", text("cache"), PIP_WITHOUT_NETWORK, "it says: no route to host): check the network"),
        ("SDXL_CACHE", text("cache"), PIP_OF_ANOTHER_INDEX, "has the wrong checksum: run this again"),
    ];
    for (variable, value, pip, expected) in cases {
        let error = failure(place.command(SCRIPT, pip).arg("--cpu").env(variable, &value));
        assert!(error.contains(expected), "{variable}={value}: {error}");
    }

    // Isolated from its packages, Python has no pip.
    let error = failure(place.command("python3", "").args(["-I", "-S", SCRIPT, "--cpu"]));
    assert!(error.contains("Python has no pip: install it"), "{error}");
}

#[test]
fn a_damaged_libtorch_is_made_again() {
    let place = Place::new("damaged");
    let made = place.path("cache/libtorch-2.11.0-cpu");
    fs::create_dir_all(made.join("lib")).unwrap();
    fs::write(made.join("lib/libtorch_cpu.so"), "cut off").unwrap();
    fs::write(made.join("contents"), "451209129 lib/libtorch_cpu.so\n").unwrap();
    // What an earlier run left behind: a wheel that is not whole, and a folder half unpacked.
    fs::create_dir_all(place.path("cache/downloads")).unwrap();
    fs::write(place.path("cache/downloads/torch-2.11.0.whl"), "cut off").unwrap();
    fs::create_dir_all(place.path("cache/partial-1/libtorch")).unwrap();

    let error = failure(place.command(SCRIPT, PIP_WITHOUT_NETWORK).arg("--cpu"));
    assert!(error.contains("could not download torch==2.11.0"), "{error}");
    assert!(!place.path("cache/partial-1").exists());
}

/// An empty folder for one test.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("setup").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A program for a new user: no libtorch anywhere, an empty cache, and this pip.
    fn command(&self, program: &str, pip: &str) -> Command {
        let mut command = Command::new(program);
        for name in ["LIBTORCH", "LIBTORCH_USE_PYTORCH"] {
            command.env_remove(name);
        }
        if !pip.is_empty() {
            fs::create_dir_all(self.path("python/pip")).unwrap();
            fs::write(self.path("python/pip/__init__.py"), "").unwrap();
            fs::write(self.path("python/pip/__main__.py"), pip).unwrap();
            command.env("PYTHONPATH", self.path("python"));
        }
        command.env("SDXL_CACHE", self.path("cache"));
        command
    }
}

/// The one line that the command fails with, after lines on what is being downloaded.
fn failure(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    let lines: Vec<&str> =
        error.lines().filter(|line| !line.starts_with("scripts/libtorch: downloading ")).collect();
    assert!(lines.len() == 1 && lines[0].starts_with("scripts/libtorch: "), "{error}");
    lines[0].to_owned()
}
