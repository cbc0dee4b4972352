//! LoRAs and their relatives against diffusers, PEFT and LyCORIS on a tiny model (`tests/golden/loras.py`); real files;
//! broken files.
//!
//! Tolerance: the effect of each, latents with less latents without, to 1e-4 relative, where the effects are a tenth of
//! the latents or more and the runs' own rounding is 3e-6.

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::headers::scratch;
use common::{Golden, assets, relative_error, repository, save};
use sdxl::pipeline::write_random_model;
use sdxl::weights::RandomWeights;
use sdxl::{Conditioning, Error, Guidance, Lora, Pipeline, Precision, Request, WeightedLora};
use serde_json::Value;
use tch::{Kind, Tensor};

const TOLERANCE: f64 = 1e-4;

fn model(test: &str, precision: Precision) -> PathBuf {
    let folder = scratch(&format!("loras-{test}"));
    write_random_model(repository("tests/models/base"), &folder, 0, precision).unwrap();
    folder
}

fn description() -> Value {
    let text = fs::read_to_string(repository("tests/golden/loras.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// `offset + scale · r`, with r of the stream of that name, as `random_tensor` in the reference.
fn random(name: &str, shape: &[i64], offset: f64, scale: f64) -> Tensor {
    let count = shape.iter().product::<i64>();
    // The values of three columns are r itself.
    let rows = (count + 2) / 3;
    let r = RandomWeights::new(0, "lora").values(name, &[rows, 3]);
    let r = Tensor::from_slice(&r).narrow(0, 0, count).reshape(shape);
    r * scale as f32 as f64 + offset
}

/// A file of a case, as it was in the reference.
fn write(folder: &Path, name: &str, file: &Value) -> PathBuf {
    let mut tensors = Vec::new();
    for row in file["tensors"].as_array().unwrap() {
        let key = row[0].as_str().unwrap();
        let shape: Vec<i64> = row[1].as_array().unwrap().iter().map(|side| side.as_i64().unwrap()).collect();
        let (offset, scale) = (row[2].as_f64().unwrap(), row[3].as_f64().unwrap());
        tensors.push((key.to_owned(), random(&format!("{name}/{key}"), &shape, offset, scale)));
    }
    let path = folder.join(format!("{}.safetensors", name.replace('/', "-")));
    save(&path, &tensors);
    if let Some(metadata) = file["metadata"].as_object() {
        add_metadata(&path, metadata);
    }
    path
}

/// Puts texts into the header of a file.
fn add_metadata(path: &Path, metadata: &serde_json::Map<String, Value>) {
    let bytes = fs::read(path).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: serde_json::Map<String, Value> = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    header.insert("__metadata__".into(), Value::Object(metadata.clone()));
    let header = Value::Object(header).to_string().into_bytes();
    let start = (header.len() as u64).to_le_bytes();
    fs::write(path, [start.as_slice(), &header, &bytes[8 + length..]].concat()).unwrap();
}

/// What diffusers' `set_adapters` is given.
fn weighted(lora: &Lora, weight: &Value) -> WeightedLora {
    if let Some(weight) = weight.as_f64() {
        return lora.weight(weight).unwrap();
    }
    let unet = &weight["unet"];
    let mut lora = lora.weight(unet.as_f64().unwrap_or(1.)).unwrap();
    if let Some(weight) = weight["text_encoder"].as_f64() {
        lora = lora.text_encoders(weight).unwrap();
    }
    for (way, name) in [("down", "down_blocks"), ("mid", "mid_block"), ("up", "up_blocks")] {
        match &unet[way] {
            Value::Object(blocks) => {
                for (block, factor) in blocks {
                    let block = format!("{name}.{}", block.trim_start_matches("block_"));
                    match factor {
                        Value::Array(factors) => {
                            for (index, factor) in factors.iter().enumerate() {
                                let block = format!("{block}.attentions.{index}");
                                lora = lora.block(block, factor.as_f64().unwrap()).unwrap();
                            }
                        }
                        factor => lora = lora.block(block, factor.as_f64().unwrap()).unwrap(),
                    }
                }
            }
            Value::Number(factor) => {
                // All levels, unless the name is that of the middle.
                let blocks = if way == "mid" { vec![name.into()] } else { (0..3).map(|n| format!("{name}.{n}")).collect() };
                for block in blocks {
                    lora = lora.block(block, factor.as_f64().unwrap()).unwrap();
                }
            }
            _ => {}
        }
    }
    lora
}

fn latents(pipeline: &Pipeline) -> Tensor {
    let conditioning =
        Conditioning::builder("a photo of a cat").negative_prompt("blurry, low quality").build().unwrap();
    let guidance = Guidance::new(5.).unwrap();
    let request = Request::builder(conditioning).steps(2).guidance(guidance).seed(0).build().unwrap();
    let mut sampling = pipeline.sample(&request).unwrap();
    for progress in &mut sampling {
        progress.unwrap();
    }
    sampling.latents().unwrap().tensor().shallow_clone()
}

#[test]
fn every_layout_and_kind_equals_the_reference() {
    let golden = Golden::open("loras.safetensors");
    let folder = model("equal", Precision::F32);
    let pipeline = Pipeline::builder(&folder).build().unwrap();
    let without = latents(&pipeline);
    let expected_without = golden.get("without.latents");
    let description = description();
    let cases = description["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 18);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let mut loras = Vec::new();
        for (index, file) in case["files"].as_array().unwrap().iter().enumerate() {
            let path = write(&folder, &format!("{name}/{index}"), file);
            loras.push(weighted(&Lora::open(path).unwrap(), &case["weights"][index]));
        }
        let expected = golden.get(&format!("{name}.latents")) - &expected_without;
        let beside = latents(&pipeline.with_loras(&loras).unwrap());
        let merged = latents(&pipeline.with_merged_loras(&loras).unwrap());
        let error = relative_error(&(&beside - &without), &expected);
        let difference = relative_error(&merged, &beside);
        eprintln!("{name}: {error:.1e}, merged and beside differ by {difference:.1e}");
        assert!(error <= TOLERANCE, "{name}: {error:.2e}");
        // In f32 both are the same sum.
        assert!(difference <= 1e-5, "{name}: merged and beside differ by {difference:.2e}");
    }
    assert_eq!(latents(&pipeline), without);
}
