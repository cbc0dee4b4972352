//! Every model against diffusers and transformers, on the tiny variants of `tests/models` with weights
//! computed from their names (`tests/golden/models.py`).
//!
//! Tolerance: 1e-5 relative in f32; the measured errors are printed (`cargo test -- --nocapture`).

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod common;

use common::{Golden, assert_close, random, repository};
use sdxl::config::{AutoencoderTinyConfig, ModelConfig, UnetConfig};
use sdxl::text::{ClipTextModel, Projection};
use sdxl::unet::{Unet, UnetConditioning, UnetOptions};
use sdxl::vae::{AutoencoderKl, AutoencoderTiny};
use tch::Tensor;

const TOLERANCE: f64 = 1e-5;

fn config(variant: &str) -> ModelConfig {
    ModelConfig::from_folder(repository("tests/models").join(variant)).unwrap()
}

#[test]
fn text_encoders() {
    let golden = Golden::open("text_encoders.safetensors");
    let config = config("base");
    let first = config.text_encoder.as_ref().unwrap();
    for (component, config, projection) in [
        ("text_encoder", first, Projection::Without),
        ("text_encoder_2", &config.text_encoder_2, Projection::With),
    ] {
        let model = random(component, |w| ClipTextModel::load(w, config, projection));
        let ids = golden.get(&format!("{component}.ids"));
        for clip_skip in 0..3 {
            let found = model.forward(&ids, clip_skip).unwrap();
            let case = format!("{component}.clip_skip_{clip_skip}");
            assert_close(&case, &found.hidden_states, &golden.get(&case), TOLERANCE);
            if let Some(pooled) = found.pooled {
                let case = format!("{component}.text_embeds");
                assert_close(&case, &pooled, &golden.get(&case), TOLERANCE);
            }
        }
        let layers = config.num_hidden_layers;
        assert!(model.forward(&ids, layers - 1).is_ok());
        let error = model.forward(&ids, layers).unwrap_err().to_string();
        assert!(error.contains("clip_skip"), "{error}");
    }
}

#[test]
fn unets() {
    let golden = Golden::open("unet.safetensors");
    for variant in ["base", "refiner", "inpaint", "lcm", "ssd1b", "vega", "koala"] {
        let config = config(variant);
        let unet = random("unet", |w| Unet::load(w, &config.unet));
        for size in ["even", "odd"] {
            let get = |what: &str| golden.get(&format!("{variant}.{size}.{what}"));
            let sample = get("sample");
            let timestep = get("timestep").expand([sample.size()[0]], false);
            let mut conditioning =
                UnetConditioning::new(get("context"), get("pooled"), get("time_ids")).unwrap();
            if config.unet.time_cond_proj_dim.is_some() {
                conditioning = conditioning.timestep_cond(get("timestep_cond"));
            }
            let found = unet.forward(&sample, &timestep, &conditioning).unwrap();
            assert_close(&format!("{variant}, {size} size"), &found, &get("output"), TOLERANCE);

            // What was prepared once serves every step.
            let prepared = unet.prepare(&conditioning).unwrap();
            for _ in 0..2 {
                let again = unet.forward_with(&sample, &timestep, &prepared, UnetOptions::default());
                assert_eq!(again.unwrap(), found);
            }
        }
    }
}

#[test]
fn guidance_embedding_is_asked_for() {
    let unet = random("unet", |w| Unet::load(w, &config("lcm").unet));
    let golden = Golden::open("unet.safetensors");
    let get = |what: &str| golden.get(&format!("lcm.odd.{what}"));
    let conditioning = UnetConditioning::new(get("context"), get("pooled"), get("time_ids")).unwrap();
    let error = unet.forward(&get("sample"), &get("timestep").view([1]), &conditioning).unwrap_err();
    assert!(error.to_string().contains("guidance"), "{error}");
}

#[test]
fn autoencoder_kl() {
    let golden = Golden::open("vae.safetensors");
    let config = config("base");
    let vae = random("vae", |w| AutoencoderKl::load(w, &config.vae));
    let moments = vae.encode(&golden.get("encode.image")).unwrap();
    assert_close("mean", &moments.mean, &golden.get("encode.mean"), TOLERANCE);
    assert_close("logvar", &moments.logvar, &golden.get("encode.logvar"), TOLERANCE);
    let noise = Tensor::ones_like(&moments.mean);
    let expected = &moments.mean + (&moments.logvar * 0.5).exp();
    assert_close("sample", &moments.sample(&noise).unwrap(), &expected, 1e-6);
    // The golden decodes unscaled latents.
    let latents = vae.scale(&golden.get("decode.latents")).unwrap();
    assert_close("decode", &vae.decode(&latents).unwrap(), &golden.get("decode.image"), TOLERANCE);
}

#[test]
fn scaling_of_latents() {
    let golden = Golden::open("vae.safetensors");
    let base = config("base").vae;
    // Playground v2.5's statistics.
    let mut playground = base.clone();
    playground.scaling_factor = 0.5;
    playground.latents_mean = Some(vec![-1.6574, 1.886, -1.383, 2.5155]);
    playground.latents_std = Some(vec![8.4927, 5.9022, 6.5498, 5.2299]);
    for (case, config) in [("scaling", base), ("scaling_statistics", playground)] {
        let vae = random("vae", |w| AutoencoderKl::load(w, &config));
        let latents = golden.get(&format!("{case}.latents"));
        let found = vae.scale(&latents).unwrap();
        assert_close(&format!("{case}, to the UNet"), &found, &golden.get(&format!("{case}.to_unet")), 1e-6);
        let found = vae.unscale(&latents).unwrap();
        assert_close(
            &format!("{case}, from the UNet"),
            &found,
            &golden.get(&format!("{case}.from_unet")),
            1e-6,
        );
    }
}

#[test]
fn autoencoder_tiny() {
    let golden = Golden::open("taesd.safetensors");
    let config = AutoencoderTinyConfig::from_file(repository("tests/models/taesd/config.json")).unwrap();
    assert_eq!(config, AutoencoderTinyConfig::default());
    let vae = random("taesd", |w| AutoencoderTiny::load(w, &config));
    let latents = vae.encode(&golden.get("encode.image")).unwrap();
    assert_close("encode", &latents, &golden.get("encode.latents"), TOLERANCE);
    let image = vae.decode(&golden.get("decode.latents")).unwrap();
    assert_close("decode", &image, &golden.get("decode.image"), TOLERANCE);
}

#[test]
fn presets_are_the_official_files() {
    let Some(assets) = common::assets() else { return };
    let folder = assets.join("sdxl-configs");
    assert_eq!(ModelConfig::from_folder(folder.join("sdxl-base-1.0")).unwrap(), ModelConfig::base());
    let refiner = UnetConfig::from_file(folder.join("sdxl-refiner-1.0/unet/config.json")).unwrap();
    assert_eq!(refiner, UnetConfig::refiner());
}

/// Values that make no model, one at a time: an error that names the file and the setting, never a panic.
#[test]
fn hostile_configurations() {
    let original = repository("tests/models/base/unet/config.json");
    let text = std::fs::read_to_string(original).unwrap();
    let path = common::headers::scratch("hostile-config").join("config.json");
    let try_with = |key: &str, value: &str| {
        let mut config: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
        config.insert(key.into(), serde_json::from_str(value).unwrap());
        std::fs::write(&path, serde_json::to_string(&config).unwrap()).unwrap();
        UnetConfig::from_file(&path).err().map(|error| error.to_string())
    };
    assert_eq!(try_with("sample_size", "16"), None);
    for (key, value) in [
        ("attention_head_dim", "[2, 0, 8]"),
        ("attention_head_dim", "[2, 3, 8]"),
        ("attention_head_dim", "[2, 4]"),
        ("block_out_channels", "[]"),
        ("block_out_channels", "[16, 32, -32]"),
        ("block_out_channels", "[16, 32, 9223372036854775807]"),
        ("norm_num_groups", "0"),
        ("norm_num_groups", "7"),
        ("layers_per_block", "0"),
        ("layers_per_block", "1000000000"),
        ("transformer_layers_per_block", "[1, 1, 100000]"),
        ("transformer_layers_per_block", "[[1], [1, 1], [2, 2]]"),
        ("addition_time_embed_dim", "7"),
        ("time_cond_proj_dim", "1"),
        ("in_channels", "0"),
        ("mid_block_type", "\"Other\""),
        ("down_block_types", "[\"DownBlock2D\"]"),
        ("addition_embed_type", "null"),
        ("use_linear_projection", "false"),
        ("act_fn", "\"relu\""),
        ("class_embed_type", "\"timestep\""),
        ("cross_attention_dim", "[72, 72, 64]"),
    ] {
        let error = try_with(key, value).unwrap_or_else(|| panic!("{key} {value} is accepted"));
        assert!(error.contains("config.json"), "{key} {value}: {error}");
    }
    // As deep and wide as each value alone may be: refused for its number of tensors, at once.
    let huge = "[[256], [256, 256], [256, 256]]";
    assert!(try_with("transformer_layers_per_block", huge).is_some());
}

/// In strips as whole: the statistics of the norms are those of the whole picture, so there is nothing to see where
/// strips meet. At this size the last two levels are cut, in places that are no multiples of each other.
#[test]
fn tiling_leaves_no_seams() {
    let config = config("base");
    let kl = random("vae", |w| AutoencoderKl::load(w, &config.vae));
    let tiny_config = AutoencoderTinyConfig::from_file(repository("tests/models/taesd/config.json")).unwrap();
    let tiny = random("taesd", |w| AutoencoderTiny::load(w, &tiny_config));
    let latents = sdxl::NoiseSource::new(&[1]).unwrap().normal(&[4, 72, 120]).unwrap();
    let image = sdxl::NoiseSource::new(&[2]).unwrap().normal(&[3, 576, 960]).unwrap() / 3;
    let compare = |what: &str, found: Tensor, expected: Tensor, tolerance: f64| {
        assert_close(what, &found, &expected, tolerance);
        // No row is worse than the others.
        let rows = (&found - &expected).abs().amax([0, 1, 3].as_slice(), false);
        let worst = rows.max().double_value(&[]) / expected.abs().max().double_value(&[]);
        assert!(worst <= 10. * tolerance, "{what}: a row is off by {worst:.1e}");
    };
    compare("decode", kl.decode_tiled(&latents).unwrap(), kl.decode(&latents).unwrap(), 3e-6);
    let (found, expected) = (kl.encode_tiled(&image).unwrap(), kl.encode(&image).unwrap());
    compare("encode, mean", found.mean, expected.mean, 3e-6);
    compare("encode, logvar", found.logvar, expected.logvar, 3e-6);
    // No norms: the same sums.
    compare("tiny decode", tiny.decode_tiled(&latents).unwrap(), tiny.decode(&latents).unwrap(), 1e-6);
    compare("tiny encode", tiny.encode_tiled(&image).unwrap(), tiny.encode(&image).unwrap(), 1e-6);
}
