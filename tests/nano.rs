//! The parts of models/nano that are there.
#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod common;

use common::repository;
use ndarray::Array3;
use sdxl::config::ModelConfig;
use sdxl::text::Tokenizer;
use sdxl::vae::AutoencoderKl;
use sdxl::weights::{Checkpoint, Component};
use sdxl::{Device, Image, Precision};
use tch::Kind;

#[test]
fn parts_fit_together() {
    let folder = repository("models/nano");
    let config = ModelConfig::from_folder(&folder).unwrap();
    assert_eq!(config.default_size(), 128);
    for (name, encoder) in
        [("tokenizer", config.text_encoder.as_ref().unwrap()), ("tokenizer_2", &config.text_encoder_2)]
    {
        let tokenizer = Tokenizer::from_folder(folder.join(name)).unwrap();
        assert_eq!(tokenizer.context_length() as i64, encoder.max_position_embeddings, "{name}");
        assert_eq!(tokenizer.end_id(), encoder.eos_token_id, "{name}");
        assert!(tokenizer.end_id() < encoder.vocab_size, "{name}");
    }
}

/// A disc on a background comes back as it was.
#[test]
fn the_autoencoder_knows_what_it_saw() {
    let folder = repository("models/nano/vae");
    let config = ModelConfig::from_folder(repository("models/nano")).unwrap().vae;
    let checkpoint = Checkpoint::from_folder(Component::Vae, folder, "").unwrap();
    let vae = checkpoint
        .load(Device::Cpu, Precision::F32, |weights| AutoencoderKl::load(weights, &config))
        .unwrap();
    let pixel = |(y, x, channel): (usize, usize, usize)| {
        let inside = (y as f64 - 64.).hypot(x as f64 - 64.) < 40.;
        let colour = if inside { [240, 150, 47] } else { [79, 128, 220] };
        colour[channel]
    };
    let picture = Image::from_pixels(Array3::from_shape_fn((128, 128, 3), pixel).view()).unwrap();
    let picture = picture.to_tensor().unwrap();
    let _guard = tch::no_grad_guard();
    let latents = vae.scale(&vae.encode(&picture).unwrap().mean).unwrap();
    // latents_mean and latents_std make them standard numbers, over all scenes.
    let deviation = latents.std(false).double_value(&[]);
    assert!((0.5..2.).contains(&deviation), "{deviation}");
    let decoded = vae.decode(&latents).unwrap();
    let error = ((decoded - picture) / 2.).square().mean(Kind::Double).double_value(&[]);
    let psnr = -10. * error.log10();
    eprintln!("{psnr:.1} dB");
    assert!(psnr > 24., "{psnr}");
}
