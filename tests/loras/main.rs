//! LoRAs and their relatives: against diffusers, PEFT and LyCORIS on a tiny model; removed again; broken; in training.

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

#[path = "../common/mod.rs"]
mod common;
mod golden;
mod hostile;
mod removal;
mod training;
mod weights;

use std::fs;
use std::path::{Path, PathBuf};

use common::headers::scratch;
use common::{final_latents, repository, save};
use sdxl::pipeline::write_random_model;
use sdxl::weights::RandomWeights;
use sdxl::{Conditioning, Guidance, Pipeline, Precision, Request};
use serde_json::Value;
use tch::{Kind, Tensor};

const DOWN: &str = "lora_unet_mid_block_attentions_0_proj_in.lora_down.weight";
const UP: &str = "lora_unet_mid_block_attentions_0_proj_in.lora_up.weight";
const ALPHA: &str = "lora_unet_mid_block_attentions_0_proj_in.alpha";

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

fn latents(pipeline: &Pipeline) -> Tensor {
    let conditioning =
        Conditioning::builder("a photo of a cat").negative_prompt("blurry, low quality").build().unwrap();
    let guidance = Guidance::new(5.).unwrap();
    let request = Request::builder(conditioning).steps(2).guidance(guidance).seed(0).build().unwrap();
    final_latents(pipeline, &request)
}

fn ones(shape: &[i64]) -> Tensor {
    Tensor::ones(shape, (Kind::Float, tch::Device::Cpu))
}
