//! The shapes of the two autoencoders.

use serde::{Deserialize, Serialize};

use super::unet::{divides, in_range};
use super::unet_file::check_fixed;

/// diffusers' `AutoencoderKL` (SDXL paper, section 2.4).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct AutoencoderKlConfig {
    /// Channels of a picture: 3.
    pub in_channels: i64,
    /// Channels of a decoded picture: 3.
    pub out_channels: i64,
    /// Channels of a latent: 4.
    pub latent_channels: i64,
    /// Channels of each level, from full resolution down. Each level but the last halves the size.
    pub block_out_channels: Vec<i64>,
    /// Residual blocks on each level of the encoder; the decoder has one more.
    pub layers_per_block: usize,
    /// Groups of the group norms.
    pub norm_num_groups: i64,
    /// The picture side that a tile is made for.
    pub sample_size: i64,
    /// Latents are multiplied by this before the UNet sees them: 0.13025 for SDXL.
    pub scaling_factor: f64,
    /// Per-channel mean of the latents, where the model was trained on standardised ones (Playground v2.5).
    pub latents_mean: Option<Vec<f64>>,
    /// Per-channel standard deviation that goes with `latents_mean`.
    pub latents_std: Option<Vec<f64>>,
    /// The weights overflow in 16-bit floats: compute in f32. False for the `fp16-fix` weights.
    pub force_upcast: bool,
}

impl Default for AutoencoderKlConfig {
    /// The SDXL autoencoder.
    fn default() -> Self {
        Self {
            in_channels: 3,
            out_channels: 3,
            latent_channels: 4,
            block_out_channels: vec![128, 256, 512, 512],
            layers_per_block: 2,
            norm_num_groups: 32,
            sample_size: 1024,
            scaling_factor: 0.13025,
            latents_mean: None,
            latents_std: None,
            force_upcast: true,
        }
    }
}

impl AutoencoderKlConfig {
    /// Picture pixels per latent pixel, along a side: 8.
    pub fn factor(&self) -> i64 {
        1 << self.block_out_channels.len().saturating_sub(1)
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        in_range("in_channels", self.in_channels, 1..=64)?;
        in_range("out_channels", self.out_channels, 1..=64)?;
        in_range("latent_channels", self.latent_channels, 1..=64)?;
        in_range("number of levels", self.block_out_channels.len() as i64, 1..=8)?;
        in_range("layers_per_block", self.layers_per_block as i64, 1..=64)?;
        for &channels in &self.block_out_channels {
            in_range("block_out_channels", channels, 1..=1 << 16)?;
            divides("norm_num_groups", self.norm_num_groups, channels)?;
        }
        if !(self.scaling_factor.is_finite() && self.scaling_factor > 0.) {
            return Err(format!("scaling_factor is {}, expected a positive number", self.scaling_factor));
        }
        for (name, values) in [("latents_mean", &self.latents_mean), ("latents_std", &self.latents_std)] {
            if values.as_ref().is_some_and(|values| values.len() as i64 != self.latent_channels) {
                return Err(format!(
                    "{name} needs {} numbers, one for each latent channel",
                    self.latent_channels
                ));
            }
        }
        let means = self.latents_mean.iter().flatten();
        let mut deviations = self.latents_std.iter().flatten();
        if means.chain(self.latents_std.iter().flatten()).any(|number| !number.is_finite())
            || deviations.any(|&deviation| deviation <= 0.)
        {
            return Err("latents_mean needs finite numbers, latents_std finite ones above 0".into());
        }
        if self.latents_mean.is_some() != self.latents_std.is_some() {
            return Err("latents_mean and latents_std go together".into());
        }
        Ok(())
    }
}

/// `vae/config.json`: what is described, and settings that are fixed in SDXL's autoencoder.
#[derive(Deserialize)]
pub(super) struct AutoencoderKlFile {
    #[serde(flatten)]
    config: AutoencoderKlConfig,
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}

impl AutoencoderKlFile {
    pub(super) fn resolve(self) -> Result<AutoencoderKlConfig, String> {
        check_fixed(
            &self.rest,
            &[
                ("act_fn", &["\"silu\""]),
                ("use_quant_conv", &["true"]),
                ("use_post_quant_conv", &["true"]),
                ("mid_block_add_attention", &["true"]),
            ],
        )?;
        for (name, known) in
            [("down_block_types", "\"DownEncoderBlock2D\""), ("up_block_types", "\"UpDecoderBlock2D\"")]
        {
            let types = self.rest.get(name).and_then(|types| types.as_array()).into_iter().flatten();
            if let Some(other) = types.map(ToString::to_string).find(|other| other != known) {
                return Err(format!("{name} has {other}, expected {known}"));
            }
        }
        self.config.validate()?;
        Ok(self.config)
    }
}

/// diffusers' `AutoencoderTiny` (TAESD): a small, fast stand-in for the autoencoder.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct AutoencoderTinyConfig {
    /// Channels of a picture: 3.
    pub in_channels: i64,
    /// Channels of a decoded picture: 3.
    pub out_channels: i64,
    /// Channels of a latent: 4.
    pub latent_channels: i64,
    /// Channels of each encoder stage.
    pub encoder_block_out_channels: Vec<i64>,
    /// Channels of each decoder stage.
    pub decoder_block_out_channels: Vec<i64>,
    /// Residual blocks in each encoder stage.
    pub num_encoder_blocks: Vec<usize>,
    /// Residual blocks in each decoder stage.
    pub num_decoder_blocks: Vec<usize>,
    /// Latents are multiplied by this before the UNet sees them: 1, TAESDXL works on SDXL's scaled latents.
    pub scaling_factor: f64,
}

impl Default for AutoencoderTinyConfig {
    /// TAESD and TAESDXL.
    fn default() -> Self {
        Self {
            in_channels: 3,
            out_channels: 3,
            latent_channels: 4,
            encoder_block_out_channels: vec![64; 4],
            decoder_block_out_channels: vec![64; 4],
            num_encoder_blocks: vec![1, 3, 3, 3],
            num_decoder_blocks: vec![3, 3, 3, 1],
            scaling_factor: 1.,
        }
    }
}

impl AutoencoderTinyConfig {
    /// Picture pixels per latent pixel, along a side: 8.
    pub fn factor(&self) -> i64 {
        1 << self.num_decoder_blocks.len().saturating_sub(1)
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        in_range("in_channels", self.in_channels, 1..=64)?;
        in_range("out_channels", self.out_channels, 1..=64)?;
        in_range("latent_channels", self.latent_channels, 1..=64)?;
        for (name, channels, blocks) in [
            ("encoder", &self.encoder_block_out_channels, &self.num_encoder_blocks),
            ("decoder", &self.decoder_block_out_channels, &self.num_decoder_blocks),
        ] {
            in_range("number of stages", channels.len() as i64, 1..=8)?;
            if channels.len() != blocks.len() {
                return Err(format!("{name}: {} widths for {} stages", channels.len(), blocks.len()));
            }
            if channels.windows(2).any(|pair| pair.first() != pair.last()) {
                return Err(format!("{name}: stages of different widths are not supported"));
            }
            for &width in channels {
                in_range("block_out_channels", width, 1..=1 << 16)?;
            }
            for &count in blocks {
                in_range("number of blocks", count as i64, 1..=64)?;
            }
        }
        if self.encoder_block_out_channels.len() != self.decoder_block_out_channels.len() {
            return Err("encoder and decoder have different numbers of stages".into());
        }
        if !(self.scaling_factor.is_finite() && self.scaling_factor > 0.) {
            return Err(format!("scaling_factor is {}, expected a positive number", self.scaling_factor));
        }
        Ok(())
    }
}
