//! candle's UNet or autoencoder on the weights and inputs of a comparison: `compare.py` builds and calls it.
//!
//! Prints the time of each part, the peak memory of the process, and how far the output is from the reference.

use std::path::{Path, PathBuf};
use std::time::Instant;

use candle_core::safetensors::{MmapedSafetensors, load};
use candle_core::{D, DType, Device, Result, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, Linear, Module, VarBuilder};
use candle_transformers::models::stable_diffusion::embeddings::Timesteps;
use candle_transformers::models::stable_diffusion::unet_2d::{
    BlockConfig, UNet2DConditionModel, UNet2DConditionModelConfig,
};
use candle_transformers::models::stable_diffusion::vae::{AutoEncoderKL, AutoEncoderKLConfig};
use clap::{Parser, ValueEnum};
use serde_json::Value;

const CPU: Device = Device::Cpu;

#[derive(Parser)]
struct Arguments {
    /// A diffusers folder.
    model: PathBuf,
    /// What tests/golden/full_size.py made of it.
    reference: PathBuf,
    #[arg(long)]
    stage: Stage,
    /// What weights are held in and computed with.
    #[arg(long, default_value = "f32")]
    dtype: Dtype,
    /// Evaluations of the UNet after the first.
    #[arg(long, default_value_t = 1)]
    again: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Stage {
    Unet,
    Vae,
}

#[derive(Clone, Copy, ValueEnum)]
enum Dtype {
    F32,
    F16,
}

/// Sizes and weights of one model.
struct Files {
    config: Value,
    weights: MmapedSafetensors,
    dtype: DType,
}

impl Files {
    fn open(folder: &Path, dtype: DType) -> Result<Self> {
        let config = std::fs::read(folder.join("config.json"))?;
        let config = serde_json::from_slice(&config).map_err(candle_core::Error::wrap)?;
        // SAFETY: nobody writes into the file meanwhile.
        let weights = unsafe { MmapedSafetensors::new(folder.join("diffusion_pytorch_model.safetensors"))? };
        Ok(Self { config, weights, dtype })
    }

    fn number(&self, name: &str) -> usize {
        self.config[name].as_u64().unwrap_or_else(|| panic!("config.json has no number {name}")) as usize
    }

    fn list(&self, name: &str) -> &[Value] {
        self.config[name].as_array().unwrap_or_else(|| panic!("config.json has no list {name}"))
    }

    fn numbers(&self, name: &str) -> Vec<usize> {
        self.list(name).iter().filter_map(|value| value.as_u64().map(|value| value as usize)).collect()
    }

    fn get(&self, name: &str) -> Result<Tensor> {
        self.weights.load(name, &CPU)?.to_dtype(DType::F32)
    }

    fn linear(&self, name: &str) -> Result<Linear> {
        Ok(Linear::new(self.get(&format!("{name}.weight"))?, Some(self.get(&format!("{name}.bias"))?)))
    }

    /// The weights, with another value for one of them.
    fn with(self, name: &'static str, value: Tensor) -> VarBuilder<'static> {
        let dtype = self.dtype;
        VarBuilder::from_backend(Box::new(Changed { files: self, name, value }), dtype, CPU)
    }
}

/// All weights but one as they are in the file.
struct Changed {
    files: Files,
    name: &'static str,
    value: Tensor,
}

impl SimpleBackend for Changed {
    fn get(&self, shape: Shape, name: &str, init: Init, dtype: DType, device: &Device) -> Result<Tensor> {
        if name == self.name {
            return self.value.to_dtype(dtype);
        }
        SimpleBackend::get(&self.files.weights, shape, name, init, dtype, device)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, device: &Device) -> Result<Tensor> {
        SimpleBackend::get_unchecked(&self.files.weights, name, dtype, device)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.files.weights.get(name).is_ok()
    }
}

/// The tensors of the reference.
struct Reference(std::collections::HashMap<String, Tensor>);

impl Reference {
    fn get(&self, name: &str) -> &Tensor {
        self.0.get(name).unwrap_or_else(|| panic!("the reference has no {name}"))
    }

    fn compare(&self, name: &str, found: &Tensor) -> Result<()> {
        let expected = self.get(name).to_dtype(DType::F64)?;
        let norm = |x: Tensor| x.sqr()?.sum_all()?.sqrt()?.to_scalar::<f64>();
        let difference = norm((found.to_dtype(DType::F64)? - &expected)?)?;
        println!("{name}: relative error {:.2e}", difference / norm(expected)?);
        Ok(())
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let dtype = match arguments.dtype {
        Dtype::F32 => DType::F32,
        Dtype::F16 => DType::F16,
    };
    let reference = Reference(load(&arguments.reference, &CPU)?);
    match arguments.stage {
        Stage::Unet => {
            unet(Files::open(&arguments.model.join("unet"), dtype)?, &reference, arguments.again)
        }
        Stage::Vae => vae(Files::open(&arguments.model.join("vae"), dtype)?, &reference),
    }
}

fn unet(files: Files, reference: &Reference, again: usize) -> Result<()> {
    let dtype = files.dtype;
    let sample = reference.get("unet.sample").to_dtype(dtype)?;
    let context = reference.get("unet.context").to_dtype(dtype)?;
    let timestep = f64::from(reference.get("unet.timestep").to_scalar::<f32>()?);
    let model = timed("unet load", || {
        let (channels, config) = (files.number("in_channels"), unet_config(&files));
        let weights = with_added_conditioning(files, reference)?;
        UNet2DConditionModel::new(weights, channels, channels, false, config)
    })?;
    let output = timed("unet forward", || model.forward(&sample, timestep, &context))?;
    reference.compare("unet.output", &output)?;
    for _ in 0..again {
        timed("unet forward, again", || model.forward(&sample, timestep, &context))?;
    }
    Ok(())
}

/// candle's UNet is not told the pooled text and the sizes. What they come to is a constant of a run, added to the
/// embedding of the timestep, so its last bias is given it: the same function, for one row of conditioning.
fn with_added_conditioning(files: Files, reference: &Reference) -> Result<VarBuilder<'static>> {
    let pooled = reference.get("unet.pooled");
    assert_eq!(pooled.dim(0)?, 1, "candle's UNet has one conditioning for the whole batch");
    let sizes = reference.get("unet.time_ids").flatten_all()?;
    let sizes = Timesteps::new(files.number("addition_time_embed_dim"), true, 0.).forward(&sizes)?;
    let added = Tensor::cat(&[pooled, &sizes.flatten_all()?.unsqueeze(0)?], D::Minus1)?;
    let added = files.linear("add_embedding.linear_1")?.forward(&added)?.silu()?;
    let added = files.linear("add_embedding.linear_2")?.forward(&added)?.squeeze(0)?;
    let name = "time_embedding.linear_2.bias";
    let bias = (files.get(name)? + added)?;
    Ok(files.with(name, bias))
}

fn unet_config(files: &Files) -> UNet2DConditionModelConfig {
    let (widths, heads) = (files.numbers("block_out_channels"), files.numbers("attention_head_dim"));
    let depths = files.numbers("transformer_layers_per_block");
    let blocks = files.list("down_block_types").iter().zip(widths.iter().zip(heads.iter().zip(&depths)));
    UNet2DConditionModelConfig {
        blocks: blocks
            .map(|(kind, (&out_channels, (&attention_head_dim, &depth)))| BlockConfig {
                out_channels,
                attention_head_dim,
                use_cross_attn: (kind == "CrossAttnDownBlock2D").then_some(depth),
            })
            .collect(),
        layers_per_block: files.number("layers_per_block"),
        norm_num_groups: files.number("norm_num_groups"),
        cross_attention_dim: files.number("cross_attention_dim"),
        use_linear_projection: true,
        ..Default::default()
    }
}

fn vae(files: Files, reference: &Reference) -> Result<()> {
    let config = AutoEncoderKLConfig {
        block_out_channels: files.numbers("block_out_channels"),
        layers_per_block: files.number("layers_per_block"),
        latent_channels: files.number("latent_channels"),
        norm_num_groups: files.number("norm_num_groups"),
        use_quant_conv: true,
        use_post_quant_conv: true,
    };
    let latents = reference.get("vae.latents").to_dtype(files.dtype)?;
    let model = timed("vae load", || {
        let weights = VarBuilder::from_backend(Box::new(files.weights), files.dtype, CPU);
        AutoEncoderKL::new(weights, 3, 3, config)
    })?;
    let image = timed("vae decode", || model.decode(&latents))?;
    reference.compare("vae.image", &image)
}

fn timed<T>(what: &str, body: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let value = body()?;
    let seconds = start.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim();
    println!("{what}: {seconds:.2} s, peak memory {peak}");
    Ok(value)
}
