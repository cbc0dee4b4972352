//! The `scheduler_config.json` of a checkpoint that a scheduler made by hand stands for.

use serde_json::{Map, Value, json};

use super::builder::{InitialNoise, Settings};
use super::clip::Clip;
use super::config::Config;
use super::curve::Curve;
use super::noise_schedule::{Betas, NoiseSchedule, TerminalSnr};
use super::prediction::Prediction;
use super::solver::SolverKind;
use super::spacing::{Rounding, Spacing, Terminal};

impl Config {
    /// The file of Stable Diffusion XL's base model.
    pub(crate) fn sdxl() -> Self {
        let keys = json!({
            "_class_name": "EulerDiscreteScheduler",
            "beta_end": 0.012,
            "beta_schedule": "scaled_linear",
            "beta_start": 0.00085,
            "clip_sample": false,
            "interpolation_type": "linear",
            "num_train_timesteps": 1000,
            "prediction_type": "epsilon",
            "sample_max_value": 1.0,
            "set_alpha_to_one": false,
            "skip_prk_steps": true,
            "steps_offset": 1,
            "timestep_spacing": "leading",
            "trained_betas": null,
            "use_karras_sigmas": false,
        });
        match keys {
            Value::Object(keys) => Self::new(keys),
            _ => Self::new(Map::new()),
        }
    }

    /// Stable Diffusion XL's file with what the settings say of the model, and of how it is sampled as far
    /// as another solver could take it over.
    pub(crate) fn of(settings: &Settings) -> Self {
        let config = noise_schedule(Self::sdxl(), &settings.noise_schedule);
        let config = spacing(config, settings);
        let config = curve(config, settings);
        let config = clip(config, settings.clip);
        let config = match settings.prediction {
            Prediction::Epsilon => config.with("prediction_type", "epsilon"),
            Prediction::V => config.with("prediction_type", "v_prediction"),
            Prediction::Sample => config.with("prediction_type", "sample"),
            Prediction::Edm { sigma_data } => {
                config.with("prediction_type", "epsilon").with("sigma_data", sigma_data)
            }
            Prediction::EdmVelocity { sigma_data } => {
                config.with("prediction_type", "v_prediction").with("sigma_data", sigma_data)
            }
        };
        match (settings.terminal, &settings.solver) {
            (Terminal::Zero, SolverKind::Ddim { .. } | SolverKind::Pndm { .. }) => {
                config.with("set_alpha_to_one", true)
            }
            // These always end there, which says nothing about another solver.
            (
                Terminal::SigmaMin,
                SolverKind::Deis { .. } | SolverKind::SaSolver(_) | SolverKind::Tcd { .. },
            ) => config,
            (Terminal::SigmaMin, _) => config.with("final_sigmas_type", "sigma_min"),
            (Terminal::Zero, _) => config,
        }
    }
}

fn noise_schedule(config: Config, noise_schedule: &NoiseSchedule) -> Config {
    let (betas, steps, terminal_snr) = match noise_schedule {
        NoiseSchedule::Continuous { sigma_min, sigma_max } => {
            return config.with("sigma_min", *sigma_min).with("sigma_max", *sigma_max);
        }
        NoiseSchedule::Discrete { betas, steps, terminal_snr } => (betas, *steps, *terminal_snr),
    };
    let config = config.with("num_train_timesteps", steps);
    let named = |config: Config, name: &str| config.with("beta_schedule", name);
    let between = |config: Config, name: &str, start: &f64, end: &f64| {
        named(config, name).with("beta_start", *start).with("beta_end", *end)
    };
    let config = match betas {
        Betas::Linear { start, end } => between(config, "linear", start, end),
        Betas::ScaledLinear { start, end } => between(config, "scaled_linear", start, end),
        Betas::Sigmoid { start, end } => between(config, "sigmoid", start, end),
        Betas::Cosine => named(config, "squaredcos_cap_v2"),
        Betas::Exponential => named(config, "exp"),
        Betas::Laplace => named(config, "laplace"),
        Betas::Trained(list) => config.with("trained_betas", list.clone()),
    };
    match terminal_snr {
        TerminalSnr::Zero => config.with("rescale_betas_zero_snr", true),
        TerminalSnr::AsTrained => config,
    }
}

fn spacing(config: Config, settings: &Settings) -> Config {
    match settings.spacing {
        Spacing::Leading { offset } => {
            config.with("timestep_spacing", "leading").with("steps_offset", offset)
        }
        Spacing::Trailing => config.with("timestep_spacing", "trailing"),
        Spacing::Linspace => config.with("timestep_spacing", "linspace"),
        Spacing::Distilled { original_steps } => config.with("original_inference_steps", original_steps),
        // The file has no word for these; what is left of them is the strength of the first noise.
        Spacing::AlignYourSteps | Spacing::Timesteps(_) | Spacing::Sigmas(_) => {
            match settings.initial_noise {
                InitialNoise::WithData => config,
                InitialNoise::Sigma => config.with("timestep_spacing", "trailing"),
            }
        }
    }
}

fn curve(config: Config, settings: &Settings) -> Config {
    let is_continuous = matches!(settings.noise_schedule, NoiseSchedule::Continuous { .. });
    let config = match settings.curve {
        Curve::Karras { rho } if is_continuous => config.with("sigma_schedule", "karras").with("rho", rho),
        Curve::Exponential if is_continuous => config.with("sigma_schedule", "exponential"),
        Curve::Spacing => config,
        Curve::Karras { .. } => config.with("use_karras_sigmas", true),
        Curve::Exponential if settings.rounding == Rounding::Nearest => config.with("use_lu_lambdas", true),
        Curve::Exponential => config.with("use_exponential_sigmas", true),
        Curve::Beta { .. } => config.with("use_beta_sigmas", true),
    };
    let ends = [("sigma_min", settings.sigma_min), ("sigma_max", settings.sigma_max)];
    ends.into_iter().fold(config, |config, (key, end)| match end {
        Some(sigma) => config.with(key, sigma),
        None => config,
    })
}

fn clip(config: Config, clip: Clip) -> Config {
    match clip {
        Clip::Off => config,
        Clip::Range(range) => config.with("clip_sample", true).with("clip_sample_range", range),
        Clip::Dynamic { ratio, max } => {
            let config = config.with("thresholding", true).with("dynamic_thresholding_ratio", ratio);
            config.with("sample_max_value", max)
        }
    }
}
