//! Time and peak memory of SDXL's autoencoder at a size, whole or in strips, with random weights.
//!
//! ```text
//! cargo run --example vae_memory -- decode 1024 1024
//! cargo run --example vae_memory -- decode 1024 1024 --tiled
//! ```
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

use std::time::Instant;

use clap::{Parser, ValueEnum};
use sdxl::config::ModelConfig;
use sdxl::vae::AutoencoderKl;
use sdxl::weights::{RandomWeights, Weights};
use sdxl::{Device, Precision, Result};
use tch::{Kind, Tensor};

#[derive(Parser)]
struct Arguments {
    direction: Direction,
    width: i64,
    height: i64,
    #[arg(long)]
    tiled: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Direction {
    Encode,
    Decode,
}

fn main() -> Result<()> {
    let Arguments { direction, width, height, tiled } = Arguments::parse();
    let _no_grad = tch::no_grad_guard();
    let source = RandomWeights::new(0, "vae");
    let weights = Weights::new(&source, Device::Cpu, Precision::F32);
    let vae = AutoencoderKl::load(&weights, &ModelConfig::base().vae)?;
    println!("weights: peak memory {}", peak());
    let start = Instant::now();
    match direction {
        Direction::Decode => {
            let latents = Tensor::f_zeros([1, 4, height / 8, width / 8], (Kind::Float, tch::Device::Cpu))?;
            drop(if tiled { vae.decode_tiled(&latents)? } else { vae.decode(&latents)? });
        }
        Direction::Encode => {
            let image = Tensor::f_zeros([1, 3, height, width], (Kind::Float, tch::Device::Cpu))?;
            drop(if tiled { vae.encode_tiled(&image)? } else { vae.encode(&image)? });
        }
    }
    println!("{:.1} s, peak memory {}", start.elapsed().as_secs_f64(), peak());
    Ok(())
}

fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".into(), |line| line.trim().to_owned())
}
