//! [`Latents`].

use std::path::Path;

use ndarray::{Array3, Array4, ArrayView1, ArrayView3, ArrayView4, Ix4, s};
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::check::{MAX_DRAWS, MAX_SIDE};
use crate::error::{Error, Result};
use crate::host::{Element, Held, Plain};
use crate::image::Image;
use crate::noise::NoiseSource;
use crate::weights::{read_held, save_held};

/// Latent pictures as the UNet sees them (scaled): `(B, 4, height/8, width/8)` in f32.
/// A clone shares the numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Held")]
pub struct Latents(Held);

/// The linear map from latents to pixels in [-1, 1] that fits best: least squares over TAESDXL's latents of eight
/// photographs at three sizes (24 000 pixels); it leaves 11 % of the variance.
const LATENT_TO_RGB: [[f32; 3]; 4] = [
    [0.3850, 0.3914, 0.4043],
    [-0.2366, 0.0042, 0.0994],
    [0.1276, 0.0881, -0.0019],
    [-0.3360, -0.2527, -0.2192],
];
const LATENT_TO_RGB_BIAS: [f32; 3] = [0.1254, -0.0433, -0.1174];

impl TryFrom<Held> for Latents {
    type Error = Error;

    fn try_from(held: Held) -> Result<Self> {
        let shape = held.shape();
        if shape.len() != 4 || shape.contains(&0) {
            return Err(Error::invalid("latents", format!("shape {shape:?}"), "(B, 4, height/8, width/8)"));
        }
        Ok(Self(held.into_f32()?))
    }
}

impl Latents {
    /// From a tensor of four dimensions.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another rank or an empty tensor.
    pub fn new(tensor: Tensor) -> Result<Self> {
        Held::from(tensor).try_into()
    }

    /// The noise that seeds give, one row for each: what a request of these seeds starts with. `shape` is channels,
    /// height and width; the first `skip_draws` tensors of that shape are passed over.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no seeds, and for a shape or number that no run has.
    pub fn noise(seeds: &[u64], shape: [u32; 3], skip_draws: u32) -> Result<Self> {
        let [channels, height, width] = shape;
        let side = 1..=(MAX_SIDE / 8) as u32;
        if !(1..=64).contains(&channels) || !side.contains(&height) || !side.contains(&width) {
            let expected = format!("1 to 64 channels of sides of 1 to {}", MAX_SIDE / 8);
            return Err(Error::invalid("shape", format!("{channels} x {height} x {width}"), expected));
        }
        if skip_draws as usize > MAX_DRAWS {
            return Err(Error::invalid("skip_draws", skip_draws, format!("0 to {MAX_DRAWS}")));
        }
        let mut noise = NoiseSource::new(seeds)?;
        let shape = shape.map(i64::from);
        for _ in 0..skip_draws {
            drop(noise.normal(&shape)?);
        }
        Self::new(noise.normal(&shape)?)
    }

    /// From a host array of f32, `half::f16` or `half::bf16`.
    pub fn from_array<T: Element>(array: ArrayView4<'_, T>) -> Result<Self> {
        Held::from(Plain::of_view(&array)?).try_into()
    }

    /// A host array; 16-bit types are rounded to.
    pub fn to_array<T: Element>(&self) -> Result<Array4<T>> {
        self.0.to_array()
    }

    /// The tensor, on the CPU unless it was made from one.
    ///
    /// # Errors
    /// [`Error::Torch`] where libtorch has no memory for it.
    pub fn tensor(&self) -> Result<&Tensor> {
        self.0.tensor()
    }

    /// Pictures, channels, height and width.
    pub fn shape(&self) -> [i64; 4] {
        self.0.shape().try_into().unwrap_or_default()
    }

    /// Small pictures of latents, one pixel for each of theirs, without the autoencoder: for previews.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless there are 4 channels.
    pub fn preview(&self) -> Result<Vec<Image>> {
        let [_, channels, height, width] = self.shape();
        if channels != 4 {
            return Err(Error::invalid("latents", format!("{channels} channels"), "4 channels"));
        }
        let values = self.0.to_array::<f32, Ix4>()?;
        let size = (height as usize, width as usize, 3);
        let picture = |latents: ArrayView3<'_, f32>| {
            let shade = |(y, x, colour)| shade(latents.slice(s![.., y, x]), colour);
            Image::from_pixels(Array3::from_shape_fn(size, shade).view())
        };
        values.outer_iter().map(picture).collect()
    }

    /// Reads the tensor `latents` of a safetensors file.
    ///
    /// # Errors
    /// [`Error::File`] where the file is invalid or has no such tensor.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        read_held(path.as_ref(), "latents")?.try_into()
    }

    /// Saves a safetensors file with the tensor `latents`, in f32.
    ///
    /// # Errors
    /// [`Error::Io`] where the folder cannot be written to.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        save_held(path.as_ref(), &[("latents", &self.0)])
    }
}

/// One colour of a pixel of [`Latents::preview`].
fn shade(latent: ArrayView1<'_, f32>, colour: usize) -> u8 {
    let column = LATENT_TO_RGB.iter().filter_map(|row| row.get(colour));
    let bias = LATENT_TO_RGB_BIAS.get(colour).copied().unwrap_or_default();
    let value: f32 = latent.iter().zip(column).map(|(value, weight)| value * weight).sum();
    // As `Image::from_tensor`.
    (((value + bias) / 2. + 0.5).clamp(0., 1.) * 255.).round_ties_even() as u8
}
