//! What an `sdxl_request` begins with: noise, pictures, masks, latents.

use super::arguments::{copy_of, objects, switch};
use super::error::{Outcome, sdxl_status};
use super::image::sdxl_image;
use super::latents::sdxl_latents;
use super::request::{MAX_LIST, sdxl_request, set};
use super::table::get;
use crate::image::{Image, Margins, Mask};

/// The pictures of a list of handles.
fn pictures(images: *const sdxl_image, count: usize, name: &str) -> Outcome<Vec<Image>> {
    let images = objects(images, (count, MAX_LIST), name)?;
    Ok(images.iter().map(|image| image.as_ref().clone()).collect())
}

/// A mask with soft edges; 0 is sharp ones.
fn soft(mask: &Image, blur: f64) -> Outcome<Mask> {
    let mask = Mask::from_image(mask);
    Ok(if blur == 0. { mask } else { mask.blurred(blur)? })
}

/// Starts from this noise instead of noise drawn from the seeds. It decides the size and the number of pictures.
///
/// - request: whose.
/// - noise: of unit variance. Default: drawn from the seeds.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_initial_noise(request: sdxl_request, noise: sdxl_latents) -> sdxl_status {
    set(request, |builder| Ok(builder.initial_noise(copy_of(noise)?)))
}

/// Begins with a picture instead of noise (image to image).
///
/// - request: whose.
/// - image: the picture. Its size, rounded down to multiples of 8, is that of the pictures drawn unless a size is
///   set: then it is resized. Default: none.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_image(request: sdxl_request, image: sdxl_image) -> sdxl_status {
    set(request, |builder| Ok(builder.image(get(image)?.as_ref().clone())))
}

/// Begins with several pictures, one for each seed. Without seeds or a batch there are as many as pictures.
///
/// - request: whose.
/// - images: the pictures. The first one's size, rounded down to multiples of 8, is that of the pictures drawn unless a
///   size is set; all are resized to it. Default: none.
/// - count: how many, 1 to 1024: 1, or as many as seeds.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_request_set_images(
    request: sdxl_request,
    images: *const sdxl_image,
    count: usize,
) -> sdxl_status {
    set(request, |builder| Ok(builder.images(pictures(images, count, "images")?)))
}

/// Begins with the latents of a picture instead of noise.
///
/// - request: whose.
/// - latents: one picture, or as many as seeds. Default: none.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_image_latents(
    request: sdxl_request,
    latents: sdxl_latents,
) -> sdxl_status {
    set(request, |builder| Ok(builder.image_latents(copy_of(latents)?)))
}

/// Repaints a part of a picture (inpainting).
///
/// - request: whose.
/// - image: the picture. Default: none.
/// - mask: a picture of the same size: what is lighter than half is repainted, the rest is kept.
/// - blur: softens the mask by that standard deviation in pixels, 0 to 1000; 0 is off.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_inpaint(
    request: sdxl_request,
    image: sdxl_image,
    mask: sdxl_image,
    blur: f64,
) -> sdxl_status {
    set(request, |builder| {
        let image = get(image)?;
        let mask = soft(get(mask)?.as_ref(), blur)?;
        Ok(builder.inpaint(image.as_ref().clone(), mask))
    })
}

/// Repaints a part of several pictures, one for each seed. Without seeds or a batch there are as many as pictures.
///
/// - request: whose.
/// - images: the pictures. Default: none.
/// - masks: for each picture one of the same size: what is lighter than half is repainted, the rest is kept.
/// - count: how many there are of both, 1 to 1024: 1, or as many as seeds.
/// - blur: softens the masks by that standard deviation in pixels, 0 to 1000; 0 is off.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_request_set_inpaint_each(
    request: sdxl_request,
    images: *const sdxl_image,
    masks: *const sdxl_image,
    count: usize,
    blur: f64,
) -> sdxl_status {
    set(request, |builder| {
        let images = pictures(images, count, "images")?;
        let masks = pictures(masks, count, "masks")?;
        let masks = masks.iter().map(|mask| soft(mask, blur)).collect::<Outcome<Vec<_>>>()?;
        Ok(builder.inpaint_each(images.into_iter().zip(masks).collect()))
    })
}

/// Paints more canvas around a picture, whose pixels are kept byte for byte.
///
/// - request: whose.
/// - image: the picture. Default: none.
/// - left: pixels to add on the left. With them both sides of the canvas are multiples of 8, 8 to 8192 pixels; a size that
///   is set must be the canvas's.
/// - top: pixels to add above.
/// - right: pixels to add on the right.
/// - bottom: pixels to add below. Of the four, one is not 0.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_outpaint(
    request: sdxl_request,
    image: sdxl_image,
    left: u32,
    top: u32,
    right: u32,
    bottom: u32,
) -> sdxl_status {
    set(request, |builder| {
        Ok(builder.outpaint(get(image)?.as_ref().clone(), Margins { left, top, right, bottom }))
    })
}

/// Says whether inpainting puts the picture's own pixels back where the mask is black, byte for byte, and fades with a
/// soft mask. Otherwise they go through the autoencoder, which changes them a little. The picture is set before it.
///
/// - request: whose; one that inpaints.
/// - overlay: 1 for yes, 0 for no. Default: 1 with sdxl_request_set_padding_mask_crop and sdxl_request_set_outpaint,
///   otherwise 0.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_overlay(request: sdxl_request, overlay: u32) -> sdxl_status {
    set(request, |builder| Ok(builder.overlay(switch(overlay, "overlay")?)))
}

/// Redraws only the surroundings of the mask, enlarged to the size asked for, and puts the result into the picture again.
/// The picture is set before it.
///
/// - request: whose; one that inpaints, with a mask that is not all black.
/// - padding: so many pixels around what is not black in the mask, and more for the shape of the size. Default: the whole
///   picture is redrawn.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_padding_mask_crop(request: sdxl_request, padding: u32) -> sdxl_status {
    set(request, |builder| Ok(builder.padding_mask_crop(padding)))
}

/// Sets how much of the picture is changed: that fraction of the steps is taken. The picture is set before it.
///
/// - request: whose; with a picture to begin with.
/// - strength: above 0 to 1. Default: 0.3; with a mask 0.9999.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_strength(request: sdxl_request, strength: f64) -> sdxl_status {
    set(request, |builder| Ok(builder.strength(strength)))
}

/// Goes on with latents that another run left: the second stage of base and refiner.
///
/// - request: whose.
/// - latents: those of sdxl_job_latents. Default: none.
/// - at: the fraction of the schedule at which that run ended, 0 to below 1.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_resume(
    request: sdxl_request,
    latents: sdxl_latents,
    at: f64,
) -> sdxl_status {
    set(request, |builder| Ok(builder.resume(copy_of(latents)?, at)))
}

/// Passes over the first noise that the seeds give: what the first stage of an ensemble drew, so that the second one does
/// not draw the same again.
///
/// - request: whose.
/// - count: sdxl_job_draws of the first stage, 0 to 10000. Default: 0.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_skip_draws(request: sdxl_request, count: u32) -> sdxl_status {
    set(request, |builder| Ok(builder.skip_draws(count as usize)))
}
