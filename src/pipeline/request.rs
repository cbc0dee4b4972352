//! [`Request`]: one order for pictures, with everything that can be checked without a model checked.

use crate::conditioning::{Conditioning, Guidance, PerturbedAttention, Size};
use crate::error::{Error, Result};
use crate::image::{Image, Mask};
use crate::scheduler::Scheduler;
use crate::unet::FreeU;

use super::{Latents, prompts};

/// The largest side of a picture, in pixels.
pub(super) const MAX_SIDE: i64 = 8192;
/// More steps than the training schedule has make no sense.
const MAX_STEPS: usize = 1000;
/// Pictures of one request.
const MAX_BATCH: usize = 1024;

/// An order for pictures: what they show, their size, steps, guidance and seeds.
#[derive(Debug, Clone)]
pub struct Request {
    pub(crate) conditioning: Conditioning,
    pub(crate) width: Option<i64>,
    pub(crate) height: Option<i64>,
    pub(crate) steps: usize,
    pub(crate) guidance: Guidance,
    pub(crate) freeu: Option<FreeU>,
    pub(crate) perturbed_attention: Option<PerturbedAttention>,
    pub(crate) seeds: Vec<u64>,
    pub(crate) scheduler: Option<Scheduler>,
    pub(crate) initial_noise: Option<Latents>,
    pub(crate) origin: Origin,
    pub(crate) strength: Option<f64>,
    pub(crate) end_at: f64,
}

/// What a run begins with.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// Noise: text to image.
    Noise,
    /// A picture, noised: image to image.
    Image(Image),
    /// The latents of a picture, noised.
    Latents(Latents),
    /// A picture of which the mask says what is repainted.
    Inpaint { image: Image, mask: Mask },
    /// The latents that another run left at a fraction of the schedule.
    Resume { latents: Latents, at: f64 },
}

/// Builds a [`Request`].
#[derive(Debug, Clone)]
#[must_use]
pub struct RequestBuilder {
    request: Request,
    batch: Option<usize>,
}

impl Request {
    /// An order with diffusers' defaults: 50 steps, guidance 5, seed 0, one picture of the model's own size.
    pub fn builder(conditioning: Conditioning) -> RequestBuilder {
        RequestBuilder {
            request: Self {
                conditioning,
                width: None,
                height: None,
                steps: 50,
                guidance: Guidance::default(),
                freeu: None,
                perturbed_attention: None,
                seeds: vec![0],
                scheduler: None,
                initial_noise: None,
                origin: Origin::Noise,
                strength: None,
                end_at: 1.,
            },
            batch: None,
        }
    }

    /// What the pictures show.
    pub fn conditioning(&self) -> &Conditioning {
        &self.conditioning
    }

    /// The seed of each picture.
    pub fn seeds(&self) -> &[u64] {
        &self.seeds
    }

    /// Steps of the sampler.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Guidance.
    pub fn guidance(&self) -> Guidance {
        self.guidance
    }

    /// How much of a picture that the run begins with is changed.
    pub fn strength(&self) -> f64 {
        // diffusers' defaults.
        self.strength.unwrap_or(match self.origin {
            Origin::Inpaint { .. } => 0.9999,
            _ => 0.3,
        })
    }
}

impl RequestBuilder {
    fn change(mut self, change: impl FnOnce(&mut Request)) -> Self {
        change(&mut self.request);
        self
    }

    /// The size of the pictures: sides of 8 to 8192 pixels, multiples of 8. Default: the side that the model
    /// was trained for, 1024 for SDXL.
    pub fn size(self, size: Size) -> Self {
        self.width(size.width).height(size.height)
    }

    /// The width alone; the height is the model's own.
    pub fn width(self, width: i64) -> Self {
        self.change(|request| request.width = Some(width))
    }

    /// The height alone; the width is the model's own.
    pub fn height(self, height: i64) -> Self {
        self.change(|request| request.height = Some(height))
    }

    /// Steps of the sampler, 1 to 1000. Default 50.
    pub fn steps(self, steps: usize) -> Self {
        self.change(|request| request.steps = steps)
    }

    /// How the negative prompt is used. Default: a scale of 5.
    pub fn guidance(self, guidance: Guidance) -> Self {
        self.change(|request| request.guidance = guidance)
    }

    /// Guides away from what the UNet predicts with perturbed self-attentions (PAG), beside the negative prompt or
    /// without one. Default: not.
    pub fn perturbed_attention(self, perturbed: PerturbedAttention) -> Self {
        self.change(|request| request.perturbed_attention = Some(perturbed))
    }

    /// Changes the UNet's way up (FreeU). Default: not.
    pub fn freeu(self, freeu: FreeU) -> Self {
        self.change(|request| request.freeu = Some(freeu))
    }

    /// The seed of the first picture; each further picture of the batch has the next number. Default 0.
    pub fn seed(self, seed: u64) -> Self {
        self.change(|request| request.seeds = vec![seed])
    }

    /// The number of pictures. Default 1.
    pub fn batch(self, batch: usize) -> Self {
        Self { batch: Some(batch), ..self }
    }

    /// A seed for each picture; decides the number of pictures.
    pub fn seeds(self, seeds: &[u64]) -> Self {
        self.change(|request| request.seeds = seeds.to_vec())
    }

    /// Another scheduler than the pipeline's.
    pub fn scheduler(self, scheduler: Scheduler) -> Self {
        self.change(|request| request.scheduler = Some(scheduler))
    }

    /// The noise to start from, of unit variance, instead of noise drawn from the seeds. It decides the size
    /// and the number of pictures.
    pub fn initial_noise(self, noise: Latents) -> Self {
        self.change(|request| request.initial_noise = Some(noise))
    }

    /// Begins with a picture instead of noise (image to image). Its size is that of the pictures drawn, rounded
    /// down to multiples of 8, unless a size is given: then it is resized.
    pub fn image(self, image: Image) -> Self {
        self.change(|request| request.origin = Origin::Image(image))
    }

    /// Begins with the latents of a picture instead of noise.
    pub fn image_latents(self, latents: Latents) -> Self {
        self.change(|request| request.origin = Origin::Latents(latents))
    }

    /// Repaints a part of a picture: what is light in the mask.
    pub fn inpaint(self, image: Image, mask: Mask) -> Self {
        self.change(|request| request.origin = Origin::Inpaint { image, mask })
    }

    /// How much of the picture is changed: the last `⌊strength · steps⌋` steps are taken. Above 0 to 1. Default
    /// 0.3, with a mask 0.9999. At 1 a masked run begins with noise alone.
    pub fn strength(self, strength: f64) -> Self {
        self.change(|request| request.strength = Some(strength))
    }

    /// Goes on with latents that another run left at that fraction of the schedule ([`end_at`](Self::end_at)):
    /// the second stage of the paper's ensemble of experts. 0 to below 1.
    pub fn resume(self, latents: Latents, at: f64) -> Self {
        self.change(|request| {
            request.origin = Origin::Resume { latents, at };
            // Those of the first stage.
            request.initial_noise = None;
            request.strength = None;
        })
    }

    /// Stops at that fraction of the schedule; the latents are then noisy, for another run to go on with. Above
    /// 0 to 1. Default 1, the end.
    pub fn end_at(self, fraction: f64) -> Self {
        self.change(|request| request.end_at = fraction)
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the value that is out of range, and the range.
    pub fn build(self) -> Result<Request> {
        let Self { mut request, batch } = self;
        prompts::check(&request.conditioning)?;
        check_side("width", request.width)?;
        check_side("height", request.height)?;
        if !(1..=MAX_STEPS).contains(&request.steps) {
            return Err(Error::invalid("steps", request.steps, format!("1 to {MAX_STEPS}")));
        }
        if let Some(freeu) = &request.freeu {
            freeu.check()?;
        }
        if let (Some(noise), None, &[seed]) = (&request.initial_noise, batch, request.seeds.as_slice()) {
            let rows = noise.0.size().first().copied().unwrap_or(1) as u64;
            request.seeds = (0..rows).map(|row| seed.wrapping_add(row)).collect();
        }
        if request.strength.is_some() && matches!(request.origin, Origin::Noise | Origin::Resume { .. }) {
            return Err(Error::invalid(
                "strength",
                request.strength(),
                "none without a picture to begin with",
            ));
        }
        if let Some(batch) = batch {
            if !(1..=MAX_BATCH).contains(&batch) {
                return Err(Error::invalid("batch", batch, format!("1 to {MAX_BATCH}")));
            }
            match request.seeds.as_slice() {
                &[first] => {
                    request.seeds = (0..batch as u64).map(|index| first.wrapping_add(index)).collect()
                }
                seeds if seeds.len() == batch => {}
                seeds => {
                    return Err(Error::invalid(
                        "batch",
                        batch,
                        format!("{}, the number of seeds", seeds.len()),
                    ));
                }
            }
        }
        if !(1..=MAX_BATCH).contains(&request.seeds.len()) {
            return Err(Error::invalid("seeds", request.seeds.len(), format!("1 to {MAX_BATCH} seeds")));
        }
        let unit = |field, value: f64, least: bool| {
            let fits = value <= 1. && if least { value > 0. } else { (0. ..1.).contains(&value) };
            let expected = if least { "above 0 and at most 1" } else { "0 to below 1" };
            if fits { Ok(()) } else { Err(Error::invalid(field, value, expected)) }
        };
        unit("strength", request.strength(), true)?;
        unit("end_at", request.end_at, true)?;
        if let Origin::Resume { at, .. } = &request.origin {
            unit("resume", *at, false)?;
            if *at >= request.end_at {
                return Err(Error::invalid("resume", at, format!("less than the end, {}", request.end_at)));
            }
        }
        match &request.origin {
            Origin::Inpaint { image, mask } if (image.height(), image.width()) != mask.shades().dim() => {
                let (height, width) = mask.shades().dim();
                let expected = format!("{}x{}, the size of the picture", image.width(), image.height());
                return Err(Error::invalid("mask", format!("{width}x{height}"), expected));
            }
            Origin::Noise => {}
            _ if request.initial_noise.is_some() => {
                let expected = "none where the run begins with a picture or latents";
                return Err(Error::invalid("initial_noise", "given", expected));
            }
            _ => {}
        }
        if let Some(noise) = &request.initial_noise {
            let rows = noise.0.size().first().copied().unwrap_or(0);
            if usize::try_from(rows) != Ok(request.seeds.len()) {
                return Err(Error::invalid(
                    "initial_noise",
                    format!("{rows} pictures"),
                    format!("{}, as many as seeds", request.seeds.len()),
                ));
            }
        }
        Ok(request)
    }
}

fn check_side(field: &'static str, side: Option<i64>) -> Result<()> {
    match side {
        Some(side) if !(8..=MAX_SIDE).contains(&side) || side % 8 != 0 => {
            Err(Error::invalid(field, side, format!("a multiple of 8 from 8 to {MAX_SIDE} pixels")))
        }
        _ => Ok(()),
    }
}
