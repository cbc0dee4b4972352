//! `make install` lays out what programs in C and C++ need: built by plain cc, pkg-config and CMake in other folders, by
//! the commands of the README, and run without anything in the environment.
#![cfg(test)]

mod common;

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use common::c::{
    C, CPP, base, expect_success, has, library, model, program, write_lora, write_textual_inversion,
};
use common::headers::scratch;
use common::repository;
use sdxl::{Conditioning, Image, Pipeline, Request};

/// A prefix that was moved after it was made.
fn prefix() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let folder = scratch("ffi-install");
        let (made, moved) = (folder.join("made"), folder.join("moved here"));
        fs::rename(install(&made), &moved).unwrap();
        moved
    })
}

fn install(prefix: &Path) -> &Path {
    let mut install = Command::new(repository("scripts/install"));
    // Links instead of half a gigabyte.
    install.env("COPY", "ln -sf").arg(library().join("libsdxl.so")).arg(sdxl_build::lib()).arg(prefix);
    expect_success(&mut install);
    prefix
}

/// What the program of all languages draws for these arguments.
fn expected() -> &'static Image {
    static EXPECTED: OnceLock<Image> = OnceLock::new();
    EXPECTED.get_or_init(|| {
        let conditioning = Conditioning::builder("a lighthouse").build().unwrap();
        let request = Request::builder(conditioning).steps(3).seed(42).build().unwrap();
        Pipeline::builder(base()).build().unwrap().generate(&request).unwrap().remove(0)
    })
}

/// Runs `text_to_image` of any language.
fn draws(text_to_image: &Path) {
    let picture = text_to_image.with_extension("png");
    let mut command = program(text_to_image);
    let said = expect_success(command.arg(base()).args(["a lighthouse"]).arg(&picture).arg("3"));
    assert!(said.contains("of 3, ") || said.is_empty(), "{said}");
    assert_eq!(Image::open(picture).unwrap().pixels(), expected().pixels());
}

fn compile(compiler: &str, flags: &[&str], source: &Path, rest: &[String], name: &str) -> PathBuf {
    let output = scratch(&format!("ffi-install-{name}")).join(name);
    let mut command = Command::new(compiler);
    expect_success(command.args(flags).arg(source).args(rest).arg("-o").arg(&output));
    output
}

/// What a plain compiler is told.
fn plain() -> Vec<String> {
    let (include, lib) = (prefix().join("include"), prefix().join("lib"));
    let (include, lib) = (include.display(), lib.display());
    vec![format!("-I{include}"), format!("-L{lib}"), "-lsdxl".into(), format!("-Wl,-rpath,{lib}")]
}

#[test]
fn by_a_plain_compiler() {
    draws(&compile("cc", C, &repository("examples/c/text_to_image.c"), &plain(), "by_cc"));
    draws(&compile("c++", CPP, &repository("examples/cpp/text_to_image.cpp"), &plain(), "by_cpp"));
}

/// The worker is found where it is installed, and finds libtorch there.
#[test]
fn with_a_pipeline_in_a_process_of_its_own() {
    let mut flags = plain();
    flags.push(format!("-I{}", repository("tests/c").display()));
    let isolation = compile("cc", C, &repository("tests/c/isolation.c"), &flags, "isolation");
    expect_success(program(&isolation).env_remove("SDXL_WORKER").arg("rounds").arg(base()).arg("1"));
}

#[test]
fn by_pkg_config() {
    if !has("pkg-config") {
        return;
    }
    let mut command = Command::new("pkg-config");
    command.env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig")).args(["--cflags", "--libs", "sdxl"]);
    // The shell splits the flags, and takes the backslashes away that stand before the spaces of the folder.
    let flags = expect_success(&mut command).trim().to_owned();
    let output = scratch("ffi-install-by_pkg_config").join("by_pkg_config");
    let source = repository("examples/c/text_to_image.c");
    let line = format!("cc '{}' {flags} -o '{}'", source.display(), output.display());
    expect_success(Command::new("sh").args(["-c", &line]));
    draws(&output);
}

#[test]
fn by_cmake() {
    if !has("cmake") {
        return;
    }
    let folder = scratch("ffi-install-by_cmake");
    for file in
        ["tests/c/consumer/CMakeLists.txt", "examples/c/text_to_image.c", "examples/cpp/text_to_image.cpp"]
    {
        fs::copy(repository(file), folder.join(Path::new(file).file_name().unwrap())).unwrap();
    }
    let build = folder.join("build");
    let mut configure = Command::new("cmake");
    configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix().display()));
    expect_success(configure.arg("-S").arg(&folder).arg("-B").arg(&build));
    expect_success(Command::new("cmake").arg("--build").arg(&build));
    draws(&build.join("in_c"));
    draws(&build.join("in_cpp"));
    // Another version is not taken.
    let lists = fs::read_to_string(folder.join("CMakeLists.txt")).unwrap();
    fs::write(folder.join("CMakeLists.txt"), lists.replace("sdxl 0.1", "sdxl 0.2")).unwrap();
    let output = Command::new("cmake")
        .arg("--fresh")
        .arg(format!("-DCMAKE_PREFIX_PATH={}", prefix().display()))
        .arg("-S")
        .arg(&folder)
        .arg("-B")
        .arg(&build)
        .output()
        .unwrap();
    assert!(!output.status.success());
}

#[test]
fn cpp_with_and_without_exceptions() {
    let sanitizer = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let folder = scratch("ffi-install-embeddings");
    write_lora(&folder.join("style.safetensors"));
    write_textual_inversion(&folder.join("mossy.safetensors"));
    let flags: Vec<&str> =
        CPP.iter().copied().chain(["-fno-exceptions", "-fno-rtti"]).chain(sanitizer).collect();
    let without = compile("c++", &flags, &repository("tests/c/no_exceptions.cpp"), &plain(), "no_exceptions");
    expect_success(program(&without).arg(base()).arg(&folder).env("ASAN_OPTIONS", "detect_leaks=0"));
    let flags: Vec<&str> = CPP.iter().copied().chain(sanitizer).collect();
    let with = compile("c++", &flags, &repository("tests/c/exceptions.cpp"), &plain(), "exceptions");
    expect_success(program(&with).arg(base()).arg(&folder).env("ASAN_OPTIONS", "detect_leaks=0"));
}

/// From a checkout to a picture by the README's five commands. The first two, which compile for minutes and write a random
/// model, are done by what they call.
#[test]
fn by_the_commands_of_the_readme() {
    if !has("pkg-config") {
        return;
    }
    let readme = fs::read_to_string(repository("README.md")).unwrap();
    let section = readme.split("## In C and C++").nth(1).unwrap();
    let block = section.split("```").nth(1).unwrap().trim_start_matches("sh\n");
    let commands: Vec<&str> = block.trim().lines().collect();
    assert_eq!(commands.len(), 5);
    assert_eq!(commands[0], "make install PREFIX=$HOME/sdxl");
    assert!(commands[1].starts_with("cargo run --example random_model -- tests/models/base model"));

    let home = scratch("ffi-install-home");
    let checkout = scratch("ffi-install-checkout");
    install(&home.join("sdxl"));
    std::os::unix::fs::symlink(base(), checkout.join("model")).unwrap();
    std::os::unix::fs::symlink(repository("examples"), checkout.join("examples")).unwrap();
    let script = format!("set -e\n{}", commands[2..].join("\n"));
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(&checkout).env("HOME", home).env_remove("LD_LIBRARY_PATH");
    expect_success(&mut shell);
    assert_eq!(Image::open(checkout.join("lighthouse.png")).unwrap().width(), 64);
    let guide = fs::read_to_string(repository("docs/embedding.md")).unwrap();
    assert!(
        commands[2..].iter().all(|command| guide.contains(command)),
        "docs/embedding.md has other commands"
    );
}

/// `make install` itself, in a checkout whose `cargo` has compiled already.
#[test]
fn by_make() {
    if !has("make") {
        return;
    }
    let checkout = scratch("ffi-install-make");
    let parts = ["Makefile", "Cargo.toml", "scripts", "include", "packaging", "examples"];
    for name in parts.into_iter().chain(["NOTICE", "THIRD-PARTY-NOTICES", "LICENSE-APACHE", "LICENSE-MIT"]) {
        std::os::unix::fs::symlink(repository(name), checkout.join(name)).unwrap();
    }
    let cargo = checkout.join("bin/cargo");
    fs::create_dir_all(checkout.join("bin")).unwrap();
    let script = format!(
        "#!/bin/sh\n[ \"$*\" = 'build --release --lib --bin sdxl-worker' ] || exit 9\nmkdir -p target/release\n\
         ln -sf '{}' '{}' '{}' target/release/\n",
        library().join("libsdxl.so").display(),
        library().join("libsdxl_torch.so").display(),
        library().join("sdxl-worker").display()
    );
    fs::write(&cargo, script).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let prefix = checkout.join("installed");
    let path = format!("{}:{}", checkout.join("bin").display(), env::var("PATH").unwrap());
    let mut make = Command::new("make");
    make.arg("install").arg(format!("PREFIX={}", prefix.display())).current_dir(&checkout);
    make.env("PATH", path).env("COPY", "ln -sf").env_remove("MAKEFLAGS").env_remove("MAKELEVEL");
    let said = expect_success(&mut make);
    assert!(said.contains(&format!("installed in {}", prefix.display())), "{said}");
    let said = expect_success(
        program(&prefix.join("bin/sdxl-doctor")).arg(prefix.join("lib/libsdxl.so")).arg(base()),
    );
    assert!(said.contains("is a whole model"), "{said}");
    for file in [
        "include/sdxl.h",
        "include/sdxl.hpp",
        "lib/pkgconfig/sdxl.pc",
        "lib/cmake/sdxl/sdxl-config.cmake",
        "lib/sdxl/sdxl-worker",
        "lib/sdxl/libsdxl_torch.so",
    ] {
        assert!(prefix.join(file).is_file(), "{file}");
    }
}

#[test]
fn ctrl_c_cancels() {
    let path = compile("cc", C, &repository("examples/c/text_to_image.c"), &plain(), "interrupted");
    let picture = path.with_extension("png");
    let mut command = program(&path);
    command.arg(base()).arg("a cat").arg(&picture).arg("900").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    expect_success(Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]));
    let mut error = String::new();
    child.stderr.as_mut().unwrap().read_to_string(&mut error).unwrap();
    assert_eq!((child.wait().unwrap().code(), error.trim()), (Some(1), "the job was cancelled"));
    assert!(!picture.exists());
}

#[test]
fn the_other_examples_draw() {
    let example = |name: &str| compile("cc", C, &repository(&format!("examples/c/{name}.c")), &plain(), name);
    let folder = scratch("ffi-install-pictures");
    let path = |name: &str| folder.join(name);

    let many = example("many_requests");
    let mut command = program(&many);
    let said = expect_success(command.arg(base()).arg(path("many")).args(["a cat", "a dog", "a cat"]));
    assert_eq!(said.lines().count(), 3);
    let drawn = [0, 1, 2].map(|index| Image::open(path(&format!("many-{index}.png"))).unwrap());
    assert_eq!(drawn[0].pixels(), drawn[2].pixels());
    assert_ne!(drawn[0].pixels(), drawn[1].pixels());

    let image_to_image = example("image_to_image");
    let from = |strength: &str, output: &Path| {
        let mut command = program(&image_to_image);
        command.arg(base()).arg(path("many-0.png")).args(["a dog", strength]).arg(output);
        command
    };
    expect_success(&mut from("0.5", &path("changed.png")));
    let changed = Image::open(path("changed.png")).unwrap();
    assert_ne!(changed.pixels(), drawn[0].pixels());
    // A mask that is all dark: the picture goes through the autoencoder and is not repainted.
    let dark = Image::from_pixels(ndarray::Array3::zeros((64, 64, 3)).view()).unwrap();
    dark.save_png(path("mask.png")).unwrap();
    expect_success(from("0.5", &path("kept.png")).arg(path("mask.png")));
    assert_ne!(Image::open(path("kept.png")).unwrap().pixels(), changed.pixels());

    let (lora, file) = (example("lora"), path("style.safetensors"));
    write_lora(&file);
    let mut command = program(&lora);
    command.arg(base()).arg(&file).arg(path("styled")).args(["a cat", "1", "0", "-0.5"]);
    assert_eq!(expect_success(&mut command).lines().count(), 3);
    let styled = [0, 1, 2].map(|index| Image::open(path(&format!("styled-{index}.png"))).unwrap());
    assert_eq!(styled[1].pixels(), drawn[0].pixels());
    assert!(styled[0].pixels() != styled[1].pixels() && styled[2].pixels() != styled[0].pixels());

    let refiner = example("refiner");
    let mut command = program(&refiner);
    command.arg(base()).arg(model("refiner")).arg("a cat").arg(path("refined.png"));
    expect_success(&mut command);
    let refined = Image::open(path("refined.png")).unwrap();
    assert_eq!(refined.pixels(), refined_in_rust().pixels());
}

/// What the example of base and refiner draws.
fn refined_in_rust() -> Image {
    let request = || Request::builder(Conditioning::builder("a cat").build().unwrap());
    let base = Pipeline::builder(base()).build().unwrap();
    let mut sampling = base.sample(&request().end_at(0.8).build().unwrap()).unwrap();
    for progress in &mut sampling {
        progress.unwrap();
    }
    let second = request().resume(sampling.latents().unwrap(), 0.8).skip_draws(sampling.draws());
    let refiner = Pipeline::builder(model("refiner")).build().unwrap();
    refiner.generate(&second.build().unwrap()).unwrap().remove(0)
}

#[test]
fn the_doctor_names_what_is_missing() {
    let folder = scratch("ffi-install-doctor");
    let prefix = install(&folder);
    let doctor = prefix.join("bin/sdxl-doctor");
    let said = expect_success(&mut program(&doctor));
    assert!(said.starts_with("GOOD "), "{said}");
    let said = expect_success(program(&doctor).arg(prefix.join("lib/libsdxl.so")).arg(base()));
    assert!(said.contains("is a whole model"), "{said}");

    let fails = |command: &mut Command| {
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    };
    let said = fails(program(&doctor).arg(prefix.join("lib/libsdxl.so")).arg("/nowhere"));
    assert!(said.contains("MODEL    /nowhere: "), "{said}");
    fs::remove_file(prefix.join("lib/sdxl/libc10.so")).unwrap();
    fs::remove_file(prefix.join("lib/sdxl/libgomp.so.1")).unwrap();
    let said = fails(&mut program(&doctor));
    assert!(said.contains("MISSING  libc10.so, which "), "{said}");
    assert!(said.contains("BROKEN   "), "{said}");
    fs::remove_file(prefix.join("lib/libsdxl.so.0.1.0")).unwrap();
    assert!(fails(&mut program(&doctor)).starts_with("MISSING "));
    fs::write(prefix.join("lib/libsdxl.so.0.1.0"), "not a library").unwrap();
    assert!(fails(&mut program(&doctor)).contains("is no 64-bit library"));
}
