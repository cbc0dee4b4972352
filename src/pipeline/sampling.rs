//! [`Sampling`]: the loop over the steps, as an iterator.

use std::fmt;
use std::time::{Duration, Instant};

use tch::Tensor;

use super::denoiser::{Denoiser, Sides};
use super::origin::{Masking, Start};
use super::recipe::Recipe;
use super::{Latents, Pipeline, Request, is_finite};
use crate::conditioning::{Guidance, MicroConditioning, Size};
use crate::error::{Error, Result};
use crate::image::Image;
use crate::noise::NoiseSource;
use crate::runtime::{Device, no_grad};
use crate::scheduler::{Prediction, Run};
use crate::unet::{FreeU, guidance_embedding};

/// A request under way: an iterator that takes one step of the sampler at a time.
///
/// ```no_run
/// # let pipeline = sdxl::Pipeline::builder("model").build()?;
/// # let conditioning = sdxl::Conditioning::builder("a cat").build()?;
/// # let request = sdxl::Request::builder(conditioning).build()?;
/// let mut sampling = pipeline.sample(&request)?;
/// for progress in &mut sampling {
///     let progress = progress?;
///     println!("{} of {}", progress.step, progress.of);
/// }
/// let images = sampling.images()?;
/// # Ok::<(), sdxl::Error>(())
/// ```
pub struct Sampling {
    pipeline: Pipeline,
    sides: Sides,
    denoised: Option<Tensor>,
    guidance: Guidance,
    freeu: Option<FreeU>,
    prediction: Prediction,
    run: Run,
    masking: Option<Masking>,
    extra: Option<Tensor>,
    noise: NoiseSource,
    x: Tensor,
    failed: bool,
    started: Instant,
    cut: Vec<String>,
    recipe: Recipe,
}

/// Where a [`Sampling`] stands after a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The steps taken: 1 after the first.
    pub step: usize,
    /// All steps.
    pub of: usize,
    /// The noise level reached, as a standard deviation.
    pub sigma: f64,
    /// Time since the first step began.
    pub elapsed: Duration,
    /// Time that the remaining steps will take, at the mean speed so far.
    pub remaining: Duration,
}

impl Sampling {
    pub(super) fn start(pipeline: &Pipeline, request: &Request) -> Result<Self> {
        let _guard = no_grad();
        let models = &pipeline.models;
        let mut noise = NoiseSource::new(&request.seeds)?;
        let scheduler = request.scheduler.as_ref().unwrap_or(&pipeline.scheduler).clone();
        let start = Start::new(pipeline, request, &scheduler, &mut noise)?;

        let size = pipeline.size_of(request)?;
        let batch = request.seeds.len() as i64;
        let asked = &request.conditioning;
        let embedded = models.unet.config().time_cond_proj_dim;
        // A negative prompt that is not used must not make the context of the prompt longer.
        let encoded = if request.guidance.is_on() && embedded.is_none() {
            pipeline.encode(asked)?
        } else {
            pipeline.encode(&asked.without_negative())?
        };
        let side = |text, micro: MicroConditioning, score: f64| {
            let score = models.config.requires_aesthetics_score.then_some(score);
            pipeline.unet_conditioning(text, &micro.time_ids(size, score), batch)
        };
        let positive = side(&encoded.positive, asked.micro, asked.aesthetic_scores.positive)?;
        let perturbation = match &request.perturbed_attention {
            Some(perturbed) => {
                Some((perturbed.clone(), models.unet.self_attentions(perturbed.layer_parts())?))
            }
            None => None,
        };
        let (negative, positive) = match embedded {
            // The scale is an input of this UNet; a second side would have no effect.
            Some(width) => {
                (None, positive.timestep_cond(guidance_embedding(request.guidance.scale(), width)?))
            }
            None if request.guidance.is_on() => {
                let score = asked.aesthetic_scores.negative;
                (Some(side(&encoded.negative, asked.negative_micro, score)?), positive)
            }
            None => (None, positive),
        };
        let sides = Sides::new(negative, positive, perturbation)?;
        Ok(Self {
            recipe: Recipe::new(pipeline, request, &scheduler, size),
            pipeline: pipeline.clone(),
            sides,
            denoised: None,
            guidance: request.guidance,
            freeu: request.freeu,
            prediction: scheduler.prediction(),
            run: scheduler.run(start.plan),
            masking: start.masking,
            extra: start.extra,
            noise,
            x: start.x,
            failed: false,
            started: Instant::now(),
            cut: encoded.cut,
        })
    }

    /// The ends of prompts that did not fit into 77 tokens, of those that are used.
    pub fn cut(&self) -> &[String] {
        &self.cut
    }

    /// The size of the pictures.
    pub fn size(&self) -> Size {
        self.recipe.size()
    }

    /// The latents as they stand: after the last step, those of the pictures.
    ///
    /// # Errors
    /// [`Error::NonFinite`] where the UNet gave no numbers.
    pub fn latents(&self) -> Result<Latents> {
        let _guard = no_grad();
        let mut latents = self.run.latents(&self.x)?;
        if let (Some(masking), None) = (&self.masking, self.run.next_step()) {
            latents = masking.finish(&latents)?;
        }
        if !is_finite(&latents)? {
            return Err(Error::NonFinite { stage: "unet", step: self.run.position().checked_sub(1) });
        }
        Latents::new(latents)
    }

    /// Decodes the latents as they stand. The pictures carry how they were made.
    ///
    /// # Errors
    /// [`Error::NonFinite`] where the UNet or the autoencoder gave no numbers.
    pub fn images(&self) -> Result<Vec<Image>> {
        let images = self.pipeline.decode(&self.latents()?)?;
        Ok(images.into_iter().enumerate().map(|(index, image)| self.recipe.describe(image, index)).collect())
    }

    /// What the UNet takes the pictures for, as latents without noise; `None` before the first step. Rough at
    /// first, and then a preview: decode it, or take [`Latents::preview`].
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn denoised(&self) -> Result<Option<Latents>> {
        self.denoised.as_ref().map(|denoised| Latents::new(denoised.shallow_clone())).transpose()
    }

    fn step(&mut self) -> Result<Progress> {
        let _guard = no_grad();
        let mut denoiser = Denoiser {
            unet: self.pipeline.unet(),
            sides: &self.sides,
            guidance: self.guidance,
            freeu: self.freeu,
            prediction: self.prediction,
            kind: self.pipeline.precision.kind(),
            extra: self.extra.as_ref(),
            denoised: &mut self.denoised,
        };
        self.x = self.run.step(&self.x, &mut denoiser, &mut self.noise)?;
        // The end of the run is masked in `latents`, where the picture has no noise whatever the last level.
        let level = self.run.level().filter(|_| self.run.next_step().is_some());
        if let (Some(masking), Some(level)) = (&self.masking, level) {
            self.x = masking.apply(&self.x, level)?;
        }
        // On a GPU this would wait for the device in every step; there the end is checked.
        if self.pipeline.device == Device::Cpu && !is_finite(&self.x)? {
            return Err(Error::NonFinite { stage: "unet", step: self.run.position().checked_sub(1) });
        }
        let elapsed = self.started.elapsed();
        let (done, of) = (self.run.position(), self.run.plan().steps().len());
        let remaining = elapsed.mul_f64((of - done) as f64 / done as f64);
        let sigma = self.run.level().map_or(0., |level| level.sigma);
        Ok(Progress { step: done, of, sigma, elapsed, remaining })
    }
}

impl fmt::Debug for Sampling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sampling")
            .field("pipeline", &self.pipeline)
            .field("step", &self.run.position())
            .field("of", &self.run.plan().steps().len())
            .finish_non_exhaustive()
    }
}

impl Iterator for Sampling {
    type Item = Result<Progress>;

    fn next(&mut self) -> Option<Self::Item> {
        // An iterator that failed has nothing more to give.
        if self.failed || self.run.next_step().is_none() {
            return None;
        }
        if self.run.position() == 0 {
            self.started = Instant::now();
        }
        let progress = self.step();
        self.failed = progress.is_err();
        Some(progress)
    }
}
