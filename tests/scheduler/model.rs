//! Networks that are formulas, and the loop around them.

use sdxl::scheduler::{Level, Plan, Prediction, Run, Scheduler};
use sdxl::{NoiseSource, Result};
use tch::Tensor;

/// The fake model of `scheduler_generate.py`.
pub(crate) fn fake(x: &Tensor, timestep: f64) -> Tensor {
    x * 0.8 + (x * 2.0 + timestep / 500.0).tanh() * 0.3
}

/// What happened in a run.
pub(crate) struct Record {
    /// The timestep that each call of the model was told.
    pub(crate) told: Vec<f64>,
    /// The latents after each step.
    pub(crate) latents: Vec<Tensor>,
}

/// Takes all steps of a plan from `x` with a model of `(input, timestep)`.
pub(crate) fn run(
    scheduler: &Scheduler,
    plan: Plan,
    x: Tensor,
    noise: &mut NoiseSource,
    model: impl Fn(&Tensor, f64) -> Tensor,
) -> Result<Record> {
    let mut record = Record { told: Vec::new(), latents: Vec::new() };
    let prediction = scheduler.prediction();
    let mut run: Run = scheduler.run(plan);
    let mut x = x;
    while run.next_step().is_some() {
        let mut denoise = |x: &Tensor, level: Level| {
            record.told.push(level.timestep);
            network(prediction, x, level, &model)
        };
        x = run.step(&x, &mut denoise, noise)?;
        record.latents.push(run.latents(&x)?);
    }
    Ok(record)
}

/// The denoised sample of a model of `(input, timestep)`, as a pipeline computes it.
pub(crate) fn network(
    prediction: Prediction,
    x: &Tensor,
    level: Level,
    model: &impl Fn(&Tensor, f64) -> Tensor,
) -> Result<Tensor> {
    let input = prediction.input(x, level.sigma)?;
    prediction.denoised(&model(&input, level.timestep), x, level.sigma)
}

/// ‖a − b‖/‖b‖.
pub(crate) fn distance(a: &Tensor, b: &Tensor) -> f64 {
    let (a, b) = (a.to_kind(tch::Kind::Double), b.to_kind(tch::Kind::Double));
    ((&a - &b).norm() / b.norm().clamp_min(1e-30)).double_value(&[])
}
