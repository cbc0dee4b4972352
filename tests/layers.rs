//! Every layer against diffusers, with weights computed from their names (`tests/golden/layers.py`).
//!
//! Tolerance: 2e-6 relative, a few roundings of f32; both sides run the same libtorch kernels. The cases
//! `…_faint` have inputs of 0.01, where a wrong epsilon of a normalisation shows.

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod common;

use common::{Golden, assert_close, random, repository};
use sdxl::config::{ClipTextConfig, ModelConfig};
use sdxl::nn::{Conv2d, FeedForward, SinCos, sinusoidal, upsample_nearest};
use sdxl::text::ClipLayer;
use sdxl::unet::{Resnet, Transformer, TransformerShape, guidance_embedding};
use sdxl::vae::{self, SpatialAttention};
use tch::Tensor;

const TOLERANCE: f64 = 2e-6;

fn config() -> ModelConfig {
    ModelConfig::from_folder(repository("tests/models/base")).unwrap()
}

/// Compares a layer's output for the input `x` of a case.
fn check(case: &str, forward: impl FnOnce(&Golden, &Tensor) -> Tensor) {
    let golden = Golden::open("layers.safetensors");
    let found = forward(&golden, &golden.get(&format!("{case}.x")));
    assert_close(case, &found, &golden.get(&format!("{case}.output")), TOLERANCE);
}

#[test]
fn timestep_embedding() {
    let golden = Golden::open("layers.safetensors");
    for width in [32, 320] {
        let case = format!("timestep_embedding_{width}");
        let found = sinusoidal(&golden.get(&format!("{case}.timesteps")), width, SinCos::CosFirst).unwrap();
        assert_close(&case, &found, &golden.get(&format!("{case}.output")), TOLERANCE);
    }
}

#[test]
fn guidance_scale() {
    let golden = Golden::open("layers.safetensors");
    for width in [16, 256] {
        let case = format!("guidance_embedding_{width}");
        // What diffusers is given here: the scale less 1.
        let scales = Vec::<f64>::try_from(golden.get(&format!("{case}.scales"))).unwrap();
        let rows: Vec<_> =
            scales.iter().map(|scale| guidance_embedding(scale + 1., width).unwrap()).collect();
        let found = Tensor::cat(&rows, 0);
        assert_close(&case, &found, &golden.get(&format!("{case}.output")), TOLERANCE);
    }
}

/// diffusers' own published values (`tests/models/test_layers_utils.py`).
#[test]
fn timestep_embedding_as_published() {
    let timesteps = Tensor::arange(128, (tch::Kind::Float, tch::Device::Cpu));
    let found = sinusoidal(&timesteps, 64, SinCos::CosFirst).unwrap().narrow(0, 23, 3).narrow(1, 47, 3);
    let expected = [0.3019f32, 0.2280, 0.1716, 0.3146, 0.2377, 0.1790, 0.3272, 0.2474, 0.1864];
    assert_close("published", &found, &Tensor::from_slice(&expected).view([3, 3]), 5e-4);
}

#[test]
fn unet_resnet() {
    let config = config();
    for (case, input) in [("resnet", 32), ("resnet_faint", 32), ("resnet_shortcut", 16)] {
        let layer = random(&format!("layer/{case}"), |w| Resnet::load(w, &config.unet, input, 32));
        check(case, |golden, x| layer.forward(x, &golden.get(&format!("{case}.temb"))).unwrap());
    }
}

#[test]
fn unet_transformer() {
    let config = config();
    for case in ["transformer", "transformer_faint"] {
        let depth = config.unet.down[2].transformers[0].unwrap();
        let shape = TransformerShape { width: 32, heads: config.unet.down[2].heads, depth };
        let layer = random(&format!("layer/{case}"), |w| Transformer::load(w, &config.unet, shape));
        check(case, |golden, x| layer.forward(x, &golden.get(&format!("{case}.context"))).unwrap());
    }
}

#[test]
fn feed_forward() {
    let layer = random("layer/feed_forward", |w| FeedForward::load(w, 32));
    check("feed_forward", |_, x| layer.forward(x).unwrap());
}

#[test]
fn unet_resampling() {
    for case in ["downsample", "downsample_odd"] {
        let conv = random(&format!("layer/{case}"), |w| Conv2d::load(&w.at("conv"), 32, 32, 3)).stride(2);
        check(case, |_, x| conv.forward(x).unwrap());
    }
    for (case, size) in [("upsample", [12, 10]), ("upsample_odd", [9, 13])] {
        let conv = random(&format!("layer/{case}"), |w| Conv2d::load(&w.at("conv"), 32, 32, 3));
        check(case, |_, x| conv.forward(&upsample_nearest(x, size).unwrap()).unwrap());
    }
}

#[test]
fn vae_layers() {
    let config = config();
    for case in ["vae_resnet", "vae_resnet_faint"] {
        let layer = random(&format!("layer/{case}"), |w| vae::Resnet::load(w, &config.vae, 16, 16));
        check(case, |_, x| layer.forward(x).unwrap());
    }
    for case in ["vae_attention", "vae_attention_faint"] {
        let layer = random(&format!("layer/{case}"), |w| SpatialAttention::load(w, &config.vae, 16));
        check(case, |_, x| layer.forward(x).unwrap());
    }
    let layer = random("layer/vae_downsample", |w| vae::Downsample::load(w, 16));
    check("vae_downsample", |_, x| layer.forward(x).unwrap());
}

#[test]
fn clip_layers() {
    let config = config();
    let quick: &ClipTextConfig = config.text_encoder.as_ref().unwrap();
    for (case, config) in [
        ("clip_layer_quick_gelu", quick),
        ("clip_layer_gelu", &config.text_encoder_2),
        ("clip_layer_gelu_faint", &config.text_encoder_2),
    ] {
        let layer = random(&format!("layer/{case}"), |w| ClipLayer::load(w, config));
        check(case, |_, x| layer.forward(x).unwrap());
    }
}
