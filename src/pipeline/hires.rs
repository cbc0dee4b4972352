//! [`Hires`]: a second, larger run that begins with the pictures of the first.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::check::{MAX_STEPS, fraction, part};
use super::request::Origin;
use super::{Latents, Pipeline, Request};
use crate::conditioning::Size;
use crate::error::{Error, Result};
use crate::nn::upsample_bilinear;

/// A second run that draws the pictures once more, larger: the composition is that of the model's own size, the
/// details are those of the large one ("hires fix").
///
/// It is image to image of the first run's result at another size: the same prompt, guidance, scheduler and seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Hires {
    scale: f64,
    strength: f64,
    upscaler: Upscaler,
    steps: Option<usize>,
}

/// How the first pictures become larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Upscaler {
    /// The latents, bilinear: at once, and blurred, so that a strength of 0.5 and more is needed.
    #[default]
    Latent,
    /// The decoded picture (Lanczos), encoded again: sharper, for lower strengths.
    Pixel,
}

impl Upscaler {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Latent, Self::Pixel];
}

impl fmt::Display for Upscaler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Latent => "latent",
            Self::Pixel => "pixel",
        })
    }
}

impl FromStr for Upscaler {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|upscaler| upscaler.to_string() == name)
            .ok_or_else(|| Error::invalid("hires_upscaler", name, "latent or pixel"))
    }
}

impl Hires {
    /// Pictures so many times as wide and as high, rounded down to multiples of 8, at a strength of 0.7.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless the scale is above 1 and at most 8.
    pub fn new(scale: f64) -> Result<Self> {
        fraction("hires_scale", scale, scale > 1. && scale <= 8., "above 1 and at most 8")?;
        Ok(Self { scale, strength: 0.7, upscaler: Upscaler::default(), steps: None })
    }

    /// How much of the first pictures is changed: the last `⌊strength · steps⌋` steps are taken. Default 0.7.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless it is above 0 and at most 1.
    pub fn strength(self, strength: f64) -> Result<Self> {
        part("hires_strength", strength)?;
        Ok(Self { strength, ..self })
    }

    /// How the first pictures become larger. Default: the latents.
    #[must_use]
    pub fn upscaler(self, upscaler: Upscaler) -> Self {
        Self { upscaler, ..self }
    }

    /// Steps of the second schedule, of which the strength takes a part. Default: as many as in the first.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless it is 1 to 1000.
    pub fn steps(self, steps: usize) -> Result<Self> {
        if !(1..=MAX_STEPS).contains(&steps) {
            return Err(Error::invalid("hires_steps", steps, format!("1 to {MAX_STEPS}")));
        }
        Ok(Self { steps: Some(steps), ..self })
    }

    /// The settings, as `name: value`.
    pub(super) fn describe(&self) -> serde_json::Value {
        serde_json::json!({
            "scale": self.scale,
            "strength": self.strength,
            "upscaler": self.upscaler.to_string(),
            "steps": self.steps,
        })
    }

    /// Whether the rest of the request leaves something to draw once more.
    pub(super) fn check(&self, request: &Request) -> Result<()> {
        if !matches!(request.origin, Origin::Noise) {
            return Err(Error::invalid(
                "hires",
                "given",
                "none where the run begins with a picture or latents",
            ));
        }
        if request.end_at < 1. {
            return Err(Error::invalid("hires", "given", "none where the run ends early (end_at)"));
        }
        Ok(())
    }

    /// The second run's size on a model whose latents are `factor` times smaller.
    pub(super) fn size(&self, first: Size, factor: i64) -> Size {
        let scaled = |side: i64| (side as f64 * self.scale / factor as f64 + 1e-9) as i64 * factor;
        Size::new(scaled(first.width), scaled(first.height))
    }

    /// The second run, but for what it begins with.
    pub(super) fn plan(&self, first: &Request, size: Size) -> Request {
        Request {
            width: Some(size.width),
            height: Some(size.height),
            steps: self.steps.unwrap_or(first.steps),
            strength: Some(self.strength),
            initial_noise: None,
            hires: None,
            ..first.clone()
        }
    }

    /// What the second run begins with.
    pub(super) fn begin(&self, pipeline: &Pipeline, latents: &Latents, size: Size) -> Result<Origin> {
        match self.upscaler {
            Upscaler::Latent => {
                let factor = pipeline.models.config.vae.factor();
                let latents =
                    upsample_bilinear(latents.tensor()?, [size.height / factor, size.width / factor])?;
                Ok(Origin::Latents(Latents::new(latents)?))
            }
            // `resized` by the run that begins with them.
            Upscaler::Pixel => Ok(Origin::Images(pipeline.decode(latents)?)),
        }
    }
}
