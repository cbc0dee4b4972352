//! Recipes: the samplers that models and adapters for Stable Diffusion XL were made for.

use super::Scheduler;
use super::class::Class;
use super::config::Config;
use super::name::{PresetName, SchedulerName, SpacingName};
use super::spacing::Spacing;
use crate::error::Result;

/// The model cards' recipes. `guidance` in each is the cards' advice for the pipeline's guidance scale.
impl Scheduler {
    /// A sampler by its name, for a model with Stable Diffusion XL's own `scheduler_config.json`.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn named(name: SchedulerName) -> Result<Self> {
        Class::Euler.scheduler(Config::sdxl())?.with_name(name)
    }

    /// A recipe by its name.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn preset(name: PresetName) -> Result<Self> {
        match name {
            PresetName::Dpmpp2mKarras => Self::dpmpp_2m_karras(),
            PresetName::Dpmpp2mSdeKarras => Self::dpmpp_2m_sde_karras(),
            PresetName::Turbo => Self::turbo(),
            PresetName::Lightning => Self::lightning(),
            PresetName::LightningOneStep => Self::lightning_one_step(),
            PresetName::Lcm => Self::lcm(),
            PresetName::Dmd2 => Self::dmd2(),
            PresetName::Hyper => Self::hyper(),
            PresetName::HyperUnified => Self::hyper_unified(),
            PresetName::HyperOneStep => Self::hyper_one_step(),
            PresetName::Tcd => Self::tcd(),
            PresetName::VPredictionZeroSnr => Self::v_prediction_zero_snr(),
            PresetName::PlaygroundV25 => Self::playground_v2_5(),
            PresetName::CosXl => Self::cosxl(),
        }
    }

    /// Stable Diffusion XL's default: Euler's method with leading spacing. 30 to 50 steps, guidance 5 to 9.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn euler() -> Result<Self> {
        Self::named(SchedulerName::Euler)
    }

    /// Euler's method with fresh noise in each step. 30 to 50 steps, guidance 5 to 9.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn euler_ancestral() -> Result<Self> {
        Self::named(SchedulerName::EulerAncestral)
    }

    /// DDIM. 50 steps, guidance 5 to 9.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn ddim() -> Result<Self> {
        Self::named(SchedulerName::Ddim)
    }

    /// DPM-Solver++ (2M) with Karras levels. 20 to 30 steps, guidance 5 to 9.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn dpmpp_2m_karras() -> Result<Self> {
        Self::named(SchedulerName::Dpmpp2m)?.with_spacing(SpacingName::Karras)
    }

    /// DPM-Solver++ (2M) for the SDE with Karras levels. 25 to 40 steps, guidance 5 to 9.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn dpmpp_2m_sde_karras() -> Result<Self> {
        Self::named(SchedulerName::Dpmpp2mSde)?.with_spacing(SpacingName::Karras)
    }

    /// UniPC. 10 to 30 steps, guidance 5 to 9.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn unipc() -> Result<Self> {
        Self::named(SchedulerName::UniPc)
    }

    /// SDXL-Turbo: Euler's method with fresh noise, trailing. 1 to 4 steps, 512², no guidance.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn turbo() -> Result<Self> {
        Self::named(SchedulerName::EulerAncestral)?.with_spacing(SpacingName::Trailing)
    }

    /// SDXL-Lightning for 2, 4 or 8 steps: Euler's method, trailing. Exactly as many steps as the file was
    /// made for, no guidance.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn lightning() -> Result<Self> {
        Self::named(SchedulerName::Euler)?.with_spacing(SpacingName::Trailing)
    }

    /// SDXL-Lightning's one-step model (`1step_unet_x0`), which predicts the data. 1 step, no guidance.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn lightning_one_step() -> Result<Self> {
        Self::lightning()?.with_prediction(super::PredictionName::Sample)
    }

    /// LCM-SDXL and the LCM adapter. 2 to 8 steps; the adapter with guidance 1 to 2, the model with 8, which
    /// is told to the network.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn lcm() -> Result<Self> {
        Self::named(SchedulerName::Lcm)
    }

    /// DMD2's four-step model: LCM at trailing timesteps. 4 steps, no guidance.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn dmd2() -> Result<Self> {
        let timesteps = vec![999.0, 749.0, 499.0, 249.0];
        Self::lcm()?.to_builder().spacing(Spacing::Timesteps(timesteps)).build()
    }

    /// Hyper-SDXL for 2, 4 or 8 steps: DDIM, trailing. Exactly as many steps as the file was made for, no
    /// guidance; the 8 and 12 step adapters that keep guidance, with 5 to 8.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn hyper() -> Result<Self> {
        Self::named(SchedulerName::Ddim)?.with_spacing(SpacingName::Trailing)
    }

    /// Hyper-SDXL's unified adapter (`1step_lora`): TCD with η = 1. 1 to 8 steps, no guidance; less η gives
    /// more detail with more steps.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn hyper_unified() -> Result<Self> {
        Self::named(SchedulerName::Tcd)?.with_eta(1.0)
    }

    /// Hyper-SDXL's one-step model: LCM at timestep 800. 1 step, no guidance.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn hyper_one_step() -> Result<Self> {
        Self::lcm()?.to_builder().spacing(Spacing::Timesteps(vec![800.0])).build()
    }

    /// The TCD adapter, with its η of 0.3. 4 to 50 steps, no guidance.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn tcd() -> Result<Self> {
        Self::named(SchedulerName::Tcd)?.with_eta(0.3)
    }

    /// Models fine-tuned to predict velocity with zero terminal SNR (NoobAI-XL and others): Euler's method,
    /// trailing, so that it begins at pure noise. 28 to 35 steps, guidance 4 to 6 with a rescale of 0.7.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn v_prediction_zero_snr() -> Result<Self> {
        let config =
            Config::sdxl().with("prediction_type", "v_prediction").with("timestep_spacing", "trailing");
        Class::Euler.scheduler(config.with("rescale_betas_zero_snr", true))
    }

    /// Playground v2.5: DPM-Solver++ (2M) on EDM's levels from 80 to 0.002. 50 steps, guidance 3.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn playground_v2_5() -> Result<Self> {
        let config = Config::sdxl().with("sigma_min", 0.002).with("sigma_max", 80.0).with("sigma_data", 0.5);
        Class::EdmDpmSolverMultistep.scheduler(config)
    }

    /// CosXL: Euler's method on exponential levels from 120 to 0.002, velocity. 20 steps, guidance 7.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn cosxl() -> Result<Self> {
        let config = Config::sdxl().with("sigma_min", 0.002).with("sigma_max", 120.0).with("sigma_data", 1.0);
        let config = config.with("sigma_schedule", "exponential").with("prediction_type", "v_prediction");
        Class::EdmEuler.scheduler(config)
    }
}
