//! The flags.

use std::fmt::Display;
use std::path::PathBuf;

use clap::Parser;
use sdxl::pipeline::RequestBuilder;
use sdxl::scheduler::{PredictionName, SchedulerName, SpacingName};
use sdxl::{Conditioning, Crop, Device, Error, Precision, PromptSyntax, Request, Result, Scheduler, Size};

use crate::beginning::Beginning;
use crate::guiding::Guiding;
use crate::lora::Loras;
use crate::model::default_model;

/// Draws pictures from text with Stable Diffusion XL.
#[derive(Parser)]
#[command(version, about)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct Arguments {
    /// What the picture shows.
    #[arg(long)]
    prompt: String,
    /// Another prompt for the second text encoder [default: the prompt]
    #[arg(long, value_name = "TEXT")]
    prompt_2: Option<String>,
    /// What the picture is not to show; absent is not the same as "".
    #[arg(long, value_name = "TEXT")]
    negative: Option<String>,
    /// Another negative prompt for the second text encoder [default: the negative prompt]
    #[arg(long, value_name = "TEXT")]
    negative_2: Option<String>,
    /// How the prompts are read: plain (brackets are characters, 75 tokens), a1111 ((word:1.3), [word], BREAK,
    /// any length), a1111_no_norm.
    #[arg(long, default_value = "plain", value_name = "SYNTAX")]
    prompt_syntax: PromptSyntax,
    /// A diffusers folder, a single file, or a repository in the Hugging Face cache [default: models/nano]
    #[arg(long, value_name = "PATH")]
    model: Option<PathBuf>,
    /// Width in pixels, a multiple of 8 [default: the model's]
    #[arg(long)]
    width: Option<i64>,
    /// Height in pixels, a multiple of 8 [default: the model's]
    #[arg(long)]
    height: Option<i64>,
    /// Steps of the sampler.
    #[arg(long, default_value_t = 50)]
    steps: usize,
    #[command(flatten)]
    guiding: Guiding,
    /// Layers of the text encoders skipped below the usual one.
    #[arg(long, default_value_t = 0, value_name = "N")]
    clip_skip: usize,
    /// Seed of the first picture; the others follow.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Number of pictures.
    #[arg(long, default_value_t = 1)]
    batch: usize,
    #[arg(long, value_name = "NAME", help = names("The sampler", SchedulerName::ALL))]
    pub(crate) scheduler: Option<SchedulerName>,
    #[arg(long, value_name = "NAME", help = names("Timesteps or noise levels", SpacingName::ALL))]
    spacing: Option<SpacingName>,
    #[arg(long, value_name = "NAME", help = names("What the UNet predicts", PredictionName::ALL))]
    prediction: Option<PredictionName>,
    /// Noise that ddim and tcd add in each step, 0 to 1.
    #[arg(long, default_value_t = 0., allow_negative_numbers = true)]
    eta: f64,
    /// Size of the original picture [default: the picture's]
    #[arg(long, value_name = "WxH")]
    original_size: Option<Size>,
    /// Top-left corner of the crop.
    #[arg(long, value_name = "LEFT,TOP", default_value = "0,0", allow_hyphen_values = true)]
    crop: Crop,
    /// Target size [default: the picture's]
    #[arg(long, value_name = "WxH")]
    target_size: Option<Size>,
    /// Original size for the negative prompt [default: the positive one]
    #[arg(long, value_name = "WxH")]
    negative_original_size: Option<Size>,
    /// Crop for the negative prompt [default: the positive one]
    #[arg(long, value_name = "LEFT,TOP", allow_hyphen_values = true)]
    negative_crop: Option<Crop>,
    /// Target size for the negative prompt [default: the positive one]
    #[arg(long, value_name = "WxH")]
    negative_target_size: Option<Size>,
    /// The refiner's aesthetic score for the prompt.
    #[arg(long, default_value_t = 6., value_name = "F", allow_negative_numbers = true)]
    aesthetic_score: f64,
    /// The refiner's aesthetic score for the negative prompt.
    #[arg(long, default_value_t = 2.5, value_name = "F", allow_negative_numbers = true)]
    negative_aesthetic_score: f64,
    #[command(flatten)]
    pub(crate) beginning: Beginning,
    /// A refiner, which takes the last steps (the paper's second stage)
    #[arg(long, value_name = "PATH")]
    pub(crate) refiner: Option<PathBuf>,
    /// The fraction of the schedule at which the refiner takes over [default: 0.8]
    #[arg(long, value_name = "F", requires = "refiner", allow_negative_numbers = true)]
    switch_at: Option<f64>,
    #[command(flatten)]
    pub(crate) loras: Loras,
    /// A textual inversion: the file's name is a word for prompts
    #[arg(long = "embedding", value_name = "FILE")]
    pub(crate) embeddings: Vec<PathBuf>,
    /// Another UNet in the place of the model's own (not the refiner's)
    #[arg(long, value_name = "PATH")]
    pub(crate) unet: Option<PathBuf>,
    /// Another autoencoder in the place of the model's own.
    #[arg(long, value_name = "PATH", conflicts_with = "taesd")]
    pub(crate) vae: Option<PathBuf>,
    /// A tiny autoencoder (TAESDXL) to decode with.
    #[arg(long, value_name = "PATH")]
    pub(crate) taesd: Option<PathBuf>,
    /// Encode and decode in strips: less memory, the same picture up to rounding.
    #[arg(long)]
    pub(crate) vae_tiling: bool,
    /// Mark the pictures with the invisible watermark of the reference pipeline (from 256 pixels of width on).
    #[arg(long)]
    watermark: bool,
    /// Read the text encoders once and keep them, in the place of reading each weight when it is used.
    #[arg(long)]
    pub(crate) keep_text_encoders: bool,
    /// Where to save the final latents: safetensors, tensor "latents", f32.
    #[arg(long, value_name = "FILE")]
    pub(crate) latents_out: Option<PathBuf>,
    /// cpu, cuda or cuda:N.
    #[arg(long, default_value = "cpu")]
    pub(crate) device: Device,
    /// Compute type: f32, f16 or bf16; the CPU computes in f32.
    #[arg(long = "dtype", default_value = "f32", value_name = "TYPE")]
    pub(crate) precision: Precision,
    /// Threads of the CPU [default: all cores]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// The picture; several are numbered.
    #[arg(long, value_name = "FILE.png", default_value = "picture.png")]
    pub(crate) output: PathBuf,
    /// Print one line of timings and peak memory per stage.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The help of an option that takes one of some names.
fn names<T: Display>(what: &str, all: &[T]) -> String {
    let all: Vec<String> = all.iter().map(T::to_string).collect();
    format!("{what}: {} [default: the checkpoint's]", all.join(", "))
}

impl Arguments {
    /// The model asked for; otherwise models/nano.
    pub(crate) fn model(&self) -> Result<PathBuf> {
        self.model.clone().map_or_else(default_model, Ok)
    }

    pub(crate) fn conditioning(&self) -> Result<Conditioning> {
        let mut builder = Conditioning::builder(&self.prompt)
            .prompt_syntax(self.prompt_syntax)
            .clip_skip(self.clip_skip)
            .crop(self.crop);
        if let Some(prompt) = &self.prompt_2 {
            builder = builder.prompt_2(prompt);
        }
        if let Some(prompt) = &self.negative {
            builder = builder.negative_prompt(prompt);
        }
        if let Some(prompt) = &self.negative_2 {
            builder = builder.negative_prompt_2(prompt);
        }
        if let Some(size) = self.original_size {
            builder = builder.original_size(size);
        }
        if let Some(size) = self.target_size {
            builder = builder.target_size(size);
        }
        if let Some(size) = self.negative_original_size {
            builder = builder.negative_original_size(size);
        }
        if let Some(crop) = self.negative_crop {
            builder = builder.negative_crop(crop);
        }
        if let Some(size) = self.negative_target_size {
            builder = builder.negative_target_size(size);
        }
        builder
            .aesthetic_score(self.aesthetic_score)
            .negative_aesthetic_score(self.negative_aesthetic_score)
            .build()
    }

    /// Where the refiner takes over; 1 without one.
    pub(crate) fn switch_at(&self) -> Result<f64> {
        match (&self.refiner, self.switch_at) {
            (None, _) => Ok(1.),
            (Some(_), None) => Ok(0.8),
            (Some(_), Some(fraction)) if fraction > 0. && fraction < 1. => Ok(fraction),
            (Some(_), Some(fraction)) => Err(Error::Invalid {
                field: "switch-at",
                value: fraction.to_string(),
                expected: "above 0 and below 1".into(),
            }),
        }
    }

    /// The request, but for what comes from the model or from files.
    pub(crate) fn request(&self, conditioning: Conditioning) -> Result<RequestBuilder> {
        let request = Request::builder(conditioning)
            .steps(self.steps)
            .seed(self.seed)
            .batch(self.batch)
            .watermark(self.watermark);
        let request = self.beginning.apply(self.guiding.apply(request)?)?;
        Ok(match (self.width, self.height) {
            (None, None) => request,
            (Some(width), Some(height)) => request.size(Size::new(width, height)),
            (Some(width), None) => request.width(width),
            (None, Some(height)) => request.height(height),
        })
    }

    /// The checkpoint's scheduler with what the flags change.
    pub(crate) fn scheduler(&self, checkpoint: &Scheduler) -> Result<Scheduler> {
        let mut scheduler = checkpoint.clone();
        if let Some(name) = self.scheduler {
            scheduler = scheduler.with_name(name)?;
        }
        if let Some(name) = self.spacing {
            scheduler = scheduler.with_spacing(name)?;
        }
        if let Some(name) = self.prediction {
            scheduler = scheduler.with_prediction(name)?;
        }
        scheduler.with_eta(self.eta)
    }
}
