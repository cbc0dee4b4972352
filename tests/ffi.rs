//! The C interface: its header, its symbols, and C programs that use and misuse it.
#![cfg(test)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use common::c::{
    C, CPP, SANITIZER, base, build, expect_success, functions, has, is_soak, library, program, write_lora,
    write_textual_inversion,
};
use common::headers::scratch;
use common::repository;

#[test]
fn the_header_is_that_of_the_code() {
    let committed = repository("include/sdxl.h");
    let generated = include_str!(concat!(env!("OUT_DIR"), "/sdxl.h"));
    if fs::read_to_string(&committed).unwrap_or_default() != generated {
        fs::write(&committed, generated).unwrap();
        panic!("include/sdxl.h was not that of src/ffi; it is now: look at the difference and commit it");
    }
}

#[test]
fn the_header_compiles_alone() {
    let source = scratch("ffi-alone").join("alone.c");
    fs::write(&source, "#include <sdxl.h>\n#include <sdxl.h>\n").unwrap();
    for (compiler, language, flags) in [("cc", "c", C), ("c++", "c++", CPP)] {
        let mut command = Command::new(compiler);
        command.args(flags).args(["-pedantic", "-Wundef", "-Wconversion", "-fsyntax-only", "-x", language]);
        expect_success(command.arg("-I").arg(repository("include")).arg(&source));
    }
}

#[test]
fn everything_in_the_header_is_documented() {
    let functions = functions();
    assert!(functions.len() > 100, "{}", functions.len());
    let mut problems = Vec::new();
    for function in &functions {
        let name = &function.name;
        let listed: Vec<&str> = function
            .comment
            .lines()
            .filter_map(|line| line.strip_prefix("- ").and_then(|line| line.split_once(':')))
            .map(|(parameter, _)| parameter)
            .collect();
        let parameters: Vec<&str> = function.parameters.iter().map(|(_, name)| name.as_str()).collect();
        if listed != parameters {
            problems.push(format!("{name}({}) explains {}", parameters.join(", "), listed.join(", ")));
        }
        let last = function.comment.trim_end().lines().last().unwrap_or_default();
        if !last.starts_with("Any thread") || !last.ends_with("Since 0.1.") {
            problems.push(format!("{name} does not end with its thread safety and version: {last}"));
        }
        if function.returns != "sdxl_status" && !function.comment.contains("Returns") {
            problems.push(format!("{name} does not say what it returns"));
        }
    }
    // Types, fields and constants.
    let header = fs::read_to_string(repository("include/sdxl.h")).unwrap();
    let lines: Vec<&str> = header.lines().collect();
    for pair in lines.windows(2) {
        let (above, line) = (pair[0].trim(), pair[1].trim());
        let is_value = line.starts_with("SDXL_") && line.ends_with(',');
        let is_field = pair[1].starts_with("  ") && line.ends_with(';') && !line.contains(['(', ')']);
        let is_type =
            (line.starts_with("enum ") || line.starts_with("typedef struct")) && !line.ends_with(';');
        let is_callback = line.starts_with("typedef ") && line.contains("(*");
        if (is_value || is_field || is_type || is_callback) && !above.starts_with("///") {
            problems.push(format!("no comment: {line}"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_function_has_a_method_in_cpp() {
    let cpp = fs::read_to_string(repository("include/sdxl.hpp")).unwrap();
    // What C++ does by others, and what needs no wrapper.
    let left_out = ["sdxl_abi_version", "sdxl_version", "sdxl_status_name", "sdxl_pipeline_generate"];
    let functions = functions();
    let missing: Vec<&str> = functions
        .iter()
        .map(|function| function.name.as_str())
        .filter(|name| {
            !left_out.contains(name)
                && !cpp.contains(&format!("{name}("))
                && !cpp.contains(&format!("{name}>"))
        })
        .collect();
    assert!(missing.is_empty(), "include/sdxl.hpp lacks {missing:?}");
}

#[test]
fn only_the_functions_of_the_header_are_exported() {
    let symbols =
        expect_success(Command::new("nm").args(["-D", "--defined-only"]).arg(library().join("libsdxl.so")));
    let mut exported: Vec<&str> = symbols.lines().filter_map(|line| line.split_whitespace().last()).collect();
    let functions = functions();
    let mut declared: Vec<&str> = functions.iter().map(|function| function.name.as_str()).collect();
    exported.sort_unstable();
    declared.sort_unstable();
    assert_eq!(exported, declared);
}

#[test]
fn the_library_finds_its_neighbours_and_stays() {
    let dynamic = expect_success(Command::new("readelf").arg("-d").arg(library().join("libsdxl.so")));
    let has_line = |parts: &[&str]| dynamic.lines().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(has_line(&["(SONAME)", "[libsdxl.so.0.1]"]), "{dynamic}");
    assert!(has_line(&["(RUNPATH)", "[$ORIGIN:$ORIGIN/sdxl]"]), "{dynamic}");
    assert!(has_line(&["(FLAGS_1)", "NODELETE"]), "{dynamic}");
    // Loaded when it is needed. Where this fails, sdxl-torch/functions.txt is old: run scripts/torch-functions.
    for other in ["libtorch", "libc10", "libgomp"] {
        assert!(!has_line(&["(NEEDED)", other]), "{dynamic}");
    }
}

/// Builds a program of `tests/c`, with and without the address sanitizer, and runs it both ways.
fn run(name: &str, arguments: &[&str]) {
    let source = repository("tests/c").join(format!("{name}.c"));
    let plain = build(name, &[], &[&source]);
    print!("{}", expect_success(program(&plain).args(arguments)));
    let sanitized = build(&format!("{name}-asan"), SANITIZER, &[&source]);
    // A program without the sanitizer would pass for no reason.
    let symbols = expect_success(Command::new("nm").arg(&sanitized));
    assert!(symbols.contains("__asan_init"), "{name} was built without the sanitizer");
    // libtorch never frees what it makes once.
    expect_success(program(&sanitized).args(arguments).env("ASAN_OPTIONS", "detect_leaks=0"));
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn macros_are_those_of_the_library() {
    run("version", &[]);
}

#[test]
fn pictures_go_in_and_out_in_every_format() {
    run("pixels", &[]);
}

#[test]
fn jobs_can_be_watched_cancelled_and_freed_at_any_time() {
    run("jobs", &[text(base())]);
}

#[test]
fn a_model_can_lie_in_memory() {
    let mut files = Vec::new();
    names(base(), "", &mut files);
    assert!(files.len() > 8, "{files:?}");
    let arguments: Vec<&str> = [text(base())].into_iter().chain(files.iter().map(String::as_str)).collect();
    run("pack", &arguments);
}

/// The names of the files of a folder and of its folders.
fn names(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() { names(&path, &format!("{name}/"), found) } else { found.push(name) }
    }
}

#[test]
fn sixteen_threads_share_handles() {
    run("threads", &[text(base()), text(&adapters("threads")[0])]);
}

/// Files of a LoRA and a textual inversion.
fn adapters(name: &str) -> [PathBuf; 2] {
    let folder = scratch(&format!("ffi-adapters-{name}"));
    let [lora, inversion] = ["lora.safetensors", "mossy.safetensors"].map(|file| folder.join(file));
    write_lora(&lora);
    write_textual_inversion(&inversion);
    [lora, inversion]
}

#[test]
fn a_fork_is_refused() {
    run("fork", &[text(base())]);
}

#[test]
fn the_library_stays_when_it_is_closed() {
    // Not linked with the library: none of its functions is called by name.
    let unload = build("unload", &["-Wl,--as-needed", "-ldl"], &[&repository("tests/c/unload.c")]);
    let library = library().join("libsdxl.so");
    print!("{}", expect_success(program(&unload).args([text(&library), text(base())])));
}

/// A program may end with nothing freed, whatever happens at that moment.
#[test]
fn a_process_may_end() {
    let exit = build("exit", &[], &[&repository("tests/c/exit.c")]);
    let rounds = if is_soak() { 25 } else { 2 };
    for what in [
        "started",
        "drawing",
        "drawing, freed at the end",
        "in a callback, freed at the end",
        "cancelled",
        "calling back",
        "loading",
        "drawing in a thread",
    ] {
        for how in ["return", "exit in a thread", "_Exit"] {
            for isolation in ["none", "process"] {
                let mut longest = Duration::ZERO;
                for round in 0..rounds {
                    let mut command = Command::new("timeout");
                    command
                        .arg("60")
                        .arg(&exit)
                        .args([what, how, text(base())])
                        .env_remove("LD_LIBRARY_PATH");
                    let began = Instant::now();
                    let output = command.env("SDXL_TEST_ISOLATION", isolation).output().unwrap();
                    longest = longest.max(began.elapsed());
                    let context = format!("{what}, {how}, isolation {isolation}, round {round}");
                    assert_eq!(output.status.code(), Some(7), "{context}: {output:?}");
                }
                println!("{what}, {how}, isolation {isolation}: {rounds} of {rounds}, {longest:.1?} at most");
            }
        }
    }
}

#[test]
fn rounds_leave_the_memory_as_it_was() {
    let rounds = if is_soak() { "500" } else { "15" };
    let memory = build("memory", &[], &[&repository("tests/c/memory.c")]);
    let files = adapters("memory");
    print!("{}", expect_success(program(&memory).args([text(base()), rounds]).args(files)));
}

#[test]
fn the_error_paths_are_clean_under_valgrind() {
    if has("valgrind") {
        let pixels = build("pixels-valgrind", &[], &[&repository("tests/c/pixels.c")]);
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--quiet", "--error-exitcode=9", "--leak-check=no"]).arg(pixels);
        expect_success(valgrind.env_remove("LD_LIBRARY_PATH"));
    }
}
