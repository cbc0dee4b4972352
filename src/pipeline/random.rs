//! A model folder with random weights.

use std::path::Path;

use super::files::for_each_component;
use crate::config::ModelConfig;
use crate::error::Result;
use crate::runtime::Precision;
use crate::runtime::files::copy_configurations;
use crate::runtime::upload::bytes_of;
use crate::weights::{RandomWeights, TensorSource, write_safetensors};

/// Writes a diffusers folder with the configuration files of another one and random weights
/// ([`RandomWeights`]): a model for tests, benchmarks and demonstrations, whose pictures are noise.
///
/// # Errors
/// [`Error::File`](crate::Error::File) where the configurations are no SDXL model's; [`Error::Io`](crate::Error::Io) where `target` cannot be
/// written to.
pub fn write_random_model(
    configs: impl AsRef<Path>,
    target: impl AsRef<Path>,
    seed: u64,
    precision: Precision,
) -> Result<()> {
    let (configs, target) = (configs.as_ref(), target.as_ref());
    copy_configurations(configs, target)?;
    let config = ModelConfig::from_folder(configs)?;
    for_each_component(&config, |component, specs| {
        let random = RandomWeights::new(seed, component.folder());
        let rows: Vec<_> = specs.into_iter().map(|spec| (spec, precision.kind())).collect();
        let path = target.join(component.folder()).join(format!("{}.safetensors", component.stem()));
        write_safetensors(&path, &rows, |index| match rows.get(index) {
            Some((spec, kind)) => bytes_of(&random.read(&spec.name, &spec.shape)?.f_to_kind(*kind)?),
            None => Ok(Vec::new()),
        })
    })
}
