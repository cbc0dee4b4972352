//! The noise levels of every spacing, and the error of every deterministic solver against its number of steps,
//! as two CSV tables: what a plot of them needs.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use sdxl::scheduler::{Level, Range, Scheduler, SchedulerName, SpacingName};
use sdxl::{NoiseSource, Result};
use tch::{Kind, Tensor};

const DETERMINISTIC: [SchedulerName; 10] = [
    SchedulerName::Euler,
    SchedulerName::Heun,
    SchedulerName::Dpm2,
    SchedulerName::Dpmpp2m,
    SchedulerName::Lms,
    SchedulerName::Ddim,
    SchedulerName::Pndm,
    SchedulerName::UniPc,
    SchedulerName::Deis,
    SchedulerName::EdmDpmpp2m,
];

/// Normal data of unit variance, whose exact solution is known.
fn exact_denoiser(x: &Tensor, level: Level) -> Result<Tensor> {
    Ok(x / (1.0 + level.sigma.powi(2)))
}

fn error(scheduler: &Scheduler, steps: usize) -> Result<f64> {
    let plan = scheduler.plan(steps, Range::full())?;
    let mut noise = NoiseSource::new(&[1])?;
    let start = plan.start(&noise.normal(&[64])?.f_to_kind(Kind::Double)?)?;
    let first = plan.levels().first().map_or(0.0, |level| level.sigma);
    let exact = &start / (1.0 + first.powi(2)).sqrt();
    let (mut run, mut x) = (scheduler.run(plan), start);
    while run.next_step().is_some() {
        x = run.step(&x, &mut exact_denoiser, &mut noise)?;
    }
    let x = run.latents(&x)?;
    Ok(((x - &exact).norm() / exact.norm()).f_double_value(&[])?)
}

fn main() -> Result<()> {
    println!("spacing,step,sigma,timestep");
    for name in SpacingName::ALL {
        let scheduler = Scheduler::euler()?.with_spacing(*name)?;
        for (step, level) in scheduler.plan(20, Range::full())?.levels().iter().enumerate() {
            println!("{name},{step},{},{}", level.sigma, level.timestep);
        }
    }
    println!("\nsolver,steps,error");
    for name in DETERMINISTIC {
        for steps in [5, 10, 20, 40] {
            println!("{name},{steps},{:.3e}", error(&Scheduler::named(name)?, steps)?);
        }
    }
    Ok(())
}
