//! A model folder with random weights.

use std::fs;
use std::path::Path;

use super::files::for_each_component;
use crate::config::ModelConfig;
use crate::error::{Error, Result};
use crate::runtime::Precision;
use crate::runtime::upload::bytes_of;
use crate::weights::{RandomWeights, TensorSource, write_safetensors};

/// Writes a diffusers folder with the configuration files of another one and random weights
/// ([`RandomWeights`]): a model for tests, benchmarks and demonstrations, whose pictures are noise.
///
/// # Errors
/// [`Error::File`] where the configurations are no SDXL model's; [`Error::Io`] where `target` cannot be
/// written to.
pub fn write_random_model(
    configs: impl AsRef<Path>,
    target: impl AsRef<Path>,
    seed: u64,
    precision: Precision,
) -> Result<()> {
    let (configs, target) = (configs.as_ref(), target.as_ref());
    copy_configs(configs, target)?;
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

/// Copies the `.json` and `.txt` files of a folder and its folders.
fn copy_configs(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(Error::io(to))?;
    for entry in fs::read_dir(from).map_err(Error::io(from))? {
        let entry = entry.map_err(Error::io(from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_configs(&source, &target)?;
        } else if source.extension().is_some_and(|extension| extension == "json" || extension == "txt") {
            // Not fs::copy, which would also copy that a file is read-only.
            let bytes = fs::read(&source).map_err(Error::io(&source))?;
            fs::write(&target, bytes).map_err(Error::io(&target))?;
        }
    }
    Ok(())
}
