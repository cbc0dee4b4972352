//! A crate in another folder depends on this one: it builds, links, runs and draws with the README's commands.
#![cfg(test)]

use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, str};

use sdxl::pipeline::write_random_model;
use sdxl::{Image, Precision};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn a_dependent_builds_and_draws() {
    let consumer = Consumer::copy("draws");
    let model = consumer.folder.join("model");
    write_random_model(Path::new(ROOT).join("tests/models/base"), &model, 0, Precision::F32).unwrap();
    let libtorch = text(Command::new(format!("{ROOT}/scripts/libtorch")).arg("--path").output().unwrap());
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("consumer");

    let by_cargo = consumer
        .cargo(["run", "--quiet", "--offline", "--"])
        .args([&model, &consumer.folder.join("by_cargo.png")])
        .env("LIBTORCH", libtorch.trim_end())
        .env("CARGO_TARGET_DIR", &target)
        .output();
    let said = text(by_cargo.unwrap());
    let expected = "embeddings [1, 77, 72] and [1, 24]\nlatents [1, 4, 8, 8]\n64 x 64, brightness 0.";
    assert!(said.starts_with(expected), "{said}");
    let picture = Image::open(consumer.folder.join("by_cargo.png")).unwrap();
    assert_eq!((picture.width(), picture.height()), (64, 64));

    // Without Cargo, the run path that the build script gives it leads to libtorch.
    let mut alone = Command::new(target.join("debug/consumer"));
    let alone =
        clean(&mut alone).current_dir("/").args([&model, &consumer.folder.join("alone.png")]).output();
    assert_eq!(text(alone.unwrap()), said);

    // A shared library of the dependent is its own: what makes ours libsdxl.so is not handed on.
    let plugin = Command::new("readelf").arg("-d").arg(target.join("debug/libplugin.so")).output().unwrap();
    let plugin = text(plugin);
    assert!(!plugin.contains("libsdxl") && !plugin.contains("(SONAME)"), "{plugin}");
    assert!(plugin.contains("libtorch_cpu.so"), "{plugin}");
}

#[test]
fn without_libtorch_the_error_names_the_way_to_get_it() {
    if Path::new("/usr/lib/libtorch.so").exists() {
        println!("skipped: this system has a libtorch of its own");
        return;
    }
    let consumer = Consumer::copy("fails");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("consumer-without-libtorch");
    let cases: [(&[(&str, &str)], &str); 2] = [
        (&[], "error: sdxl-build@0.1.0: LIBTORCH is not set. To get libtorch 2.11.0, run: export LIBTORCH="),
        (&[("LIBTORCH", "/nowhere")], "error: sdxl-build@0.1.0: /nowhere/include holds no libtorch. To get "),
    ];
    for (variables, expected) in cases {
        let output = consumer
            .cargo(["check", "--quiet", "--offline"])
            .env("CARGO_TARGET_DIR", &target)
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(error.starts_with(expected), "{error}");
        assert!(
            error.lines().next().is_some_and(|line| line.contains("/scripts/libtorch' --path)")),
            "{error}"
        );
    }
}

/// `tests/consumer` in a folder outside the checkout, where Cargo sees no `.cargo/config.toml` of ours.
struct Consumer {
    folder: PathBuf,
}

impl Consumer {
    fn copy(name: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        ROOT.hash(&mut hasher);
        // The same place in every run: Cargo then compiles no more than has changed.
        let folder = env::temp_dir().join(format!("sdxl-consumer-{:016x}-{name}", hasher.finish()));
        let original = Path::new(ROOT).join("tests/consumer");
        fs::create_dir_all(folder.join("src")).unwrap();
        for file in ["build.rs", "src/main.rs", "src/lib.rs"] {
            fs::copy(original.join(file), folder.join(file)).unwrap();
        }
        let manifest = fs::read_to_string(original.join("Cargo.toml")).unwrap();
        let manifest = manifest.replace("\"../..", &format!("\"{ROOT}"));
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        // The versions that this crate is tested with, which are downloaded already.
        fs::copy(Path::new(ROOT).join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        Self { folder }
    }

    fn cargo<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut command = Command::new(env!("CARGO"));
        clean(&mut command).current_dir(&self.folder).args(arguments);
        command
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Takes away what names a libtorch, or was set by Cargo for this test: the shell of a new user has none of it.
fn clean(command: &mut Command) -> &mut Command {
    let ours = |name: &OsStr| {
        let name = name.to_string_lossy();
        let is_one = ["LD_LIBRARY_PATH", "SDXL_SHARED_LIBRARY"].contains(&&*name);
        is_one || name.starts_with("LIBTORCH") || name.starts_with("CARGO_PKG_")
    };
    for (name, _) in env::vars_os().filter(|(name, _)| ours(name)) {
        command.env_remove(name);
    }
    command
}

fn text(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    str::from_utf8(&output.stdout).unwrap().to_owned()
}
