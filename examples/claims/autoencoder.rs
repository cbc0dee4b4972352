//! The autoencoder (paper, section 2.4 and table 3): how near a picture is to itself, encoded and decoded.
//!
//! PSNR, SSIM and the Fréchet distance are those of `nano/measure.rs` and `nano/frechet.rs`. The paper's fourth number,
//! LPIPS, needs a network that others have trained, and its Fréchet distance another one: ours is of other features, and
//! no number here is to be compared with those of the paper.

use std::path::Path;

use sdxl::config::ModelConfig;
use sdxl::vae::AutoencoderKl;
use sdxl::weights::{Checkpoint, Component};
use sdxl::{Device, Image, Precision, Result, tch};

use crate::Context;
use crate::nano::frechet::between;
use crate::nano::measure::{deviation, mean, psnr, ssim};
use crate::nano::scene::Scene;

/// Seeds of the scenes, and of others beside them.
const SEED: u64 = 31;
const OTHERS: u64 = 32;

/// A model's autoencoder.
pub(crate) struct Autoencoder(AutoencoderKl);

impl Autoencoder {
    pub(crate) fn open(model: &Path) -> Result<Self> {
        let config = ModelConfig::from_folder(model)?.vae;
        let checkpoint = Checkpoint::from_folder(Component::Vae, model.join("vae"), "")?;
        let vae =
            checkpoint.load(Device::Cpu, Precision::F32, |weights| AutoencoderKl::load(weights, &config))?;
        Ok(Self(vae))
    }

    /// The picture encoded and decoded.
    pub(crate) fn through(&self, image: &Image) -> Result<Image> {
        let _guard = tch::no_grad_guard();
        let latents = self.0.scale(&self.0.encode(&image.to_tensor()?)?.mean)?;
        let decoded = self.0.decode(&latents)?;
        Ok(Image::from_tensor(&decoded)?.remove(0))
    }
}

pub(crate) fn measure(context: &Context) -> Result<()> {
    let vae = Autoencoder::open(&context.model)?;
    let render = |scene: &Scene| context.sprites.render(scene, 128, 128);
    let scenes: Vec<Image> = context.scenes(SEED, |_| true).iter().map(render).collect::<Result<_>>()?;
    let others: Vec<Image> = context.scenes(OTHERS, |_| true).iter().map(render).collect::<Result<_>>()?;
    let decoded: Vec<Image> = scenes.iter().map(|scene| vae.through(scene)).collect::<Result<_>>()?;

    let pairs = || scenes.iter().zip(&decoded);
    let noise: Vec<f64> = pairs().map(|(one, other)| psnr(one, other)).collect::<Result<_>>()?;
    let likeness: Vec<f64> = pairs().map(|(one, other)| ssim(one, other)).collect::<Result<_>>()?;

    println!("### Autoencoder\n\n{} scenes of 128x128 that training never shows.\n", scenes.len());
    context.figure(
        "autoencoder",
        &[scenes.clone(), decoded.clone()].map(|line| line.into_iter().take(8).collect()),
    )?;
    println!("| pictures | PSNR, dB | SSIM | Fréchet distance to the scenes |\n|---|---|---|---|");
    println!(
        "| encoded and decoded | {:.1} ± {:.1} | {:.3} ± {:.3} | {:.4} |",
        mean(&noise),
        deviation(&noise),
        mean(&likeness),
        deviation(&likeness),
        between(&scenes, &decoded)?
    );
    println!("| as many other scenes | | | {:.4} |\n", between(&scenes, &others)?);
    Ok(())
}
