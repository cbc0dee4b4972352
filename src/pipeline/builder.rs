//! [`PipelineBuilder`]: which model, where and how it computes.

use std::path::{Path, PathBuf};

use super::files::{ModelFiles, for_each_component};
use super::{Models, Pipeline};
use crate::config::{AutoencoderTinyConfig, ClipTextConfig, ModelConfig};
use crate::error::Result;
use crate::runtime::{Device, Precision, Shared};
use crate::scheduler::Scheduler;
use crate::text::{ClipTextModel, Padding, Projection, TextEncoder, TextEncoders, Tokenizer};
use crate::unet::Unet;
use crate::vae::{AutoencoderKl, AutoencoderTiny, Vae};
use crate::weights::{Checkpoint, Component};

/// Builds a [`Pipeline`].
#[derive(Debug, Clone)]
#[must_use]
pub struct PipelineBuilder {
    path: PathBuf,
    device: Device,
    precision: Precision,
    variant: String,
    taesd: Option<PathBuf>,
}

impl PipelineBuilder {
    pub(super) fn new(path: PathBuf) -> Self {
        let (device, precision) = (Device::default(), Precision::default());
        Self { path, device, precision, variant: String::new(), taesd: None }
    }

    /// Where the models compute. Default: the CPU.
    pub fn device(self, device: Device) -> Self {
        Self { device, ..self }
    }

    /// The type in which the models compute. Default: f32, the only one on the CPU. Stored weights keep the
    /// type of the file on the CPU whatever it is.
    pub fn precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Which files of a diffusers folder: `fp16` means `….fp16.safetensors`. Default: the plain names, or
    /// `fp16` where there are no others.
    pub fn variant(self, variant: impl Into<String>) -> Self {
        Self { variant: variant.into(), ..self }
    }

    /// Decodes with a tiny autoencoder (TAESDXL) in the place of the model's own: a diffusers
    /// `AutoencoderTiny` file or folder, or a folder with TAESD's own `…encoder….safetensors` and
    /// `…decoder….safetensors`.
    pub fn taesd(self, path: impl Into<PathBuf>) -> Self {
        Self { taesd: Some(path.into()), ..self }
    }

    /// Checks the model without reading its weights: configurations, and names and shapes of all tensors.
    ///
    /// # Errors
    /// Those of [`build`](Self::build), but for the device's.
    pub fn check(&self) -> Result<ModelConfig> {
        let files = ModelFiles::find(&self.path, &self.variant)?;
        for_each_component(&files.config, |component, specs| files.checkpoint(component)?.check(&specs))?;
        Scheduler::from_config(&files.scheduler)?;
        Ok(files.config)
    }

    /// Reads the model.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) and [`Error::File`](crate::Error::File) name the file that cannot be read or is invalid;
    /// [`Error::Checkpoint`](crate::Error::Checkpoint) lists every missing, unexpected and mis-shaped tensor, before any weights are
    /// read; [`Error::Device`](crate::Error::Device) a device that is not there; [`Error::Invalid`](crate::Error::Invalid) a type that it cannot compute in.
    pub fn build(&self) -> Result<Pipeline> {
        self.precision.check(self.device)?;
        self.device.check()?;
        // Everything that is wrong is found before the first weight is read.
        self.check()?;
        let files = ModelFiles::find(&self.path, &self.variant)?;
        let scheduler = Scheduler::from_config(&files.scheduler)?;
        let models = Models {
            text: self.text_encoders(&files)?,
            unet: files
                .checkpoint(Component::Unet)?
                .load(self.device, self.precision, |w| Unet::load(w, &files.config.unet))?,
            vae: self.vae(&files)?,
            config: files.config,
            path: self.path.clone(),
        };
        Ok(Pipeline {
            models: Shared::new(models),
            scheduler,
            device: self.device,
            precision: self.precision,
        })
    }

    fn text_encoders(&self, files: &ModelFiles) -> Result<TextEncoders> {
        let [first, second] = &files.tokenizers;
        let tokenizer = |folder: &Option<PathBuf>, padding| match folder {
            Some(folder) => Tokenizer::from_folder(folder),
            None => Tokenizer::builtin(padding),
        };
        let load = |component, config: &ClipTextConfig, projection| {
            files
                .checkpoint(component)?
                .load(self.device, self.precision, |w| ClipTextModel::load(w, config, projection))
        };
        let first = match &files.config.text_encoder {
            Some(config) => Some(TextEncoder {
                tokenizer: tokenizer(first, Padding::EndOfText)?,
                model: load(Component::TextEncoder, config, Projection::Without)?,
            }),
            None => None,
        };
        let second = TextEncoder {
            tokenizer: tokenizer(second, Padding::Exclamation)?,
            model: load(Component::TextEncoder2, &files.config.text_encoder_2, Projection::With)?,
        };
        Ok(TextEncoders { first, second })
    }

    fn vae(&self, files: &ModelFiles) -> Result<Vae> {
        if let Some(path) = &self.taesd {
            return Ok(Vae::Tiny(load_tiny(path, self.device, self.precision)?));
        }
        let config = &files.config.vae;
        // The original autoencoder's activations overflow in IEEE half precision: pictures would be black.
        let precision = match self.precision {
            Precision::F16 if config.force_upcast => Precision::F32,
            precision => precision,
        };
        let checkpoint = files.checkpoint(Component::Vae)?;
        let vae = checkpoint.load(self.device, precision, |w| AutoencoderKl::load(w, config))?;
        Ok(Vae::Kl(Box::new(vae)))
    }
}

/// A tiny autoencoder from a file or folder, in diffusers' or TAESD's own layout.
fn load_tiny(path: &Path, device: Device, precision: Precision) -> Result<AutoencoderTiny> {
    let config_file = path.join("config.json");
    let config = if config_file.exists() {
        AutoencoderTinyConfig::from_file(config_file)?
    } else {
        AutoencoderTinyConfig::default()
    };
    Checkpoint::tiny(path)?.load(device, precision, |w| AutoencoderTiny::load(w, &config))
}

impl AutoencoderTiny {
    /// Reads a tiny autoencoder from a file or folder, as [`PipelineBuilder::taesd`] does.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) and [`Error::Checkpoint`](crate::Error::Checkpoint) say what the files lack.
    pub fn open(path: impl AsRef<Path>, device: Device, precision: Precision) -> Result<Self> {
        precision.check(device)?;
        device.check()?;
        load_tiny(path.as_ref(), device, precision)
    }
}
