//! [`Spacing`], [`Rounding`] and [`Terminal`]: which training timesteps a run visits, and where it ends.

use serde::{Deserialize, Serialize};

use super::level::Table;
use crate::error::{Error, Result};

/// Which timesteps are visited. The default is Stable Diffusion XL's, [`Spacing::Leading`] with offset 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Spacing {
    /// `leading`: multiples of T/N from below, moved up by `offset`. Starts well below pure noise
    /// (50 steps: at 981).
    Leading {
        /// diffusers' `steps_offset`. Stable Diffusion XL: 1.
        offset: usize,
    },
    /// `trailing`: from T − 1 down in equal steps (50 steps: 999, 979, … 19). Few-step models and
    /// zero terminal SNR need it. It is what other programs call `sgm_uniform`.
    Trailing,
    /// `linspace`: evenly from T − 1 to 0, both included.
    Linspace,
    /// What LCM and TCD were distilled on: every (T/`original_steps`)-th timestep, and of those as many
    /// as there are steps, from the top.
    Distilled {
        /// diffusers' `original_inference_steps`, by default 50. The most steps that a run can have.
        original_steps: usize,
    },
    /// Align Your Steps (Sabour et al. 2024), the published table for Stable Diffusion XL; for other
    /// step counts than 10, interpolated in ln σ as its authors do.
    AlignYourSteps,
    /// These timesteps, downwards.
    Timesteps(Vec<f64>),
    /// These noise levels, downwards: one more than there are steps, the last one being where the run
    /// ends ([`Terminal`] is not used). It may be 0.
    Sigmas(Vec<f64>),
}

impl Default for Spacing {
    fn default() -> Self {
        Self::Leading { offset: 1 }
    }
}

/// What becomes of fractional timesteps before the network is told them. Noise levels are never rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Rounding {
    /// As the diffusers class of the solver does: fractional for the k-diffusion family (except DPM2 with
    /// Karras levels), the nearest for the others, cut off for their exponential and beta levels.
    #[default]
    Reference,
    /// Not rounded.
    Exact,
    /// To the nearest one.
    Nearest,
    /// Cut off.
    Down,
}

/// How the level between two training timesteps is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Interpolation {
    /// Linearly in σ. The default.
    #[default]
    Linear,
    /// Linearly in ln σ.
    LogLinear,
}

/// The noise level that a run ends at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Terminal {
    /// None: the last step returns the denoised sample.
    #[default]
    Zero,
    /// The lowest level of the training, which leaves a little noise (σ = 0.029 in Stable Diffusion XL).
    SigmaMin,
}

/// Align Your Steps, `StableDiffusionXLTimesteps`.
const ALIGN_YOUR_STEPS: [f64; 10] = [999., 845., 730., 587., 443., 310., 193., 116., 53., 13.];

/// How a family of diffusers classes counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grid {
    /// As many points as steps, fractional if need be.
    Fractional,
    /// As many points as steps, whole numbers.
    Whole,
    /// Leading and linspace make one point more and leave the lowest out; whole numbers.
    WholeWithoutLast,
}

impl Spacing {
    /// The timesteps of a run of `steps`, downwards, of the first `limit` training timesteps.
    pub(crate) fn timesteps(
        &self,
        steps: usize,
        grid: Grid,
        table: &Table,
        limit: usize,
    ) -> Result<Vec<f64>> {
        let has_spare =
            matches!(self, Self::Leading { .. } | Self::Linspace) && grid == Grid::WholeWithoutLast;
        let spare = usize::from(has_spare);
        let most = match self {
            Self::Distilled { original_steps } => *original_steps,
            Self::Timesteps(_) | Self::Sigmas(_) => usize::MAX,
            _ => limit.saturating_sub(spare),
        };
        if !(1..=most).contains(&steps) {
            return Err(Error::invalid("steps", steps, format!("from 1 to {most}")));
        }
        let points = steps.saturating_add(spare);
        let total = table.len();
        let mut timesteps: Vec<f64> = match self {
            Self::Leading { offset } => {
                let ratio = limit / points;
                (0..points).rev().map(|i| (i * ratio) as f64 + *offset as f64).collect()
            }
            Self::Trailing => {
                let ratio = total as f64 / steps as f64;
                let descending = (0..steps).map(|i| limit as f64 - i as f64 * ratio);
                descending.map(|t| t.round_ties_even() - 1.0).filter(|t| *t >= 0.0).collect()
            }
            Self::Linspace => {
                linspace(0.0, limit.saturating_sub(1) as f64, points).into_iter().rev().collect()
            }
            Self::Distilled { original_steps } => {
                let stride = total / original_steps;
                // As numpy rounds: 22 of 30 steps are not what whole numbers would give.
                let skip = *original_steps as f64 / steps as f64;
                let pick = |i: usize| original_steps.saturating_sub((i as f64 * skip) as usize);
                (0..steps).map(|i| (pick(i) * stride) as f64 - 1.0).collect()
            }
            Self::AlignYourSteps => ALIGN_YOUR_STEPS.to_vec(),
            Self::Timesteps(list) => {
                check_count("timesteps", list.len(), steps)?;
                list.clone()
            }
            Self::Sigmas(list) => list.iter().map(|&sigma| table.timestep(sigma)).collect(),
        };
        if has_spare {
            timesteps.pop();
        }
        if grid != Grid::Fractional {
            timesteps.iter_mut().for_each(|t| *t = t.round_ties_even());
        }
        match timesteps.first() {
            Some(&first) if first <= total.saturating_sub(1) as f64 => Ok(timesteps),
            _ => {
                let expected = format!("a number that keeps the first timestep below {total} ({self:?})");
                Err(Error::invalid("steps", steps, expected))
            }
        }
    }

    /// The noise levels of a run of `steps`, the terminal one left out, if it is they that are given and not
    /// their timesteps.
    pub(crate) fn sigmas(&self, steps: usize, table: &Table) -> Result<Option<Vec<f64>>> {
        match self {
            Self::AlignYourSteps if (1..=table.len()).contains(&steps) && steps != ALIGN_YOUR_STEPS.len() => {
                Ok(Some(align_your_steps(steps, table)))
            }
            _ => self.listed(steps),
        }
    }

    /// Those of [`Spacing::Sigmas`].
    pub(crate) fn listed(&self, steps: usize) -> Result<Option<Vec<f64>>> {
        let Self::Sigmas(list) = self else { return Ok(None) };
        check_count("sigmas after the first", list.len().saturating_sub(1), steps)?;
        Ok(Some(list.iter().take(steps).copied().collect()))
    }

    pub(crate) fn check(&self, total: usize) -> Result<()> {
        let descending = |list: &[f64]| list.is_sorted_by(|a, b| a > b) && list.iter().all(|x| x.is_finite());
        match self {
            Self::Distilled { original_steps } if !(1..=total).contains(original_steps) => {
                Err(Error::invalid(
                    "original_steps",
                    original_steps,
                    format!("from 1 to the {total} training timesteps"),
                ))
            }
            Self::Timesteps(list)
                if !descending(list)
                    || list.last().is_none_or(|last| *last < 0.0)
                    || list.first().is_none_or(|first| *first >= total as f64) =>
            {
                Err(Error::invalid(
                    "timesteps",
                    format!("{list:?}"),
                    format!("numbers below {total}, each less than the one before it, none negative"),
                ))
            }
            Self::Sigmas(list)
                if list.len() < 2 || !descending(list) || list.last().is_none_or(|last| *last < 0.0) =>
            {
                Err(Error::invalid(
                    "sigmas",
                    format!("{list:?}"),
                    "two numbers or more, each less than the one before it, none negative",
                ))
            }
            _ => Ok(()),
        }
    }
}

fn check_count(field: &'static str, found: usize, steps: usize) -> Result<()> {
    match found == steps {
        true => Ok(()),
        false => Err(Error::invalid("steps", steps, format!("{found}, the number of {field} in the list"))),
    }
}

/// `numpy.linspace`: its rounding decides ties. `linspace(0, 999, 31)[15]` is 499.49999999999994.
pub(crate) fn linspace(start: f64, end: f64, count: usize) -> Vec<f64> {
    let step = (end - start) / count.saturating_sub(1).max(1) as f64;
    let inner = (0..count).map(|i| if i > 0 && i + 1 == count { end } else { i as f64 * step + start });
    inner.collect()
}

/// The levels of the published timesteps, and the lowest one of the table as an eleventh where the run ends,
/// interpolated in ln σ.
fn align_your_steps(steps: usize, table: &Table) -> Vec<f64> {
    let known: Vec<f64> = ALIGN_YOUR_STEPS.iter().chain(&[0.0]).map(|&t| table.sigma(t).ln()).collect();
    let intervals = (known.len() - 1) as f64;
    let at = |position: f64| {
        let low = position.floor();
        let pair = (known.get(low as usize), known.get(low as usize + 1));
        match pair {
            (Some(a), Some(b)) => a + (b - a) * (position - low),
            (Some(a), None) => *a,
            _ => 0.0,
        }
    };
    linspace(0.0, intervals, steps + 1).into_iter().take(steps).map(|position| at(position).exp()).collect()
}
