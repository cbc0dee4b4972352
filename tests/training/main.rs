//! The trainer against PyTorch and diffusers, and against itself.
#![cfg(test)]
#![allow(clippy::disallowed_methods, clippy::indexing_slicing, reason = "tests may panic")]

#[path = "../common/mod.rs"]
mod common;
mod data;
mod golden;
mod latents;
mod lora;
mod runs;

use sdxl::config::ModelConfig;
use sdxl::training::{CaptionTokens, DiffusionModel, Examples, Variables};
use sdxl::weights::{RandomWeights, TensorSource};
use sdxl::{Device, Result};
use tch::Tensor;

/// The weights of every component, computed from their names as the goldens' are.
struct ByName;

impl TensorSource for ByName {
    fn read(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        let (component, name) = name.split_once('.').unwrap();
        RandomWeights::new(0, component).read(name, shape)
    }
}

fn base() -> ModelConfig {
    ModelConfig::from_folder(common::repository("tests/models/base")).unwrap()
}

/// Both text encoders and the UNet of the tiny base model, all in training.
fn diffusion() -> (Variables, DiffusionModel) {
    // The tests run at once, and the tensors are tiny.
    sdxl::set_threads(1).unwrap();
    let config = base();
    let variables =
        Variables::new(Device::Cpu, &ByName, |weights| DiffusionModel::load(weights, weights, &config))
            .unwrap();
    let model = DiffusionModel::load(&variables.weights(), &variables.weights(), &config).unwrap();
    (variables, model)
}

/// Both pictures' captions and micro-conditioning.
fn examples(latents: Tensor) -> Examples {
    let rows = latents.size()[0];
    let ids = |row: i64| {
        let words: &[i64] = if row == 0 { &[320, 1125, 539, 2368] } else { &[736, 3293, 1929] };
        let mut ids = vec![49407i64; 77];
        ids[0] = 49406;
        ids[1..=words.len()].copy_from_slice(words);
        ids
    };
    let ids: Vec<i64> = (0..rows).flat_map(ids).collect();
    let ids = Tensor::from_slice(&ids).reshape([rows, 77]);
    let time_ids = [64f32, 96., 8., 16., 64., 64., 512., 768., 0., 4., 1024., 1024.];
    Examples {
        latents,
        text: CaptionTokens { first: Some(ids.shallow_clone()), second: ids, kept: None },
        time_ids: Tensor::from_slice(&time_ids).reshape([2, 6]).narrow(0, 0, rows),
    }
}
