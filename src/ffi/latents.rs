//! `sdxl_latents`: pictures as the UNet sees them.

use std::ffi::c_char;
use std::sync::Mutex;

use ndarray::ArrayView4;

use super::arguments::{buffer, copy_of, copy_out, create, free, list, short_list, text};
use super::error::sdxl_status::SDXL_STATUS_INVALID_VALUE;
use super::error::{Failure, guard, sdxl_status};
use super::image::{picture, sdxl_image};
use super::table::handle;
use crate::pipeline::Latents;

/// Pictures as the UNet sees them: pictures x channels x height/8 x width/8 numbers. They never change.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sdxl_latents {
    /// 0 is no handle.
    pub id: u64,
}
handle!(sdxl_latents, "sdxl_latents", Mutex<Latents>);

/// Makes latents of numbers, which are copied.
///
/// - values: the numbers, picture by picture, channel by channel, row by row.
/// - count: how many they are.
/// - shape: four numbers: pictures, channels, height and width of the latents. Their product is the count.
/// - out_latents: a new handle; free it with sdxl_latents_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_latents_new(
    values: *const f32,
    count: usize,
    shape: *const u32,
    out_latents: *mut sdxl_latents,
) -> sdxl_status {
    create(out_latents, "out_latents", || {
        let values = list(values, count, "values")?;
        let mut sides = list(shape, 4, "shape")?.iter().map(|&side| side as usize);
        let shape = [(); 4].map(|()| sides.next().unwrap_or(0));
        let product = shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
        if product != Some(count) {
            let message = format!("count is {count}, expected the product of the shape {shape:?}");
            return Err(Failure::new(SDXL_STATUS_INVALID_VALUE, message));
        }
        let array = ArrayView4::from_shape(shape, values)
            .map_err(|error| Failure::new(SDXL_STATUS_INVALID_VALUE, error.to_string()))?;
        Ok(Mutex::new(Latents::from_array(array)?))
    })
}

/// Makes the noise that seeds give: what requests of these seeds start with, of unit variance.
///
/// - seeds: one for each picture.
/// - count: how many, 1 to 1024.
/// - channels: 1 to 64; 4 for SDXL.
/// - height: 1 to 1024: an eighth of the pictures'.
/// - width: 1 to 1024: an eighth of the pictures'.
/// - skip_draws: passes over so many such tensors, 0 to 10000.
/// - out_latents: a new handle; free it with sdxl_latents_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_latents_new_noise(
    seeds: *const u64,
    count: usize,
    channels: u32,
    height: u32,
    width: u32,
    skip_draws: u32,
    out_latents: *mut sdxl_latents,
) -> sdxl_status {
    create(out_latents, "out_latents", || {
        let seeds = short_list(seeds, (count, 1024), "seeds")?;
        Ok(Mutex::new(Latents::noise(seeds, [channels, height, width], skip_draws)?))
    })
}

/// Reads the tensor "latents" of a safetensors file.
///
/// - path: the file.
/// - out_latents: a new handle; free it with sdxl_latents_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_latents_open(
    path: *const c_char,
    out_latents: *mut sdxl_latents,
) -> sdxl_status {
    create(out_latents, "out_latents", || Ok(Mutex::new(Latents::open(text(path, "path")?)?)))
}

/// Saves a safetensors file with the tensor "latents", in full or not at all.
///
/// - latents: which ones.
/// - path: the file; one that is there is replaced.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_latents_save(latents: sdxl_latents, path: *const c_char) -> sdxl_status {
    guard(|| Ok(copy_of(latents)?.save(text(path, "path")?)?))
}

/// Says how large latents are.
///
/// - latents: which ones.
/// - out_shape: four numbers: pictures, channels, height and width of the latents.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_latents_shape(latents: sdxl_latents, out_shape: *mut u32) -> sdxl_status {
    guard(|| {
        let latents = copy_of(latents)?;
        let out_shape = buffer(out_shape, 4, "out_shape")?;
        for (out, side) in out_shape.iter_mut().zip(latents.shape()) {
            *out = side as u32;
        }
        Ok(())
    })
}

/// Copies the numbers.
///
/// - latents: which ones.
/// - buffer: where they go, in the order of sdxl_latents_new; NULL to ask for their number alone.
/// - capacity: how many numbers the buffer has room for.
/// - out_count: how many numbers there are; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_latents_copy(
    latents: sdxl_latents,
    buffer: *mut f32,
    capacity: usize,
    out_count: *mut usize,
) -> sdxl_status {
    guard(|| {
        let values = copy_of(latents)?.to_array::<f32>()?;
        copy_out(values.as_slice().unwrap_or_default(), buffer, capacity, out_count)
    })
}

/// Makes a small picture of latents, one pixel for each of theirs, without an autoencoder.
///
/// - latents: with 4 channels.
/// - index: of which picture, from 0.
/// - out_image: a new handle; free it with sdxl_image_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_latents_preview(
    latents: sdxl_latents,
    index: u32,
    out_image: *mut sdxl_image,
) -> sdxl_status {
    create(out_image, "out_image", || picture(copy_of(latents)?.preview()?, index))
}

/// Frees latents. Requests made with them live on.
///
/// - latents: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_latents_free(latents: sdxl_latents) -> sdxl_status {
    free(latents)
}
