//! Lists that programs show to people: names of samplers and the like, and the sizes of training.

use std::ffi::c_char;

use super::arguments::{choice, copy_out, copy_text, place, text};
use super::error::{guard, sdxl_status};
use crate::conditioning::{BUCKETS, PromptSyntax, Size, nearest_bucket};
use crate::pipeline::Upscaler;
use crate::scheduler::{PredictionName, PresetName, SchedulerName, SpacingName};

fn lines<T: ToString>(all: &[T]) -> String {
    all.iter().map(T::to_string).collect::<Vec<_>>().join("\n")
}

/// Copies the names that a text parameter may have, one in a line.
///
/// - what: "scheduler" (for sdxl_scheduler_new), "preset", "spacing", "prediction", "prompt_syntax" or "hires_upscaler".
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_copy_names(
    what: *const c_char,
    buffer: *mut c_char,
    capacity: usize,
    out_size: *mut usize,
) -> sdxl_status {
    guard(|| {
        let all = [
            ("scheduler", lines(SchedulerName::ALL)),
            ("preset", lines(PresetName::ALL)),
            ("spacing", lines(SpacingName::ALL)),
            ("prediction", lines(PredictionName::ALL)),
            ("prompt_syntax", lines(PromptSyntax::ALL)),
            ("hires_upscaler", lines(Upscaler::ALL)),
        ];
        copy_text(&choice(text(what, "what")?, "what", all)?, buffer, capacity, out_size)
    })
}

/// Copies the sizes of pictures that SDXL was trained on: 40 widths and heights, from wide to tall.
///
/// - buffer: where the numbers go: width, height, width, height and so on; NULL to ask for their number alone.
/// - capacity: how many numbers the buffer has room for.
/// - out_count: how many numbers there are, 80; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_copy_buckets(
    buffer: *mut u32,
    capacity: usize,
    out_count: *mut usize,
) -> sdxl_status {
    guard(|| {
        let sides: Vec<u32> =
            BUCKETS.iter().flat_map(|size| [size.width as u32, size.height as u32]).collect();
        copy_out(&sides, buffer, capacity, out_count)
    })
}

/// Says which size that SDXL was trained on is nearest in shape.
///
/// - width: pixels from left to right; 0 counts as 1.
/// - height: pixels from top to bottom; 0 counts as 1.
/// - out_width: pixels from left to right.
/// - out_height: pixels from top to bottom.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_nearest_bucket(
    width: u32,
    height: u32,
    out_width: *mut u32,
    out_height: *mut u32,
) -> sdxl_status {
    guard(|| {
        let (out_width, out_height) = (place(out_width, "out_width")?, place(out_height, "out_height")?);
        let size = nearest_bucket(Size::new(width.into(), height.into()));
        out_width.write(size.width as u32);
        out_height.write(size.height as u32);
        Ok(())
    })
}
