//! [`Request`]: one order for pictures, with everything that can be checked without a model checked.

use serde::{Deserialize, Serialize};

use crate::conditioning::{Conditioning, Guidance, PerturbedAttention, Size};
use crate::error::{Error, Result};
use crate::image::{Image, Margins, Mask};
use crate::scheduler::Scheduler;
use crate::unet::FreeU;

use super::{Hires, Latents, check};

/// An order for pictures: what they show, their size, steps, guidance and seeds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    pub(crate) conditioning: Conditioning,
    pub(crate) width: Option<i64>,
    pub(crate) height: Option<i64>,
    pub(crate) steps: usize,
    pub(crate) guidance: Guidance,
    pub(crate) freeu: Option<FreeU>,
    pub(crate) deep_cache: Option<usize>,
    pub(crate) perturbed_attention: Option<PerturbedAttention>,
    pub(crate) seeds: Vec<u64>,
    pub(crate) scheduler: Option<Scheduler>,
    pub(crate) initial_noise: Option<Latents>,
    pub(crate) origin: Origin,
    pub(crate) strength: Option<f64>,
    pub(crate) end_at: f64,
    pub(crate) padding_mask_crop: Option<u32>,
    pub(crate) skip_draws: usize,
    pub(crate) variation: Option<Variation>,
    pub(crate) hires: Option<Hires>,
    pub(crate) watermark: bool,
}

/// Start noise on the way from the seed's to that of another seed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Variation {
    pub(crate) seed: u64,
    pub(crate) strength: f64,
}

/// What a run begins with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Origin {
    /// Noise: text to image.
    Noise,
    /// Pictures, noised: image to image. One for all seeds, or one for each.
    Images(Vec<Image>),
    /// The latents of a picture, noised.
    Latents(Latents),
    /// Pictures of which masks say what is repainted.
    Inpaint(Inpaint),
    /// A picture to which canvas is added; inpainting once the request is built.
    Outpaint { image: Image, margins: Margins },
    /// The latents that another run left at a fraction of the schedule.
    Resume { latents: Latents, at: f64 },
}

/// Pictures and masks, and how they are put together again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Inpaint {
    /// One for all seeds, or one for each.
    pub(crate) pictures: Vec<(Image, Mask)>,
    /// Whether the pictures' own pixels are put back where the mask is black.
    pub(crate) overlay: bool,
}

/// Builds a [`Request`].
#[derive(Debug, Clone)]
#[must_use]
pub struct RequestBuilder {
    request: Request,
    batch: Option<usize>,
    overlay: Option<bool>,
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
                deep_cache: None,
                perturbed_attention: None,
                seeds: vec![0],
                scheduler: None,
                initial_noise: None,
                origin: Origin::Noise,
                strength: None,
                end_at: 1.,
                padding_mask_crop: None,
                skip_draws: 0,
                variation: None,
                hires: None,
                watermark: false,
            },
            batch: None,
            overlay: None,
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
            Origin::Inpaint(_) | Origin::Outpaint { .. } => 0.9999,
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

    /// Evaluates the deep levels of the UNet only once in so many times, and reuses what they gave
    /// ([`DeepCache`](crate::unet::DeepCache)): the pictures change, the more the higher; 2 or 3 are usual, and 20 steps or
    /// more. 1 to 100. Default: 1, every time. `docs/shortcuts.md` has figures.
    pub fn deep_cache(self, every: usize) -> Self {
        self.change(|request| request.deep_cache = Some(every).filter(|&every| every != 1))
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
        self.images(vec![image])
    }

    /// The same with a picture for each seed. Without seeds or a batch there are as many as pictures.
    pub fn images(self, images: Vec<Image>) -> Self {
        self.change(|request| request.origin = Origin::Images(images))
    }

    /// Begins with the latents of a picture instead of noise.
    pub fn image_latents(self, latents: Latents) -> Self {
        self.change(|request| request.origin = Origin::Latents(latents))
    }

    /// Repaints a part of a picture: what is light in the mask. See [`Mask::blurred`] for soft edges.
    pub fn inpaint(self, image: Image, mask: Mask) -> Self {
        self.inpaint_each(vec![(image, mask)])
    }

    /// The same with a picture and a mask for each seed. Without seeds or a batch there are as many as pictures.
    pub fn inpaint_each(self, pictures: Vec<(Image, Mask)>) -> Self {
        self.change(|request| request.origin = Origin::Inpaint(Inpaint { pictures, overlay: false }))
    }

    /// Paints more canvas around a picture: inpainting of [`Image::outpainted`], whose pixels are kept.
    pub fn outpaint(self, image: Image, margins: Margins) -> Self {
        self.change(|request| request.origin = Origin::Outpaint { image, margins })
    }

    /// Whether inpainting puts the picture's own pixels back where the mask is black, byte for byte, and fades with
    /// a soft mask. Otherwise they go through the autoencoder, which changes them a little. The pictures drawn then
    /// have the size of the given one. Default: only with [`padding_mask_crop`](Self::padding_mask_crop) and
    /// [`outpaint`](Self::outpaint), as in diffusers.
    pub fn overlay(self, overlay: bool) -> Self {
        Self { overlay: Some(overlay), ..self }
    }

    /// Redraws only the surroundings of the mask, enlarged: what is not black in it and so many pixels around it, in
    /// the shape of the size asked for, which is now that of the part. Default of the size: the model's own. The
    /// result is put into the picture again.
    pub fn padding_mask_crop(self, padding: u32) -> Self {
        self.change(|request| request.padding_mask_crop = Some(padding))
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

    /// Passes over the first tensors of noise that a seed gives: as many as the first stage of an ensemble drew
    /// ([`Sampling::draws`](super::Sampling::draws)), so that the second one does not draw the same again. Default 0.
    pub fn skip_draws(self, count: usize) -> Self {
        self.change(|request| request.skip_draws = count)
    }

    /// Starts from noise on the way from the seed's to that of another seed, along a sphere: a variation of the
    /// seed's picture. 0 is the seed's, 1 the other's. As in A1111's web interface all pictures of a
    /// [`batch`](Self::batch) then have one seed, and the other seed counts up.
    pub fn variation(self, seed: u64, strength: f64) -> Self {
        self.change(|request| request.variation = Some(Variation { seed, strength }))
    }

    /// Draws the pictures once more, larger and beginning with the first ones. Default: not.
    pub fn hires(self, hires: Hires) -> Self {
        self.change(|request| request.hires = Some(hires))
    }

    /// Whether the pictures carry the invisible watermark of the reference pipeline, 48 bits that
    /// [`Image::watermark_bits`] reads: as diffusers' `add_watermarker`, on what the autoencoder gives. What an overlay puts
    /// back of the original picture carries none, and neither do previews, nor pictures narrower than 256 pixels or of
    /// fewer than 256 x 256. Default: no; in diffusers it depends on what is installed.
    pub fn watermark(self, watermark: bool) -> Self {
        self.change(|request| request.watermark = watermark)
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the value that is out of range, and the range.
    pub fn build(self) -> Result<Request> {
        let Self { mut request, batch, overlay } = self;
        if let Origin::Outpaint { image, margins } = &request.origin {
            let pictures = vec![image.outpainted(*margins)?];
            check::outpainted(&request, &pictures)?;
            request.origin = Origin::Inpaint(Inpaint { pictures, overlay: true });
        }
        if let Origin::Inpaint(inpaint) = &mut request.origin {
            inpaint.overlay = overlay.unwrap_or(inpaint.overlay || request.padding_mask_crop.is_some());
        } else if overlay.is_some() {
            return Err(Error::invalid("overlay", "given", "none without inpainting"));
        }
        request.seeds = check::seeds(&request, batch)?;
        check::check(&request)?;
        Ok(request)
    }
}
