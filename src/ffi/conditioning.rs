//! `sdxl_conditioning`: what a picture is to show.

use std::ffi::c_char;
use std::sync::Mutex;

use super::arguments::{change, copy_of, create, duplicate, free, text};
use super::embeddings::sdxl_embeddings;
use super::error::{Outcome, sdxl_status};
use super::table::handle;
use crate::conditioning::{Conditioning, ConditioningBuilder, Crop, Size};

/// What a picture is to show: prompts or their embeddings, and the micro-conditioning. It belongs to no model and
/// serves any number of requests.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sdxl_conditioning {
    /// 0 is no handle.
    pub id: u64,
}
handle!(sdxl_conditioning, "sdxl_conditioning", Mutex<ConditioningBuilder>);

/// A setter: the change is kept if the whole is still valid.
fn set(
    conditioning: sdxl_conditioning,
    body: impl FnOnce(ConditioningBuilder) -> Outcome<ConditioningBuilder>,
) -> sdxl_status {
    change(conditioning, |builder| {
        let changed = body(builder)?;
        changed.clone().build()?;
        Ok(changed)
    })
}

fn size(width: u32, height: u32) -> Size {
    Size::new(width.into(), height.into())
}

/// Makes a conditioning of a prompt.
///
/// - prompt: what the picture shows, at most 64 KiB.
/// - out_conditioning: a new handle; free it with sdxl_conditioning_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_conditioning_new(
    prompt: *const c_char,
    out_conditioning: *mut sdxl_conditioning,
) -> sdxl_status {
    create(out_conditioning, "out_conditioning", || {
        Ok(Mutex::new(Conditioning::builder(text(prompt, "prompt")?)))
    })
}

/// Makes a conditioning of embeddings that sdxl_pipeline_encode or another program made.
///
/// - embeddings: those of the prompt; they are shared, and may be freed afterwards.
/// - out_conditioning: a new handle; free it with sdxl_conditioning_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_conditioning_from_embeddings(
    embeddings: sdxl_embeddings,
    out_conditioning: *mut sdxl_conditioning,
) -> sdxl_status {
    create(out_conditioning, "out_conditioning", || {
        Ok(Mutex::new(Conditioning::from_embeddings(copy_of(embeddings)?)))
    })
}

/// Makes a copy of a conditioning, to change some of it.
///
/// - conditioning: which one.
/// - out_conditioning: a new handle; free it with sdxl_conditioning_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_conditioning_clone(
    conditioning: sdxl_conditioning,
    out_conditioning: *mut sdxl_conditioning,
) -> sdxl_status {
    duplicate(conditioning, out_conditioning, "out_conditioning")
}

/// Gives the second text encoder another prompt. A refiner, which has one encoder, reads the prompt alone.
///
/// - conditioning: whose; one of prompts.
/// - prompt: the text. Default, also for "": the prompt.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_conditioning_set_prompt_2(
    conditioning: sdxl_conditioning,
    prompt: *const c_char,
) -> sdxl_status {
    set(conditioning, |builder| Ok(builder.prompt_2(text(prompt, "prompt")?)))
}

/// Says what the picture is not to show; evaluated where guidance is on.
///
/// - conditioning: whose; one of prompts.
/// - prompt: the text. Default: absent, which is not the same as "": SDXL base takes zeros for an absent negative
///   prompt, and encodes an empty one.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_conditioning_set_negative_prompt(
    conditioning: sdxl_conditioning,
    prompt: *const c_char,
) -> sdxl_status {
    set(conditioning, |builder| Ok(builder.negative_prompt(text(prompt, "prompt")?)))
}

/// Gives the second text encoder another negative prompt.
///
/// - conditioning: whose; one of prompts.
/// - prompt: the text. Default, also for "": the negative prompt.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_conditioning_set_negative_prompt_2(
    conditioning: sdxl_conditioning,
    prompt: *const c_char,
) -> sdxl_status {
    set(conditioning, |builder| Ok(builder.negative_prompt_2(text(prompt, "prompt")?)))
}

/// Chooses how all prompts are read.
///
/// - conditioning: whose; one of prompts.
/// - syntax: "plain" (brackets are characters, 75 tokens), "a1111" (`(word:1.3)`, `[word]`, BREAK, any length) or
///   "a1111_no_norm". Default: "plain".
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_conditioning_set_prompt_syntax(
    conditioning: sdxl_conditioning,
    syntax: *const c_char,
) -> sdxl_status {
    set(conditioning, |builder| Ok(builder.prompt_syntax(text(syntax, "syntax")?.parse()?)))
}

/// Gives the embeddings of the negative prompt.
///
/// - conditioning: whose; one of embeddings.
/// - embeddings: they are shared, and may be freed afterwards. Default: zeros, or those of "" where the model
///   asks for them.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_conditioning_set_negative_embeddings(
    conditioning: sdxl_conditioning,
    embeddings: sdxl_embeddings,
) -> sdxl_status {
    set(conditioning, |builder| Ok(builder.negative_embeddings(copy_of(embeddings)?)))
}

/// Takes the prompt's hidden states from lower layers of the text encoders. The negative prompt is always taken
/// from the usual layer.
///
/// - conditioning: whose; one of prompts.
/// - layers: how many below the usual one, which is the last but one. Default: 0.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_conditioning_set_clip_skip(
    conditioning: sdxl_conditioning,
    layers: u32,
) -> sdxl_status {
    set(conditioning, |builder| Ok(builder.clip_skip(layers as usize)))
}

/// Tells the UNet the size of the original picture. Small ones give the look of small pictures scaled up.
///
/// - conditioning: whose.
/// - width: 1 to 16384 pixels. Default: that of the picture drawn.
/// - height: 1 to 16384 pixels. Default: that of the picture drawn.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_conditioning_set_original_size(
    conditioning: sdxl_conditioning,
    width: u32,
    height: u32,
) -> sdxl_status {
    set(conditioning, |builder| Ok(builder.original_size(size(width, height))))
}

/// Tells the UNet what was cut off the original picture.
///
/// - conditioning: whose.
/// - left: 0 to 16384 pixels. Default: 0.
/// - top: 0 to 16384 pixels. Default: 0.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_conditioning_set_crop(
    conditioning: sdxl_conditioning,
    left: u32,
    top: u32,
) -> sdxl_status {
    set(conditioning, |builder| Ok(builder.crop(Crop::new(left.into(), top.into()))))
}

/// Tells the UNet the target size.
///
/// - conditioning: whose.
/// - width: 1 to 16384 pixels. Default: that of the picture drawn.
/// - height: 1 to 16384 pixels. Default: that of the picture drawn.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_conditioning_set_target_size(
    conditioning: sdxl_conditioning,
    width: u32,
    height: u32,
) -> sdxl_status {
    set(conditioning, |builder| Ok(builder.target_size(size(width, height))))
}

/// Tells the UNet the size of the original picture for the negative prompt.
///
/// - conditioning: whose.
/// - width: 1 to 16384 pixels. Default: that for the prompt.
/// - height: 1 to 16384 pixels. Default: that for the prompt.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_conditioning_set_negative_original_size(
    conditioning: sdxl_conditioning,
    width: u32,
    height: u32,
) -> sdxl_status {
    set(conditioning, |builder| Ok(builder.negative_original_size(size(width, height))))
}

/// Tells the UNet what was cut off the original picture for the negative prompt.
///
/// - conditioning: whose.
/// - left: 0 to 16384 pixels. Default: that for the prompt.
/// - top: 0 to 16384 pixels. Default: that for the prompt.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_conditioning_set_negative_crop(
    conditioning: sdxl_conditioning,
    left: u32,
    top: u32,
) -> sdxl_status {
    set(conditioning, |builder| Ok(builder.negative_crop(Crop::new(left.into(), top.into()))))
}

/// Tells the UNet the target size for the negative prompt.
///
/// - conditioning: whose.
/// - width: 1 to 16384 pixels. Default: that for the prompt.
/// - height: 1 to 16384 pixels. Default: that for the prompt.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_conditioning_set_negative_target_size(
    conditioning: sdxl_conditioning,
    width: u32,
    height: u32,
) -> sdxl_status {
    set(conditioning, |builder| Ok(builder.negative_target_size(size(width, height))))
}

/// Sets the refiner's aesthetic score for the prompt.
///
/// - conditioning: whose.
/// - score: 0 to 10. Default: 6.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_conditioning_set_aesthetic_score(
    conditioning: sdxl_conditioning,
    score: f64,
) -> sdxl_status {
    set(conditioning, |builder| Ok(builder.aesthetic_score(score)))
}

/// Sets the refiner's aesthetic score for the negative prompt.
///
/// - conditioning: whose.
/// - score: 0 to 10. Default: 2.5.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_conditioning_set_negative_aesthetic_score(
    conditioning: sdxl_conditioning,
    score: f64,
) -> sdxl_status {
    set(conditioning, |builder| Ok(builder.negative_aesthetic_score(score)))
}

/// Frees a conditioning. Requests made with it live on.
///
/// - conditioning: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_conditioning_free(conditioning: sdxl_conditioning) -> sdxl_status {
    free(conditioning)
}
