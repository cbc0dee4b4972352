//! Training: the paper's recipe for UNets, text encoders and autoencoders.
//!
//! A training is data, an [`Objective`] and a [`Trainer`]:
//!
//! 1. A [`Dataset`] gives pictures with captions; [`FolderDataset`] reads them from a folder. [`Batches`] puts them
//!    into buckets of one size each, and [`crop`] cuts each to its bucket, remembering what was cut: the
//!    micro-conditioning of the paper's algorithm 1.
//! 2. [`DiffusionModel`] is the UNet with its text encoders, [`AutoencoderModel`] the autoencoder,
//!    [`ContrastiveModel`] the text encoders beside an image encoder; all read their weights from [`Variables`].
//! 3. The [`Objective`] draws noise levels and noise and gives the loss; the [`Trainer`] makes a step of AdamW with
//!    it, and keeps an exponential moving average (EMA) of the weights.
//!
//! Every random number of step `n` comes from the seed and `n` alone ([`Draws`]), so a training that was stopped goes
//! on with the same bytes from its last checkpoint.
//!
//! Gradient checkpointing is not there: libtorch has it in Python only.

mod autoencoder;
mod batches;
mod cache;
mod checkpoints;
mod contrastive;
mod crop;
mod dataset;
mod diffusion;
mod draws;
mod ema;
mod export;
mod initial;
mod learning_rate;
mod lora;
mod mixed_precision;
mod objective;
mod optimizer;
mod trainer;
mod variables;

pub use autoencoder::{AutoencoderModel, AutoencoderObjective};
pub use batches::{Batch, Batches};
pub use cache::{Encoder, LatentCache};
pub use checkpoints::Checkpoints;
pub use contrastive::ContrastiveModel;
pub use crop::{Cropped, crop};
pub use dataset::{Dataset, FolderDataset, Sample};
pub use diffusion::{CaptionTokens, Captions, DiffusionModel, Examples};
pub use draws::Draws;
pub use ema::Ema;
pub use export::{export, export_component};
pub use initial::InitialWeights;
pub use learning_rate::{Decay, LearningRate};
pub use lora::{LoraOptions, LoraTraining, export_lora};
pub use mixed_precision::mixed_precision;
pub use objective::{NoiseLevels, Noised, Objective, TimestepBias, Weighting};
pub use optimizer::AdamW;
pub use trainer::{StepReport, Trainer, TrainerOptions};
pub use variables::{Frozen, Variables};
