//! `sdxl_textual_inversion`: new words for prompts.

use std::ffi::c_char;
use std::sync::Mutex;

use super::arguments::{change, copy_of, copy_text, create, free, text, texts};
use super::error::{guard, sdxl_status};
use super::table::handle;
use crate::weights::TextualInversion;

/// New words for prompts, with the vectors that the text encoders are given for them. Pipelines that it was given to
/// keep what it was then.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sdxl_textual_inversion {
    /// 0 is no handle.
    pub id: u64,
}
handle!(sdxl_textual_inversion, "sdxl_textual_inversion", Mutex<TextualInversion>);

/// The most words of a list, and vectors of a file.
const MAX_WORDS: usize = 1024;

/// Reads a textual inversion. It belongs to no model: whether it fits one is found where a pipeline is given it.
///
/// - path: the safetensors file, whatever its name ends in.
/// - out_textual_inversion: a new handle, with the words of its file; free it with sdxl_textual_inversion_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_textual_inversion_open(
    path: *const c_char,
    out_textual_inversion: *mut sdxl_textual_inversion,
) -> sdxl_status {
    create(out_textual_inversion, "out_textual_inversion", || {
        Ok(Mutex::new(TextualInversion::open(text(path, "path")?)?))
    })
}

/// Gives it other words.
///
/// - textual_inversion: which one.
/// - words: each of 1 to 128 bytes without spaces, which is checked where a pipeline is given it. Default: those of the
///   file.
/// - count: how many: 1, which has all vectors, or as many as there are vectors.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_textual_inversion_set_words(
    textual_inversion: sdxl_textual_inversion,
    words: *const *const c_char,
    count: usize,
) -> sdxl_status {
    change(textual_inversion, |textual_inversion: TextualInversion| {
        Ok(textual_inversion.named(&texts(words, (count, MAX_WORDS), "words")?)?)
    })
}

/// Copies the words, one in a line.
///
/// - textual_inversion: of which one.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_textual_inversion_copy_words(
    textual_inversion: sdxl_textual_inversion,
    buffer: *mut c_char,
    capacity: usize,
    out_size: *mut usize,
) -> sdxl_status {
    guard(|| copy_text(&copy_of(textual_inversion)?.words().join("\n"), buffer, capacity, out_size))
}

/// Copies the path that it was read from.
///
/// - textual_inversion: which one.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_textual_inversion_path(
    textual_inversion: sdxl_textual_inversion,
    buffer: *mut c_char,
    capacity: usize,
    out_size: *mut usize,
) -> sdxl_status {
    guard(|| copy_text(&copy_of(textual_inversion)?.path().to_string_lossy(), buffer, capacity, out_size))
}

/// Frees a textual inversion. Pipelines that it was given to live on.
///
/// - textual_inversion: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_textual_inversion_free(textual_inversion: sdxl_textual_inversion) -> sdxl_status {
    free(textual_inversion)
}
