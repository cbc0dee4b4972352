//! Stable Diffusion XL on libtorch.

pub mod config;
mod error;
pub mod nn;
mod noise;
mod runtime;
pub mod text;
pub mod unet;
pub mod vae;
pub mod weights;

pub use error::{Error, Result};
pub use noise::NoiseSource;
pub use runtime::{Device, Precision};
