//! Paths that are no files, lead out of the model's folder, or never end.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use sdxl::Error;
use sdxl::weights::{read_safetensors, save_safetensors};
use serde_json::json;
use tch::{Kind, Tensor};

use super::case::{Case, Open};
use super::configurations::model;

const FILE: &str = "diffusion_pytorch_model.safetensors";
const INDEX: &str = "diffusion_pytorch_model.safetensors.index.json";

fn pipe(path: &Path) {
    let _ = fs::remove_file(path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// A model whose UNet is in shards; `change` sees the folder of the UNet, and a good shard in it.
fn shards(
    name: &str,
    map: serde_json::Value,
    says: &'static str,
    change: impl Fn(&Path, &Path) + Sync + 'static,
) -> Case {
    Case::new(format!("shards: {name}"), Open::Model, says, move |folder| {
        let model = model(folder);
        let unet = model.join("unet");
        let shard = unet.join("shard.safetensors");
        fs::rename(unet.join(FILE), &shard).unwrap();
        fs::write(unet.join(INDEX), map.to_string()).unwrap();
        change(&unet, &shard);
        model
    })
}

/// The same model with one of its files replaced.
fn replaced(name: &str, file: &'static str, says: &'static str, make: fn(&Path)) -> Case {
    Case::new(format!("folder: {name}"), Open::Model, says, move |folder| {
        let model = model(folder);
        let path = model.join(file);
        let _ = fs::remove_file(&path);
        make(&path);
        model
    })
}

fn map(name: &str) -> serde_json::Value {
    json!({ "weight_map": { "conv_in.weight": name } })
}

pub(crate) fn cases() -> Vec<Case> {
    let nothing = |_: &Path, _: &Path| ();
    let moved_out =
        |unet: &Path, shard: &Path| fs::rename(shard, unet.join("../../out.safetensors")).unwrap();
    let many: serde_json::Map<_, _> =
        (0..20_000).map(|i| (format!("t{i}"), json!(format!("shard {i}.safetensors")))).collect();
    let mut cases = vec![
        shards("above the folder", map("../../out.safetensors"), "leads out of the folder", moved_out),
        shards("above and back", map("../unet/shard.safetensors"), "leads out of the folder", nothing),
        shards("an absolute path", map("/etc/passwd"), "leads out of the folder", nothing),
        shards("no name", map(""), "no name of a file: `", nothing),
        shards("a dot", map("."), "leads out of the folder", nothing),
        shards("a name with a NUL", map("a\0b"), "no name of a file: `", nothing),
        shards("a name of 4 KB", map(&"x".repeat(4096)), "no name of a file: `", nothing),
        shards("a name that writes on the screen", map("\u{1b}[2J"), "no name of a file: `", nothing),
        shards("not there", map("absent.safetensors"), "No such file", nothing),
        shards("a link out of the folder", map("link"), "outside the model's folder", |unet, _| {
            fs::write(unet.join("../../out"), "secret").unwrap();
            symlink("../../out", unet.join("link")).unwrap();
        }),
        shards("a folder that is a link out", map("link/out"), "outside the model's folder", |unet, _| {
            fs::write(unet.join("../../out"), "secret").unwrap();
            symlink("../..", unet.join("link")).unwrap();
        }),
        shards("a link to itself", map("link"), "symbolic links", |unet, _| {
            symlink("link", unet.join("link")).unwrap()
        }),
        shards("a link to nothing", map("link"), "No such file", |unet, _| {
            symlink("absent", unet.join("link")).unwrap()
        }),
        shards("a device", map("link"), "outside the model's folder", |unet, _| {
            symlink("/dev/zero", unet.join("link")).unwrap();
        }),
        shards("a pipe", map("pipe"), "not a regular file", |unet, _| pipe(&unet.join("pipe"))),
        shards("a folder", map("folder"), "not a regular file", |unet, _| {
            fs::create_dir(unet.join("folder")).unwrap()
        }),
        shards("the index itself", map(INDEX), "JSON", nothing),
        shards("20 000 of them", json!({ "weight_map": many }), "No such file", nothing),
        shards(
            "the same tensors twice",
            json!({"weight_map": {"a": "shard.safetensors", "b": "copy"}}),
            "twice",
            |unet, shard| {
                fs::copy(shard, unet.join("copy")).unwrap();
            },
        ),
        shards("a map that is a list", json!({"weight_map": []}), "invalid type", nothing),
        shards("a map of numbers", json!({"weight_map": {"a": 1}}), "invalid type", nothing),
        shards("no map", json!({}), "missing field", nothing),
        shards(
            "an index of 5 MB",
            json!({"weight_map": {}, "x": "x".repeat(5 << 20)}),
            "is larger than",
            nothing,
        ),
        shards("an empty map", json!({"weight_map": {}}), "tensors missing", nothing),
        shards("as it should be", map("shard.safetensors"), "", nothing).valid(),
    ];
    for file in [
        "model_index.json",
        "unet/config.json",
        "text_encoder_2/model.safetensors",
        "scheduler/scheduler_config.json",
    ] {
        cases.extend([
            replaced(&format!("{file} is a pipe"), file, "not a regular file", pipe),
            replaced(&format!("{file} is a folder"), file, "not a regular file", |path| {
                fs::create_dir(path).unwrap()
            }),
            replaced(&format!("{file} is /dev/zero"), file, "not a regular file", |path| {
                symlink("/dev/zero", path).unwrap();
            }),
            replaced(&format!("{file} is a link to itself"), file, "", |path| symlink(path, path).unwrap()),
        ]);
    }
    let opened = [
        Open::Tensors,
        Open::LoraFile,
        Open::Inversion,
        Open::UnetJson,
        Open::SchedulerJson,
        Open::ImageFile,
        Open::ImageSize,
        Open::MaskFile,
        Open::LatentsFile,
    ];
    for open in opened {
        let case = |what: &str, says, make: fn(&Path) -> PathBuf| {
            Case::new(format!("{open:?} of {what}"), open, says, make)
        };
        cases.extend([
            case("a pipe", "not a regular file", |folder| {
                let path = folder.join("pipe");
                pipe(&path);
                path
            }),
            case("a folder", "not a regular file", Path::to_owned),
            case("/dev/zero", "not a regular file", |_| "/dev/zero".into()),
            case("/dev/stdin", "not a regular file", |_| "/dev/stdin".into()),
            case("nothing", "No such file", |folder| folder.join("absent")),
            case("a hole of 1 TB", "", |folder| {
                let path = folder.join("hole");
                File::create(&path).unwrap().set_len(1 << 40).unwrap();
                path
            }),
        ]);
    }
    cases
}

/// Mapped into memory, such a file ends the process.
#[test]
fn a_file_that_shrinks_while_it_is_read_is_an_error() {
    let path = super::scratch("hostile-shrinking").join("x.safetensors");
    let tensor = Tensor::ones([512, 1024], (Kind::Float, tch::Device::Cpu));
    save_safetensors(&path, &[("a", &tensor)]).unwrap();
    let size = fs::metadata(&path).unwrap().len();
    let is_over = AtomicBool::new(false);
    let (mut read, mut refused) = (0, 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            let file = File::options().write(true).open(&path).unwrap();
            while !is_over.load(Ordering::Relaxed) {
                for length in [size / 2, size] {
                    file.set_len(length).unwrap();
                    thread::yield_now();
                }
            }
        });
        for _ in 0..500 {
            match read_safetensors(&path) {
                Ok(_) => read += 1,
                Err(Error::Io { .. } | Error::File { .. }) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
    println!("{read} times read, {refused} times refused");
    assert!(refused > 0);
}
