//! A solver written outside of the crate: Ralston's method, beside Euler's and Heun's.
//!
//! Instead of a network, the exact denoiser of normal data, so that the right answer is known.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use sdxl::scheduler::{CustomSolver, Denoise, Level, Plan, Range, Scheduler, Solver, SolverKind, Step};
use sdxl::{NoiseSource, Result};
use tch::Tensor;

/// Ralston's method: the second slope at two thirds of the step, with three times the weight of the first.
struct Ralston {
    plan: Plan,
}

impl Solver for Ralston {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        _: &mut NoiseSource,
    ) -> Result<Tensor> {
        let (sigma, to) = (step.from.sigma, step.to.sigma);
        let slope = (x - denoise.denoise(x, step.from)?) / sigma;
        let there = self.plan.level(sigma + (to - sigma) * 2.0 / 3.0);
        let x_there = x + &slope * (there.sigma - sigma);
        let slope_there = (&x_there - denoise.denoise(&x_there, there)?) / there.sigma;
        Ok(x + (slope * 0.25 + slope_there * 0.75) * (to - sigma))
    }
}

/// Normal data of unit variance.
fn exact_denoiser(x: &Tensor, level: Level) -> Result<Tensor> {
    Ok(x / (1.0 + level.sigma.powi(2)))
}

fn main() -> Result<()> {
    let ralston = CustomSolver::new("ralston", |plan| Box::new(Ralston { plan: plan.clone() }));
    for solver in [SolverKind::Euler, SolverKind::Heun, SolverKind::Custom(ralston)] {
        let scheduler = Scheduler::builder().solver(solver.clone()).build()?;
        let mut noise = NoiseSource::new(&[42])?;
        let plan = scheduler.plan(20, Range::full())?;
        let start = plan.start(&noise.normal(&[4, 16, 16])?)?;
        let (mut run, mut x) = (scheduler.run(plan), start.copy());
        while run.next_step().is_some() {
            x = run.step(&x, &mut exact_denoiser, &mut noise)?;
        }
        // What the sample is multiplied by in all, if nothing is lost.
        let first = run.plan().levels().first().map_or(0.0, |level| level.sigma);
        let exact = start / (1.0 + first.powi(2)).sqrt();
        let error = ((x - &exact).norm() / exact.norm()).f_double_value(&[])?;
        println!("{solver:?}: off by {error:.1e}");
    }
    Ok(())
}
