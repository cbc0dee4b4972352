//! [`Variables`]: the weights that a training changes.

use std::collections::BTreeMap;
use std::ops::Range;

use tch::{Kind, Tensor};

use crate::error::{Error, Result};
use crate::runtime::{Device, Precision, no_grad};
use crate::weights::{TensorSource, TensorSpec, Weights, tensors_of};

/// Named f32 weights in one piece of memory, each a leaf that gradients flow to.
///
/// Names have the component first: `unet.conv_in.weight`. A model reads them as from any source of tensors, and
/// sees every change since they share their memory.
pub struct Variables {
    device: Device,
    entries: BTreeMap<String, Entry>,
    order: Vec<String>,
    flat: Tensor,
}

struct Entry {
    range: Range<i64>,
    leaf: Tensor,
}

impl Variables {
    /// The tensors that `load` asks for, with the values of `source`, on a device.
    ///
    /// # Errors
    /// Those of `load` and of `source`.
    pub fn new<M>(
        device: Device,
        source: &dyn TensorSource,
        load: impl Fn(&Weights) -> Result<M>,
    ) -> Result<Self> {
        Self::some(device, source, load, |_| true)
    }

    /// The same for those of the tensors whose names `trained` accepts: a decoder alone, or attention alone. The model
    /// reads the others through [`Frozen`].
    ///
    /// # Errors
    /// Those of `load` and of `source`; [`Error::Invalid`] where no tensor is accepted.
    pub fn some<M>(
        device: Device,
        source: &dyn TensorSource,
        load: impl Fn(&Weights) -> Result<M>,
        trained: impl Fn(&str) -> bool,
    ) -> Result<Self> {
        device.check()?;
        let mut specs = tensors_of(load)?;
        specs.retain(|spec| trained(&spec.name));
        if specs.is_empty() {
            return Err(Error::invalid("variables", "no tensor", "one that is trained"));
        }
        Self::with_specs(device, source, &specs)
    }

    /// Variables of these names and shapes.
    pub(super) fn with_specs(
        device: Device,
        source: &dyn TensorSource,
        specs: &[TensorSpec],
    ) -> Result<Self> {
        let _guard = no_grad();
        let count = |spec: &TensorSpec| spec.shape.iter().product::<i64>();
        let total = specs.iter().map(count).sum();
        let flat = Tensor::f_zeros([total], (Kind::Float, device.tch()))?;
        let mut entries = BTreeMap::new();
        let mut order = Vec::with_capacity(specs.len());
        let mut start = 0;
        for spec in specs {
            let range = start..start + count(spec);
            start = range.end;
            let mut view = flat.f_narrow(0, range.start, count(spec))?.f_view(spec.shape.as_slice())?;
            view.f_copy_(&source.read(&spec.name, &spec.shape)?)?;
            let leaf = view.f_detach()?.f_set_requires_grad(true)?;
            if entries.insert(spec.name.clone(), Entry { range, leaf }).is_some() {
                return Err(Error::invalid("variables", &spec.name, "each name once"));
            }
            order.push(spec.name.clone());
        }
        Ok(Self { device, entries, order, flat })
    }

    /// The view that models are loaded from.
    pub fn weights(&self) -> Weights<'_> {
        Weights::new(self, self.device, Precision::F32)
    }

    /// Where the variables are.
    pub fn device(&self) -> Device {
        self.device
    }

    /// How many numbers there are.
    pub fn count(&self) -> i64 {
        self.flat.numel() as i64
    }

    /// The names, in the order of memory.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.order.iter().map(String::as_str)
    }

    /// The leaf of that name.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.entries.get(name).map(|entry| &entry.leaf)
    }

    /// The gradient that the last backward pass left; `None` where the loss does not depend on it.
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn gradient(&self, name: &str) -> Result<Option<Tensor>> {
        let Some(entry) = self.entries.get(name) else { return Ok(None) };
        let gradient = entry.leaf.f_grad()?;
        Ok(gradient.defined().then_some(gradient))
    }

    /// All the numbers, in the order of memory.
    pub(super) fn flat(&self) -> &Tensor {
        &self.flat
    }

    /// The part of a tensor like [`flat`](Self::flat) that belongs to a name, in its shape.
    pub(super) fn part_of(&self, flat: &Tensor, name: &str) -> Result<Tensor> {
        let entry =
            self.entries.get(name).ok_or_else(|| Error::invalid("variables", name, "a known name"))?;
        let Range { start, end } = entry.range;
        Ok(flat.f_narrow(0, start, end - start)?.f_view(entry.leaf.size().as_slice())?)
    }

    /// All gradients in the order of memory, zero where there is none, and the ranges where there is one.
    pub(super) fn gradients(&self) -> Result<(Tensor, Vec<Range<i64>>)> {
        let mut parts = Vec::with_capacity(self.order.len());
        let mut ranges: Vec<Range<i64>> = Vec::new();
        for entry in self.order.iter().filter_map(|name| self.entries.get(name)) {
            let gradient = entry.leaf.f_grad()?;
            if !gradient.defined() {
                parts.push(entry.leaf.f_zeros_like()?.f_flatten(0, -1)?);
                continue;
            }
            parts.push(gradient.f_reshape([-1])?);
            match ranges.last_mut() {
                Some(last) if last.end == entry.range.start => last.end = entry.range.end,
                _ => ranges.push(entry.range.clone()),
            }
        }
        Ok((Tensor::f_cat(&parts, 0)?, ranges))
    }

    /// Sets every gradient to zero.
    pub(super) fn zero_gradients(&self) -> Result<()> {
        for entry in self.entries.values() {
            let mut gradient = entry.leaf.f_grad()?;
            if gradient.defined() {
                let _ = gradient.f_zero_()?;
            }
        }
        Ok(())
    }
}

impl TensorSource for Variables {
    fn read(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        match self.entries.get(name) {
            Some(entry) if entry.leaf.size() == shape => Ok(entry.leaf.shallow_clone()),
            Some(entry) => {
                let expected = format!("shape {shape:?} for {name}");
                Err(Error::invalid("variables", format!("{:?}", entry.leaf.size()), expected))
            }
            None => Err(Error::invalid("variables", "nothing", format!("a tensor {name}"))),
        }
    }
}

/// [`Variables`] where there is one of that name, and tensors that stay as they are where there is none.
pub struct Frozen<'a> {
    variables: &'a Variables,
    rest: &'a dyn TensorSource,
}

impl<'a> Frozen<'a> {
    /// Variables, and the source of all other tensors.
    pub fn new(variables: &'a Variables, rest: &'a dyn TensorSource) -> Self {
        Self { variables, rest }
    }

    /// The view that models are loaded from.
    pub fn weights(&self) -> Weights<'_> {
        Weights::new(self, self.variables.device, Precision::F32)
    }
}

impl TensorSource for Frozen<'_> {
    fn read(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        match self.variables.get(name) {
            Some(_) => self.variables.read(name, shape),
            None => self.rest.read(name, shape),
        }
    }
}
