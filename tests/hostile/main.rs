//! Hostile files and prompts: each is opened in a process of its own, which must end by itself, with an error that names
//! what is wrong, in little time and little memory.
//!
//! The files are made by code. `cargo test --test hostile -- --nocapture` prints what each costs, and
//! `SDXL_HOSTILE="part of a name"` chooses some.
#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]
#![allow(unsafe_code, reason = "the time of one thread is a call of the system")]

#[path = "../common/mod.rs"]
mod common;

mod adapters;
mod case;
mod configurations;
mod mutations;
mod paths;
mod pictures;
mod prompts;
mod schedulers;
mod tokenizers;
mod weights;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use case::{Case, Open, Outcome};
use common::headers::scratch;

/// The variables that tell the child what to open.
const OPEN: &str = "SDXL_HOSTILE_OPEN";
const PATH: &str = "SDXL_HOSTILE_PATH";
/// A part of the names of the cases to run.
const ONLY: &str = "SDXL_HOSTILE";
/// What its answer begins with.
const ANSWER: &str = "hostile: ";

/// Time of one core, as SECURITY.md has it for builds like those of tests; a third of it in optimised ones.
const TIME: Duration = Duration::from_millis(if cfg!(debug_assertions) { 150 } else { 50 });
/// For what is read, since nothing is wrong with it, although it is as large as it may be.
const TIME_TO_READ: Duration = Duration::from_secs(20);
/// Memory beyond three times the bytes that were read: what a first call of anything takes.
const ROOM: u64 = 16 << 20;
/// The most that a file of any size makes the library hold: a picture of the largest size, and its copy.
const MEMORY_TO_READ: u64 = 2 << 30;

fn cases() -> Vec<Case> {
    [
        weights::cases(),
        paths::cases(),
        configurations::cases(),
        tokenizers::cases(),
        schedulers::cases(),
        adapters::cases(),
        pictures::cases(),
        prompts::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn every_hostile_input_is_refused_or_read() {
    let part = env::var(ONLY).unwrap_or_default();
    let cases: Vec<Case> = cases().into_iter().filter(|case| case.name.contains(&part)).collect();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "two cases of one name");
    assert!(cases.len() >= 400 || !part.is_empty(), "{} cases", cases.len());

    let folder = scratch("hostile");
    let (next, problems) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = &|worker: usize| {
        let folder = folder.join(worker.to_string());
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            problems.lock().unwrap().extend(run(case, &folder).err());
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from).min(4);
    thread::scope(|scope| (0..workers).for_each(|worker| drop(scope.spawn(move || work(worker)))));
    let problems = problems.into_inner().unwrap();
    assert!(problems.is_empty(), "{} of {} cases:\n{}", problems.len(), cases.len(), problems.join("\n"));
}

/// Makes the file, opens it in a child, and says what is wrong with how that went.
fn run(case: &Case, folder: &Path) -> Result<(), String> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).unwrap();
    let path = (case.make)(folder);
    let Outcome { text, time, memory, read } = child(&case.name, case.open, &path)?;
    println!("{:44} {:7.1} ms {:7} KiB  {text}", case.name, time.as_secs_f64() * 1e3, memory >> 10);

    let name = &case.name;
    let fail = |what: String| Err(format!("{name}: {what}: {text}"));
    let Some(part) = case.says else {
        return match read {
            false => fail("refused".into()),
            true if time > TIME_TO_READ => fail(format!("took {time:?}")),
            true if memory > MEMORY_TO_READ => fail(format!("took {memory} bytes")),
            true => Ok(()),
        };
    };
    let size = fs::metadata(&path).map_or(0, |metadata| if metadata.is_file() { metadata.len() } else { 0 });
    // Only headers are read of weights, and those up to 32 MiB.
    let header = size.max(case.bytes_read).min(33 << 20);
    if read {
        fail("accepted".into())
    } else if !text.contains(part) {
        fail(format!("does not say `{part}`"))
    } else if text.len() > 2500 || text.lines().count() > 10 || text.contains('\u{1b}') {
        fail("says too much".into())
    } else if time > TIME {
        fail(format!("took {time:?}"))
    } else if memory > 3 * header + ROOM {
        fail(format!("took {memory} bytes for {header}"))
    } else {
        Ok(())
    }
}

fn child(name: &str, open: Open, path: &Path) -> Result<Outcome, String> {
    // What waits for ever, such as for the other end of a pipe, is ended.
    let mut command = Command::new("timeout");
    command.arg("60").arg(env::current_exe().unwrap()).args([
        "--exact",
        "opens_what_it_is_told",
        "--ignored",
        "--nocapture",
        "--test-threads=1",
    ]);
    // A caught panic is printed, and its backtrace would take longer than all else.
    command.env("RUST_BACKTRACE", "0");
    let Output { status, stdout, stderr } =
        command.env(OPEN, open.name()).env(PATH, path).output().map_err(|error| error.to_string())?;
    let stdout = String::from_utf8_lossy(&stdout);
    let answer = stdout.lines().find_map(|line| line.strip_prefix(ANSWER)).and_then(Outcome::parse);
    match answer {
        Some(answer) if status.success() => Ok(answer),
        _ => Err(format!("{name}: {status}\n{stdout}{}", String::from_utf8_lossy(&stderr))),
    }
}

/// The child: not a test of its own.
#[test]
#[ignore = "run by the others, for one file at a time"]
fn opens_what_it_is_told() {
    let (Ok(open), Some(path)) = (env::var(OPEN), env::var_os(PATH)) else { return };
    let outcome = case::measure(Open::of(&open), Path::new(&path));
    println!("\n{ANSWER}{}", outcome.to_line());
}
