//! [`Stored`]: a weight that is kept, or read from its file whenever it is used.

use std::fmt;
use std::sync::Arc;

use tch::Tensor;

use super::checkpoint::Checkpoint;
use super::lora::{WeightedChange, with_changes};
use super::source::{TensorSource, stored_on};
use crate::error::Result;
use crate::runtime::{Device, Precision};

/// Where a weight is while nothing is computed with it.
#[derive(Debug)]
pub enum Stored {
    /// In memory.
    Kept(Tensor),
    /// In its file.
    Streamed(Box<Streamed>),
}

impl Stored {
    /// The weight, read now where it is not kept.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) where the file no longer has it.
    pub fn tensor(&self) -> Result<Tensor> {
        match self {
            Self::Kept(tensor) => Ok(tensor.shallow_clone()),
            Self::Streamed(streamed) => streamed.read(),
        }
    }

    /// Its shape.
    pub fn shape(&self) -> Vec<i64> {
        match self {
            Self::Kept(tensor) => tensor.size(),
            Self::Streamed(streamed) => streamed.shape.clone(),
        }
    }

    /// Where it is computed with.
    pub fn device(&self) -> tch::Device {
        match self {
            Self::Kept(tensor) => tensor.device(),
            Self::Streamed(streamed) => streamed.place.map_or(Device::Cpu, |(device, _)| device).tch(),
        }
    }

    /// The same with what adapters add to it, rounded once.
    pub(super) fn merged(self, changes: &[WeightedChange]) -> Result<Self> {
        Ok(match self {
            Self::Kept(tensor) => Self::Kept(with_changes(tensor, changes)?),
            Self::Streamed(streamed) => Self::Streamed(Box::new(streamed.merged(changes))),
        })
    }
}

impl Clone for Stored {
    /// Shares the weight.
    fn clone(&self) -> Self {
        match self {
            Self::Kept(tensor) => Self::Kept(tensor.shallow_clone()),
            Self::Streamed(streamed) => Self::Streamed(streamed.clone()),
        }
    }
}

/// A weight that is not kept: what is done each time to have it. That is what is done once with those that are kept,
/// in the same order, so that both are equal to the last bit.
#[derive(Clone)]
pub struct Streamed {
    checkpoint: Arc<Checkpoint>,
    name: String,
    shape: Vec<i64>,
    /// What is merged into it as it is in the file.
    before: Vec<WeightedChange>,
    /// Where it goes then, and in which type it is computed with.
    place: Option<(Device, Precision)>,
    /// What is merged into it there.
    after: Vec<WeightedChange>,
}

impl Streamed {
    pub(super) fn shape(&self) -> &[i64] {
        &self.shape
    }

    pub(super) fn placed(self, device: Device, precision: Precision) -> Self {
        Self { place: Some((device, precision)), ..self }
    }

    pub(super) fn merged(mut self, changes: &[WeightedChange]) -> Self {
        let list = if self.place.is_some() { &mut self.after } else { &mut self.before };
        list.extend_from_slice(changes);
        self
    }

    fn read(&self) -> Result<Tensor> {
        let tensor = with_changes(self.checkpoint.read(&self.name, &self.shape)?, &self.before)?;
        let Some((device, precision)) = self.place else { return Ok(tensor) };
        with_changes(stored_on(tensor, device, precision)?, &self.after)
    }
}

impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streamed")
            .field("name", &self.name)
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

/// The tensors of a checkpoint, of which the large ones are read whenever they are used.
pub(super) struct StreamedCheckpoint(pub(super) Arc<Checkpoint>);

impl TensorSource for StreamedCheckpoint {
    fn read(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        self.0.read(name, shape)
    }

    fn streamed(&self, name: &str, shape: &[i64]) -> Option<Streamed> {
        Some(Streamed {
            checkpoint: Arc::clone(&self.0),
            name: name.to_owned(),
            shape: shape.to_vec(),
            before: Vec::new(),
            place: None,
            after: Vec::new(),
        })
    }
}
