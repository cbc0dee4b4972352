//! The one comparison at full size: SDXL's exact shapes with random weights against diffusers.
//!
//! ```text
//! cargo run --example random_model -- CONFIGS MODEL --dtype f16
//! python tests/golden/full_size.py MODEL REFERENCE.safetensors
//! cargo run --example full_size -- MODEL REFERENCE.safetensors --stage unet
//! ```
//!
//! Prints the relative error of each output, the time of each part, and the peak memory of the process: run
//! each stage in a process of its own for figures of memory.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Parser, ValueEnum};
use sdxl::config::ModelConfig;
use sdxl::text::{ClipTextModel, Projection};
use sdxl::unet::{Unet, UnetConditioning, UnetOptions};
use sdxl::vae::AutoencoderKl;
use sdxl::weights::{Checkpoint, Component, Weights, read_safetensors};
use sdxl::{Device, Error, Precision, Result};
use tch::{Kind, Tensor};

#[derive(Parser)]
struct Arguments {
    /// A diffusers folder.
    model: PathBuf,
    /// What tests/golden/full_size.py made of it.
    reference: PathBuf,
    #[arg(long)]
    stage: Stage,
    /// Threads of the CPU [default: all cores]
    #[arg(long)]
    threads: Option<usize>,
    /// Evaluations of the UNet after the first, whole ones and as steps of a run
    #[arg(long, default_value_t = 2)]
    again: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Stage {
    Text,
    Unet,
    Vae,
}

/// The tensors of the reference.
struct Reference(BTreeMap<String, Tensor>);

impl Reference {
    fn get(&self, name: &str) -> Result<&Tensor> {
        self.0
            .get(name)
            .ok_or_else(|| Error::Missing { part: "reference", reason: format!("it has no {name}") })
    }

    fn compare(&self, name: &str, found: &Tensor) -> Result<()> {
        let expected = self.get(name)?.f_to_kind(Kind::Double)?;
        let difference = found.f_to_kind(Kind::Double)?.f_sub(&expected)?;
        let norm = |x: &Tensor| -> Result<f64> {
            Ok(x.f_square()?.f_sum(Kind::Double)?.f_sqrt()?.f_double_value(&[])?)
        };
        println!("{name}: relative error {:.2e}", norm(&difference)? / norm(&expected)?);
        Ok(())
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(threads) = arguments.threads {
        sdxl::set_threads(threads)?;
    }
    let _no_grad = tch::no_grad_guard();
    let config = ModelConfig::from_folder(&arguments.model)?;
    let reference = Reference(read_safetensors(&arguments.reference)?);
    match arguments.stage {
        Stage::Text => text(&arguments.model, &config, &reference),
        Stage::Unet => unet(&arguments.model, &config, &reference, arguments.again),
        Stage::Vae => vae(&arguments.model, &config, &reference),
    }
}

fn text(folder: &Path, config: &ModelConfig, reference: &Reference) -> Result<()> {
    let first =
        config.text_encoder.as_ref().map(|config| (Component::TextEncoder, config, Projection::Without));
    let second = (Component::TextEncoder2, &config.text_encoder_2, Projection::With);
    for (component, config, projection) in first.into_iter().chain([second]) {
        let model = timed(&format!("{component} load"), || {
            load(folder, component, |w| ClipTextModel::load(w, config, projection))
        })?;
        let ids = reference.get(&format!("{component}.ids"))?;
        let output = timed(&format!("{component} forward"), || model.forward(ids, 0))?;
        reference.compare(&format!("{component}.hidden_state"), &output.hidden_states)?;
        if let Some(pooled) = output.pooled {
            reference.compare(&format!("{component}.text_embeds"), &pooled)?;
        }
    }
    Ok(())
}

fn unet(folder: &Path, config: &ModelConfig, reference: &Reference, again: usize) -> Result<()> {
    let model = timed("unet load", || load(folder, Component::Unet, |w| Unet::load(w, &config.unet)))?;
    let get = |name: &str| Ok::<_, Error>(reference.get(&format!("unet.{name}"))?.shallow_clone());
    let conditioning = UnetConditioning::new(get("context")?, get("pooled")?, get("time_ids")?)?;
    let (sample, timestep) = (get("sample")?, get("timestep")?.f_reshape([1])?);
    let output = timed("unet forward", || model.forward(&sample, &timestep, &conditioning))?;
    reference.compare("unet.output", &output)?;
    // Without the page faults of the first time, whole and as a step of a run.
    let prepared = model.prepare(&conditioning)?;
    for _ in 0..again {
        drop(timed("unet forward, again", || model.forward(&sample, &timestep, &conditioning))?);
        let step = || model.forward_with(&sample, &timestep, &prepared, UnetOptions::default());
        drop(timed("unet step of a run", step)?);
    }
    Ok(())
}

fn vae(folder: &Path, config: &ModelConfig, reference: &Reference) -> Result<()> {
    let model = timed("vae load", || load(folder, Component::Vae, |w| AutoencoderKl::load(w, &config.vae)))?;
    let latents = model.scale(reference.get("vae.latents")?)?;
    let image = timed("vae decode", || model.decode(&latents))?;
    reference.compare("vae.image", &image)
}

fn load<M>(folder: &Path, component: Component, build: impl Fn(&Weights) -> Result<M>) -> Result<M> {
    let folder = folder.join(component.folder());
    Checkpoint::from_folder(component, folder, "")?.load(Device::Cpu, Precision::F32, build)
}

fn timed<T>(what: &str, body: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let value = body()?;
    let seconds = start.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim().to_owned();
    println!("{what}: {seconds:.2} s, peak memory {peak}");
    Ok(value)
}
