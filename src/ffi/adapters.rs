//! LoRAs and textual inversions of an `sdxl_pipeline`.

use std::ffi::c_char;
use std::sync::Mutex;

use super::arguments::{Versioned, copy_text, create, objects, place, structure_place};
use super::error::sdxl_status::SDXL_STATUS_INVALID_VALUE;
use super::error::{Failure, Outcome, guard, sdxl_status};
use super::lora::sdxl_lora;
use super::pipeline::sdxl_pipeline;
use super::table::get;
use super::textual_inversion::sdxl_textual_inversion;
use crate::isolation::Engine;
use crate::pipeline::AppliedLora;
use crate::runtime::locked;
use crate::weights::WeightedLora;

/// The most adapters of a pipeline.
const MAX_ADAPTERS: usize = 1024;

/// How a pipeline has one of its LoRAs.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sdxl_lora_info {
    /// sizeof(sdxl_lora_info), set by the caller.
    pub struct_size: u32,
    /// 1 where it was merged into the weights, 0 where it is kept beside them.
    pub merged: u32,
    /// How many keys of its file fit no layer of the model.
    pub unmatched: u32,
    /// 0.
    pub reserved: u32,
    /// Its weight in the UNet, but for blocks with a factor.
    pub weight: f64,
    /// Its weight in both text encoders.
    pub text_encoders_weight: f64,
}

// SAFETY: repr(C), begins with its size, all fields are numbers.
unsafe impl Versioned for sdxl_lora_info {
    const FIRST_SIZE: usize = 32;
    const DEFAULT: Self = Self {
        struct_size: size_of::<Self>() as u32,
        merged: 0,
        unmatched: 0,
        reserved: 0,
        weight: 0.,
        text_encoders_weight: 0.,
    };
}

/// The LoRAs of a list of handles, as they are now.
fn weighted(loras: *const sdxl_lora, count: usize) -> Outcome<Vec<WeightedLora>> {
    let loras = objects(loras, (count, MAX_ADAPTERS), "loras")?;
    Ok(loras.iter().map(|lora| locked(lora).clone()).collect())
}

/// One of several.
fn nth<T>(mut items: impl Iterator<Item = T>, index: u32, what: &str) -> Outcome<T> {
    items.nth(index as usize).ok_or_else(|| {
        let message = format!("index is {index}, expected less than the number of {what}");
        Failure::new(SDXL_STATUS_INVALID_VALUE, message)
    })
}

fn applied(pipeline: &Engine, index: u32) -> Outcome<AppliedLora> {
    nth(pipeline.loras()?.into_iter(), index, "LoRAs")
}

/// Makes a pipeline with these LoRAs in the place of those that the given one has, kept beside the weights: instant, so
/// call it again for other weights.
///
/// The given pipeline is not changed, and draws what it drew before to the last bit. Weights are shared and not copied,
/// textual inversions stay. An empty list gives a pipeline without LoRAs, but for those that were merged while the model
/// was read. Jobs of the new pipeline do not wait for those of the given one.
///
/// - pipeline: which one.
/// - loras: what is to act, with its weights as they are now; several add up. NULL where there are none.
/// - count: how many they are, at most 1024.
/// - out_pipeline: a new handle; free it with sdxl_pipeline_free.
///
/// Returns SDXL_STATUS_INVALID_LORA where one does not fit the model; the message lists every key.
///
/// Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_with_loras(
    pipeline: sdxl_pipeline,
    loras: *const sdxl_lora,
    count: usize,
    out_pipeline: *mut sdxl_pipeline,
) -> sdxl_status {
    create(out_pipeline, "out_pipeline", || Ok(get(pipeline)?.with_loras(&weighted(loras, count)?)?))
}

/// Makes a pipeline with these LoRAs merged into copies of the weights that they touch, rounded to their type: steps take
/// no longer than without LoRAs. Otherwise as sdxl_pipeline_with_loras.
///
/// - pipeline: which one.
/// - loras: what is to act, with its weights as they are now; several add up. NULL where there are none.
/// - count: how many they are, at most 1024.
/// - out_pipeline: a new handle; free it with sdxl_pipeline_free.
///
/// Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_with_merged_loras(
    pipeline: sdxl_pipeline,
    loras: *const sdxl_lora,
    count: usize,
    out_pipeline: *mut sdxl_pipeline,
) -> sdxl_status {
    create(out_pipeline, "out_pipeline", || Ok(get(pipeline)?.with_merged_loras(&weighted(loras, count)?)?))
}

/// Says how many LoRAs a pipeline has, those that were merged while the model was read included.
///
/// - pipeline: which one.
/// - out_count: their number.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_lora_count(
    pipeline: sdxl_pipeline,
    out_count: *mut usize,
) -> sdxl_status {
    guard(|| {
        let pipeline = get(pipeline)?;
        place(out_count, "out_count")?.write(pipeline.loras()?.len());
        Ok(())
    })
}

/// Gives a LoRA of a pipeline, with the weights that it has there.
///
/// - pipeline: which one.
/// - index: of which LoRA, from 0.
/// - out_lora: a new handle; free it with sdxl_lora_free. Changes of it do not change the pipeline.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_get_lora(
    pipeline: sdxl_pipeline,
    index: u32,
    out_lora: *mut sdxl_lora,
) -> sdxl_status {
    create(out_lora, "out_lora", || Ok(Mutex::new(applied(&*get(pipeline)?, index)?.lora)))
}

/// Says how a pipeline has one of its LoRAs.
///
/// - pipeline: which one.
/// - index: of which LoRA, from 0.
/// - out_info: where it goes; the caller sets its struct_size first.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_get_lora_info(
    pipeline: sdxl_pipeline,
    index: u32,
    out_info: *mut sdxl_lora_info,
) -> sdxl_status {
    guard(|| {
        let pipeline = get(pipeline)?;
        let AppliedLora { lora, merged, unmatched } = applied(&pipeline, index)?;
        structure_place(out_info, "out_info")?.write(&sdxl_lora_info {
            merged: u32::from(merged),
            unmatched: unmatched.len() as u32,
            weight: lora.unet_weight(),
            text_encoders_weight: lora.text_encoders_weight(),
            ..sdxl_lora_info::DEFAULT
        });
        Ok(())
    })
}

/// Copies the keys of a LoRA's file that fit no layer of the model, one in a line: none but after
/// sdxl_lora_ignore_unmatched.
///
/// - pipeline: which one.
/// - index: of which LoRA, from 0.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer. 1 where all fit.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_copy_unmatched(
    pipeline: sdxl_pipeline,
    index: u32,
    buffer: *mut c_char,
    capacity: usize,
    out_size: *mut usize,
) -> sdxl_status {
    guard(|| {
        let pipeline = get(pipeline)?;
        copy_text(&applied(&pipeline, index)?.unmatched.join("\n"), buffer, capacity, out_size)
    })
}

/// Makes a pipeline with these textual inversions in the place of those that the given one has: their words may be used in
/// prompts. The given pipeline is not changed; weights are shared and not copied, and LoRAs stay. An empty list gives a
/// pipeline without them.
///
/// - pipeline: which one.
/// - textual_inversions: with their words as they are now. NULL where there are none.
/// - count: how many they are, at most 1024.
/// - out_pipeline: a new handle; free it with sdxl_pipeline_free.
///
/// Any thread; a long-lived one, since libtorch keeps memory for every thread that it computes on. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_with_textual_inversions(
    pipeline: sdxl_pipeline,
    textual_inversions: *const sdxl_textual_inversion,
    count: usize,
    out_pipeline: *mut sdxl_pipeline,
) -> sdxl_status {
    create(out_pipeline, "out_pipeline", || {
        let pipeline = get(pipeline)?;
        let all = objects(textual_inversions, (count, MAX_ADAPTERS), "textual_inversions")?;
        let all: Vec<_> = all.iter().map(|one| locked(one).clone()).collect();
        Ok(pipeline.with_embeddings(&all)?)
    })
}

/// Says how many textual inversions a pipeline has.
///
/// - pipeline: which one.
/// - out_count: their number.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_textual_inversion_count(
    pipeline: sdxl_pipeline,
    out_count: *mut usize,
) -> sdxl_status {
    guard(|| {
        let pipeline = get(pipeline)?;
        place(out_count, "out_count")?.write(pipeline.embeddings()?.len());
        Ok(())
    })
}

/// Gives a textual inversion of a pipeline, with the words that it has there.
///
/// - pipeline: which one.
/// - index: of which textual inversion, from 0.
/// - out_textual_inversion: a new handle; free it with sdxl_textual_inversion_free. Changes of it do not change the
///   pipeline.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_get_textual_inversion(
    pipeline: sdxl_pipeline,
    index: u32,
    out_textual_inversion: *mut sdxl_textual_inversion,
) -> sdxl_status {
    create(out_textual_inversion, "out_textual_inversion", || {
        let pipeline = get(pipeline)?;
        Ok(Mutex::new(nth(pipeline.embeddings()?.into_iter(), index, "textual inversions")?))
    })
}
