//! [`AutoencoderKl`].

use tch::{Kind, Tensor};

use super::decoder::Decoder;
use super::encoder::{Encoder, Moments};
use crate::config::AutoencoderKlConfig;
use crate::error::Result;
use crate::nn::Conv2d;
use crate::runtime::Numbers;
use crate::weights::Weights;

/// SDXL's autoencoder (paper, section 2.4): eight picture pixels to one latent pixel along a side.
#[derive(Debug)]
pub struct AutoencoderKl {
    config: AutoencoderKlConfig,
    encoder: Encoder,
    quant_conv: Conv2d,
    post_quant_conv: Conv2d,
    decoder: Decoder,
    kind: Kind,
}

impl AutoencoderKl {
    /// Reads an autoencoder of that shape, under diffusers' names.
    pub fn load(weights: &Weights, config: &AutoencoderKlConfig) -> Result<Self> {
        config.check()?;
        let latent = config.latent_channels;
        Ok(Self {
            config: config.clone(),
            encoder: Encoder::load(&weights.at("encoder"), config)?,
            quant_conv: Conv2d::load(&weights.at("quant_conv"), 2 * latent, 2 * latent, 1)?,
            post_quant_conv: Conv2d::load(&weights.at("post_quant_conv"), latent, latent, 1)?,
            decoder: Decoder::load(&weights.at("decoder"), config)?,
            kind: weights.kind(),
        })
    }

    /// The shape of the network.
    pub fn config(&self) -> &AutoencoderKlConfig {
        &self.config
    }

    /// Where the model computes.
    pub(crate) fn device(&self) -> tch::Device {
        self.quant_conv.device()
    }

    /// The distribution of the latents of a picture, before scaling.
    ///
    /// # Shapes
    /// `(B, 3, H, W)` in [-1, 1] to `(B, 4, H/8, W/8)`, in f32.
    pub fn encode(&self, image: &Tensor) -> Result<Moments> {
        self.moments(self.encoder.forward(&image.f_to_kind(self.kind)?)?)
    }

    /// The same strip by strip, in less memory.
    pub fn encode_tiled(&self, image: &Tensor) -> Result<Moments> {
        self.moments(self.encoder.forward_strips(&image.f_to_kind(self.kind)?)?)
    }

    fn moments(&self, moments: Tensor) -> Result<Moments> {
        Moments::split(&self.quant_conv.forward(&moments)?.f_to_kind(Kind::Float)?)
    }

    /// Latents, scaled, to a picture.
    ///
    /// # Shapes
    /// `(B, 4, h, w)` to `(B, 3, 8h, 8w)` in about [-1, 1], in f32.
    pub fn decode(&self, latents: &Tensor) -> Result<Tensor> {
        Ok(self.decoder.forward(&self.decoder_input(latents)?)?.f_to_kind(Kind::Float)?)
    }

    /// The same strip by strip, in less memory.
    pub fn decode_tiled(&self, latents: &Tensor) -> Result<Tensor> {
        Ok(self.decoder.forward_strips(&self.decoder_input(latents)?)?.f_to_kind(Kind::Float)?)
    }

    fn decoder_input(&self, latents: &Tensor) -> Result<Tensor> {
        self.post_quant_conv.forward(&self.unscale(latents)?.f_to_kind(self.kind)?)
    }

    /// The encoder's latents as the UNet sees them: `z · scale`, or `(z − mean) / std · scale`.
    pub fn scale(&self, latents: &Tensor) -> Result<Tensor> {
        let scale = self.config.scaling_factor;
        match self.statistics(latents)? {
            Some((mean, std)) => Ok(latents.f_sub(&mean)?.f_mul_number(scale)?.f_div(&std)?),
            None => Ok(latents.f_mul_number(scale)?),
        }
    }

    /// The reverse of [`scale`](Self::scale).
    pub fn unscale(&self, latents: &Tensor) -> Result<Tensor> {
        let scale = self.config.scaling_factor;
        match self.statistics(latents)? {
            Some((mean, std)) => Ok(latents.f_mul(&std)?.f_div_number(scale)?.f_add(&mean)?),
            None => Ok(latents.f_div_number(scale)?),
        }
    }

    fn statistics(&self, like: &Tensor) -> Result<Option<(Tensor, Tensor)>> {
        let (Some(mean), Some(std)) = (&self.config.latents_mean, &self.config.latents_std) else {
            return Ok(None);
        };
        let column = |values: &[f64]| -> Result<Tensor> {
            let column = Tensor::f_from_slice(values)?.f_reshape([1, -1, 1, 1])?;
            Ok(column.f_to_kind(like.f_kind()?)?.f_to_device(like.device())?)
        };
        Ok(Some((column(mean)?, column(std)?)))
    }
}
