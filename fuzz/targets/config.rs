//! The configuration of a part; what is accepted can be built.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sdxl::config::{AutoencoderKlConfig, AutoencoderTinyConfig, ClipTextConfig, UnetConfig};
use sdxl::text::{ClipTextModel, Projection};
use sdxl::unet::Unet;
use sdxl::vae::{AutoencoderKl, AutoencoderTiny};
use sdxl::weights::tensors_of;
use sdxl_fuzz::file;

/// Larger models are built in the same way, but take their time.
const LAYERS: usize = 12;

fuzz_target!(|data: &[u8]| {
    let Some((kind, text)) = data.split_first() else { return };
    let path = file("config.json", text);
    match kind % 4 {
        0 => {
            let Ok(config) = UnetConfig::from_file(path) else { return };
            let levels = config.down.iter().chain(&config.up);
            let layers = levels
                .map(|level| level.transformers.iter().map(|depth| 1 + depth.unwrap_or(0)).sum::<usize>());
            if layers.sum::<usize>() <= 4 * LAYERS {
                tensors_of(|w| Unet::load(w, &config)).expect("a UNet that is accepted");
            }
        }
        1 => {
            let Ok(config) = AutoencoderKlConfig::from_file(path) else { return };
            if config.layers_per_block * config.block_out_channels.len() <= LAYERS {
                tensors_of(|w| AutoencoderKl::load(w, &config)).expect("an autoencoder that is accepted");
            }
        }
        2 => {
            let Ok(config) = AutoencoderTinyConfig::from_file(path) else { return };
            if config.num_encoder_blocks.iter().chain(&config.num_decoder_blocks).sum::<usize>() <= 2 * LAYERS
            {
                tensors_of(|w| AutoencoderTiny::load(w, &config))
                    .expect("a tiny autoencoder that is accepted");
            }
        }
        _ => {
            let Ok(config) = ClipTextConfig::from_file(path) else { return };
            if config.num_hidden_layers <= LAYERS {
                tensors_of(|w| ClipTextModel::load(w, &config, Projection::With))
                    .expect("an encoder that is accepted");
            }
        }
    }
});
