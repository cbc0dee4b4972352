//! [`Start`]: what a run begins with: noise, a picture, a picture under a mask, or another run's latents.

use tch::{Kind, Tensor};

use super::request::Origin;
use super::{Latents, Pipeline, Request};
use crate::conditioning::Size;
use crate::config::PipelineKind;
use crate::error::{Error, Result};
use crate::image::{Image, Mask};
use crate::nn::ops::linear_combination;
use crate::noise::NoiseSource;
use crate::scheduler::{Level, Plan, Range, Scheduler};
use crate::vae::Vae;

/// The first sample of a run, and what a mask keeps of the picture.
pub(super) struct Start {
    pub(super) plan: Plan,
    pub(super) x: Tensor,
    pub(super) masking: Option<Masking>,
    /// Channels that an inpainting UNet takes beside the latents: the mask and the masked picture.
    pub(super) extra: Option<Tensor>,
}

/// Where the mask is black, a run with an ordinary UNet follows the picture instead of the prediction.
pub(super) struct Masking {
    /// `(1, 1, h, w)`: 1 where the picture is repainted.
    mask: Tensor,
    latents: Tensor,
    noise: Tensor,
}

impl Masking {
    /// The sample at a noise level, with the picture in the place of what is not repainted.
    pub(super) fn apply(&self, x: &Tensor, level: Level) -> Result<Tensor> {
        let kept = linear_combination(&[(1., &self.latents), (level.sigma, &self.noise)])?;
        // kept + mask · (x − kept)
        Ok(kept.f_add(&self.mask.f_mul(&x.f_sub(&kept)?)?)?)
    }
}

impl Masking {
    /// The same at the end of a run, for latents: the picture itself, without noise.
    pub(super) fn finish(&self, latents: &Tensor) -> Result<Tensor> {
        Ok(self.latents.f_add(&self.mask.f_mul(&latents.f_sub(&self.latents)?)?)?)
    }
}

impl Start {
    pub(super) fn new(
        pipeline: &Pipeline,
        request: &Request,
        scheduler: &Scheduler,
        noise: &mut NoiseSource,
    ) -> Result<Self> {
        check_kind(pipeline, request)?;
        let size = pipeline.size_of(request)?;
        let plan = |range: Range| scheduler.plan(request.steps, range.ending_at(request.end_at));
        match &request.origin {
            Origin::Noise => {
                let plan = plan(Range::full())?;
                let start = match &request.initial_noise {
                    Some(start) => start.0.f_to_device(pipeline.device.tch())?,
                    None => pipeline.draw(noise, size)?,
                };
                Ok(Self { x: plan.start(&start)?, plan, masking: None, extra: None })
            }
            Origin::Resume { latents, at } => {
                let plan = plan(Range::starting_at(*at))?;
                let latents = pipeline.rows(latents, request.seeds.len())?;
                Ok(Self { x: plan.resume(&latents)?, plan, masking: None, extra: None })
            }
            Origin::Image(image) => {
                let plan = plan(Range::strength(request.strength()))?;
                // In diffusers' order of draws: the posterior of the picture, then the noise.
                let latents = pipeline.encode_image(image, size, noise)?;
                let noise = pipeline.draw(noise, size)?;
                Ok(Self { x: plan.start_from(&latents, &noise)?, plan, masking: None, extra: None })
            }
            Origin::Latents(latents) => {
                let plan = plan(Range::strength(request.strength()))?;
                let latents = pipeline.rows(latents, request.seeds.len())?;
                let noise = pipeline.draw(noise, size)?;
                Ok(Self { x: plan.start_from(&latents, &noise)?, plan, masking: None, extra: None })
            }
            Origin::Inpaint { image, mask } => {
                let plan = plan(Range::strength(request.strength()))?;
                Self::inpaint(pipeline, request, plan, (image, mask), noise)
            }
        }
    }

    fn inpaint(
        pipeline: &Pipeline,
        request: &Request,
        plan: Plan,
        (image, mask): (&Image, &Mask),
        noise: &mut NoiseSource,
    ) -> Result<Self> {
        let size = pipeline.size_of(request)?;
        let device = pipeline.device.tch();
        let mask = mask.resized(size.width as u32, size.height as u32)?.to_tensor()?;
        let factor = pipeline.models.config.vae.factor();
        let (height, width) = (size.height / factor, size.width / factor);
        // Of each block of pixels the first, as diffusers' nearest interpolation takes it.
        let small = mask.f_upsample_nearest2d([height, width], None, None)?.f_to_device(device)?;

        let ordinary = pipeline.kind() != PipelineKind::Inpaint;
        let all_noise = request.strength() >= 1.;
        let latents =
            if ordinary || !all_noise { Some(pipeline.encode_image(image, size, noise)?) } else { None };
        let drawn = pipeline.draw(noise, size)?;
        let x = match &latents {
            Some(latents) if !all_noise => plan.start_from(latents, &drawn)?,
            _ => plan.start(&drawn)?,
        };
        if ordinary {
            // diffusers samples the masked picture's latents here too, without a use for them: what a scheduler
            // draws comes after.
            drop(pipeline.draw(noise, size)?);
            let latents = latents.map_or_else(|| drawn.f_zeros_like(), Ok)?;
            return Ok(Self {
                plan,
                x,
                masking: Some(Masking { mask: small, latents, noise: drawn }),
                extra: None,
            });
        }
        let kept = mask.f_lt(0.5)?.f_to_kind(Kind::Float)?;
        let masked = image.resized(size.width as u32, size.height as u32)?.to_tensor()?.f_mul(&kept)?;
        let masked = pipeline.encode_tensor(&masked, noise)?;
        let batch = request.seeds.len() as i64;
        let small = small.f_expand([batch, 1, height, width], false)?;
        let extra = Tensor::f_cat(&[&small, &masked], 1)?;
        Ok(Self { plan, x, masking: None, extra: Some(extra) })
    }
}

/// Which models serve which requests.
fn check_kind(pipeline: &Pipeline, request: &Request) -> Result<()> {
    let expected = match (pipeline.kind(), &request.origin) {
        (PipelineKind::Base, _) | (PipelineKind::Inpaint, Origin::Inpaint { .. }) => return Ok(()),
        (PipelineKind::Refiner, Origin::Noise) => {
            "a base model for text to image: a refiner needs a picture or latents"
        }
        (PipelineKind::Refiner, _) => return Ok(()),
        (PipelineKind::Inpaint, _) => "a base model: an inpainting model needs a picture and a mask",
    };
    let model = format!("{} at {}", pipeline.kind(), pipeline.path().display());
    Err(Error::invalid("model", model, expected))
}

impl Pipeline {
    /// Noise for the latents of pictures of that size.
    fn draw(&self, noise: &mut NoiseSource, size: Size) -> Result<Tensor> {
        let config = &self.models.config.vae;
        let shape = [config.latent_channels, size.height / config.factor(), size.width / config.factor()];
        Ok(noise.normal(&shape)?.f_to_device(self.device.tch())?)
    }

    /// The latents of a picture, one row for each seed: samples of the encoder's distribution.
    fn encode_image(&self, image: &Image, size: Size, noise: &mut NoiseSource) -> Result<Tensor> {
        self.encode_tensor(&image.resized(size.width as u32, size.height as u32)?.to_tensor()?, noise)
    }

    fn encode_tensor(&self, image: &Tensor, noise: &mut NoiseSource) -> Result<Tensor> {
        let image = image.f_to_device(self.device.tch())?;
        let rows = noise.batch() as i64;
        match &self.models.vae {
            Vae::Kl(vae) => {
                let moments = vae.encode(&image)?;
                let mut shape = moments.mean.size();
                if let Some(first) = shape.first_mut() {
                    *first = rows;
                }
                let draw = noise.normal(shape.get(1..).unwrap_or_default())?.f_to_device(image.device())?;
                vae.scale(&moments.sample(&draw)?)
            }
            Vae::Tiny(vae) => {
                let latents = vae.encode(&image)?;
                let (_, channels, height, width) = latents.size4()?;
                Ok(latents.f_expand([rows, channels, height, width], false)?)
            }
        }
    }

    /// Latents on the device, one row for each picture.
    fn rows(&self, latents: &Latents, batch: usize) -> Result<Tensor> {
        let (rows, channels, height, width) = latents.0.size4()?;
        let batch = batch as i64;
        if rows != 1 && rows != batch {
            return Err(Error::invalid("latents", format!("{rows} pictures"), format!("1 or {batch}")));
        }
        let latents = latents.0.f_to_device(self.device.tch())?;
        Ok(latents.f_expand([batch, channels, height, width], false)?)
    }
}
