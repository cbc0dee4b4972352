//! [`Denoiser`]: noisy latents and a noise level to denoised latents.

use tch::{Kind, Tensor};

use crate::conditioning::Guidance;
use crate::error::Result;
use crate::scheduler::{Denoise, Level, Prediction};
use crate::unet::{Unet, UnetConditioning, UnetOptions};

/// The only place that scales the UNet's input, tells it the timestep, changes the type, evaluates both
/// sides of guidance in one batch, and reads the output as what the model predicts.
pub(super) struct Denoiser<'a> {
    pub(super) unet: &'a Unet,
    pub(super) sides: &'a Sides,
    pub(super) guidance: Guidance,
    pub(super) prediction: Prediction,
    pub(super) options: UnetOptions,
    pub(super) kind: Kind,
    /// More channels of an inpainting UNet's input.
    pub(super) extra: Option<&'a Tensor>,
    /// What was denoised last, for previews.
    pub(super) denoised: &'a mut Option<Tensor>,
}

/// What the UNet is told for each side of guidance.
pub(super) struct Sides {
    pub(super) positive: UnetConditioning,
    /// The rows of the negative prompt, then those of the prompt; `None` where guidance is off.
    pub(super) both: Option<UnetConditioning>,
}

impl Denoise for Denoiser<'_> {
    fn denoise(&mut self, x: &Tensor, level: Level) -> Result<Tensor> {
        let input = self.prediction.input(x, level.sigma)?.f_to_kind(self.kind)?;
        let input = match self.extra {
            Some(extra) => Tensor::f_cat(&[&input, &extra.f_to_kind(self.kind)?], 1)?,
            None => input,
        };
        let batch = input.size4()?.0;
        let output = match self.sides.both.as_ref().filter(|_| self.guidance.is_on_at(level.sigma)) {
            Some(both) => {
                let output = self.evaluate(&Tensor::f_cat(&[&input, &input], 0)?, level, both)?;
                self.guidance.combine(&output.f_narrow(0, 0, batch)?, &output.f_narrow(0, batch, batch)?)?
            }
            None => self.evaluate(&input, level, &self.sides.positive)?,
        };
        let denoised = self.prediction.denoised(&output, x, level.sigma)?;
        *self.denoised = Some(denoised.shallow_clone());
        Ok(denoised)
    }
}

impl Denoiser<'_> {
    fn evaluate(&self, input: &Tensor, level: Level, conditioning: &UnetConditioning) -> Result<Tensor> {
        let timestep = Tensor::f_full([input.size4()?.0], level.timestep, (Kind::Float, input.device()))?;
        Ok(self.unet.forward_with(input, &timestep, conditioning, self.options)?.f_to_kind(Kind::Float)?)
    }
}
