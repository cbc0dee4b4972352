//! Pipelines in a process of their own: what becomes of jobs, processes and descriptors when one of both is killed; and
//! that everything else is as it is without.
#![cfg(test)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::Duration;

use common::c::{SANITIZER, base, build, expect_success, is_soak, program};
use common::headers::scratch;
use common::repository;

fn isolation() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| build("isolation", &[], &[&repository("tests/c/isolation.c")]))
}

/// Runs the C program, which finds the worker beside the library.
fn run(what: &str, arguments: &[&str]) -> String {
    expect_success(command(what).args(arguments))
}

fn command(what: &str) -> Command {
    let mut command = program(isolation());
    command.env_remove("SDXL_WORKER").arg(what).arg(base());
    command
}

#[test]
fn a_killed_worker_ends_its_jobs_and_the_next_one_draws_the_same() {
    run("killed", &[]);
}

#[test]
fn rounds_leave_nothing_behind() {
    run("rounds", &[if is_soak() { "1000" } else { "100" }]);
}

#[test]
fn a_worker_ends_with_its_host() {
    for (what, is_good) in [("ends", true), ("ends by a signal", false)] {
        let output = command(what).output().unwrap();
        assert_eq!(output.status.success(), is_good, "{what}: {output:?}");
        let worker: u32 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        let is_there =
            || fs::read_to_string(format!("/proc/{worker}/cmdline")).is_ok_and(|line| line.contains("sdxl"));
        for _ in 0..500 {
            if !is_there() {
                break;
            }
            sleep(Duration::from_millis(10));
        }
        assert!(!is_there(), "{what}: process {worker} is still there");
    }
}

#[test]
fn hosts_may_do_with_their_signals_what_they_like() {
    run("strange signals", &[]);
}

#[test]
fn a_worker_inherits_no_descriptors() {
    run("inherits nothing", &[]);
}

/// Writes a program of the shell.
fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_environment_names_another_worker() {
    let folder = scratch("isolation-elsewhere");
    let (program, mark) = (folder.join("a painter"), folder.join("was started"));
    let text =
        format!("echo started >> '{}'\nexec '{}' \"$@\"", mark.display(), env!("CARGO_BIN_EXE_sdxl-worker"));
    script(&program, &text);
    expect_success(command("draws").env("SDXL_WORKER", &program));
    assert_eq!(fs::read_to_string(&mark).unwrap(), "started\n");
    // Empty is none: the one beside the library.
    expect_success(command("draws").env("SDXL_WORKER", ""));
    assert_eq!(fs::read_to_string(&mark).unwrap(), "started\n");
    // The name of one that is not there is no wish for another.
    let missing = command("draws").env("SDXL_WORKER", folder.join("nothing")).output().unwrap();
    let error = String::from_utf8(missing.stderr).unwrap();
    assert!(!missing.status.success() && error.contains("nothing: cannot be started"), "{error}");
}

#[test]
fn other_programs_are_refused() {
    let folder = scratch("isolation-refused");
    let script = |name: &str, text: &str| {
        script(&folder.join(name), text);
        folder.join(name).to_str().unwrap().to_owned()
    };
    let cases = [
        (folder.join("nothing").to_str().unwrap().to_owned(), "cannot be started: No such file"),
        (script("ends", "exit 3"), "ended with exit status 3 before it answered"),
        (
            script("old", "printf 'sdxl-worker 0.0.9 1' >&0; sleep 5"),
            "answered `sdxl-worker 0.0.9 1`, expected `sdxl-worker 0.1.0 ",
        ),
    ];
    for (path, message) in &cases {
        run("refuses", &[path.as_str(), message]);
        // The option wins over the environment.
        expect_success(command("refuses").args([path.as_str(), message]).env("SDXL_WORKER", "/nowhere"));
    }
}

#[test]
fn errors_are_those_of_this_process() {
    // A folder without a UNet.
    let folder = scratch("isolation-broken");
    fs::copy(base().join("model_index.json"), folder.join("model_index.json")).unwrap();
    run("same errors", &[folder.to_str().unwrap()]);
}

/// The programs that test the C interface, with pipelines in a process of their own.
#[test]
fn c_programs_run_as_they_do_without() {
    let jobs = repository("tests/c/jobs.c");
    for (name, flags) in [("jobs", [].as_slice()), ("jobs-asan", SANITIZER)] {
        let mut program = program(&build(name, flags, &[&jobs]));
        program.env("SDXL_TEST_ISOLATION", "process").env("ASAN_OPTIONS", "detect_leaks=0");
        expect_success(program.arg(base()));
    }
}

#[test]
fn a_model_in_memory_is_shared_with_the_worker() {
    let mut files = Vec::new();
    names(base(), "", &mut files);
    let pack = build("pack", &[], &[&repository("tests/c/pack.c")]);
    expect_success(program(&pack).env("SDXL_TEST_ISOLATION", "process").arg(base()).args(files));
}

/// The names of the files of a folder and of its folders.
fn names(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() { names(&path, &format!("{name}/"), found) } else { found.push(name) }
    }
}

/// Called by hand, it says that it is not to be.
#[test]
fn the_worker_alone_does_nothing() {
    let output = Command::new(env!("CARGO_BIN_EXE_sdxl-worker")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
