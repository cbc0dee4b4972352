//! `sdxl_lora`: a change of a model's weights.

use std::ffi::c_char;
use std::sync::Mutex;

use super::arguments::{change, copy_of, copy_text, create, duplicate, free, place, text};
use super::error::{guard, sdxl_status};
use super::table::handle;
use crate::weights::{Lora, WeightedLora};

/// A LoRA or one of its relatives (LoCon, LoHa, LoKr, DoRA), and how strongly it acts. Pipelines that it was given to
/// keep what it was then.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sdxl_lora {
    /// 0 is no handle.
    pub id: u64,
}
handle!(sdxl_lora, "sdxl_lora", Mutex<WeightedLora>);

/// Reads a LoRA. It belongs to no model: whether it fits one is found where a pipeline is given it.
///
/// - path: the .safetensors file, of diffusers, PEFT, kohya or LyCORIS.
/// - out_lora: a new handle, with a weight of 1; free it with sdxl_lora_free.
///
/// Its numbers are read at once where this process has libtorch already, and otherwise when a pipeline of this process is
/// given it: then that call finds numbers that are not finite.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_lora_open(path: *const c_char, out_lora: *mut sdxl_lora) -> sdxl_status {
    create(out_lora, "out_lora", || Ok(Mutex::new(Lora::open(text(path, "path")?)?.weight(1.)?)))
}

/// Makes another handle of a LoRA, to give it other weights. The tensors are shared.
///
/// - lora: which one.
/// - out_lora: a new handle; free it with sdxl_lora_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_lora_clone(lora: sdxl_lora, out_lora: *mut sdxl_lora) -> sdxl_status {
    duplicate(lora, out_lora, "out_lora")
}

/// Sets how strongly a LoRA acts on the UNet, and on the text encoders unless they have a weight of their own.
///
/// - lora: which one.
/// - weight: -100 to 100; 1 as it was trained, 0 is off, a negative one does the reverse. Default: 1.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_lora_set_weight(lora: sdxl_lora, weight: f64) -> sdxl_status {
    change(lora, |lora: WeightedLora| Ok(lora.with_weight(weight)?))
}

/// Sets another weight for both text encoders.
///
/// - lora: which one.
/// - weight: -100 to 100. Default: that of sdxl_lora_set_weight.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_lora_set_text_encoders_weight(lora: sdxl_lora, weight: f64) -> sdxl_status {
    change(lora, |lora: WeightedLora| Ok(lora.text_encoders(weight)?))
}

/// Multiplies the weight in a block of the UNet. Of several blocks that a layer is in, the innermost counts.
///
/// - lora: which one.
/// - block: diffusers' name: "down_blocks.2", "mid_block", "up_blocks.0.attentions.1". One that the model does not have
///   is found where a pipeline is given the LoRA.
/// - factor: -100 to 100. Default: 1.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_lora_set_block(
    lora: sdxl_lora,
    block: *const c_char,
    factor: f64,
) -> sdxl_status {
    change(lora, |lora: WeightedLora| Ok(lora.block(text(block, "block")?, factor)?))
}

/// Leaves out what does not fit a model, in the place of an error; sdxl_pipeline_copy_unmatched lists it.
///
/// - lora: which one. Default: what does not fit is an error.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_lora_ignore_unmatched(lora: sdxl_lora) -> sdxl_status {
    change(lora, |lora: WeightedLora| Ok(lora.ignore_unmatched()))
}

/// Says how strongly a LoRA acts.
///
/// - lora: which one.
/// - out_weight: on the UNet, but for blocks with a factor.
/// - out_text_encoders_weight: on both text encoders.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_lora_weights(
    lora: sdxl_lora,
    out_weight: *mut f64,
    out_text_encoders_weight: *mut f64,
) -> sdxl_status {
    guard(|| {
        let lora = copy_of(lora)?;
        let out_weight = place(out_weight, "out_weight")?;
        let out_text_encoders_weight = place(out_text_encoders_weight, "out_text_encoders_weight")?;
        out_weight.write(lora.unet_weight());
        out_text_encoders_weight.write(lora.text_encoders_weight());
        Ok(())
    })
}

/// Copies the blocks with a factor of their own, one in a line: "down_blocks.2 0.5".
///
/// - lora: of which one.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer. 1 where there are none.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_lora_copy_blocks(
    lora: sdxl_lora,
    buffer: *mut c_char,
    capacity: usize,
    out_size: *mut usize,
) -> sdxl_status {
    guard(|| {
        let lora = copy_of(lora)?;
        let lines: Vec<String> =
            lora.blocks().iter().map(|(block, factor)| format!("{block} {factor}")).collect();
        copy_text(&lines.join("\n"), buffer, capacity, out_size)
    })
}

/// Copies the path that a LoRA was read from.
///
/// - lora: which one.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_lora_path(
    lora: sdxl_lora,
    buffer: *mut c_char,
    capacity: usize,
    out_size: *mut usize,
) -> sdxl_status {
    guard(|| copy_text(&copy_of(lora)?.lora().path().to_string_lossy(), buffer, capacity, out_size))
}

/// Copies a few words about what the file looks like, such as "a LoRA for SDXL".
///
/// - lora: which one.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_lora_copy_looks_like(
    lora: sdxl_lora,
    buffer: *mut c_char,
    capacity: usize,
    out_size: *mut usize,
) -> sdxl_status {
    guard(|| copy_text(copy_of(lora)?.lora().looks_like(), buffer, capacity, out_size))
}

/// Frees a LoRA. Pipelines that it was given to live on.
///
/// - lora: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_lora_free(lora: sdxl_lora) -> sdxl_status {
    free(lora)
}
