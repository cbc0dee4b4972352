//! [`DiffusionModel`]: the UNet and its text encoders, in training.

use tch::Tensor;

use super::draws::Draws;
use super::objective::{Noised, Objective};
use crate::config::ModelConfig;
use crate::error::{Error, Result};
use crate::text::{ClipTextModel, Projection, Tokenizer};
use crate::unet::{Unet, UnetConditioning};
use crate::weights::Weights;

/// The UNet with the text encoders whose context it reads.
///
/// What is read from [`Variables`](super::Variables) is trained; what is read from a checkpoint stays as it is.
#[derive(Debug)]
pub struct DiffusionModel {
    unet: Unet,
    text_encoder: Option<ClipTextModel>,
    text_encoder_2: ClipTextModel,
}

/// Latents with all that the UNet is told of them.
#[derive(Debug)]
pub struct Examples {
    /// `(B, C, h, w)` in f32, scaled.
    pub latents: Tensor,
    /// The captions.
    pub text: CaptionTokens,
    /// The micro-conditioning: `(B, 6)`, or `(B, 5)` for a refiner.
    pub time_ids: Tensor,
}

/// Captions as both text encoders read them.
#[derive(Debug)]
pub struct CaptionTokens {
    /// Ids for the first text encoder, `(B, tokens)`.
    pub first: Option<Tensor>,
    /// Ids for the second.
    pub second: Tensor,
    /// 1 for a caption that is kept and 0 for one whose embeddings are zeroed, `(B)`; `None` keeps all.
    pub kept: Option<Tensor>,
}

/// The tokenizers, and how often a caption is dropped so that the model learns to draw without one: what
/// classifier-free guidance needs (SDXL paper, appendix C: 10 %).
pub struct Captions {
    /// The tokenizer of the first text encoder; the refiner has none.
    pub first: Option<Tokenizer>,
    /// The tokenizer of the second.
    pub second: Tokenizer,
    /// The probability that a caption is dropped.
    pub dropout: f64,
    /// A dropped caption is zeros, as `force_zeros_for_empty_prompt` has it at inference, and not the encoded `""`.
    pub zeros: bool,
}

impl Captions {
    /// Captions as tokens, some of them dropped.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a caption over 64 KiB.
    pub fn tokenize(&self, captions: &[&str], draws: &mut Draws) -> Result<CaptionTokens> {
        let kept: Vec<bool> = captions.iter().map(|_| draws.uniform() >= self.dropout).collect();
        let text = |(caption, kept): (&&str, &bool)| {
            if *kept || self.zeros { (*caption).to_owned() } else { String::new() }
        };
        let texts: Vec<String> = captions.iter().zip(&kept).map(text).collect();
        let ids = |tokenizer: &Tokenizer| -> Result<Tensor> {
            let rows =
                texts.iter().map(|text| Ok(tokenizer.encode(text)?.ids)).collect::<Result<Vec<_>>>()?;
            let ids: Vec<i64> = rows.into_iter().flatten().collect();
            Ok(Tensor::f_from_slice(&ids)?.f_reshape([texts.len() as i64, -1])?)
        };
        let kept: Vec<f32> = kept.iter().map(|&kept| f32::from(u8::from(kept))).collect();
        Ok(CaptionTokens {
            first: self.first.as_ref().map(ids).transpose()?,
            second: ids(&self.second)?,
            kept: if self.zeros { Some(Tensor::f_from_slice(&kept)?) } else { None },
        })
    }
}

impl DiffusionModel {
    /// Reads the UNet (`unet.…`) from one view and the text encoders (`text_encoder.…`, `text_encoder_2.…`) from
    /// another, which may be the same.
    ///
    /// # Errors
    /// Those of the parts.
    pub fn load(unet: &Weights, text: &Weights, config: &ModelConfig) -> Result<Self> {
        let first = config.text_encoder.as_ref();
        let second = &config.text_encoder_2;
        Ok(Self {
            unet: Unet::load(&unet.at("unet"), &config.unet)?,
            text_encoder: first
                .map(|config| ClipTextModel::load(&text.at("text_encoder"), config, Projection::Without))
                .transpose()?,
            text_encoder_2: ClipTextModel::load(&text.at("text_encoder_2"), second, Projection::With)?,
        })
    }

    /// The context and the pooled embedding of captions.
    ///
    /// # Errors
    /// [`Error::Missing`] where the tokens of an encoder are.
    pub fn encode(&self, text: &CaptionTokens) -> Result<(Tensor, Tensor)> {
        let device = self.text_encoder_2.device();
        let second = self.text_encoder_2.forward(&text.second.f_to_device(device)?, 0)?;
        let missing = |part, reason: &str| Error::Missing { part, reason: reason.into() };
        let pooled =
            second.pooled.ok_or_else(|| missing("text projection", "the pooled embedding needs it"))?;
        let context = match (&self.text_encoder, &text.first) {
            (None, _) => second.hidden_states,
            (Some(first), Some(ids)) => {
                let first = first.forward(&ids.f_to_device(device)?, 0)?;
                Tensor::f_cat(&[first.hidden_states, second.hidden_states], -1)?
            }
            (Some(_), None) => return Err(missing("first tokenizer", "its text encoder is trained")),
        };
        match &text.kept {
            None => Ok((context, pooled)),
            Some(kept) => {
                let kept = kept.f_to_device(device)?;
                Ok((context.f_mul(&kept.f_view([-1, 1, 1])?)?, pooled.f_mul(&kept.f_view([-1, 1])?)?))
            }
        }
    }

    /// The UNet's output for noised latents.
    ///
    /// # Errors
    /// [`Error::Torch`] where the shapes do not fit the model.
    pub fn predict(&self, noised: &Noised, examples: &Examples) -> Result<Tensor> {
        let (context, pooled) = self.encode(&examples.text)?;
        let conditioning = UnetConditioning::new(context, pooled, examples.time_ids.shallow_clone())?;
        self.unet.forward(&noised.input, &noised.timesteps, &conditioning)
    }

    /// The loss of a batch, with drawn noise and levels: a scalar to call `backward` on.
    ///
    /// # Errors
    /// [`Error::Torch`] where the shapes do not fit the model.
    pub fn loss(&self, objective: &Objective, examples: &Examples, draws: &mut Draws) -> Result<Tensor> {
        let noised = objective.noise(&examples.latents, draws)?;
        objective.loss(&self.predict(&noised, examples)?, &noised)
    }
}
