//! [`Latents`].

use std::path::Path;

use ndarray::{Array4, ArrayView4};
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::check::{MAX_DRAWS, MAX_SIDE};
use crate::error::{Error, Result};
use crate::host::{Element, array_from, tensor_from_view};
use crate::image::Image;
use crate::noise::NoiseSource;
use crate::weights::{read_tensor, save_safetensors};

/// Latent pictures as the UNet sees them (scaled): `(B, 4, height/8, width/8)` in f32.
#[derive(Debug, Serialize, Deserialize)]
pub struct Latents(#[serde(with = "crate::runtime::serial")] pub(crate) Tensor);

/// The linear map from latents to pixels in [-1, 1] that fits best: least squares over TAESDXL's latents of eight
/// photographs at three sizes (24 000 pixels); it leaves 11 % of the variance.
const LATENT_TO_RGB: [[f32; 3]; 4] = [
    [0.3850, 0.3914, 0.4043],
    [-0.2366, 0.0042, 0.0994],
    [0.1276, 0.0881, -0.0019],
    [-0.3360, -0.2527, -0.2192],
];
const LATENT_TO_RGB_BIAS: [f32; 3] = [0.1254, -0.0433, -0.1174];

impl Clone for Latents {
    /// The tensor is shared, not copied.
    fn clone(&self) -> Self {
        Self(self.0.shallow_clone())
    }
}

impl Latents {
    /// From a tensor of four dimensions.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another rank or an empty tensor.
    pub fn new(tensor: Tensor) -> Result<Self> {
        if tensor.dim() != 4 || tensor.numel() == 0 {
            return Err(Error::invalid(
                "latents",
                format!("shape {:?}", tensor.size()),
                "(B, 4, height/8, width/8)",
            ));
        }
        Ok(Self(tensor.f_to_kind(Kind::Float)?))
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
        Self::new(tensor_from_view(array)?)
    }

    /// A host array; 16-bit types are rounded to.
    pub fn to_array<T: Element>(&self) -> Result<Array4<T>> {
        array_from(&self.0)
    }

    /// The tensor.
    pub fn tensor(&self) -> &Tensor {
        &self.0
    }

    /// Small pictures of latents, one pixel for each of theirs, without the autoencoder: in microseconds, for
    /// previews.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless there are 4 channels.
    pub fn preview(&self) -> Result<Vec<Image>> {
        let (_, channels, ..) = self.0.size4()?;
        if channels != 4 {
            return Err(Error::invalid("latents", format!("{channels} channels"), "4 channels"));
        }
        let matrix = Tensor::f_from_slice(LATENT_TO_RGB.as_flattened())?.f_reshape([4, 3])?;
        let bias = Tensor::f_from_slice(&LATENT_TO_RGB_BIAS)?;
        let latents = self.0.f_to_device(tch::Device::Cpu)?.f_permute([0, 2, 3, 1])?;
        let pixels = latents.f_matmul(&matrix)?.f_add(&bias)?.f_permute([0, 3, 1, 2])?;
        Image::from_tensor(&pixels)
    }

    /// Reads the tensor `latents` of a safetensors file.
    ///
    /// # Errors
    /// [`Error::File`] where the file is invalid or has no such tensor.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::new(read_tensor(path.as_ref(), "latents")?)
    }

    /// Saves a safetensors file with the tensor `latents`, in f32.
    ///
    /// # Errors
    /// [`Error::Io`] where the folder cannot be written to.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        save_safetensors(path, &[("latents", &self.0)])
    }
}
