//! [`Start`]: what a run begins with: noise, a picture, a picture under a mask, or another run's latents.

use tch::{Kind, Tensor};

use super::inpaint::{Masking, Overlay};
use super::request::{Origin, Variation};
use super::{Latents, Pipeline, Request, is_finite};
use crate::conditioning::Size;
use crate::config::PipelineKind;
use crate::error::{Error, Result};
use crate::image::Image;
use crate::noise::NoiseSource;
use crate::runtime::{Numbers, no_grad};
use crate::scheduler::{Plan, Range, Scheduler};
use crate::vae::{Moments, Vae};

/// The first sample of a run, and what a mask keeps of the picture.
pub(super) struct Start {
    pub(super) plan: Plan,
    pub(super) x: Tensor,
    pub(super) masking: Option<Masking>,
    /// Channels that an inpainting UNet takes beside the latents: the mask and the masked picture.
    pub(super) extra: Option<Tensor>,
    /// How the result is put into the given pictures.
    pub(super) overlay: Option<Overlay>,
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
        for _ in 0..request.skip_draws {
            drop(pipeline.draw(noise, size)?);
        }
        let range = match &request.origin {
            Origin::Noise => Range::full(),
            Origin::Resume { at, .. } => Range::starting_at(*at),
            _ => Range::strength(request.strength()),
        };
        let plan = scheduler.plan(request.steps, range.ending_at(request.end_at))?;
        let x = match &request.origin {
            Origin::Noise => match &request.initial_noise {
                Some(start) => plan.start(&start.tensor()?.f_to_device(pipeline.device.tch())?)?,
                None => plan.start(&pipeline.start_noise(request, noise, size)?)?,
            },
            Origin::Resume { latents, .. } => plan.resume(&pipeline.rows(latents, request.seeds.len())?)?,
            Origin::Images(images) => {
                let (width, height) = (size.width as u32, size.height as u32);
                let images = images.iter().map(|image| image.resized(width, height)?.to_tensor());
                // In diffusers' order of draws: the posterior of the picture, then the noise.
                let latents = pipeline.encode_tensors(&images.collect::<Result<Vec<_>>>()?, noise)?;
                plan.start_from(&latents, &pipeline.start_noise(request, noise, size)?)?
            }
            Origin::Latents(latents) => {
                let latents = pipeline.rows(latents, request.seeds.len())?;
                plan.start_from(&latents, &pipeline.start_noise(request, noise, size)?)?
            }
            Origin::Inpaint(inpaint) => return Self::inpaint(pipeline, request, plan, inpaint, noise),
            // Inpainting by now.
            Origin::Outpaint { margins, .. } => {
                return Err(Error::invalid("outpaint", margins, "a request made by its builder"));
            }
        };
        Ok(Self { plan, x, masking: None, extra: None, overlay: None })
    }
}

/// Which models serve which requests.
fn check_kind(pipeline: &Pipeline, request: &Request) -> Result<()> {
    let expected = match (pipeline.kind(), &request.origin) {
        (PipelineKind::Base, _) | (PipelineKind::Inpaint, Origin::Inpaint(_)) => return Ok(()),
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
    pub(super) fn draw(&self, noise: &mut NoiseSource, size: Size) -> Result<Tensor> {
        let config = &self.models.config.vae;
        let shape = [config.latent_channels, size.height / config.factor(), size.width / config.factor()];
        Ok(noise.normal(&shape)?.f_to_device(self.device.tch())?)
    }

    /// The noise that a run starts with: that of the seeds, or a variation of it.
    pub(super) fn start_noise(
        &self,
        request: &Request,
        noise: &mut NoiseSource,
        size: Size,
    ) -> Result<Tensor> {
        let start = self.draw(noise, size)?;
        match request.variation {
            Some(Variation { seed, strength }) if strength > 0. => {
                let seeds: Vec<u64> =
                    (0..request.seeds.len() as u64).map(|index| seed.wrapping_add(index)).collect();
                let other = self.draw(&mut NoiseSource::new(&seeds)?, size)?;
                spherical(&start, &other, strength)
            }
            _ => Ok(start),
        }
    }

    /// The latents of pictures, as a run begins with them: samples of the encoder's distribution, one for each
    /// generator of `noise`, scaled as the UNet sees them. One picture serves for all generators.
    ///
    /// # Errors
    /// [`Error::Invalid`] for pictures of several sizes, sides that are no multiples of 8, and another number of
    /// pictures than 1 or that of the generators; [`Error::NonFinite`] where the autoencoder gives no numbers.
    pub fn encode_images(&self, images: &[Image], noise: &mut NoiseSource) -> Result<Latents> {
        let _guard = no_grad();
        let (factor, batch) = (self.models.config.vae.factor() as usize, noise.batch());
        let Some(first) = images.first().filter(|_| images.len() == 1 || images.len() == batch) else {
            let expected = format!("1 or {batch}, one for each seed");
            return Err(Error::invalid("images", format!("{} pictures", images.len()), expected));
        };
        let size = (first.width(), first.height());
        let odd = images.iter().find(|image| {
            (image.width(), image.height()) != size || size.0 % factor != 0 || size.1 % factor != 0
        });
        if let Some(odd) = odd {
            let expected = format!("one size for all, of multiples of {factor}");
            return Err(Error::invalid("images", format!("{}x{}", odd.width(), odd.height()), expected));
        }
        let images = images.iter().map(Image::to_tensor).collect::<Result<Vec<_>>>()?;
        Latents::new(self.encode_tensors(&images, noise)?)
    }

    /// The same for `(1, 3, H, W)` in [-1, 1].
    pub(super) fn encode_tensors(&self, images: &[Tensor], noise: &mut NoiseSource) -> Result<Tensor> {
        // One by one, in the memory of one.
        let encode = |image: &Tensor| {
            let image = image.f_to_device(self.device.tch())?;
            match (&self.models.vae, self.vae_tiling) {
                (Vae::Kl(vae), false) => vae.encode(&image)?.cat(),
                (Vae::Kl(vae), true) => vae.encode_tiled(&image)?.cat(),
                (Vae::Tiny(vae), false) => vae.encode(&image),
                (Vae::Tiny(vae), true) => vae.encode_tiled(&image),
            }
        };
        let encoded = images.iter().map(encode).collect::<Result<Vec<_>>>()?;
        let encoded = Tensor::f_cat(&encoded, 0)?;
        if !is_finite(&encoded)? {
            return Err(Error::NonFinite { stage: "vae encoder", step: None });
        }
        let (_, channels, height, width) = encoded.size4()?;
        let encoded = encoded.f_expand([noise.batch() as i64, channels, height, width], false)?;
        match &self.models.vae {
            Vae::Kl(vae) => {
                let moments = Moments::split(&encoded)?;
                vae.scale(&moments.sample(&noise.normal_like(&moments.mean)?)?)
            }
            Vae::Tiny(_) => Ok(encoded),
        }
    }

    /// Latents on the device, one row for each picture.
    fn rows(&self, latents: &Latents, batch: usize) -> Result<Tensor> {
        let [rows, channels, height, width] = latents.shape();
        let batch = batch as i64;
        if rows != 1 && rows != batch {
            return Err(Error::invalid("latents", format!("{rows} pictures"), format!("1 or {batch}")));
        }
        let latents = latents.tensor()?.f_to_device(self.device.tch())?;
        Ok(latents.f_expand([batch, channels, height, width], false)?)
    }
}

/// From one noise to another along a sphere, as A1111's web interface goes: each column of each channel by the angle
/// between the two.
///
/// # Shapes
/// Both `(B, C, H, W)`.
fn spherical(from: &Tensor, to: &Tensor, fraction: f64) -> Result<Tensor> {
    let column = |x: &Tensor| x.f_square()?.f_sum_dim_intlist([2].as_slice(), true, Kind::Float)?.f_sqrt();
    let product = from.f_mul(to)?.f_sum_dim_intlist([2].as_slice(), true, Kind::Float)?;
    let cosine = product.f_div(&column(from)?.f_mul(&column(to)?)?)?;
    // Not quite 0, where the two are the same: then any weights with the sum 1 do.
    let angle = cosine.f_clamp_numbers(-1., 1.)?.f_acos()?.f_clamp_min_number(1e-3)?;
    let weight = |fraction: f64| angle.f_mul_number(fraction)?.f_sin()?.f_div(&angle.f_sin()?);
    Ok(from.f_mul(&weight(1. - fraction)?)?.f_add(&to.f_mul(&weight(fraction)?)?)?)
}
