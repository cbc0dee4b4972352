//! Faults of the machine: no memory, disks that fail or are full, processes that are killed. Each is an error, and
//! afterwards the same process draws the picture that it drew before. `tests/jobs.rs` has observers that panic.
//!
//! The faults are made by a library that is loaded before all others (`tests/c/faults.c`), in child processes.
#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]
#![allow(unsafe_code, reason = "calls the library that makes the faults")]

mod common;

use std::collections::BTreeSet;
use std::env;
use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::c::{C, is_soak};
use common::headers::scratch;
use common::repository;
use sdxl::config::ModelConfig;
use sdxl::pipeline::write_random_model;
use sdxl::vae::AutoencoderKl;
use sdxl::weights::{read_safetensors, save_safetensors};
use sdxl::{Conditioning, Error, Guidance, Image, Pipeline, Precision, Request, Size};
use tch::{Kind, Tensor};

/// The folder in which a child works. A test that finds none is the parent, and starts the child.
const FOLDER: &str = "SDXL_FAULTS_FOLDER";

unsafe extern "C" {
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// A function of the library of faults.
fn function(name: &CStr) -> *mut c_void {
    // SAFETY: a NULL handle is the whole process.
    let found = unsafe { dlsym(std::ptr::null_mut(), name.as_ptr()) };
    assert!(!found.is_null(), "the library of faults is not loaded");
    found
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    Allocation,
    Read,
    ShortRead,
    Write,
    Sync,
    Rename,
}

/// Runs `body` while the n-th call of that kind fails; and how many such calls there were.
fn with_fault<T>(fault: Fault, n: usize, body: impl FnOnce() -> T) -> (T, usize) {
    // SAFETY: the types are those of faults.c.
    let (arm, count) = unsafe {
        (
            std::mem::transmute::<*mut c_void, extern "C" fn(c_int, c_long)>(function(c"fault_arm")),
            std::mem::transmute::<*mut c_void, extern "C" fn() -> c_long>(function(c"fault_count")),
        )
    };
    arm(fault as c_int, n as c_long);
    let result = body();
    (result, count() as usize)
}

/// Builds the library of faults.
fn library(folder: &Path) -> PathBuf {
    let library = folder.join("libfaults.so");
    let mut command = Command::new("cc");
    // Its own declarations of what it replaces are those of the system.
    command.args(C.iter().filter(|flag| !flag.starts_with("-D_POSIX"))).args(["-O1", "-shared", "-fPIC"]);
    common::c::expect_success(
        command.arg(repository("tests/c/faults.c")).arg("-o").arg(&library).arg("-ldl"),
    );
    library
}

/// Runs the test of that name again, as a child with faults, in a folder with a tiny model.
fn in_child(test: &str) -> Option<PathBuf> {
    if let Some(folder) = env::var_os(FOLDER) {
        return Some(folder.into());
    }
    let folder = scratch(&format!("faults-{test}"));
    write_random_model(repository("tests/models/base"), folder.join("model"), 0, Precision::F32).unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(FOLDER, &folder)
        .env("LD_PRELOAD", library(&folder))
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success(), "{test}: {}\n{text}", output.status);
    text.lines()
        .filter_map(|line| line.split_once("fault: "))
        .for_each(|(_, line)| println!("fault: {line}"));
    None
}

fn request(size: i64) -> Request {
    Request::builder(Conditioning::builder("a cat").build().unwrap())
        .size(Size::new(size, size))
        .steps(1)
        .guidance(Guidance::new(5.).unwrap())
        .seed(7)
        .build()
        .unwrap()
}

/// From the files of a model to the bytes of a picture.
fn draw(folder: &Path, size: i64) -> sdxl::Result<Vec<u8>> {
    let pipeline = Pipeline::builder(folder.join("model")).build()?;
    Ok(pipeline.generate(&request(size))?[0].pixels().iter().copied().collect())
}

/// Fails the n-th call for every n, until there is no n-th one any more.
fn sweep<T>(
    fault: Fault,
    body: impl Fn() -> sdxl::Result<T>,
    check: impl Fn(usize, sdxl::Result<T>),
) -> usize {
    for n in 1.. {
        let (result, count) = with_fault(fault, n, &body);
        if count < n {
            assert!(result.is_ok(), "a failure without a fault");
            return n - 1;
        }
        check(n, result);
    }
    0
}

#[test]
fn an_allocation_that_fails_is_an_error() {
    let Some(folder) = in_child("an_allocation_that_fails_is_an_error") else { return };
    // Large enough that activations of the autoencoder take more than a megabyte.
    let size = if is_soak() { 512 } else { 256 };
    let expected = draw(&folder, size).unwrap();
    let survived = std::cell::Cell::new(0);
    let texts = std::cell::RefCell::new(BTreeSet::new());
    let count = sweep(
        Fault::Allocation,
        || draw(&folder, size),
        |n, result| match result {
            Ok(picture) => {
                assert!(picture == expected, "allocation {n}: another picture");
                survived.set(survived.get() + 1);
            }
            Err(error) => {
                assert!(error.is_out_of_memory(), "allocation {n}: {error}");
                texts.borrow_mut().insert(error.to_string().chars().take(60).collect::<String>());
            }
        },
    );
    assert!(draw(&folder, size).unwrap() == expected, "another picture after the faults");
    assert!(count > 20, "{count} allocations");
    println!(
        "fault: {count} allocations of a megabyte or more failed in turn, {} did no harm",
        survived.get()
    );
    println!("fault: {:?}", texts.borrow());
}

#[test]
fn a_read_that_fails_is_an_error() {
    let Some(folder) = in_child("a_read_that_fails_is_an_error") else { return };
    let expected = draw(&folder, 64).unwrap();
    let count = sweep(
        Fault::Read,
        || draw(&folder, 64),
        |n, result| {
            let error = result.err().unwrap_or_else(|| panic!("read {n}: no error"));
            let Error::Io { path, .. } = &error else { panic!("read {n}: {error}") };
            assert!(path.starts_with(&folder), "{error}");
        },
    );
    // Reads that give less than they were asked for are no faults.
    let (short, calls) = with_fault(Fault::ShortRead, 0, || draw(&folder, 64));
    assert!(short.unwrap() == expected, "another picture from short reads");
    assert!(draw(&folder, 64).unwrap() == expected, "another picture after the faults");
    println!("fault: {count} reads failed in turn; {calls} gave less than they were asked for");
}

/// Two files that are told apart by every number.
fn content(number: f64) -> Tensor {
    Tensor::full([300, 1000], number, (Kind::Float, tch::Device::Cpu))
}

#[test]
fn a_file_is_saved_in_full_or_not_at_all() {
    let Some(folder) = in_child("a_file_is_saved_in_full_or_not_at_all") else { return };
    let image = Image::from_pixels(ndarray::Array3::from_elem((300, 200, 3), 7).view()).unwrap();
    let (weights, picture) = (folder.join("x.safetensors"), folder.join("x.png"));
    let save = |number: f64| {
        save_safetensors(&weights, &[("a", &content(number)), ("b", &content(number))])?;
        image.save_png(&picture)
    };
    save(1.).unwrap();
    let old = (fs::read(&weights).unwrap(), fs::read(&picture).unwrap());
    let mut total = 0;
    for fault in [Fault::Write, Fault::Sync, Fault::Rename] {
        total += sweep(
            fault,
            || save(2.),
            |n, result| {
                // A folder that cannot be synced is no failure: the file is in place.
                let failed = result.is_err();
                assert!(failed || matches!(fault, Fault::Sync), "{fault:?} {n}: no error");
                let now = read_safetensors(&weights).unwrap();
                let numbers: Vec<f64> = now.values().map(|tensor| tensor.double_value(&[299, 999])).collect();
                assert!(numbers == [1., 1.] || numbers == [2., 2.], "{fault:?} {n}: {numbers:?}");
                assert_eq!(fs::read(&picture).unwrap(), old.1, "{fault:?} {n}");
                let left: Vec<_> =
                    fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
                assert!(
                    left.iter().all(|name| !name.to_string_lossy().ends_with(".part")),
                    "{fault:?} {n}: {left:?}"
                );
                save(1.).unwrap();
                assert_eq!(fs::read(&weights).unwrap(), old.0, "{fault:?} {n}");
            },
        );
        save(1.).unwrap();
    }
    println!("fault: {total} writes, syncs and renames failed in turn");
    let error = save_safetensors("/dev/full", &[("a", &content(1.))]).unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error}");
}

/// The child: it saves one file after the other until it is killed.
#[test]
#[ignore = "run by the test below"]
fn saves_for_ever() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else { return };
    let (one, two) = (content(1.), content(2.));
    fs::write(folder.join("ready"), "").unwrap();
    loop {
        for tensor in [&one, &two] {
            save_safetensors(folder.join("x.safetensors"), &[("a", tensor), ("b", tensor)]).unwrap();
        }
    }
}

#[test]
fn a_process_that_is_killed_leaves_whole_files() {
    let folder = scratch("faults-killed");
    let file = folder.join("x.safetensors");
    save_safetensors(&file, &[("a", &content(1.)), ("b", &content(1.))]).unwrap();
    let (rounds, mut torn) = (if is_soak() { 1000 } else { 25 }, 0);
    let mut seen = BTreeSet::new();
    for round in 0..rounds {
        let _ = fs::remove_file(folder.join("ready"));
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "saves_for_ever", "--ignored", "--test-threads=1"])
            .env(FOLDER, &folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while !folder.join("ready").exists() {
            assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
            std::thread::sleep(Duration::from_millis(1));
        }
        // Some fraction of the time that a few files take.
        std::thread::sleep(Duration::from_micros(round * 7919 % 20_000));
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        let numbers: Vec<f64> = match read_safetensors(&file) {
            Ok(tensors) => {
                tensors.values().flat_map(|t| [t.min(), t.max()]).map(|t| t.double_value(&[])).collect()
            }
            Err(error) => panic!("{error}"),
        };
        if numbers != [1.; 4] && numbers != [2.; 4] {
            torn += 1;
        }
        seen.insert(numbers[0] as i64);
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "part") {
                fs::remove_file(path).unwrap();
            }
        }
    }
    println!("fault: killed {rounds} times while saving, {torn} files torn, contents seen {seen:?}");
    assert_eq!(torn, 0);
}

/// libtorch throws where shapes do not fit; tch gives that as an error, and nothing of it stays behind.
#[test]
fn an_exception_of_libtorch_is_an_error() {
    let config = ModelConfig::from_folder(repository("tests/models/base")).unwrap().vae;
    let vae = common::random("vae", |weights| AutoencoderKl::load(weights, &config));
    let image = |channels: i64| Tensor::ones([1, channels, 16, 16], (Kind::Float, tch::Device::Cpu));
    let expected = vae.encode(&image(3)).unwrap().mean;
    for channels in [1, 2, 5, 300] {
        let Err(Error::Torch(_)) = vae.encode(&image(channels)) else {
            panic!("no error for {channels} channels")
        };
        assert!(
            vae.encode(&image(3)).unwrap().mean.equal(&expected),
            "other numbers after {channels} channels"
        );
    }
}
