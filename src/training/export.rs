//! Trained weights in the layout of diffusers.

use std::path::Path;

use tch::Kind;

use super::trainer::Trainer;
use crate::error::{Error, Result};
use crate::runtime::Precision;
use crate::runtime::files::copy_configurations;
use crate::runtime::upload::bytes_of;
use crate::weights::{Component, TensorSpec, write_safetensors};

/// Writes a component's weights (the averaged ones, where there is an average) as its folder in a diffusers model has
/// them.
///
/// # Errors
/// [`Error::Io`] where the folder cannot be written to; [`Error::Invalid`] where the trainer has no such component.
pub fn export_component(
    trainer: &Trainer,
    component: Component,
    folder: impl AsRef<Path>,
    precision: Precision,
) -> Result<()> {
    let folder = folder.as_ref();
    let prefix = format!("{}.", component.folder());
    let kind = precision.kind();
    let names: Vec<&str> = trainer.variables().names().filter(|name| name.starts_with(&prefix)).collect();
    if names.is_empty() {
        return Err(Error::invalid("component", component, "one that is trained"));
    }
    let rows = names
        .iter()
        .map(|name| {
            let shape = trainer.variables().get(name).map(|tensor| tensor.size()).unwrap_or_default();
            let name = stored_name(component, name.strip_prefix(&prefix).unwrap_or(name));
            (TensorSpec { name, shape }, kind)
        })
        .collect::<Vec<(TensorSpec, Kind)>>();
    std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let path = folder.join(format!("{}.safetensors", component.stem()));
    write_safetensors(&path, &rows, |index| match names.get(index) {
        Some(name) => bytes_of(&trainer.averaged(name)?.f_to_kind(kind)?),
        None => Ok(Vec::new()),
    })
}

/// Writes a model folder: the configuration files of another one, and the weights of all components in training.
///
/// # Errors
/// As for [`export_component`].
pub fn export(
    trainer: &Trainer,
    configurations: impl AsRef<Path>,
    folder: impl AsRef<Path>,
    precision: Precision,
) -> Result<()> {
    let folder = folder.as_ref();
    copy_configurations(configurations.as_ref(), folder)?;
    for component in Component::ALL {
        let prefix = format!("{}.", component.folder());
        if trainer.variables().names().any(|name| name.starts_with(&prefix)) {
            export_component(trainer, component, folder.join(component.folder()), precision)?;
        }
    }
    Ok(())
}

/// transformers' text encoders have a level more than our names, all but their projection.
fn stored_name(component: Component, name: &str) -> String {
    let text = matches!(component, Component::TextEncoder | Component::TextEncoder2);
    if text && !name.starts_with("text_projection") { format!("text_model.{name}") } else { name.to_owned() }
}
