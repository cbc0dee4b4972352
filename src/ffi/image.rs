//! `sdxl_image`: pixels in the memory of the library, from and to the memory of the caller.

use std::ffi::c_char;

use super::arguments::{
    Versioned, buffer, copy_out, copy_text, create, free, list, place, room, structure, text,
};
use super::error::sdxl_status::SDXL_STATUS_INVALID_VALUE;
use super::error::{Failure, Outcome, guard, sdxl_status};
use super::table::{get, handle, insert};
use crate::error::Error;
use crate::image::{Image, PixelFormat, PixelLayout, RowOrder};

/// A picture: RGB, 8 bits a channel, sRGB; with the texts that its file carries. It never changes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sdxl_image {
    /// 0 is no handle.
    pub id: u64,
}
handle!(sdxl_image, "sdxl_image", Image);

/// How a pixel is stored. All are sRGB-encoded, floats from 0 to 1; alpha is written as opaque and not read.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum sdxl_pixel_format {
    /// Red, green, blue, of 8 bits.
    SDXL_PIXEL_FORMAT_RGB8 = 0,
    /// Red, green, blue, alpha, of 8 bits: Unity's RGBA32.
    SDXL_PIXEL_FORMAT_RGBA8 = 1,
    /// Blue, green, red, alpha, of 8 bits: Unreal's and Direct3D's.
    SDXL_PIXEL_FORMAT_BGRA8 = 2,
    /// Luminance of 8 bits: masks.
    SDXL_PIXEL_FORMAT_GRAY8 = 3,
    /// Red, green, blue, alpha, of 16-bit floats.
    SDXL_PIXEL_FORMAT_RGBA16F = 4,
    /// Red, green, blue, alpha, of 32-bit floats.
    SDXL_PIXEL_FORMAT_RGBA32F = 5,
}

/// In which order the rows of a picture lie in memory.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum sdxl_row_order {
    /// From top to bottom, as in image files.
    SDXL_ROW_ORDER_TOP_DOWN = 0,
    /// From bottom to top, as in OpenGL's and Unity's textures.
    SDXL_ROW_ORDER_BOTTOM_UP = 1,
}

/// How a picture lies in the caller's memory. NULL in its place means RGB8 from top to bottom without gaps.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sdxl_pixel_layout {
    /// sizeof(sdxl_pixel_layout), set by the caller.
    pub struct_size: u32,
    /// An sdxl_pixel_format.
    pub format: i32,
    /// An sdxl_row_order.
    pub row_order: i32,
    /// 0.
    pub reserved: u32,
    /// Bytes from the start of a row to the start of the next; 0 means that there are no gaps.
    pub stride: u64,
}

// SAFETY: repr(C), begins with its size, all fields are integers.
unsafe impl Versioned for sdxl_pixel_layout {
    const FIRST_SIZE: usize = 24;
    const DEFAULT: Self =
        Self { struct_size: size_of::<Self>() as u32, format: 0, row_order: 0, reserved: 0, stride: 0 };
}

fn layout(pointer: *const sdxl_pixel_layout) -> Outcome<PixelLayout> {
    let layout = structure(pointer, "layout")?;
    let invalid = |field: &'static str, value: i32, most: i32| {
        Failure::from(Error::invalid(field, value, format!("0 to {most}")))
    };
    let format = match layout.format {
        0 => PixelFormat::Rgb8,
        1 => PixelFormat::Rgba8,
        2 => PixelFormat::Bgra8,
        3 => PixelFormat::Gray8,
        4 => PixelFormat::Rgba16F,
        5 => PixelFormat::Rgba32F,
        other => return Err(invalid("layout.format", other, 5)),
    };
    let row_order = match layout.row_order {
        0 => RowOrder::TopDown,
        1 => RowOrder::BottomUp,
        other => return Err(invalid("layout.row_order", other, 1)),
    };
    if layout.reserved != 0 {
        return Err(Error::invalid("layout.reserved", layout.reserved, "0").into());
    }
    let stride = usize::try_from(layout.stride).unwrap_or(usize::MAX);
    Ok(PixelLayout { format, row_order, stride })
}

/// One picture of several.
pub(super) fn picture(images: Vec<Image>, index: u32) -> Outcome<Image> {
    let count = images.len();
    images.into_iter().nth(index as usize).ok_or_else(|| {
        Failure::new(SDXL_STATUS_INVALID_VALUE, format!("index is {index}, expected less than {count}"))
    })
}

/// Puts handles of pictures into C's array, which has room for them.
pub(super) fn hand_out(images: Vec<Image>, array: &mut [sdxl_image]) -> usize {
    let count = images.len().min(array.len());
    for (place, image) in array.iter_mut().zip(images) {
        *place = insert(image);
    }
    count
}

/// Makes a picture of pixels, which are copied.
///
/// - width: 1 to 16384 pixels.
/// - height: 1 to 16384 pixels.
/// - layout: how the pixels lie; NULL for RGB8 from top to bottom without gaps.
/// - pixels: the pixels.
/// - size: bytes of the pixels; the last row needs no gap behind it.
/// - out_image: a new handle; free it with sdxl_image_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_image_new(
    width: u32,
    height: u32,
    layout: *const sdxl_pixel_layout,
    pixels: *const u8,
    size: usize,
    out_image: *mut sdxl_image,
) -> sdxl_status {
    create(out_image, "out_image", || {
        let pixels = list(pixels, size, "pixels")?;
        Ok(Image::from_bytes(width as usize, height as usize, self::layout(layout)?, pixels)?)
    })
}

/// Reads a PNG, JPEG or WebP file; an alpha channel is dropped.
///
/// - path: the file.
/// - out_image: a new handle; free it with sdxl_image_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_image_open(path: *const c_char, out_image: *mut sdxl_image) -> sdxl_status {
    create(out_image, "out_image", || Ok(Image::open(text(path, "path")?)?))
}

/// Says how large a picture is.
///
/// - image: which one.
/// - out_width: pixels from left to right.
/// - out_height: pixels from top to bottom.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_image_size(
    image: sdxl_image,
    out_width: *mut u32,
    out_height: *mut u32,
) -> sdxl_status {
    guard(|| {
        let image = get(image)?;
        let (out_width, out_height) = (place(out_width, "out_width")?, place(out_height, "out_height")?);
        out_width.write(image.width() as u32);
        out_height.write(image.height() as u32);
        Ok(())
    })
}

/// Writes the pixels into the caller's memory, such as that of a texture; gaps between rows are left alone.
///
/// - image: which one.
/// - layout: how the pixels are to lie; NULL for RGB8 from top to bottom without gaps.
/// - pixels: where they go.
/// - size: bytes of that memory. Without gaps, width x height x bytes of a pixel are needed.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_image_copy_pixels(
    image: sdxl_image,
    layout: *const sdxl_pixel_layout,
    pixels: *mut u8,
    size: usize,
) -> sdxl_status {
    guard(|| {
        let image = get(image)?;
        let layout = self::layout(layout)?;
        let needed = layout.size(image.width(), image.height())?;
        let pixels = buffer(pixels, size, "pixels")?;
        // No more of the memory than is known to be the caller's.
        let pixels = room(pixels, needed)?;
        Ok(image.write_bytes(layout, pixels)?)
    })
}

/// Copies the text that a picture carries under a keyword.
///
/// - image: which one.
/// - keyword: "parameters" for the line that other programs read, "sdxl" for JSON with every setting, "XML:com.adobe.xmp"
///   for the XMP packet that says that a model made it.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer. 1 for a text that is not
///   there.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_image_copy_text(
    image: sdxl_image,
    keyword: *const c_char,
    buffer: *mut c_char,
    capacity: usize,
    out_size: *mut usize,
) -> sdxl_status {
    guard(|| {
        let image = get(image)?;
        let text = image.text(text(keyword, "keyword")?).unwrap_or_default();
        copy_text(text, buffer, capacity, out_size)
    })
}

/// Saves a PNG file that carries the texts, in full or not at all.
///
/// - image: which one.
/// - path: the file; one that is there is replaced.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_image_save_png(image: sdxl_image, path: *const c_char) -> sdxl_status {
    guard(|| Ok(get(image)?.save_png(text(path, "path")?)?))
}

/// Makes a PNG file in the caller's memory.
///
/// - image: which one.
/// - buffer: where the bytes go; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_image_encode_png(
    image: sdxl_image,
    buffer: *mut u8,
    capacity: usize,
    out_size: *mut usize,
) -> sdxl_status {
    guard(|| copy_out(&get(image)?.to_png()?, buffer, capacity, out_size))
}

/// Frees a picture. Requests made with it live on.
///
/// - image: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_image_free(image: sdxl_image) -> sdxl_status {
    free(image)
}
