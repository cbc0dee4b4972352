//! [`Range`]: the part of a schedule that a run takes.

use super::level::Table;
use crate::error::{Error, Result};

/// The part of a schedule that a run takes, cut exactly as diffusers' pipelines cut it. All of it by default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    start: Start,
    end: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Start {
    Strength(f64),
    Fraction(f64),
}

impl Default for Range {
    fn default() -> Self {
        Self::full()
    }
}

impl Range {
    /// The whole schedule.
    pub fn full() -> Self {
        Self::strength(1.0)
    }

    /// The last `⌊strength·steps⌋` steps: image-to-image. From above 0 to 1, which is the whole schedule.
    pub fn strength(strength: f64) -> Self {
        Self { start: Start::Strength(strength), end: 1.0 }
    }

    /// What is left after the first `fraction` of the training timesteps: the refiner, diffusers'
    /// `denoising_start`. From 0 to below 1.
    pub fn starting_at(fraction: f64) -> Self {
        Self { start: Start::Fraction(fraction), end: 1.0 }
    }

    /// The same up to `fraction` of the training timesteps: the base model before the refiner, diffusers'
    /// `denoising_end`. From above 0 to 1, which is the end.
    #[must_use]
    pub fn ending_at(self, fraction: f64) -> Self {
        Self { end: fraction, ..self }
    }

    /// The calls of the network that are made, of all of a run's, given the timestep of each.
    ///
    /// `calls_per_step` is 2 for solvers that call it twice in each step but the last.
    pub(crate) fn cut(
        &self,
        timesteps: &[f64],
        steps: usize,
        calls_per_step: usize,
        table: &Table,
    ) -> Result<std::ops::Range<usize>> {
        self.check()?;
        let is_fraction = matches!(self.start, Start::Fraction(_)) || self.end < 1.0;
        if is_fraction && !table.tells_indices() {
            let expected =
                "a strength: fractions are of the training timesteps, and this network is told ln σ";
            return Err(Error::invalid("range", format!("{self:?}"), expected));
        }
        let total = table.len();
        let cutoff = |fraction: f64| (total as f64 - fraction * total as f64).round_ties_even();
        let first = match self.start {
            Start::Strength(strength) => {
                let kept = ((steps as f64 * strength) as usize).min(steps);
                if kept == 0 {
                    let least = format!("at least 1/{steps}, for one of {steps} steps");
                    return Err(Error::invalid("strength", strength, least));
                }
                (steps - kept) * calls_per_step
            }
            Start::Fraction(fraction) => {
                let below = timesteps.iter().filter(|t| **t < cutoff(fraction)).count();
                // Not into the middle of a step of two calls: then from that step's start.
                let odd = if calls_per_step == 2 && below % 2 == 0 { 1 } else { 0 };
                timesteps.len().saturating_sub(below + odd)
            }
        };
        let rest = timesteps.get(first..).unwrap_or_default();
        let count = match self.end < 1.0 {
            true => rest.iter().filter(|t| **t >= cutoff(self.end)).count(),
            false => rest.len(),
        };
        match count {
            0 => Err(Error::invalid(
                "range",
                format!("{self:?}"),
                format!("a part with some of {steps} steps"),
            )),
            _ => Ok(first..first + count),
        }
    }

    fn check(&self) -> Result<()> {
        let invalid = |field, value, expected: &str| Err(Error::invalid(field, value, expected));
        match *self {
            Self { end, .. } if !(end > 0.0 && end <= 1.0) => invalid("end", end, "above 0 and at most 1"),
            Self { start: Start::Strength(s), .. } if !(s > 0.0 && s <= 1.0) => {
                invalid("strength", s, "above 0 and at most 1")
            }
            Self { start: Start::Fraction(f), .. } if !(0.0..1.0).contains(&f) => {
                invalid("start", f, "from 0 to below 1")
            }
            Self { start: Start::Fraction(f), end } if f >= end => {
                invalid("start", f, "less than the end of the range")
            }
            _ => Ok(()),
        }
    }
}
