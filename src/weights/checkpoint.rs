//! [`Checkpoint`]: the tensors of one component, under diffusers' names, wherever they are stored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use tch::Tensor;

use super::lora::{Changed, Changes};
use super::recognise::recognise;
use super::rename::{Component, Meaning, Part, TinySide, component_file, is_single_file, single_file, tiny};
use super::report::{CheckpointError, ShapeMismatch};
use super::safetensors::{SafetensorsFile, computable, kind};
use super::source::{LoadedTensors, Record, TensorSource, TensorSpec, Weights, tensors_of};
use super::stored::StreamedCheckpoint;
use crate::config::read_json;
use crate::error::{Error, Result};
use crate::runtime::files::{contained, exists, is_folder};
use crate::runtime::{Device, Precision};

/// The tensors of one component. Opening reads headers alone; the data is read by [`Checkpoint::load`].
#[derive(Debug, Clone)]
pub struct Checkpoint {
    path: PathBuf,
    component: Component,
    files: Vec<Arc<SafetensorsFile>>,
    entries: BTreeMap<String, Entry>,
    unexpected: Vec<String>,
}

/// What becomes of weights that were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// They stay in memory.
    Kept,
    /// They are read again whenever they are used. Biases and norms, which are small, stay.
    Streamed,
}

/// Where a tensor of ours is stored.
#[derive(Debug, Clone)]
struct Entry {
    file: usize,
    key: String,
    part: Part,
}

impl Checkpoint {
    fn empty(path: &Path, component: Component) -> Self {
        let path = path.to_owned();
        Self { path, component, files: Vec::new(), entries: BTreeMap::new(), unexpected: Vec::new() }
    }

    /// A component from one safetensors file: its own, in diffusers' or (autoencoders) Stability's names, or a
    /// single file with the whole model.
    ///
    /// # Errors
    /// [`Error::File`] where the file is no valid safetensors file: truncated, a pickle, a web page…
    pub fn from_file(component: Component, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = SafetensorsFile::open(path)?;
        if file.tensors.keys().any(|key| is_single_file(key)) {
            let mut whole = SingleFile::new(path, file)?;
            return Ok(whole.components.remove(&component).unwrap_or_else(|| Self::empty(path, component)));
        }
        let mut checkpoint = Self::empty(path, component);
        checkpoint.add_file(file)?;
        Ok(checkpoint)
    }

    /// A component from a folder of a diffusers checkpoint: one file, or shards with their index.
    ///
    /// `variant` is the part of the file name that chooses among several (`fp16`); empty means the plain
    /// name, or `fp16` where only that is there.
    ///
    /// # Errors
    /// [`Error::File`] where there is no file of that name, or a shard is missing, invalid or outside the
    /// folder.
    pub fn from_folder(component: Component, folder: impl AsRef<Path>, variant: &str) -> Result<Self> {
        let folder = folder.as_ref();
        Self::find(component, folder, variant)?
            .ok_or_else(|| Error::file(folder, no_weights(folder, component.stem(), variant)))
    }

    /// The same; `None` where the folder has no weights, neither as safetensors nor as a pickle.
    ///
    /// # Errors
    /// [`Error::File`] where there are weights that cannot be read.
    pub fn find(component: Component, folder: impl AsRef<Path>, variant: &str) -> Result<Option<Self>> {
        let folder = folder.as_ref();
        let stem = component.stem();
        let variants: &[&str] = if variant.is_empty() { &["", "fp16"] } else { &[variant] };
        for variant in variants {
            let dotted = if variant.is_empty() { String::new() } else { format!(".{variant}") };
            let file = folder.join(format!("{stem}{dotted}.safetensors"));
            if exists(&file) {
                return Self::from_file(component, file).map(Some);
            }
            for index in [
                format!("{stem}{dotted}.safetensors.index.json"),
                format!("{stem}.safetensors.index{dotted}.json"),
            ] {
                let index = folder.join(index);
                if exists(&index) {
                    return Self::from_shards(component, folder, &index).map(Some);
                }
            }
        }
        if pickled(folder, stem) {
            return Err(Error::file(folder, no_weights(folder, stem, variant)));
        }
        Ok(None)
    }

    /// A tiny autoencoder: diffusers' file or folder, or a folder with TAESD's own two files, of which one has
    /// `encoder` and the other `decoder` in its name.
    ///
    /// # Errors
    /// [`Error::File`] where there is no such file, or it is invalid.
    pub fn tiny(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if !path.is_dir() {
            return Self::from_file(Component::Vae, path);
        }
        let mut checkpoint = Self::empty(path, Component::Vae);
        let entries = std::fs::read_dir(path).map_err(Error::io(path))?;
        let files: Vec<PathBuf> = entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|file| file.extension().is_some_and(|extension| extension == "safetensors"))
            .collect();
        let named = |part: &str| {
            let has =
                |file: &&PathBuf| file.file_name().is_some_and(|name| name.to_string_lossy().contains(part));
            match files.iter().filter(has).collect::<Vec<_>>().as_slice() {
                [only] => Some((*only).clone()),
                _ => None,
            }
        };
        let (Some(encoder), Some(decoder)) = (named("encoder"), named("decoder")) else {
            let several =
                |part: &str| files.iter().filter(|file| file.to_string_lossy().contains(part)).count() > 1;
            if several("encoder") && several("decoder") {
                let reason =
                    "holds several tiny autoencoders: give a folder with one encoder and one decoder";
                return Err(Error::file(path, reason));
            }
            return Self::from_folder(Component::Vae, path, "");
        };
        for (side, file) in [(TinySide::Encoder, encoder), (TinySide::Decoder, decoder)] {
            let file = SafetensorsFile::open(&file)?;
            let number = checkpoint.files.len();
            for key in file.tensors.keys() {
                let entry = Entry { file: number, key: key.clone(), part: Part::Whole };
                checkpoint.add(tiny(side, key), entry)?;
            }
            checkpoint.files.push(Arc::new(file));
        }
        Ok(checkpoint)
    }

    fn from_shards(component: Component, folder: &Path, index: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Index {
            weight_map: BTreeMap<String, String>,
        }
        let Index { weight_map } = read_json(index)?;
        let mut checkpoint = Self::empty(folder, component);
        let mut shards: Vec<&String> = weight_map.values().collect();
        shards.sort_unstable();
        shards.dedup();
        for shard in shards {
            checkpoint.add_file(SafetensorsFile::open(&contained(folder, shard)?)?)?;
        }
        Ok(checkpoint)
    }

    fn add_file(&mut self, file: SafetensorsFile) -> Result<()> {
        let number = self.files.len();
        for key in file.tensors.keys() {
            if let Some((name, part)) = component_file(self.component, key) {
                self.add(name, Entry { file: number, key: key.clone(), part })?;
            }
        }
        self.files.push(Arc::new(file));
        Ok(())
    }

    fn add(&mut self, name: String, entry: Entry) -> Result<()> {
        match self.entries.insert(name, entry) {
            None => Ok(()),
            Some(old) => Err(Error::file(&self.path, format!("tensor {} is there twice", old.key))),
        }
    }

    /// The names of the tensors, under diffusers' names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The shape of a tensor.
    pub fn shape(&self, name: &str) -> Option<Vec<i64>> {
        let entry = self.entries.get(name)?;
        let info = self.files.get(entry.file)?.tensors.get(&entry.key)?;
        let stored: Vec<i64> = info.shape.iter().map(|&size| size as i64).collect();
        entry.part.shape(&stored)
    }

    /// Compares the tensors with those that a model needs, without reading any data.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] with every missing, unexpected and mis-shaped tensor.
    pub fn check(&self, specs: &[TensorSpec]) -> Result<()> {
        let mut missing = Vec::new();
        let mut misshaped = Vec::new();
        let mut wanted = std::collections::BTreeSet::new();
        for TensorSpec { name, shape } in specs {
            wanted.insert(name.as_str());
            match self.shape(name) {
                None if self.entries.contains_key(name) => misshaped.push(ShapeMismatch {
                    name: name.clone(),
                    expected: shape.clone(),
                    found: Vec::new(),
                }),
                None => missing.push(name.clone()),
                Some(found) if &found != shape => {
                    misshaped.push(ShapeMismatch { name: name.clone(), expected: shape.clone(), found });
                }
                Some(_) => {}
            }
        }
        let unread = self.entries.iter().filter(|(name, _)| !wanted.contains(name.as_str()));
        let unexpected: Vec<String> =
            unread.map(|(_, entry)| entry.key.clone()).chain(self.unexpected.iter().cloned()).collect();
        if missing.is_empty() && unexpected.is_empty() && misshaped.is_empty() {
            return self.check_types(specs);
        }
        if self.entries.is_empty() && self.path.is_file() && self.component != Component::Unet {
            let tensors = self.files.iter().flat_map(|file| file.tensors.clone()).collect();
            let reason = format!("has no {} (it looks like {})", self.component, recognise(&tensors));
            return Err(Error::file(&self.path, reason));
        }
        let tensors = self.files.iter().flat_map(|file| file.tensors.clone()).collect();
        Err(Error::Checkpoint(Box::new(CheckpointError {
            path: self.path.clone(),
            component: self.component,
            missing,
            unexpected,
            misshaped,
            looks_like: recognise(&tensors),
        })))
    }

    fn check_types(&self, specs: &[TensorSpec]) -> Result<()> {
        for TensorSpec { name, .. } in specs {
            let Some(entry) = self.entries.get(name) else { continue };
            let info = self.files.get(entry.file).and_then(|file| file.tensors.get(&entry.key));
            if let Some(info) = info.filter(|info| !kind(info.dtype).is_some_and(is_float)) {
                let reason = format!("tensor {} has type {:?}, expected a float type", entry.key, info.dtype);
                return Err(Error::file(&self.path, reason));
            }
        }
        Ok(())
    }

    /// Checks all names and shapes, then builds a model with the data.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] with every difference, before any data is read; [`Error::Io`] while reading.
    pub fn load<M>(
        &self,
        device: Device,
        precision: Precision,
        build: impl Fn(&Weights) -> Result<M>,
    ) -> Result<M> {
        self.check(&tensors_of(&build)?)?;
        build(&Weights::new(self, device, precision))
    }

    /// The same, with the tensors themselves, which the model shares; `changes` are merged into them as they are
    /// read.
    pub(crate) fn load_shared<M>(
        &self,
        (device, precision): (Device, Precision),
        keeping: Keeping,
        changes: &Changes,
        build: impl Fn(&Weights) -> Result<M>,
    ) -> Result<(M, LoadedTensors)> {
        self.check(&tensors_of(&build)?)?;
        let streamed;
        let source: &dyn TensorSource = match keeping {
            Keeping::Kept => self,
            Keeping::Streamed => {
                // Opened once, and shared by its weights.
                streamed = StreamedCheckpoint(Arc::new(self.clone()));
                &streamed
            }
        };
        let source = Changed::merged(source, changes);
        let record = Record::default();
        let model = build(&Weights::new(&source, device, precision).recorded(&record))?;
        Ok((model, record.finish()))
    }
}

impl TensorSource for Checkpoint {
    fn read(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        let found = self.entries.get(name).and_then(|entry| {
            let file = self.files.get(entry.file)?;
            Some((entry, file, file.tensors.get(&entry.key)?))
        });
        let Some((entry, file, info)) = found else {
            return Err(Error::file(&self.path, format!("tensor {name} is missing")));
        };
        let rows = info.shape.first().map_or(1, |&rows| rows as i64);
        let tensor = match entry.part {
            Part::Whole | Part::Squeezed => file.read(&entry.key, info, 0..rows)?,
            Part::Transposed => file.read(&entry.key, info, 0..rows)?.f_transpose(0, 1)?.f_contiguous()?,
            Part::Third(third) => {
                file.read(&entry.key, info, third * (rows / 3)..(third + 1) * (rows / 3))?
            }
        };
        Ok(computable(tensor)?.f_reshape(shape)?)
    }
}

/// A checkpoint of several components in one file, in Stability's layout.
#[derive(Debug)]
pub(crate) struct SingleFile {
    pub(crate) components: BTreeMap<Component, Checkpoint>,
    /// Keys without weights, which may say how the model was trained (`v_pred`, `ztsnr`).
    pub(crate) markers: Vec<String>,
    /// Texts beside the tensors, such as `modelspec.prediction_type`.
    pub(crate) metadata: BTreeMap<String, String>,
}

impl SingleFile {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Self::new(path, SafetensorsFile::open(path)?)
    }

    fn new(path: &Path, file: SafetensorsFile) -> Result<Self> {
        let file = Arc::new(file);
        let mut components: BTreeMap<Component, Checkpoint> = BTreeMap::new();
        let mut markers = Vec::new();
        let mut unknown = Vec::new();
        for component in Component::ALL {
            let files = vec![Arc::clone(&file)];
            components.insert(component, Checkpoint { files, ..Checkpoint::empty(path, component) });
        }
        for key in file.tensors.keys() {
            match single_file(key) {
                Meaning::Tensors(tensors) => {
                    for renamed in tensors {
                        if let Some(checkpoint) = components.get_mut(&renamed.component) {
                            let entry = Entry { file: 0, key: key.clone(), part: renamed.part };
                            checkpoint.add(renamed.name, entry)?;
                        }
                    }
                }
                Meaning::Ignored => markers.push(key.clone()),
                Meaning::Unknown => unknown.push(key.clone()),
            }
        }
        // Unknown keys are reported with the UNet, the first component that is checked.
        if let Some(unet) = components.get_mut(&Component::Unet) {
            unet.unexpected = unknown;
        }
        Ok(Self { components, markers, metadata: file.metadata.clone() })
    }
}

pub(super) fn is_float(kind: tch::Kind) -> bool {
    !matches!(kind, tch::Kind::Int | tch::Kind::Int64 | tch::Kind::Uint8)
}

fn pickled(folder: &Path, stem: &str) -> bool {
    ["pytorch_model.bin".to_owned(), format!("{stem}.bin")].iter().any(|name| folder.join(name).exists())
}

fn no_weights(folder: &Path, stem: &str, variant: &str) -> String {
    if !is_folder(folder) {
        "no such folder".into()
    } else if pickled(folder, stem) {
        "has weights only as a Python pickle (.bin), which can run code when read: convert it to safetensors on a \
         machine you trust"
            .into()
    } else if variant.is_empty() {
        format!("has no {stem}.safetensors, {stem}.fp16.safetensors or index of shards")
    } else {
        format!("has no {stem}.{variant}.safetensors or index of shards")
    }
}
