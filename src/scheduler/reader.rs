//! [`Reader`]: the keys that several scheduler classes of diffusers share.

use super::Scheduler;
use super::builder::SchedulerBuilder;
use super::clip::Clip;
use super::config::Config;
use super::curve::Curve;
use super::noise_schedule::{Betas, NoiseSchedule, TerminalSnr};
use super::order::{FinalSteps, Order};
use super::prediction::Prediction;
use super::solver::{Correction, DpmAlgorithm, DpmSolver};
use super::spacing::{Spacing, Terminal};
use crate::error::{Error, Result};

/// A class's defaults for the betas: the schedule, its first and its last one.
pub(crate) type BetaDefaults = (&'static str, f64, f64);

/// Reads keys with the defaults of one class.
pub(crate) struct Reader<'a> {
    pub(crate) config: &'a Config,
    pub(crate) betas: BetaDefaults,
}

impl Reader<'_> {
    /// The noise schedule and the prediction type, which all classes have.
    pub(crate) fn base(&self, terminal_snr: TerminalSnr) -> Result<SchedulerBuilder> {
        let (_, start, end) = self.betas;
        let config = self.config;
        let start = config.number("beta_start", start)?;
        let end = config.number("beta_end", end)?;
        let trained = config.numbers("trained_betas")?;
        let betas = match self.beta_schedule()? {
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

    pub(crate) fn beta_schedule(&self) -> Result<&str> {
        self.config.text("beta_schedule", self.betas.0)
    }

    pub(crate) fn prediction(&self) -> Result<Prediction> {
        match self.config.text("prediction_type", "epsilon")? {
            "epsilon" => Ok(Prediction::Epsilon),
            "v_prediction" => Ok(Prediction::V),
            "sample" | "original_sample" => Ok(Prediction::Sample),
            other => Err(Error::invalid("prediction_type", other, "epsilon, v_prediction or sample")),
        }
    }

    pub(crate) fn zero_snr(&self) -> Result<TerminalSnr> {
        Ok(match self.config.flag("rescale_betas_zero_snr", false)? {
            true => TerminalSnr::Zero,
            false => TerminalSnr::AsTrained,
        })
    }

    pub(crate) fn spacing(&self, default: &'static str) -> Result<Spacing> {
        match self.config.text("timestep_spacing", default)? {
            "leading" => Ok(Spacing::Leading { offset: self.config.count("steps_offset", 0)? }),
            "trailing" => Ok(Spacing::Trailing),
            "linspace" => Ok(Spacing::Linspace),
            other => Err(Error::invalid("timestep_spacing", other, "leading, trailing or linspace")),
        }
    }

    /// The flags that exclude each other.
    pub(crate) fn curve(&self, builder: SchedulerBuilder) -> Result<SchedulerBuilder> {
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
            (Some(curve), None) => {
                let (min, max) = (config.optional_number("sigma_min")?, config.optional_number("sigma_max")?);
                let builder = min.into_iter().fold(builder.curve(curve), SchedulerBuilder::sigma_min);
                Ok(max.into_iter().fold(builder, SchedulerBuilder::sigma_max))
            }
            (Some(_), Some(_)) => Err(Error::invalid(
                "use_…_sigmas",
                "true for several",
                "true for one of karras, exponential and beta",
            )),
        }
    }

    pub(crate) fn final_sigma(&self) -> Result<Terminal> {
        match self.config.text("final_sigmas_type", "zero")? {
            "zero" => Ok(Terminal::Zero),
            "sigma_min" => Ok(Terminal::SigmaMin),
            other => Err(Error::invalid("final_sigmas_type", other, "zero or sigma_min")),
        }
    }

    /// What lies below the first timestep.
    pub(crate) fn final_alpha(&self, default: bool) -> Result<Terminal> {
        Ok(match self.config.flag("set_alpha_to_one", default)? {
            true => Terminal::Zero,
            false => Terminal::SigmaMin,
        })
    }

    pub(crate) fn distilled(&self) -> Result<Spacing> {
        Ok(Spacing::Distilled { original_steps: self.config.count("original_inference_steps", 50)? })
    }

    pub(crate) fn threshold(&self) -> Result<Clip> {
        if !self.config.flag("thresholding", false)? {
            return Ok(Clip::Off);
        }
        let ratio = self.config.number("dynamic_thresholding_ratio", 0.995)?;
        Ok(Clip::Dynamic { ratio, max: self.config.number("sample_max_value", 1.0)? })
    }

    pub(crate) fn clip(&self, default: bool) -> Result<Clip> {
        match self.threshold()? {
            Clip::Off if self.config.flag("clip_sample", default)? => {
                Ok(Clip::Range(self.config.number("clip_sample_range", 1.0)?))
            }
            threshold => Ok(threshold),
        }
    }

    /// The options of DPM-Solver, with the class's default for `lower_order_final`.
    pub(crate) fn dpm_solver(&self, lower_order_final: bool) -> Result<DpmSolver> {
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
        let lower = config.flag("lower_order_final", lower_order_final)?;
        let final_steps = match (lower, config.flag("euler_at_final", false)?) {
            (true, false) => FinalSteps::LowerOrder,
            (true, true) => FinalSteps::LowerOrderAndEuler,
            (false, true) => FinalSteps::Euler,
            (false, false) => FinalSteps::FullOrder,
        };
        if let variance @ ("learned" | "learned_range") = config.text("variance_type", "")? {
            return Err(Error::invalid(
                "variance_type",
                variance,
                "null: this network does not predict its variance",
            ));
        }
        let lambda_min = config.number("lambda_min_clipped", f64::NEG_INFINITY)?;
        Ok(DpmSolver {
            algorithm,
            order: self.order()?,
            correction,
            final_steps,
            lambda_min,
            ..DpmSolver::default()
        })
    }

    pub(crate) fn order(&self) -> Result<Order> {
        match self.config.count("solver_order", 2)? {
            1 => Ok(Order::First),
            2 => Ok(Order::Second),
            3 => Ok(Order::Third),
            other => Err(Error::invalid("solver_order", other, "1, 2 or 3")),
        }
    }
}
