//! Stable Diffusion XL on libtorch.

pub mod conditioning;
pub mod config;
mod error;
mod host;
mod image;
pub mod nn;
mod noise;
pub mod pipeline;
mod runtime;
pub mod scheduler;
pub mod text;
pub mod unet;
pub mod vae;
pub mod weights;

pub use conditioning::{Conditioning, Crop, Guidance, Size, TextEmbeddings};
pub use error::{Error, Result};
pub use host::Element;
pub use image::Image;
pub use noise::NoiseSource;
pub use pipeline::{Latents, Pipeline, Progress, Request, Sampling};
pub use runtime::{Device, Precision, set_threads};
pub use scheduler::Scheduler;
