//! What can be checked of a [`Request`] without a model: every value in its range, and what does not go together.

use super::request::{Inpaint, Origin, Variation};
use super::{Request, prompts};
use crate::error::{Error, Result};
use crate::image::{Image, Mask};
use crate::unet::DeepCache;

/// The largest side of a picture, in pixels.
pub(super) const MAX_SIDE: i64 = 8192;
/// More steps than the training schedule has make no sense.
pub(super) const MAX_STEPS: usize = 1000;
/// Pictures of one request.
const MAX_BATCH: usize = 1024;
/// Tensors of noise that a run passes over: more than any run draws.
pub(super) const MAX_DRAWS: usize = 10_000;

/// Everything.
pub(super) fn check(request: &Request) -> Result<()> {
    prompts::check(&request.conditioning)?;
    side("width", request.width)?;
    side("height", request.height)?;
    if !(1..=MAX_STEPS).contains(&request.steps) {
        return Err(Error::invalid("steps", request.steps, format!("1 to {MAX_STEPS}")));
    }
    if let Some(freeu) = &request.freeu {
        freeu.check()?;
    }
    if let Some(every) = request.deep_cache {
        DeepCache::new(every)?;
    }
    if request.skip_draws > MAX_DRAWS {
        return Err(Error::invalid("skip_draws", request.skip_draws, format!("0 to {MAX_DRAWS}")));
    }
    if !(1..=MAX_BATCH).contains(&request.seeds.len()) {
        return Err(Error::invalid("seeds", request.seeds.len(), format!("1 to {MAX_BATCH} seeds")));
    }
    range(request)?;
    origin(request)?;
    initial_noise(request)?;
    if let Some(Variation { strength, .. }) = request.variation {
        fraction("variation_strength", strength, (0. ..=1.).contains(&strength), "0 to 1")?;
    }
    if let Some(hires) = &request.hires {
        hires.check(request)?;
    }
    Ok(())
}

/// A seed for each picture: those given, or that many from the first one on.
pub(super) fn seeds(request: &Request, batch: Option<usize>) -> Result<Vec<u64>> {
    let given = match (&request.initial_noise, &request.origin) {
        (Some(noise), _) => usize::try_from(noise.shape()[0]).ok(),
        (None, Origin::Images(images)) => Some(images.len()),
        (None, Origin::Inpaint(inpaint)) => Some(inpaint.pictures.len()),
        (None, _) => None,
    };
    let count = match (batch, request.seeds.as_slice()) {
        (Some(batch), _) if !(1..=MAX_BATCH).contains(&batch) => {
            return Err(Error::invalid("batch", batch, format!("1 to {MAX_BATCH}")));
        }
        (Some(batch), seeds) if seeds.len() > 1 && seeds.len() != batch => {
            return Err(Error::invalid("batch", batch, format!("{}, the number of seeds", seeds.len())));
        }
        (Some(batch), _) => batch,
        (None, _) => given.unwrap_or(1).max(1),
    };
    let &[first] = request.seeds.as_slice() else { return Ok(request.seeds.clone()) };
    let step = if request.variation.is_some_and(|variation| variation.strength != 0.) { 0 } else { 1 };
    Ok((0..count.min(MAX_BATCH) as u64).map(|index| first.wrapping_add(index * step)).collect())
}

/// A picture whose canvas was made larger: pixels that are kept must not be resized.
pub(super) fn outpainted(request: &Request, pictures: &[(Image, Mask)]) -> Result<()> {
    for (image, _) in pictures {
        let size = (image.width() as i64, image.height() as i64);
        let asked = (request.width.unwrap_or(size.0), request.height.unwrap_or(size.1));
        if size.0 % 8 != 0 || size.1 % 8 != 0 || asked != size {
            let value = format!("a canvas of {}x{}", size.0, size.1);
            let expected = "margins that make it multiples of 8, and no other size".to_owned();
            return Err(Error::invalid("outpaint", value, expected));
        }
    }
    Ok(())
}

fn side(field: &'static str, side: Option<i64>) -> Result<()> {
    match side {
        Some(side) if !(8..=MAX_SIDE).contains(&side) || side % 8 != 0 => {
            Err(Error::invalid(field, side, format!("a multiple of 8 from 8 to {MAX_SIDE} pixels")))
        }
        _ => Ok(()),
    }
}

pub(super) fn fraction(field: &'static str, value: f64, fits: bool, expected: &str) -> Result<()> {
    if fits { Ok(()) } else { Err(Error::invalid(field, value, expected)) }
}

/// A fraction of which there must be something.
pub(super) fn part(field: &'static str, value: f64) -> Result<()> {
    fraction(field, value, value > 0. && value <= 1., "above 0 and at most 1")
}

/// Where the run begins and ends.
fn range(request: &Request) -> Result<()> {
    if request.strength.is_some() && matches!(request.origin, Origin::Noise | Origin::Resume { .. }) {
        return Err(Error::invalid("strength", request.strength(), "none without a picture to begin with"));
    }
    part("strength", request.strength())?;
    part("end_at", request.end_at)?;
    if let Origin::Resume { at, .. } = &request.origin {
        fraction("resume", *at, (0. ..1.).contains(at), "0 to below 1")?;
        if *at >= request.end_at {
            return Err(Error::invalid("resume", at, format!("less than the end, {}", request.end_at)));
        }
        if request.variation.is_some() {
            return Err(Error::invalid(
                "variation",
                "given",
                "none where a run goes on with another's latents",
            ));
        }
    }
    Ok(())
}

/// The pictures that the run begins with.
fn origin(request: &Request) -> Result<()> {
    let count = |pictures: usize| {
        if pictures == 1 || pictures == request.seeds.len() {
            return Ok(());
        }
        let expected = format!("1, or {}, one for each seed", request.seeds.len());
        Err(Error::invalid("images", format!("{pictures} pictures"), expected))
    };
    match &request.origin {
        Origin::Images(images) => count(images.len())?,
        Origin::Inpaint(Inpaint { pictures, overlay }) => {
            count(pictures.len())?;
            for (image, mask) in pictures {
                let (height, width) = mask.shades().dim();
                if (image.height(), image.width()) != (height, width) {
                    let expected = format!("{}x{}, the size of the picture", image.width(), image.height());
                    return Err(Error::invalid("mask", format!("{width}x{height}"), expected));
                }
                if request.padding_mask_crop.is_some() && mask.is_black() {
                    return Err(Error::invalid(
                        "mask",
                        "all black",
                        "some light, where the crop is around it",
                    ));
                }
            }
            if request.padding_mask_crop.is_some() && !overlay {
                return Err(Error::invalid(
                    "overlay",
                    false,
                    "true with padding_mask_crop, which draws a part",
                ));
            }
        }
        _ => {}
    }
    if request.padding_mask_crop.is_some() && !matches!(request.origin, Origin::Inpaint(_)) {
        return Err(Error::invalid("padding_mask_crop", "given", "none without inpainting"));
    }
    Ok(())
}

fn initial_noise(request: &Request) -> Result<()> {
    let Some(noise) = &request.initial_noise else { return Ok(()) };
    if !matches!(request.origin, Origin::Noise) {
        let expected = "none where the run begins with a picture or latents";
        return Err(Error::invalid("initial_noise", "given", expected));
    }
    if request.variation.is_some() {
        return Err(Error::invalid("initial_noise", "given", "none with a variation, which draws it"));
    }
    let [rows, ..] = noise.shape();
    if usize::try_from(rows) != Ok(request.seeds.len()) {
        let expected = format!("{}, as many as seeds", request.seeds.len());
        return Err(Error::invalid("initial_noise", format!("{rows} pictures"), expected));
    }
    Ok(())
}
