//! From settings to the levels and the steps of a [`Plan`](super::Plan).

use super::builder::Settings;
use super::curve::Curve;
use super::level::{Extent, Level, Step, Table};
use super::noise_schedule::{Betas, NoiseSchedule};
use super::range::Range;
use super::solver::{Family, SolverKind, WarmUp};
use super::spacing::{Grid, Rounding, Spacing, Terminal};
use crate::error::{Error, Result};

/// The levels of the whole schedule, the terminal one included.
pub(crate) fn levels(settings: &Settings, table: &Table, count: usize) -> Result<Vec<Level>> {
    let (timesteps, mut sigmas) = match settings.noise_schedule {
        NoiseSchedule::Continuous { sigma_min, sigma_max } => {
            continuous(settings, sigma_min, sigma_max, count)?
        }
        NoiseSchedule::Discrete { .. } => discrete(settings, table, count)?,
    };
    sigmas.push(match &settings.spacing {
        Spacing::Sigmas(list) => list.last().copied().unwrap_or(0.0),
        _ => terminal(settings, table, &sigmas),
    });
    // The last timestep is never told to the network, but TCD counts down to it.
    let timesteps = timesteps.into_iter().chain([0.0]);
    let sigmas: Vec<f64> = sigmas.into_iter().map(|sigma| f64::from(sigma as f32)).collect();
    if !sigmas.is_sorted_by(|a, b| a >= b) {
        let expected = "ends that let the levels fall all the way";
        return Err(Error::invalid("noise levels", format!("{sigmas:?}"), expected));
    }
    let levels = sigmas.into_iter().zip(timesteps);
    Ok(levels.map(|(sigma, t)| Level { sigma, timestep: table.told(sigma, || t) }).collect())
}

fn continuous(settings: &Settings, min: f64, max: f64, count: usize) -> Result<(Vec<f64>, Vec<f64>)> {
    if let Some(sigmas) = settings.spacing.listed(count)? {
        return Ok((vec![0.0; count], sigmas));
    }
    if !(1..=1_000_000).contains(&count) {
        return Err(Error::invalid("steps", count, "from 1 to 1000000"));
    }
    let (min, max) = (settings.sigma_min.unwrap_or(min), settings.sigma_max.unwrap_or(max));
    Ok((vec![0.0; count], settings.curve.sigmas(min, max, count)))
}

fn discrete(settings: &Settings, table: &Table, count: usize) -> Result<(Vec<f64>, Vec<f64>)> {
    let family = settings.solver.family();
    let grid = match family {
        Family::KDiffusion => Grid::Fractional,
        Family::DpmSolver => Grid::WholeWithoutLast,
        Family::Ddpm => Grid::Whole,
    };
    let limit = settings.solver.used_timesteps(table);
    let rounding = rounding(settings);
    let told = |sigmas: &[f64]| sigmas.iter().map(|&sigma| rounding.apply(table.timestep(sigma))).collect();
    if let Some(sigmas) = settings.spacing.sigmas(count, table)? {
        return Ok((told(&sigmas), sigmas));
    }
    let mut timesteps = settings.spacing.timesteps(count, grid, table, limit)?;
    if !matches!(settings.solver, SolverKind::DpmppSde { .. }) {
        // That class alone keeps f64, which its Brownian path can tell from f32.
        timesteps.iter_mut().for_each(|t| *t = f64::from(*t as f32));
    }
    let sigmas: Vec<f64> = timesteps.iter().map(|&t| table.sigma(t)).collect();
    if settings.curve == Curve::Spacing {
        return Ok((timesteps, sigmas));
    }
    let ends = match (family, sigmas.first(), sigmas.last()) {
        (Family::KDiffusion, Some(&first), Some(&last)) => (last, first),
        _ => table.ends(),
    };
    let (min, max) = (settings.sigma_min.unwrap_or(ends.0), settings.sigma_max.unwrap_or(ends.1));
    let sigmas = settings.curve.sigmas(min, max, count);
    Ok((told(&sigmas), sigmas))
}

fn terminal(settings: &Settings, table: &Table, sigmas: &[f64]) -> f64 {
    let lowest = sigmas.last().copied().unwrap_or(0.0);
    // These repeat the last level of a curve.
    let repeats =
        matches!(settings.solver, SolverKind::UniPc(_) | SolverKind::Deis { .. } | SolverKind::SaSolver(_));
    match settings.terminal {
        Terminal::Zero => 0.0,
        Terminal::SigmaMin if table.len() == 0 || (repeats && settings.curve != Curve::Spacing) => lowest,
        Terminal::SigmaMin => table.ends().0,
    }
}

/// How the timesteps of given noise levels are rounded.
fn rounding(settings: &Settings) -> Rounding {
    let is_cosine = matches!(settings.noise_schedule, NoiseSchedule::Discrete { betas: Betas::Cosine, .. });
    match (settings.rounding, &settings.solver, settings.curve) {
        (Rounding::Reference, SolverKind::Dpm2 | SolverKind::Dpm2Ancestral, Curve::Karras { .. }) => {
            Rounding::Nearest
        }
        (Rounding::Reference, solver, _) if solver.family() == Family::KDiffusion => Rounding::Exact,
        (Rounding::Reference, _, Curve::Exponential | Curve::Beta { .. }) => Rounding::Down,
        (Rounding::Reference, SolverKind::DpmMultistep(_), _) if is_cosine => Rounding::Down,
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

/// T/N, whole.
pub(crate) fn stride(table: &Table, levels: &[Level]) -> f64 {
    (table.len() / levels.len().saturating_sub(1).max(1)) as f64
}

/// The steps within a range.
pub(crate) fn steps(settings: &Settings, table: &Table, levels: &[Level], range: Range) -> Result<Vec<Step>> {
    if let SolverKind::Pndm { warm_up } = settings.solver {
        return pndm_calls(warm_up, table, levels, range);
    }
    let whole = whole_steps(settings, table, levels);
    // diffusers cuts the list of model calls: the step and the timestep of each, and whether it is the
    // second call of its step.
    let mut calls = Vec::new();
    for step in &whole {
        calls.push((step, step.from.timestep, false));
        if let Some(second) = settings.solver.second_call(step, table) {
            calls.push((step, second.timestep, true));
        }
    }
    let timesteps: Vec<f64> = calls.iter().map(|(_, timestep, _)| *timestep).collect();
    let per_step = if settings.solver.calls_twice() { 2 } else { 1 };
    let kept = range.cut(&timesteps, whole.len(), per_step, table)?;
    let is_broken_off = calls.get(kept.end).is_some_and(|(_, _, is_second)| *is_second);
    let kept = calls.into_iter().skip(kept.start).take(kept.len());
    let mut steps: Vec<Step> = kept.filter(|(_, _, is_second)| !is_second).map(|(step, ..)| *step).collect();
    if let (true, Some(last)) = (is_broken_off, steps.last_mut()) {
        last.extent = Extent::FirstCall;
    }
    Ok(steps)
}

/// All steps of the schedule.
fn whole_steps(settings: &Settings, table: &Table, levels: &[Level]) -> Vec<Step> {
    let is_even = matches!(settings.spacing, Spacing::Leading { .. } | Spacing::Trailing | Spacing::Linspace);
    let is_ddim = matches!(settings.solver, SolverKind::Ddim { .. });
    let strides = is_ddim && is_even && settings.curve == Curve::Spacing;
    let stride = stride(table, levels);
    let pairs = levels.iter().zip(levels.iter().skip(1)).enumerate();
    let steps = pairs.map(|(index, (&from, &next))| {
        // DDIM goes T/N timesteps down wherever the next step begins.
        let to = if strides { below(from.timestep - stride, table, levels) } else { next };
        Step { from, to, index, extent: Extent::Whole }
    });
    steps.collect()
}

/// The level of a timestep, which is the terminal one below 0.
fn below(timestep: f64, table: &Table, levels: &[Level]) -> Level {
    match levels.last() {
        Some(last) if timestep < 0.0 => *last,
        _ => table.at_timestep(timestep),
    }
}

/// PNDM's model calls, each as a step of its own.
fn pndm_calls(warm_up: WarmUp, table: &Table, levels: &[Level], range: Range) -> Result<Vec<Step>> {
    let stride = stride(table, levels);
    let count = levels.len().saturating_sub(1);
    let visited: Vec<f64> = levels.iter().take(count).map(|level| level.timestep).collect();
    let half = (stride / 2.0).floor();
    let timesteps: Vec<f64> = match (warm_up, visited.as_slice()) {
        // The second timestep comes twice.
        (WarmUp::Heun, [first, second, rest @ ..]) => {
            [*first, *second, *second].into_iter().chain(rest.iter().copied()).collect()
        }
        (WarmUp::Heun, only) => only.to_vec(),
        // Three times: a start, its middle twice, the next start.
        (WarmUp::RungeKutta, [a, b, c, d, rest @ ..]) => {
            let three = [(a, b), (b, c), (c, d)].into_iter();
            let calls = three.flat_map(|(from, to)| [*from, to + half, to + half, *to]);
            calls.chain([*d]).chain(rest.iter().copied()).collect()
        }
        (WarmUp::RungeKutta, _) => {
            return Err(Error::invalid(
                "steps",
                count,
                "4 or more, since pndm begins with three Runge-Kutta steps",
            ));
        }
    };
    let kept = range.cut(&timesteps, count, 1, table)?;
    if warm_up == WarmUp::RungeKutta && kept.start > 0 {
        let expected = "one from the start, or WarmUp::Heun: the Runge-Kutta steps belong to the start";
        return Err(Error::invalid("range", format!("{range:?}"), expected));
    }
    let runge_kutta = warm_up.runge_kutta_calls();
    let steps = timesteps.iter().enumerate().skip(kept.start).take(kept.len()).map(|(index, &timestep)| {
        let call = index - kept.start;
        let down = match call {
            // Odd calls are at the end of the half step that they belong to, even ones begin another.
            _ if call < runge_kutta => {
                if call.is_multiple_of(2) {
                    half
                } else {
                    0.0
                }
            }
            // The second call without Runge-Kutta steps is at the end of the first step.
            1 if runge_kutta == 0 => 0.0,
            _ => stride,
        };
        let from = table.at_timestep(timestep);
        Step { from, to: below(timestep - down, table, levels), index, extent: Extent::Whole }
    });
    Ok(steps.collect())
}
