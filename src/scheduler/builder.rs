//! [`SchedulerBuilder`]: all options, and the place where their combination is checked.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Scheduler;
use super::clip::Clip;
use super::config::Config;
use super::curve::Curve;
use super::level::{Table, Timescale};
use super::noise_schedule::{Betas, NoiseSchedule, TerminalSnr, ZeroSnr};
use super::prediction::Prediction;
use super::solver::{Family, SolverKind};
use super::spacing::{Interpolation, Rounding, Spacing, Terminal};
use crate::error::{Error, Result};

/// How strong the noise is that a run from nothing starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InitialNoise {
    /// `σ·noise`: as if the data were zero.
    Sigma,
    /// `√(σ² + 1)·noise`: as if the data had unit variance.
    WithData,
}

/// The settings of a scheduler, with every choice made.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) noise_schedule: NoiseSchedule,
    pub(crate) spacing: Spacing,
    pub(crate) curve: Curve,
    pub(crate) sigma_min: Option<f64>,
    pub(crate) sigma_max: Option<f64>,
    pub(crate) rounding: Rounding,
    pub(crate) terminal: Terminal,
    pub(crate) initial_noise: InitialNoise,
    pub(crate) prediction: Prediction,
    pub(crate) clip: Clip,
    pub(crate) solver: SolverKind,
}

/// Builds a [`Scheduler`]. Every method names its default; [`build`](Self::build) checks the whole.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[must_use]
pub struct SchedulerBuilder {
    noise_schedule: NoiseSchedule,
    timescale: Option<Timescale>,
    interpolation: Interpolation,
    spacing: Option<Spacing>,
    curve: Curve,
    sigma_min: Option<f64>,
    sigma_max: Option<f64>,
    rounding: Rounding,
    terminal: Option<Terminal>,
    initial_noise: Option<InitialNoise>,
    prediction: Prediction,
    clip: Clip,
    solver: SolverKind,
}

impl SchedulerBuilder {
    /// The noise levels of the training. Default: Stable Diffusion XL's.
    pub fn noise_schedule(mut self, noise_schedule: NoiseSchedule) -> Self {
        self.noise_schedule = noise_schedule;
        self
    }

    /// What number the network is told. Default: the index of the training timestep for a discrete noise
    /// schedule, ¼·ln σ for a continuous one.
    pub fn timescale(mut self, timescale: Timescale) -> Self {
        self.timescale = Some(timescale);
        self
    }

    /// How the level between two training timesteps is found. Default: linearly in σ.
    pub fn interpolation(mut self, interpolation: Interpolation) -> Self {
        self.interpolation = interpolation;
        self
    }

    /// Which timesteps are visited. Default: leading with offset 1; LCM and TCD: distilled from 50 steps.
    pub fn spacing(mut self, spacing: Spacing) -> Self {
        self.spacing = Some(spacing);
        self
    }

    /// How the noise levels are spread. Default: those of the spacing's timesteps.
    pub fn curve(mut self, curve: Curve) -> Self {
        self.curve = curve;
        self
    }

    /// The lowest level of the curve. Default: see [`Curve`].
    pub fn sigma_min(mut self, sigma_min: f64) -> Self {
        self.sigma_min = Some(sigma_min);
        self
    }

    /// The highest level of the curve. Default: see [`Curve`].
    pub fn sigma_max(mut self, sigma_max: f64) -> Self {
        self.sigma_max = Some(sigma_max);
        self
    }

    /// How timesteps are rounded for the network. Default: as diffusers does.
    pub fn rounding(mut self, rounding: Rounding) -> Self {
        self.rounding = rounding;
        self
    }

    /// Where a run ends. Default: at zero noise; solvers that cannot reach it, at the lowest level.
    pub fn terminal(mut self, terminal: Terminal) -> Self {
        self.terminal = Some(terminal);
        self
    }

    /// How strong the first noise is. Default: [`InitialNoise::Sigma`] for the k-diffusion family with
    /// trailing or linspace spacing, [`InitialNoise::WithData`] otherwise, as in diffusers.
    pub fn initial_noise(mut self, initial_noise: InitialNoise) -> Self {
        self.initial_noise = Some(initial_noise);
        self
    }

    /// What the network's output means. Default: the noise.
    pub fn prediction(mut self, prediction: Prediction) -> Self {
        self.prediction = prediction;
        self
    }

    /// What is done to the denoised sample. Default: nothing.
    pub fn clip(mut self, clip: Clip) -> Self {
        self.clip = clip;
        self
    }

    /// How a step is taken. Default: Euler's method.
    pub fn solver(mut self, solver: SolverKind) -> Self {
        self.solver = solver;
        self
    }

    /// Takes back the curve and its ends.
    pub(crate) fn uncurved(self) -> Self {
        Self { curve: Curve::Spacing, sigma_min: None, sigma_max: None, ..self }
    }

    /// Makes the scheduler.
    ///
    /// # Errors
    /// [`Error::Invalid`] where an option is outside its range, or two of them make no sense together.
    pub fn build(self) -> Result<Scheduler> {
        let builder = self.clone();
        let spacing = self.spacing.clone().unwrap_or(match self.solver {
            SolverKind::Lcm { .. } | SolverKind::Tcd { .. } => Spacing::Distilled { original_steps: 50 },
            _ => Spacing::default(),
        });
        self.check(&spacing)?;
        let zero = match self.solver.family() {
            Family::KDiffusion | Family::DpmSolver => ZeroSnr::Floor,
            Family::Ddpm => ZeroSnr::Exact,
        };
        let is_continuous = matches!(self.noise_schedule, NoiseSchedule::Continuous { .. });
        let timescale = self.timescale.unwrap_or(match is_continuous {
            true => Timescale::LogSigma,
            false => Timescale::Index,
        });
        let sigma_sized = matches!(spacing, Spacing::Trailing | Spacing::Linspace)
            && self.solver.family() == Family::KDiffusion
            && !is_continuous;
        let initial_noise = self.initial_noise.unwrap_or(match sigma_sized {
            true => InitialNoise::Sigma,
            false => InitialNoise::WithData,
        });
        let table = Table::new(self.noise_schedule.sigmas(zero)?, timescale, self.interpolation);
        spacing.check(table.len())?;
        let settings = Settings {
            terminal: self.terminal.unwrap_or(self.solver.usual_terminal()),
            noise_schedule: self.noise_schedule,
            spacing,
            curve: self.curve,
            sigma_min: self.sigma_min,
            sigma_max: self.sigma_max,
            rounding: self.rounding,
            initial_noise,
            prediction: self.prediction,
            clip: self.clip,
            solver: self.solver,
        };
        let config = Config::of(&settings);
        Ok(Scheduler { settings, table: Arc::new(table), builder, config })
    }

    fn check(&self, spacing: &Spacing) -> Result<()> {
        self.noise_schedule.check()?;
        self.curve.check()?;
        self.prediction.check()?;
        self.clip.check()?;
        self.solver.check(self.terminal.unwrap_or(self.solver.usual_terminal()))?;
        self.check_levels(spacing)?;
        self.check_prediction()
    }

    /// Spacing, curve and noise schedule against each other.
    fn check_levels(&self, spacing: &Spacing) -> Result<()> {
        let explicit =
            matches!(spacing, Spacing::Timesteps(_) | Spacing::Sigmas(_) | Spacing::AlignYourSteps);
        let is_curved = self.curve != Curve::Spacing;
        if is_curved && explicit {
            let expected =
                "Spacing::Leading, Trailing, Linspace or Distilled: a curve would replace all of the list";
            return Err(Error::invalid("spacing", format!("{spacing:?}"), expected));
        }
        if !is_curved && (self.sigma_min.is_some() || self.sigma_max.is_some()) {
            let expected = "Karras, Exponential or Beta: sigma_min and sigma_max are the ends of a curve";
            return Err(Error::invalid("curve", "Spacing", expected));
        }
        if is_curved && matches!(self.solver, SolverKind::Pndm { .. }) {
            let expected = "Spacing: pndm's weights are those of even timesteps";
            return Err(Error::invalid("curve", format!("{:?}", self.curve), expected));
        }
        for (field, value) in [("sigma_min", self.sigma_min), ("sigma_max", self.sigma_max)] {
            if value.is_some_and(|sigma| !(sigma.is_finite() && sigma > 0.0)) {
                return Err(Error::invalid(field, value.unwrap_or_default(), "a positive number"));
            }
        }
        if let NoiseSchedule::Continuous { .. } = self.noise_schedule {
            if !is_curved && !matches!(spacing, Spacing::Sigmas(_)) {
                let expected =
                    "Karras, Exponential or Beta: a continuous noise schedule has no timesteps to space";
                return Err(Error::invalid("curve", "Spacing", expected));
            }
            if self.solver.family() == Family::Ddpm {
                let expected =
                    "a solver that does not count timesteps, since a continuous noise schedule has none";
                return Err(Error::invalid("solver", format!("{:?}", self.solver), expected));
            }
            if self.timescale == Some(Timescale::Index) {
                let expected = "LogSigma: a continuous noise schedule has no indices";
                return Err(Error::invalid("timescale", "Index", expected));
            }
        }
        Ok(())
    }

    fn check_prediction(&self) -> Result<()> {
        let is_edm = matches!(self.prediction, Prediction::Edm { .. } | Prediction::EdmVelocity { .. });
        let NoiseSchedule::Discrete { terminal_snr, .. } = self.noise_schedule else { return Ok(()) };
        if is_edm && self.timescale != Some(Timescale::LogSigma) {
            let expected =
                "Epsilon, V or Sample: EDM networks are told ln σ, so they need NoiseSchedule::Continuous";
            return Err(Error::invalid("prediction", format!("{:?}", self.prediction), expected));
        }
        let from_noise = terminal_snr == TerminalSnr::Zero && self.solver.family() == Family::Ddpm;
        if from_noise && self.prediction == Prediction::Epsilon {
            let expected = "V or Sample: from pure noise, the predicted noise says nothing about the data";
            return Err(Error::invalid("prediction", "Epsilon", expected));
        }
        Ok(())
    }
}

impl NoiseSchedule {
    fn check(&self) -> Result<()> {
        match self {
            Self::Discrete { steps, .. } if !(2..=1_000_000).contains(steps) => {
                Err(Error::invalid("training timesteps", steps, "from 2 to 1000000"))
            }
            Self::Discrete {
                betas:
                    betas @ (Betas::Linear { start, end }
                    | Betas::ScaledLinear { start, end }
                    | Betas::Sigmoid { start, end }),
                ..
            } if ![start, end].iter().all(|&&beta| (0.0..=1.0).contains(&beta)) => {
                Err(Error::invalid("noise schedule", format!("{betas:?}"), "betas between 0 and 1"))
            }
            Self::Discrete { betas: Betas::Trained(list), steps, .. } if list.len() != *steps => {
                Err(Error::invalid("trained betas", list.len(), format!("{steps}, one for each timestep")))
            }
            Self::Continuous { sigma_min, sigma_max }
                if !(*sigma_min > 0.0 && sigma_max > sigma_min && sigma_max.is_finite()) =>
            {
                Err(Error::invalid(
                    "sigma_min",
                    sigma_min,
                    format!("above 0 and below sigma_max, {sigma_max}"),
                ))
            }
            _ => Ok(()),
        }
    }
}
