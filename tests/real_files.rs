//! Every file of weights by others that the folder of assets has: it loads, or is refused for the right reason.

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::headers::scratch;
use common::{assets, copy_folder, repository};
use ndarray::Axis;
use sdxl::pipeline::write_random_model;
use sdxl::vae::AutoencoderTiny;
use sdxl::{
    Conditioning, Device, Latents, Lora, Pipeline, Precision, PromptSyntax, Result, TextualInversion,
};
use serde_json::{Value, json};

const LOADS: &str = "";
const UNKNOWN: &str = "looks like nothing that this library knows";
const NO_LATENTS: &str = "has no tensor `latents`";
const PICKLE: &str = "zip archive";
const INVERSION: &str = "looks like a textual inversion";
const TINY: &str = "a tiny autoencoder (TAESD)";
const SD1: &str = "a LoRA for Stable Diffusion 1";
const NUMBERED: &str = "cloneofsimo's format";

/// The files, and what reading them as a LoRA, as a textual inversion and as latents says.
const FILES: [(&str, [&str; 3]); 15] = [
    ("keymaps/stable_diffusion_sdxl_ldm_base.safetensors", [UNKNOWN, UNKNOWN, NO_LATENTS]),
    ("weights/embeddings/fastai_learned_embeds_sd15.bin", [PICKLE; 3]),
    ("weights/embeddings/sdxl-emoji_embeddings.pti", [INVERSION, LOADS, NO_LATENTS]),
    ("weights/embeddings/unaestheticXLv31.safetensors", [INVERSION, LOADS, NO_LATENTS]),
    ("weights/lora-sd15/analog_svd_rank4.safetensors", [NUMBERED, NUMBERED, NO_LATENTS]),
    ("weights/lora-sd15/catundchat_pytorch_lora_weights.bin", [PICKLE; 3]),
    ("weights/lora-sd15/catundchat_pytorch_lora_weights.safetensors", [SD1, SD1, NO_LATENTS]),
    ("weights/lora-sd15/lora_disney.safetensors", [NUMBERED, NUMBERED, NO_LATENTS]),
    ("weights/lora-sd15/timohavdk_kohya_style_names.safetensors", [SD1, SD1, NO_LATENTS]),
    ("weights/misc/mlperf_sdxl_latents.pt", [PICKLE; 3]),
    (
        "weights/misc/ti_sd15_invokeai_test_embedding.safetensors",
        [INVERSION, "a textual inversion for Stable Diffusion 1", NO_LATENTS],
    ),
    ("weights/taesd/taesd_decoder.safetensors", [TINY, TINY, NO_LATENTS]),
    ("weights/taesd/taesd_encoder.safetensors", [TINY, TINY, NO_LATENTS]),
    ("weights/taesd/taesdxl_decoder.safetensors", [TINY, TINY, NO_LATENTS]),
    ("weights/taesd/taesdxl_encoder.safetensors", [TINY, TINY, NO_LATENTS]),
];

/// A tiny model whose text encoders have the widths of SDXL's, so that real textual inversions fit.
fn model(test: &str) -> Pipeline {
    let (configs, folder) = (scratch(&format!("{test}-configs")), scratch(&format!("{test}-model")));
    copy_folder(&repository("tests/models/base"), &configs);
    let edit = |file: &str, changes: Value| {
        let path = configs.join(file).join("config.json");
        let mut config: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        config.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        fs::write(path, config.to_string()).unwrap();
    };
    let layers = |width: i64, heads: i64| {
        json!({
            "hidden_size": width, "num_attention_heads": heads, "num_hidden_layers": 2, "intermediate_size": 32,
        })
    };
    edit("text_encoder", layers(768, 12));
    edit("text_encoder_2", layers(1280, 20));
    edit("unet", json!({ "cross_attention_dim": 2048 }));
    write_random_model(&configs, &folder, 0, Precision::F16).unwrap();
    let pipeline = Pipeline::builder(&folder).build().unwrap();
    fs::remove_dir_all(folder).unwrap();
    pipeline
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_under(&path) } else { vec![path] }).collect()
}

fn check(file: &str, what: &str, found: Result<()>, expected: &str) {
    match found {
        Ok(()) => assert_eq!(expected, LOADS, "{file} is read as {what}"),
        Err(error) => {
            let error = error.to_string();
            assert!(expected != LOADS && error.contains(expected), "{file} as {what}: {error}");
        }
    }
}

#[test]
fn every_file_loads_or_is_refused_by_name() {
    let Some(assets) = assets() else { return };
    let (mut there, keymaps) = (files_under(&assets.join("weights")), files_under(&assets.join("keymaps")));
    there.retain(|path| !path.ends_with("LICENSE"));
    there.extend(keymaps.into_iter().filter(|path| path.extension().unwrap() == "safetensors"));
    for path in &there {
        let file = path.strip_prefix(&assets).unwrap().to_str().unwrap();
        assert!(FILES.iter().any(|(known, _)| *known == file), "{file} is not in the table");
    }
    assert_eq!(there.len(), FILES.len());
    let pipeline = model("real-files");
    for (file, [lora, embedding, latents]) in FILES {
        let path = assets.join(file);
        let applied = Lora::open(&path).and_then(|lora| pipeline.with_loras(&[lora.weight(1.)?]));
        check(file, "a LoRA", applied.map(drop), lora);
        let applied = TextualInversion::open(&path).and_then(|words| pipeline.with_embeddings(&[words]));
        check(file, "a textual inversion", applied.map(drop), embedding);
        check(file, "latents", Latents::open(&path).map(drop), latents);
    }
    // Not even with what does not fit left out: no layer of the UNet is of this model's shape.
    let path = assets.join("weights/lora-sd15/catundchat_pytorch_lora_weights.safetensors");
    let lora = Lora::open(path).unwrap().weight(1.).unwrap().ignore_unmatched();
    assert_eq!(pipeline.with_loras(&[lora]).unwrap().loras().next().unwrap().unmatched.len(), 256);
}

/// Both encoders' vectors take the place of the word, and have its weight.
#[test]
fn real_textual_inversions_in_prompts() {
    let Some(assets) = assets() else { return };
    let pipeline = model("real-inversions");
    for (file, word, count) in [
        ("unaestheticXLv31.safetensors", "unaestheticXLv31", 8),
        ("sdxl-emoji_embeddings.pti", "<s0><s1>", 2),
    ] {
        let words = TextualInversion::open(assets.join("weights/embeddings").join(file)).unwrap();
        let with = pipeline.with_embeddings(&[words]).unwrap();
        let context = |pipeline: &Pipeline, prompt: &str| {
            let syntax = PromptSyntax::A1111NoNorm;
            let conditioning = Conditioning::builder(prompt).prompt_syntax(syntax).build().unwrap();
            pipeline.encode(&conditioning).unwrap().positive.context::<f32>().unwrap().to_owned()
        };
        let plain = context(&with, &format!("a {word} cat"));
        assert_ne!(plain, context(&pipeline, &format!("a {word} cat")));
        // The rows of the words, behind the start and `a`.
        let mut expected = plain;
        for row in 2..2 + count {
            expected.index_axis_mut(Axis(1), row).mapv_inplace(|value| value * 0.5);
        }
        let weighted = context(&with, &format!("a ({word}:0.5) cat"));
        let error = (&weighted - &expected).mapv(f32::abs).into_iter().fold(0f32, f32::max);
        assert!(error < 1e-6, "{word}: {error}");
    }
}

/// Those of Stable Diffusion 1 have the same layers, and nothing in the files tells them apart.
#[test]
fn real_tiny_autoencoders_load() {
    let Some(assets) = assets() else { return };
    for name in ["taesd", "taesdxl"] {
        let folder = scratch(&format!("real-{name}"));
        for side in ["encoder", "decoder"] {
            let file = format!("{name}_{side}.safetensors");
            fs::copy(assets.join("weights/taesd").join(&file), folder.join(&file)).unwrap();
        }
        AutoencoderTiny::open(&folder, Device::Cpu, Precision::F32).unwrap();
    }
}
