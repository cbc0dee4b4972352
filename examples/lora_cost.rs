//! What LoRAs cost: a step with one kept beside the weights, and merged, against a step without; and another weight.
//!
//! The UNet has SDXL's depths and half its widths, with random 16-bit weights; the LoRAs change all attentions. The
//! kinds take turns, and each has the median of its rounds: other load on the machine meets all of them.
//!
//! ```text
//! cargo run --example lora_cost -- --size 512
//! ```
#![allow(clippy::disallowed_methods, reason = "a program may end where libtorch fails")]
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use sdxl::pipeline::write_random_model;
use sdxl::unet::Unet;
use sdxl::weights::{RandomWeights, TensorSource, TensorSpec, save_safetensors, tensors_of};
use sdxl::{Conditioning, Error, Guidance, Lora, Pipeline, Precision, Request, Result, Size};
use serde_json::{Map, Value, json};

#[derive(Parser)]
struct Arguments {
    /// Width and height of the picture.
    #[arg(long, default_value_t = 256)]
    size: i64,
    #[arg(long, default_value_t = 32)]
    rank: i64,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// A folder for the model and the LoRAs.
    #[arg(long, default_value = "target/lora_cost")]
    folder: PathBuf,
}

fn main() -> Result<()> {
    let Arguments { size, rank, rounds, threads, folder } = Arguments::parse();
    sdxl::set_threads(threads)?;
    let model = folder.join("model");
    if !model.join("model_index.json").exists() {
        write_model(&folder.join("configs"), &model)?;
    }
    let plain = Pipeline::builder(model).build()?;
    let specs = tensors_of(|w| Unet::load(w, &plain.config().unet))?;
    let attention = |spec: &&TensorSpec| spec.name.contains(".attn") && spec.shape.len() == 2;
    let weights: Vec<&TensorSpec> = specs.iter().filter(attention).collect();

    let mut pipelines = vec![("without", plain.clone())];
    for kind in ["LoRA", "LoHa", "LoKr", "DoRA"] {
        let path = folder.join(format!("{kind}.safetensors"));
        write_lora(&path, kind, rank, &weights)?;
        let lora = Lora::open(&path)?;
        if kind == "LoRA" {
            let start = Instant::now();
            pipelines.push(("LoRA, merged", plain.with_merged_loras(&[lora.weight(1.)?])?));
            println!("merging: {:.2} s", start.elapsed().as_secs_f64());
        }
        pipelines.push((kind, plain.with_loras(&[lora.weight(1.)?])?));
        let mut times = Vec::new();
        for turn in 0..9 {
            let start = Instant::now();
            let _again = plain.with_loras(&[lora.weight(0.1 * f64::from(turn))?])?;
            times.push(start.elapsed().as_secs_f64());
        }
        println!("another weight of {kind}: {:.1} ms", 1e3 * median(times));
    }

    let conditioning = Conditioning::builder("a cat").negative_prompt("").build()?;
    let request = Request::builder(conditioning).size(Size::new(size, size)).steps(rounds + 1);
    let request = request.guidance(Guidance::new(5.)?).build()?;
    let mut runs = Vec::new();
    for (name, pipeline) in &pipelines {
        runs.push((*name, pipeline.sample(&request)?, Vec::new()));
    }
    for round in 0..=rounds {
        for (_, sampling, times) in &mut runs {
            let start = Instant::now();
            sampling.next().transpose()?;
            // The first step also touches the memory for the first time.
            if round > 0 {
                times.push(start.elapsed().as_secs_f64());
            }
        }
    }
    let mut base = None;
    for (name, _, times) in runs {
        let time = median(times);
        let ratio = time / *base.get_or_insert(time);
        println!("{name}: {time:.2} s a step at {size} x {size}, {ratio:.3} of that without");
    }
    Ok(())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

/// SDXL's UNet at half the width, with the text encoders of the tests.
fn write_model(configs: &Path, model: &Path) -> Result<()> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/base");
    for file in ["model_index.json", "scheduler/scheduler_config.json"].into_iter().chain([
        "text_encoder/config.json",
        "text_encoder_2/config.json",
        "unet/config.json",
        "vae/config.json",
    ]) {
        let io = |source| Error::Io { path: tests.join(file), source };
        let mut text = fs::read_to_string(tests.join(file)).map_err(io)?;
        if file.starts_with("unet") {
            let mut config: Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
            config.extend([
                ("block_out_channels".to_owned(), json!([160, 320, 640])),
                ("attention_head_dim".to_owned(), json!([5, 10, 20])),
                ("transformer_layers_per_block".to_owned(), json!([1, 2, 10])),
                ("norm_num_groups".to_owned(), json!(32)),
            ]);
            text = Value::from(config).to_string();
        }
        let path = configs.join(file);
        fs::create_dir_all(path.parent().unwrap_or(configs)).map_err(io)?;
        fs::write(path, text).map_err(io)?;
    }
    write_random_model(configs, model, 0, Precision::F16)
}

/// A LoRA of a kind for matrices.
fn write_lora(path: &Path, kind: &str, rank: i64, weights: &[&TensorSpec]) -> Result<()> {
    let random = RandomWeights::new(0, "lora");
    let mut tensors = Vec::new();
    for TensorSpec { name, shape } in weights {
        let (Some(layer), &[output, input]) = (name.strip_suffix(".weight"), shape.as_slice()) else {
            continue;
        };
        let layer = format!("lora_unet_{}", layer.replace('.', "_"));
        let rows: Vec<(&str, Vec<i64>)> = match kind {
            "LoHa" => vec![
                ("hada_w1_a", vec![output, rank]),
                ("hada_w1_b", vec![rank, input]),
                ("hada_w2_a", vec![output, rank]),
                ("hada_w2_b", vec![rank, input]),
            ],
            "LoKr" => vec![("lokr_w1", vec![8, 8]), ("lokr_w2", vec![output / 8, input / 8])],
            "DoRA" => vec![
                ("lora_down.weight", vec![rank, input]),
                ("lora_up.weight", vec![output, rank]),
                ("dora_scale", vec![output, 1]),
            ],
            _ => vec![("lora_down.weight", vec![rank, input]), ("lora_up.weight", vec![output, rank])],
        };
        for (end, shape) in rows {
            let key = format!("{layer}.{end}");
            let tensor = random.read(&key, &shape)?.f_mul_scalar(0.05)?.f_to_kind(sdxl::tch::Kind::Half)?;
            tensors.push((key, tensor));
        }
    }
    let rows: Vec<_> = tensors.iter().map(|(key, tensor)| (key.as_str(), tensor)).collect();
    save_safetensors(path, &rows)
}
