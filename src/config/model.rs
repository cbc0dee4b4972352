//! [`ModelConfig`]: all parts of one model.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::json::read_json;
use super::unet_file::UnetFile;
use super::vae::AutoencoderKlFile;
use super::{AutoencoderKlConfig, AutoencoderTinyConfig, ClipTextConfig, UnetConfig};
use crate::error::{Error, Result};

/// What a checkpoint was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PipelineKind {
    /// Text to image: SDXL base, Turbo and fine-tunes of them.
    Base,
    /// The second stage, which refines latents of the first (SDXL paper, section 2.5).
    Refiner,
    /// A UNet that also takes a mask and the masked picture: 9 input channels.
    Inpaint,
}

impl std::fmt::Display for PipelineKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Base => "base",
            Self::Refiner => "refiner",
            Self::Inpaint => "inpainting",
        })
    }
}

/// Everything that decides the shape of a model: a record, not code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// The UNet.
    pub unet: UnetConfig,
    /// The autoencoder between pictures and latents.
    pub vae: AutoencoderKlConfig,
    /// CLIP ViT-L; the refiner has none.
    pub text_encoder: Option<ClipTextConfig>,
    /// OpenCLIP ViT-bigG, which also gives the pooled embedding.
    pub text_encoder_2: ClipTextConfig,
    /// An absent negative prompt is a context and pooled embedding of zeros rather than the encoded `""`.
    pub force_zeros_for_empty_prompt: bool,
    /// The UNet is told an aesthetic score in the place of the target size: the refiner.
    pub requires_aesthetics_score: bool,
}

impl ModelConfig {
    /// SDXL base 1.0.
    pub fn base() -> Self {
        Self {
            unet: UnetConfig::base(),
            vae: AutoencoderKlConfig::default(),
            text_encoder: Some(ClipTextConfig::vit_l()),
            text_encoder_2: ClipTextConfig::vit_big_g(),
            force_zeros_for_empty_prompt: true,
            requires_aesthetics_score: false,
        }
    }

    /// SDXL refiner 1.0.
    pub fn refiner() -> Self {
        Self {
            unet: UnetConfig::refiner(),
            text_encoder: None,
            force_zeros_for_empty_prompt: false,
            requires_aesthetics_score: true,
            ..Self::base()
        }
    }

    /// SDXL inpainting 0.1: the base with 9 input channels.
    pub fn inpaint() -> Self {
        Self { unet: UnetConfig { in_channels: 9, ..UnetConfig::base() }, ..Self::base() }
    }

    /// Reads the configuration files of a diffusers model folder.
    ///
    /// # Errors
    /// [`Error::File`] names the file and the setting that is missing, out of range, or of another
    /// architecture than SDXL's; [`Error::Io`] the file that cannot be read.
    pub fn from_folder(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let index_path = folder.join("model_index.json");
        let index: ModelIndex = read_json(&index_path)?;
        let class = index.class_name.as_str();
        if !class.starts_with("StableDiffusionXL") {
            return Err(Error::file(
                index_path,
                format!("_class_name is {class}, expected an SDXL pipeline"),
            ));
        }
        let text_encoder = if index.has_text_encoder() {
            Some(read_config(&folder.join("text_encoder/config.json"), ClipTextConfig::validate)?)
        } else {
            None
        };
        let config = Self {
            unet: read_unet(&folder.join("unet/config.json"))?,
            vae: read_vae(&folder.join("vae/config.json"))?,
            text_encoder,
            text_encoder_2: read_config(
                &folder.join("text_encoder_2/config.json"),
                ClipTextConfig::validate,
            )?,
            force_zeros_for_empty_prompt: index.force_zeros_for_empty_prompt,
            requires_aesthetics_score: index.requires_aesthetics_score,
        };
        config.check_widths().map_err(|reason| Error::file(folder, reason))?;
        Ok(config)
    }

    /// What the model was made for.
    pub fn kind(&self) -> PipelineKind {
        match self.unet.in_channels {
            _ if self.requires_aesthetics_score => PipelineKind::Refiner,
            channels if channels > self.vae.latent_channels => PipelineKind::Inpaint,
            _ => PipelineKind::Base,
        }
    }

    /// How many numbers of micro-conditioning the UNet takes: 6, or 5 in the refiner.
    pub fn time_ids(&self) -> i64 {
        if self.requires_aesthetics_score { 5 } else { 6 }
    }

    /// Side in pixels of the pictures that the model was trained for: 1024.
    pub fn default_size(&self) -> i64 {
        self.unet.sample_size * self.vae.factor()
    }

    /// The widths at which the parts meet.
    pub(crate) fn check_widths(&self) -> Result<(), String> {
        let context =
            self.text_encoder_2.hidden_size + self.text_encoder.as_ref().map_or(0, |c| c.hidden_size);
        if context != self.unet.cross_attention_dim {
            return Err(format!(
                "the text encoders give a context of width {context}, but the UNet's cross_attention_dim is {}",
                self.unet.cross_attention_dim
            ));
        }
        let pooled = self.text_encoder_2.projection_dim;
        let found = self.unet.time_ids(pooled);
        if found != Some(self.time_ids()) {
            return Err(format!(
                "projection_class_embeddings_input_dim is {}, expected {} (pooled text of width {pooled} and {} \
                 numbers of width {}); requires_aesthetics_score in model_index.json decides between 5 and 6 numbers",
                self.unet.projection_class_embeddings_input_dim,
                pooled + self.time_ids() * self.unet.addition_time_embed_dim,
                self.time_ids(),
                self.unet.addition_time_embed_dim
            ));
        }
        let latent = self.vae.latent_channels;
        if ![latent, 2 * latent + 1].contains(&self.unet.in_channels) {
            return Err(format!(
                "the UNet takes {} channels, expected {latent} (latents) or {} (inpainting: latents, mask, masked \
                 picture); picture-editing models (InstructPix2Pix) are not supported",
                self.unet.in_channels,
                2 * latent + 1
            ));
        }
        if self.vae.latent_channels != self.unet.out_channels {
            return Err(format!(
                "the autoencoder's latents have {} channels, the UNet's output {}",
                self.vae.latent_channels, self.unet.out_channels
            ));
        }
        Ok(())
    }
}

impl UnetConfig {
    /// Reads a `config.json` of diffusers' `UNet2DConditionModel`.
    ///
    /// # Errors
    /// [`Error::File`] names the setting that is missing, out of range, or not SDXL's.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        read_unet(path.as_ref())
    }
}

impl AutoencoderKlConfig {
    /// Reads a `config.json` of diffusers' `AutoencoderKL`.
    ///
    /// # Errors
    /// [`Error::File`] names the setting that is out of range or not SDXL's.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        read_vae(path.as_ref())
    }
}

impl AutoencoderTinyConfig {
    /// Reads a `config.json` of diffusers' `AutoencoderTiny`.
    ///
    /// # Errors
    /// [`Error::File`] names the setting that is out of range.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        read_config(path.as_ref(), Self::validate)
    }
}

impl ClipTextConfig {
    /// Reads a `config.json` of transformers' `CLIPTextModel`.
    ///
    /// # Errors
    /// [`Error::File`] names the setting that is out of range.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        read_config(path.as_ref(), Self::validate)
    }
}

macro_rules! checked {
    ($($config:ty),*) => {$(
        impl $config {
            /// What a file is checked for, for a configuration that was made otherwise.
            pub(crate) fn check(&self) -> Result<()> {
                let fail = |reason| Error::invalid("configuration", stringify!($config), reason);
                self.validate().map_err(|reason: String| fail(reason))
            }
        }
    )*};
}

checked!(UnetConfig, AutoencoderKlConfig, AutoencoderTinyConfig, ClipTextConfig);

fn read_config<T: DeserializeOwned>(path: &Path, validate: impl Fn(&T) -> Result<(), String>) -> Result<T> {
    let config = read_json(path)?;
    validate(&config).map_err(|reason| Error::file(path, reason))?;
    Ok(config)
}

fn read_unet(path: &Path) -> Result<UnetConfig> {
    read_json::<UnetFile>(path)?.resolve().map_err(|reason| Error::file(path, reason))
}

fn read_vae(path: &Path) -> Result<AutoencoderKlConfig> {
    read_json::<AutoencoderKlFile>(path)?.resolve().map_err(|reason| Error::file(path, reason))
}

/// `model_index.json`, with the defaults of the pipeline classes.
#[derive(Deserialize)]
struct ModelIndex {
    #[serde(rename = "_class_name")]
    class_name: String,
    #[serde(default = "yes")]
    force_zeros_for_empty_prompt: bool,
    #[serde(default)]
    requires_aesthetics_score: bool,
    #[serde(default)]
    text_encoder: Option<Vec<Option<String>>>,
}

fn yes() -> bool {
    true
}

impl ModelIndex {
    /// An absent part is missing from the file, null, or `[null, null]`.
    fn has_text_encoder(&self) -> bool {
        self.text_encoder.as_ref().is_some_and(|pair| pair.iter().any(Option::is_some))
    }
}
