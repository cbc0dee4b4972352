//! A picture under a mask: what the run begins with, what it keeps, and how the result is put into the picture.

use tch::{Kind, Tensor};

use super::origin::Start;
use super::request::Inpaint;
use super::{Pipeline, Request};
use crate::conditioning::Size;
use crate::config::PipelineKind;
use crate::error::Result;
use crate::image::{Image, Mask, Rectangle};
use crate::nn::ops::linear_combination;
use crate::noise::NoiseSource;
use crate::runtime::Numbers;
use crate::scheduler::{Level, Plan};

/// Where the mask is black, a run with an ordinary UNet follows the picture instead of the prediction.
pub(super) struct Masking {
    /// `(1 or B, 1, h, w)`: true where the picture is repainted.
    mask: Tensor,
    latents: Tensor,
    noise: Tensor,
}

impl Masking {
    /// The sample at a noise level, with the picture in the place of what is not repainted.
    pub(super) fn apply(&self, x: &Tensor, level: Level) -> Result<Tensor> {
        let kept = linear_combination(&[(1., &self.latents), (level.sigma, &self.noise)])?;
        Ok(x.f_where_self(&self.mask, &kept)?)
    }

    /// The same at the end of a run, for latents: the picture itself, without noise.
    pub(super) fn finish(&self, latents: &Tensor) -> Result<Tensor> {
        Ok(latents.f_where_self(&self.mask, &self.latents)?)
    }
}

/// The pictures whose own pixels are put back: picture, mask, and the part that is drawn.
pub(super) struct Overlay(Vec<(Image, Mask, Rectangle)>);

impl Overlay {
    /// What is drawn for the picture of that index, within the given one.
    pub(super) fn apply(&self, drawn: Image, index: usize) -> Result<Image> {
        match self.0.get(index).or(self.0.first()) {
            Some((image, mask, part)) => image.overlaid(&drawn, *part, mask),
            None => Ok(drawn),
        }
    }

    /// The size of the first picture.
    pub(super) fn size(&self) -> Option<Size> {
        self.0.first().map(|(image, ..)| Size::new(image.width() as i64, image.height() as i64))
    }
}

/// The part of each picture that is drawn, at the size of the run.
struct Prepared {
    images: Vec<Tensor>,
    /// `(1 or B, 1, H, W)`: 1 where the picture is repainted.
    mask: Tensor,
    parts: Vec<Rectangle>,
}

impl Prepared {
    fn new(inpaint: &Inpaint, size: Size, padding: Option<u32>) -> Result<Self> {
        let target = (size.width as u32, size.height as u32);
        let (mut images, mut masks, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        for (image, mask) in &inpaint.pictures {
            let (image, mask, part) = match padding {
                Some(padding) => {
                    let part = mask.crop_region(target, padding)?;
                    let target = (target.0 as usize, target.1 as usize);
                    (image.filling(part, target)?, mask.filling(part, target)?, part)
                }
                None => {
                    let whole = Rectangle { left: 0, top: 0, right: image.width(), bottom: image.height() };
                    (image.resized(target.0, target.1)?, mask.resized(target.0, target.1)?, whole)
                }
            };
            images.push(image.to_tensor()?);
            masks.push(mask.to_tensor()?);
            parts.push(part);
        }
        Ok(Self { images, mask: Tensor::f_cat(&masks, 0)?, parts })
    }
}

impl Start {
    /// In diffusers' order of draws: the posterior of the picture, where it is encoded at all; the noise; the
    /// posterior of the masked picture.
    pub(super) fn inpaint(
        pipeline: &Pipeline,
        request: &Request,
        plan: Plan,
        inpaint: &Inpaint,
        noise: &mut NoiseSource,
    ) -> Result<Self> {
        let size = pipeline.size_of(request)?;
        let Prepared { images, mask, parts } = Prepared::new(inpaint, size, request.padding_mask_crop)?;
        let overlay = inpaint.overlay.then(|| {
            let pictures = inpaint.pictures.iter().zip(parts);
            Overlay(pictures.map(|((image, mask), part)| (image.clone(), mask.clone(), part)).collect())
        });
        let factor = pipeline.models.config.vae.factor();
        let (height, width) = (size.height / factor, size.width / factor);
        // Of each block of pixels the first, as diffusers' nearest interpolation takes it.
        let small =
            mask.f_upsample_nearest2d([height, width], None, None)?.f_to_device(pipeline.device.tch())?;

        let ordinary = pipeline.kind() != PipelineKind::Inpaint;
        let all_noise = request.strength() >= 1.;
        let latents =
            if ordinary || !all_noise { Some(pipeline.encode_tensors(&images, noise)?) } else { None };
        let drawn = pipeline.start_noise(request, noise, size)?;
        let x = match &latents {
            Some(latents) if !all_noise => plan.start_from(latents, &drawn)?,
            _ => plan.start(&drawn)?,
        };
        if ordinary {
            // diffusers samples the masked picture's latents here too, without a use for them: what a scheduler
            // draws comes after.
            drop(pipeline.draw(noise, size)?);
            let latents = latents.map_or_else(|| drawn.f_zeros_like(), Ok)?;
            let masking = Masking { mask: small.f_gt_number(0.5)?, latents, noise: drawn };
            return Ok(Self { plan, x, masking: Some(masking), extra: None, overlay });
        }
        let kept = mask.f_lt_number(0.5)?.f_to_kind(Kind::Float)?;
        let masks =
            (0..mask.size4()?.0).map(|row| Ok(kept.f_narrow(0, row, 1)?)).collect::<Result<Vec<_>>>()?;
        let masked = images.iter().zip(&masks).map(|(image, kept)| Ok(image.f_mul(kept)?));
        let masked = pipeline.encode_tensors(&masked.collect::<Result<Vec<_>>>()?, noise)?;
        let batch = request.seeds.len() as i64;
        let small = small.f_expand([batch, 1, height, width], false)?;
        let extra = Tensor::f_cat(&[&small, &masked], 1)?;
        Ok(Self { plan, x, masking: None, extra: Some(extra), overlay })
    }
}
