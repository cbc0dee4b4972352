//! [`Sampling`]: the loop over the steps, as an iterator.

use std::fmt;
use std::time::{Duration, Instant};

use super::inpaint::Overlay;
use super::recipe::Recipe;
use super::stage::Stage;
use super::{Encoded, Hires, Latents, Pipeline, Request};
use crate::conditioning::Size;
use crate::error::{Error, Result};
use crate::image::Image;
use crate::runtime::no_grad;
use crate::scheduler::{Range, Scheduler};

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
    scheduler: Scheduler,
    encoded: Encoded,
    stage: Stage,
    /// The second run, where there is one and it has not begun: its request, but for what it begins with.
    second: Option<(Hires, Request)>,
    /// Steps of the stage before.
    before: usize,
    /// All steps.
    of: usize,
    /// Steps of the first run, and how many of them one of the second costs.
    costs: (usize, f64),
    failed: bool,
    started: Instant,
    size: Size,
    watermark: bool,
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
        let scheduler = request.scheduler.as_ref().unwrap_or(&pipeline.scheduler).clone();
        let size = pipeline.size_of(request)?;
        // Planned now, so that what is wrong with it is found before the first step.
        let second = match request.hires {
            Some(hires) => {
                let larger = hires.size(size, pipeline.models.config.vae.factor());
                let second = hires.plan(request, larger);
                pipeline.checked_size(&second, larger)?;
                let steps = scheduler.plan(second.steps, Range::strength(second.strength()))?.steps().len();
                Some((hires, second, larger, steps))
            }
            None => None,
        };
        let encoded = pipeline.encode_used(request)?;
        let stage = Stage::start(pipeline, request, &scheduler, &encoded)?;
        let steps = stage.run.plan().steps().len();
        let pixels = |size: Size| (size.width * size.height) as f64;
        let (last_size, more) = match &second {
            Some((_, _, larger, steps)) => (*larger, *steps),
            None => (size, 0),
        };
        Ok(Self {
            watermark: request.watermark,
            recipe: Recipe::new(pipeline, request, &scheduler, size),
            pipeline: pipeline.clone(),
            scheduler,
            encoded,
            size: stage.overlay.as_ref().and_then(Overlay::size).unwrap_or(last_size),
            stage,
            second: second.map(|(hires, request, ..)| (hires, request)),
            before: 0,
            of: steps + more,
            costs: (steps, pixels(last_size) / pixels(size)),
            failed: false,
            started: Instant::now(),
        })
    }

    /// The ends of prompts that did not fit into 77 tokens, of those that are used.
    pub fn cut(&self) -> &[String] {
        &self.encoded.cut
    }

    /// How many steps there are in all.
    pub fn steps(&self) -> usize {
        self.of
    }

    /// The size of the pictures at the end.
    pub fn size(&self) -> Size {
        self.size
    }

    /// How many tensors of noise each seed has given, those that were passed over included: see
    /// [`RequestBuilder::skip_draws`](super::RequestBuilder::skip_draws).
    pub fn draws(&self) -> usize {
        self.stage.noise.draws()
    }

    /// The latents as they stand: after the last step, those of the pictures.
    ///
    /// # Errors
    /// [`Error::NonFinite`](crate::Error::NonFinite) where the UNet gave no numbers.
    pub fn latents(&self) -> Result<Latents> {
        let _guard = no_grad();
        self.counted(self.stage.latents())
    }

    /// Decodes the latents as they stand. The pictures carry how they were made, and that a model made them: see
    /// [`Image::texts`].
    ///
    /// # Errors
    /// [`Error::NonFinite`](crate::Error::NonFinite) where the UNet or the autoencoder gave no numbers.
    pub fn images(&self) -> Result<Vec<Image>> {
        let mut decoded = self.pipeline.decode_tensor(&self.latents()?)?;
        if self.watermark {
            decoded = Image::watermark(&decoded)?;
        }
        let images = Image::from_tensor(&decoded)?.into_iter().enumerate();
        let described = images.map(|(index, image)| {
            let image = match &self.stage.overlay {
                Some(overlay) => overlay.apply(image, index)?,
                None => image,
            };
            Ok(self.recipe.describe(image, index))
        });
        described.collect()
    }

    /// What the UNet takes the pictures for, as latents without noise; `None` before the first step. Rough at
    /// first, and then a preview: decode it, or take [`Latents::preview`].
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn denoised(&self) -> Result<Option<Latents>> {
        self.stage.denoised.as_ref().map(|denoised| Latents::new(denoised.shallow_clone())).transpose()
    }

    fn is_done(&self) -> bool {
        self.stage.is_done() && self.second.is_none()
    }

    fn step(&mut self) -> Result<Progress> {
        let _guard = no_grad();
        if self.stage.is_done() {
            self.begin_second()?;
        }
        let stepped = self.stage.step(&self.pipeline);
        self.counted(stepped)?;
        let step = self.before + self.stage.run.position();
        let elapsed = self.started.elapsed();
        let (done, all) = self.work_at(step);
        let remaining = elapsed.mul_f64((all - done).max(0.) / done);
        let sigma = self.stage.run.level().map_or(0., |level| level.sigma);
        Ok(Progress { step, of: self.of, sigma, elapsed, remaining })
    }

    /// The work of that many steps, and of all, in steps of the first run: one of the second costs as much more as
    /// it has pixels.
    fn work_at(&self, step: usize) -> (f64, f64) {
        let (first, more) = self.costs;
        let work = |steps: usize| steps.min(first) as f64 + steps.saturating_sub(first) as f64 * more;
        (work(step), work(self.of))
    }

    /// The second run, with the pictures of the first.
    fn begin_second(&mut self) -> Result<()> {
        let Some((hires, mut request)) = self.second.take() else { return Ok(()) };
        let latents = self.latents()?;
        request.origin = hires.begin(&self.pipeline, &latents, self.size)?;
        self.before = self.stage.run.plan().steps().len();
        self.stage = Stage::start(&self.pipeline, &request, &self.scheduler, &self.encoded)?;
        Ok(())
    }

    /// Counts the step of an error from the first stage on.
    fn counted<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| match error {
            Error::NonFinite { stage, step } => {
                Error::NonFinite { stage, step: step.map(|step| self.before + step) }
            }
            other => other,
        })
    }
}

impl fmt::Debug for Sampling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sampling")
            .field("pipeline", &self.pipeline)
            .field("step", &(self.before + self.stage.run.position()))
            .field("of", &self.of)
            .finish_non_exhaustive()
    }
}

impl Iterator for Sampling {
    type Item = Result<Progress>;

    fn next(&mut self) -> Option<Self::Item> {
        // An iterator that failed has nothing more to give.
        if self.failed || self.is_done() {
            return None;
        }
        if self.before + self.stage.run.position() == 0 {
            self.started = Instant::now();
        }
        let progress = self.step();
        self.failed = progress.is_err();
        Some(progress)
    }
}
