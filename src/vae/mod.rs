//! The autoencoders between pictures and latents: [`AutoencoderKl`] and its small stand-in
//! [`AutoencoderTiny`].
//!
//! Pictures are `(B, 3, H, W)` in [-1, 1]; latents `(B, 4, H/8, W/8)` as the UNet sees them, that is scaled.

mod block;
mod decoder;
mod encoder;
mod kl;
mod tiling;
mod tiny;

use tch::Tensor;

pub use block::{Downsample, Resnet, SpatialAttention};
pub use encoder::Moments;
pub use kl::AutoencoderKl;
pub use tiny::AutoencoderTiny;

use crate::error::Result;

/// The autoencoder of a pipeline.
#[derive(Debug)]
pub enum Vae {
    /// The full autoencoder.
    Kl(Box<AutoencoderKl>),
    /// TAESD: 18 times fewer operations, softer pictures.
    Tiny(AutoencoderTiny),
}

impl Vae {
    /// Latents to a picture.
    ///
    /// # Shapes
    /// `(B, 4, h, w)`, scaled, to `(B, 3, 8h, 8w)` in about [-1, 1].
    pub fn decode(&self, latents: &Tensor) -> Result<Tensor> {
        match self {
            Self::Kl(vae) => vae.decode(latents),
            Self::Tiny(vae) => vae.decode(latents),
        }
    }

    /// The same strip by strip, in less memory.
    pub fn decode_tiled(&self, latents: &Tensor) -> Result<Tensor> {
        match self {
            Self::Kl(vae) => vae.decode_tiled(latents),
            Self::Tiny(vae) => vae.decode_tiled(latents),
        }
    }
}
