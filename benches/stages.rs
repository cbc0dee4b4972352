//! The parts of a picture, each by itself: what a scheduler costs beside the network, text encoding, a step of the UNet,
//! decoding. See `benches/README.md`.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a benchmark may panic")]

use std::path::PathBuf;

use divan::{Bencher, black_box};
use sdxl::config::ModelConfig;
use sdxl::scheduler::{Level, Range, Scheduler};
use sdxl::text::{ClipTextModel, Projection};
use sdxl::unet::{Unet, UnetConditioning, UnetOptions};
use sdxl::vae::AutoencoderKl;
use sdxl::weights::{Checkpoint, Component, RandomWeights, Weights};
use sdxl::{Device, NoiseSource, Precision, Result};
use tch::{Kind, Tensor};

fn main() {
    divan::main();
}

/// The folder of a model of any size, in place of a tiny one with random weights.
fn folder() -> Option<PathBuf> {
    std::env::var_os("SDXL_BENCH_MODEL").map(PathBuf::from)
}

/// Side of the latents: an eighth of the picture's.
fn side() -> i64 {
    let side = std::env::var("SDXL_BENCH_LATENTS").ok();
    side.map_or(if folder().is_some() { 64 } else { 16 }, |side| side.parse().unwrap())
}

fn config() -> ModelConfig {
    let tiny = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/models/base");
    ModelConfig::from_folder(folder().unwrap_or_else(tiny)).unwrap()
}

fn model<M>(component: Component, load: impl Fn(&Weights) -> Result<M>) -> M {
    match folder() {
        Some(folder) => {
            let checkpoint = Checkpoint::from_folder(component, folder.join(component.folder()), "").unwrap();
            checkpoint.load(Device::Cpu, Precision::F32, load).unwrap()
        }
        None => {
            let source = RandomWeights::new(0, component.folder());
            load(&Weights::new(&source, Device::Cpu, Precision::F32)).unwrap()
        }
    }
}

fn normal(shape: &[i64]) -> Tensor {
    NoiseSource::new(&[0]).unwrap().normal(shape).unwrap()
}

/// 20 steps on the latents of a picture of 1024 x 1024, with a network that costs nothing.
#[divan::bench(args = ["euler", "dpmpp_2m_karras", "euler_ancestral"])]
fn scheduler(bencher: Bencher, name: &str) {
    let scheduler = match name {
        "euler" => Scheduler::euler(),
        "euler_ancestral" => Scheduler::euler_ancestral(),
        _ => Scheduler::dpmpp_2m_karras(),
    }
    .unwrap();
    let start = normal(&[4, 128, 128]);
    bencher.bench_local(|| {
        let mut noise = NoiseSource::new(&[42]).unwrap();
        let plan = scheduler.plan(20, Range::full()).unwrap();
        let mut x = plan.start(&start).unwrap();
        let mut run = scheduler.run(plan);
        while run.next_step().is_some() {
            let mut denoise = |x: &Tensor, _: Level| Ok(x.shallow_clone());
            x = run.step(&x, &mut denoise, &mut noise).unwrap();
        }
        x
    });
}

/// A prompt of 77 tokens through both encoders.
#[divan::bench]
fn text(bencher: Bencher) {
    let _no_grad = tch::no_grad_guard();
    let config = config();
    let first = config.text_encoder.as_ref().map(|config| {
        model(Component::TextEncoder, |weights| ClipTextModel::load(weights, config, Projection::Without))
    });
    let second = model(Component::TextEncoder2, |weights| {
        ClipTextModel::load(weights, &config.text_encoder_2, Projection::With)
    });
    let ids = Tensor::arange(77, (Kind::Int64, tch::Device::Cpu)).view([1, 77]);
    bencher.bench_local(|| {
        let first = first.as_ref().map(|model| model.forward(black_box(&ids), 0).unwrap());
        (first, second.forward(black_box(&ids), 0).unwrap())
    });
}

/// One evaluation of the network, as a step with (2) and without guidance (1) needs.
#[divan::bench(args = [1, 2])]
fn unet(bencher: Bencher, rows: i64) {
    let _no_grad = tch::no_grad_guard();
    let config = config().unet;
    let unet = model(Component::Unet, |weights| Unet::load(weights, &config));
    let numbers = 6;
    let pooled = config.projection_class_embeddings_input_dim - numbers * config.addition_time_embed_dim;
    let expand = |x: Tensor| Tensor::cat(&vec![&x; rows as usize], 0);
    let conditioning = UnetConditioning::new(
        expand(normal(&[77, config.cross_attention_dim])),
        expand(normal(&[pooled])),
        expand(normal(&[numbers])),
    )
    .unwrap();
    let sample = expand(normal(&[config.in_channels, side(), side()]));
    let timestep = Tensor::full([rows], 500., (Kind::Float, tch::Device::Cpu));
    let prepared = unet.prepare(&conditioning).unwrap();
    let options = UnetOptions::default();
    bencher.bench_local(|| unet.forward_with(&sample, &timestep, &prepared, options).unwrap());
}

/// Latents to a picture, whole and in strips.
#[divan::bench(args = ["whole", "strips"])]
fn vae_decode(bencher: Bencher, way: &str) {
    let _no_grad = tch::no_grad_guard();
    let config = config().vae;
    let vae = model(Component::Vae, |weights| AutoencoderKl::load(weights, &config));
    let latents = normal(&[config.latent_channels, side(), side()]);
    bencher.bench_local(|| match way {
        "strips" => vae.decode_tiled(&latents).unwrap(),
        _ => vae.decode(&latents).unwrap(),
    });
}
