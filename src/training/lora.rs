//! [`LoraTraining`]: a LoRA on top of a model that stays as it is.

use std::path::Path;

use super::export::stored_name;
use super::initial::InitialWeights;
use super::trainer::Trainer;
use super::variables::Variables;
use crate::error::{Error, Result};
use crate::nn::ops::linear_combination;
use crate::runtime::{Device, Precision};
use crate::weights::{Component, LowRank, TensorSource, TensorSpec, Weights, save_safetensors, tensors_of};

/// The layers that diffusers' scripts train: the projections of every attention, in the UNet and in the text encoders.
const ATTENTION: [&str; 8] = ["to_q", "to_k", "to_v", "to_out.0", "q_proj", "k_proj", "v_proj", "out_proj"];

/// What a LoRA consists of (arXiv 2106.09685).
#[derive(Debug, Clone, PartialEq)]
pub struct LoraOptions {
    /// The rank of every layer. Default: 4.
    pub rank: i64,
    /// The layers' outputs are scaled by `alpha / rank`. Default: the rank.
    pub alpha: f64,
    /// The last parts of the names of the layers that it changes. Default: the projections of every attention.
    pub targets: Vec<String>,
}

impl Default for LoraOptions {
    fn default() -> Self {
        Self { rank: 4, alpha: 4., targets: ATTENTION.map(str::to_owned).to_vec() }
    }
}

impl LoraOptions {
    /// The variables of a LoRA for the layers of a model that `load` reads, the targets name and `trained` accepts by
    /// the full names of their weights. It begins with no effect: `lora_A` is random, `lora_B` zero.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an impossible rank or alpha, or where no layer is a target.
    pub fn variables<M>(
        &self,
        device: Device,
        load: impl Fn(&Weights) -> Result<M>,
        trained: impl Fn(&str) -> bool,
        seed: u64,
    ) -> Result<Variables> {
        if !(1..=1 << 12).contains(&self.rank) {
            return Err(Error::invalid("rank", self.rank, "1 to 4096"));
        }
        if !self.alpha.is_finite() {
            return Err(Error::invalid("alpha", self.alpha, "a finite number"));
        }
        device.check()?;
        let specs: Vec<TensorSpec> = tensors_of(load)?
            .iter()
            .filter(|spec| trained(&spec.name))
            .filter_map(|spec| self.halves(spec))
            .flatten()
            .collect();
        if specs.is_empty() {
            let expected = "names of linear layers or convolutions of the model";
            return Err(Error::invalid("targets", format!("{:?}", self.targets), expected));
        }
        Variables::with_specs(device, &InitialWeights::new(seed), &specs)
    }

    /// The names and shapes of both halves for a weight that is a target.
    fn halves(&self, weight: &TensorSpec) -> Option<[TensorSpec; 2]> {
        let layer = weight.name.strip_suffix(".weight")?;
        let targeted = |target: &String| {
            layer.strip_suffix(target.as_str()).is_some_and(|front| front.is_empty() || front.ends_with('.'))
        };
        if !self.targets.iter().any(targeted) {
            return None;
        }
        let (down, up) = match *weight.shape.as_slice() {
            [output, input] => (vec![self.rank, input], vec![output, self.rank]),
            [output, input, height, width] => {
                (vec![self.rank, input, height, width], vec![output, self.rank, 1, 1])
            }
            _ => return None,
        };
        let half = |name: &str, shape| TensorSpec { name: format!("{layer}.{name}.weight"), shape };
        Some([half("lora_A", down), half("lora_B", up)])
    }
}

/// A model's tensors with the LoRA that is trained beside them: what the model is loaded from.
pub struct LoraTraining<'a> {
    variables: &'a Variables,
    model: &'a dyn TensorSource,
    scale: f64,
}

impl<'a> LoraTraining<'a> {
    /// The variables of [`LoraOptions::variables`] beside the tensors of a model.
    pub fn new(variables: &'a Variables, model: &'a dyn TensorSource, options: &LoraOptions) -> Self {
        Self { variables, model, scale: options.alpha / options.rank as f64 }
    }

    /// The view that models are loaded from.
    pub fn weights(&self) -> Weights<'_> {
        Weights::new(self, self.variables.device(), Precision::F32)
    }
}

impl TensorSource for LoraTraining<'_> {
    fn read(&self, name: &str, shape: &[i64]) -> Result<tch::Tensor> {
        self.model.read(name, shape)
    }

    fn low_rank(&self, name: &str) -> Option<LowRank> {
        let layer = name.strip_suffix(".weight")?;
        let half = |half| self.variables.get(&format!("{layer}.{half}.weight"));
        Some(LowRank::new(half("lora_A")?.shallow_clone(), half("lora_B")?.shallow_clone(), self.scale))
    }
}

/// Whether a variable is half of a LoRA's layer, and no weight of a model.
pub(super) fn is_half(name: &str) -> bool {
    name.ends_with(".lora_A.weight") || name.ends_with(".lora_B.weight")
}

/// Writes a LoRA in training as a file for diffusers, and for every program that reads PEFT's names. Its scale is
/// multiplied in, so that the file needs no alpha.
///
/// # Errors
/// [`Error::Io`] where the file cannot be written.
pub fn export_lora(trainer: &Trainer, options: &LoraOptions, path: impl AsRef<Path>) -> Result<()> {
    let scale = options.alpha / options.rank as f64;
    let mut tensors = Vec::new();
    for full in trainer.variables().names() {
        let tensor = trainer.averaged(full)?;
        let factor = if full.ends_with("lora_B.weight") { scale } else { 1. };
        let component = Component::ALL.into_iter().find(|c| full.split('.').next() == Some(c.folder()));
        let name = match (component, full.split_once('.')) {
            (Some(component), Some((folder, name))) => format!("{folder}.{}", stored_name(component, name)),
            _ => full.to_owned(),
        };
        tensors.push((name, linear_combination(&[(factor, &tensor)])?));
    }
    let rows: Vec<_> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    save_safetensors(path, &rows)
}
