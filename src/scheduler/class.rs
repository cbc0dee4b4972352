//! [`Class`]: the scheduler classes of diffusers, with their own defaults.

use std::str::FromStr;

use super::Scheduler;
use super::builder::SchedulerBuilder;
use super::clip::Clip;
use super::config::Config;
use super::curve::Curve;
use super::noise_schedule::{Betas, NoiseSchedule, TerminalSnr};
use super::order::{FinalSteps, Order};
use super::prediction::Prediction;
use super::solver::{Correction, DpmAlgorithm, DpmSolver, SolverKind};
use super::spacing::{Rounding, Spacing, Terminal};
use crate::error::{Error, Result};

/// A scheduler class of diffusers 0.42.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Ddim,
    DpmSolverMultistep,
    Euler,
}

impl FromStr for Class {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "DDIMScheduler" | "DDIMParallelScheduler" => Self::Ddim,
            "DPMSolverMultistepScheduler" => Self::DpmSolverMultistep,
            "EulerDiscreteScheduler" => Self::Euler,
            _ => {
                return Err(Error::invalid(
                    "_class_name",
                    format!("`{name}`"),
                    "a scheduler class of diffusers",
                ));
            }
        })
    }
}

impl Class {
    /// The scheduler that this class makes of a configuration, whichever class that was written for.
    pub(crate) fn scheduler(self, config: Config) -> Result<Scheduler> {
        let builder = self.builder(&config)?;
        let mut scheduler = builder.build()?;
        scheduler.config = config;
        Ok(scheduler)
    }

    fn builder(self, config: &Config) -> Result<SchedulerBuilder> {
        match self {
            Self::Ddim => Reader::new(config, LINEAR).ddim(),
            Self::DpmSolverMultistep => Reader::new(config, LINEAR).dpm_solver_multistep(),
            Self::Euler => Reader::new(config, LINEAR).euler(),
        }
    }
}

/// A class's defaults for the betas: the schedule, its first and its last one.
type BetaDefaults = (&'static str, f64, f64);

const LINEAR: BetaDefaults = ("linear", 0.0001, 0.02);

/// Reads the keys that several classes share.
struct Reader<'a> {
    config: &'a Config,
    betas: BetaDefaults,
}

impl<'a> Reader<'a> {
    fn new(config: &'a Config, betas: BetaDefaults) -> Self {
        Self { config, betas }
    }

    fn euler(&self) -> Result<SchedulerBuilder> {
        let builder = self.base(self.zero_snr()?)?.spacing(self.spacing("linspace")?);
        let builder = self.curve(builder)?.solver(SolverKind::Euler).terminal(self.final_sigma()?);
        Ok(builder)
    }

    fn ddim(&self) -> Result<SchedulerBuilder> {
        let builder = self.base(self.zero_snr()?)?.spacing(self.spacing("leading")?);
        let terminal =
            if self.config.flag("set_alpha_to_one", true)? { Terminal::Zero } else { Terminal::SigmaMin };
        Ok(builder.clip(self.clip(true)?).terminal(terminal).solver(SolverKind::Ddim { eta: 0.0 }))
    }

    fn dpm_solver_multistep(&self) -> Result<SchedulerBuilder> {
        let builder = self.base(self.zero_snr()?)?.spacing(self.spacing("linspace")?).clip(self.threshold()?);
        let builder =
            match (self.config.flag("use_karras_sigmas", false)?, self.config.flag("use_lu_lambdas", false)?)
            {
                (false, false) => self.curve(builder)?,
                (true, _) => self.curve(builder)?.rounding(self.rounding_of_karras()?),
                (false, true) => builder.curve(Curve::Exponential).rounding(self.rounding_of_karras()?),
            };
        Ok(builder.terminal(self.final_sigma()?).solver(SolverKind::DpmMultistep(self.dpm_solver()?)))
    }

    /// The noise schedule and the prediction type, which all classes have.
    fn base(&self, terminal_snr: TerminalSnr) -> Result<SchedulerBuilder> {
        let (schedule, start, end) = self.betas;
        let config = self.config;
        let start = config.number("beta_start", start)?;
        let end = config.number("beta_end", end)?;
        let trained = config.numbers("trained_betas")?;
        let betas = match config.text("beta_schedule", schedule)? {
            _ if !trained.is_empty() => Betas::Trained(trained.iter().map(|&beta| beta as f32).collect()),
            "linear" => Betas::Linear { start, end },
            "scaled_linear" => Betas::ScaledLinear { start, end },
            "squaredcos_cap_v2" => Betas::Cosine,
            "exp" => Betas::Exponential,
            "laplace" => Betas::Laplace,
            "sigmoid" => Betas::Sigmoid { start, end },
            other => {
                let expected = "linear, scaled_linear, squaredcos_cap_v2, exp, laplace or sigmoid";
                return Err(Error::invalid("beta_schedule", other, expected));
            }
        };
        let steps = config.count("num_train_timesteps", 1000)?;
        let noise_schedule = NoiseSchedule::Discrete { betas, steps, terminal_snr };
        Ok(Scheduler::builder().noise_schedule(noise_schedule).prediction(self.prediction()?))
    }

    fn prediction(&self) -> Result<Prediction> {
        match self.config.text("prediction_type", "epsilon")? {
            "epsilon" => Ok(Prediction::Epsilon),
            "v_prediction" => Ok(Prediction::V),
            "sample" | "original_sample" => Ok(Prediction::Sample),
            other => Err(Error::invalid("prediction_type", other, "epsilon, v_prediction or sample")),
        }
    }

    fn zero_snr(&self) -> Result<TerminalSnr> {
        Ok(match self.config.flag("rescale_betas_zero_snr", false)? {
            true => TerminalSnr::Zero,
            false => TerminalSnr::AsTrained,
        })
    }

    fn spacing(&self, default: &'static str) -> Result<Spacing> {
        match self.config.text("timestep_spacing", default)? {
            "leading" => Ok(Spacing::Leading { offset: self.config.count("steps_offset", 0)? }),
            "trailing" => Ok(Spacing::Trailing),
            "linspace" => Ok(Spacing::Linspace),
            other => Err(Error::invalid("timestep_spacing", other, "leading, trailing or linspace")),
        }
    }

    /// The flags that exclude each other.
    fn curve(&self, builder: SchedulerBuilder) -> Result<SchedulerBuilder> {
        let config = self.config;
        if config.flag("use_flow_sigmas", false)? {
            return Err(Error::invalid(
                "use_flow_sigmas",
                true,
                "false: flow matching is not Stable Diffusion XL's",
            ));
        }
        let flags = [
            (config.flag("use_karras_sigmas", false)?, Curve::KARRAS),
            (config.flag("use_exponential_sigmas", false)?, Curve::Exponential),
            (config.flag("use_beta_sigmas", false)?, Curve::BETA),
        ];
        let mut set = flags.iter().filter(|(is_set, _)| *is_set).map(|(_, curve)| *curve);
        match (set.next(), set.next()) {
            (None, _) => Ok(builder),
            (Some(curve), None) => Ok(builder.curve(curve)),
            (Some(_), Some(_)) => Err(Error::invalid(
                "use_…_sigmas",
                "true for several",
                "true for one of karras, exponential and beta",
            )),
        }
    }

    /// This class alone cuts the timesteps off for the cosine schedule.
    fn rounding_of_karras(&self) -> Result<Rounding> {
        Ok(match self.config.text("beta_schedule", self.betas.0)? {
            "squaredcos_cap_v2" => Rounding::Down,
            _ => Rounding::Nearest,
        })
    }

    fn final_sigma(&self) -> Result<Terminal> {
        match self.config.text("final_sigmas_type", "zero")? {
            "zero" => Ok(Terminal::Zero),
            "sigma_min" => Ok(Terminal::SigmaMin),
            other => Err(Error::invalid("final_sigmas_type", other, "zero or sigma_min")),
        }
    }

    fn threshold(&self) -> Result<Clip> {
        if !self.config.flag("thresholding", false)? {
            return Ok(Clip::Off);
        }
        let ratio = self.config.number("dynamic_thresholding_ratio", 0.995)?;
        Ok(Clip::Dynamic { ratio, max: self.config.number("sample_max_value", 1.0)? })
    }

    fn clip(&self, default: bool) -> Result<Clip> {
        match self.threshold()? {
            Clip::Off if self.config.flag("clip_sample", default)? => {
                Ok(Clip::Range(self.config.number("clip_sample_range", 1.0)?))
            }
            threshold => Ok(threshold),
        }
    }

    fn dpm_solver(&self) -> Result<DpmSolver> {
        let config = self.config;
        let algorithm = match config.text("algorithm_type", "dpmsolver++")? {
            // What DEIS writes there, which diffusers reads so, too.
            "dpmsolver++" | "deis" => DpmAlgorithm::DpmSolverPlusPlus,
            "dpmsolver" => DpmAlgorithm::DpmSolver,
            "sde-dpmsolver++" => DpmAlgorithm::SdeDpmSolverPlusPlus,
            "sde-dpmsolver" => DpmAlgorithm::SdeDpmSolver,
            other => {
                let expected = "dpmsolver++, dpmsolver, sde-dpmsolver++ or sde-dpmsolver";
                return Err(Error::invalid("algorithm_type", other, expected));
            }
        };
        let correction = match config.text("solver_type", "midpoint")? {
            "midpoint" | "logrho" | "bh1" | "bh2" => Correction::Midpoint,
            "heun" => Correction::Heun,
            other => return Err(Error::invalid("solver_type", other, "midpoint or heun")),
        };
        let lower = config.flag("lower_order_final", true)?;
        let final_steps = match (lower, config.flag("euler_at_final", false)?) {
            (true, false) => FinalSteps::LowerOrder,
            (true, true) => FinalSteps::LowerOrderAndEuler,
            (false, true) => FinalSteps::Euler,
            (false, false) => FinalSteps::FullOrder,
        };
        let lambda_min = config.number("lambda_min_clipped", f64::NEG_INFINITY)?;
        Ok(DpmSolver { algorithm, order: self.order()?, correction, final_steps, lambda_min })
    }

    fn order(&self) -> Result<Order> {
        match self.config.count("solver_order", 2)? {
            1 => Ok(Order::First),
            2 => Ok(Order::Second),
            3 => Ok(Order::Third),
            other => Err(Error::invalid("solver_order", other, "1, 2 or 3")),
        }
    }
}
