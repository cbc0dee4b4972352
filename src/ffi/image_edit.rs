//! Pictures made of pictures: resized, cut out, with soft edges, with more canvas, with texts.

use std::ffi::c_char;

use ndarray::Axis;

use super::arguments::{buffer, copy_text, create, place, text};
use super::error::{Outcome, guard, sdxl_status};
use super::image::sdxl_image;
use super::table::{get, insert};
use crate::image::{Image, Margins, Mask, Rectangle};

/// A mask as a picture: its shades in all channels.
fn grey(mask: &Mask) -> Outcome<Image> {
    let shades = mask.shades();
    let (height, width) = shades.dim();
    let pixels = shades.insert_axis(Axis(2));
    // The rest is impossible: the shape has a third axis of 1.
    let pixels = pixels.broadcast((height, width, 3)).ok_or_else(|| {
        crate::error::Error::invalid("mask", format!("{width}x{height}"), "shades of one channel")
    })?;
    Ok(Image::from_pixels(pixels)?)
}

/// Reads the size of a PNG, JPEG or WebP file from its header.
///
/// - path: the file.
/// - out_width: pixels from left to right of the picture that sdxl_image_open makes.
/// - out_height: pixels from top to bottom.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_image_file_size(
    path: *const c_char,
    out_width: *mut u32,
    out_height: *mut u32,
) -> sdxl_status {
    guard(|| {
        let (out_width, out_height) = (place(out_width, "out_width")?, place(out_height, "out_height")?);
        let (width, height) = Image::dimensions(text(path, "path")?)?;
        out_width.write(width);
        out_height.write(height);
        Ok(())
    })
}

/// Makes the picture of another size, byte for byte as Pillow's Lanczos filter. Texts are left behind.
///
/// - image: which one.
/// - width: 1 to 16384 pixels.
/// - height: 1 to 16384 pixels.
/// - out_image: a new handle; free it with sdxl_image_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_image_resize(
    image: sdxl_image,
    width: u32,
    height: u32,
    out_image: *mut sdxl_image,
) -> sdxl_status {
    create(out_image, "out_image", || Ok(get(image)?.resized(width, height)?))
}

/// Cuts a part out of a picture. Texts are left behind.
///
/// - image: which one.
/// - left: the first column, less than right.
/// - top: the first row, less than bottom.
/// - right: behind the last column, at most the width.
/// - bottom: behind the last row, at most the height.
/// - out_image: a new handle; free it with sdxl_image_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_image_crop(
    image: sdxl_image,
    left: u32,
    top: u32,
    right: u32,
    bottom: u32,
    out_image: *mut sdxl_image,
) -> sdxl_status {
    create(out_image, "out_image", || {
        let [left, top, right, bottom] = [left, top, right, bottom].map(|side| side as usize);
        Ok(get(image)?.cropped(Rectangle { left, top, right, bottom })?)
    })
}

/// Makes the mask of a picture with soft edges: its luminance, blurred byte for byte as Pillow blurs.
///
/// - mask: which picture.
/// - deviation: the standard deviation in pixels, above 0 to 1000.
/// - out_image: a new handle, of a grey picture; free it with sdxl_image_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_image_blur_mask(
    mask: sdxl_image,
    deviation: f64,
    out_image: *mut sdxl_image,
) -> sdxl_status {
    create(out_image, "out_image", || grey(&Mask::from_image(get(mask)?.as_ref()).blurred(deviation)?))
}

/// Says which part of a picture sdxl_request_set_padding_mask_crop redraws.
///
/// - mask: a picture that is not all black.
/// - width: that of the pictures drawn, 1 to 16384: the part has their shape.
/// - height: that of the pictures drawn, 1 to 16384.
/// - padding: so many pixels around what is not black.
/// - out_rectangle: four numbers, as sdxl_image_crop takes them: left, top, right, bottom.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_image_mask_region(
    mask: sdxl_image,
    width: u32,
    height: u32,
    padding: u32,
    out_rectangle: *mut u32,
) -> sdxl_status {
    guard(|| {
        let mask = Mask::from_image(get(mask)?.as_ref());
        let out_rectangle = buffer(out_rectangle, 4, "out_rectangle")?;
        let Rectangle { left, top, right, bottom } = mask.crop_region((width, height), padding)?;
        for (out, side) in out_rectangle.iter_mut().zip([left, top, right, bottom]) {
            *out = side as u32;
        }
        Ok(())
    })
}

/// Puts a picture on a larger canvas, whose new area has the colours of the nearest edge, softened; and makes the mask of
/// what is new. sdxl_request_set_outpaint does so by itself.
///
/// - image: which one.
/// - left: pixels to add on the left; sides are at most 16384 pixels long.
/// - top: pixels to add above.
/// - right: pixels to add on the right.
/// - bottom: pixels to add below. Of the four, one is not 0.
/// - out_image: a new handle of the canvas; free it with sdxl_image_free.
/// - out_mask: a new handle of the mask, white where the canvas is new; free it with sdxl_image_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_image_outpaint(
    image: sdxl_image,
    left: u32,
    top: u32,
    right: u32,
    bottom: u32,
    out_image: *mut sdxl_image,
    out_mask: *mut sdxl_image,
) -> sdxl_status {
    guard(|| {
        let image = get(image)?;
        let (out_image, out_mask) = (place(out_image, "out_image")?, place(out_mask, "out_mask")?);
        let (canvas, mask) = image.outpainted(Margins { left, top, right, bottom })?;
        let mask = grey(&mask)?;
        out_image.write(insert(canvas));
        out_mask.write(insert(mask));
        Ok(())
    })
}

/// Makes the same picture with a text more, which its PNG file then carries.
///
/// - image: which one.
/// - keyword: 1 to 79 Latin-1 characters; what a file cannot carry is found where one is made.
/// - content: the text.
/// - out_image: a new handle; free it with sdxl_image_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_image_add_text(
    image: sdxl_image,
    keyword: *const c_char,
    content: *const c_char,
    out_image: *mut sdxl_image,
) -> sdxl_status {
    create(out_image, "out_image", || {
        let image = get(image)?.as_ref().clone();
        Ok(image.with_text(text(keyword, "keyword")?, text(content, "content")?))
    })
}

/// Copies the keywords of the texts that a picture carries, one in a line.
///
/// - image: which one.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer. 1 where there are none.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_image_copy_keywords(
    image: sdxl_image,
    buffer: *mut c_char,
    capacity: usize,
    out_size: *mut usize,
) -> sdxl_status {
    guard(|| {
        let image = get(image)?;
        let keywords: Vec<&str> = image.texts().iter().map(|(keyword, _)| keyword.as_str()).collect();
        copy_text(&keywords.join("\n"), buffer, capacity, out_size)
    })
}
