//! [`Job`]: a request drawn on the pipeline's own thread, watched and cancelled from any other.

mod shared;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::{Shared, Status, Work};

use super::{Latents, Pipeline, Progress, Request};
use crate::conditioning::Size;
use crate::error::{Error, Result};
use crate::image::Image;
use crate::runtime::{Worker, interrupt, locked};

/// A request under way on the pipeline's own thread.
///
/// Until it has ended it holds its pipeline in memory, then only what it made.
///
/// The jobs of one pipeline run one after the other, those of its clones at once. All methods may be called from
/// any thread; a program with a loop of its own, such as a game, starts a job and looks at its
/// [`progress`](Self::progress) once a frame.
///
/// Dropping a job cancels it.
///
/// ```no_run
/// # let pipeline = sdxl::Pipeline::builder("model").build()?;
/// # let conditioning = sdxl::Conditioning::builder("a cat").build()?;
/// # let request = sdxl::Request::builder(conditioning).build()?;
/// use std::time::Duration;
///
/// let job = pipeline.start(&request)?;
/// while job.wait(Some(Duration::from_millis(100))).is_err() {
///     let progress = job.progress();
///     if progress.state.is_final() {
///         break;
///     }
///     println!("{} of {}", progress.step, progress.of);
/// }
/// let images = job.take_images()?;
/// # Ok::<(), sdxl::Error>(())
/// ```
pub struct Job {
    shared: Arc<Shared>,
    /// The worker's.
    thread: ThreadId,
}

/// What a [`Job`] is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobState {
    /// It waits for the jobs before it.
    Waiting,
    /// It encodes the prompts, and the picture that it begins with.
    Encoding,
    /// It takes the steps.
    Sampling,
    /// It decodes the pictures.
    Decoding,
    /// It is done: the pictures can be taken.
    Finished,
    /// It met an error, which [`Job::wait`] returns.
    Failed,
    /// It was cancelled.
    Cancelled,
}

impl JobState {
    /// Whether nothing will change any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Cancelled)
    }
}

/// Where a [`Job`] stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JobProgress {
    /// What it is doing.
    pub state: JobState,
    /// The steps taken.
    pub step: usize,
    /// All steps; 0 until the prompts are encoded.
    pub of: usize,
    /// The noise level reached, as a standard deviation; 0 before the first step.
    pub sigma: f64,
    /// Time since the job's turn came.
    pub elapsed: Duration,
    /// Time that the remaining steps will take, at the mean speed so far; 0 before the first step. Decoding
    /// comes on top.
    pub remaining: Duration,
}

/// What a [`Job`] is to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Output {
    /// Pictures. The latents are there too.
    #[default]
    Images,
    /// Latents alone, for another run or another decoder. What stops before the end of the schedule makes these
    /// whatever is asked for.
    Latents,
}

/// Whether a job goes on: what its observer returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Flow {
    /// It goes on.
    Continue,
    /// It is cancelled.
    Cancel,
}

type Observer = Box<dyn FnMut(JobProgress) -> Flow + Send>;

/// What happens in a job, in this process or in another one.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Event {
    /// The prompts are encoded.
    Encoded { steps: usize, cut: Vec<String>, size: Size, draws: usize },
    /// A step is taken.
    Step { step: usize, sigma: f64, remaining: Duration, denoised: Option<Latents>, draws: usize },
    /// All steps are taken; the pictures are being decoded.
    Decoding,
}

/// Is told each event; an error ends the job.
pub(crate) type Watch<'a> = dyn FnMut(Event) -> Result<()> + 'a;

/// What a job made.
pub(crate) type Made = (Latents, Vec<Image>);

/// Carries out a request.
type Drawing = Box<dyn FnOnce(&Request, Output, &mut Watch) -> Result<Made> + Send>;

/// Starts a [`Job`] with options.
#[must_use]
pub struct JobBuilder<'a> {
    worker: &'a Worker,
    drawing: Drawing,
    request: Request,
    output: Output,
    observer: Option<Observer>,
}

impl Pipeline {
    /// Starts a request on the pipeline's own thread. What does not fit the model is an error of the job.
    ///
    /// # Errors
    /// [`Error::Internal`] where the system has no thread for it.
    pub fn start(&self, request: &Request) -> Result<Job> {
        self.job(request).start()
    }

    /// A job with options.
    pub fn job(&self, request: &Request) -> JobBuilder<'_> {
        // With a worker of its own that never starts: the queue must not keep itself alive.
        let pipeline = self.clone();
        JobBuilder::new(&self.worker, request, move |request, output, watch| {
            pipeline.carry_out(request, output, watch)
        })
    }

    /// Everything that a job does, on this thread.
    pub(crate) fn carry_out(&self, request: &Request, output: Output, watch: &mut Watch) -> Result<Made> {
        let mut sampling = self.sample(request)?;
        watch(Event::Encoded {
            steps: sampling.steps(),
            cut: sampling.cut().to_vec(),
            size: sampling.size(),
            draws: sampling.draws(),
        })?;
        while let Some(progress) = sampling.next() {
            let Progress { step, sigma, remaining, .. } = progress?;
            let (denoised, draws) = (sampling.denoised()?, sampling.draws());
            watch(Event::Step { step, sigma, remaining, denoised, draws })?;
        }
        let latents = sampling.latents()?;
        if output == Output::Latents {
            return Ok((latents, Vec::new()));
        }
        watch(Event::Decoding)?;
        Ok((latents, sampling.images()?))
    }
}

impl<'a> JobBuilder<'a> {
    pub(crate) fn new(
        worker: &'a Worker,
        request: &Request,
        drawing: impl FnOnce(&Request, Output, &mut Watch) -> Result<Made> + Send + 'static,
    ) -> Self {
        let (drawing, request) = (Box::new(drawing), request.clone());
        Self { worker, drawing, request, output: Output::Images, observer: None }
    }

    /// What to make. Default: pictures.
    pub fn output(self, output: Output) -> Self {
        Self { output, ..self }
    }

    /// Calls a function on the pipeline's thread before the first and after every step. It may use the job and any
    /// other object of this crate; the job waits for it.
    pub fn on_progress(self, observer: impl FnMut(JobProgress) -> Flow + Send + 'static) -> Self {
        Self { observer: Some(Box::new(observer)), ..self }
    }

    /// Starts the job.
    ///
    /// # Errors
    /// [`Error::Internal`] where the system has no thread for it.
    pub fn start(self) -> Result<Job> {
        let output = if self.request.end_at < 1. { Output::Latents } else { self.output };
        let shared = Arc::new(Shared {
            work: Mutex::new(Some(Work { drawing: self.drawing, request: self.request, output })),
            is_cancelled: Arc::default(),
            is_silent: AtomicBool::new(false),
            observer: Mutex::new(self.observer),
            status: Mutex::new(Status::new()),
            changed: Condvar::new(),
        });
        let own = Arc::clone(&shared);
        let thread = self.worker.submit(move || own.run())?;
        Ok(Job { shared, thread })
    }
}

impl fmt::Debug for JobBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobBuilder").field("output", &self.output).finish_non_exhaustive()
    }
}

impl Job {
    /// Where the job stands. Never waits for the job's work.
    pub fn progress(&self) -> JobProgress {
        locked(&self.shared.status).progress_now()
    }

    /// Waits until the job has ended, or for that time; without one, for as long as it takes. The function that
    /// observes a job runs on the thread that would have to go on, so for jobs of the same pipeline it gets the
    /// answer at once.
    ///
    /// # Errors
    /// [`Error::Unfinished`] where the time was too short; [`Error::Cancelled`]; [`Error::Job`] with what the
    /// job met.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<()> {
        let mut status = locked(&self.shared.status);
        // Those that wait behind one which stays where it is do not end.
        let is_open = |status: &mut Status| !status.progress.state.is_final() && !interrupt::is_ending();
        if self.thread != thread::current().id() {
            let changed = &self.shared.changed;
            status = interrupt::outside(|| match timeout {
                None => changed.wait_while(status, is_open).unwrap_or_else(PoisonError::into_inner),
                Some(timeout) => {
                    changed
                        .wait_timeout_while(status, timeout, is_open)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            });
        }
        status.result()
    }

    /// Ends the job within one layer, or at once if it still waits for its turn. The pipeline is as it was before.
    /// Without effect on a job that has ended.
    pub fn cancel(&self) {
        self.shared.cancel();
    }

    /// What the UNet takes the pictures for, as small pictures with one pixel for each of the latents': a preview,
    /// made in about a millisecond. None before the first step.
    ///
    /// # Errors
    /// [`Error::Invalid`] for models whose latents do not have 4 channels.
    pub fn preview(&self) -> Result<Vec<Image>> {
        let denoised = locked(&self.shared.status).denoised.clone();
        denoised.map_or_else(|| Ok(Vec::new()), |latents| latents.preview())
    }

    /// What the UNet takes the pictures for, as latents without noise: a preview for
    /// [`Pipeline::decode`]. `None` before the first step and after the end.
    pub fn denoised(&self) -> Option<Latents> {
        locked(&self.shared.status).denoised.clone()
    }

    /// The size of the pictures at the end, as soon as the prompts are encoded.
    ///
    /// # Errors
    /// [`Error::Unfinished`] before that; [`Error::Cancelled`] and [`Error::Job`] where the job ended before.
    pub fn size(&self) -> Result<Size> {
        let status = locked(&self.shared.status);
        status.size.ok_or_else(|| status.result().err().unwrap_or(Error::Unfinished))
    }

    /// How many tensors of noise each seed has given so far: see
    /// [`RequestBuilder::skip_draws`](super::RequestBuilder::skip_draws).
    pub fn draws(&self) -> usize {
        locked(&self.shared.status).draws
    }

    /// How many pictures can be taken: 0 before the end.
    pub fn image_count(&self) -> usize {
        locked(&self.shared.status).images.len()
    }

    /// The pictures; they are given once.
    ///
    /// # Errors
    /// As [`wait`](Self::wait), without waiting.
    pub fn take_images(&self) -> Result<Vec<Image>> {
        let mut status = locked(&self.shared.status);
        status.result()?;
        Ok(std::mem::take(&mut status.images))
    }

    /// The latents of the pictures, or those that the run left at the end of its part of the schedule.
    ///
    /// # Errors
    /// As [`wait`](Self::wait), without waiting.
    pub fn latents(&self) -> Result<Latents> {
        let status = locked(&self.shared.status);
        status.result()?;
        status.latents.clone().ok_or(Error::Unfinished)
    }

    /// The ends of prompts that did not fit into 77 tokens, as soon as they are encoded.
    pub fn cut(&self) -> Vec<String> {
        locked(&self.shared.status).cut.clone()
    }

    /// Cancels the job, and sees to it that its observer is not called any more when this returns. Called by the
    /// observer itself, that call is the last one.
    pub(crate) fn abandon(&self) {
        self.cancel();
        self.shared.is_silent.store(true, Ordering::Relaxed);
        if self.thread != thread::current().id() {
            // Waits for a call that is under way.
            let observer = interrupt::outside(|| locked(&self.shared.observer)).take();
            drop(observer);
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.abandon();
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("progress", &self.progress()).finish_non_exhaustive()
    }
}
