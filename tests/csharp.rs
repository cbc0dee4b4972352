//! The C# side, `bindings/unity`: generated as the header says, laid out as Unity wants it, and run under Mono against
//! `libsdxl.so`. Nothing here runs inside of Unity: what needs the engine is compiled against small stubs of it.
#![cfg(test)]

mod common;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use common::c::{base, build, expect_success, functions, has, library, program};
use common::headers::scratch;
use common::repository;
use sdxl::{Conditioning, Image, Pipeline, Request};

#[test]
fn the_generated_files_are_those_of_the_header() {
    expect_success(Command::new(repository("scripts/csharp")).arg("--check"));
}

#[test]
fn every_function_is_called() {
    let mut code = String::new();
    for file in files(&repository("bindings/unity/Runtime/Core")) {
        if file.extension().is_some_and(|extension| extension == "cs")
            && !file.ends_with("NativeMethods.g.cs")
        {
            code.push_str(&fs::read_to_string(&file).unwrap());
        }
    }
    // C# does it by a job.
    let missing: Vec<String> = functions()
        .into_iter()
        .map(|function| function.name)
        .filter(|name| name != "sdxl_pipeline_generate" && !code.contains(&format!("NativeMethods.{name}")))
        .collect();
    assert!(missing.is_empty(), "C# lacks {missing:?}");
}

/// Unity's ahead-of-time compiler has no marshalling at run time.
#[test]
fn the_boundary_is_blittable() {
    let native =
        fs::read_to_string(repository("bindings/unity/Runtime/Core/Generated/NativeMethods.g.cs")).unwrap();
    let numbers = ["byte", "int", "uint", "long", "ulong", "float", "double", "IntPtr", "UIntPtr"];
    for line in native.lines().filter(|line| line.contains(" extern ") || line.contains(" delegate ")) {
        let (front, parameters) = line.split_once('(').unwrap();
        let returns = front.split_whitespace().rev().nth(1).unwrap();
        let types = parameters.trim_end_matches(");").split(", ").filter(|parameter| !parameter.is_empty());
        for kind in types.map(|parameter| parameter.split(' ').next().unwrap()).chain([returns]) {
            let kind = kind.trim_end_matches('*');
            assert!(numbers.contains(&kind) || kind.starts_with("sdxl_"), "{kind} in {line}");
        }
    }
    let imports = native
        .matches("[DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]");
    assert_eq!(imports.count(), functions().len());

    // C calls nothing in C#: a domain that Unity unloads would wait for the thread that came in, for ever.
    for file in files(&repository("bindings/unity/Runtime")) {
        if file.extension().is_some_and(|extension| extension == "cs") {
            let code = fs::read_to_string(&file).unwrap();
            assert!(!code.contains("GetFunctionPointerForDelegate"), "{}", file.display());
        }
    }
}

#[test]
fn every_file_of_the_package_has_a_meta() {
    let package = repository("bindings/unity");
    check_metas(&package);
    for file in ["package.json", "README.md", "CHANGELOG.md", "LICENSE.md", "Third Party Notices.md"] {
        assert!(package.join(file).exists(), "{file}");
    }
    let text = fs::read_to_string(package.join("package.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(manifest["unity"], "2021.3");
    for sample in manifest["samples"].as_array().unwrap() {
        assert!(package.join(sample["path"].as_str().unwrap()).is_dir(), "{sample}");
    }
    let core = fs::read_to_string(package.join("Runtime/Core/Sdxl.Core.asmdef")).unwrap();
    let core: serde_json::Value = serde_json::from_str(&core).unwrap();
    assert_eq!(core["noEngineReferences"], true);
}

#[test]
fn a_package_with_its_libraries_is_laid_out() {
    let package = scratch("csharp-package").join("Packages/com.sdxl.unity");
    let mut unity = Command::new(repository("scripts/unity"));
    unity.env("COPY", "link").arg(library().join("libsdxl.so")).arg(sdxl_build::lib()).arg(&package);
    expect_success(&mut unity);
    check_metas(&package);
    let plugins = package.join("Runtime/Plugins/x86_64");
    let meta = |name: &str| fs::read_to_string(plugins.join(format!("{name}.meta"))).unwrap();
    // On for the editor on Linux and players for Linux, and off elsewhere; not loaded before it is needed.
    let own = meta("libsdxl.so");
    for line in [
        "isPreloaded: 0",
        "validateReferences: 1",
        "OS: Linux",
        "CPU: x86_64",
        "Exclude Win64: 1",
        "Exclude Editor: 0",
    ] {
        assert!(own.contains(line), "{line}");
    }
    assert_eq!(own.matches("enabled: 1").count(), 2);
    assert!(!own.contains("AnyOS") && !own.contains("AnyCPU"));
    // Unity has nothing to do with the others.
    assert!(!meta("sdxl/libtorch_cpu.so").contains("enabled: 1"));
    assert!(meta("sdxl/libgomp.so.1").contains("DefaultImporter"));
    assert!(plugins.join("sdxl/libc10.so").exists());
    // It starts from there, and ends as it does where no host is at the other end.
    let worker = Command::new(plugins.join("sdxl/sdxl-worker")).output().unwrap();
    assert_eq!(worker.status.code(), Some(2), "{worker:?}");
}

/// Everything that Unity sees has a `.meta` with a GUID of its own, and no `.meta` stands alone.
fn check_metas(package: &Path) {
    let mut guids = BTreeSet::new();
    let mut count = 0;
    for path in everything(package) {
        let inside = path.strip_prefix(package).unwrap();
        if inside.components().any(|part| part.as_os_str().to_string_lossy().ends_with('~')) {
            continue;
        }
        if let Some(file) = path.to_str().unwrap().strip_suffix(".meta") {
            assert!(Path::new(file).exists(), "{} stands alone", path.display());
            continue;
        }
        let meta = PathBuf::from(format!("{}.meta", path.display()));
        let meta = fs::read_to_string(&meta).unwrap_or_else(|_| panic!("{} has no .meta", path.display()));
        let guid = meta.lines().find_map(|line| line.strip_prefix("guid: ")).unwrap().to_owned();
        assert!(guid.len() == 32 && guid.bytes().all(|byte| byte.is_ascii_hexdigit()), "{guid}");
        assert!(guids.insert(guid), "{} has the GUID of another", path.display());
        assert_eq!(meta.contains("folderAsset: yes"), path.is_dir(), "{}", path.display());
        count += 1;
    }
    assert!(count > 40, "{count}");
}

/// Files and folders, at any depth.
fn everything(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(everything(&path));
        }
        found.push(path);
    }
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    everything(folder).into_iter().filter(|path| path.is_file()).collect()
}

/// What a C compiler says of the header's types is what C# says.
#[test]
fn types_have_the_layout_of_c() {
    let Some(built) = built() else { return };
    let header = fs::read_to_string(repository("include/sdxl.h")).unwrap();
    let mut code = String::from("#include <sdxl.h>\n#include <stdio.h>\n\nint main(void) {\n");
    let mut print = |shown: &str, value: &str| {
        writeln!(code, "  printf(\"{shown} %d\\n\", (int)({value}));").unwrap();
    };
    let (mut name, mut fields) = (String::new(), Vec::new());
    for line in header.lines().map(str::trim) {
        if let Some(kind) = line.strip_prefix("enum ") {
            name = kind.to_owned();
            print(&pascal(kind), &format!("sizeof({kind})"));
        } else if line.starts_with("SDXL_") && line.ends_with(',') {
            let value = line.split_once(" = ").unwrap().0;
            print(&format!("{}.{}", pascal(&name), pascal(&value[name.len() + 1..])), value);
        } else if line == "typedef struct {" {
            fields.clear();
        } else if let Some(kind) = line.strip_prefix("} ").and_then(|line| line.strip_suffix(';')) {
            print(kind, &format!("sizeof({kind})"));
            for field in &fields {
                print(&format!("{kind}.{field}"), &format!("offsetof({kind}, {field})"));
            }
        } else if let Some((_, field)) = line.strip_suffix(';').and_then(|line| line.rsplit_once(' ')) {
            fields.push(field.to_owned());
        }
    }
    code.push_str("  return 0;\n}\n");
    let source = scratch("csharp-layout-source").join("layout.c");
    fs::write(&source, code).unwrap();
    let sorted = |said: String| said.lines().map(str::to_owned).collect::<BTreeSet<String>>();
    let in_c = sorted(expect_success(&mut program(&build("layout", &[], &[&source]))));
    let in_csharp = sorted(expect_success(&mut mono(&built.join("Layout.exe"))));
    assert!(in_c.len() > 80, "{in_c:?}");
    assert_eq!(in_csharp, in_c);
}

/// `sdxl_job_state` is SdxlJobState.
fn pascal(name: &str) -> String {
    let word = |word: &str| format!("{}{}", word[..1].to_uppercase(), word[1..].to_lowercase());
    name.split('_').map(word).collect()
}

#[test]
fn the_package_s_tests_pass() {
    if let Some(built) = built() {
        let said = expect_success(mono(&built.join("Tests.exe")).env("SDXL_TEST_MODEL", base()));
        println!("{said}");
        assert!(said.contains(" passed, 0 failed"));
    }
}

#[test]
fn the_layer_over_the_engine_fills_textures() {
    if let Some(built) = built() {
        println!("{}", expect_success(mono(&built.join("UnityLayer.exe")).env("SDXL_TEST_MODEL", base())));
    }
}

#[test]
fn domains_come_and_go_while_jobs_run() {
    if let Some(built) = built() {
        println!("{}", expect_success(mono(&built.join("DomainReload.exe")).arg(base())));
    }
}

/// The example draws what the same program draws in Rust, and Ctrl-C cancels it.
#[test]
fn the_example_draws() {
    let Some(built) = built() else { return };
    let picture = scratch("csharp-example").join("lighthouse.png");
    let example = built.join("TextToImage.exe");
    let mut command = mono(&example);
    let said = expect_success(command.arg(base()).arg("a lighthouse").arg(&picture).arg("3"));
    assert!(said.contains("3 of 3, "), "{said}");
    let conditioning = Conditioning::builder("a lighthouse").build().unwrap();
    let request = Request::builder(conditioning).steps(3).seed(42).build().unwrap();
    let expected = Pipeline::builder(base()).build().unwrap().generate(&request).unwrap().remove(0);
    assert_eq!(Image::open(&picture).unwrap().pixels(), expected.pixels());

    let output = mono(&example).args(["/nowhere", "a cat"]).arg(&picture).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere"));

    // Mono tells a program of Ctrl-C on a terminal alone.
    let mut on_terminal = Command::new("python3");
    on_terminal.args(["-c", CTRL_C, "mono"]).arg(&example).arg(base()).arg("a cat").arg(&picture).arg("900");
    let said = expect_success(on_terminal.env("LD_LIBRARY_PATH", library()));
    assert!(said.contains("the job was cancelled") && said.ends_with("status 1\n"), "{said}");
}

/// Runs a program on a terminal, and types Ctrl-C when it has taken a step.
const CTRL_C: &str = r#"
import os, pty, sys
child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
said, typed = b"", False
while True:
    try:
        said += os.read(terminal, 4096)
    except OSError:
        break
    if not typed and b" of 900" in said:
        typed = os.write(terminal, b"\x03")
print(said.decode(errors="replace"))
print("status", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

/// Mono says only that libsdxl is missing, whatever is.
#[test]
fn a_missing_library_is_named() {
    let Some(built) = built() else { return };
    let folder = scratch("csharp-missing");
    let fails = || {
        let mut command = mono(&built.join("TextToImage.exe"));
        let output =
            command.env("LD_LIBRARY_PATH", &folder).args(["model", "a cat", "x.png"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let said = fails();
    assert!(said.contains("libsdxl.so is in none of: "), "{said}");
    std::os::unix::fs::symlink(library().join("libsdxl.so"), folder.join("libsdxl.so")).unwrap();
    fs::create_dir(folder.join("sdxl")).unwrap();
    for name in ["libtorch_cpu.so", "libgomp.so.1"] {
        std::os::unix::fs::symlink(sdxl_build::lib().join(name), folder.join("sdxl").join(name)).unwrap();
    }
    let said = fails();
    assert!(said.contains("libtorch: cannot be loaded: libc"), "{said}");
    assert!(said.contains("cannot open shared object file"), "{said}");
    fs::remove_file(folder.join("libsdxl.so")).unwrap();
    fs::write(folder.join("libsdxl.so"), "not a library").unwrap();
    assert!(fails().contains("libsdxl.so is no 64-bit library"));
}

/// From a checkout to a picture by the README's five commands. The first three, which install Mono, compile for minutes
/// and write a random model, are done by what they call.
#[test]
fn by_the_commands_of_the_readme() {
    if built().is_none() {
        return;
    }
    let readme = fs::read_to_string(repository("README.md")).unwrap();
    let section = readme.split("## In C#").nth(1).unwrap();
    let block = section.split("```").nth(1).unwrap().trim_start_matches("sh\n");
    let commands: Vec<&str> = block.trim().lines().collect();
    assert_eq!(commands.len(), 5);
    assert_eq!(commands[..2], ["scripts/mono", "make install PREFIX=$HOME/sdxl"]);
    assert!(commands[2].starts_with("cargo run --example random_model -- tests/models/base model"));

    let home = scratch("csharp-home");
    let checkout = scratch("csharp-checkout");
    let mut install = Command::new(repository("scripts/install"));
    install
        .env("COPY", "ln -sf")
        .arg(library().join("libsdxl.so"))
        .arg(sdxl_build::lib())
        .arg(home.join("sdxl"));
    expect_success(&mut install);
    std::os::unix::fs::symlink(base(), checkout.join("model")).unwrap();
    for name in ["examples", "bindings", "scripts"] {
        std::os::unix::fs::symlink(repository(name), checkout.join(name)).unwrap();
    }
    let script = format!("set -e\n{}\n{}", commands[0], commands[3..].join("\n"));
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(&checkout).env("HOME", home).env_remove("LD_LIBRARY_PATH");
    expect_success(&mut shell);
    assert_eq!(Image::open(checkout.join("lighthouse.png")).unwrap().width(), 64);
}

/// Mono, which finds the library and nothing else. What hangs at its end, as runtimes do with threads of others, fails.
fn mono(assembly: &Path) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--foreground", "150", "mono", "--debug"]).arg(assembly).env("LD_LIBRARY_PATH", library());
    command
}

/// The folder of everything compiled, or none where there is no Mono. Warnings are errors, also those for what is public
/// and has no documentation. Mono's compiler knows C# 7; Unity 2021.3 has C# 9.
fn built() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let make = || {
        if !has("mono") || !has("mcs") {
            return None;
        }
        let folder = scratch("csharp-built");
        let compile = |output: &str, references: &[&str], sources: &[&str]| {
            let mut command = Command::new("mcs");
            command.current_dir(&folder).args([
                "-langversion:7.2",
                "-unsafe",
                "-debug",
                "-warnaserror",
                "-r:System.Core.dll",
            ]);
            // Fields that Unity fills.
            command.arg("-nowarn:649,414").arg(format!("-out:{output}"));
            if output.ends_with(".dll") {
                command.arg("-target:library");
            }
            if output.starts_with("Sdxl.") && !output.contains("Editor") {
                command.arg("-doc:documentation.xml");
            }
            command.args(references.iter().map(|name| format!("-r:{name}.dll")));
            for source in sources.iter().map(|source| repository(source)) {
                if source.is_dir() {
                    command.args(
                        files(&source).iter().filter(|file| file.extension().is_some_and(|e| e == "cs")),
                    );
                } else {
                    command.arg(source);
                }
            }
            expect_success(&mut command);
        };
        let package = "bindings/unity";
        let (nunit, model) = ("tests/csharp/NUnit.cs", "bindings/unity/Tests/Runtime/TestModel.cs");
        compile("Sdxl.Core.dll", &[], &[&format!("{package}/Runtime/Core")]);
        compile("UnityEngine.dll", &[], &["tests/csharp/UnityEngine.cs"]);
        compile("UnityEditor.dll", &["UnityEngine"], &["tests/csharp/UnityEditor.cs"]);
        compile("Sdxl.Unity.dll", &["Sdxl.Core", "UnityEngine"], &[&format!("{package}/Runtime/Unity")]);
        let all = ["Sdxl.Core", "UnityEngine", "Sdxl.Unity", "UnityEditor"];
        compile("Sdxl.Unity.Editor.dll", &all, &[&format!("{package}/Editor")]);
        compile("Samples.dll", &all[..3], &[&format!("{package}/Samples~")]);
        compile("Tests.exe", &all[..1], &[nunit, &format!("{package}/Tests/Runtime")]);
        compile("UnityLayer.exe", &all[..3], &[nunit, model, "tests/csharp/UnityLayer.cs"]);
        compile("DomainReload.exe", &all[..1], &["tests/csharp/DomainReload.cs"]);
        compile("Layout.exe", &[], &["tests/csharp/Layout.cs"]);
        compile("TextToImage.exe", &all[..1], &["examples/csharp/TextToImage.cs"]);
        Some(folder)
    };
    BUILT.get_or_init(make).as_deref()
}
