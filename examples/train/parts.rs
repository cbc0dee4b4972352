//! [`Parts`]: where the weights of a model come from.

use std::collections::BTreeMap;

use sdxl::Result;
use sdxl::training::InitialWeights;
use sdxl::weights::{Checkpoint, Component, TensorSource, TensorSpec, Weights, tensors_of};
use tch::Tensor;

use crate::arguments::Common;

const COMPONENTS: [Component; 4] =
    [Component::Unet, Component::Vae, Component::TextEncoder, Component::TextEncoder2];

/// The components of a model folder, under names with the component in front; those without weights begin from scratch.
pub(crate) struct Parts {
    stored: BTreeMap<&'static str, Checkpoint>,
    scratch: InitialWeights,
}

impl Parts {
    /// `--scratch` begins anew with the components that are trained. `load` is what reads the model.
    ///
    /// # Errors
    /// Weights that are there and cannot be read, or do not fit the configuration.
    pub(crate) fn open<M>(
        common: &Common,
        trained: &[Component],
        load: impl Fn(&Weights) -> Result<M>,
    ) -> Result<Self> {
        let specs = tensors_of(load)?;
        let mut stored = BTreeMap::new();
        for component in COMPONENTS {
            let name = component.folder();
            let own = |spec: &TensorSpec| {
                let name = spec.name.strip_prefix(name)?.strip_prefix('.')?.to_owned();
                Some(TensorSpec { name, shape: spec.shape.clone() })
            };
            let specs: Vec<TensorSpec> = specs.iter().filter_map(own).collect();
            if specs.is_empty() || common.scratch && trained.contains(&component) {
                continue;
            }
            if let Some(checkpoint) = Checkpoint::find(component, common.model.join(name), "")? {
                checkpoint.check(&specs)?;
                stored.insert(name, checkpoint);
            }
        }
        Ok(Self { stored, scratch: InitialWeights::new(common.seed) })
    }

    /// Which of the components begin from scratch, for the user.
    pub(crate) fn origin(&self, component: Component) -> &'static str {
        if self.stored.contains_key(component.folder()) { "from the model" } else { "from scratch" }
    }
}

impl TensorSource for Parts {
    fn read(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        let stored = name.split_once('.').and_then(|(part, name)| Some((self.stored.get(part)?, name)));
        match stored {
            Some((checkpoint, name)) => checkpoint.read(name, shape),
            None => self.scratch.read(name, shape),
        }
    }
}
