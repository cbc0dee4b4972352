//! The flags that say what a run begins with: noise, a picture, a picture under a mask; and what is done with it.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use sdxl::pipeline::RequestBuilder;
use sdxl::{Error, Hires, Image, Latents, Margins, Mask, Result, Upscaler};

#[derive(Args)]
pub(crate) struct Beginning {
    /// A picture to begin with.
    #[arg(long, value_name = "PNG", conflicts_with = "latents_in")]
    init_image: Option<PathBuf>,
    /// What is light in this picture is repainted, the rest of the first picture kept.
    #[arg(long, value_name = "PNG", requires = "init_image")]
    mask: Option<PathBuf>,
    /// Softens the mask by a Gaussian of that many pixels.
    #[arg(long, value_name = "F", requires = "mask", allow_negative_numbers = true)]
    mask_blur: Option<f64>,
    /// Put the first picture's own pixels back where the mask is black.
    #[arg(long, requires = "mask")]
    overlay: bool,
    /// Redraw only what is around the mask, with so many pixels around it, at the size given, and put it back.
    #[arg(long, value_name = "N", requires = "mask")]
    padding_mask_crop: Option<u32>,
    /// Pixels of canvas to paint around the first picture, whose own are kept.
    #[arg(long, value_name = "LEFT,TOP,RIGHT,BOTTOM", requires = "init_image", conflicts_with = "mask")]
    outpaint: Option<Canvas>,
    /// How much of the picture is changed, above 0 to 1 [default: 0.3, with a mask or outpainting 0.9999]
    #[arg(long, value_name = "F", requires = "init_image", allow_negative_numbers = true)]
    strength: Option<f64>,
    /// Start noise of unit variance: safetensors, tensor "latents".
    #[arg(long, value_name = "FILE")]
    latents_in: Option<PathBuf>,
    /// Another seed, whose noise is mixed in; it counts up over a batch, and the seed does not.
    #[arg(long, value_name = "N", requires = "variation_strength")]
    variation_seed: Option<u64>,
    /// How much of the other seed's noise, 0 to 1.
    #[arg(long, value_name = "F", requires = "variation_seed", allow_negative_numbers = true)]
    variation_strength: Option<f64>,
    /// Draw the picture once more, so many times larger, beginning with the first one.
    #[arg(long, value_name = "F", allow_negative_numbers = true)]
    hires_scale: Option<f64>,
    /// How much of the first picture is changed then.
    #[arg(
        long,
        value_name = "F",
        requires = "hires_scale",
        default_value_t = 0.7,
        allow_negative_numbers = true
    )]
    hires_strength: f64,
    /// How the first picture becomes larger: latent or pixel.
    #[arg(long, value_name = "NAME", requires = "hires_scale", default_value_t)]
    hires_upscaler: Upscaler,
    /// Steps of the second schedule, of which the strength takes a part [default: those of the first]
    #[arg(long, value_name = "N", requires = "hires_scale")]
    hires_steps: Option<usize>,
}

impl Beginning {
    /// What needs no file.
    pub(crate) fn apply(&self, mut request: RequestBuilder) -> Result<RequestBuilder> {
        if let Some(strength) = self.strength.filter(|strength| !(*strength > 0. && *strength <= 1.)) {
            return Err(out_of_range("strength", strength, "above 0 and at most 1"));
        }
        if let Some(blur) = self.mask_blur.filter(|blur| !(*blur > 0. && *blur <= 1000.)) {
            return Err(out_of_range("mask_blur", blur, "above 0 and at most 1000"));
        }
        if let (Some(seed), Some(strength)) = (self.variation_seed, self.variation_strength) {
            request = request.variation(seed, strength);
        }
        if let Some(scale) = self.hires_scale {
            let mut hires = Hires::new(scale)?.strength(self.hires_strength)?.upscaler(self.hires_upscaler);
            if let Some(steps) = self.hires_steps {
                hires = hires.steps(steps)?;
            }
            if self.init_image.is_some() {
                return Err(out_of_range("hires_scale", scale, "none with a picture to begin with"));
            }
            request = request.hires(hires);
        }
        Ok(request)
    }

    /// What is in files.
    pub(crate) fn read(&self, mut request: RequestBuilder) -> Result<RequestBuilder> {
        if let Some(path) = &self.latents_in {
            request = request.initial_noise(Latents::open(path)?);
        }
        let Some(path) = &self.init_image else { return Ok(request) };
        let image = Image::open(path)?;
        request = match (&self.mask, self.outpaint) {
            (Some(mask), _) => {
                let mask = Mask::open(mask)?;
                let mask = match self.mask_blur {
                    Some(blur) => mask.blurred(blur)?,
                    None => mask,
                };
                request.inpaint(image, mask)
            }
            (None, Some(Canvas(margins))) => request.outpaint(image, margins),
            (None, None) => request.image(image),
        };
        if self.overlay {
            request = request.overlay(true);
        }
        if let Some(padding) = self.padding_mask_crop {
            request = request.padding_mask_crop(padding);
        }
        if let Some(strength) = self.strength {
            request = request.strength(strength);
        }
        Ok(request)
    }
}

fn out_of_range(field: &'static str, value: f64, expected: &str) -> Error {
    Error::Invalid { field, value: value.to_string(), expected: expected.into() }
}

/// Margins as four numbers.
#[derive(Clone, Copy)]
struct Canvas(Margins);

impl FromStr for Canvas {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Result<Vec<u32>, _> = text.split(',').map(|number| number.trim().parse()).collect();
        match numbers.as_deref() {
            Ok(&[left, top, right, bottom]) => Ok(Self(Margins { left, top, right, bottom })),
            _ => Err("expected four numbers of pixels: LEFT,TOP,RIGHT,BOTTOM".into()),
        }
    }
}
