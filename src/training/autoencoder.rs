//! [`AutoencoderModel`]: the autoencoder, in training.

use tch::{Kind, Tensor};

use crate::config::AutoencoderKlConfig;
use crate::error::{Error, Result};
use crate::runtime::Numbers;
use crate::vae::AutoencoderKl;
use crate::weights::Weights;

/// What an autoencoder is trained for: pictures that come back, and latents near a normal distribution.
///
/// The sum of
/// - the mean absolute difference of the pixels,
/// - `edges` times that of the differences between neighbouring pixels, on the picture and on its halves and quarters:
///   a stand-in for a perceptual loss that needs no network of its own,
/// - `kl` times the Kullback-Leibler divergence from the normal distribution, over the number of the picture's values
///   (latent diffusion models: 1e-6).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AutoencoderObjective {
    /// How much edges count. Default: 1.
    pub edges: f64,
    /// How much the shape of the latents' distribution counts. Default: 1e-6.
    pub kl: f64,
}

impl Default for AutoencoderObjective {
    fn default() -> Self {
        Self { edges: 1., kl: 1e-6 }
    }
}

/// The scales of a picture at which edges are compared.
const SCALES: usize = 3;

impl AutoencoderObjective {
    /// Finds out whether both weights can be.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the weight that is negative or not finite.
    pub fn check(&self) -> Result<()> {
        for (field, value) in [("edges", self.edges), ("kl", self.kl)] {
            if !(value.is_finite() && value >= 0.) {
                return Err(Error::invalid(field, value, "a finite number, 0 or above"));
            }
        }
        Ok(())
    }

    /// # Shapes
    /// Both `(B, 3, H, W)`; a scalar.
    fn reconstruction(&self, found: &Tensor, wanted: &Tensor) -> Result<Tensor> {
        let mut difference = found.f_sub(wanted)?;
        let mut loss = mean_absolute(&difference)?;
        for scale in 0..SCALES {
            if scale > 0 {
                difference = difference.f_avg_pool2d([2, 2], [2, 2], [0, 0], false, false, None::<i64>)?;
            }
            let (_, _, height, width) = difference.size4()?;
            for (dimension, length) in [(2, height), (3, width)] {
                if length < 2 {
                    continue;
                }
                let steps = difference.f_narrow(dimension, 1, length - 1)?.f_sub(&difference.f_narrow(
                    dimension,
                    0,
                    length - 1,
                )?)?;
                loss = loss.f_add(&mean_absolute(&steps)?.f_mul_number(self.edges / (2 * SCALES) as f64)?)?;
            }
        }
        Ok(loss)
    }
}

fn mean_absolute(x: &Tensor) -> Result<Tensor> {
    Ok(x.f_abs()?.f_mean(Kind::Float)?)
}

/// An autoencoder whose weights are [`Variables`](super::Variables).
#[derive(Debug)]
pub struct AutoencoderModel {
    vae: AutoencoderKl,
}

impl AutoencoderModel {
    /// Reads the autoencoder (`vae.…`).
    ///
    /// # Errors
    /// Those of [`AutoencoderKl::load`].
    pub fn load(weights: &Weights, config: &AutoencoderKlConfig) -> Result<Self> {
        Ok(Self { vae: AutoencoderKl::load(&weights.at("vae"), config)? })
    }

    /// The loss of a batch of pictures, for standard normal `noise` of the latents' shape.
    ///
    /// # Shapes
    /// `pictures` `(B, 3, H, W)` in [-1, 1], `noise` `(B, C, H/8, W/8)`; a scalar.
    ///
    /// # Errors
    /// [`Error::Torch`] where the shapes do not fit the model.
    pub fn loss(
        &self,
        objective: &AutoencoderObjective,
        pictures: &Tensor,
        noise: &Tensor,
    ) -> Result<Tensor> {
        let moments = self.vae.encode(pictures)?;
        let latents = moments.sample(noise)?;
        let decoded = self.vae.decode(&self.vae.scale(&latents)?)?;
        // ½·(μ² + σ² − 1 − ln σ²), summed.
        let divergence = moments
            .mean
            .f_square()?
            .f_add(&moments.logvar.f_exp()?)?
            .f_sub(&moments.logvar)?
            .f_add_number(-1.)?
            .f_sum(Kind::Float)?
            .f_mul_number(0.5 * objective.kl / pictures.numel() as f64)?;
        Ok(objective.reconstruction(&decoded, pictures)?.f_add(&divergence)?)
    }

    /// The latent shape for pictures of a size: `(C, H/8, W/8)`.
    pub fn latent_shape(&self, height: i64, width: i64) -> [i64; 3] {
        let config = self.vae.config();
        [config.latent_channels, height / config.factor(), width / config.factor()]
    }
}
