//! A whole safetensors file: whatever opens one, and its data.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sdxl::weights::{Checkpoint, Component, read_safetensors};
use sdxl::{Latents, TextEmbeddings, TextualInversion};
use sdxl_fuzz::file;

fuzz_target!(|data: &[u8]| {
    let path = file("weights.safetensors", data);
    let Ok(tensors) = read_safetensors(&path) else { return };
    let bytes: usize = tensors.values().map(|tensor| tensor.numel()).sum();
    assert!(bytes <= data.len(), "more numbers than bytes");
    let _ = Checkpoint::from_file(Component::Vae, &path);
    let _ = Latents::open(&path);
    let _ = TextEmbeddings::open(&path);
    let _ = TextualInversion::open(&path);
});
