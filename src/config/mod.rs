//! What a model is, as data: the shapes of its parts, read from diffusers' `config.json` files or preset.
//!
//! The full SDXL base, the refiner, inpainting models, the distilled variants and tiny test models differ
//! in nothing but these values.

mod json;
mod model;
mod text;
mod unet;
mod unet_file;
mod vae;

pub(crate) use json::read_json;
pub use model::{ModelConfig, PipelineKind};
pub use text::{Activation, ClipTextConfig};
pub use unet::{LevelConfig, MidConfig, UnetConfig};
pub use vae::{AutoencoderKlConfig, AutoencoderTinyConfig};
