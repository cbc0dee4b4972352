//! [`Guidance`]: how the predictions for the prompt and the negative prompt are combined.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::error::{Error, Result};
use crate::nn::ops::linear_combination;

/// Classifier-free guidance (SDXL paper, appendix C). The default is a scale of 5 without rescaling.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Guidance {
    scale: f64,
    rescale: f64,
    /// The noise levels at which it acts.
    lowest: f64,
    highest: f64,
}

impl Default for Guidance {
    fn default() -> Self {
        Self { scale: 5., ..Self::OFF }
    }
}

impl Guidance {
    /// No guidance: one evaluation of the UNet a step, the negative prompt has no effect. What distilled
    /// models (Turbo, Lightning) want.
    pub const OFF: Self = Self { scale: 1., rescale: 0., lowest: 0., highest: f64::INFINITY };

    /// Guidance of that scale; 1 or less is off.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless the scale is within 0 to 1000.
    pub fn new(scale: f64) -> Result<Self> {
        if !(0. ..=1000.).contains(&scale) {
            return Err(Error::invalid("guidance", scale, "0 to 1000"));
        }
        Ok(Self { scale, ..Self::OFF })
    }

    /// The same with another scale.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_scale(self, scale: f64) -> Result<Self> {
        Ok(Self { scale: Self::new(scale)?.scale, ..self })
    }

    /// Pulls the result back to the standard deviation of the prediction for the prompt, by that fraction
    /// (arXiv 2305.08891, section 3.4). Default 0; 0.7 for models trained with zero terminal SNR.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless the fraction is within 0 to 1.
    pub fn rescale(self, fraction: f64) -> Result<Self> {
        if !(0. ..=1.).contains(&fraction) {
            return Err(Error::invalid("guidance_rescale", fraction, "0 to 1"));
        }
        Ok(Self { rescale: fraction, ..self })
    }

    /// Guides only at noise levels (sigmas) from `lowest` to `highest`, and saves the evaluation of the negative
    /// prompt elsewhere (arXiv 2404.07724). Default: everywhere.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless 0 ≤ `lowest` ≤ `highest`.
    pub fn interval(self, lowest: f64, highest: f64) -> Result<Self> {
        if !(lowest >= 0. && lowest <= highest) {
            return Err(Error::invalid(
                "guidance_interval",
                format!("{lowest} to {highest}"),
                "0 to a larger sigma",
            ));
        }
        Ok(Self { lowest, highest, ..self })
    }

    /// The scale.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The fraction of rescaling.
    pub fn rescale_fraction(&self) -> f64 {
        self.rescale
    }

    /// Whether the negative prompt is evaluated at all.
    pub fn is_on(&self) -> bool {
        self.scale > 1.
    }

    /// Whether the negative prompt is evaluated at a noise level.
    pub fn is_on_at(&self, sigma: f64) -> bool {
        self.is_on() && (self.lowest..=self.highest).contains(&sigma)
    }

    /// The lowest and the highest noise level at which it acts.
    pub fn sigmas(&self) -> (f64, f64) {
        (self.lowest, self.highest)
    }

    /// Combines two outputs of the UNet.
    ///
    /// # Shapes
    /// Both `(B, C, H, W)`.
    pub fn combine(&self, negative: &Tensor, positive: &Tensor) -> Result<Tensor> {
        self.apply(Predictions { negative: Some(negative), positive, perturbed: None })
    }

    /// Combines the outputs of the UNet that there are: `c + (g − 1)·(c − u) + p·(c − c')` for the prompt's `c`,
    /// the negative prompt's `u` and the perturbed `c'`.
    ///
    /// The rescaling belongs to the negative prompt: without one there is none.
    pub fn apply(&self, predictions: Predictions) -> Result<Tensor> {
        let Predictions { negative, positive, perturbed } = predictions;
        let (scale, perturbed_scale) =
            (negative.map_or(1., |_| self.scale), perturbed.map_or(0., |(scale, _)| scale));
        let mut terms = Vec::with_capacity(3);
        terms.extend(negative.map(|negative| (1. - scale, negative)));
        terms.push((scale + perturbed_scale, positive));
        terms.extend(perturbed.map(|(scale, perturbed)| (-scale, perturbed)));
        let guided = linear_combination(&terms)?;
        if self.rescale == 0. || negative.is_none() {
            return Ok(guided);
        }
        let dims = [1, 2, 3].as_slice();
        let factor = positive.f_std_dim(dims, true, true)?.f_div(&guided.f_std_dim(dims, true, true)?)?;
        let rescaled = guided.f_mul(&factor)?;
        linear_combination(&[(self.rescale, &rescaled), (1. - self.rescale, &guided)])
    }
}

/// What the UNet predicts in one step of the sampler, each `(B, C, H, W)`.
#[derive(Debug, Clone, Copy)]
pub struct Predictions<'a> {
    /// For the negative prompt.
    pub negative: Option<&'a Tensor>,
    /// For the prompt.
    pub positive: &'a Tensor,
    /// For the prompt with perturbed self-attentions, and the scale of the guidance away from it.
    pub perturbed: Option<(f64, &'a Tensor)>,
}
