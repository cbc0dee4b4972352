//! [`PipelineBuilder`]: which model, where and how it computes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::adapters::{AppliedLora, Loaded, Wanted, applied, check_embedding};
use super::files::{ModelFiles, for_each_component};
use super::{Models, Pipeline, Replaced};
use crate::config::{AutoencoderTinyConfig, ClipTextConfig, ModelConfig};
use crate::error::{Error, Result};
use crate::runtime::memory::{MemoryFolder, check_name};
use crate::runtime::{Device, MemoryFile, Precision, Shared, Worker};
use crate::scheduler::Scheduler;
use crate::text::{ClipTextModel, Padding, Projection, TextEncoder, TextEncoders, Tokenizer};
use crate::unet::Unet;
use crate::vae::{AutoencoderKl, AutoencoderTiny, Vae};
use crate::weights::{
    Changes, Checkpoint, Component, ComponentChanges, Fit, Keeping, Lora, TextualInversion, WeightedLora,
    Weights, tensors_of,
};

/// Builds a [`Pipeline`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[must_use]
pub struct PipelineBuilder {
    path: PathBuf,
    /// Files in memory by their names in the folder, or `None` for a model on a disk.
    #[serde(skip)]
    files: Option<BTreeMap<String, MemoryFile>>,
    device: Device,
    precision: Precision,
    variant: String,
    taesd: Option<PathBuf>,
    loras: Vec<ChosenLora>,
    merge_loras: bool,
    embeddings: Vec<PathBuf>,
    unet: Option<PathBuf>,
    vae: Option<PathBuf>,
    vae_tiling: bool,
    stream_text_encoders: bool,
    /// The worker program of a pipeline in a process of its own: see [`crate::isolation`].
    #[serde(skip)]
    pub(crate) isolation: Isolation,
}

/// Where a pipeline of the C interface lives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Isolation {
    pub(crate) is_on: bool,
    /// The worker program, unless it is to be found.
    pub(crate) worker: Option<PathBuf>,
}

impl PipelineBuilder {
    pub(super) fn new(path: PathBuf) -> Self {
        let (device, precision) = (Device::default(), Precision::default());
        Self {
            path,
            files: None,
            device,
            precision,
            variant: String::new(),
            taesd: None,
            loras: Vec::new(),
            merge_loras: false,
            embeddings: Vec::new(),
            unet: None,
            vae: None,
            vae_tiling: false,
            stream_text_encoders: false,
            isolation: Isolation::default(),
        }
    }

    pub(super) fn in_memory(name: PathBuf) -> Self {
        Self { files: Some(BTreeMap::new()), ..Self::new(name) }
    }

    /// Adds a file of a model that lies in memory: `unet/config.json`, `unet/diffusion_pytorch_model.safetensors`
    /// and so on, as in a diffusers folder; or as the only one a single file with the whole model. See
    /// [`Pipeline::in_memory`]. The bytes are needed until the model is built.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name that leads out of a folder, and for a model on a disk.
    pub fn file(mut self, name: impl Into<String>, content: MemoryFile) -> Result<Self> {
        let name = name.into();
        check_name(&name)?;
        match &mut self.files {
            Some(files) => files.insert(name, content),
            None => return Err(Error::invalid("file", name, "none for a model on a disk")),
        };
        Ok(self)
    }

    /// Where the model lies, or what it is called.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn chosen_device(&self) -> Device {
        self.device
    }

    /// Takes the files in memory out of it.
    pub(crate) fn take_files(&mut self) -> Option<BTreeMap<String, MemoryFile>> {
        self.files.take()
    }

    /// Puts them in again, in another process.
    pub(crate) fn with_files(self, files: Option<BTreeMap<String, MemoryFile>>) -> Self {
        Self { files, ..self }
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

    /// Another autoencoder in the place of the model's own, such as the one whose activations fit into 16 bits: a
    /// diffusers folder with its `config.json`, or a file, in diffusers' or Stability's names, of a model of the same
    /// shape. A single file of a whole model will do.
    pub fn vae(self, path: impl Into<PathBuf>) -> Self {
        Self { vae: Some(path.into()), ..self }
    }

    /// Another UNet in the place of the model's own, as distilled models come: a diffusers folder with its
    /// `config.json`, or a file of one of the same shape. A single file of a whole model will do.
    pub fn unet(self, path: impl Into<PathBuf>) -> Self {
        Self { unet: Some(path.into()), ..self }
    }

    /// Adds a textual inversion, under the words of its file. See [`TextualInversion`] for what files may be, and
    /// [`Pipeline::with_embeddings`] for other words.
    pub fn embedding(mut self, path: impl Into<PathBuf>) -> Self {
        self.embeddings.push(path.into());
        self
    }

    /// Adds a LoRA with that weight, 1 for as it was trained; several add up. See [`Lora`] for what files may be, and
    /// [`Pipeline::with_loras`] for LoRAs of a pipeline that is there.
    pub fn lora(mut self, path: impl Into<PathBuf>, weight: f64) -> Self {
        self.loras.push(ChosenLora::File(path.into(), weight));
        self
    }

    /// The same for a LoRA that was read, with weights for text encoders and blocks.
    pub fn weighted_lora(mut self, lora: WeightedLora) -> Self {
        self.loras.push(ChosenLora::Read(lora));
        self
    }

    /// Merges the LoRAs into the weights while these are read, in the place of keeping them beside them: steps take
    /// no longer than without LoRAs and no weight is held twice, but they cannot be removed. Rounding is that of
    /// [`Pipeline::with_merged_loras`].
    pub fn merge_loras(self) -> Self {
        Self { merge_loras: true, ..self }
    }

    /// Encodes and decodes pictures strip by strip: in a third of the memory (at 1024 x 1024 about 1.6 GB for 4.8 GB
    /// beside the weights), for about a third more time. The pictures are the same up to rounding, without seams: the
    /// statistics of the autoencoder's norms are those of the whole picture. Default: not. Several pictures are
    /// always encoded and decoded one by one.
    pub fn vae_tiling(self, vae_tiling: bool) -> Self {
        Self { vae_tiling, ..self }
    }

    /// Reads the text encoders' weights, one after the other, whenever a prompt is encoded, and keeps none of them: 1.6 GB
    /// less of SDXL in 16 bits. The pictures are the same, to the last bit; a prompt that differs from the one before takes
    /// the time to read its encoders' files, and its negative prompt once more. Default: not.
    ///
    /// The files stay open, and must stay as they are, as long as the pipeline and those made of it; a [`MemoryFile`] is
    /// kept as long.
    pub fn stream_text_encoders(self, stream_text_encoders: bool) -> Self {
        Self { stream_text_encoders, ..self }
    }

    /// Checks the model without reading its weights: configurations, tokenizers, and names and shapes of all
    /// tensors.
    ///
    /// # Errors
    /// Those of [`build`](Self::build), but for the device's.
    pub fn check(&self) -> Result<ModelConfig> {
        Ok(self.open()?.files.config)
    }

    /// Everything but the weights.
    fn open(&self) -> Result<Opened> {
        crate::runtime::shim::load()?;
        // Everything but the weights is read below, as long as the folder is there.
        let memory = self.files.as_ref().map(MemoryFolder::new);
        let path = match (&memory, &self.files) {
            (Some(folder), Some(files)) if files.len() == 1 => {
                files.keys().map(|name| folder.root().join(name)).collect()
            }
            (Some(folder), _) => folder.root().to_owned(),
            (None, _) => self.path.clone(),
        };
        let mut files = ModelFiles::find(&path, &self.variant)?;
        if let Some(path) = &self.unet {
            files.replace_unet(path, &self.variant)?;
        }
        if let Some(path) = &self.vae {
            files.replace_vae(path, &self.variant)?;
        }
        let config = &files.config;
        let tiny = match &self.taesd {
            Some(path) => Some(open_tiny(path)?),
            None => None,
        };
        if let Some((_, tiny)) = &tiny {
            let (found, expected) =
                ((tiny.latent_channels, tiny.factor()), (config.vae.latent_channels, config.vae.factor()));
            if found != expected {
                return Err(Error::invalid(
                    "taesd",
                    format!("{} channels at 1/{}", found.0, found.1),
                    format!("{} channels at 1/{}, those of this model's latents", expected.0, expected.1),
                ));
            }
        }
        let mut fit = Fit::new();
        for_each_component(config, |component, specs| {
            if component != Component::Vae {
                fit.add(component, &specs);
            } else if tiny.is_some() {
                return Ok(());
            }
            files.checkpoint(component)?.check(&specs)
        })?;
        let loras: Vec<WeightedLora> = self.loras.iter().map(ChosenLora::read).collect::<Result<_>>()?;
        let changes = fit.changes(&loras, Device::Cpu)?;
        let tokenizer = |folder: &Option<PathBuf>, padding| match folder {
            Some(folder) => Tokenizer::from_folder(folder),
            None => Tokenizer::builtin(padding),
        };
        let [first, second] = &files.tokenizers;
        let tokenizers = (
            match &config.text_encoder {
                Some(text) => Some(fitting(tokenizer(first, Padding::EndOfText)?, text)?),
                None => None,
            },
            fitting(tokenizer(second, Padding::Exclamation)?, &config.text_encoder_2)?,
        );
        let embeddings: Vec<TextualInversion> =
            self.embeddings.iter().map(TextualInversion::open).collect::<Result<_>>()?;
        for embedding in &embeddings {
            check_embedding(embedding, config, tokenizers.1.context_length())?;
        }
        let scheduler = Scheduler::from_config(&files.scheduler)?;
        let loras = Loras { applied: applied(&fit, &loras, true)?, loras, changes };
        Ok(Opened { files, tiny, tokenizers, scheduler, loras, embeddings })
    }

    /// Reads the model.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) and [`Error::File`](crate::Error::File) name the file that cannot be read
    /// or is invalid; [`Error::Checkpoint`](crate::Error::Checkpoint) lists every missing, unexpected and
    /// mis-shaped tensor, before any weights are read; [`Error::Device`](crate::Error::Device) a device that is
    /// not there; [`Error::Invalid`](crate::Error::Invalid) a type that it cannot compute in.
    pub fn build(&self) -> Result<Pipeline> {
        self.precision.check(self.device)?;
        self.device.check()?;
        let Opened { files, tiny, tokenizers, scheduler, loras, embeddings } = self.open()?;
        let Loras { applied, loras, changes } = loras;
        // Merged ones leave nothing to be kept beside, and the reverse.
        let (merged, beside, changes) = match self.merge_loras {
            true => (applied, Vec::new(), changes),
            false => (Vec::new(), loras, ComponentChanges::new()),
        };
        let vae = match tiny {
            Some((checkpoint, config)) => Vae::Tiny(
                checkpoint.load(self.device, self.precision, |w| AutoencoderTiny::load(w, &config))?,
            ),
            None => self.read_vae(&files)?,
        };
        let mut reader = Reader { builder: self, files: &files, changes: &changes, loaded: Loaded::new() };
        let text = reader.text_encoders(tokenizers)?;
        let unet = reader.read(Component::Unet, |w| Unet::load(w, &files.config.unet))?;
        let loaded = reader.loaded;
        let (config, path) = (files.config, self.path.clone());
        let vae_path = self.taesd.as_ref().or(self.vae.as_ref());
        let replaced = Replaced { unet: self.unet.clone(), vae: vae_path.cloned() };
        let models = Models { config, text, unet, vae, path, replaced, loaded, loras: merged };
        let pipeline = Pipeline {
            models: Shared::new(models),
            adapted: None,
            scheduler,
            device: self.device,
            precision: self.precision,
            vae_tiling: self.vae_tiling,
            last_prompts: self.stream_text_encoders.then(Arc::default),
            worker: Worker::default(),
        };
        if beside.is_empty() && embeddings.is_empty() {
            return Ok(pipeline);
        }
        pipeline.adapted(&Wanted { loras: beside, merged: false, embeddings: &embeddings })
    }

    fn read_vae(&self, files: &ModelFiles) -> Result<Vae> {
        let config = &files.config.vae;
        // The original autoencoder's activations overflow in IEEE half precision: pictures would be black.
        let precision = match self.precision {
            Precision::F16 if config.force_upcast => Precision::F32,
            precision => precision,
        };
        let checkpoint = files.checkpoint(Component::Vae)?;
        Ok(Vae::Kl(Box::new(checkpoint.load(self.device, precision, |w| AutoencoderKl::load(w, config))?)))
    }
}

/// Reads the components that adapters may change, and keeps their tensors.
struct Reader<'a> {
    builder: &'a PipelineBuilder,
    files: &'a ModelFiles,
    /// What is merged into them.
    changes: &'a ComponentChanges,
    loaded: Loaded,
}

impl Reader<'_> {
    fn read<M>(&mut self, component: Component, build: impl Fn(&Weights) -> Result<M>) -> Result<M> {
        let PipelineBuilder { device, precision, stream_text_encoders, .. } = *self.builder;
        let keeping = match component {
            Component::TextEncoder | Component::TextEncoder2 if stream_text_encoders => Keeping::Streamed,
            _ => Keeping::Kept,
        };
        let none = Changes::new();
        let changes = self.changes.get(&component).unwrap_or(&none);
        let checkpoint = self.files.checkpoint(component)?;
        let (model, loaded) = checkpoint.load_shared((device, precision), keeping, changes, build)?;
        self.loaded.insert(component, loaded);
        Ok(model)
    }

    fn text_encoders(&mut self, (first, second): (Option<Tokenizer>, Tokenizer)) -> Result<TextEncoders> {
        let config = &self.files.config;
        let first = match (first, &config.text_encoder) {
            (Some(tokenizer), Some(text)) => {
                let build = |w: &Weights| ClipTextModel::load(w, text, Projection::Without);
                Some(TextEncoder { tokenizer, model: self.read(Component::TextEncoder, build)? })
            }
            _ => None,
        };
        let build = |w: &Weights| ClipTextModel::load(w, &config.text_encoder_2, Projection::With);
        let model = self.read(Component::TextEncoder2, build)?;
        Ok(TextEncoders { first, second: TextEncoder { tokenizer: second, model } })
    }
}

/// A LoRA that a model is to have.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum ChosenLora {
    File(PathBuf, f64),
    /// Not for a pipeline in another process: C, which alone has those, chooses files.
    #[serde(skip)]
    Read(WeightedLora),
}

impl ChosenLora {
    fn read(&self) -> Result<WeightedLora> {
        match self {
            Self::File(path, weight) => Lora::open(path)?.weight(*weight),
            Self::Read(lora) => Ok(lora.clone()),
        }
    }
}

/// LoRAs that fit the model, and what they change on the CPU.
struct Loras {
    loras: Vec<WeightedLora>,
    applied: Vec<AppliedLora>,
    changes: ComponentChanges,
}

/// A model of which everything is known but the weights.
struct Opened {
    files: ModelFiles,
    tiny: Option<(Checkpoint, AutoencoderTinyConfig)>,
    tokenizers: (Option<Tokenizer>, Tokenizer),
    scheduler: Scheduler,
    loras: Loras,
    embeddings: Vec<TextualInversion>,
}

/// A tokenizer whose ids the encoder can read.
fn fitting(tokenizer: Tokenizer, encoder: &ClipTextConfig) -> Result<Tokenizer> {
    let (length, positions) = (tokenizer.context_length() as i64, encoder.max_position_embeddings);
    if length > positions {
        let expected = format!("at most {positions}, the positions of the text encoder");
        return Err(Error::invalid("model_max_length", length, expected));
    }
    let largest = [tokenizer.start_id(), tokenizer.end_id(), tokenizer.padding_id()].into_iter().max();
    if largest.is_some_and(|largest| largest >= encoder.vocab_size) {
        let expected = format!("below {}, the vocabulary of the text encoder", encoder.vocab_size);
        return Err(Error::invalid("token ids", largest.unwrap_or(0), expected));
    }
    Ok(tokenizer)
}

/// A tiny autoencoder from a file or folder, in diffusers' or TAESD's own layout: its header and shape, checked.
fn open_tiny(path: &Path) -> Result<(Checkpoint, AutoencoderTinyConfig)> {
    let config_file = path.join("config.json");
    let config = if config_file.exists() {
        AutoencoderTinyConfig::from_file(config_file)?
    } else {
        AutoencoderTinyConfig::default()
    };
    let checkpoint = Checkpoint::tiny(path)?;
    checkpoint.check(&tensors_of(|w| AutoencoderTiny::load(w, &config))?)?;
    Ok((checkpoint, config))
}

impl AutoencoderTiny {
    /// Reads a tiny autoencoder from a file or folder, as [`PipelineBuilder::taesd`] does.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) and [`Error::Checkpoint`](crate::Error::Checkpoint) say what the files
    /// lack.
    pub fn open(path: impl AsRef<Path>, device: Device, precision: Precision) -> Result<Self> {
        precision.check(device)?;
        device.check()?;
        let (checkpoint, config) = open_tiny(path.as_ref())?;
        checkpoint.load(device, precision, |w| Self::load(w, &config))
    }
}
