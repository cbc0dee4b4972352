//! [`ModelFiles`]: where the parts of a model lie, whatever layout it has.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use crate::config::{AutoencoderKlConfig, ModelConfig, UnetConfig};
use crate::error::{Error, Result};
use crate::runtime::files::{exists, is_folder, read_text};
use crate::text::{ClipTextModel, Projection};
use crate::unet::Unet;
use crate::vae::AutoencoderKl;
use crate::weights::{Checkpoint, Component, SingleFile, TensorSpec, tensors_of};

/// The parts of a model: configurations read, headers checked, no weights read.
pub(super) struct ModelFiles {
    pub(super) config: ModelConfig,
    pub(super) checkpoints: BTreeMap<Component, Checkpoint>,
    /// Folders of the two tokenizers; `None` is the built-in one.
    pub(super) tokenizers: [Option<PathBuf>; 2],
    /// `scheduler_config.json`.
    pub(super) scheduler: String,
}

/// The scheduler of SDXL base, refiner and inpainting: what a single file, which has none, means.
const SDXL_SCHEDULER: &str = r#"{
    "_class_name": "EulerDiscreteScheduler",
    "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000,
    "prediction_type": "epsilon", "timestep_spacing": "leading", "steps_offset": 1,
    "interpolation_type": "linear", "use_karras_sigmas": false,
    "clip_sample": false, "sample_max_value": 1.0, "set_alpha_to_one": false, "skip_prk_steps": true,
    "trained_betas": null
}"#;

impl ModelFiles {
    /// `path` is a diffusers folder, a folder of the Hugging Face cache, the name of a repository in that
    /// cache (`stabilityai/stable-diffusion-xl-base-1.0`), or a single file.
    pub(super) fn find(path: &Path, variant: &str) -> Result<Self> {
        let path = &resolve(path)?;
        if is_folder(path) {
            return Self::folder(path, variant);
        }
        if !variant.is_empty() {
            return Err(Error::invalid("variant", variant, "none for a single file"));
        }
        Self::single_file(path)
    }

    fn folder(folder: &Path, variant: &str) -> Result<Self> {
        let config = ModelConfig::from_folder(folder)?;
        let mut checkpoints = BTreeMap::new();
        let first = config.text_encoder.as_ref().map(|_| Component::TextEncoder);
        for component in first.into_iter().chain([Component::TextEncoder2, Component::Unet, Component::Vae]) {
            let checkpoint = Checkpoint::from_folder(component, folder.join(component.folder()), variant)?;
            checkpoints.insert(component, checkpoint);
        }
        let tokenizer = |name: &str| Some(folder.join(name)).filter(|folder| is_folder(folder));
        Ok(Self {
            config,
            checkpoints,
            tokenizers: [tokenizer("tokenizer"), tokenizer("tokenizer_2")],
            scheduler: read_text(&folder.join("scheduler/scheduler_config.json"), 1 << 20)?,
        })
    }

    fn single_file(path: &Path) -> Result<Self> {
        let SingleFile { components, markers, metadata } = SingleFile::open(path)?;
        let shape = |component, name| components.get(&component).and_then(|c: &Checkpoint| c.shape(name));
        let width = |name| shape(Component::Unet, name).and_then(|shape| shape.get(1).copied());
        let refiner = width("add_embedding.linear_1.weight") == Some(2560);
        let config = match width("conv_in.weight") {
            _ if refiner => ModelConfig::refiner(),
            Some(9) => ModelConfig::inpaint(),
            _ => ModelConfig::base(),
        };
        // ComfyUI's convention for models of other objectives: small tensors of these names.
        let marked = |name: &str| markers.iter().any(|key| key.starts_with(name));
        if marked("edm_") {
            let reason = "a model with EDM noise levels (Playground v2.5, CosXL): load its diffusers folder, whose \
                          scheduler says which";
            return Err(Error::file(path, reason));
        }
        let said = |name: &str| metadata.get(name).is_some_and(|value| value.starts_with('v'));
        let mut scheduler = SDXL_SCHEDULER.to_owned();
        if marked("v_pred") || said("modelspec.prediction_type") || said("modelspec.predict_key") {
            scheduler = scheduler.replace("\"epsilon\"", "\"v_prediction\"");
        }
        if marked("ztsnr") {
            scheduler = scheduler
                .replace(
                    "\"trained_betas\": null",
                    "\"trained_betas\": null, \"rescale_betas_zero_snr\": true",
                )
                .replace("\"leading\"", "\"trailing\"");
        }
        Ok(Self { config, checkpoints: components, tokenizers: [None, None], scheduler })
    }

    /// Takes another UNet: its configuration, where it has one, and its tensors.
    pub(super) fn replace_unet(&mut self, path: &Path, variant: &str) -> Result<()> {
        if let Some(config) = config_of(path) {
            self.config.unet = UnetConfig::from_file(config)?;
        }
        self.replace(Component::Unet, path, variant)
    }

    /// Takes another autoencoder: its configuration, where it has one, and its tensors.
    pub(super) fn replace_vae(&mut self, path: &Path, variant: &str) -> Result<()> {
        if let Some(config) = config_of(path) {
            self.config.vae = AutoencoderKlConfig::from_file(config)?;
        }
        self.replace(Component::Vae, path, variant)
    }

    fn replace(&mut self, component: Component, path: &Path, variant: &str) -> Result<()> {
        let checkpoint = if path.is_dir() {
            Checkpoint::from_folder(component, path, variant)?
        } else {
            Checkpoint::from_file(component, path)?
        };
        self.checkpoints.insert(component, checkpoint);
        self.config.check_widths().map_err(|reason| Error::file(path, reason))
    }

    /// The tensors of one part.
    pub(super) fn checkpoint(&self, component: Component) -> Result<&Checkpoint> {
        self.checkpoints.get(&component).ok_or_else(|| Error::Missing {
            part: component.folder(),
            reason: "the checkpoint was opened without it".into(),
        })
    }
}

/// The configuration of a component that is a folder.
fn config_of(path: &Path) -> Option<PathBuf> {
    Some(path.join("config.json")).filter(|config| config.exists())
}

/// Calls `body` with each component of a model and the tensors that it needs. The UNet comes first: what it
/// says of a foreign file tells the most.
pub(super) fn for_each_component(
    config: &ModelConfig,
    mut body: impl FnMut(Component, Vec<TensorSpec>) -> Result<()>,
) -> Result<()> {
    body(Component::Unet, tensors_of(|w| Unet::load(w, &config.unet))?)?;
    body(Component::Vae, tensors_of(|w| AutoencoderKl::load(w, &config.vae))?)?;
    if let Some(text) = &config.text_encoder {
        body(Component::TextEncoder, tensors_of(|w| ClipTextModel::load(w, text, Projection::Without))?)?;
    }
    let text = &config.text_encoder_2;
    body(Component::TextEncoder2, tensors_of(|w| ClipTextModel::load(w, text, Projection::With))?)
}

/// Follows the layout of the Hugging Face cache: `models--org--name/{refs,snapshots}`, whose snapshots are
/// diffusers folders of links.
fn resolve(path: &Path) -> Result<PathBuf> {
    if path.join("snapshots").is_dir() && !path.join("model_index.json").exists() {
        return snapshot(path);
    }
    if exists(path) {
        return Ok(path.to_owned());
    }
    let not_found = || Error::io(path)(std::io::Error::from(std::io::ErrorKind::NotFound));
    let text = path.to_str().ok_or_else(not_found)?;
    // `org/name`, and nothing that could be meant as a path.
    let mut parts = text.split('/');
    let (Some(owner), Some(name), None) = (parts.next(), parts.next(), parts.next()) else {
        return Err(not_found());
    };
    if [owner, name].iter().any(|part| part.is_empty() || part.starts_with('.'))
        || text.ends_with(".safetensors")
    {
        return Err(not_found());
    }
    let repository = hub_cache().ok_or_else(not_found)?.join(format!("models--{owner}--{name}"));
    if repository.is_dir() { snapshot(&repository) } else { Err(not_found()) }
}

/// The snapshot that `refs/main` names, or the only one.
fn snapshot(repository: &Path) -> Result<PathBuf> {
    let snapshots = repository.join("snapshots");
    let main = repository.join("refs/main");
    if main.exists() {
        let revision = read_text(&main, 4096)?;
        let folder = snapshots.join(revision.trim());
        if !revision.trim().contains('/') && folder.is_dir() {
            return Ok(folder);
        }
    }
    let entries = std::fs::read_dir(&snapshots).map_err(Error::io(&snapshots))?;
    let folders: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.is_dir())
        .collect();
    match folders.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Error::file(snapshots, "holds no snapshot: the download did not finish")),
        _ => Err(Error::file(
            snapshots,
            "holds several snapshots and refs/main names none: give the path of one",
        )),
    }
}

fn hub_cache() -> Option<PathBuf> {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("HF_HUB_CACHE")
        .or_else(|| variable("HUGGINGFACE_HUB_CACHE"))
        .or_else(|| variable("HF_HOME").map(|home| home.join("hub")))
        .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("huggingface/hub")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/huggingface/hub")))
}
