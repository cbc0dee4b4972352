//! What an `sdxl_scheduler` does with a number of steps.

use super::arguments::{copy_of, copy_out};
use super::error::{Outcome, guard, sdxl_status};
use super::scheduler::sdxl_scheduler;
use crate::scheduler::{Level, Range};

/// A number of each noise level of a run.
fn levels(scheduler: sdxl_scheduler, steps: u32, number: impl Fn(&Level) -> f64) -> Outcome<Vec<f64>> {
    let plan = copy_of(scheduler)?.plan(steps as usize, Range::full())?;
    Ok(plan.levels().iter().map(number).collect())
}

/// Copies the noise levels that a whole run visits: standard deviations, downwards, the one that it ends at included.
///
/// - scheduler: whose.
/// - steps: 1 to 1000.
/// - buffer: where the numbers go; NULL to ask for their number alone.
/// - capacity: how many numbers the buffer has room for.
/// - out_count: how many numbers there are; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_scheduler_copy_sigmas(
    scheduler: sdxl_scheduler,
    steps: u32,
    buffer: *mut f64,
    capacity: usize,
    out_count: *mut usize,
) -> sdxl_status {
    guard(|| copy_out(&levels(scheduler, steps, |level| level.sigma)?, buffer, capacity, out_count))
}

/// Copies the timesteps that the UNet is told for the noise levels of sdxl_scheduler_copy_sigmas.
///
/// - scheduler: whose.
/// - steps: 1 to 1000.
/// - buffer: where the numbers go; NULL to ask for their number alone.
/// - capacity: how many numbers the buffer has room for.
/// - out_count: how many numbers there are; may be NULL where there is a buffer.
///
/// Any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdxl_scheduler_copy_timesteps(
    scheduler: sdxl_scheduler,
    steps: u32,
    buffer: *mut f64,
    capacity: usize,
    out_count: *mut usize,
) -> sdxl_status {
    guard(|| copy_out(&levels(scheduler, steps, |level| level.timestep)?, buffer, capacity, out_count))
}
