//! Long runs leave the memory as it was: many pictures, many threads that end, many loads, with the model of this
//! repository. Each is a process of its own, whose resident set is looked at after some rounds and at the end.
//!
//! `SDXL_SOAK=1` runs the long forms, of 1000 and 200 rounds.
#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]
#![allow(unsafe_code, reason = "the allocator is asked for what it keeps")]

mod common;

use std::env;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::Instant;

use common::c::{expect_success, is_soak};
use common::repository;
use sdxl::{Conditioning, Image, Pipeline, Request, Size};

/// The variables that tell the child what to do, and how often.
const CASE: &str = "SDXL_MEMORY_CASE";
const ROUNDS: &str = "SDXL_MEMORY_ROUNDS";

#[test]
fn a_thousand_pictures() {
    flat("pictures", [1000, 20]);
}

/// libtorch keeps memory for threads that computed.
#[test]
fn a_thousand_threads() {
    flat("threads", [1000, 20]);
}

#[test]
fn a_thousand_threads_that_start_jobs() {
    flat("threads with jobs", [1000, 20]);
}

#[test]
fn two_hundred_loads() {
    flat("loads", [200, 60]);
}

/// The rounds of the long form and of the short one.
fn flat(case: &str, [long, short]: [usize; 2]) {
    let rounds = if is_soak() { long } else { short };
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "rounds_of_what_it_is_told", "--ignored", "--nocapture", "--test-threads=1"]);
    print!("{}", expect_success(child.env(CASE, case).env(ROUNDS, rounds.to_string())));
}

/// What is resident, without what the allocator keeps of memory that was freed.
fn resident_kilobytes() -> i64 {
    // SAFETY: it may be called at any time.
    unsafe { libc::malloc_trim(0) };
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    pages.split_whitespace().nth(1).unwrap().parse::<i64>().unwrap() * 4
}

fn load() -> Pipeline {
    Pipeline::builder(repository("models/nano")).build().unwrap()
}

/// The child: not a test of its own.
#[test]
#[ignore = "run by the others, each in a process of its own"]
fn rounds_of_what_it_is_told() {
    let (Ok(case), Ok(rounds)) = (env::var(CASE), env::var(ROUNDS)) else { return };
    let rounds: usize = rounds.parse().unwrap();
    let conditioning = Conditioning::builder("a red apple on a blue background").build().unwrap();
    let request = Request::builder(conditioning).size(Size::new(64, 64)).steps(2).build().unwrap();
    if case.starts_with("threads") {
        // Each then has a helper of its own.
        sdxl::set_threads(2).unwrap();
    }
    let pipeline = load();
    let expected = pipeline.generate(&request).unwrap();
    let with_a_job = |request: &Request| {
        let job = pipeline.start(request).unwrap();
        job.wait(None).unwrap();
        job.take_images()
    };
    let on_a_thread = |work: &(dyn Fn(&Request) -> sdxl::Result<Vec<Image>> + Sync)| {
        let request = request.clone();
        thread::scope(|scope| scope.spawn(move || work(&request)).join().unwrap())
    };
    let round = || {
        let images = match case.as_str() {
            "pictures" => pipeline.generate(&request),
            "threads" => on_a_thread(&|request| pipeline.generate(request)),
            "threads with jobs" => on_a_thread(&with_a_job),
            "loads" => load().generate(&request),
            other => panic!("{other} is nothing to do"),
        };
        assert!(images.unwrap() == expected, "{case}: another picture");
    };
    // What is made once and kept, such as the allocator's arenas.
    let warm_up = if is_soak() { 50 } else { 20 };
    (0..warm_up).for_each(|_| round());
    let (before, started) = (resident_kilobytes(), Instant::now());
    let growth: Vec<i64> = (0..10)
        .map(|_| {
            let after_a_round = |_| {
                round();
                resident_kilobytes() - before
            };
            // Loads and frees move it up and down by 3 MB; what is never given back also lifts the lowest.
            (0..rounds / 10).map(after_a_round).min().unwrap()
        })
        .collect();
    let each = started.elapsed().as_secs_f64() * 1e3 / rounds as f64;
    println!(
        "{case}: {before} kB after {warm_up} rounds; {rounds} more of {each:.0} ms, {growth:+?} kB, the lowest of each tenth"
    );
    let lowest = growth.iter().skip(5).min().unwrap();
    assert!(*lowest < before / 100, "{case}: the memory grew by {lowest} kB");
}
