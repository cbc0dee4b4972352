//! `sdxl_scheduler`: which noise levels a run visits, and how it moves from one to the next.

use std::ffi::c_char;
use std::sync::Mutex;

use super::arguments::{change, choice, copy_of, copy_text, create, duplicate, free, short_list, text};
use super::error::{Outcome, guard, sdxl_status};
use super::pipeline::sdxl_pipeline;
use super::table::{get, handle};
use crate::scheduler::{
    Clip, Curve, InitialNoise, Interpolation, Rounding, Scheduler, SchedulerBuilder, Spacing, Terminal,
};

/// A way of sampling. Requests that it was given to keep what it was then.
///
/// The sampler comes first: sdxl_scheduler_set_name starts again from the checkpoint's settings.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sdxl_scheduler {
    /// 0 is no handle.
    pub id: u64,
}
handle!(sdxl_scheduler, "sdxl_scheduler", Mutex<Scheduler>);

/// The longest list of timesteps or noise levels.
const MAX_LIST: usize = 1001;

/// A setter of an option of the builder.
fn build(
    scheduler: sdxl_scheduler,
    body: impl FnOnce(SchedulerBuilder) -> Outcome<SchedulerBuilder>,
) -> sdxl_status {
    change(scheduler, |scheduler: Scheduler| Ok(body(scheduler.to_builder())?.build()?))
}

/// Makes a scheduler for a model with Stable Diffusion XL's own settings.
///
/// - name: euler, euler_a, heun, dpm2, dpm2_a, dpmpp_2m, dpmpp_2m_sde, dpmpp_3m_sde, dpmpp_sde, dpmpp_2s_a, lms,
///   ddim, ddpm, pndm, unipc, deis, lcm, tcd, edm_euler or edm_dpmpp_2m.
/// - out_scheduler: a new handle; free it with sdxl_scheduler_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_scheduler_new(
    name: *const c_char,
    out_scheduler: *mut sdxl_scheduler,
) -> sdxl_status {
    create(out_scheduler, "out_scheduler", || Ok(Mutex::new(Scheduler::named(text(name, "name")?.parse()?)?)))
}

/// Makes the scheduler that a distilled or fine-tuned model, or an adapter, was made for. The guide to the schedulers
/// (docs/schedulers.md) has the steps and guidance that go with each.
///
/// - name: dpmpp_2m_karras, dpmpp_2m_sde_karras, turbo, lightning, lightning_one_step, lcm, dmd2, hyper, hyper_unified,
///   hyper_one_step, tcd, v_prediction_zero_snr, playground_v2_5 or cosxl.
/// - out_scheduler: a new handle; free it with sdxl_scheduler_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_scheduler_new_preset(
    name: *const c_char,
    out_scheduler: *mut sdxl_scheduler,
) -> sdxl_status {
    create(out_scheduler, "out_scheduler", || {
        Ok(Mutex::new(Scheduler::preset(text(name, "name")?.parse()?)?))
    })
}

/// Makes a copy of the scheduler that came with a model, to change some of it.
///
/// - pipeline: of which model.
/// - out_scheduler: a new handle; free it with sdxl_scheduler_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_scheduler_from_pipeline(
    pipeline: sdxl_pipeline,
    out_scheduler: *mut sdxl_scheduler,
) -> sdxl_status {
    create(out_scheduler, "out_scheduler", || Ok(Mutex::new(get(pipeline)?.scheduler().clone())))
}

/// Makes the scheduler of a diffusers scheduler_config.json: the way to every option of a solver.
///
/// - json: the text of the file, not its path.
/// - out_scheduler: a new handle; free it with sdxl_scheduler_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_scheduler_from_config(
    json: *const c_char,
    out_scheduler: *mut sdxl_scheduler,
) -> sdxl_status {
    create(out_scheduler, "out_scheduler", || Ok(Mutex::new(Scheduler::from_config(text(json, "json")?)?)))
}

/// Reads the scheduler of a diffusers scheduler_config.json.
///
/// - path: the file.
/// - out_scheduler: a new handle; free it with sdxl_scheduler_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_scheduler_open(
    path: *const c_char,
    out_scheduler: *mut sdxl_scheduler,
) -> sdxl_status {
    create(out_scheduler, "out_scheduler", || Ok(Mutex::new(Scheduler::from_file(text(path, "path")?)?)))
}

/// Makes a copy of a scheduler, to change some of it.
///
/// - scheduler: which one.
/// - out_scheduler: a new handle; free it with sdxl_scheduler_free.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_scheduler_clone(
    scheduler: sdxl_scheduler,
    out_scheduler: *mut sdxl_scheduler,
) -> sdxl_status {
    duplicate(scheduler, out_scheduler, "out_scheduler")
}

/// Takes another sampler for the same model. The settings of the checkpoint hold; others are its own defaults.
///
/// - scheduler: whose.
/// - name: one of those that sdxl_scheduler_new lists.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_scheduler_set_name(
    scheduler: sdxl_scheduler,
    name: *const c_char,
) -> sdxl_status {
    change(scheduler, |scheduler: Scheduler| Ok(scheduler.with_name(text(name, "name")?.parse()?)?))
}

/// Chooses the timesteps or noise levels by name.
///
/// - scheduler: whose.
/// - name: leading, trailing, linspace, karras, exponential, beta, ays or sgm_uniform. Default: the checkpoint's.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_scheduler_set_spacing(
    scheduler: sdxl_scheduler,
    name: *const c_char,
) -> sdxl_status {
    change(scheduler, |scheduler: Scheduler| Ok(scheduler.with_spacing(text(name, "name")?.parse()?)?))
}

/// Says what the UNet predicts.
///
/// - scheduler: whose.
/// - name: epsilon, v, sample or edm. Default: the checkpoint's.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_scheduler_set_prediction(
    scheduler: sdxl_scheduler,
    name: *const c_char,
) -> sdxl_status {
    change(scheduler, |scheduler: Scheduler| Ok(scheduler.with_prediction(text(name, "name")?.parse()?)?))
}

/// Sets the share of fresh noise in each step of ddim and tcd.
///
/// - scheduler: whose.
/// - eta: 0 to 1; 0 for all other samplers. Default: 0.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_scheduler_set_eta(scheduler: sdxl_scheduler, eta: f64) -> sdxl_status {
    change(scheduler, |scheduler: Scheduler| Ok(scheduler.with_eta(eta)?))
}

/// Visits these timesteps.
///
/// - scheduler: whose.
/// - timesteps: numbers below 1000, each less than the one before it.
/// - count: how many, the steps of the request: 1 to 1001. Default: the checkpoint's spacing.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_scheduler_set_timesteps(
    scheduler: sdxl_scheduler,
    timesteps: *const f64,
    count: usize,
) -> sdxl_status {
    build(scheduler, |builder| {
        let timesteps = short_list(timesteps, (count, MAX_LIST), "timesteps")?;
        Ok(builder.spacing(Spacing::Timesteps(timesteps.to_vec())))
    })
}

/// Visits these noise levels.
///
/// - scheduler: whose.
/// - sigmas: each less than the one before it; the last one is where the run ends, and may be 0.
/// - count: how many, one more than the steps of the request: 2 to 1001. Default: the checkpoint's spacing.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_scheduler_set_sigmas(
    scheduler: sdxl_scheduler,
    sigmas: *const f64,
    count: usize,
) -> sdxl_status {
    build(scheduler, |builder| {
        let sigmas = short_list(sigmas, (count, MAX_LIST), "sigmas")?;
        Ok(builder.spacing(Spacing::Sigmas(sigmas.to_vec())))
    })
}

/// Visits multiples of 1000/steps from below.
///
/// - scheduler: whose.
/// - offset: by which they are moved up. Default: that of the checkpoint, 1 for Stable Diffusion XL.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_scheduler_set_leading(scheduler: sdxl_scheduler, offset: u32) -> sdxl_status {
    build(scheduler, |builder| Ok(builder.spacing(Spacing::Leading { offset: offset as usize })))
}

/// Visits what lcm and tcd were distilled on.
///
/// - scheduler: whose.
/// - original_steps: 1 to 1000, the most steps that a run can have. Default, for lcm and tcd: 50.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_scheduler_set_distilled(
    scheduler: sdxl_scheduler,
    original_steps: u32,
) -> sdxl_status {
    let spacing = Spacing::Distilled { original_steps: original_steps as usize };
    build(scheduler, |builder| Ok(builder.spacing(spacing)))
}

/// Spreads the noise levels evenly in sigma^(1/rho).
///
/// - scheduler: whose.
/// - rho: above 0; 7 in the paper, and for the spacing "karras".
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_scheduler_set_karras(scheduler: sdxl_scheduler, rho: f64) -> sdxl_status {
    build(scheduler, |builder| Ok(builder.curve(Curve::Karras { rho })))
}

/// Spreads the noise levels as quantiles of a beta distribution.
///
/// - scheduler: whose.
/// - alpha: above 0; 0.6 in the paper, and for the spacing "beta".
/// - beta: above 0; 0.6 in the paper, and for the spacing "beta".
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_scheduler_set_beta(scheduler: sdxl_scheduler, alpha: f64, beta: f64) -> sdxl_status {
    build(scheduler, |builder| Ok(builder.curve(Curve::Beta { alpha, beta })))
}

/// Sets the ends of karras, exponential or beta levels, which have to be chosen before.
///
/// - scheduler: whose.
/// - sigma_min: the lowest level, above 0. Default: that of the spacing or of the training.
/// - sigma_max: the highest level, above 0. Default: that of the spacing or of the training.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_scheduler_set_sigma_range(
    scheduler: sdxl_scheduler,
    sigma_min: f64,
    sigma_max: f64,
) -> sdxl_status {
    build(scheduler, |builder| Ok(builder.sigma_min(sigma_min).sigma_max(sigma_max)))
}

/// Chooses the noise level that a run ends at.
///
/// - scheduler: whose.
/// - name: "zero" or "sigma_min", the lowest level of the training. Default: zero; samplers that cannot reach it, the
///   other.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_scheduler_set_terminal(
    scheduler: sdxl_scheduler,
    name: *const c_char,
) -> sdxl_status {
    build(scheduler, |builder| {
        let terminals = [("zero", Terminal::Zero), ("sigma_min", Terminal::SigmaMin)];
        Ok(builder.terminal(choice(text(name, "name")?, "terminal", terminals)?))
    })
}

/// Chooses what becomes of fractional timesteps before the UNet is told them.
///
/// - scheduler: whose.
/// - name: "reference" (as diffusers' class does), "exact", "nearest" or "down". Default: "reference".
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_scheduler_set_rounding(
    scheduler: sdxl_scheduler,
    name: *const c_char,
) -> sdxl_status {
    build(scheduler, |builder| {
        let roundings = [
            ("reference", Rounding::Reference),
            ("exact", Rounding::Exact),
            ("nearest", Rounding::Nearest),
            ("down", Rounding::Down),
        ];
        Ok(builder.rounding(choice(text(name, "name")?, "rounding", roundings)?))
    })
}

/// Chooses how the noise level between two training timesteps is found.
///
/// - scheduler: whose.
/// - name: "linear" (in sigma) or "log_linear". Default: "linear".
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_scheduler_set_interpolation(
    scheduler: sdxl_scheduler,
    name: *const c_char,
) -> sdxl_status {
    build(scheduler, |builder| {
        let all = [("linear", Interpolation::Linear), ("log_linear", Interpolation::LogLinear)];
        Ok(builder.interpolation(choice(text(name, "name")?, "interpolation", all)?))
    })
}

/// Chooses how strong the noise is that a run from nothing starts with.
///
/// - scheduler: whose.
/// - name: "sigma" (as if the data were zero) or "with_data" (as if they had unit variance). Default: as in diffusers,
///   "sigma" for the k-diffusion family with trailing or linspace spacing.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_scheduler_set_initial_noise(
    scheduler: sdxl_scheduler,
    name: *const c_char,
) -> sdxl_status {
    build(scheduler, |builder| {
        let all = [("sigma", InitialNoise::Sigma), ("with_data", InitialNoise::WithData)];
        Ok(builder.initial_noise(choice(text(name, "name")?, "initial_noise", all)?))
    })
}

/// Keeps denoised samples between -range and range. Latents need no such thing.
///
/// - scheduler: whose.
/// - range: above 0. Default: unlimited.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_scheduler_set_clip(scheduler: sdxl_scheduler, range: f64) -> sdxl_status {
    build(scheduler, |builder| Ok(builder.clip(Clip::Range(range))))
}

/// Keeps denoised samples below a quantile of their size (Imagen's dynamic thresholding). Latents need no such thing.
///
/// - scheduler: whose.
/// - ratio: the quantile, 0 to 1; diffusers: 0.995.
/// - max: the most that the limit may be, above 0; diffusers: 1.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_scheduler_set_dynamic_clip(
    scheduler: sdxl_scheduler,
    ratio: f64,
    max: f64,
) -> sdxl_status {
    build(scheduler, |builder| Ok(builder.clip(Clip::Dynamic { ratio, max })))
}

/// Copies the scheduler_config.json that the scheduler stands for.
///
/// - scheduler: whose.
/// - buffer: where the text goes, with its NUL; NULL to ask for the size alone.
/// - capacity: bytes of the buffer.
/// - out_size: the bytes that it takes, NUL included; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_scheduler_copy_config(
    scheduler: sdxl_scheduler,
    buffer: *mut c_char,
    capacity: usize,
    out_size: *mut usize,
) -> sdxl_status {
    guard(|| {
        let config = serde_json::Value::Object(copy_of(scheduler)?.config().clone());
        copy_text(&config.to_string(), buffer, capacity, out_size)
    })
}

/// Frees a scheduler. Requests that it was given to live on.
///
/// - scheduler: the handle, which means nothing afterwards.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn sdxl_scheduler_free(scheduler: sdxl_scheduler) -> sdxl_status {
    free(scheduler)
}
