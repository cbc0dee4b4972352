//! [`Checkpoints`]: models on the way, in folders that are whole or not there.

use std::fs;
use std::path::{Path, PathBuf};

use super::export::export;
use super::trainer::Trainer;
use crate::error::{Error, Result};
use crate::runtime::Precision;

/// The folders `step-00001000`, `step-00002000`, … of a training. Each is a model in diffusers' layout, with the
/// averaged weights, and beside them `training.safetensors`, from which the training goes on.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    folder: PathBuf,
    keep: usize,
}

const STATE: &str = "training.safetensors";
const PREFIX: &str = "step-";

impl Checkpoints {
    /// Checkpoints in a folder, which is made, and of which the newest `keep` (at least 1) stay.
    ///
    /// # Errors
    /// [`Error::Io`] where the folder cannot be made.
    pub fn new(folder: impl Into<PathBuf>, keep: usize) -> Result<Self> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        Ok(Self { folder, keep: keep.max(1) })
    }

    /// Writes a checkpoint of the trainer's step. `model` is a model folder: its configurations and tokenizers are
    /// copied, and the weights of what is not in training are linked (or copied, on another file system).
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::File`]; then no checkpoint of this step is there, and the older ones are.
    pub fn save(&self, trainer: &Trainer, model: &Path, precision: Precision) -> Result<PathBuf> {
        let target = self.folder.join(format!("{PREFIX}{:08}", trainer.steps()));
        let part = target.with_extension("part");
        remove(&part)?;
        link_weights(model, &part)?;
        export(trainer, model, &part, precision)?;
        trainer.save(part.join(STATE))?;
        remove(&target)?;
        fs::rename(&part, &target).map_err(Error::io(&target))?;
        // The rename is on the disk when the folder is; some file systems cannot sync one.
        let _ = fs::File::open(&self.folder).and_then(|folder| folder.sync_all());
        let saved = self.list()?;
        for old in saved.iter().take(saved.len().saturating_sub(self.keep)) {
            remove(old)?;
        }
        Ok(target)
    }

    /// The newest checkpoint, if there is one.
    ///
    /// # Errors
    /// [`Error::Io`] where the folder cannot be read.
    pub fn latest(&self) -> Result<Option<PathBuf>> {
        Ok(self.list()?.pop())
    }

    /// Brings a trainer to the newest checkpoint; `false` where there is none.
    ///
    /// # Errors
    /// Those of [`Trainer::resume`].
    pub fn resume(&self, trainer: &mut Trainer) -> Result<bool> {
        let Some(latest) = self.latest()? else { return Ok(false) };
        trainer.resume(latest.join(STATE))?;
        Ok(true)
    }

    /// From old to new. What was not finished has another name.
    fn list(&self) -> Result<Vec<PathBuf>> {
        let entries = fs::read_dir(&self.folder).map_err(Error::io(&self.folder))?;
        let is_step = |name: &str| {
            name.strip_prefix(PREFIX)
                .is_some_and(|step| !step.is_empty() && step.bytes().all(|b| b.is_ascii_digit()))
        };
        let mut found: Vec<PathBuf> = entries
            .filter_map(|entry| entry.ok())
            .filter(|entry| entry.file_name().to_str().is_some_and(is_step))
            .map(|entry| entry.path())
            .collect();
        found.sort();
        Ok(found)
    }
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(folder)(error)),
        _ => Ok(()),
    }
}

/// The weights of a model folder in another one, without their bytes where the file system has hard links.
fn link_weights(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(Error::io(to))?;
    for entry in fs::read_dir(from).map_err(Error::io(from))? {
        let entry = entry.map_err(Error::io(from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            link_weights(&source, &target)?;
        } else if source.extension().is_some_and(|extension| extension == "safetensors")
            && entry.file_name() != STATE
        {
            let source = source.canonicalize().map_err(Error::io(&source))?;
            if fs::hard_link(&source, &target).is_err() {
                fs::copy(&source, &target).map_err(Error::io(&source))?;
            }
        }
    }
    Ok(())
}
