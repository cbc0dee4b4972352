//! [`SchedulerName`], [`SpacingName`] and [`PredictionName`]: what users call the parts of a scheduler.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};

use super::Scheduler;
use super::class::Class;
use super::curve::Curve;
use super::noise_schedule::NoiseSchedule;
use super::prediction::Prediction;
use super::solver::SolverKind;
use super::spacing::{Rounding, Spacing};
use crate::error::{Error, Result};

/// Makes an enum of names that is read from and written as text.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident $field:literal { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`:")] $(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $text,)* })
            }
        }

        impl FromStr for $name {
            type Err = Error;

            /// # Errors
            /// [`Error::Invalid`] lists the names.
            fn from_str(text: &str) -> Result<Self> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(Error::invalid($field, format!("`{text}`"), concat!("one of" $(, " ", $text)*))),
                }
            }
        }
    };
}

names! {
    /// The well-known samplers.
    SchedulerName "scheduler" {
        /// Euler's method.
        Euler = "euler",
        /// Euler's method with fresh noise.
        EulerAncestral = "euler_a",
        /// Heun's method.
        Heun = "heun",
        /// DPM-Solver-2.
        Dpm2 = "dpm2",
        /// DPM-Solver-2 with fresh noise.
        Dpm2Ancestral = "dpm2_a",
        /// DPM-Solver++ (2M).
        Dpmpp2m = "dpmpp_2m",
        /// DPM-Solver++ (2M) for the SDE.
        Dpmpp2mSde = "dpmpp_2m_sde",
        /// DPM-Solver++ (3M) for the SDE.
        Dpmpp3mSde = "dpmpp_3m_sde",
        /// DPM-Solver++ for the SDE, with Brownian noise.
        DpmppSde = "dpmpp_sde",
        /// DPM-Solver++ (2S) with fresh noise.
        Dpmpp2sAncestral = "dpmpp_2s_a",
        /// The linear multistep method.
        Lms = "lms",
        /// DDIM.
        Ddim = "ddim",
        /// DDPM.
        Ddpm = "ddpm",
        /// PNDM.
        Pndm = "pndm",
        /// UniPC.
        UniPc = "unipc",
        /// DEIS.
        Deis = "deis",
        /// Latent consistency models.
        Lcm = "lcm",
        /// Trajectory consistency distillation.
        Tcd = "tcd",
        /// Euler's method for EDM models.
        EdmEuler = "edm_euler",
        /// DPM-Solver++ (2M) for EDM models.
        EdmDpmpp2m = "edm_dpmpp_2m",
    }
}

names! {
    /// The well-known spacings.
    SpacingName "spacing" {
        /// [`Spacing::Leading`].
        Leading = "leading",
        /// [`Spacing::Trailing`].
        Trailing = "trailing",
        /// [`Spacing::Linspace`].
        Linspace = "linspace",
        /// [`Curve::Karras`] with ρ = 7.
        Karras = "karras",
        /// [`Curve::Exponential`].
        Exponential = "exponential",
        /// [`Curve::Beta`] with 0.6 and 0.6.
        Beta = "beta",
        /// [`Spacing::AlignYourSteps`].
        AlignYourSteps = "ays",
        /// [`Spacing::Trailing`], as diffusers translates other programs' name.
        SgmUniform = "sgm_uniform",
    }
}

names! {
    /// The prediction types.
    PredictionName "prediction" {
        /// [`Prediction::Epsilon`].
        Epsilon = "epsilon",
        /// [`Prediction::V`].
        V = "v",
        /// [`Prediction::Sample`].
        Sample = "sample",
        /// [`Prediction::Edm`].
        Edm = "edm",
    }
}

names! {
    /// The samplers that models and adapters were made for; each is a method of [`Scheduler`] too.
    PresetName "preset" {
        /// [`Scheduler::dpmpp_2m_karras`].
        Dpmpp2mKarras = "dpmpp_2m_karras",
        /// [`Scheduler::dpmpp_2m_sde_karras`].
        Dpmpp2mSdeKarras = "dpmpp_2m_sde_karras",
        /// [`Scheduler::turbo`].
        Turbo = "turbo",
        /// [`Scheduler::lightning`].
        Lightning = "lightning",
        /// [`Scheduler::lightning_one_step`].
        LightningOneStep = "lightning_one_step",
        /// [`Scheduler::lcm`].
        Lcm = "lcm",
        /// [`Scheduler::dmd2`].
        Dmd2 = "dmd2",
        /// [`Scheduler::hyper`].
        Hyper = "hyper",
        /// [`Scheduler::hyper_unified`].
        HyperUnified = "hyper_unified",
        /// [`Scheduler::hyper_one_step`].
        HyperOneStep = "hyper_one_step",
        /// [`Scheduler::tcd`].
        Tcd = "tcd",
        /// [`Scheduler::v_prediction_zero_snr`].
        VPredictionZeroSnr = "v_prediction_zero_snr",
        /// [`Scheduler::playground_v2_5`].
        PlaygroundV25 = "playground_v2_5",
        /// [`Scheduler::cosxl`].
        CosXl = "cosxl",
    }
}

impl SchedulerName {
    /// The class of diffusers, and the arguments that its name implies.
    fn class(self) -> (Class, Vec<(&'static str, Value)>) {
        let multistep = |algorithm: &str, order: u64| {
            let keys = vec![("algorithm_type", json!(algorithm)), ("solver_order", json!(order))];
            (Class::DpmSolverMultistep, keys)
        };
        let class = match self {
            Self::Dpmpp2m => return multistep("dpmsolver++", 2),
            Self::Dpmpp2mSde => return multistep("sde-dpmsolver++", 2),
            Self::Dpmpp3mSde => return multistep("sde-dpmsolver++", 3),
            Self::Euler => Class::Euler,
            Self::EulerAncestral => Class::EulerAncestral,
            Self::Heun => Class::Heun,
            Self::Dpm2 => Class::Kdpm2,
            Self::Dpm2Ancestral => Class::Kdpm2Ancestral,
            Self::DpmppSde => Class::DpmSolverSde,
            Self::Dpmpp2sAncestral => Class::Dpmpp2sAncestral,
            Self::Lms => Class::Lms,
            Self::Ddim => Class::Ddim,
            Self::Ddpm => Class::Ddpm,
            Self::Pndm => Class::Pndm,
            Self::UniPc => Class::UniPc,
            Self::Deis => Class::Deis,
            Self::Lcm => Class::Lcm,
            Self::Tcd => Class::Tcd,
            Self::EdmEuler => Class::EdmEuler,
            Self::EdmDpmpp2m => Class::EdmDpmSolverMultistep,
        };
        (class, Vec::new())
    }
}

impl Scheduler {
    /// Another sampler for the same model, which is diffusers' `Class.from_config(scheduler.config)`: what
    /// the checkpoint's file says holds, and what it does not say is the new class's own default.
    ///
    /// [`with_spacing`](Self::with_spacing), [`with_prediction`](Self::with_prediction) and
    /// [`with_eta`](Self::with_eta) come after it.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the file's values make no sense for that sampler.
    pub fn with_name(&self, name: SchedulerName) -> Result<Self> {
        let (class, keys) = name.class();
        let config =
            keys.into_iter().fold(self.config.clone(), |config, (key, value)| config.with(key, value));
        class.scheduler(config)
    }

    /// The same with another spacing. Karras, exponential and beta levels keep the timestep spacing, which
    /// gives their ends and the strength of the first noise; Align Your Steps keeps that strength.
    ///
    /// LCM and TCD ignore leading, trailing, linspace and `sgm_uniform`, and the singlestep DPM-Solvers too,
    /// as diffusers' classes do: they have a spacing of their own. [`builder`](Self::to_builder) forces it.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the spacing makes no sense for the solver or the noise schedule.
    pub fn with_spacing(&self, name: SpacingName) -> Result<Self> {
        let builder = self.builder.clone();
        let (builder, config) = match name {
            SpacingName::AlignYourSteps => {
                let builder = builder.uncurved().initial_noise(self.settings.initial_noise);
                (builder.spacing(Spacing::AlignYourSteps), self.config.clone())
            }
            SpacingName::Karras => self.curved(Curve::KARRAS, "use_karras_sigmas"),
            SpacingName::Exponential => self.curved(Curve::Exponential, "use_exponential_sigmas"),
            SpacingName::Beta => self.curved(Curve::BETA, "use_beta_sigmas"),
            SpacingName::Leading
            | SpacingName::Trailing
            | SpacingName::Linspace
            | SpacingName::SgmUniform => {
                let spacing = match name {
                    SpacingName::Leading => {
                        Spacing::Leading { offset: self.config.count("steps_offset", 0)? }
                    }
                    SpacingName::Linspace => Spacing::Linspace,
                    _ => Spacing::Trailing,
                };
                let key = if name == SpacingName::SgmUniform { SpacingName::Trailing } else { name };
                let has_its_own = matches!(
                    self.settings.solver,
                    SolverKind::Lcm { .. } | SolverKind::Tcd { .. } | SolverKind::DpmSinglestep(_)
                );
                let builder = if has_its_own { builder } else { builder.spacing(spacing) };
                (builder, self.config.clone().with("timestep_spacing", key.to_string()))
            }
        };
        Ok(Self { config, ..builder.build()? })
    }

    fn curved(&self, curve: Curve, flag: &str) -> (super::SchedulerBuilder, super::config::Config) {
        let flags = ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas"];
        let unset = |config: super::config::Config, key: &&str| config.with(key, *key == flag);
        let builder = self.builder.clone().curve(curve).rounding(Rounding::Reference);
        (builder, flags.iter().fold(self.config.clone(), unset))
    }

    /// The same for a network that predicts something else.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `edm` without EDM's continuous noise levels, and for the others with them,
    /// except `v`.
    pub fn with_prediction(&self, name: PredictionName) -> Result<Self> {
        let sigma_data = self.config.number("sigma_data", 0.5)?;
        let is_edm = matches!(self.settings.noise_schedule, NoiseSchedule::Continuous { .. });
        let (prediction, key) = match (name, is_edm) {
            // What EDM's classes call epsilon.
            (PredictionName::Epsilon | PredictionName::Edm, true) => {
                (Prediction::Edm { sigma_data }, "epsilon")
            }
            (PredictionName::V, true) => (Prediction::EdmVelocity { sigma_data }, "v_prediction"),
            (PredictionName::Edm, false) => (Prediction::Edm { sigma_data }, "epsilon"),
            (PredictionName::Epsilon, false) => (Prediction::Epsilon, "epsilon"),
            (PredictionName::V, false) => (Prediction::V, "v_prediction"),
            (PredictionName::Sample, _) => (Prediction::Sample, "sample"),
        };
        let scheduler = self.builder.clone().prediction(prediction).build()?;
        Ok(Self { config: self.config.clone().with("prediction_type", key), ..scheduler })
    }

    /// The same with the `eta` that diffusers' pipelines pass to [`SolverKind::Ddim`] and
    /// [`SolverKind::Tcd`].
    ///
    /// # Errors
    /// [`Error::Invalid`] outside of 0 to 1, and for anything but 0 where the solver has no `eta`.
    pub fn with_eta(&self, eta: f64) -> Result<Self> {
        let solver = match &self.settings.solver {
            SolverKind::Ddim { .. } => SolverKind::Ddim { eta },
            SolverKind::Tcd { .. } => SolverKind::Tcd { eta },
            other if eta == 0.0 => other.clone(),
            other => return Err(Error::invalid("eta", eta, format!("0, since {other:?} has none"))),
        };
        Ok(Self { config: self.config.clone(), ..self.builder.clone().solver(solver).build()? })
    }
}
