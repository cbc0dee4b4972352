//! `sdxl_pipeline`: a model ready to draw.

use std::ffi::c_char;
use std::sync::Mutex;

use super::arguments::{
    Versioned, buffer, copy_made, copy_of, copy_text, create, free, objects, place, room, short_list,
    structure_place,
};
use super::conditioning::sdxl_conditioning;
use super::embeddings::sdxl_embeddings;
use super::error::{guard, sdxl_status};
use super::image::{hand_out, sdxl_image};
use super::latents::sdxl_latents;
use super::pipeline_options::sdxl_pipeline_options;
use super::request::{MAX_LIST, sdxl_request};
use super::table::{get, handle, insert};
use crate::config::{ModelConfig, PipelineKind};
use crate::image::Image;
use crate::isolation::Engine;

/// A model ready to draw. Its jobs run one after the other, on a thread of its own; those of its clones run at once.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sdxl_pipeline {
    /// 0 is no handle.
    pub id: u64,
}
handle!(sdxl_pipeline, "sdxl_pipeline", Engine);

/// What a model was made for.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum sdxl_model_kind {
    /// Text to image: SDXL base, Turbo and fine-tunes of them.
    SDXL_MODEL_KIND_BASE = 0,
    /// The second stage, which refines latents of the first.
    SDXL_MODEL_KIND_REFINER = 1,
    /// A UNet that also takes a mask and the masked picture.
    SDXL_MODEL_KIND_INPAINT = 2,
}

/// What a pipeline is.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sdxl_pipeline_info {
    /// sizeof(sdxl_pipeline_info), set by the caller.
    pub struct_size: u32,
    /// An sdxl_model_kind.
    pub kind: i32,
    /// Width in pixels of the pictures that the model was trained for: 1024 for SDXL.
    pub default_width: u32,
    /// Height of the same.
    pub default_height: u32,
    /// Channels of the latents: 4.
    pub latent_channels: u32,
    /// Pixels for each of the latents' in both directions: 8. Sizes of pictures are multiples of it.
    pub latent_factor: u32,
    /// Width of the embeddings' context: 2048 for SDXL base.
    pub context_width: u32,
    /// Width of the pooled embedding: 1280 for SDXL.
    pub pooled_width: u32,
}

// SAFETY: repr(C), begins with its size, all fields are integers.
unsafe impl Versioned for sdxl_pipeline_info {
    const FIRST_SIZE: usize = 32;
    const DEFAULT: Self = Self {
        struct_size: size_of::<Self>() as u32,
        kind: 0,
        default_width: 0,
        default_height: 0,
        latent_channels: 0,
        latent_factor: 0,
        context_width: 0,
        pooled_width: 0,
    };
}

impl sdxl_pipeline_info {
    pub(super) fn of(config: &ModelConfig) -> Self {
        let side = config.default_size() as u32;
        Self {
            kind: match config.kind() {
                PipelineKind::Base => sdxl_model_kind::SDXL_MODEL_KIND_BASE,
                PipelineKind::Refiner => sdxl_model_kind::SDXL_MODEL_KIND_REFINER,
                PipelineKind::Inpaint => sdxl_model_kind::SDXL_MODEL_KIND_INPAINT,
            } as i32,
            default_width: side,
            default_height: side,
            latent_channels: config.vae.latent_channels as u32,
            latent_factor: config.vae.factor() as u32,
            context_width: config.unet.cross_attention_dim as u32,
            pooled_width: config.text_encoder_2.projection_dim as u32,
            ..Self::DEFAULT
        }
    }
}

/// Reads a model. This takes as long as reading its files.
///
/// - options: which model, and how.
/// - out_pipeline: a new handle; free it with sdxl_pipeline_free.
///
/// Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_load(
    options: sdxl_pipeline_options,
    out_pipeline: *mut sdxl_pipeline,
) -> sdxl_status {
    create(out_pipeline, "out_pipeline", || Ok(Engine::load(copy_of(options)?)?))
}

/// Makes another pipeline with the same weights, which are not copied: its jobs run at the same time.
///
/// - pipeline: which one.
/// - out_pipeline: a new handle; free it with sdxl_pipeline_free. The weights live as long as one of them.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_clone(
    pipeline: sdxl_pipeline,
    out_pipeline: *mut sdxl_pipeline,
) -> sdxl_status {
    create(out_pipeline, "out_pipeline", || Ok(get(pipeline)?.as_ref().clone()))
}

/// Says what a pipeline is.
///
/// - pipeline: which one.
/// - out_info: where it goes; the caller sets its struct_size first.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_get_info(
    pipeline: sdxl_pipeline,
    out_info: *mut sdxl_pipeline_info,
) -> sdxl_status {
    guard(|| {
        let pipeline = get(pipeline)?;
        let out_info = structure_place(out_info, "out_info")?;
        out_info.write(&sdxl_pipeline_info::of(pipeline.config()));
        Ok(())
    })
}

/// Copies the path that the model was loaded from.
///
/// - pipeline: which one.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_path(
    pipeline: sdxl_pipeline,
    buffer: *mut c_char,
    capacity: usize,
    out_size: *mut usize,
) -> sdxl_status {
    guard(|| copy_text(&get(pipeline)?.path().to_string_lossy(), buffer, capacity, out_size))
}

/// Copies where a pipeline computes: "cpu" or "cuda:N".
///
/// - pipeline: which one.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_device(
    pipeline: sdxl_pipeline,
    buffer: *mut c_char,
    capacity: usize,
    out_size: *mut usize,
) -> sdxl_status {
    guard(|| copy_text(&get(pipeline)?.device().to_string(), buffer, capacity, out_size))
}

/// Draws the pictures of a request and waits for them: sdxl_job_start, sdxl_job_wait and sdxl_job_take_images in one.
///
/// - pipeline: with which model.
/// - request: what to draw. Later changes of it have no effect.
/// - out_images: new handles, as many as the request has pictures; free each with sdxl_image_free.
/// - capacity: how many handles out_images has room for.
/// - out_count: how many pictures there are.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_generate(
    pipeline: sdxl_pipeline,
    request: sdxl_request,
    out_images: *mut sdxl_image,
    capacity: usize,
    out_count: *mut usize,
) -> sdxl_status {
    guard(|| {
        let pipeline = get(pipeline)?;
        let request = copy_of(request)?;
        let images = buffer(out_images, capacity, "out_images")?;
        let out_count = place(out_count, "out_count")?;
        let built = request.build()?;
        // Before the work, not after it.
        let images = room(images, built.seeds().len())?;
        let job = pipeline.job(&built).output(request.output).start()?;
        job.wait(None)?;
        out_count.write(hand_out(job.take_images()?, images));
        Ok(())
    })
}

/// Encodes the prompts of a conditioning, to use them many times.
///
/// - pipeline: with which text encoders.
/// - conditioning: what to encode.
/// - out_positive: a new handle for the prompt; free it with sdxl_embeddings_free.
/// - out_negative: a new handle for the negative prompt; free it with sdxl_embeddings_free.
///
/// Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_encode(
    pipeline: sdxl_pipeline,
    conditioning: sdxl_conditioning,
    out_positive: *mut sdxl_embeddings,
    out_negative: *mut sdxl_embeddings,
) -> sdxl_status {
    guard(|| {
        let pipeline = get(pipeline)?;
        let conditioning = copy_of(conditioning)?;
        let out_positive = place(out_positive, "out_positive")?;
        let out_negative = place(out_negative, "out_negative")?;
        let encoded = pipeline.encode(&conditioning.build()?)?;
        out_positive.write(insert(Mutex::new(encoded.positive)));
        out_negative.write(insert(Mutex::new(encoded.negative)));
        Ok(())
    })
}

/// Copies the ends of prompts that do not fit into 77 tokens, one in a line; in a moment, since no text is encoded. None of
/// embeddings, and none where the syntax divides prompts into chunks.
///
/// - pipeline: with which tokenizers.
/// - conditioning: whose prompts.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer. 1 where all prompts fit.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_copy_cut(
    pipeline: sdxl_pipeline,
    conditioning: sdxl_conditioning,
    buffer: *mut c_char,
    capacity: usize,
    out_size: *mut usize,
) -> sdxl_status {
    guard(|| {
        let cut = get(pipeline)?.cut(&copy_of(conditioning)?.build()?)?;
        copy_text(&cut.join("\n"), buffer, capacity, out_size)
    })
}

/// Encodes pictures to latents, as a run begins with them: for sdxl_request_set_image_latents, to encode a picture once.
///
/// - pipeline: with which autoencoder.
/// - images: all of one size, of multiples of 8 pixels.
/// - count: how many, 1 to 1024: 1, or as many as seeds.
/// - seeds: the encoder's distribution is sampled with their first noise, as a run does. Give a request with these latents
///   sdxl_request_set_skip_draws(1) for the noise that a run with the picture itself has.
/// - seed_count: how many, 1 to 1024: so many latents are made.
/// - out_latents: a new handle; free it with sdxl_latents_free.
///
/// Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_encode_images(
    pipeline: sdxl_pipeline,
    images: *const sdxl_image,
    count: usize,
    seeds: *const u64,
    seed_count: usize,
    out_latents: *mut sdxl_latents,
) -> sdxl_status {
    create(out_latents, "out_latents", || {
        let pipeline = get(pipeline)?;
        let images = objects(images, (count, MAX_LIST), "images")?;
        let images: Vec<Image> = images.iter().map(|image| image.as_ref().clone()).collect();
        let seeds = short_list(seeds, (seed_count, MAX_LIST), "seeds")?;
        Ok(Mutex::new(pipeline.encode_images(&images, seeds)?))
    })
}

/// Decodes latents to pictures.
///
/// - pipeline: with which autoencoder.
/// - latents: of how many pictures there are.
/// - out_images: new handles; free each with sdxl_image_free.
/// - capacity: how many handles out_images has room for.
/// - out_count: how many pictures there are.
///
/// Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_decode(
    pipeline: sdxl_pipeline,
    latents: sdxl_latents,
    out_images: *mut sdxl_image,
    capacity: usize,
    out_count: *mut usize,
) -> sdxl_status {
    guard(|| {
        let pipeline = get(pipeline)?;
        let latents = copy_of(latents)?;
        let images = buffer(out_images, capacity, "out_images")?;
        let out_count = place(out_count, "out_count")?;
        let images = room(images, latents.shape()[0] as usize)?;
        out_count.write(hand_out(pipeline.decode(&latents)?, images));
        Ok(())
    })
}

/// Decodes latents to numbers that are not rounded to 8 bits: red, green and blue in about -1 to 1.
///
/// - pipeline: with which autoencoder.
/// - latents: of how many pictures there are.
/// - buffer: where the numbers go, picture by picture, channel by channel, row by row; NULL to ask for their number alone,
///   without decoding.
/// - capacity: how many numbers the buffer has room for.
/// - out_count: how many numbers there are; may be NULL where there is a buffer.
///
/// Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_decode_values(
    pipeline: sdxl_pipeline,
    latents: sdxl_latents,
    buffer: *mut f32,
    capacity: usize,
    out_count: *mut usize,
) -> sdxl_status {
    guard(|| {
        let pipeline = get(pipeline)?;
        let latents = copy_of(latents)?;
        let count = pipeline.decoded_count(&latents);
        let decode = || Ok(pipeline.decode_values(&latents)?);
        copy_made(count, decode, buffer, capacity, out_count)
    })
}

/// Frees a pipeline. Its jobs go on; the weights are freed with the last of them, and the last clone.
///
/// - pipeline: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_pipeline_free(pipeline: sdxl_pipeline) -> sdxl_status {
    free(pipeline)
}
