//! [`Weights`]: named tensors seen from a path, and where they come from.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::{self, Display};

use tch::{Kind, Tensor};

use super::header::TENSORS_CAP;
use super::lora::{LowRank, WeightedChange, with_changes};
use super::parameter::Parameter;
use super::stored::{Stored, Streamed};
use crate::error::{Error, Result};
use crate::runtime::{Device, Precision};

/// Gives a tensor by its full name.
pub trait TensorSource {
    /// A tensor of exactly that shape, on the CPU, in the type in which it is stored.
    fn read(&self, name: &str, shape: &[i64]) -> Result<Tensor>;

    /// The same as something that is read whenever it is used. Not, unless the source is one of files that stay open.
    fn streamed(&self, _name: &str, _shape: &[i64]) -> Option<Streamed> {
        None
    }

    /// What adapters add to it when it is used. Nothing, unless the source is one of adapters.
    fn changes(&self, _name: &str) -> Vec<WeightedChange> {
        Vec::new()
    }

    /// The LoRA in training that stands beside it. None, unless the source is one of a training.
    fn low_rank(&self, _name: &str) -> Option<LowRank> {
        None
    }
}

/// A view of named tensors from a path, as `cd` into a folder: what a layer's `load` reads from.
///
/// Every read states the shape that the layer needs. The device and the compute type ride along, so that
/// constructors stay short.
#[derive(Clone)]
pub struct Weights<'a> {
    source: &'a dyn TensorSource,
    path: String,
    device: Device,
    precision: Precision,
    record: Option<&'a Record>,
}

impl fmt::Debug for Weights<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, device, precision, .. } = self;
        f.debug_struct("Weights")
            .field("path", path)
            .field("device", device)
            .field("precision", precision)
            .finish()
    }
}

impl<'a> Weights<'a> {
    /// The view of all tensors of a source, to be placed on `device` and computed with in `precision`.
    pub fn new(source: &'a dyn TensorSource, device: Device, precision: Precision) -> Self {
        Self { source, path: String::new(), device, precision, record: None }
    }

    /// The same, where every tensor that is read is also put into `record`.
    pub(crate) fn recorded(self, record: &'a Record) -> Self {
        Self { record: Some(record), ..self }
    }

    /// The view one level down: `weights.at("resnets").at(0)`.
    #[must_use]
    pub fn at(&self, name: impl Display) -> Self {
        Self { path: self.join(name), ..*self }
    }

    /// The path of the view: `mid_block.attentions.0`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A tensor in the compute type: for biases, scales of norms, and what is added as it is.
    pub fn tensor(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        let name = self.join(name);
        let tensor = self.source.read(&name, shape)?.f_to_kind(self.precision.kind())?;
        let tensor = tensor.f_to_device(self.device.tch())?;
        self.record(&name, Stored::Kept(tensor.shallow_clone()));
        with_changes(tensor, &self.source.changes(&name))
    }

    /// A matrix or kernel. On the CPU it keeps the type of the file (16 bit stays 16 bit) and is expanded when it
    /// is used; on other devices it is converted now.
    pub fn parameter(&self, name: &str, shape: &[i64]) -> Result<Parameter> {
        let (name, stored) = self.stored(name, shape)?;
        let parameter = Parameter::of(stored, self.precision.kind());
        Ok(parameter.with_adapters(self.source.changes(&name), self.source.low_rank(&name)))
    }

    /// A table of vectors, in the type of a [`parameter`](Self::parameter).
    pub fn table(&self, name: &str, shape: &[i64]) -> Result<Stored> {
        let (name, stored) = self.stored(name, shape)?;
        stored.merged(&self.source.changes(&name))
    }

    fn stored(&self, name: &str, shape: &[i64]) -> Result<(String, Stored)> {
        let name = self.join(name);
        let stored = match self.source.streamed(&name, shape) {
            Some(streamed) => Stored::Streamed(Box::new(streamed.placed(self.device, self.precision))),
            None => Stored::Kept(stored_on(self.source.read(&name, shape)?, self.device, self.precision)?),
        };
        self.record(&name, stored.clone());
        Ok((name, stored))
    }

    fn record(&self, name: &str, stored: Stored) {
        if let Some(record) = self.record {
            record.0.borrow_mut().insert(name.to_owned(), stored);
        }
    }

    /// The compute type.
    pub(crate) fn kind(&self) -> Kind {
        self.precision.kind()
    }

    fn join(&self, name: impl Display) -> String {
        if self.path.is_empty() { name.to_string() } else { format!("{}.{name}", self.path) }
    }
}

/// A matrix, kernel or table as a model has it.
pub(super) fn stored_on(tensor: Tensor, device: Device, precision: Precision) -> Result<Tensor> {
    let keep = device == Device::Cpu && matches!(tensor.f_kind()?, Kind::Half | Kind::BFloat16);
    let tensor = if keep { tensor } else { tensor.f_to_kind(precision.kind())? };
    Ok(tensor.f_to_device(device.tch())?)
}

/// The name and shape of a tensor that a model needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    /// Full name within the component: `down_blocks.0.resnets.0.conv1.weight`.
    pub name: String,
    /// Shape.
    pub shape: Vec<i64>,
}

/// Takes down the tensors that a model is built of.
#[derive(Debug, Default)]
pub(crate) struct Record(RefCell<BTreeMap<String, Stored>>);

impl Record {
    pub(crate) fn finish(self) -> LoadedTensors {
        LoadedTensors(self.0.into_inner())
    }
}

/// The tensors of a loaded model, which shares them: other forms of it are built of them.
#[derive(Debug)]
pub(crate) struct LoadedTensors(BTreeMap<String, Stored>);

impl TensorSource for LoadedTensors {
    fn read(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        match self.0.get(name) {
            Some(stored) if stored.shape() == shape => stored.tensor(),
            _ => Err(Error::invalid("tensor", name, "one that was loaded")),
        }
    }

    fn streamed(&self, name: &str, shape: &[i64]) -> Option<Streamed> {
        match self.0.get(name) {
            Some(Stored::Streamed(streamed)) if streamed.shape() == shape => Some((**streamed).clone()),
            _ => None,
        }
    }
}

/// Lists the tensors that a model's `load` asks for. Nothing is read and next to nothing allocated.
#[derive(Default)]
pub(crate) struct Recorder(RefCell<Vec<TensorSpec>>);

impl TensorSource for Recorder {
    fn read(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        let mut specs = self.0.borrow_mut();
        if specs.len() == TENSORS_CAP {
            let expected = format!("at most {TENSORS_CAP} tensors");
            return Err(Error::invalid("configuration", "a model of more tensors", expected));
        }
        specs.push(TensorSpec { name: name.to_owned(), shape: shape.to_vec() });
        // One element, seen as a tensor of the right shape; a conversion would make it whole.
        Ok(Tensor::f_zeros([1], (Kind::Half, tch::Device::Cpu))?.f_expand(shape, false)?)
    }
}

/// The tensors that `load` reads, in its order.
///
/// # Errors
/// Those of `load` itself.
pub fn tensors_of<M>(load: impl Fn(&Weights) -> Result<M>) -> Result<Vec<TensorSpec>> {
    let recorder = Recorder::default();
    load(&Weights::new(&recorder, Device::Cpu, Precision::F16))?;
    Ok(recorder.0.into_inner())
}
