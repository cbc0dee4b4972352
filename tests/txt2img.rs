//! The command-line program, run as a user runs it: its flags, its exit status and what it says.
#![cfg(test)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use common::headers::scratch;
use common::repository;
use ndarray::s;
use sdxl::pipeline::write_random_model;
use sdxl::{Image, Latents, Precision};
use serde_json::Value;

fn model() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = scratch("txt2img-model");
        write_random_model(repository("tests/models/base"), &folder, 0, Precision::F16).unwrap();
        folder
    })
}

/// Runs the example in a folder; `cargo test` has built it beside the tests.
fn txt2img(folder: &Path, arguments: &[&str]) -> Output {
    command(folder).args(arguments).output().unwrap()
}

fn command(folder: &Path) -> Command {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().and_then(Path::parent).unwrap().join("examples/txt2img");
    assert!(program.exists(), "build it with `cargo build --examples`");
    let mut command = Command::new(program);
    command.current_dir(folder);
    command
}

/// The model of the repository draws what no other was asked for.
#[test]
fn models_nano_is_the_default() {
    let folder = scratch("txt2img-nano");
    let arguments = ["--prompt", "flat style, a red apple on a blue background", "--steps", "8"];
    let output = txt2img(&folder, &[&arguments[..], &["--output", "nano.png"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let picture = Image::open(folder.join("nano.png")).unwrap();
    assert_eq!((picture.width(), picture.height()), (128, 128));
    let corner: Vec<u8> = picture.pixels().slice(s![4, 4, ..]).to_vec();
    assert!(corner[2] > 150 && corner[0] < 130, "no blue background: {corner:?}");

    let output = command(&folder).env("SDXL_NANO", "no such model").args(arguments).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no such model"));
}

/// The same with the tiny model, which must succeed in silence.
fn draw(folder: &Path, arguments: &[&str]) -> String {
    let model = ["--model", model().to_str().unwrap()];
    let output = txt2img(folder, &[&model, arguments].concat());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    assert_eq!(error, "", "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_picture_and_its_latents() {
    let folder = scratch("txt2img-picture");
    let common = ["--prompt", "a cat", "--steps", "3", "--seed", "5"];
    let stdout = draw(&folder, &[&common[..], &["--latents-out", "latents.safetensors"]].concat());
    assert_eq!(stdout, "");
    let image = Image::open(folder.join("picture.png")).unwrap();
    assert_eq!((image.width(), image.height()), (64, 64));
    let latents = Latents::open(folder.join("latents.safetensors")).unwrap();
    assert_eq!(latents.tensor().unwrap().size(), [1, 4, 8, 8]);

    // The noise of that seed, given as a file, makes the same picture.
    let noise = sdxl::NoiseSource::new(&[5]).unwrap().normal(&[4, 8, 8]).unwrap();
    Latents::new(noise).unwrap().save(folder.join("noise.safetensors")).unwrap();
    draw(&folder, &[&common[..4], &["--latents-in", "noise.safetensors", "--output", "again.png"]].concat());
    assert_eq!(Image::open(folder.join("again.png")).unwrap().pixels(), image.pixels());
}

/// Every option changes the picture, or is refused; none is ignored.
#[test]
fn every_option_has_an_effect() {
    let folder = scratch("txt2img-options");
    let base = ["--prompt", "a cat", "--negative", "blurry", "--steps", "3"];
    let picture = |options: &[&str]| {
        draw(&folder, &[&base[..], options].concat());
        Image::open(folder.join("picture.png")).unwrap().pixels().to_owned()
    };
    let plain = picture(&[]);
    assert_eq!(picture(&["--prompt-syntax", "plain", "--device", "cpu", "--dtype", "f32"]), plain);
    for options in [
        vec!["--prompt-2", "a dog"],
        vec!["--negative-2", "people"],
        vec!["--guidance", "2"],
        vec!["--guidance-rescale", "0.7"],
        vec!["--variation-seed", "7", "--variation-strength", "0.2"],
        vec!["--pag-scale", "3"],
        vec!["--pag-scale", "3", "--pag-adaptive-scale", "0.005"],
        vec!["--pag-scale", "3", "--pag-layers", "down_blocks.1,up"],
        vec!["--freeu", "0.9,0.2,1.3,1.4"],
        vec!["--guidance-interval", "0.5,5"],
        vec!["--deep-cache", "2"],
        vec!["--clip-skip", "1"],
        vec!["--seed", "1"],
        vec!["--scheduler", "ddim"],
        vec!["--scheduler", "dpmpp_2m"],
        vec!["--scheduler", "ddim", "--eta", "1"],
        vec!["--spacing", "trailing"],
        vec!["--spacing", "karras"],
        vec!["--prediction", "v"],
        vec!["--original-size", "512x256"],
        vec!["--crop", "16,48"],
        vec!["--target-size", "512x256"],
        vec!["--negative-original-size", "512x256"],
        vec!["--negative-crop", "16,48"],
        vec!["--negative-target-size", "512x256"],
    ] {
        assert_ne!(picture(&options), plain, "{options:?}");
    }
    assert_eq!(picture(&["--width", "96", "--height", "72"]).dim(), (72, 96, 3));
    assert_eq!(picture(&["--width", "96"]).dim(), (64, 96, 3));
    // Sums in another order: the same picture, but for rounding.
    let difference = |a: &u8, b: &u8| a.abs_diff(*b);
    let one_thread = picture(&["--threads", "1"]);
    assert!(one_thread.iter().zip(&plain).all(|(a, b)| difference(a, b) <= 1));
}

#[test]
fn larger_pictures() {
    let folder = scratch("txt2img-hires");
    let picture = |options: &[&str]| {
        draw(&folder, &[&["--prompt", "a cat", "--steps", "3"], options].concat());
        Image::open(folder.join("picture.png")).unwrap().pixels().to_owned()
    };
    let base = ["--hires-scale", "1.5"];
    let latent = picture(&base);
    assert_eq!(latent.dim(), (96, 96, 3));
    for options in [["--hires-strength", "0.4"], ["--hires-upscaler", "pixel"], ["--hires-steps", "8"]] {
        assert_ne!(picture(&[&base[..], &options].concat()), latent, "{options:?}");
    }
    let large = ["--width", "256", "--height", "256"];
    assert_ne!(picture(&[&large[..], &["--watermark"]].concat()), picture(&large));
    // Up to rounding the same, in strips.
    let strips = picture(&["--vae-tiling", "--hires-scale", "1.5"]);
    assert!(strips.iter().zip(&latent).all(|(a, b)| a.abs_diff(*b) <= 1));
}

#[test]
fn inpainting() {
    let folder = scratch("txt2img-inpaint");
    let shades = ndarray::Array3::from_shape_fn((72, 88, 3), |(row, column, _)| {
        if (20..50).contains(&row) && (30..60).contains(&column) { 255 } else { 0 }
    });
    let photo =
        ndarray::Array3::from_shape_fn((72, 88, 3), |at| ((at.0 * 3 + at.1 * 5 + at.2 * 70) % 256) as u8);
    Image::from_pixels(shades.view()).unwrap().save_png(folder.join("mask.png")).unwrap();
    Image::from_pixels(photo.view()).unwrap().save_png(folder.join("photo.png")).unwrap();
    let picture = |options: &[&str]| {
        draw(
            &folder,
            &[&["--prompt", "a cat", "--steps", "3", "--init-image", "photo.png"], options].concat(),
        );
        Image::open(folder.join("picture.png")).unwrap().pixels().to_owned()
    };
    let masked = ["--mask", "mask.png"];
    let plain = picture(&masked);
    let mut seen = vec![plain];
    let options: &[&[&str]] = &[
        &["--overlay"],
        &["--overlay", "--mask-blur", "3"],
        &["--padding-mask-crop", "8"],
        &["--strength", "0.6"],
    ];
    for options in options {
        let found = picture(&[&masked[..], options].concat());
        assert!(!seen.contains(&found), "{options:?}");
        assert_eq!(found.dim(), photo.dim(), "{options:?}");
        if options.contains(&"--overlay") {
            assert_eq!(found.slice(ndarray::s![..8, .., ..]), photo.slice(ndarray::s![..8, .., ..]));
        }
        seen.push(found);
    }
    assert_eq!(picture(&["--outpaint", "8,0,0,16"]).dim(), (88, 96, 3));
}

#[test]
fn prompt_syntaxes() {
    let folder = scratch("txt2img-syntax");
    // Of any length, and nothing is said: nothing is cut.
    let prompt = "a (very:1.3) [long] prompt, ".repeat(20);
    let picture = |syntax| {
        draw(&folder, &["--prompt", &prompt, "--prompt-syntax", syntax, "--steps", "2"]);
        Image::open(folder.join("picture.png")).unwrap().pixels().to_owned()
    };
    assert_ne!(picture("a1111"), picture("a1111_no_norm"));
}

#[test]
fn a_batch_is_numbered() {
    let folder = scratch("txt2img-batch");
    let common = ["--prompt", "a cat", "--steps", "2"];
    draw(&folder, &[&common[..], &["--batch", "2", "--seed", "3", "--output", "cat.png"]].concat());
    for (index, seed) in ["3", "4"].iter().enumerate() {
        let image = Image::open(folder.join(format!("cat-{index}.png"))).unwrap();
        let recipe: Value = serde_json::from_str(image.text("sdxl").unwrap()).unwrap();
        assert_eq!(recipe["seed"].to_string(), *seed);
    }
}

#[test]
fn json_reports_every_stage() {
    let folder = scratch("txt2img-json");
    let stdout = draw(&folder, &["--prompt", "a cat", "--steps", "2", "--json"]);
    assert_eq!(stdout.lines().count(), 1);
    let report: Value = serde_json::from_str(&stdout).unwrap();
    for stage in ["load", "encode", "steps", "decode", "save"] {
        assert!(report[stage]["seconds"].as_f64().unwrap() >= 0., "{stage}");
        assert!(report[stage]["peak_mib"].as_f64().unwrap() > 10., "{stage}");
    }
    assert_eq!(report["steps"]["steps"], 2);
}

#[test]
fn taesd_decodes() {
    let Some(assets) = common::assets() else { return };
    let (folder, weights) = (scratch("txt2img-taesd"), scratch("txt2img-taesdxl"));
    for side in ["encoder", "decoder"] {
        let file = format!("taesdxl_{side}.safetensors");
        fs::copy(assets.join("weights/taesd").join(&file), weights.join(&file)).unwrap();
    }
    draw(&folder, &["--prompt", "a cat", "--steps", "2", "--taesd", weights.to_str().unwrap()]);
    assert_eq!(Image::open(folder.join("picture.png")).unwrap().width(), 64);
}

#[test]
fn adapters() {
    let folder = scratch("txt2img-adapters");
    let ones = |shape: &[i64]| tch::Tensor::ones(shape, (tch::Kind::Float, tch::Device::Cpu)) * 0.2;
    let layer = "lora_unet_mid_block_attentions_0_proj_in";
    let lora = [
        (format!("{layer}.lora_down.weight"), ones(&[2, 32])),
        (format!("{layer}.lora_up.weight"), ones(&[32, 2])),
    ];
    common::save(&folder.join("style.safetensors"), &lora);
    let word = [("clip_l".to_owned(), ones(&[2, 32])), ("clip_g".to_owned(), ones(&[2, 40]))];
    common::save(&folder.join("mossy.safetensors"), &word);
    let picture = |options: &[&str]| {
        draw(&folder, &[&["--prompt", "a mossy cat", "--steps", "2"], options].concat());
        Image::open(folder.join("picture.png")).unwrap().pixels().to_owned()
    };
    let plain = picture(&[]);
    let styled = picture(&["--lora", "style.safetensors"]);
    assert_ne!(styled, plain);
    assert_eq!(picture(&["--lora", "style.safetensors:1"]), styled);
    assert_eq!(picture(&["--lora", "style.safetensors:0"]), plain);
    // Several add up; their sum is rounded in another order.
    let none = picture(&["--lora", "style.safetensors:0.25", "--lora", "style.safetensors:-0.25"]);
    let differ = none.iter().zip(&plain).any(|(a, b)| a.abs_diff(*b) > 1);
    assert!(!differ);
    // Text encoders and blocks by themselves; merged; the list of A1111's, whose M00 is the sixth.
    assert_eq!(picture(&["--lora", "style.safetensors:te=0.3"]), styled);
    assert_eq!(picture(&["--lora", "style.safetensors:mid_block=0"]), plain);
    let half = picture(&["--lora", "style.safetensors:0.5"]);
    assert_ne!(half, styled);
    assert_eq!(picture(&["--lora", "style.safetensors:1:te=2:mid_block=0.5:down_blocks.1=0"]), half);
    assert_eq!(picture(&["--lora", "style.safetensors:0.5:lbw=0,0,0,0,0,1,0,0,0,0,0,0"]), half);
    assert_eq!(picture(&["--lora", "style.safetensors:lbw=1,1,1,1,1,0,1,1,1,1,1,1"]), plain);
    let merged = picture(&["--lora", "style.safetensors", "--merge-loras"]);
    assert!(!merged.iter().zip(&styled).any(|(a, b)| a.abs_diff(*b) > 2));
    fs::copy(folder.join("style.safetensors"), folder.join("a:b.safetensors")).unwrap();
    assert_eq!(picture(&["--lora", "a:b.safetensors:0.5"]), half);
    let mossy = picture(&["--embedding", "mossy.safetensors"]);
    assert_ne!(mossy, plain);
    let vae = model().join("vae");
    assert_eq!(picture(&["--vae", vae.to_str().unwrap()]), plain);
    let unet = model().join("unet");
    assert_eq!(picture(&["--unet", unet.to_str().unwrap()]), plain);
}

/// What the flags alone show to be wrong: status 2, whether the model exists or not.
#[test]
fn usage_errors() {
    let folder = scratch("txt2img-usage");
    let cases: &[&[&str]] = &[
        &[],
        &["--prompt", "x", "--unknown"],
        &["--prompt", "x", "--mask", "mask.png"],
        &["--prompt", "x", "--strength", "0.5"],
        &["--prompt", "x", "--switch-at", "0.5"],
        &["--prompt", "x", "--init-image", "photo.png", "--strength", "1.5"],
        &["--prompt", "x", "--mask-blur", "4"],
        &["--prompt", "x", "--overlay"],
        &["--prompt", "x", "--outpaint", "8,8,8,8"],
        &["--prompt", "x", "--init-image", "photo.png", "--outpaint", "8,8,8"],
        &["--prompt", "x", "--init-image", "photo.png", "--mask", "mask.png", "--outpaint", "8,8,8,8"],
        &["--prompt", "x", "--init-image", "photo.png", "--mask", "mask.png", "--mask-blur", "-1"],
        &["--prompt", "x", "--init-image", "photo.png", "--hires-scale", "2"],
        &["--prompt", "x", "--hires-scale", "1"],
        &["--prompt", "x", "--hires-scale", "nan"],
        &["--prompt", "x", "--hires-steps", "20"],
        &["--prompt", "x", "--hires-scale", "2", "--hires-strength", "0"],
        &["--prompt", "x", "--hires-scale", "2", "--hires-upscaler", "esrgan"],
        &["--prompt", "x", "--variation-seed", "1"],
        &["--prompt", "x", "--variation-seed", "1", "--variation-strength", "1.5"],
        &["--prompt", "x", "--init-image", "photo.png", "--latents-in", "noise.safetensors"],
        &["--prompt", "x", "--refiner", "refiner", "--switch-at", "1"],
        &["--prompt", "x", "--lora", "style.safetensors:nan"],
        &["--prompt", "x", "--lora", ":0.5"],
        &["--prompt", "x", "--lora", "style.safetensors:te=x"],
        &["--prompt", "x", "--lora", "style.safetensors:mid_block=101"],
        &["--prompt", "x", "--lora", "style.safetensors:lbw=1,0,1"],
        &["--prompt", "x", "--merge-loras"],
        &["--prompt", "x", "--vae", "vae", "--taesd", "taesd"],
        &["--prompt", "x", "--prompt-syntax", "compel"],
        &["--prompt", "(x:1.2.3)", "--prompt-syntax", "a1111"],
        &["--prompt", "x", "--negative", "(x:9999)", "--prompt-syntax", "a1111"],
        &["--prompt", "x", "--steps", "0"],
        &["--prompt", "x", "--steps", "many"],
        &["--prompt", "x", "--width", "65"],
        &["--prompt", "x", "--height", "0"],
        &["--prompt", "x", "--guidance", "nan"],
        &["--prompt", "x", "--guidance", "-1"],
        &["--prompt", "x", "--guidance-rescale", "2"],
        &["--prompt", "x", "--pag-layers", "mid"],
        &["--prompt", "x", "--pag-scale", "-1"],
        &["--prompt", "x", "--freeu", "1,1,1"],
        &["--prompt", "x", "--freeu", "1,1,0,1"],
        &["--prompt", "x", "--guidance-interval", "5"],
        &["--prompt", "x", "--guidance-interval", "5,1"],
        &["--prompt", "x", "--deep-cache", "0"],
        &["--prompt", "x", "--batch", "0"],
        &["--prompt", "x", "--scheduler", "nonsense"],
        &["--prompt", "x", "--spacing", "nonsense"],
        &["--prompt", "x", "--scheduler", "euler", "--eta", "0.5"],
        &["--prompt", "x", "--scheduler", "ddim", "--eta", "2"],
        &["--prompt", "x", "--original-size", "512"],
        &["--prompt", "x", "--crop", "-1,0"],
        &["--prompt", "x", "--device", "tpu"],
        &["--prompt", "x", "--dtype", "f16"],
        &["--prompt", "x", "--threads", "0"],
    ];
    for arguments in cases {
        let output = txt2img(&folder, &[*arguments, &["--model", "no such model"]].concat());
        check_failure(arguments, &output, 2);
    }
}

#[test]
fn other_errors() {
    let folder = scratch("txt2img-errors");
    fs::write(folder.join("pickle.ckpt"), b"\x80\x02}q\x01.").unwrap();
    let model = model().to_str().unwrap();
    let cases: [(&[&str], &str); 9] = [
        (&["--model", "no such model"], "no such model"),
        (&["--model", "pickle.ckpt"], "pickle"),
        (&["--model", model, "--latents-in", "missing.safetensors"], "missing.safetensors"),
        (&["--model", model, "--output", "missing/picture.png", "--steps", "1"], "missing/picture.png"),
        (&["--model", model, "--lora", "missing.safetensors:0.5"], "missing.safetensors"),
        (&["--model", model, "--embedding", "pickle.ckpt"], "pickle"),
        (&["--model", model, "--vae", "missing"], "missing"),
        (&["--model", model, "--clip-skip", "50", "--steps", "1"], "clip_skip"),
        (&["--model", model, "--device", "cuda:99"], "cuda:99"),
    ];
    for (arguments, part) in cases {
        let output = txt2img(&folder, &[&["--prompt", "x"], arguments].concat());
        check_failure(arguments, &output, 1);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains(part), "{arguments:?}: {error}");
    }
}

fn check_failure(arguments: &[&str], output: &Output, status: i32) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {error}");
    assert!(error.starts_with("error: "), "{arguments:?}: {error}");
    assert!(error.lines().count() <= 11, "{arguments:?}: {error}");
    assert_eq!(output.stdout, b"", "{arguments:?}");
}

/// What of a LoRA fits no layer is an error, or by choice a warning.
#[test]
fn unmatched_keys_are_listed() {
    let folder = scratch("txt2img-unmatched");
    let ones = |shape: &[i64]| tch::Tensor::ones(shape, (tch::Kind::Float, tch::Device::Cpu));
    let stray = "lora_unet_mid_block_attentions_7_proj_in.diff";
    let rows = [
        ("lora_unet_mid_block_attentions_0_proj_in.diff".to_owned(), ones(&[32, 32])),
        (stray.to_owned(), ones(&[32, 32])),
    ];
    common::save(&folder.join("stray.safetensors"), &rows);
    let model = model().to_str().unwrap();
    let arguments = ["--model", model, "--prompt", "x", "--steps", "1", "--lora", "stray.safetensors"];
    let output = txt2img(&folder, &arguments);
    check_failure(&arguments, &output, 1);
    assert!(String::from_utf8_lossy(&output.stderr).contains(stray));
    let output = txt2img(&folder, &[&arguments[..], &["--ignore-unmatched"]].concat());
    let warning = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{warning}");
    assert!(warning.starts_with("warning: stray.safetensors: left out, as it fits no layer: "), "{warning}");
    assert!(warning.contains(stray), "{warning}");
    let blocks =
        txt2img(&folder, &[&arguments[..7], &["stray.safetensors:mid=0", "--ignore-unmatched"]].concat());
    check_failure(&arguments, &blocks, 1);
    assert!(String::from_utf8_lossy(&blocks.stderr).contains("a block of the UNet"));
}

#[test]
fn a_cut_prompt_is_a_warning() {
    let folder = scratch("txt2img-long");
    let prompt = "very long ".repeat(60);
    let output =
        txt2img(&folder, &["--model", model().to_str().unwrap(), "--prompt", &prompt, "--steps", "1"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("warning: the prompt is too long"));
}
