//! [`SolverKind`]: which solver, with its options.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ddpm::{Ddpm, Variance};
use super::dpm::{DpmSolver, Multistep};
use super::pndm::{Output, Pndm, WarmUp};
use super::sa_solver::{SaSolver, StochasticAdams};
use super::unipc::{PredictorCorrector, UniPc};
use super::{Solver, ddim, deis, dpm_singlestep, dpm2, dpmpp_2s, dpmpp_sde, euler, heun, lcm, lms, tcd};
use crate::error::{Error, Result};
use crate::scheduler::brownian::{SdeNoise, SdeSampler};
use crate::scheduler::builder::Settings;
use crate::scheduler::clip::{Clip, Clipped};
use crate::scheduler::level::{Level, Step, Table};
use crate::scheduler::order::{FinalSteps, Order};
use crate::scheduler::plan::Plan;
use crate::scheduler::prediction::Prediction;
use crate::scheduler::spacing::Terminal;

/// Which solver, with its own options. The default is [`SolverKind::Euler`].
///
/// diffusers' class is named with each; where the paper has another name, it is the paper's that counts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum SolverKind {
    /// Euler's method (`EulerDiscreteScheduler`, `EDMEulerScheduler`). First order.
    #[default]
    Euler,
    /// Euler's method with fresh noise in each step (`EulerAncestralDiscreteScheduler`).
    EulerAncestral,
    /// Heun's method (`HeunDiscreteScheduler`). Second order, two model calls a step.
    Heun,
    /// DPM-Solver-2 (`KDPM2DiscreteScheduler`). Second order, two model calls a step.
    Dpm2,
    /// DPM-Solver-2 with fresh noise (`KDPM2AncestralDiscreteScheduler`).
    Dpm2Ancestral,
    /// DPM-Solver++ (2S) with fresh noise, k-diffusion's. Two model calls a step.
    Dpmpp2sAncestral,
    /// DPM-Solver++ SDE (`DPMSolverSDEScheduler`). Two model calls a step.
    DpmppSde {
        /// Where its noise comes from; diffusers' class: a Brownian path.
        noise: SdeNoise,
    },
    /// The multistep DPM-Solvers (`DPMSolverMultistepScheduler`, `EDMDPMSolverMultistepScheduler`).
    DpmMultistep(DpmSolver),
    /// The singlestep DPM-Solvers (`DPMSolverSinglestepScheduler`).
    DpmSinglestep(DpmSolver),
    /// The linear multistep method in σ (`LMSDiscreteScheduler`).
    Lms {
        /// How many slopes it combines, 1 to 4. diffusers: 4.
        order: usize,
    },
    /// DDIM (`DDIMScheduler`), in the steps of T/N that diffusers takes whatever the spacing. First order.
    Ddim {
        /// The share of fresh noise: 0 (none, diffusers' default) to 1 (as much as DDPM).
        eta: f64,
    },
    /// The ancestral sampler that the model was trained for (`DDPMScheduler`).
    Ddpm {
        /// How much noise it adds.
        variance: Variance,
    },
    /// Pseudo linear multistep (`PNDMScheduler`). Fourth order.
    Pndm {
        /// How it begins.
        warm_up: WarmUp,
    },
    /// UniPC (`UniPCMultistepScheduler`).
    UniPc(UniPc),
    /// DEIS in its log-ρ form (`DEISMultistepScheduler`).
    Deis {
        /// The order, as soon as there are enough predictions for it.
        order: Order,
        /// What the last steps are.
        final_steps: FinalSteps,
    },
    /// SA-Solver (`SASolverScheduler`).
    SaSolver(SaSolver),
    /// Latent consistency models (`LCMScheduler`).
    Lcm {
        /// The factor of the timestep in the boundary condition. diffusers: 10.
        timestep_scaling: f64,
    },
    /// Trajectory consistency distillation (`TCDScheduler`).
    Tcd {
        /// The share of fresh noise, 0 to 1; γ in the paper. More of it helps with more steps.
        eta: f64,
    },
    /// A solver written outside of this crate, with the conventions of the k-diffusion family.
    #[serde(skip)]
    Custom(CustomSolver),
}

/// How the diffusers classes of a solver count timesteps and keep their samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// The classes made after k-diffusion: samples in sigma space, fractional timesteps.
    KDiffusion,
    /// DPM-Solver, UniPC, DEIS: samples of unit variance, whole timesteps, one spare point in the spacing.
    DpmSolver,
    /// DDIM, DDPM, PNDM, LCM, TCD: samples of unit variance, whole timesteps.
    Ddpm,
}

impl SolverKind {
    /// DPM-Solver++ (2M), the default of [`DpmSolver`].
    pub fn dpmpp_2m() -> Self {
        Self::DpmMultistep(DpmSolver::default())
    }

    pub(crate) fn is_euler(&self) -> bool {
        matches!(self, Self::Euler)
    }

    pub(crate) fn family(&self) -> Family {
        match self {
            Self::Euler
            | Self::EulerAncestral
            | Self::Heun
            | Self::Dpm2
            | Self::Dpm2Ancestral
            | Self::Dpmpp2sAncestral
            | Self::DpmppSde { .. }
            | Self::Lms { .. }
            | Self::Custom(_) => Family::KDiffusion,
            Self::DpmMultistep(_)
            | Self::DpmSinglestep(_)
            | Self::UniPc(_)
            | Self::Deis { .. }
            | Self::SaSolver(_) => Family::DpmSolver,
            Self::Ddim { .. }
            | Self::Ddpm { .. }
            | Self::Pndm { .. }
            | Self::Lcm { .. }
            | Self::Tcd { .. } => Family::Ddpm,
        }
    }

    /// A solver at the start of the run of a plan.
    pub(crate) fn start(&self, plan: &Plan, settings: &Settings) -> Box<dyn Solver> {
        let (table, total) = (plan.table(), plan.total_steps());
        let sigmas: Vec<f64> = plan.levels().iter().map(|level| level.sigma).collect();
        let solver: Box<dyn Solver> = match self {
            // It needs the sample as predicted, too.
            Self::Ddim { eta } => return Box::new(ddim::Ddim::new(*eta, settings.clip)),
            Self::Euler => Box::new(euler::Euler),
            Self::EulerAncestral => Box::new(euler::EulerAncestral),
            Self::Heun => Box::new(heun::Heun),
            Self::Dpm2 => Box::new(dpm2::Dpm2 { table }),
            Self::Dpm2Ancestral => Box::new(dpm2::Dpm2Ancestral { table }),
            Self::Dpmpp2sAncestral => Box::new(dpmpp_2s::Dpmpp2sAncestral { table }),
            Self::DpmppSde { noise } => {
                Box::new(dpmpp_sde::DpmppSde { table, sampler: SdeSampler::new(*noise, &sigmas) })
            }
            Self::DpmMultistep(options) => {
                Box::new(Multistep::new(*options, total, SdeSampler::new(options.noise, &sigmas)))
            }
            Self::DpmSinglestep(options) => {
                let ends_at_zero = sigmas.last().is_some_and(|sigma| *sigma == 0.0);
                let sampler = SdeSampler::new(options.noise, &sigmas);
                Box::new(dpm_singlestep::Singlestep::new(*options, (total, ends_at_zero), sampler))
            }
            Self::Lms { order } => Box::new(lms::Lms::new(*order, sigmas)),
            Self::Ddpm { variance } => Box::new(Ddpm { variance: *variance }),
            Self::Pndm { warm_up } => {
                let is_velocity = settings.prediction == Prediction::V;
                let output = if is_velocity { Output::Velocity } else { Output::Noise };
                Box::new(Pndm::new(*warm_up, output, table, plan.stride()))
            }
            Self::UniPc(options) => Box::new(PredictorCorrector::new(options.clone(), total)),
            Self::Deis { order, final_steps } => Box::new(deis::Deis::new(*order, *final_steps, total)),
            Self::SaSolver(options) => Box::new(StochasticAdams::new(*options, total)),
            Self::Lcm { timestep_scaling } => Box::new(lcm::Lcm { timestep_scaling: *timestep_scaling }),
            Self::Tcd { eta } => Box::new(tcd::Tcd { eta: *eta, table, total }),
            Self::Custom(custom) => (custom.make)(plan),
        };
        match settings.clip {
            Clip::Off => solver,
            clip => Box::new(Clipped { clip, solver }),
        }
    }

    /// Where a run ends if nothing else is asked for.
    pub(crate) fn usual_terminal(&self) -> Terminal {
        match self {
            Self::DpmMultistep(options) | Self::DpmSinglestep(options)
                if options.algorithm.predicts_noise() =>
            {
                Terminal::SigmaMin
            }
            Self::Deis { .. } | Self::SaSolver(_) | Self::Pndm { .. } | Self::Tcd { .. } => {
                Terminal::SigmaMin
            }
            _ => Terminal::Zero,
        }
    }

    /// The number of training timesteps that are used.
    pub(crate) fn used_timesteps(&self, table: &Table) -> usize {
        match self {
            Self::DpmMultistep(options) | Self::DpmSinglestep(options) => {
                table.count_above(options.lambda_min)
            }
            Self::SaSolver(options) => table.count_above(options.lambda_min),
            _ => table.len(),
        }
    }

    /// Whether diffusers' class of it calls the network twice in each step but the last.
    pub(crate) fn calls_twice(&self) -> bool {
        matches!(self, Self::Heun | Self::Dpm2 | Self::Dpm2Ancestral | Self::DpmppSde { .. })
    }

    /// The level of the second model call of a step, for those that [call twice](Self::calls_twice).
    pub(crate) fn second_call(&self, step: &Step, table: &Table) -> Option<Level> {
        match self {
            Self::Heun => (step.to.sigma > 0.0).then_some(step.to),
            Self::Dpm2 | Self::DpmppSde { .. } => dpm2::middle(step, table),
            Self::Dpm2Ancestral => dpm2::ancestral_middle(step, table),
            _ => None,
        }
    }

    pub(crate) fn check(&self, terminal: Terminal) -> Result<()> {
        match self {
            Self::Ddim { eta } | Self::Tcd { eta } if !(0.0..=1.0).contains(eta) => {
                Err(Error::invalid("eta", eta, "from 0 to 1"))
            }
            Self::Lms { order } if !(1..=4).contains(order) => {
                Err(Error::invalid("order", order, "from 1 to 4"))
            }
            Self::Lcm { timestep_scaling } if !(timestep_scaling.is_finite() && *timestep_scaling > 0.0) => {
                Err(Error::invalid("timestep_scaling", timestep_scaling, "a positive number"))
            }
            Self::Lcm { .. } if terminal == Terminal::SigmaMin => Err(Error::invalid(
                "terminal",
                "SigmaMin",
                "Zero: a consistency model's last step is its data",
            )),
            Self::DpmMultistep(options) | Self::DpmSinglestep(options) => options.check(terminal),
            Self::SaSolver(options) => options.check(),
            _ => Ok(()),
        }
    }
}

/// A way of making a solver of your own, for [`SolverKind::Custom`].
#[derive(Clone)]
pub struct CustomSolver {
    name: String,
    make: Arc<MakeSolver>,
}

type MakeSolver = dyn Fn(&Plan) -> Box<dyn Solver> + Send + Sync;

impl CustomSolver {
    /// A solver that `make` makes at the start of each run. `name` is for messages.
    pub fn new(name: &str, make: impl Fn(&Plan) -> Box<dyn Solver> + Send + Sync + 'static) -> Self {
        Self { name: name.to_owned(), make: Arc::new(make) }
    }
}

impl fmt::Debug for CustomSolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CustomSolver").field(&self.name).finish()
    }
}
