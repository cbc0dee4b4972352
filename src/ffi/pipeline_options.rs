//! `sdxl_pipeline_options`: which model, where and how it computes.

use std::ffi::c_char;
use std::sync::Mutex;

use super::arguments::{
    borrowed, change, choice, copy_of, create, duplicate, free, structure_place, switch, text,
};
use super::error::{guard, sdxl_status};
use super::pipeline::sdxl_pipeline_info;
use super::table::handle;
use crate::isolation::Engine;
use crate::pipeline::{Pipeline, PipelineBuilder};
use crate::runtime::MemoryFile;

/// Options for loading a model. Any number of pipelines can be loaded with them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sdxl_pipeline_options {
    /// 0 is no handle.
    pub id: u64,
}
handle!(sdxl_pipeline_options, "sdxl_pipeline_options", Mutex<PipelineBuilder>);

/// Makes options for a model on disk.
///
/// - model: a diffusers folder, a folder of the Hugging Face cache or the name of a repository in it
///   ("stabilityai/stable-diffusion-xl-base-1.0"), or a single .safetensors file.
/// - out_options: a new handle; free it with sdxl_pipeline_options_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_options_new(
    model: *const c_char,
    out_options: *mut sdxl_pipeline_options,
) -> sdxl_status {
    create(out_options, "out_options", || Ok(Mutex::new(Pipeline::builder(text(model, "model")?))))
}

/// Makes options for a model in the caller's memory, such as in a game's pack: add its files to them.
///
/// - name: what the model is called in pictures and messages.
/// - out_options: a new handle; free it with sdxl_pipeline_options_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_options_new_in_memory(
    name: *const c_char,
    out_options: *mut sdxl_pipeline_options,
) -> sdxl_status {
    create(out_options, "out_options", || Ok(Mutex::new(Pipeline::in_memory(text(name, "name")?))))
}

/// Adds a file of a model in memory. Nothing is copied: the bytes must stay as they are until the options are freed, and
/// until calls of sdxl_pipeline_load and sdxl_pipeline_options_check that use them have returned. Pipelines do not need
/// them, but for those of sdxl_pipeline_options_set_stream_text_encoders.
///
/// - options: whose; made by sdxl_pipeline_options_new_in_memory.
/// - name: where the file would lie in a diffusers folder, such as "unet/config.json"; or any name for a single
///   .safetensors file with the whole model, which is the only one then.
/// - data: the bytes of the file.
/// - size: how many they are.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_options_add_file(
    options: sdxl_pipeline_options,
    name: *const c_char,
    data: *const u8,
    size: usize,
) -> sdxl_status {
    change(options, |builder| {
        Ok(builder.file(text(name, "name")?, MemoryFile::new(borrowed(data, size, "data")?))?)
    })
}

/// Chooses where the models compute.
///
/// - options: whose.
/// - device: "cpu", "cuda" (the first one) or "cuda:N". Default: "cpu".
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_options_set_device(
    options: sdxl_pipeline_options,
    device: *const c_char,
) -> sdxl_status {
    change(options, |builder| Ok(builder.device(text(device, "device")?.parse()?)))
}

/// Chooses the type in which the models compute. Stored weights keep the type of the file on the CPU whatever it is.
///
/// - options: whose.
/// - precision: "f32", "f16" or "bf16". Default: "f32", the only one on the CPU.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_options_set_precision(
    options: sdxl_pipeline_options,
    precision: *const c_char,
) -> sdxl_status {
    change(options, |builder| Ok(builder.precision(text(precision, "precision")?.parse()?)))
}

/// Chooses among the files of a diffusers folder.
///
/// - options: whose.
/// - variant: the part of the file names before ".safetensors", such as "fp16". Default: "", the plain names, or
///   fp16 where there are no others.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_options_set_variant(
    options: sdxl_pipeline_options,
    variant: *const c_char,
) -> sdxl_status {
    change(options, |builder| Ok(builder.variant(text(variant, "variant")?)))
}

/// Decodes with a tiny autoencoder (TAESDXL) in the place of the model's own: much faster, a little less exact.
///
/// - options: whose.
/// - path: an AutoencoderTiny file or folder of diffusers, or a folder with TAESD's own two files. Default: none.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_options_set_taesd(
    options: sdxl_pipeline_options,
    path: *const c_char,
) -> sdxl_status {
    change(options, |builder| Ok(builder.taesd(text(path, "path")?)))
}

/// Takes another autoencoder of the same shape, such as the one whose activations fit into 16 bits.
///
/// - options: whose.
/// - path: a diffusers folder with its config.json, or a file; a single file of a whole model will do. Default: the
///   model's own.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_options_set_vae(
    options: sdxl_pipeline_options,
    path: *const c_char,
) -> sdxl_status {
    change(options, |builder| Ok(builder.vae(text(path, "path")?)))
}

/// Takes another UNet, as distilled models come.
///
/// - options: whose.
/// - path: a diffusers folder with its config.json, or a file of one of the same shape; a single file of a whole model
///   will do. Default: the model's own.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_options_set_unet(
    options: sdxl_pipeline_options,
    path: *const c_char,
) -> sdxl_status {
    change(options, |builder| Ok(builder.unet(text(path, "path")?)))
}

/// Adds a textual inversion, under the words of its file.
///
/// - options: whose.
/// - path: the .safetensors file. Default: none.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_options_add_embedding(
    options: sdxl_pipeline_options,
    path: *const c_char,
) -> sdxl_status {
    change(options, |builder| Ok(builder.embedding(text(path, "path")?)))
}

/// Adds a LoRA; several add up. What is wrong with it is found when the model is checked or loaded.
///
/// - options: whose.
/// - path: the .safetensors file, of diffusers, PEFT, kohya or LyCORIS. Default: none.
/// - weight: how strongly it acts; 1 as it was trained.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_options_add_lora(
    options: sdxl_pipeline_options,
    path: *const c_char,
    weight: f64,
) -> sdxl_status {
    change(options, |builder| Ok(builder.lora(text(path, "path")?, weight)))
}

/// Merges the LoRAs into the weights while these are read: steps take no longer than without them.
///
/// - options: whose. Default: they are kept beside the weights.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_pipeline_options_merge_loras(options: sdxl_pipeline_options) -> sdxl_status {
    change(options, |builder| Ok(builder.merge_loras()))
}

/// Puts the pipeline into a process of its own: a crash there, a kill, or the end of memory ends its jobs with
/// SDXL_STATUS_WORKER, and the next job starts the process anew. Everything else is as it is without.
///
/// - options: whose.
/// - isolation: "none" or "process". Default: "none".
///
/// The process is the program sdxl-worker: see sdxl_pipeline_options_set_worker. It ends when the last of the pipeline, its
/// clones and their jobs is gone, and with the caller's process, however that ends. Files of sdxl_pipeline_options_add_file
/// are copied into memory that both processes share, and stay there as long as the pipeline.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_options_set_isolation(
    options: sdxl_pipeline_options,
    isolation: *const c_char,
) -> sdxl_status {
    change(options, |mut builder: PipelineBuilder| {
        builder.isolation.is_on =
            choice(text(isolation, "isolation")?, "isolation", [("none", false), ("process", true)])?;
        Ok(builder)
    })
}

/// Says which program the process of an isolated pipeline is. It is of the same version as the library.
///
/// - options: whose.
/// - path: the program sdxl-worker. Default: that of the environment variable SDXL_WORKER, or else the one beside the
///   library, or in a folder sdxl there.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_options_set_worker(
    options: sdxl_pipeline_options,
    path: *const c_char,
) -> sdxl_status {
    change(options, |mut builder: PipelineBuilder| {
        builder.isolation.worker = Some(text(path, "path")?.into());
        Ok(builder)
    })
}

/// Encodes and decodes pictures strip by strip: in a third of the memory, for about a third more time. The pictures are the
/// same up to rounding, without seams.
///
/// - options: whose.
/// - vae_tiling: 1 for yes, 0 for no. Default: 0.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_pipeline_options_set_vae_tiling(
    options: sdxl_pipeline_options,
    vae_tiling: u32,
) -> sdxl_status {
    change(options, |builder: PipelineBuilder| Ok(builder.vae_tiling(switch(vae_tiling, "vae_tiling")?)))
}

/// Reads the text encoders' weights whenever a prompt is encoded, and keeps none of them: 1.6 GB less of SDXL in 16 bits.
/// The pictures are the same, to the last bit; a prompt that differs from the one before takes the time to read its
/// encoders' files, and its negative prompt once more.
///
/// - options: whose.
/// - stream_text_encoders: 1 for yes, 0 for no. Default: 0.
///
/// The files must stay as they are as long as the pipeline and those made of it, and so must memory given to
/// sdxl_pipeline_options_add_file.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_pipeline_options_set_stream_text_encoders(
    options: sdxl_pipeline_options,
    stream_text_encoders: u32,
) -> sdxl_status {
    change(options, |builder: PipelineBuilder| {
        Ok(builder.stream_text_encoders(switch(stream_text_encoders, "stream_text_encoders")?))
    })
}

/// Makes a copy of options, to change some of them. Memory that was given to sdxl_pipeline_options_add_file must stay until
/// the copy is freed too.
///
/// - options: which ones.
/// - out_options: a new handle; free it with sdxl_pipeline_options_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_options_clone(
    options: sdxl_pipeline_options,
    out_options: *mut sdxl_pipeline_options,
) -> sdxl_status {
    duplicate(options, out_options, "out_options")
}

/// Checks the model without reading its weights: configurations, tokenizers, and names and shapes of all tensors.
///
/// - options: of which model.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_pipeline_options_check(options: sdxl_pipeline_options) -> sdxl_status {
    guard(|| Ok(Engine::check(copy_of(options)?).map(drop)?))
}

/// Checks the model as sdxl_pipeline_options_check does, and says what it is.
///
/// - options: of which model.
/// - out_info: where it goes; the caller sets its struct_size first.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_pipeline_options_get_info(
    options: sdxl_pipeline_options,
    out_info: *mut sdxl_pipeline_info,
) -> sdxl_status {
    guard(|| {
        let options = copy_of(options)?;
        let out_info = structure_place(out_info, "out_info")?;
        out_info.write(&sdxl_pipeline_info::of(&Engine::check(options)?));
        Ok(())
    })
}

/// Frees options. Pipelines loaded with them live on.
///
/// - options: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_pipeline_options_free(options: sdxl_pipeline_options) -> sdxl_status {
    free(options)
}
