//! [`Denoiser`]: noisy latents and a noise level to denoised latents.

use std::cell::{Ref, RefCell};

use tch::{Kind, Tensor};

use super::inpaint::Masking;
use crate::conditioning::{Guidance, PerturbedAttention, Predictions};
use crate::error::{Error, Result};
use crate::scheduler::{Denoise, Level, Prediction};
use crate::unet::{
    DeepCache, FreeU, Perturbed, PreparedConditioning, SelfAttentions, Unet, UnetConditioning, UnetOptions,
};

/// The only place that scales the UNet's input, tells it the timestep, changes the type, evaluates all sides of
/// guidance in one batch, and reads the output as what the model predicts.
pub(super) struct Denoiser<'a> {
    pub(super) unet: &'a Unet,
    pub(super) sides: &'a Sides,
    pub(super) guidance: Guidance,
    pub(super) prediction: Prediction,
    pub(super) freeu: Option<FreeU>,
    pub(super) deep: Option<&'a DeepCache>,
    pub(super) kind: Kind,
    /// More channels of an inpainting UNet's input.
    pub(super) extra: Option<&'a Tensor>,
    /// What is kept of a picture.
    pub(super) masking: Option<&'a Masking>,
    /// What was denoised last, for previews.
    pub(super) denoised: &'a mut Option<Tensor>,
}

/// What the UNet is told for each side of guidance.
pub(super) struct Sides {
    /// The rows of the negative prompt, where it is used; of the prompt; and of the prompt again, where attention
    /// is perturbed. What a step does not need is at the ends.
    rows: UnetConditioning,
    has_negative: bool,
    perturbation: Option<(PerturbedAttention, SelfAttentions)>,
    /// For the rows, first and number, that the last step needed. They change where guidance ends.
    prepared: RefCell<Option<([i64; 2], PreparedConditioning)>>,
}

impl Sides {
    pub(super) fn new(
        negative: Option<UnetConditioning>,
        positive: UnetConditioning,
        perturbation: Option<(PerturbedAttention, SelfAttentions)>,
    ) -> Result<Self> {
        let has_negative = negative.is_some();
        let mut rows = match &perturbation {
            Some(_) => positive.cat(&positive)?,
            None => positive,
        };
        if let Some(negative) = negative {
            rows = negative.cat(&rows)?;
        }
        Ok(Self { rows, has_negative, perturbation, prepared: RefCell::new(None) })
    }

    /// What the UNet is told in these rows: computed in the first step that needs them.
    fn prepared(&self, unet: &Unet, [first, count]: [i64; 2]) -> Result<Ref<'_, PreparedConditioning>> {
        let there = self.prepared.borrow().as_ref().map(|(rows, _)| *rows);
        if there != Some([first, count]) {
            // Room for the new ones.
            self.prepared.replace(None);
            let prepared = unet.prepare(&self.rows.narrow(first, count)?)?;
            self.prepared.replace(Some(([first, count], prepared)));
        }
        let prepared = Ref::filter_map(self.prepared.borrow(), |prepared| {
            prepared.as_ref().map(|(_, prepared)| prepared)
        });
        prepared.map_err(|_| Error::invalid("conditioning", "nothing", "what was prepared"))
    }

    /// Lets go of what was computed for the steps: a hundred megabytes of SDXL.
    pub(super) fn forget(&self) {
        self.prepared.replace(None);
    }
}

impl Denoise for Denoiser<'_> {
    fn denoise(&mut self, x: &Tensor, level: Level) -> Result<Tensor> {
        // Solvers that evaluate twice in a step see the picture in between too; the start is as it is.
        let masked = match self.masking.filter(|_| self.denoised.is_some()) {
            Some(masking) => Some(masking.apply(x, level)?),
            None => None,
        };
        let x = masked.as_ref().unwrap_or(x);
        let input = self.prediction.input(x, level.sigma)?.f_to_kind(self.kind)?;
        let input = match self.extra {
            Some(extra) => Tensor::f_cat(&[&input, &extra.f_to_kind(self.kind)?], 1)?,
            None => input,
        };
        let output = self.guided(&input, level)?;
        let denoised = self.prediction.denoised(&output, x, level.sigma)?;
        *self.denoised = Some(denoised.shallow_clone());
        Ok(denoised)
    }
}

impl Denoiser<'_> {
    /// The UNet's output for all sides that act at this level, combined.
    fn guided(&self, input: &Tensor, level: Level) -> Result<Tensor> {
        let batch = input.size4()?.0;
        let with_negative = self.sides.has_negative && self.guidance.is_on_at(level.sigma);
        let perturbation = self.sides.perturbation.as_ref();
        let perturbation = perturbation
            .map(|(perturbed, layers)| (perturbed.scale_at(level.timestep), layers))
            .filter(|(scale, _)| *scale > 0.);

        let sides = 1 + i64::from(with_negative) + i64::from(perturbation.is_some());
        let first = if self.sides.has_negative && !with_negative { batch } else { 0 };
        let conditioning = self.sides.prepared(self.unet, [first, sides * batch])?;
        let timestep = Tensor::f_from_slice(&vec![level.timestep as f32; (sides * batch) as usize])?
            .f_to_device(input.device())?;
        let options = UnetOptions {
            freeu: self.freeu,
            deep: self.deep,
            perturbed: perturbation.map(|(_, layers)| Perturbed { layers, rows: batch }),
        };
        let input = Tensor::f_cat(&vec![input; sides as usize], 0)?;
        let output = self.unet.forward_with(&input, &timestep, &conditioning, options)?;

        let output = output.f_to_kind(Kind::Float)?;
        let side = |index: i64| output.f_narrow(0, index * batch, batch);
        let negative = if with_negative { Some(side(0)?) } else { None };
        let positive = side(i64::from(with_negative))?;
        let perturbed = match perturbation {
            Some((scale, _)) => Some((scale, side(sides - 1)?)),
            None => None,
        };
        if sides == 1 {
            return Ok(positive);
        }
        self.guidance.apply(Predictions {
            negative: negative.as_ref(),
            positive: &positive,
            perturbed: perturbed.as_ref().map(|(scale, perturbed)| (*scale, perturbed)),
        })
    }
}
