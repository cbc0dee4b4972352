//! Changing a checkpoint's scheduler by name: the names of the command line.

use super::Scheduler;
use super::class::Class;
use crate::error::{Error, Result};

impl Scheduler {
    /// Another solver on the same configuration: diffusers' `Class.from_config(pipe.scheduler.config)`. Keys
    /// that the configuration does not have take the class's own defaults.
    ///
    /// Names: `euler`, `ddim`, `dpmpp_2m`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another name.
    pub fn with_name(&self, name: &str) -> Result<Self> {
        let config = self.config.clone();
        match name {
            "euler" => Class::Euler.scheduler(config.with("_class_name", "EulerDiscreteScheduler")),
            "ddim" => Class::Ddim.scheduler(config.with("_class_name", "DDIMScheduler")),
            "dpmpp_2m" => Class::DpmSolverMultistep.scheduler(
                config
                    .with("_class_name", "DPMSolverMultistepScheduler")
                    .with("algorithm_type", "dpmsolver++")
                    .with("solver_order", 2),
            ),
            _ => Err(Error::invalid("scheduler", format!("`{name}`"), "euler, ddim or dpmpp_2m")),
        }
    }

    /// Other timesteps or noise levels. `leading`, `trailing` and `linspace` set `timestep_spacing`;
    /// `karras`, `exponential` and `beta` set `use_…_sigmas` and keep it, since it fixes the end points;
    /// `sgm_uniform` is `trailing`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another name.
    pub fn with_spacing(&self, name: &str) -> Result<Self> {
        let config = self.config.clone();
        let config = match name {
            "leading" | "trailing" | "linspace" => config.with("timestep_spacing", name),
            "sgm_uniform" => config.with("timestep_spacing", "trailing"),
            "karras" => config.with("use_karras_sigmas", true),
            "exponential" => config.with("use_exponential_sigmas", true),
            "beta" => config.with("use_beta_sigmas", true),
            _ => {
                let expected = "leading, trailing, linspace, karras, exponential, beta or sgm_uniform";
                return Err(Error::invalid("spacing", format!("`{name}`"), expected));
            }
        };
        config.class()?.scheduler(config)
    }

    /// Another meaning of the network's output: `epsilon`, `v` or `sample`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another name.
    pub fn with_prediction(&self, name: &str) -> Result<Self> {
        let value = match name {
            "epsilon" | "sample" => name,
            "v" => "v_prediction",
            _ => return Err(Error::invalid("prediction", format!("`{name}`"), "epsilon, v or sample")),
        };
        let config = self.config.clone().with("prediction_type", value);
        config.class()?.scheduler(config)
    }
}
