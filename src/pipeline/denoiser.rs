//! [`Denoiser`]: noisy latents and a noise level to denoised latents.

use tch::{Kind, Tensor};

use crate::conditioning::Guidance;
use crate::error::Result;
use crate::scheduler::{Denoise, Level, Prediction};
use crate::unet::{Unet, UnetConditioning};

/// The only place that scales the UNet's input, tells it the timestep, changes the type, evaluates both
/// sides of guidance in one batch, and reads the output as what the model predicts.
pub(super) struct Denoiser<'a> {
    pub(super) unet: &'a Unet,
    /// Rows of the negative prompt first where guidance is on, then those of the prompt.
    pub(super) conditioning: &'a UnetConditioning,
    pub(super) guidance: Guidance,
    pub(super) prediction: Prediction,
    pub(super) kind: Kind,
    /// More channels of an inpainting UNet's input.
    pub(super) extra: Option<&'a Tensor>,
}

impl Denoise for Denoiser<'_> {
    fn denoise(&mut self, x: &Tensor, level: Level) -> Result<Tensor> {
        let input = self.prediction.input(x, level.sigma)?.f_to_kind(self.kind)?;
        let input = match self.extra {
            Some(extra) => Tensor::f_cat(&[&input, &extra.f_to_kind(self.kind)?], 1)?,
            None => input,
        };
        let batch = input.size4()?.0;
        let both = self.guidance.is_on() && self.unet.config().time_cond_proj_dim.is_none();
        let input = if both { Tensor::f_cat(&[&input, &input], 0)? } else { input };
        let timestep = Tensor::f_full([input.size4()?.0], level.timestep, (Kind::Float, x.device()))?;
        let output = self.unet.forward(&input, &timestep, self.conditioning)?.f_to_kind(Kind::Float)?;
        let output = if both {
            self.guidance.combine(&output.f_narrow(0, 0, batch)?, &output.f_narrow(0, batch, batch)?)?
        } else {
            output
        };
        self.prediction.denoised(&output, x, level.sigma)
    }
}
