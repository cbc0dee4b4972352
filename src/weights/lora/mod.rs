//! LoRA and its relatives: files that change a model's weights a little.
//!
//! [`name`] reads the keys of every layout, [`layer`] checks the tensors of one layer, [`read`] reads them, [`change`] says
//! what they add to its weight. A [`Lora`] knows of no model until [`Fit`] matches it with the tensors of one.

mod blocks;
mod change;
mod fit;
mod layer;
mod low_rank;
mod name;
mod peft;
mod read;
mod recognise;
mod report;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use serde::{Deserialize, Serialize};
use tch::Tensor;

use change::Change;
pub(crate) use fit::{ComponentChanges, Fit};
pub use low_rank::LowRank;
pub(crate) use recognise::recognise;
pub use report::LoraError;

use super::rename::Component;
use super::safetensors::SafetensorsFile;
use super::source::TensorSource;
use super::stored::Streamed;
use crate::error::{Error, Result};
use crate::runtime::{Shared, locked, shim};
use layer::{Layer, Plan};
use peft::PeftSettings;

/// The most tensors of a LoRA: twice as many as one has that changes every layer of SDXL with seven each.
const TENSORS_LIMIT: usize = 16_384;
/// The largest factor of a LoRA, of either sign. People use -2 to 2.
const WEIGHT_LIMIT: f64 = 100.;

/// A LoRA or a relative of it, read from a safetensors file.
///
/// | layouts | kohya, with diffusers' and Stability's block names; diffusers and PEFT; diffusers' attention processors |
/// |---|---|
/// | kinds | LoRA, `LoCon`, `LoHa`, `LoKr`, `DoRA`, whole differences (`diff`, `diff_b`) |
///
/// The layout is recognised by the keys. A layer has the rank of its tensors and a scale of `alpha / rank`; 1 where
/// the file has no alpha, neither as a tensor nor in PEFT's metadata.
///
/// A clone is cheap and shares the tensors.
#[derive(Clone)]
pub struct Lora {
    file: Arc<LoraFile>,
}

struct LoraFile {
    path: PathBuf,
    layers: OnceLock<Vec<LoraLayer>>,
    /// What `layers` is read from, until then.
    unread: Mutex<Option<Unread>>,
    /// Keys of no layout that is known.
    unknown: Vec<String>,
    looks_like: &'static str,
}

/// A LoRA of which everything but the numbers is checked.
struct Unread {
    file: SafetensorsFile,
    layers: Vec<((Component, String), Layer, Plan)>,
    settings: PeftSettings,
}

/// A layer of a LoRA that was read.
struct LoraLayer {
    component: Component,
    /// The layer's name as [`name::Name`] has it.
    layer: String,
    keys: Vec<String>,
    shape: Vec<i64>,
    weight: Option<Shared<Change>>,
    bias: Option<Shared<Change>>,
}

impl Lora {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::File`] where the file is no valid safetensors file, has values that are not finite, or is of a
    /// format whose layers have numbers in the place of names; [`Error::Lora`] lists the layers whose tensors do not go
    /// together, or says that the file is no LoRA.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = SafetensorsFile::open(path)?;
        if file.tensors.len() > TENSORS_LIMIT {
            let reason = format!("has {} tensors, a LoRA at most {TENSORS_LIMIT}", file.tensors.len());
            return Err(Error::file(path, reason));
        }
        let looks_like = recognise(&file.tensors);
        let mut error = LoraError::new(path, looks_like);
        let mut layers: BTreeMap<(Component, String), Layer> = BTreeMap::new();
        let mut unknown = Vec::new();
        for (key, info) in &file.tensors {
            match name::parse(key) {
                Some(name) => {
                    if !layers.entry((name.component, name.layer)).or_default().add(name.role, key, info) {
                        error.broken.push(format!("{key} is there twice, under two names"));
                    }
                }
                None => unknown.push(match name::unsupported(key) {
                    Some(kind) => format!("{key} ({kind} is not supported)"),
                    None => key.clone(),
                }),
            }
        }
        if layers.is_empty() {
            error.unmatched = unknown;
            return Err(Error::Lora(Box::new(error)));
        }
        let mut plans = Vec::with_capacity(layers.len());
        for (name, layer) in layers {
            match layer.plan() {
                Ok(plan) => plans.push((name, layer, plan)),
                Err(reason) => error.broken.push(reason),
            }
        }
        if !error.broken.is_empty() {
            error.unmatched = unknown;
            return Err(Error::Lora(Box::new(error)));
        }
        let settings = PeftSettings::read(&file)?;
        let unread = Mutex::new(Some(Unread { file, layers: plans, settings }));
        let layers = OnceLock::new();
        let file = LoraFile { path: path.to_owned(), layers, unread, unknown, looks_like };
        // Otherwise this may be a process in which libtorch is not to be.
        if shim::is_loaded() {
            file.layers()?;
        }
        Ok(Self { file: Arc::new(file) })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// A few words: what the file looks like, such as `a LoRA for SDXL`.
    pub fn looks_like(&self) -> &'static str {
        self.file.looks_like
    }

    /// The LoRA with a weight: 1 is as it was trained, 0 is off, and a negative one does the reverse.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless it is -100 to 100.
    pub fn weight(&self, weight: f64) -> Result<WeightedLora> {
        Ok(WeightedLora {
            lora: self.clone(),
            weight: checked("weight", weight)?,
            text_encoders: None,
            blocks: BTreeMap::new(),
            keep_unmatched: true,
        })
    }
}

impl LoraFile {
    /// The layers, read now where they are not yet.
    fn layers(&self) -> Result<&[LoraLayer]> {
        if self.layers.get().is_none() {
            let mut unread = locked(&self.unread);
            if let Some(from) = unread.as_ref() {
                shim::load()?;
                let _ = self.layers.set(from.read()?);
                *unread = None;
            }
        }
        Ok(self.layers.get().map(Vec::as_slice).unwrap_or_default())
    }
}

impl Unread {
    fn read(&self) -> Result<Vec<LoraLayer>> {
        let read = |((component, name), layer, plan): &((Component, String), Layer, Plan)| {
            let scale = |rank| self.settings.scale(*component, layer, rank);
            let (weight, bias) = layer.read(plan, &self.file, scale)?;
            Ok(LoraLayer {
                component: *component,
                layer: name.clone(),
                keys: layer.keys().map(str::to_owned).collect(),
                shape: plan.shape.clone(),
                weight: weight.map(Shared::new),
                bias: bias.map(Shared::new),
            })
        };
        self.layers.iter().map(read).collect()
    }
}

impl fmt::Debug for Lora {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LoraFile { path, layers, looks_like, .. } = &*self.file;
        f.debug_struct("Lora")
            .field("path", path)
            .field("layers", &layers.get().map(Vec::len))
            .field("looks_like", looks_like)
            .finish_non_exhaustive()
    }
}

/// A [`Lora`] and how much of it is applied.
#[derive(Debug, Clone)]
#[must_use]
pub struct WeightedLora {
    lora: Lora,
    weight: f64,
    text_encoders: Option<f64>,
    blocks: BTreeMap<String, f64>,
    keep_unmatched: bool,
}

/// A [`WeightedLora`] for another process, which reads the file again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LoraByPath {
    path: PathBuf,
    weight: f64,
    text_encoders: Option<f64>,
    blocks: BTreeMap<String, f64>,
    keep_unmatched: bool,
}

impl From<&WeightedLora> for LoraByPath {
    fn from(weighted: &WeightedLora) -> Self {
        let WeightedLora { lora, weight, text_encoders, blocks, keep_unmatched } = weighted.clone();
        Self { path: lora.path().to_owned(), weight, text_encoders, blocks, keep_unmatched }
    }
}

impl LoraByPath {
    pub(crate) fn open(&self) -> Result<WeightedLora> {
        let Self { path, weight, text_encoders, blocks, keep_unmatched } = self.clone();
        Ok(WeightedLora { lora: Lora::open(path)?, weight, text_encoders, blocks, keep_unmatched })
    }
}

impl WeightedLora {
    /// The same with another weight: see [`Lora::weight`].
    ///
    /// # Errors
    /// [`Error::Invalid`] unless it is -100 to 100.
    pub fn with_weight(self, weight: f64) -> Result<Self> {
        Ok(Self { weight: checked("weight", weight)?, ..self })
    }

    /// Another weight for both text encoders. Default: the same.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless it is -100 to 100.
    pub fn text_encoders(self, weight: f64) -> Result<Self> {
        Ok(Self { text_encoders: Some(checked("text_encoders", weight)?), ..self })
    }

    /// Multiplies the weight of the UNet's layers in a block, by diffusers' name: `down_blocks.2`, `mid_block`,
    /// `up_blocks.0.attentions.1`. Of several blocks that a layer is in, the innermost counts.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless it is -100 to 100.
    pub fn block(mut self, block: impl Into<String>, factor: f64) -> Result<Self> {
        self.blocks.insert(block.into(), checked("block", factor)?);
        Ok(self)
    }

    /// Leaves out what does not fit the model, in the place of an error. [`Pipeline::loras`] lists it.
    ///
    /// [`Pipeline::loras`]: crate::Pipeline::loras
    pub fn ignore_unmatched(self) -> Self {
        Self { keep_unmatched: false, ..self }
    }

    /// The LoRA.
    pub fn lora(&self) -> &Lora {
        &self.lora
    }

    /// Its weight in the UNet, but for blocks with a factor.
    pub fn unet_weight(&self) -> f64 {
        self.weight
    }

    /// The factors of blocks of the UNet.
    pub fn blocks(&self) -> &BTreeMap<String, f64> {
        &self.blocks
    }

    /// Its weight in both text encoders.
    pub fn text_encoders_weight(&self) -> f64 {
        self.text_encoders.unwrap_or(self.weight)
    }
}

fn checked(field: &'static str, weight: f64) -> Result<f64> {
    if weight.abs() <= WEIGHT_LIMIT {
        return Ok(weight);
    }
    Err(Error::invalid(field, weight, format!("-{WEIGHT_LIMIT} to {WEIGHT_LIMIT}")))
}

/// A change of one weight, and how much of it.
#[derive(Clone)]
pub struct WeightedChange {
    pub(super) change: Shared<Change>,
    pub(super) weight: f64,
}

impl fmt::Debug for WeightedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeightedChange").field("weight", &self.weight).finish_non_exhaustive()
    }
}

/// The changes of one component, by the names of its tensors.
pub(crate) type Changes = BTreeMap<String, Vec<WeightedChange>>;

/// A tensor with changes, in its own type; itself where there are none. The sum is rounded once.
pub(super) fn with_changes(tensor: Tensor, changes: &[WeightedChange]) -> Result<Tensor> {
    if changes.is_empty() {
        return Ok(tensor);
    }
    let mut sum = Tensor::f_empty(tensor.size(), (tch::Kind::Float, tensor.device()))?;
    sum.f_copy_(&tensor)?;
    for WeightedChange { change, weight } in changes {
        change.add_to(&sum, &tensor, *weight)?;
    }
    Ok(sum.f_to_kind(tensor.f_kind()?)?)
}

/// The tensors of a source with what adapters add: merged into them, or kept beside them.
pub(crate) struct Changed<'a> {
    source: &'a dyn TensorSource,
    changes: &'a Changes,
    merged: bool,
}

impl<'a> Changed<'a> {
    pub(crate) fn merged(source: &'a dyn TensorSource, changes: &'a Changes) -> Self {
        Self { source, changes, merged: true }
    }

    pub(crate) fn beside(source: &'a dyn TensorSource, changes: &'a Changes) -> Self {
        Self { source, changes, merged: false }
    }

    fn of(&self, name: &str) -> &'a [WeightedChange] {
        self.changes.get(name).map_or(&[], Vec::as_slice)
    }
}

impl TensorSource for Changed<'_> {
    fn read(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        let tensor = self.source.read(name, shape)?;
        if self.merged { with_changes(tensor, self.of(name)) } else { Ok(tensor) }
    }

    fn streamed(&self, name: &str, shape: &[i64]) -> Option<Streamed> {
        let streamed = self.source.streamed(name, shape)?;
        Some(if self.merged { streamed.merged(self.of(name)) } else { streamed })
    }

    fn changes(&self, name: &str) -> Vec<WeightedChange> {
        if self.merged { Vec::new() } else { self.of(name).to_vec() }
    }
}
