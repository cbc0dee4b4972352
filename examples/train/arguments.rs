//! The command line of `train`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use sdxl::training::{AdamW, Decay, Ema, LearningRate, TimestepBias, TrainerOptions, mixed_precision};
use sdxl::{Device, Result, Size};
use tch::Tensor;

#[derive(Parser)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) part: Part,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Subcommand)]
pub(crate) enum Part {
    /// The autoencoder.
    Vae(Vae),
    /// The text encoders, before there is a UNet: which caption belongs to which picture, as CLIP.
    Text(Text),
    /// The UNet, and with --train-text the text encoders.
    Unet(Unet),
}

#[derive(Args)]
pub(crate) struct Common {
    /// A model folder in diffusers' layout; what has no weights begins from scratch.
    #[arg(long, global = true, default_value = "models/nano")]
    pub(crate) model: PathBuf,
    /// A folder of pictures with captions: FILE.txt beside FILE.png, or metadata.jsonl.
    #[arg(long, global = true, default_value = "data")]
    pub(crate) data: PathBuf,
    /// Where checkpoints and logs go.
    #[arg(long, global = true, default_value = "training")]
    pub(crate) output: PathBuf,
    /// The number of steps in all.
    #[arg(long, global = true, default_value_t = 10_000)]
    pub(crate) steps: u64,
    /// Pictures in a batch.
    #[arg(long, global = true, default_value_t = 16)]
    pub(crate) batch: usize,
    /// Batches in a step.
    #[arg(long, global = true, default_value_t = 1)]
    pub(crate) accumulation: usize,
    #[arg(long, global = true, default_value_t = 1e-4)]
    pub(crate) learning_rate: f64,
    /// Steps until the learning rate is reached.
    #[arg(long, global = true, default_value_t = 500)]
    pub(crate) warmup: u64,
    /// Lower the learning rate along a cosine, to 0 at the last step.
    #[arg(long, global = true)]
    pub(crate) cosine: bool,
    #[arg(long, global = true, default_value_t = 0.01)]
    pub(crate) weight_decay: f64,
    /// How slowly the mean of the squared gradients moves; 0.99 for a short training.
    #[arg(long, global = true, default_value_t = 0.999)]
    pub(crate) beta2: f64,
    /// How much of the averaged weights a step keeps.
    #[arg(long, global = true, default_value_t = 0.999)]
    pub(crate) ema: f64,
    /// Begin from scratch although there are weights.
    #[arg(long, global = true)]
    pub(crate) scratch: bool,
    #[arg(long, global = true, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Steps between checkpoints.
    #[arg(long, global = true, default_value_t = 500)]
    pub(crate) every: u64,
    /// Checkpoints to keep.
    #[arg(long, global = true, default_value_t = 2)]
    pub(crate) keep: usize,
    #[arg(long, global = true, default_value = "cpu")]
    pub(crate) device: Device,
    /// Compute in bfloat16 with weights in f32: for CUDA.
    #[arg(long, global = true)]
    pub(crate) mixed_precision: bool,
    #[arg(long, global = true)]
    pub(crate) threads: Option<usize>,
}

#[derive(Args)]
pub(crate) struct Vae {
    /// Train on square pieces of this side, cut out of the pictures; 0 takes whole pictures of the model's size.
    #[arg(long, default_value_t = 0)]
    pub(crate) patch: i64,
    /// Train the decoder alone, so that the latents stay what they are.
    #[arg(long)]
    pub(crate) decoder: bool,
    /// Weight of the edges in the loss.
    #[arg(long, default_value_t = 1.)]
    pub(crate) edges: f64,
    /// Weight of the latents' distribution.
    #[arg(long, default_value_t = 1e-6)]
    pub(crate) kl: f64,
}

#[derive(Args)]
pub(crate) struct Text {
    /// Picture sizes: each batch has one of them.
    #[arg(long, value_delimiter = ',', default_value = "128x128")]
    pub(crate) buckets: Vec<Size>,
}

#[derive(Args)]
pub(crate) struct Unet {
    /// Train the text encoders too.
    #[arg(long)]
    pub(crate) train_text: bool,
    /// Train a LoRA of that rank on top of the model: `lora.safetensors` in each checkpoint.
    #[arg(long, value_name = "RANK")]
    pub(crate) lora: Option<i64>,
    /// Min-SNR weighting.
    #[arg(long, value_name = "GAMMA")]
    pub(crate) min_snr: Option<f64>,
    /// Offset of the noise's mean (paper: 0.05 in the last stage).
    #[arg(long, default_value_t = 0.)]
    pub(crate) offset_noise: f64,
    /// Train only the timesteps below this one: 200 for a refiner.
    #[arg(long, value_name = "COUNT")]
    pub(crate) timesteps: Option<usize>,
    /// Draw the timesteps from FIRST on (up to END) that many times as often as the others.
    #[arg(long, value_name = "FIRST..END:TIMES", value_parser = timestep_bias)]
    pub(crate) timestep_bias: Option<TimestepBias>,
    /// How often a caption is dropped.
    #[arg(long, default_value_t = 0.1)]
    pub(crate) caption_dropout: f64,
    /// Picture sizes: each batch has one of them.
    #[arg(long, value_delimiter = ',', default_value = "128x128")]
    pub(crate) buckets: Vec<Size>,
    /// A file for the encoded pictures, written at each checkpoint: the next training on the same data begins with them.
    #[arg(long, value_name = "FILE")]
    pub(crate) latents: Option<PathBuf>,
    /// A caption to draw at every checkpoint; several make a grid.
    #[arg(long)]
    pub(crate) sample: Vec<String>,
    /// A file of captions to draw, one on each line.
    #[arg(long)]
    pub(crate) samples: Option<PathBuf>,
}

fn timestep_bias(text: &str) -> Result<TimestepBias, String> {
    let parsed = || {
        let (range, times) = text.split_once(':')?;
        let (first, end) = range.split_once("..")?;
        let timesteps = first.parse().ok()?..end.parse().ok()?;
        Some(TimestepBias { timesteps, multiplier: times.parse().ok()? })
    };
    parsed().ok_or_else(|| "expected FIRST..END:TIMES, as in 200..1000:3".to_owned())
}

impl Common {
    /// A loss in the precision asked for.
    pub(crate) fn computed(&self, loss: impl FnOnce() -> Result<Tensor>) -> Result<Tensor> {
        if self.mixed_precision { mixed_precision(self.device, loss) } else { loss() }
    }

    pub(crate) fn options(&self) -> TrainerOptions {
        let decay = if self.cosine { Decay::Cosine(self.steps) } else { Decay::Constant };
        TrainerOptions {
            optimizer: AdamW { weight_decay: self.weight_decay, beta2: self.beta2, ..AdamW::default() },
            learning_rate: LearningRate { peak: self.learning_rate, warmup_steps: self.warmup, decay },
            accumulation: self.accumulation,
            ema: Some(Ema { decay: self.ema }),
            ..TrainerOptions::default()
        }
    }
}
