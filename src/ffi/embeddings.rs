//! `sdxl_embeddings`: encoded text.

use std::ffi::c_char;
use std::sync::Mutex;

use ndarray::{ArrayView2, ArrayView3};

use super::arguments::{buffer, copy_of, copy_out, create, free, list, text};
use super::error::sdxl_status::SDXL_STATUS_INVALID_VALUE;
use super::error::{Failure, Outcome, guard, sdxl_status};
use super::table::handle;
use crate::conditioning::TextEmbeddings;

/// Encoded text: a context, token by token, and a pooled vector. It never changes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sdxl_embeddings {
    /// 0 is no handle.
    pub id: u64,
}
handle!(sdxl_embeddings, "sdxl_embeddings", Mutex<TextEmbeddings>);

/// Makes embeddings of numbers, which are copied.
///
/// - context: rows x tokens x context_width numbers.
/// - context_count: how many numbers those are.
/// - pooled: rows x pooled_width numbers.
/// - pooled_count: how many numbers those are.
/// - rows: 1, or as many as a request has pictures.
/// - tokens: 77 for each chunk of the prompt.
/// - out_embeddings: a new handle; free it with sdxl_embeddings_free.
///
/// The widths follow from the counts; whether they are those of the model is found when a job uses them.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_embeddings_new(
    context: *const f32,
    context_count: usize,
    pooled: *const f32,
    pooled_count: usize,
    rows: u32,
    tokens: u32,
    out_embeddings: *mut sdxl_embeddings,
) -> sdxl_status {
    create(out_embeddings, "out_embeddings", || {
        let context = list(context, context_count, "context")?;
        let pooled = list(pooled, pooled_count, "pooled")?;
        let (rows, tokens) = (rows as usize, tokens as usize);
        let width = divided(context_count, rows.saturating_mul(tokens), "context_count")?;
        let pooled_width = divided(pooled_count, rows, "pooled_count")?;
        let strange = |error: ndarray::ShapeError| Failure::new(SDXL_STATUS_INVALID_VALUE, error.to_string());
        let context = ArrayView3::from_shape((rows, tokens, width), context).map_err(strange)?;
        let pooled = ArrayView2::from_shape((rows, pooled_width), pooled).map_err(strange)?;
        Ok(Mutex::new(TextEmbeddings::from_arrays(context, pooled)?))
    })
}

fn divided(count: usize, parts: usize, name: &str) -> Outcome<usize> {
    // More numbers than any model has are a mistake, and nobody is to read them.
    let most = 1 << 28;
    match count.checked_div(parts) {
        Some(width) if width > 0 && width * parts == count && count <= most => Ok(width),
        _ => {
            let message =
                format!("{name} is {count}, expected a multiple of rows and tokens ({parts}) up to {most}");
            Err(Failure::new(SDXL_STATUS_INVALID_VALUE, message))
        }
    }
}

/// Reads the tensors "context" and "pooled" of a safetensors file.
///
/// - path: the file.
/// - out_embeddings: a new handle; free it with sdxl_embeddings_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_embeddings_open(
    path: *const c_char,
    out_embeddings: *mut sdxl_embeddings,
) -> sdxl_status {
    create(out_embeddings, "out_embeddings", || Ok(Mutex::new(TextEmbeddings::open(text(path, "path")?)?)))
}

/// Saves a safetensors file with the tensors "context" and "pooled", in full or not at all.
///
/// - embeddings: which ones.
/// - path: the file; one that is there is replaced.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_embeddings_save(
    embeddings: sdxl_embeddings,
    path: *const c_char,
) -> sdxl_status {
    guard(|| Ok(copy_of(embeddings)?.save(text(path, "path")?)?))
}

/// Says how large embeddings are.
///
/// - embeddings: which ones.
/// - out_shape: four numbers: rows, tokens, width of the context, width of the pooled vector.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_embeddings_shape(
    embeddings: sdxl_embeddings,
    out_shape: *mut u32,
) -> sdxl_status {
    guard(|| {
        let embeddings = copy_of(embeddings)?;
        let out_shape = buffer(out_shape, 4, "out_shape")?;
        let shape =
            embeddings.context.shape().into_iter().chain(embeddings.pooled.shape().into_iter().skip(1));
        for (out, side) in out_shape.iter_mut().zip(shape) {
            *out = side as u32;
        }
        Ok(())
    })
}

/// Copies the context.
///
/// - embeddings: which ones.
/// - buffer: where the numbers go, row by row and token by token; NULL to ask for their number alone.
/// - capacity: how many numbers the buffer has room for.
/// - out_count: how many numbers there are; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_embeddings_copy_context(
    embeddings: sdxl_embeddings,
    buffer: *mut f32,
    capacity: usize,
    out_count: *mut usize,
) -> sdxl_status {
    guard(|| {
        let context = copy_of(embeddings)?.context::<f32>()?;
        copy_out(context.as_slice().unwrap_or_default(), buffer, capacity, out_count)
    })
}

/// Copies the pooled vectors.
///
/// - embeddings: which ones.
/// - buffer: where the numbers go, row by row; NULL to ask for their number alone.
/// - capacity: how many numbers the buffer has room for.
/// - out_count: how many numbers there are; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_embeddings_copy_pooled(
    embeddings: sdxl_embeddings,
    buffer: *mut f32,
    capacity: usize,
    out_count: *mut usize,
) -> sdxl_status {
    guard(|| {
        let pooled = copy_of(embeddings)?.pooled::<f32>()?;
        copy_out(pooled.as_slice().unwrap_or_default(), buffer, capacity, out_count)
    })
}

/// Frees embeddings. Conditionings made with them live on.
///
/// - embeddings: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_embeddings_free(embeddings: sdxl_embeddings) -> sdxl_status {
    free(embeddings)
}
