//! C and C++ programs against `libsdxl.so`: building them, running them, and reading its header.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use sdxl::Precision;
use sdxl::pipeline::write_random_model;
use sdxl::weights::RandomWeights;
use tch::Tensor;

use super::headers::scratch;
use super::{repository, save};

/// The strictest settings that a user's project may have.
pub(crate) const C: &[&str] = &["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror", "-g"];
pub(crate) const CPP: &[&str] = &["-std=c++17", "-Wall", "-Wextra", "-Werror", "-pedantic", "-g"];

/// With address and undefined-behaviour sanitizers, which end a program that they find something in.
pub(crate) const SANITIZER: &[&str] = &["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

/// An empty folder of this test file.
fn place(name: &str) -> PathBuf {
    scratch(&format!("{}-{name}", env!("CARGO_CRATE_NAME")))
}

/// A model whose weights are random, as a folder, written once for each test file.
pub(crate) fn model(name: &str) -> PathBuf {
    let folder = place(&format!("model-{name}"));
    write_random_model(repository("tests/models").join(name), &folder, 0, Precision::F32).unwrap();
    folder
}

/// The tiny base model.
pub(crate) fn base() -> &'static Path {
    static BASE: OnceLock<PathBuf> = OnceLock::new();
    BASE.get_or_init(|| model("base"))
}

/// Writes a LoRA of the tiny base model: for its UNet, and for both text encoders.
pub(crate) fn write_lora(path: &Path) {
    let layers = [
        ("unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q", 32),
        ("unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_out.0", 32),
        ("unet.up_blocks.0.attentions.1.transformer_blocks.0.attn1.to_v", 32),
        ("text_encoder.text_model.encoder.layers.0.self_attn.v_proj", 32),
        ("text_encoder_2.text_model.encoder.layers.0.self_attn.v_proj", 40),
    ];
    let tensors = layers.iter().flat_map(|(layer, width)| {
        [("lora_A", [2, *width]), ("lora_B", [*width, 2])].map(|(half, shape)| {
            let key = format!("{layer}.{half}.weight");
            let values = tensor(&key, &shape);
            (key, values)
        })
    });
    save(path, &tensors.collect::<Vec<_>>());
}

/// Writes a textual inversion of the tiny base model, with two vectors for one word: the name of the file.
pub(crate) fn write_textual_inversion(path: &Path) {
    save(path, &[("clip_l", 32), ("clip_g", 40)].map(|(key, width)| (key.into(), tensor(key, &[2, width]))));
}

/// Some numbers.
fn tensor(name: &str, shape: &[i64]) -> Tensor {
    let values = RandomWeights::new(0, "adapters").values(name, shape);
    Tensor::from_slice(&values).reshape(shape)
}

/// A folder that looks like an installed one: the library under its names, libtorch in `sdxl`.
pub(crate) fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let test = env::current_exe().unwrap();
        let library = test.parent().unwrap().join("libsdxl.so");
        assert!(library.exists(), "{} is not built", library.display());
        let folder = place("library");
        for name in ["libsdxl.so", "libsdxl.so.0.1"] {
            std::os::unix::fs::symlink(&library, folder.join(name)).unwrap();
        }
        let torch = library.with_file_name("libsdxl_torch.so");
        std::os::unix::fs::symlink(torch, folder.join("libsdxl_torch.so")).unwrap();
        std::os::unix::fs::symlink(sdxl_build::lib(), folder.join("sdxl")).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_sdxl-worker"), folder.join("sdxl-worker")).unwrap();
        folder
    })
}

/// Builds a program of these sources.
pub(crate) fn build(name: &str, flags: &[&str], sources: &[&Path]) -> PathBuf {
    let is_cpp = sources.iter().any(|source| source.extension() == Some(OsStr::new("cpp")));
    let compiler = if is_cpp { "c++" } else { "cc" };
    let program = place(name).join(name);
    let mut command = Command::new(compiler);
    command.args(if is_cpp { CPP } else { C }).arg("-I").arg(repository("include"));
    command.arg("-I").arg(repository("tests/c")).args(sources).arg("-o").arg(&program);
    command.args(flags).arg("-L").arg(library()).args(["-lsdxl", "-pthread"]);
    command.arg(format!("-Wl,-rpath,{}", library().display()));
    expect_success(&mut command);
    program
}

/// A program without what Cargo sets for tests: nothing but its run path leads to the libraries.
pub(crate) fn program(path: &Path) -> Command {
    let mut command = Command::new(path);
    command.env_remove("LD_LIBRARY_PATH");
    command
}

/// What a command that succeeds prints.
#[track_caller]
pub(crate) fn expect_success(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}\n{status}\n{stdout}\n{stderr}");
    stdout.into_owned()
}

/// Whether a tool is there; a test that needs it says that it is skipped.
pub(crate) fn has(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("skipped: {tool} is not installed");
    }
    found
}

/// Whether tests are to take their time: `make soak`.
pub(crate) fn is_soak() -> bool {
    env::var_os("SDXL_SOAK").is_some()
}

/// A function of the header.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) returns: String,
    pub(crate) name: String,
    /// Type and name of each.
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) comment: String,
}

/// All functions of `include/sdxl.h`, in its order.
pub(crate) fn functions() -> Vec<Function> {
    let header = fs::read_to_string(repository("include/sdxl.h")).unwrap();
    let mut functions = Vec::new();
    let (mut comment, mut code) = (String::new(), String::new());
    for line in header.lines() {
        if let Some(text) = line.strip_prefix("///") {
            comment.push_str(text.trim());
            comment.push('\n');
            continue;
        }
        code.push_str(line.trim());
        code.push(' ');
        if !line.ends_with(");") || line.starts_with("typedef") || line.starts_with("//") {
            if line.is_empty() || line.starts_with(['#', '/']) || line.ends_with(';') {
                (comment, code) = (String::new(), String::new());
            }
            continue;
        }
        let (front, parameters) = code.split_once('(').unwrap();
        let (returns, name) = declaration(front);
        let parameters = parameters.trim().trim_end_matches(");").split(',').map(declaration);
        let parameters = parameters.filter(|(kind, name)| !(kind.is_empty() && name == "void")).collect();
        functions.push(Function { returns, name, parameters, comment });
        (comment, code) = (String::new(), String::new());
    }
    functions
}

/// Type and name: `const char *name`.
fn declaration(text: &str) -> (String, String) {
    let text = text.trim();
    let start = text.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
    (text[..start].trim().to_owned(), text[start..].to_owned())
}
