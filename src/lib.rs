//! Stable Diffusion XL on libtorch.

mod error;
mod noise;
mod runtime;
pub mod text;
mod weights;

pub use error::{Error, Result};
pub use noise::NoiseSource;
pub use runtime::{Device, Precision};
