//! Trained weights in the layout of diffusers.

use std::path::Path;

use super::lora::is_half;
use super::trainer::Trainer;
use crate::error::{Error, Result};
use crate::runtime::Precision;
use crate::runtime::files::copy_configurations;
use crate::runtime::upload::bytes_of;
use crate::weights::{Checkpoint, Component, TensorSource, TensorSpec, write_safetensors};

/// Writes a component's weights (the averaged ones, where there is an average) as its folder in a diffusers model has
/// them. What is not in training comes from `rest`.
///
/// # Errors
/// [`Error::Io`] where the folder cannot be written to; [`Error::Invalid`] where nothing of the component is trained.
pub fn export_component(
    trainer: &Trainer,
    (component, rest): (Component, Option<&Checkpoint>),
    folder: impl AsRef<Path>,
    precision: Precision,
) -> Result<()> {
    let folder = folder.as_ref();
    let variables = trainer.variables();
    let prefix = format!("{}.", component.folder());
    let mut specs: Vec<TensorSpec> = variables
        .names()
        .filter_map(|full| {
            let shape = variables.get(full)?.size();
            Some(TensorSpec { name: full.strip_prefix(&prefix)?.to_owned(), shape })
        })
        .collect();
    if specs.is_empty() {
        return Err(Error::invalid("component", component, "one that is trained"));
    }
    if let Some(rest) = rest {
        let untrained = rest.names().filter(|name| variables.get(&format!("{prefix}{name}")).is_none());
        specs.extend(
            untrained.filter_map(|name| Some(TensorSpec { name: name.to_owned(), shape: rest.shape(name)? })),
        );
    }
    std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let path = folder.join(format!("{}.safetensors", component.stem()));
    let stored = |spec: &TensorSpec| TensorSpec {
        name: stored_name(component, &spec.name),
        shape: spec.shape.clone(),
    };
    let rows: Vec<_> = specs.iter().map(|spec| (stored(spec), precision.kind())).collect();
    write_safetensors(&path, &rows, |index| {
        let Some(TensorSpec { name, shape }) = specs.get(index) else { return Ok(Vec::new()) };
        let full = format!("{prefix}{name}");
        let tensor = match (variables.get(&full), rest) {
            (None, Some(rest)) => rest.read(name, shape)?,
            _ => trainer.averaged(&full)?,
        };
        bytes_of(&tensor.f_to_kind(precision.kind())?)
    })
}

/// Writes a model folder: the configuration files of `model`, and the weights of all components in training. What is
/// not in training of such a component has the weights of `model`. A LoRA is no component: see
/// [`export_lora`](super::export_lora).
///
/// # Errors
/// As for [`export_component`].
pub fn export(
    trainer: &Trainer,
    model: impl AsRef<Path>,
    folder: impl AsRef<Path>,
    precision: Precision,
) -> Result<()> {
    let (model, folder) = (model.as_ref(), folder.as_ref());
    copy_configurations(model, folder)?;
    for component in Component::ALL {
        let name = component.folder();
        let is_weight = |full: &str| full.split('.').next() == Some(name) && !is_half(full);
        if trainer.variables().names().any(is_weight) {
            let rest = Checkpoint::find(component, model.join(name), "")?;
            export_component(trainer, (component, rest.as_ref()), folder.join(name), precision)?;
        }
    }
    Ok(())
}

/// transformers' text encoders have a level more than our names, all but their projection.
pub(super) fn stored_name(component: Component, name: &str) -> String {
    let text = matches!(component, Component::TextEncoder | Component::TextEncoder2);
    if text && !name.starts_with("text_projection") { format!("text_model.{name}") } else { name.to_owned() }
}
