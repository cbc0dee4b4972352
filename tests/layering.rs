//! The arrows between the modules of `src/` point down only (ARCHITECTURE.md has the picture).
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up. A module uses modules of lower layers only, never its neighbours.
const LAYERS: &[&[&str]] = &[
    &["error"],
    &["runtime"],
    &["config", "host", "noise"],
    &["image"],
    &["weights"],
    &["nn"],
    &["text", "unet", "vae", "conditioning", "scheduler"],
    &["pipeline", "training"],
    &["isolation"],
    &["ffi"],
];

/// A scheduler knows of no model: it sees latents and noise only.
const SCHEDULER_MAY_USE: &[&str] = &["error", "runtime", "noise", "nn::ops"];

/// Arrows up that are wanted.
const EXCEPTIONS: &[(&str, &str)] = &[
    // `Error` carries the list of everything that is wrong with a checkpoint.
    ("error", "weights"),
];

#[test]
fn arrows_point_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    assert!(files.len() > 5, "found only {files:?}");
    let problems: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let text = fs::read_to_string(file).unwrap();
            violations(file.strip_prefix(&root).unwrap(), &text)
        })
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn wrong_arrows_are_found() {
    let found = |file: &str, text: &str| violations(Path::new(file), text);
    let scheduler = "scheduler/solver/heun.rs";

    assert_eq!(found("nn/linear.rs", "use crate::error::Result;\nuse crate::weights::Weights;\n"), [""; 0]);
    assert_eq!(found("nn/linear.rs", "//! [`crate::unet`]\nfn f() {} // crate::unet\n"), [""; 0]);
    assert_eq!(
        found(scheduler, "use crate::nn::ops;\nuse crate::{nn::ops::lerp, noise::NoiseSource};"),
        [""; 0]
    );
    assert_eq!(found(scheduler, "use super::Step;\nuse super::super::Scheduler;\n"), [""; 0]);
    assert_eq!(found("noise.rs", "mod tests {\n    use super::*;\n    use super::NoiseSource;\n}"), [""; 0]);

    let cases = [
        ("nn/linear.rs", "\nuse crate::unet::Unet;", "src/nn/linear.rs:2: nn uses unet"),
        ("nn/linear.rs", "fn f(x: crate::vae::Vae) {}", "src/nn/linear.rs:1: nn uses vae"),
        ("nn/linear.rs", "use super::super::vae::Vae;", "src/nn/linear.rs:1: nn uses vae"),
        ("nn/linear.rs", "use crate::Pipeline;", "src/nn/linear.rs:1: nn uses Pipeline"),
        ("noise.rs", "use super::unet::Unet;", "src/noise.rs:1: noise uses unet"),
        ("unet/mod.rs", "use crate::vae;", "src/unet/mod.rs:1: unet uses vae"),
        (scheduler, "use crate::nn::linear;", "src/scheduler/solver/heun.rs:1: scheduler uses nn::linear"),
        (scheduler, "use crate::nn::{self, ops};", "src/scheduler/solver/heun.rs:1: scheduler uses nn::self"),
        (
            scheduler,
            "use crate::{\n    error::Result,\n    config::{ModelConfig},\n};",
            "heun.rs:3: scheduler uses config",
        ),
        ("gizmo.rs", "use crate::error::Error;", "src/gizmo.rs:1: gizmo uses error"),
    ];
    for (file, text, expected) in cases {
        let problems = found(file, text);
        assert!(problems.len() == 1 && problems[0].contains(expected), "{file} {text:?}: {problems:?}");
    }
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("src/lib.rs")
        {
            files.push(path);
        }
    }
}

/// The wrong arrows of one file, named from `src/`.
fn violations(file: &Path, text: &str) -> Vec<String> {
    let stem = file.with_extension("");
    let mut modules: Vec<&str> = stem.iter().filter_map(|part| part.to_str()).collect();
    modules.pop_if(|last| *last == "mod");
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap()).collect();
    let mut problems = Vec::new();
    for (line, path) in paths(&code.join("\n"), modules.len()) {
        if !allowed(modules[0], &path) {
            problems.push(format!("src/{}:{line}: {} uses {path}, an arrow up", file.display(), modules[0]));
        }
    }
    problems
}

fn allowed(from: &str, path: &str) -> bool {
    let layer = |module| LAYERS.iter().position(|layer| layer.contains(&module));
    let to = path.split("::").next().unwrap();
    if from == to || EXCEPTIONS.contains(&(from, to)) {
        return true;
    }
    if from == "scheduler" {
        return SCHEDULER_MAY_USE.iter().any(|&may| path == may || path.starts_with(&format!("{may}::")));
    }
    // Names that the crate's root re-exports have no layer: they hide where they come from.
    matches!((layer(from), layer(to)), (Some(from), Some(to)) if to < from)
}

/// Every path in the code that starts at the root of the crate, with its line.
fn paths(code: &str, depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let line_of = |at: usize| code[..at].matches('\n').count() + 1;
    for (at, _) in code.match_indices("crate::") {
        expand(&code[at + 7..], at + 7, "", &mut |at, path| found.push((line_of(at), path)));
    }
    // `super` as often as the file is deep is the root too; in an inline module it is not, and then what
    // follows is no module.
    let climb = "super::".repeat(depth);
    for (at, _) in code.match_indices(&climb) {
        let at = at + climb.len();
        expand(&code[at..], at, "", &mut |at, path| {
            if LAYERS.iter().any(|layer| layer.contains(&path.split("::").next().unwrap())) {
                found.push((line_of(at), path));
            }
        });
    }
    found
}

/// Reports `a::b::c` once, and `a::{b, c::{d, e}}` once for each name in it.
fn expand(code: &str, at: usize, prefix: &str, report: &mut dyn FnMut(usize, String)) {
    let end = code.find(|c: char| !c.is_alphanumeric() && !"_:".contains(c)).unwrap_or(code.len());
    let path = format!("{prefix}{}", &code[..end]);
    if !code[end..].starts_with('{') {
        if !path.is_empty() {
            report(at, path);
        }
        return;
    }
    let mut depth = 0;
    let mut start = end + 1;
    for (offset, c) in code[end..].char_indices() {
        let here = end + offset;
        depth += i32::from(c == '{') - i32::from(c == '}');
        if (c == ',' && depth == 1) || depth == 0 {
            let item = &code[start..here];
            let skipped = item.len() - item.trim_start().len();
            expand(item.trim(), at + start + skipped, &path, report);
            start = here + 1;
        }
        if depth == 0 {
            return;
        }
    }
}
