//! Files of weights: every type, and every difference in one error. `tests/hostile` has files that are no checkpoints.

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::headers::{Row, header, scratch, table, write};
use common::{assets, copy_folder, repository, save};
use sdxl::config::ModelConfig;
use sdxl::unet::Unet;
use sdxl::weights::{Checkpoint, Component, RandomWeights, TensorSource, Weights, tensors_of};
use sdxl::{Device, Error, Pipeline, Precision};
use tch::Tensor;

/// A component of the tiny model, saved with its random weights.
fn tiny_vae(folder: &Path) -> (PathBuf, Vec<(String, Tensor)>) {
    let config = ModelConfig::from_folder(repository("tests/models/base")).unwrap().vae;
    let specs = tensors_of(|w| sdxl::vae::AutoencoderKl::load(w, &config)).unwrap();
    let random = RandomWeights::new(0, "vae");
    let tensors: Vec<_> = specs
        .into_iter()
        .map(|spec| (spec.name.clone(), random.read(&spec.name, &spec.shape).unwrap()))
        .collect();
    let path = folder.join("diffusion_pytorch_model.safetensors");
    save(&path, &tensors);
    (path, tensors)
}

fn load_vae(path: &Path) -> sdxl::Result<sdxl::vae::AutoencoderKl> {
    let config = ModelConfig::from_folder(repository("tests/models/base")).unwrap().vae;
    Checkpoint::from_file(Component::Vae, path)?
        .load(Device::Cpu, Precision::F32, |w| sdxl::vae::AutoencoderKl::load(w, &config))
}

#[test]
fn every_difference_is_reported_at_once() {
    let folder = scratch("differences");
    let (path, tensors) = tiny_vae(&folder);
    load_vae(&path).unwrap();

    let mut wrong: Vec<_> =
        tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
    wrong.retain(|(name, _)| !name.starts_with("encoder.mid_block"));
    wrong.push(("decoder.conv_in.extra".into(), Tensor::zeros([3], tch::kind::FLOAT_CPU)));
    let conv = wrong.iter_mut().find(|(name, _)| name == "decoder.conv_out.weight").unwrap();
    conv.1 = conv.1.transpose(0, 1).contiguous();
    save(&path, &wrong);
    let Error::Checkpoint(error) = load_vae(&path).unwrap_err() else { panic!("another error") };
    assert_eq!(
        error.missing.len(),
        tensors.iter().filter(|(name, _)| name.starts_with("encoder.mid_block")).count()
    );
    assert_eq!(error.unexpected, ["decoder.conv_in.extra"]);
    assert_eq!(error.misshaped[0].name, "decoder.conv_out.weight");
    assert_eq!(
        (error.misshaped[0].expected.clone(), error.misshaped[0].found.clone()),
        (vec![3, 8, 3, 3], vec![8, 3, 3, 3])
    );
    assert_eq!(error.looks_like, "an autoencoder (VAE)");
    let text = error.to_string();
    assert!(text.contains("diffusion_pytorch_model.safetensors") && text.contains(" more"), "{text}");
    assert!(text.lines().count() <= 10, "{text}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn weights_of_every_type_are_read() {
    use tch::Kind;
    let folder = scratch("types");
    let (path, tensors) = tiny_vae(&folder);
    let image = Tensor::ones([1, 3, 16, 16], tch::kind::FLOAT_CPU);
    let expected = load_vae(&path).unwrap().encode(&image).unwrap().mean;
    for (kind, tolerance) in [(Kind::Double, 0.), (Kind::Half, 0.01), (Kind::BFloat16, 0.05)] {
        let cast: Vec<_> =
            tensors.iter().map(|(name, tensor)| (name.clone(), tensor.to_kind(kind))).collect();
        save(&path, &cast);
        let found = load_vae(&path).unwrap().encode(&image).unwrap().mean;
        common::assert_close(&format!("{kind:?}"), &found, &expected, tolerance);
        // 16-bit weights are expanded as they are used: as if they had been converted before.
        let back: Vec<_> =
            cast.iter().map(|(name, tensor)| (name.clone(), tensor.to_kind(Kind::Float))).collect();
        save(&path, &back);
        let expected = load_vae(&path).unwrap().encode(&image).unwrap().mean;
        common::assert_close(&format!("{kind:?}, converted before"), &found, &expected, 0.);
    }
    save(
        &path,
        &[("decoder.conv_in.weight".to_owned(), Tensor::zeros([1], (Kind::Int64, tch::Device::Cpu)))],
    );
    assert!(load_vae(&path).is_err());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_foreign_checkpoint_is_named() {
    let Some(assets) = assets() else { return };
    let folder = scratch("foreign");
    let unet = |rows: &[Row]| {
        let path = folder.join("model.safetensors");
        write(&path, rows);
        let specs = tensors_of(|w| Unet::load(w, &ModelConfig::base().unet)).unwrap();
        let error = Checkpoint::from_file(Component::Unet, &path).unwrap().check(&specs).unwrap_err();
        let Error::Checkpoint(error) = error else { panic!("another error: {error}") };
        error.looks_like
    };
    let keymaps = assets.join("keymaps");
    assert_eq!(unet(&header(&assets, "sd15.json.gz")[0].1), "the UNet of Stable Diffusion 1");
    assert_eq!(unet(&table(&keymaps.join("keymap_unet_refiner.tsv"), 0, 2)), "the UNet of the SDXL refiner");
    assert_eq!(
        unet(&header(&assets, "sdxl-inpainting.json.gz")[0].1),
        "the UNet of an SDXL inpainting model"
    );
    assert_eq!(unet(&table(&keymaps.join("keymap_vae.tsv"), 0, 2)), "an autoencoder (VAE)");
    assert_eq!(unet(&table(&keymaps.join("keys_text_encoder.tsv"), 0, 2)), "a CLIP ViT-L text encoder");
    for (file, looks_like) in [
        ("lora-sd15/catundchat_pytorch_lora_weights.safetensors", "a LoRA for Stable Diffusion 1"),
        ("lora-sd15/timohavdk_kohya_style_names.safetensors", "a LoRA for Stable Diffusion 1"),
        ("embeddings/unaestheticXLv31.safetensors", "a textual inversion embedding"),
        ("taesd/taesdxl_decoder.safetensors", "a tiny autoencoder (TAESD)"),
    ] {
        let path = assets.join("weights").join(file);
        let error = Pipeline::builder(&path).check().unwrap_err().to_string();
        assert!(error.contains(looks_like) && error.contains(path.to_str().unwrap()), "{error}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_folder_of_pickles_is_named() {
    let folder = scratch("pickles");
    copy_folder(&repository("tests/models/base"), &folder);
    fs::write(folder.join("text_encoder/pytorch_model.bin"), b"PK").unwrap();
    let error = Pipeline::builder(&folder).check().unwrap_err().to_string();
    assert!(error.contains("pickle") && error.contains("text_encoder"), "{error}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn random_weights_are_those_of_python() {
    // Printed by tests/golden/random_weights.py for seed 0.
    let golden = common::Golden::open("vae.safetensors");
    let found = RandomWeights::new(0, "input/vae").values("image", &[1, 3, 64, 96]);
    // Inputs are the same numbers without the scale of a weight of rank 4: √(3 / fan_in).
    let scale = (3f64 / (3. * 64. * 96.)).sqrt() as f32;
    let expected = Vec::<f32>::try_from(golden.get("encode.image").flatten(0, -1)).unwrap();
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(*found, scale * expected);
    }
}

#[test]
fn weights_are_seen_from_a_path() {
    let source = RandomWeights::new(0, "unet");
    let weights = Weights::new(&source, Device::Cpu, Precision::F32);
    let found = weights.at("down_blocks").at(0).tensor("bias", &[4]).unwrap();
    let expected = source.read("down_blocks.0.bias", &[4]).unwrap();
    common::assert_close("path", &found, &expected, 0.);
}
