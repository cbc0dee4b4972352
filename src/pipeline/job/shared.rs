//! [`Shared`]: what a job and the thread that draws it have in common.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::{Drawing, Event, Flow, JobProgress, JobState, Made, Observer, Output};
use crate::conditioning::Size;
use crate::error::{Error, Result};
use crate::image::Image;
use crate::pipeline::{Latents, Request};
use crate::runtime::{interrupt, locked};

/// What a job has to do. It holds the pipeline.
pub(super) struct Work {
    pub(super) drawing: Drawing,
    pub(super) request: Request,
    pub(super) output: Output,
}

/// What the job and the worker have in common.
pub(super) struct Shared {
    /// Until it is begun or cancelled: whoever sees a job's end finds its pipeline no longer held by it.
    pub(super) work: Mutex<Option<Work>>,
    pub(super) is_cancelled: Arc<AtomicBool>,
    pub(super) is_silent: AtomicBool,
    /// Locked during its calls.
    pub(super) observer: Mutex<Option<Observer>>,
    pub(super) status: Mutex<Status>,
    pub(super) changed: Condvar,
}

pub(super) struct Status {
    pub(super) progress: JobProgress,
    pub(super) began: Option<Instant>,
    pub(super) updated: Instant,
    pub(super) denoised: Option<Latents>,
    pub(super) latents: Option<Latents>,
    pub(super) images: Vec<Image>,
    pub(super) cut: Vec<String>,
    pub(super) size: Option<Size>,
    pub(super) draws: usize,
    pub(super) error: Option<Arc<Error>>,
}

impl Status {
    pub(super) fn new() -> Self {
        let none = Duration::ZERO;
        let state = JobState::Waiting;
        Self {
            progress: JobProgress { state, step: 0, of: 0, sigma: 0., elapsed: none, remaining: none },
            began: None,
            updated: Instant::now(),
            denoised: None,
            latents: None,
            images: Vec::new(),
            cut: Vec::new(),
            size: None,
            draws: 0,
            error: None,
        }
    }

    /// The progress, with the clock of this moment.
    pub(super) fn progress_now(&self) -> JobProgress {
        if self.progress.state.is_final() {
            return self.progress;
        }
        let elapsed = self.began.map_or(Duration::ZERO, |began| began.elapsed());
        let remaining = self.progress.remaining.saturating_sub(self.updated.elapsed());
        JobProgress { elapsed, remaining, ..self.progress }
    }

    fn end(&mut self, state: JobState) {
        self.progress = JobProgress { state, remaining: Duration::ZERO, ..self.progress_now() };
        self.denoised = None;
    }

    pub(super) fn result(&self) -> Result<()> {
        match (self.progress.state, &self.error) {
            (JobState::Finished, _) => Ok(()),
            (JobState::Cancelled, _) => Err(Error::Cancelled),
            (_, Some(error)) => Err(Error::Job(Arc::clone(error))),
            _ if interrupt::is_ending() => Err(Error::Cancelled),
            _ => Err(Error::Unfinished),
        }
    }
}

impl Shared {
    pub(super) fn run(&self) {
        let Some(work) = self.begin() else { return };
        let is_cancelled = {
            let flag = Arc::clone(&self.is_cancelled);
            move || flag.load(Ordering::Relaxed)
        };
        let draw = || interrupt::unless(is_cancelled, || self.draw(work));
        let drawn = catch_unwind(AssertUnwindSafe(draw))
            .unwrap_or_else(|panic| Err(Error::Internal { reason: text_of(&*panic) }));
        drop(locked(&self.observer).take());
        let mut status = locked(&self.status);
        let state = match drawn {
            Ok((latents, images)) => {
                (status.latents, status.images) = (Some(latents), images);
                JobState::Finished
            }
            Err(Error::Cancelled) => JobState::Cancelled,
            Err(error) => {
                status.error = Some(Arc::new(error));
                JobState::Failed
            }
        };
        status.end(state);
        self.changed.notify_all();
    }

    /// What there is to do; nothing for a job that was cancelled while it waited.
    fn begin(&self) -> Option<Work> {
        let work = locked(&self.work).take()?;
        let mut status = locked(&self.status);
        status.began = Some(Instant::now());
        status.progress.state = JobState::Encoding;
        Some(work)
    }

    pub(super) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
        let work = locked(&self.work).take();
        if work.is_some() {
            drop(work);
            locked(&self.status).progress.state = JobState::Cancelled;
            self.changed.notify_all();
        }
    }

    fn draw(&self, work: Work) -> Result<Made> {
        interrupt::check()?;
        let made = (work.drawing)(&work.request, work.output, &mut |event| self.note(event))?;
        interrupt::check()?;
        Ok(made)
    }

    fn note(&self, event: Event) -> Result<()> {
        match event {
            Event::Encoded { steps, cut, size, draws } => self.update(|status| {
                status.progress.state = JobState::Sampling;
                status.progress.of = steps;
                status.cut = cut;
                status.size = Some(size);
                status.draws = draws;
            }),
            Event::Step { step, sigma, remaining, denoised, draws } => self.update(|status| {
                status.denoised = denoised;
                status.draws = draws;
                status.updated = Instant::now();
                status.progress.step = step;
                status.progress.sigma = sigma;
                status.progress.remaining = remaining;
            }),
            Event::Decoding => {
                locked(&self.status).progress.state = JobState::Decoding;
                interrupt::check()
            }
        }
    }

    /// Changes the status and tells the observer.
    fn update(&self, change: impl FnOnce(&mut Status)) -> Result<()> {
        let progress = {
            let mut status = locked(&self.status);
            change(&mut status);
            status.progress_now()
        };
        interrupt::check()?;
        if self.ask(progress) == Flow::Cancel {
            self.is_cancelled.store(true, Ordering::Relaxed);
        }
        if interrupt::is_ending() {
            // The end of the process may not have waited for the observer, and there are tensors on this stack.
            locked(&self.status).end(JobState::Cancelled);
            self.changed.notify_all();
            interrupt::stay();
        }
        interrupt::check()
    }

    fn ask(&self, progress: JobProgress) -> Flow {
        match locked(&self.observer).as_mut() {
            Some(observer) if !self.is_silent.load(Ordering::Relaxed) => {
                interrupt::call_back(|| observer(progress))
            }
            _ => Flow::Continue,
        }
    }
}

/// What a panic said.
fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic").to_owned()
}
