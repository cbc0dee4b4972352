//! `sdxl_job`: a request under way.

use std::ffi::{c_char, c_void};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use super::arguments::{Versioned, buffer, copy_of, copy_text, create, place, room, structure_place};
use super::error::{Outcome, guard, sdxl_status};
use super::image::{hand_out, picture, sdxl_image};
use super::latents::sdxl_latents;
use super::pipeline::sdxl_pipeline;
use super::request::sdxl_request;
use super::table::{self, get, handle};
use crate::error::Error;
use crate::pipeline::{Flow, Job, JobProgress, JobState};

/// A request under way on the pipeline's own thread: start it, poll it once a frame or wait for it, take the pictures.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sdxl_job {
    /// 0 is no handle.
    pub id: u64,
}
handle!(sdxl_job, "sdxl_job", Job);

/// What a job is doing.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum sdxl_job_state {
    /// It waits for the jobs before it.
    SDXL_JOB_STATE_WAITING = 0,
    /// It encodes the prompts, and the picture that it begins with.
    SDXL_JOB_STATE_ENCODING = 1,
    /// It takes the steps.
    SDXL_JOB_STATE_SAMPLING = 2,
    /// It decodes the pictures.
    SDXL_JOB_STATE_DECODING = 3,
    /// It has ended: the pictures can be taken.
    SDXL_JOB_STATE_FINISHED = 100,
    /// It has ended with an error, which sdxl_job_wait returns.
    SDXL_JOB_STATE_FAILED = 101,
    /// It has ended because it was cancelled.
    SDXL_JOB_STATE_CANCELLED = 102,
}

/// Where a job stands.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sdxl_progress {
    /// sizeof(sdxl_progress), set by the caller.
    pub struct_size: u32,
    /// An sdxl_job_state; from SDXL_JOB_STATE_FINISHED on, the job has ended.
    pub state: i32,
    /// The steps taken.
    pub step: u32,
    /// All steps; 0 until the prompts are encoded.
    pub of: u32,
    /// The noise level reached, as a standard deviation; 0 before the first step.
    pub sigma: f64,
    /// Seconds since the job's turn came.
    pub seconds: f64,
    /// Seconds that the remaining steps will take, at the mean speed so far; decoding comes on top.
    pub seconds_left: f64,
}

// SAFETY: repr(C), begins with its size, all fields are numbers.
unsafe impl Versioned for sdxl_progress {
    const FIRST_SIZE: usize = 40;
    const DEFAULT: Self = Self {
        struct_size: size_of::<Self>() as u32,
        state: 0,
        step: 0,
        of: 0,
        sigma: 0.,
        seconds: 0.,
        seconds_left: 0.,
    };
}

impl From<JobProgress> for sdxl_progress {
    fn from(progress: JobProgress) -> Self {
        Self {
            state: match progress.state {
                JobState::Waiting => sdxl_job_state::SDXL_JOB_STATE_WAITING,
                JobState::Encoding => sdxl_job_state::SDXL_JOB_STATE_ENCODING,
                JobState::Sampling => sdxl_job_state::SDXL_JOB_STATE_SAMPLING,
                JobState::Decoding => sdxl_job_state::SDXL_JOB_STATE_DECODING,
                JobState::Finished => sdxl_job_state::SDXL_JOB_STATE_FINISHED,
                JobState::Failed => sdxl_job_state::SDXL_JOB_STATE_FAILED,
                JobState::Cancelled => sdxl_job_state::SDXL_JOB_STATE_CANCELLED,
            } as i32,
            step: progress.step as u32,
            of: progress.of as u32,
            sigma: progress.sigma,
            seconds: progress.elapsed.as_secs_f64(),
            seconds_left: progress.remaining.as_secs_f64(),
            ..Self::DEFAULT
        }
    }
}

/// Whether a job goes on: what its callback returns.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum sdxl_flow {
    /// It goes on.
    SDXL_FLOW_CONTINUE = 0,
    /// It is cancelled, as every other number means too.
    SDXL_FLOW_CANCEL = 1,
}

/// Called on the pipeline's thread before the first and after every step of a job, which waits for it.
///
/// It gets the user_data of sdxl_job_start, the job, and where it stands (valid during the call). It returns an
/// sdxl_flow. It may call every function of the library, but sdxl_job_wait gives it the answer at once for jobs of
/// the same pipeline. It must return: no C++ exception and no longjmp may leave it.
pub type sdxl_progress_callback = Option<
    unsafe extern "C" fn(user_data: *mut c_void, job: sdxl_job, progress: *const sdxl_progress) -> i32,
>;

/// The caller's pointer, which goes back to the caller alone.
struct UserData(*mut c_void);

// SAFETY: it is not followed here, and the header says that the callback runs on another thread.
unsafe impl Send for UserData {}

/// Starts a request on the pipeline's own thread and returns at once. Jobs of one pipeline run one after the other.
/// What does not fit the model is an error of the job.
///
/// - pipeline: with which model. It may be freed before the job has ended.
/// - request: what to draw. Later changes of it have no effect, and it may be freed.
/// - callback: called before the first and after every step; NULL for none.
/// - user_data: what the callback gets; must be valid until the job has ended or is freed.
/// - out_job: a new handle; free it with sdxl_job_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_job_start(
    pipeline: sdxl_pipeline,
    request: sdxl_request,
    callback: sdxl_progress_callback,
    user_data: *mut c_void,
    out_job: *mut sdxl_job,
) -> sdxl_status {
    guard(|| {
        let out_job = place(out_job, "out_job")?;
        let pipeline = get(pipeline)?;
        let order = copy_of(request)?;
        let request = order.build()?;
        let mut job = pipeline.job(&request).output(order.output);
        // The callback may come before the handle is known here.
        let handle = Arc::new(OnceLock::new());
        if let Some(callback) = callback {
            let (handle, user_data) = (Arc::clone(&handle), UserData(user_data));
            job = job.on_progress(move |progress| {
                let UserData(user_data) = &user_data;
                // SAFETY: the header's contract for callbacks and their user_data.
                match unsafe { callback(*user_data, *handle.wait(), &progress.into()) } {
                    0 => Flow::Continue,
                    _ => Flow::Cancel,
                }
            });
        }
        let new = table::insert(job.start()?);
        // `set` fails only where it is set already.
        let _ = handle.set(new);
        out_job.write(new);
        Ok(())
    })
}

/// Says where a job stands. Never waits for its work.
///
/// - job: which one.
/// - out_progress: where it goes; the caller sets its struct_size first.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_job_poll(job: sdxl_job, out_progress: *mut sdxl_progress) -> sdxl_status {
    guard(|| {
        let job = get(job)?;
        structure_place(out_progress, "out_progress")?.write(&job.progress().into());
        Ok(())
    })
}

/// Waits until a job has ended.
///
/// - job: which one.
/// - milliseconds: at most that long; negative for as long as it takes, 0 to ask.
///
/// Returns SDXL_STATUS_OK where it has finished, SDXL_STATUS_UNFINISHED where the time was too short,
/// SDXL_STATUS_CANCELLED, or what the job met; the message then says it. Its callback is not called afterwards,
/// unless the job is unfinished.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_job_wait(job: sdxl_job, milliseconds: i64) -> sdxl_status {
    guard(|| Ok(get(job)?.wait(u64::try_from(milliseconds).ok().map(Duration::from_millis))?))
}

/// Ends a job within one layer, which takes seconds at most, or at once if it still waits for its turn, and returns
/// without waiting for that. The pipeline is as it was before. Without effect on a job that has ended.
///
/// - job: which one.
///
/// Any thread, at any time, any number of times. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_job_cancel(job: sdxl_job) -> sdxl_status {
    guard(|| {
        get(job)?.cancel();
        Ok(())
    })
}

/// Makes a small picture of what the UNet takes the picture for after the last step, one pixel for each of the latents',
/// in about a millisecond.
///
/// - job: which one; under way.
/// - index: of which picture, from 0.
/// - out_image: a new handle; free it with sdxl_image_free.
///
/// Returns SDXL_STATUS_UNFINISHED before the first step and after the end, when there is none.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_job_preview(
    job: sdxl_job,
    index: u32,
    out_image: *mut sdxl_image,
) -> sdxl_status {
    create(out_image, "out_image", || {
        let images = get(job)?.preview()?;
        if images.is_empty() { Err(Error::Unfinished.into()) } else { picture(images, index) }
    })
}

/// Gives what the UNet takes the pictures for after the last step, as latents without noise: sdxl_pipeline_decode makes a
/// preview of full size of them, sdxl_latents_preview a small one.
///
/// - job: which one; under way.
/// - out_latents: a new handle; free it with sdxl_latents_free.
///
/// Returns SDXL_STATUS_UNFINISHED before the first step and after the end, when there are none.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_job_denoised(job: sdxl_job, out_latents: *mut sdxl_latents) -> sdxl_status {
    create(out_latents, "out_latents", || Ok(Mutex::new(get(job)?.denoised().ok_or(Error::Unfinished)?)))
}

/// Says how large the pictures will be.
///
/// - job: which one.
/// - out_width: pixels from left to right.
/// - out_height: pixels from top to bottom.
///
/// Returns SDXL_STATUS_UNFINISHED until the prompts are encoded.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_job_size(
    job: sdxl_job,
    out_width: *mut u32,
    out_height: *mut u32,
) -> sdxl_status {
    guard(|| {
        let job = get(job)?;
        let (out_width, out_height) = (place(out_width, "out_width")?, place(out_height, "out_height")?);
        let size = job.size()?;
        out_width.write(size.width as u32);
        out_height.write(size.height as u32);
        Ok(())
    })
}

/// Says how many tensors of noise each seed has given so far, for sdxl_request_set_skip_draws of a second stage.
///
/// - job: which one.
/// - out_count: their number; 0 until the prompts are encoded.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_job_draws(job: sdxl_job, out_count: *mut usize) -> sdxl_status {
    guard(|| {
        let job = get(job)?;
        place(out_count, "out_count")?.write(job.draws());
        Ok(())
    })
}

/// Says how many pictures can be taken.
///
/// - job: which one.
/// - out_count: 0 before the end.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_job_image_count(job: sdxl_job, out_count: *mut usize) -> sdxl_status {
    guard(|| {
        let job = get(job)?;
        place(out_count, "out_count")?.write(job.image_count());
        Ok(())
    })
}

/// Takes the pictures of a job that has finished, all at once; they are given once.
///
/// - job: which one.
/// - out_images: new handles; free each with sdxl_image_free.
/// - capacity: how many handles out_images has room for.
/// - out_count: how many pictures there are.
///
/// Returns what sdxl_job_wait returns where there are none yet, or never will be.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_job_take_images(
    job: sdxl_job,
    out_images: *mut sdxl_image,
    capacity: usize,
    out_count: *mut usize,
) -> sdxl_status {
    guard(|| {
        let job = get(job)?;
        let images = buffer(out_images, capacity, "out_images")?;
        let out_count = place(out_count, "out_count")?;
        let images = room(images, job.image_count())?;
        out_count.write(hand_out(job.take_images()?, images));
        Ok(())
    })
}

/// Gives the latents of a job that has finished: those of its pictures, or what it left at the end of its part of the
/// schedule.
///
/// - job: which one.
/// - out_latents: a new handle; free it with sdxl_latents_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_job_latents(job: sdxl_job, out_latents: *mut sdxl_latents) -> sdxl_status {
    create(out_latents, "out_latents", || Ok(Mutex::new(get(job)?.latents()?)))
}

/// Copies the ends of prompts that did not fit into 77 tokens, one in a line.
///
/// - job: which one, as soon as it takes its steps.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer. 1 where all prompts fit.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_job_copy_cut(
    job: sdxl_job,
    buffer: *mut c_char,
    capacity: usize,
    out_size: *mut usize,
) -> sdxl_status {
    guard(|| copy_text(&get(job)?.cut().join("\n"), buffer, capacity, out_size))
}

/// Frees a job; one that is under way is cancelled. When this returns, its callback has returned and is not called any
/// more. Called by the callback itself, that call is the last one.
///
/// - job: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_job_free(job: sdxl_job) -> sdxl_status {
    guard(|| -> Outcome {
        // Other threads may still wait for it: it ends for them too.
        table::remove(job)?.abandon();
        Ok(())
    })
}
