//! `sdxl_request`: one order for pictures.

use std::ffi::c_char;
use std::sync::Mutex;

use super::arguments::{change, choice, copy_of, create, free, short_list, text};
use super::conditioning::sdxl_conditioning;
use super::error::{Outcome, sdxl_status};
use super::image::sdxl_image;
use super::latents::sdxl_latents;
use super::scheduler::sdxl_scheduler;
use super::table::{get, handle};
use crate::conditioning::{Guidance, Size};
use crate::error::Result;
use crate::image::Mask;
use crate::pipeline::{Output, Request, RequestBuilder};

/// An order for pictures: what they show, their size, steps, guidance and seeds. Jobs keep what it was when they
/// were started.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sdxl_request {
    /// 0 is no handle.
    pub id: u64,
}
handle!(sdxl_request, "sdxl_request", Mutex<Order>);

/// A request and what a job is to make of it.
#[derive(Clone)]
pub struct Order {
    builder: RequestBuilder,
    guidance: Guidance,
    pub(super) output: Output,
}

impl Order {
    pub(super) fn build(&self) -> Result<Request> {
        self.builder.clone().build()
    }
}

/// A setter: the change is kept if the whole is still valid.
fn set(request: sdxl_request, body: impl FnOnce(RequestBuilder) -> Outcome<RequestBuilder>) -> sdxl_status {
    change(request, |order: Order| {
        let changed = Order { builder: body(order.builder)?, ..order };
        changed.build()?;
        Ok(changed)
    })
}

/// A setter of guidance, given the one that holds now.
fn guide(request: sdxl_request, body: impl FnOnce(Guidance) -> Result<Guidance>) -> sdxl_status {
    change(request, |order: Order| {
        let guidance = body(order.guidance)?;
        Ok(Order { builder: order.builder.guidance(guidance), guidance, ..order })
    })
}

/// Makes a request: 50 steps, guidance 5, seed 0, one picture of the model's own size.
///
/// - conditioning: what the pictures show. Later changes of it have no effect.
/// - out_request: a new handle; free it with sdxl_request_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_request_new(
    conditioning: sdxl_conditioning,
    out_request: *mut sdxl_request,
) -> sdxl_status {
    create(out_request, "out_request", || {
        let builder = Request::builder(copy_of(conditioning)?.build()?);
        builder.clone().build()?;
        Ok(Mutex::new(Order { builder, guidance: Guidance::default(), output: Output::Images }))
    })
}

/// Sets the size of the pictures.
///
/// - request: whose.
/// - width: 8 to 8192 pixels, a multiple of 8. Default: the model's own, 1024 for SDXL.
/// - height: 8 to 8192 pixels, a multiple of 8. Default: the model's own, 1024 for SDXL.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_size(request: sdxl_request, width: u32, height: u32) -> sdxl_status {
    set(request, |builder| Ok(builder.size(Size::new(width.into(), height.into()))))
}

/// Sets the steps of the sampler.
///
/// - request: whose.
/// - steps: 1 to 1000. Default: 50.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_steps(request: sdxl_request, steps: u32) -> sdxl_status {
    set(request, |builder| Ok(builder.steps(steps as usize)))
}

/// Sets the scale of guidance: how strongly the pictures follow the prompt and avoid the negative prompt.
///
/// - request: whose.
/// - scale: 0 to 1000; 1 or less is off, which distilled models want and which takes half the time. Default: 5.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_guidance(request: sdxl_request, scale: f64) -> sdxl_status {
    guide(request, |guidance| guidance.with_scale(scale))
}

/// Pulls guidance back to the standard deviation of the prediction for the prompt.
///
/// - request: whose.
/// - fraction: by how much, 0 to 1. Default: 0; 0.7 for models trained with zero terminal SNR.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_guidance_rescale(request: sdxl_request, fraction: f64) -> sdxl_status {
    guide(request, |guidance| guidance.rescale(fraction))
}

/// Guides only at some noise levels, and saves the evaluation of the negative prompt elsewhere.
///
/// - request: whose.
/// - lowest: the lowest noise level (sigma), not negative. Default: 0.
/// - highest: the highest one. Default: infinity.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_guidance_interval(
    request: sdxl_request,
    lowest: f64,
    highest: f64,
) -> sdxl_status {
    guide(request, |guidance| guidance.interval(lowest, highest))
}

/// Sets the seed of the first picture; each further picture of the batch has the next number.
///
/// - request: whose.
/// - seed: any number. Default: 0.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_seed(request: sdxl_request, seed: u64) -> sdxl_status {
    set(request, |builder| Ok(builder.seed(seed)))
}

/// Sets the seed of each picture, and so the number of pictures.
///
/// - request: whose.
/// - seeds: the numbers.
/// - count: how many, 1 to 1024. With a number of pictures that was set before, exactly that.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_request_set_seeds(
    request: sdxl_request,
    seeds: *const u64,
    count: usize,
) -> sdxl_status {
    set(request, |builder| Ok(builder.seeds(short_list(seeds, (count, 1024), "seeds")?)))
}

/// Sets the number of pictures.
///
/// - request: whose.
/// - batch: 1 to 1024. Default: 1.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_batch(request: sdxl_request, batch: u32) -> sdxl_status {
    set(request, |builder| Ok(builder.batch(batch as usize)))
}

/// Samples in another way than the model's own.
///
/// - request: whose.
/// - scheduler: which one. Later changes of it have no effect. Default: the checkpoint's.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_scheduler(
    request: sdxl_request,
    scheduler: sdxl_scheduler,
) -> sdxl_status {
    set(request, |builder| Ok(builder.scheduler(copy_of(scheduler)?)))
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
        let mask = Mask::from_image(get(mask)?.as_ref());
        let mask = if blur == 0. { mask } else { mask.blurred(blur)? };
        Ok(builder.inpaint(image.as_ref().clone(), mask))
    })
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

/// Stops at a fraction of the schedule. The latents are then noisy, for another run to go on with; pictures are
/// not made of them.
///
/// - request: whose.
/// - fraction: above 0 to 1. Default: 1, the end.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_end_at(request: sdxl_request, fraction: f64) -> sdxl_status {
    set(request, |builder| Ok(builder.end_at(fraction)))
}

/// Chooses what a job makes.
///
/// - request: whose.
/// - name: "images" or "latents", without decoding them. Default: "images", and the latents are there too.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_request_set_output(request: sdxl_request, name: *const c_char) -> sdxl_status {
    change(request, |order: Order| {
        let outputs = [("images", Output::Images), ("latents", Output::Latents)];
        Ok(Order { output: choice(text(name, "name")?, "output", outputs)?, ..order })
    })
}

/// Frees a request. Jobs started with it go on.
///
/// - request: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_free(request: sdxl_request) -> sdxl_status {
    free(request)
}
