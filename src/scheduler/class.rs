//! [`Class`]: the scheduler classes of diffusers, each with its own keys and defaults.

use std::str::FromStr;

use super::Scheduler;
use super::brownian::SdeNoise;
use super::builder::SchedulerBuilder;
use super::config::Config;
use super::curve::Curve;
use super::level::Timescale;
use super::noise_schedule::{NoiseSchedule, TerminalSnr};
use super::order::{Ending, FinalSteps, PolynomialOf};
use super::prediction::Prediction;
use super::reader::{BetaDefaults, Reader};
use super::solver::{DpmSolver, SaSolver, SolverKind, UniPc, UniPcVariant, Variance, WarmUp};
use super::spacing::{Interpolation, Rounding, Spacing, Terminal};
use crate::error::{Error, Result};

/// A scheduler class of diffusers 0.42.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Ddim,
    Ddpm,
    Deis,
    DpmSolverMultistep,
    DpmSolverSde,
    DpmSolverSinglestep,
    EdmDpmSolverMultistep,
    EdmEuler,
    Euler,
    EulerAncestral,
    Heun,
    Kdpm2,
    Kdpm2Ancestral,
    Lcm,
    Lms,
    Pndm,
    SaSolver,
    Tcd,
    UniPc,
    /// No class of diffusers: k-diffusion's sampler, with the keys and defaults of `EulerDiscreteScheduler`.
    Dpmpp2sAncestral,
}

impl FromStr for Class {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            // The parallel ones differ in how they can be called, not in what they compute.
            "DDIMScheduler" | "DDIMParallelScheduler" => Self::Ddim,
            "DDPMScheduler" | "DDPMParallelScheduler" => Self::Ddpm,
            "DEISMultistepScheduler" => Self::Deis,
            "DPMSolverMultistepScheduler" => Self::DpmSolverMultistep,
            "DPMSolverSDEScheduler" => Self::DpmSolverSde,
            "DPMSolverSinglestepScheduler" => Self::DpmSolverSinglestep,
            "EDMDPMSolverMultistepScheduler" => Self::EdmDpmSolverMultistep,
            "EDMEulerScheduler" => Self::EdmEuler,
            "EulerDiscreteScheduler" => Self::Euler,
            "EulerAncestralDiscreteScheduler" => Self::EulerAncestral,
            "HeunDiscreteScheduler" => Self::Heun,
            "KDPM2DiscreteScheduler" => Self::Kdpm2,
            "KDPM2AncestralDiscreteScheduler" => Self::Kdpm2Ancestral,
            "LCMScheduler" => Self::Lcm,
            "LMSDiscreteScheduler" => Self::Lms,
            "PNDMScheduler" => Self::Pndm,
            "SASolverScheduler" => Self::SaSolver,
            "TCDScheduler" => Self::Tcd,
            "UniPCMultistepScheduler" => Self::UniPc,
            _ => {
                let expected = "one of DDIM, DDPM, DEISMultistep, DPMSolverMultistep, DPMSolverSDE, \
                    DPMSolverSinglestep, EDMDPMSolverMultistep, EDMEuler, EulerDiscrete, EulerAncestralDiscrete, \
                    HeunDiscrete, KDPM2Discrete, KDPM2AncestralDiscrete, LCM, LMSDiscrete, PNDM, SASolver, TCD or \
                    UniPCMultistep, followed by Scheduler";
                return Err(Error::invalid("_class_name", format!("`{name}`"), expected));
            }
        })
    }
}

const LINEAR: BetaDefaults = ("linear", 0.0001, 0.02);
const LINEAR_OF_SD: BetaDefaults = ("linear", 0.00085, 0.012);
const SCALED_LINEAR: BetaDefaults = ("scaled_linear", 0.00085, 0.012);

impl Class {
    /// The scheduler that this class makes of a configuration, whichever class that was written for.
    pub(crate) fn scheduler(self, config: Config) -> Result<Scheduler> {
        let scheduler = self.builder(&config)?.build()?;
        Ok(Scheduler { config, ..scheduler })
    }

    fn builder(self, config: &Config) -> Result<SchedulerBuilder> {
        let betas = match self {
            Self::DpmSolverSde | Self::Heun | Self::Kdpm2 | Self::Kdpm2Ancestral => LINEAR_OF_SD,
            Self::Lcm | Self::Tcd => SCALED_LINEAR,
            _ => LINEAR,
        };
        let reader = Reader { config, betas };
        match self {
            Self::Ddim => ddim(&reader),
            Self::Ddpm => ddpm(&reader),
            Self::Deis => deis(&reader),
            Self::DpmSolverMultistep => dpm_solver_multistep(&reader),
            Self::DpmSolverSde => k_diffusion(&reader, dpm_solver_sde(&reader)?),
            Self::DpmSolverSinglestep => dpm_solver_singlestep(&reader),
            Self::EdmDpmSolverMultistep => edm(&reader, SolverKind::DpmMultistep(reader.dpm_solver(true)?)),
            Self::EdmEuler => edm(&reader, SolverKind::Euler),
            Self::Euler => euler(&reader, SolverKind::Euler),
            Self::EulerAncestral => euler_ancestral(&reader),
            Self::Heun => Ok(k_diffusion(&reader, SolverKind::Heun)?.clip(reader.clip(false)?)),
            Self::Kdpm2 => k_diffusion(&reader, SolverKind::Dpm2),
            Self::Kdpm2Ancestral => k_diffusion(&reader, SolverKind::Dpm2Ancestral),
            Self::Lcm => lcm(&reader),
            Self::Lms => k_diffusion(&reader, SolverKind::Lms { order: 4 }),
            Self::Pndm => pndm(&reader),
            Self::SaSolver => sa_solver(&reader),
            Self::Tcd => tcd(&reader),
            Self::UniPc => unipc(&reader),
            Self::Dpmpp2sAncestral => euler(&reader, SolverKind::Dpmpp2sAncestral),
        }
    }
}

/// The keys that all classes made after k-diffusion have.
fn k_diffusion(reader: &Reader, solver: SolverKind) -> Result<SchedulerBuilder> {
    let builder = reader.base(TerminalSnr::AsTrained)?.spacing(reader.spacing("linspace")?);
    Ok(reader.curve(builder)?.solver(solver))
}

fn euler(reader: &Reader, solver: SolverKind) -> Result<SchedulerBuilder> {
    let builder = reader.base(reader.zero_snr()?)?.spacing(reader.spacing("linspace")?).solver(solver);
    let builder = reader.curve(builder)?.terminal(reader.final_sigma()?);
    // diffusers' own `log_linear` ignores the timesteps and never reaches the last level; ours does not.
    let builder = match reader.config.text("interpolation_type", "linear")? {
        "linear" => builder,
        "log_linear" => builder.interpolation(Interpolation::LogLinear),
        other => return Err(Error::invalid("interpolation_type", other, "linear or log_linear")),
    };
    match reader.config.text("timestep_type", "discrete")? {
        "continuous" if reader.prediction()? == Prediction::V => Ok(builder.timescale(Timescale::LogSigma)),
        "continuous" | "discrete" => Ok(builder),
        other => Err(Error::invalid("timestep_type", other, "discrete or continuous")),
    }
}

fn euler_ancestral(reader: &Reader) -> Result<SchedulerBuilder> {
    let builder = reader.base(reader.zero_snr()?)?.spacing(reader.spacing("linspace")?);
    Ok(builder.solver(SolverKind::EulerAncestral))
}

fn dpm_solver_sde(reader: &Reader) -> Result<SolverKind> {
    let seed = reader.config.optional_count("noise_sampler_seed")?;
    let noise = seed.map_or(SdeNoise::Brownian, |seed| SdeNoise::BrownianFrom(seed as u64));
    Ok(SolverKind::DpmppSde { noise })
}

fn dpm_solver_multistep(reader: &Reader) -> Result<SchedulerBuilder> {
    let builder = reader.base(reader.zero_snr()?)?.spacing(reader.spacing("linspace")?);
    let builder = reader.curve(builder)?.clip(reader.threshold()?).terminal(reader.final_sigma()?);
    let builder = builder.solver(SolverKind::DpmMultistep(reader.dpm_solver(true)?));
    let is_lu =
        reader.config.flag("use_lu_lambdas", false)? && !reader.config.flag("use_karras_sigmas", false)?;
    match (is_lu, reader.beta_schedule()?) {
        (false, _) => Ok(builder),
        // As the Karras levels of this class are rounded.
        (true, "squaredcos_cap_v2") => Ok(builder.curve(Curve::Exponential).rounding(Rounding::Down)),
        (true, _) => Ok(builder.curve(Curve::Exponential).rounding(Rounding::Nearest)),
    }
}

fn dpm_solver_singlestep(reader: &Reader) -> Result<SchedulerBuilder> {
    let builder = reader.base(TerminalSnr::AsTrained)?.spacing(Spacing::Linspace);
    let builder = reader.curve(builder)?.clip(reader.threshold()?).terminal(reader.final_sigma()?);
    let final_steps = match reader.config.flag("lower_order_final", false)? {
        true => FinalSteps::LowerOrder,
        false => FinalSteps::FullOrder,
    };
    let options = DpmSolver { final_steps, ..reader.dpm_solver(false)? };
    Ok(builder.solver(SolverKind::DpmSinglestep(options)))
}

fn deis(reader: &Reader) -> Result<SchedulerBuilder> {
    let builder = reader.base(TerminalSnr::AsTrained)?.spacing(reader.spacing("linspace")?);
    let builder = reader.curve(builder)?.clip(reader.threshold()?).terminal(Terminal::SigmaMin);
    let final_steps = match reader.config.flag("lower_order_final", true)? {
        true => FinalSteps::LowerOrder,
        false => FinalSteps::FullOrder,
    };
    Ok(builder.solver(SolverKind::Deis { order: reader.order()?, final_steps }))
}

fn sa_solver(reader: &Reader) -> Result<SchedulerBuilder> {
    let config = reader.config;
    let builder = reader.base(TerminalSnr::AsTrained)?.spacing(reader.spacing("linspace")?);
    let builder = reader.curve(builder)?.clip(reader.threshold()?).terminal(Terminal::SigmaMin);
    if config.has("tau_func") {
        return Err(Error::invalid(
            "tau_func",
            "a function",
            "null: noise between the timesteps 200 and 800",
        ));
    }
    let options = SaSolver {
        predictor_order: config.count("predictor_order", 2)?,
        corrector_order: config.count("corrector_order", 2)?,
        polynomial_of: match config.text("algorithm_type", "data_prediction")? {
            "data_prediction" => PolynomialOf::Data,
            "noise_prediction" => PolynomialOf::Noise,
            other => {
                return Err(Error::invalid("algorithm_type", other, "data_prediction or noise_prediction"));
            }
        },
        ending: match config.flag("lower_order_final", true)? {
            true => Ending::LowerOrder,
            false => Ending::FullOrder,
        },
        lambda_min: config.number("lambda_min_clipped", f64::NEG_INFINITY)?,
    };
    Ok(builder.solver(SolverKind::SaSolver(options)))
}

fn unipc(reader: &Reader) -> Result<SchedulerBuilder> {
    let config = reader.config;
    let builder = reader.base(reader.zero_snr()?)?.spacing(reader.spacing("linspace")?);
    let builder = reader.curve(builder)?.terminal(reader.final_sigma()?);
    let (polynomial_of, clip) = match config.flag("predict_x0", true)? {
        true => (PolynomialOf::Data, reader.threshold()?),
        false => (PolynomialOf::Noise, super::Clip::Off),
    };
    let options = UniPc {
        order: reader.order()?,
        variant: match config.text("solver_type", "bh2")? {
            "bh1" => UniPcVariant::Bh1,
            // Those of the other classes mean the default here.
            "bh2" | "midpoint" | "heun" | "logrho" => UniPcVariant::Bh2,
            other => return Err(Error::invalid("solver_type", other, "bh1 or bh2")),
        },
        polynomial_of,
        ending: match config.flag("lower_order_final", true)? {
            true => Ending::LowerOrder,
            false => Ending::FullOrder,
        },
        uncorrected: config.counts("disable_corrector")?,
    };
    if config.has("solver_p") {
        return Err(Error::invalid("solver_p", "a scheduler", "null: UniPC's own predictor is the only one"));
    }
    Ok(builder.clip(clip).solver(SolverKind::UniPc(options)))
}

fn ddim(reader: &Reader) -> Result<SchedulerBuilder> {
    let builder =
        reader.base(reader.zero_snr()?)?.spacing(reader.spacing("leading")?).clip(reader.clip(true)?);
    Ok(builder.terminal(reader.final_alpha(true)?).solver(SolverKind::Ddim { eta: 0.0 }))
}

fn ddpm(reader: &Reader) -> Result<SchedulerBuilder> {
    let builder =
        reader.base(reader.zero_snr()?)?.spacing(reader.spacing("leading")?).clip(reader.clip(true)?);
    let variance = match reader.config.text("variance_type", "fixed_small")? {
        // The logarithm is taken and undone.
        "fixed_small" | "fixed_small_log" => Variance::Small,
        "fixed_large" => Variance::Large,
        other => {
            let expected = "fixed_small or fixed_large: this network does not predict its variance";
            return Err(Error::invalid("variance_type", other, expected));
        }
    };
    Ok(builder.solver(SolverKind::Ddpm { variance }))
}

fn pndm(reader: &Reader) -> Result<SchedulerBuilder> {
    let builder = reader.base(TerminalSnr::AsTrained)?.spacing(reader.spacing("leading")?);
    let warm_up = match reader.config.flag("skip_prk_steps", false)? {
        true => WarmUp::Heun,
        false => WarmUp::RungeKutta,
    };
    Ok(builder.terminal(reader.final_alpha(false)?).solver(SolverKind::Pndm { warm_up }))
}

fn lcm(reader: &Reader) -> Result<SchedulerBuilder> {
    let timestep_scaling = reader.config.number("timestep_scaling", 10.0)?;
    let builder = reader.base(reader.zero_snr()?)?.spacing(reader.distilled()?).clip(reader.clip(false)?);
    Ok(builder.solver(SolverKind::Lcm { timestep_scaling }))
}

fn tcd(reader: &Reader) -> Result<SchedulerBuilder> {
    let builder = reader.base(reader.zero_snr()?)?.spacing(reader.distilled()?);
    Ok(builder.terminal(Terminal::SigmaMin).solver(SolverKind::Tcd { eta: 0.0 }))
}

fn edm(reader: &Reader, solver: SolverKind) -> Result<SchedulerBuilder> {
    let config = reader.config;
    let noise_schedule = NoiseSchedule::Continuous {
        sigma_min: config.number("sigma_min", 0.002)?,
        sigma_max: config.number("sigma_max", 80.0)?,
    };
    let sigma_data = config.number("sigma_data", 0.5)?;
    let prediction = match config.text("prediction_type", "epsilon")? {
        "epsilon" => Prediction::Edm { sigma_data },
        "v_prediction" => Prediction::EdmVelocity { sigma_data },
        other => return Err(Error::invalid("prediction_type", other, "epsilon or v_prediction for EDM")),
    };
    let curve = match config.text("sigma_schedule", "karras")? {
        "karras" => Curve::Karras { rho: config.number("rho", 7.0)? },
        "exponential" => Curve::Exponential,
        other => return Err(Error::invalid("sigma_schedule", other, "karras or exponential")),
    };
    let clip = if solver.is_euler() { super::Clip::Off } else { reader.threshold()? };
    let builder = Scheduler::builder().noise_schedule(noise_schedule).prediction(prediction).curve(curve);
    Ok(builder.terminal(reader.final_sigma()?).clip(clip).solver(solver))
}
