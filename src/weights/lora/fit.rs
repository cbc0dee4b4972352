//! [`Fit`]: the layers of adapters matched with those of a model.

use std::collections::BTreeMap;

use super::{Changes, Lora, LoraError, LoraLayer, WeightedChange, WeightedLora};
use crate::error::{Error, Result};
use crate::runtime::{Device, Shared};
use crate::weights::rename::Component;
use crate::weights::report::ShapeMismatch;
use crate::weights::source::TensorSpec;

/// The changes of all components.
pub(crate) type ComponentChanges = BTreeMap<Component, Changes>;

/// The layers of a model, by their names with `_` for every dot.
pub(crate) struct Fit(BTreeMap<Component, BTreeMap<String, Target>>);

/// A layer of the model: its name, and the shapes of its tensors.
#[derive(Default)]
struct Target {
    name: String,
    weight: Option<Vec<i64>>,
    bias: Option<Vec<i64>>,
}

impl Fit {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Takes in the tensors of a component.
    pub(crate) fn add(&mut self, component: Component, specs: &[TensorSpec]) {
        let layers = self.0.entry(component).or_default();
        for TensorSpec { name, shape } in specs {
            let Some((layer, part)) = name.rsplit_once('.') else { continue };
            let target = layers.entry(layer.replace('.', "_")).or_default();
            layer.clone_into(&mut target.name);
            match part {
                "weight" => target.weight = Some(shape.clone()),
                "bias" => target.bias = Some(shape.clone()),
                _ => {}
            }
        }
    }

    /// What several LoRAs together change, on that device.
    ///
    /// # Errors
    /// [`Error::Lora`] lists every key that matches no layer and every layer of another shape, of the first LoRA
    /// that has such; [`Error::Invalid`] for a block that the UNet does not have.
    pub(crate) fn changes(&self, loras: &[WeightedLora], device: Device) -> Result<ComponentChanges> {
        let mut changes = ComponentChanges::new();
        for lora in loras {
            if lora.keep_unmatched {
                self.check(&lora.lora)?;
            }
            self.check_blocks(lora)?;
            for layer in lora.lora.file.layers()? {
                let Some(target) = self.target(layer).filter(|target| target.misfit(layer).is_none()) else {
                    continue;
                };
                let weight = lora.weight_of(layer.component, &target.name);
                if weight == 0. {
                    continue;
                }
                let component = changes.entry(layer.component).or_default();
                for (part, change) in [("weight", &layer.weight), ("bias", &layer.bias)] {
                    let Some(change) = change else { continue };
                    let change = match device {
                        Device::Cpu => change.clone(),
                        _ => Shared::new(change.to_device(device.tch())?),
                    };
                    let name = format!("{}.{part}", target.name);
                    component.entry(name).or_default().push(WeightedChange { change, weight });
                }
            }
        }
        Ok(changes)
    }

    /// The keys of a LoRA that do not fit the model.
    ///
    /// # Errors
    /// As those of the [`changes`](Self::changes) that were made of it.
    pub(crate) fn unmatched(&self, lora: &Lora) -> Result<Vec<String>> {
        let is_misfit =
            |layer: &&LoraLayer| self.target(layer).is_none_or(|target| target.misfit(layer).is_some());
        let keys = lora.file.layers()?.iter().filter(is_misfit).flat_map(|layer| &layer.keys);
        Ok(keys.chain(&lora.file.unknown).cloned().collect())
    }

    fn target(&self, layer: &LoraLayer) -> Option<&Target> {
        self.0.get(&layer.component)?.get(&layer.layer)
    }

    fn check(&self, lora: &Lora) -> Result<()> {
        let mut error = LoraError::new(lora.path(), lora.looks_like());
        for layer in lora.file.layers()? {
            match self.target(layer).map(|target| target.misfit(layer)) {
                Some(None) => {}
                Some(Some(mismatch)) => error.misshaped.push(mismatch),
                None => error.unmatched.extend(layer.keys.iter().cloned()),
            }
        }
        error.unmatched.extend(lora.file.unknown.iter().cloned());
        if error.unmatched.is_empty() && error.misshaped.is_empty() {
            return Ok(());
        }
        Err(Error::Lora(Box::new(error)))
    }

    fn check_blocks(&self, lora: &WeightedLora) -> Result<()> {
        let unet = self.0.get(&Component::Unet);
        let is_there =
            |block: &str| unet.is_some_and(|unet| unet.values().any(|target| is_in(&target.name, block)));
        match lora.blocks.keys().find(|block| !is_there(block)) {
            None => Ok(()),
            Some(block) => {
                let expected =
                    "a block of the UNet, such as down_blocks.1, mid_block or up_blocks.0.attentions.1";
                Err(Error::invalid("block", block, expected))
            }
        }
    }
}

impl Target {
    /// Why the layer's tensors are not of this one's shapes.
    fn misfit(&self, layer: &LoraLayer) -> Option<ShapeMismatch> {
        let name = || layer.keys.first().cloned().unwrap_or_default();
        let expected = self.weight.clone().unwrap_or_default();
        if layer.weight.is_some() && !is_shape_of(&layer.shape, &expected) {
            return Some(ShapeMismatch { name: name(), expected, found: layer.shape.clone() });
        }
        let expected = self.bias.clone().unwrap_or_default();
        match &layer.bias {
            Some(bias) if bias.length() != expected.iter().product::<i64>() || expected.is_empty() => {
                Some(ShapeMismatch { name: name(), expected, found: vec![bias.length()] })
            }
            _ => None,
        }
    }
}

impl WeightedLora {
    fn weight_of(&self, component: Component, layer: &str) -> f64 {
        if component != Component::Unet {
            return self.text_encoders_weight();
        }
        let blocks = self.blocks.iter().filter(|(block, _)| is_in(layer, block));
        let innermost = blocks.max_by_key(|(block, _)| block.len());
        self.weight * innermost.map_or(1., |(_, factor)| *factor)
    }
}

fn is_in(layer: &str, block: &str) -> bool {
    layer.strip_prefix(block).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether a change of shape `found` is one of a weight: the same, or with a kernel of 1 x 1 more or less, or with
/// the kernel flattened.
fn is_shape_of(found: &[i64], weight: &[i64]) -> bool {
    let trimmed = |shape: &[i64]| match shape {
        [rest @ .., 1, 1] if rest.len() == 2 => rest.to_vec(),
        _ => shape.to_vec(),
    };
    let columns = |shape: &[i64]| shape.iter().skip(1).product::<i64>();
    trimmed(found) == trimmed(weight)
        || (found.len() == 2 && found.first() == weight.first() && columns(found) == columns(weight))
}
