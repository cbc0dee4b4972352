//! [`ContrastiveModel`]: text encoders that learn which caption belongs to which picture.

use tch::{Kind, Reduction, Tensor};

use super::diffusion::Examples;
use crate::config::ModelConfig;
use crate::error::{Error, Result};
use crate::nn::{Conv2d, Linear, LinearSpec, silu};
use crate::runtime::Numbers;
use crate::text::{ClipTextModel, Projection};
use crate::weights::Weights;

/// The text encoders of a model beside a small image encoder, trained as CLIP is (Radford et al., arXiv 2103.00020):
/// of all captions and pictures of a batch those that belong together shall be nearest.
///
/// Stable Diffusion XL's encoders come from such a training. The image encoder reads the autoencoder's latents and is
/// thrown away afterwards.
#[derive(Debug)]
pub struct ContrastiveModel {
    text_encoder: Option<(ClipTextModel, Linear)>,
    text_encoder_2: ClipTextModel,
    image: ImageEncoder,
}

/// CLIP's temperature at the start of its training; here it stays.
const TEMPERATURE: f64 = 0.07;

/// The image encoder's channels, and the side of the grid that it sees a picture of any shape as.
const CHANNELS: [i64; 2] = [64, 128];
const GRID: i64 = 4;

impl ContrastiveModel {
    /// Reads the text encoders (`text_encoder.…`, `text_encoder_2.…`), and what is there for this training alone
    /// (`contrastive.…`).
    ///
    /// # Errors
    /// Those of the parts.
    pub fn load(weights: &Weights, config: &ModelConfig) -> Result<Self> {
        let own = weights.at("contrastive");
        let (second, width) = (&config.text_encoder_2, config.text_encoder_2.projection_dim);
        let first = config.text_encoder.as_ref().map(|first| -> Result<_> {
            // Its own projection is no part of the model.
            let projection = LinearSpec::Unbiased(first.hidden_size, width);
            Ok((
                ClipTextModel::load(&weights.at("text_encoder"), first, Projection::Without)?,
                Linear::load(&own.at("text_projection"), projection)?,
            ))
        });
        Ok(Self {
            text_encoder: first.transpose()?,
            text_encoder_2: ClipTextModel::load(&weights.at("text_encoder_2"), second, Projection::With)?,
            image: ImageEncoder::load(&own.at("image"), config.vae.latent_channels, width)?,
        })
    }

    /// The loss of a batch: the mean over the text encoders of CLIP's.
    ///
    /// # Errors
    /// [`Error::Missing`] where the tokens of an encoder are.
    pub fn loss(&self, examples: &Examples) -> Result<Tensor> {
        let device = self.text_encoder_2.device();
        let images = unit(&self.image.forward(&examples.latents)?)?;
        let missing = |part: &'static str| Error::Missing { part, reason: "it is in training".into() };
        let second = self.text_encoder_2.forward(&examples.text.second.f_to_device(device)?, 0)?.pooled;
        let loss = contrast(&second.ok_or_else(|| missing("text projection"))?, &images)?;
        let Some((encoder, projection)) = &self.text_encoder else { return Ok(loss) };
        let ids = examples.text.first.as_ref().ok_or_else(|| missing("first tokenizer"))?;
        let ids = ids.f_to_device(device)?;
        // Of the layer that the UNet reads.
        let state = encoder.at_end_of_text(&encoder.forward(&ids, 0)?.hidden_states, &ids)?;
        let first = contrast(&projection.forward(&state)?, &images)?;
        Ok(loss.f_add(&first)?.f_mul_number(0.5)?)
    }
}

/// The mean of two cross-entropies: of each caption over the pictures, of each picture over the captions.
///
/// # Shapes
/// `texts` `(B, width)`, `images` `(B, width)` of length 1; a scalar.
fn contrast(texts: &Tensor, images: &Tensor) -> Result<Tensor> {
    let (batch, _) = images.size2()?;
    let nearness = unit(texts)?.f_matmul(&images.f_transpose(0, 1)?)?.f_div_number(TEMPERATURE)?;
    let own = Tensor::f_from_slice(&(0..batch).collect::<Vec<i64>>())?.f_to_device(images.device())?;
    let entropy =
        |nearness: &Tensor| nearness.f_cross_entropy_loss::<Tensor>(&own, None, Reduction::Mean, -100, 0.);
    let (by_text, by_image) = (entropy(&nearness)?, entropy(&nearness.f_transpose(0, 1)?)?);
    Ok(by_text.f_add(&by_image)?.f_mul_number(0.5)?)
}

/// Rows of length 1.
fn unit(x: &Tensor) -> Result<Tensor> {
    let length = x.f_square()?.f_sum_dim_intlist([-1].as_slice(), true, Kind::Float)?.f_sqrt()?;
    Ok(x.f_div(&length.f_clamp_min_number(1e-6)?)?)
}

/// Two convolutions and a linear layer.
#[derive(Debug)]
struct ImageEncoder {
    conv1: Conv2d,
    conv2: Conv2d,
    projection: Linear,
}

impl ImageEncoder {
    fn load(weights: &Weights, input: i64, width: i64) -> Result<Self> {
        let [first, second] = CHANNELS;
        Ok(Self {
            conv1: Conv2d::load(&weights.at("conv1"), input, first, 3)?.stride(2),
            conv2: Conv2d::load(&weights.at("conv2"), first, second, 3)?.stride(2),
            projection: Linear::load(
                &weights.at("projection"),
                LinearSpec::Biased(second * GRID * GRID, width),
            )?,
        })
    }

    /// # Shapes
    /// `(B, C, h, w)` to `(B, width)`.
    fn forward(&self, latents: &Tensor) -> Result<Tensor> {
        let x = silu(&self.conv1.forward(latents)?)?;
        let x = silu(&self.conv2.forward(&x)?)?.f_adaptive_avg_pool2d([GRID, GRID])?;
        self.projection.forward(&x.f_flatten(1, -1)?)
    }
}
