//! [`Parts`]: where the weights of a model come from.

use std::collections::BTreeMap;

use sdxl::Result;
use sdxl::training::InitialWeights;
use sdxl::weights::{Checkpoint, Component, TensorSource};
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
    /// `--scratch` begins anew with the components that are trained.
    pub(crate) fn open(common: &Common, trained: &[Component]) -> Self {
        let stored = COMPONENTS
            .into_iter()
            .filter(|component| !(common.scratch && trained.contains(component)))
            .filter_map(|component| {
                let folder = common.model.join(component.folder());
                Some((component.folder(), Checkpoint::from_folder(component, folder, "").ok()?))
            })
            .collect();
        Self { stored, scratch: InitialWeights::new(common.seed) }
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
