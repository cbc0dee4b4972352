//! [`Stage`]: one run of the sampler, from its first noise to its latents.

use tch::Tensor;

use super::denoiser::{Denoiser, Sides};
use super::inpaint::{Masking, Overlay};
use super::origin::Start;
use super::{Encoded, Latents, Pipeline, Request, is_finite, is_true};
use crate::conditioning::{Guidance, MicroConditioning};
use crate::error::{Error, Result};
use crate::noise::NoiseSource;
use crate::runtime::Device;
use crate::scheduler::{Prediction, Run, Scheduler};
use crate::unet::{DeepCache, FreeU, guidance_embedding};
use crate::weights::release_memory;

/// A run of the sampler under way.
pub(super) struct Stage {
    sides: Sides,
    guidance: Guidance,
    freeu: Option<FreeU>,
    deep: Option<DeepCache>,
    prediction: Prediction,
    pub(super) run: Run,
    masking: Option<Masking>,
    extra: Option<Tensor>,
    pub(super) overlay: Option<Overlay>,
    pub(super) noise: NoiseSource,
    x: Tensor,
    pub(super) denoised: Option<Tensor>,
    /// Whether each step's result was finite, where asking at once would wait for the device.
    finite: Vec<Tensor>,
}

impl Stage {
    pub(super) fn start(
        pipeline: &Pipeline,
        request: &Request,
        scheduler: &Scheduler,
        encoded: &Encoded,
    ) -> Result<Self> {
        let mut noise = NoiseSource::new(&request.seeds)?;
        let start = Start::new(pipeline, request, scheduler, &mut noise)?;
        Ok(Self {
            sides: sides(pipeline, request, encoded)?,
            guidance: request.guidance,
            freeu: request.freeu,
            deep: request.deep_cache.map(DeepCache::new).transpose()?,
            prediction: scheduler.prediction(),
            run: scheduler.run(start.plan),
            masking: start.masking,
            extra: start.extra,
            overlay: start.overlay,
            noise,
            x: start.x,
            denoised: None,
            finite: Vec::new(),
        })
    }

    pub(super) fn is_done(&self) -> bool {
        self.run.next_step().is_none()
    }

    /// Takes the next step.
    pub(super) fn step(&mut self, pipeline: &Pipeline) -> Result<()> {
        let mut denoiser = Denoiser {
            unet: pipeline.unet(),
            sides: &self.sides,
            guidance: self.guidance,
            prediction: self.prediction,
            freeu: self.freeu,
            deep: self.deep.as_ref(),
            kind: pipeline.precision.kind(),
            extra: self.extra.as_ref(),
            masking: self.masking.as_ref(),
            denoised: &mut self.denoised,
        };
        self.x = self.run.step(&self.x, &mut denoiser, &mut self.noise)?;
        if self.is_done() {
            // Room for decoding.
            self.sides.forget();
            self.deep = None;
            release_memory();
        }
        // The end of the run is masked in `latents`, where the picture has no noise whatever the last level.
        let level = self.run.level().filter(|_| !self.is_done());
        if let (Some(masking), Some(level)) = (&self.masking, level) {
            self.x = masking.apply(&self.x, level)?;
        }
        if pipeline.device != Device::Cpu {
            self.finite.push(self.x.f_isfinite()?.f_all()?);
        } else if !is_finite(&self.x)? {
            return Err(self.non_finite(self.run.position().checked_sub(1)));
        }
        Ok(())
    }

    /// The latents as they stand.
    pub(super) fn latents(&self) -> Result<Latents> {
        let mut latents = self.run.latents(&self.x)?;
        if let (Some(masking), true) = (&self.masking, self.is_done()) {
            latents = masking.finish(&latents)?;
        }
        if is_finite(&latents)? {
            return Latents::new(latents);
        }
        for (step, finite) in self.finite.iter().enumerate() {
            if !is_true(finite)? {
                return Err(self.non_finite(Some(step)));
            }
        }
        Err(self.non_finite(self.run.position().checked_sub(1)))
    }

    fn non_finite(&self, step: Option<usize>) -> Error {
        Error::NonFinite { stage: "unet", step }
    }
}

/// What the UNet is told for each side of guidance.
fn sides(pipeline: &Pipeline, request: &Request, encoded: &Encoded) -> Result<Sides> {
    let (models, asked) = (&pipeline.models, &request.conditioning);
    let (size, batch) = (pipeline.size_of(request)?, request.seeds.len() as i64);
    let side = |text, micro: MicroConditioning, score: f64| {
        let score = models.config.requires_aesthetics_score.then_some(score);
        pipeline.unet_conditioning(text, &micro.time_ids(size, score), batch)
    };
    let positive = side(&encoded.positive, asked.micro, asked.aesthetic_scores.positive)?;
    let perturbation = match &request.perturbed_attention {
        Some(perturbed) => {
            Some((perturbed.clone(), pipeline.unet().self_attentions(perturbed.layer_parts())?))
        }
        None => None,
    };
    let (negative, positive) = match pipeline.unet().config().time_cond_proj_dim {
        // The scale is an input of this UNet; a second side would have no effect.
        Some(width) => (None, positive.timestep_cond(guidance_embedding(request.guidance.scale(), width)?)),
        None if request.guidance.is_on() => {
            let score = asked.aesthetic_scores.negative;
            (Some(side(&encoded.negative, asked.negative_micro, score)?), positive)
        }
        None => (None, positive),
    };
    Sides::new(negative, positive, perturbation)
}
