//! Draws the noise levels of every spacing, and the error of every deterministic solver against its number of
//! steps, into `docs/sigma_curves.svg` and `docs/solver_errors.svg`; a folder may be given.

#[path = "sigma_curves/plot.rs"]
mod plot;

use std::path::PathBuf;

use plot::{Line, Plot};

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
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "docs".into()));
    let steps = 20;
    let mut lines = Vec::new();
    for name in SpacingName::ALL {
        let plan = Scheduler::euler()?.with_spacing(*name)?.plan(steps, Range::full())?;
        let levels = plan.levels().iter().enumerate().filter(|(_, level)| level.sigma > 0.);
        let points = levels.map(|(step, level)| (step as f64, level.sigma)).collect();
        lines.push(Line { name: name.to_string(), points });
    }
    let curves = Plot {
        title: "Noise levels of 20 steps (SDXL's schedule, Euler's method); the last, 0, is left out",
        x_label: "step",
        y_label: "sigma",
        x_ticks: (0..steps).step_by(2).map(|step| (step as f64, step.to_string())).collect(),
        lines,
    };
    save(&folder.join("sigma_curves.svg"), &curves)?;

    let counts = [5usize, 10, 20, 40, 80];
    let mut lines = Vec::new();
    for name in DETERMINISTIC {
        let scheduler = Scheduler::named(name)?;
        let mut points = Vec::new();
        for steps in counts {
            points.push(((steps as f64).log2(), error(&scheduler, steps)?));
        }
        lines.push(Line { name: name.to_string(), points });
    }
    let errors = Plot {
        title: "Error of a sample of normal data, whose exact solution is known (each class's own settings)",
        x_label: "steps",
        y_label: "relative error",
        x_ticks: counts.iter().map(|steps| ((*steps as f64).log2(), steps.to_string())).collect(),
        lines,
    };
    save(&folder.join("solver_errors.svg"), &errors)
}

fn save(path: &std::path::Path, plot: &Plot) -> Result<()> {
    std::fs::write(path, plot.to_svg()).map_err(|source| sdxl::Error::Io { path: path.to_owned(), source })
}
