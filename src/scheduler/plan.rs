//! [`Plan`]: the steps of one run, and how its samples begin and end.

use std::sync::Arc;

use tch::Tensor;

use super::builder::{InitialNoise, Settings};
use super::curve::Curve;
use super::level::{Extent, Level, Step, Table};
use super::noise_schedule::NoiseSchedule;
use super::ops::linear_combination;
use super::range::Range;
use super::solver::{Family, SolverKind};
use super::spacing::{Grid, Rounding, Spacing, Terminal};
use crate::error::{Error, Result};

/// The steps of one run.
#[derive(Debug, Clone)]
pub struct Plan {
    steps: Vec<Step>,
    levels: Vec<Level>,
    table: Arc<Table>,
    initial_noise: InitialNoise,
    is_unit_variance: bool,
}

impl Plan {
    pub(crate) fn new(settings: &Settings, table: &Arc<Table>, steps: usize, range: Range) -> Result<Self> {
        let levels = levels(settings, table, steps)?;
        let all = whole_steps(settings, table, &levels);
        let family = settings.solver.family();
        let is_continuous = matches!(settings.noise_schedule, NoiseSchedule::Continuous { .. });
        Ok(Self {
            steps: cut(all, &settings.solver, table, steps, range)?,
            levels,
            table: Arc::clone(table),
            initial_noise: settings.initial_noise,
            is_unit_variance: family != Family::KDiffusion && !is_continuous,
        })
    }

    /// The steps, in order. There is at least one.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// All noise levels of the whole schedule, in order, the terminal one included.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// A level between those of the plan, with the timestep that the network is told for it.
    pub fn level(&self, sigma: f64) -> Level {
        self.table.at_sigma(sigma)
    }

    /// The first sample of a run from nothing; `noise` is standard normal, of the shape of the latents.
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn start(&self, noise: &Tensor) -> Result<Tensor> {
        let sigma = self.levels.first().map_or(0.0, |level| level.sigma);
        let scale = match self.initial_noise {
            InitialNoise::Sigma => sigma,
            InitialNoise::WithData => total(sigma),
        };
        Ok(noise.f_mul_scalar(scale)?)
    }

    /// The first sample of a run from a picture: `latents` with as much `noise` as the first step takes off.
    ///
    /// # Errors
    /// [`Error::Torch`] where the shapes differ.
    pub fn start_from(&self, latents: &Tensor, noise: &Tensor) -> Result<Tensor> {
        linear_combination(&[(1.0, latents), (self.first_sigma(), noise)])
    }

    /// The first sample of a run that goes on from the latents of another, which ended where this begins.
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn resume(&self, latents: &Tensor) -> Result<Tensor> {
        Ok(latents.f_mul_scalar(1.0 / self.latent_scale(self.first_sigma()))?)
    }

    /// The latents, as diffusers' class would hold them, that the sample `x` at a noise level is. The
    /// k-diffusion family holds `x` itself, the others a sample of unit variance.
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn latents(&self, x: &Tensor, sigma: f64) -> Result<Tensor> {
        Ok(x.f_mul_scalar(self.latent_scale(sigma))?)
    }

    /// The factor that takes a sample at the end of step `index` of [`steps`](Self::steps) to where the
    /// next one begins. It is not 1 where diffusers' steps do not meet: it keeps the unit-variance sample.
    pub(crate) fn bridge(&self, index: usize) -> f64 {
        match (self.steps.get(index), self.steps.get(index + 1)) {
            (Some(step), Some(next)) => self.latent_scale(step.to.sigma) / self.latent_scale(next.from.sigma),
            _ => 1.0,
        }
    }

    /// The level that `x` is at after step `index`.
    pub(crate) fn level_after(&self, index: usize) -> Option<Level> {
        let next = self.steps.get(index + 1).map(|step| step.from);
        next.or_else(|| self.steps.get(index).map(|step| step.to))
    }

    /// The number of steps of the whole schedule.
    pub(crate) fn total_steps(&self) -> usize {
        self.levels.len().saturating_sub(1)
    }

    fn first_sigma(&self) -> f64 {
        self.steps.first().map_or(0.0, |step| step.from.sigma)
    }

    fn latent_scale(&self, sigma: f64) -> f64 {
        if self.is_unit_variance { 1.0 / total(sigma) } else { 1.0 }
    }
}

/// √(σ² + 1), the standard deviation of unit-variance data with that noise.
fn total(sigma: f64) -> f64 {
    (sigma * sigma + 1.0).sqrt()
}

/// The levels of the whole schedule, the terminal one included.
fn levels(settings: &Settings, table: &Table, steps: usize) -> Result<Vec<Level>> {
    let family = settings.solver.family();
    let sigmas: Vec<f64>;
    let mut timesteps: Vec<f64>;
    if let NoiseSchedule::Continuous { sigma_min, sigma_max } = settings.noise_schedule {
        if steps == 0 {
            return Err(Error::invalid("steps", steps, "1 or more"));
        }
        timesteps = vec![0.0; steps];
        sigmas = settings.curve.sigmas(
            settings.sigma_min.unwrap_or(sigma_min),
            settings.sigma_max.unwrap_or(sigma_max),
            steps,
        );
    } else {
        let limit = settings.solver.used_timesteps(table);
        timesteps = settings.spacing.timesteps(steps, grid(family), table, limit)?;
        timesteps.iter_mut().for_each(|t| *t = f64::from(*t as f32));
        if settings.curve == Curve::Spacing {
            sigmas = timesteps.iter().map(|&t| table.sigma(t)).collect();
        } else {
            let spaced =
                (table.sigma(last(&timesteps)), table.sigma(timesteps.first().copied().unwrap_or(0.0)));
            let ends = if family == Family::KDiffusion { spaced } else { table.ends() };
            let (min, max) = (settings.sigma_min.unwrap_or(ends.0), settings.sigma_max.unwrap_or(ends.1));
            sigmas = settings.curve.sigmas(min, max, steps);
            let rounding = rounding(settings);
            timesteps = sigmas.iter().map(|&sigma| rounding.apply(table.timestep(sigma))).collect();
        }
    }
    let sigmas = match &settings.spacing {
        Spacing::Sigmas(list) => list.clone(),
        _ => {
            let end = match settings.terminal {
                Terminal::Zero => 0.0,
                Terminal::SigmaMin if table.len() == 0 => last(&sigmas),
                Terminal::SigmaMin => table.ends().0,
            };
            sigmas.into_iter().chain([end]).collect()
        }
    };
    let told = timesteps.into_iter().chain([0.0]);
    let rounded = sigmas.into_iter().map(|sigma| f64::from(sigma as f32));
    Ok(rounded.zip(told).map(|(sigma, t)| Level { sigma, timestep: table.told(sigma, || t) }).collect())
}

fn last(list: &[f64]) -> f64 {
    list.last().copied().unwrap_or(0.0)
}

fn grid(family: Family) -> Grid {
    match family {
        Family::KDiffusion => Grid::Fractional,
        Family::DpmSolver => Grid::WholeWithoutLast,
        Family::Ddim => Grid::Whole,
    }
}

/// How the timesteps of a curve are rounded.
fn rounding(settings: &Settings) -> Rounding {
    match (settings.rounding, settings.solver.family(), settings.curve) {
        (Rounding::Reference, Family::KDiffusion, _) => Rounding::Exact,
        (Rounding::Reference, _, Curve::Exponential | Curve::Beta { .. }) => Rounding::Down,
        (Rounding::Reference, ..) => Rounding::Nearest,
        (chosen, ..) => chosen,
    }
}

impl Rounding {
    fn apply(self, timestep: f64) -> f64 {
        match self {
            Self::Reference | Self::Exact => timestep,
            Self::Nearest => timestep.round_ties_even(),
            Self::Down => timestep.floor(),
        }
    }
}

/// All steps of the schedule.
fn whole_steps(settings: &Settings, table: &Table, levels: &[Level]) -> Vec<Step> {
    let counts_down =
        matches!(settings.spacing, Spacing::Leading { .. } | Spacing::Trailing | Spacing::Linspace);
    let strides = settings.solver.family() == Family::Ddim && counts_down && settings.curve == Curve::Spacing;
    let stride = (table.len() / (levels.len() - 1).max(1)) as f64;
    let pairs = levels.iter().zip(levels.iter().skip(1)).enumerate();
    let steps = pairs.map(|(index, (&from, &next))| {
        // DDIM goes T/N timesteps down wherever the next step begins.
        let to = match (strides, from.timestep - stride) {
            (false, _) => next,
            (true, below) if below >= 0.0 => table.at_timestep(below),
            (true, _) => levels.last().copied().unwrap_or(next),
        };
        Step { from, to, index, extent: Extent::Whole }
    });
    steps.collect()
}

/// The steps within a range, which is counted in calls of the network.
fn cut(all: Vec<Step>, _solver: &SolverKind, table: &Table, steps: usize, range: Range) -> Result<Vec<Step>> {
    if range == Range::full() {
        return Ok(all);
    }
    let timesteps: Vec<f64> = all.iter().map(|step| step.from.timestep).collect();
    let kept = range.cut(&timesteps, steps, 1, table.len())?;
    Ok(all.into_iter().skip(kept.start).take(kept.len()).collect())
}
