//! [`Image`]: pixels on the host, to and from tensors, arrays and PNG files with text in them.

mod blur;
mod compose;
mod layout;
mod mask;
mod resample;
mod watermark;
mod xmp;

use std::io::{BufReader, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use ::image::metadata::Orientation;
use ::image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use ndarray::{Array3, ArrayView3};
use png::{BitDepth, ColorType, Decoder, Encoder};
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

pub use compose::{Margins, Rectangle};
pub use layout::{PixelFormat, PixelLayout, RowOrder};
pub use mask::Mask;
use resample::{Filter, resample};
pub(crate) use xmp::{DigitalSource, XMP_KEYWORD};

use crate::error::{Error, Result};
use crate::host::{Element, array_from};
use crate::runtime::Numbers;
use crate::runtime::files::{open_regular, write_atomically};
use crate::runtime::upload::bytes_of;

/// The largest side of a picture that is read.
const MAX_SIDE: u32 = 16_384;
/// The most bytes that a picture unpacks to: the largest one, with four channels of 8 bits.
const MAX_BYTES: u64 = 4 * (MAX_SIDE as u64) * (MAX_SIDE as u64);
/// The most bytes that the packed texts of a picture unpack to.
const TEXTS_LIMIT: usize = 8 << 20;

/// A picture: RGB, 8 bits a channel, sRGB, rows from top to bottom; and the texts that its file carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// `(height, width, 3)`.
    #[serde(with = "crate::host::bytes")]
    pixels: Array3<u8>,
    texts: Vec<(String, String)>,
}

impl Image {
    /// From pixels of shape `(height, width, 3)`; the view may have any strides.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another number of channels, or a side of 0 or over 16 384 pixels.
    pub fn from_pixels(pixels: ArrayView3<'_, u8>) -> Result<Self> {
        let sides = 1..=MAX_SIDE as usize;
        match *pixels.shape() {
            [height, width, 3] if sides.contains(&height) && sides.contains(&width) => {
                Ok(Self { pixels: pixels.as_standard_layout().into_owned(), texts: Vec::new() })
            }
            ref other => Err(Error::invalid(
                "pixels",
                format!("{other:?}"),
                format!("shape (height, width, 3) with sides of 1 to {MAX_SIDE}"),
            )),
        }
    }

    /// Reads a PNG, JPEG or WebP file; an alpha channel is dropped. PNG texts are kept.
    ///
    /// # Errors
    /// [`Error::File`] for what is no picture, or one with a side over 16 384 pixels.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let fail = |error: ::image::ImageError| Error::file(path, error.to_string());
        decoding(path, || {
            let (mut decoder, format) = decoder(path)?;
            // Cameras turn the picture by a tag of the file.
            let orientation = decoder.orientation().map_err(fail)?;
            let mut decoded = DynamicImage::from_decoder(decoder).map_err(fail)?;
            decoded.apply_orientation(orientation);
            let decoded = decoded.into_rgb8();
            let (width, height) = decoded.dimensions();
            let pixels = Array3::from_shape_vec((height as usize, width as usize, 3), decoded.into_raw())
                .map_err(|error| Error::file(path, error.to_string()))?;
            let texts = if format == Some(ImageFormat::Png) { read_texts(path)? } else { Vec::new() };
            Ok(Self { pixels, texts })
        })
    }

    /// Width and height of a PNG, JPEG or WebP file as [`open`](Self::open) gives it, from its header.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn dimensions(path: impl AsRef<Path>) -> Result<(u32, u32)> {
        let path = path.as_ref();
        let ((width, height), orientation) = decoding(path, || {
            let (mut decoder, _) = decoder(path)?;
            let orientation = decoder.orientation().map_err(|error| Error::file(path, error.to_string()))?;
            Ok((decoder.dimensions(), orientation))
        })?;
        let turned = [
            Orientation::Rotate90,
            Orientation::Rotate270,
            Orientation::Rotate90FlipH,
            Orientation::Rotate270FlipH,
        ];
        Ok(if turned.contains(&orientation) { (height, width) } else { (width, height) })
    }

    /// Pixels from left to right.
    pub fn width(&self) -> usize {
        self.pixels.dim().1
    }

    /// Pixels from top to bottom.
    pub fn height(&self) -> usize {
        self.pixels.dim().0
    }

    /// The pixels, `(height, width, 3)`.
    pub fn pixels(&self) -> ArrayView3<'_, u8> {
        self.pixels.view()
    }

    /// The texts that the picture carries: keyword and text. Those of a picture that was drawn are `parameters`, the line
    /// that other programs read, `sdxl`, JSON with every setting, and `XML:com.adobe.xmp`, an XMP packet with the IPTC's
    /// digital source type: `trainedAlgorithmicMedia`, or `compositeWithTrainedAlgorithmicMedia` where the run began with
    /// a picture or its latents. A picture of its pixels alone ([`from_pixels`](Self::from_pixels)) carries none.
    pub fn texts(&self) -> &[(String, String)] {
        &self.texts
    }

    /// The text under a keyword.
    pub fn text(&self, keyword: &str) -> Option<&str> {
        self.texts.iter().find(|(key, _)| key == keyword).map(|(_, text)| text.as_str())
    }

    /// The same picture with a text more, which a PNG file then carries. Keywords are 1 to 79 Latin-1
    /// characters.
    #[must_use]
    pub fn with_text(mut self, keyword: impl Into<String>, text: impl Into<String>) -> Self {
        self.texts.push((keyword.into(), text.into()));
        self
    }

    /// A PNG file with the texts, as bytes.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a keyword or text that PNG cannot hold.
    pub fn to_png(&self) -> Result<Vec<u8>> {
        let fail =
            |error: png::EncodingError| Error::invalid("png", error, "a picture and texts that PNG can hold");
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, self.width() as u32, self.height() as u32);
        encoder.set_color(ColorType::Rgb);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
        for (keyword, text) in &self.texts {
            // tEXt is Latin-1; other programs read both kinds, but XMP in iTXt alone.
            let latin1 = keyword != XMP_KEYWORD && text.chars().all(|c| u32::from(c) < 256);
            if latin1 {
                encoder.add_text_chunk(keyword.clone(), text.clone()).map_err(fail)?;
            } else {
                encoder.add_itxt_chunk(keyword.clone(), text.clone()).map_err(fail)?;
            }
        }
        let mut writer = encoder.write_header().map_err(fail)?;
        let pixels = self.pixels.as_standard_layout();
        let data =
            pixels.as_slice().ok_or_else(|| Error::invalid("pixels", "a strided array", "a dense one"))?;
        writer.write_image_data(data).map_err(fail)?;
        writer.finish().map_err(fail)?;
        Ok(bytes)
    }

    /// Saves a PNG file, in full or not at all.
    ///
    /// # Errors
    /// [`Error::Io`] where the folder cannot be written to.
    pub fn save_png(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = self.to_png()?;
        write_atomically(path, |file| file.write_all(&bytes).map_err(Error::io(path)))
    }

    /// The picture at another size in pixels: Lanczos, byte for byte as Pillow, and so diffusers, resizes. Without
    /// texts.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a side of 0 or over 16 384 pixels.
    pub fn resized(&self, width: u32, height: u32) -> Result<Self> {
        if (self.width(), self.height()) == (width as usize, height as usize) {
            return Ok(Self { pixels: self.pixels.clone(), texts: Vec::new() });
        }
        let sides = 1..=MAX_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(Error::invalid(
                "size",
                format!("{width}x{height}"),
                format!("sides of 1 to {MAX_SIDE}"),
            ));
        }
        let pixels = resample(self.pixels.view(), (width as usize, height as usize), Filter::Lanczos);
        Ok(Self { pixels, texts: Vec::new() })
    }

    /// The picture as numbers in [-1, 1]: `(1, 3, height, width)`, f32, on the CPU.
    pub fn to_tensor(&self) -> Result<Tensor> {
        let values: Vec<u8> = self.pixels.iter().copied().collect();
        let (height, width, channels) = self.pixels.dim();
        let tensor =
            Tensor::f_from_slice(&values)?.f_reshape([1, height as i64, width as i64, channels as i64])?;
        let tensor = tensor.f_permute([0, 3, 1, 2])?.f_to_kind(Kind::Float)?.f_contiguous()?;
        // x / 255 · 2 − 1, in the order of diffusers' VaeImageProcessor.
        Ok(tensor.f_div_number(255.)?.f_mul_number(2.)?.f_add_number(-1.)?)
    }

    /// The pictures of a tensor `(B, 3, height, width)` in [-1, 1]; what is outside is clamped.
    pub fn from_tensor(images: &Tensor) -> Result<Vec<Self>> {
        let (batch, channels, height, width) = images.size4()?;
        if channels != 3 {
            return Err(Error::invalid("images", format!("{channels} channels"), "3 channels"));
        }
        // As diffusers: to [0, 1], then rounded half to even.
        let bytes = images
            .f_to_kind(Kind::Float)?
            .f_div_number(2.)?
            .f_add_number(0.5)?
            .f_clamp_numbers(0., 1.)?
            .f_mul_number(255.)?
            .f_round()?
            .f_to_kind(Kind::Uint8)?
            .f_permute([0, 2, 3, 1])?;
        let bytes = bytes_of(&bytes)?;
        let (height, width) = (height as usize, width as usize);
        bytes
            .chunks_exact((height * width * 3).max(1))
            .take(batch as usize)
            .map(|pixels| {
                let pixels = ArrayView3::from_shape((height, width, 3), pixels)
                    .map_err(|error| Error::invalid("images", "a strange shape", error.to_string()))?;
                Self::from_pixels(pixels)
            })
            .collect()
    }

    /// The pixels as numbers in [0, 1]: `(height, width, 3)` of f32, `half::f16` or `half::bf16`.
    pub fn to_array<T: Element>(&self) -> Result<Array3<T>> {
        let tensor = self.to_tensor()?.f_div_number(2.)?.f_add_number(0.5)?;
        array_from(&tensor.f_squeeze_dim(0)?.f_permute([1, 2, 0])?)
    }
}

/// What the decoders make of a file. They are other crates', and a broken file may end in a panic there: zune-jpeg 0.5.15
/// asserts the length of a row that a damaged JPEG file does not have.
fn decoding<T>(path: &Path, decode: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err(Error::file(path, "is damaged: its decoder gave up")))
}

/// What decodes a file, within limits, and the format that its first bytes say.
fn decoder(path: &Path) -> Result<(impl ImageDecoder, Option<ImageFormat>)> {
    let (file, _) = open_regular(path)?;
    let mut reader = ImageReader::new(BufReader::new(file)).with_guessed_format().map_err(Error::io(path))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    let format = reader.format();
    let decoder = reader.into_decoder().map_err(|error| Error::file(path, error.to_string()))?;
    // The decoders themselves count what they need beside the pixels.
    let bytes = decoder.total_bytes();
    if bytes > MAX_BYTES {
        return Err(Error::file(path, format!("its pixels are {bytes} bytes, at most {MAX_BYTES} accepted")));
    }
    Ok((decoder, format))
}

/// The tEXt, zTXt and iTXt chunks of a PNG file.
fn read_texts(path: &Path) -> Result<Vec<(String, String)>> {
    let fail = |error: png::DecodingError| Error::file(path, error.to_string());
    let (file, _) = open_regular(path)?;
    let mut reader = Decoder::new(BufReader::new(file)).read_info().map_err(fail)?;
    // Texts may stand behind the pixels.
    reader.finish().map_err(fail)?;
    let info = reader.info();
    let latin1 = info.uncompressed_latin1_text.iter().map(|text| (text.keyword.clone(), text.text.clone()));
    let mut texts: Vec<_> = latin1.collect();
    // What is packed may unpack to a thousand times its size.
    let mut room = TEXTS_LIMIT;
    for mut text in info.compressed_latin1_text.iter().cloned() {
        text.decompress_text_with_limit(room).map_err(fail)?;
        texts.push((text.keyword.clone(), text.get_text().map_err(fail)?));
        room = room.saturating_sub(texts.last().map_or(0, |(_, text)| text.len()));
    }
    for mut text in info.utf8_text.iter().cloned() {
        text.decompress_text_with_limit(room).map_err(fail)?;
        texts.push((text.keyword.clone(), text.get_text().map_err(fail)?));
        room = room.saturating_sub(texts.last().map_or(0, |(_, text)| text.len()));
    }
    Ok(texts)
}
