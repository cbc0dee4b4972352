//! `sdxl_request`: one order for pictures.

use std::ffi::c_char;
use std::sync::Mutex;

use super::arguments::{
    Versioned, change, choice, copy_of, copy_out, create, duplicate, free, short_list, structure_place,
    switch, text, texts,
};
use super::conditioning::sdxl_conditioning;
use super::error::{Outcome, guard, sdxl_status};
use super::scheduler::sdxl_scheduler;
use super::table::handle;
use crate::conditioning::{Guidance, PerturbedAttention, Size};
use crate::error::Result;
use crate::pipeline::{Hires, Output, Request, RequestBuilder};
use crate::unet::FreeU;

/// An order for pictures: what they show, their size, steps, guidance and seeds. Jobs keep what it was when they
/// were started.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sdxl_request {
    /// 0 is no handle.
    pub id: u64,
}
handle!(sdxl_request, "sdxl_request", Mutex<Order>);

/// What holds in a request.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sdxl_request_info {
    /// sizeof(sdxl_request_info), set by the caller.
    pub struct_size: u32,
    /// The number of pictures: so many handles sdxl_pipeline_generate needs room for.
    pub pictures: u32,
    /// Steps of the sampler.
    pub steps: u32,
    /// 0.
    pub reserved: u32,
    /// The scale of guidance; 1 or less is off.
    pub guidance: f64,
    /// The fraction of its rescaling.
    pub guidance_rescale: f64,
    /// How much is changed of a picture that the run begins with.
    pub strength: f64,
}

// SAFETY: repr(C), begins with its size, all fields are numbers.
unsafe impl Versioned for sdxl_request_info {
    const FIRST_SIZE: usize = 40;
    const DEFAULT: Self = Self {
        struct_size: size_of::<Self>() as u32,
        pictures: 0,
        steps: 0,
        reserved: 0,
        guidance: 0.,
        guidance_rescale: 0.,
        strength: 0.,
    };
}

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

/// The longest list of seeds or pictures.
pub(super) const MAX_LIST: usize = 1024;

/// A setter: the change is kept if the whole is still valid.
pub(super) fn set(
    request: sdxl_request,
    body: impl FnOnce(RequestBuilder) -> Outcome<RequestBuilder>,
) -> sdxl_status {
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

/// Makes a copy of a request, to change some of it: the way to have one with a setting and one without.
///
/// - request: which one.
/// - out_request: a new handle; free it with sdxl_request_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_request_clone(
    request: sdxl_request,
    out_request: *mut sdxl_request,
) -> sdxl_status {
    duplicate(request, out_request, "out_request")
}

/// Says what holds in a request, defaults included.
///
/// - request: which one.
/// - out_info: where it goes; the caller sets its struct_size first.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_request_get_info(
    request: sdxl_request,
    out_info: *mut sdxl_request_info,
) -> sdxl_status {
    guard(|| {
        let request = copy_of(request)?.build()?;
        let guidance = request.guidance();
        structure_place(out_info, "out_info")?.write(&sdxl_request_info {
            pictures: request.seeds().len() as u32,
            steps: request.steps() as u32,
            guidance: guidance.scale(),
            guidance_rescale: guidance.rescale_fraction(),
            strength: request.strength(),
            ..sdxl_request_info::DEFAULT
        });
        Ok(())
    })
}

/// Copies the seed of each picture.
///
/// - request: of which one.
/// - buffer: where the numbers go; NULL to ask for their number alone.
/// - capacity: how many numbers the buffer has room for.
/// - out_count: how many numbers there are; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_request_copy_seeds(
    request: sdxl_request,
    buffer: *mut u64,
    capacity: usize,
    out_count: *mut usize,
) -> sdxl_status {
    guard(|| copy_out(copy_of(request)?.build()?.seeds(), buffer, capacity, out_count))
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

/// Sets the width of the pictures alone; the height stays what it is.
///
/// - request: whose.
/// - width: 8 to 8192 pixels, a multiple of 8. Default: the model's own, 1024 for SDXL.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_width(request: sdxl_request, width: u32) -> sdxl_status {
    set(request, |builder| Ok(builder.width(width.into())))
}

/// Sets the height of the pictures alone; the width stays what it is.
///
/// - request: whose.
/// - height: 8 to 8192 pixels, a multiple of 8. Default: the model's own, 1024 for SDXL.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_height(request: sdxl_request, height: u32) -> sdxl_status {
    set(request, |builder| Ok(builder.height(height.into())))
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

/// Guides away from what the UNet predicts where some of its self-attentions look at nothing but their own pixel
/// (perturbed-attention guidance, arXiv 2403.17377), beside the negative prompt or without one, for one evaluation of the
/// UNet more in each step.
///
/// - request: whose.
/// - scale: 0 to 1000; 0 is off. Default: off; 3 is usual.
/// - adaptive_scale: what is taken off the scale for each timestep below 1000, 0 to 1000; 0 for one scale everywhere.
/// - layers: in which self-attentions: parts of their names, such as "mid", "down_blocks.2" or
///   "up_blocks.0.attentions.1", which the model has to have. NULL for "mid".
/// - count: how many parts, at most 1024; 0 with NULL.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_request_set_perturbed_attention(
    request: sdxl_request,
    scale: f64,
    adaptive_scale: f64,
    layers: *const *const c_char,
    count: usize,
) -> sdxl_status {
    set(request, |builder| {
        let perturbed = PerturbedAttention::new(scale)?.adaptive_scale(adaptive_scale)?;
        let perturbed = match texts(layers, (count, MAX_LIST), "layers")? {
            layers if layers.is_empty() => perturbed,
            layers => perturbed.layers(layers)?,
        };
        Ok(builder.perturbed_attention(perturbed))
    })
}

/// Changes the UNet's way up (FreeU, arXiv 2309.11497): more of its own, less of the skip connections, at no cost.
///
/// - request: whose.
/// - s1: factor of the skip connections' lowest frequencies in the first level, above 0 to 100. Default: not applied; its
///   authors advise 0.9 for SDXL.
/// - s2: the same in the second level; 0.2.
/// - b1: factor of the first half of the channels in the first level, above 0 to 100; 1.3.
/// - b2: the same in the second level; 1.4.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_freeu(
    request: sdxl_request,
    s1: f64,
    s2: f64,
    b1: f64,
    b2: f64,
) -> sdxl_status {
    set(request, |builder| Ok(builder.freeu(FreeU { s1, s2, b1, b2 })))
}

/// Evaluates the deep levels of the UNet only once in so many times, and reuses what they gave (DeepCache, arXiv
/// 2312.00858): faster, and the pictures change, the more the higher.
///
/// - request: whose.
/// - every: 1 to 100; 2 or 3 are usual, and 20 steps or more. Default: 1, every time.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_deep_cache(request: sdxl_request, every: u32) -> sdxl_status {
    set(request, |builder| Ok(builder.deep_cache(every as usize)))
}

/// Draws the pictures once more, larger and beginning with the first ones (hires fix): the composition is that of the
/// model's own size, the details are those of the large one.
///
/// - request: whose; one that begins with noise and goes to the end.
/// - scale: so many times as wide and as high, above 1 to 8, rounded down to multiples of 8. Default: not once more.
/// - strength: how much of the first pictures is changed, above 0 to 1; 0.7 is usual.
/// - upscaler: how they become larger: "latent" (at once, and blurred: for strengths of 0.5 and more) or "pixel" (decoded,
///   Lanczos, encoded again: sharper).
/// - steps: of the second schedule, of which the strength takes a part: 1 to 1000; 0 for as many as in the first.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_request_set_hires(
    request: sdxl_request,
    scale: f64,
    strength: f64,
    upscaler: *const c_char,
    steps: u32,
) -> sdxl_status {
    set(request, |builder| {
        let hires = Hires::new(scale)?.strength(strength)?.upscaler(text(upscaler, "upscaler")?.parse()?);
        Ok(builder.hires(if steps == 0 { hires } else { hires.steps(steps as usize)? }))
    })
}

/// Starts from noise on the way from the seed's to that of another seed, along a sphere: a variation of the seed's picture.
/// All pictures of a batch then have one seed, and the other seed counts up.
///
/// - request: whose.
/// - seed: the other one.
/// - strength: 0 to 1: 0 is the seed's own picture, 1 the other's. Default: 0.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_variation(request: sdxl_request, seed: u64, strength: f64) -> sdxl_status {
    set(request, |builder| Ok(builder.variation(seed, strength)))
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
    set(request, |builder| Ok(builder.seeds(short_list(seeds, (count, MAX_LIST), "seeds")?)))
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

/// Marks the pictures with the invisible watermark of the reference pipeline, which the Python package invisible-watermark
/// reads. What an overlay puts back of the original picture carries none, and neither do previews, nor pictures narrower
/// than 256 pixels or of fewer than 256 x 256.
///
/// - request: whose.
/// - watermark: 1 for yes, 0 for no. Default: 0.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_request_set_watermark(request: sdxl_request, watermark: u32) -> sdxl_status {
    set(request, |builder| Ok(builder.watermark(switch(watermark, "watermark")?)))
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
