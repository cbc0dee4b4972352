//! [`Objective`]: what the network is asked for at which noise levels, and how much each counts.

use std::f64::consts::PI;
use std::ops::Range;

use tch::{Kind, Tensor};

use super::draws::Draws;
use crate::error::{Error, Result};
use crate::nn::ops;
use crate::runtime::Numbers;
use crate::scheduler::{Coefficients, NoiseSchedule, Prediction, Scheduler, ZeroSnr};

/// The training objective of a diffusion model.
///
/// Everything follows from [`Prediction::coefficients`]: for data `x₀`, noise `n` and level σ the network is given
/// `c_in·(x₀ + σ·n)` and asked for the output that makes the denoised sample `x₀`. For [`Prediction::Epsilon`] that is
/// the noise (the paper's objective), for [`Prediction::V`] the velocity.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// What the network predicts.
    pub prediction: Prediction,
    /// How much each noise level counts.
    pub weighting: Weighting,
    /// The deviation of a number that is added to each channel of the noise (paper, section 2.5: 0.05 in the last
    /// stage), so that the model learns to change the brightness of a whole picture.
    pub offset_noise: f64,
    /// The levels that are drawn.
    pub levels: NoiseLevels,
}

impl Default for Objective {
    /// The paper's first stage: noise prediction, every level alike, no offset.
    fn default() -> Self {
        Self {
            prediction: Prediction::Epsilon,
            weighting: Weighting::Uniform,
            offset_noise: 0.,
            levels: NoiseLevels::default(),
        }
    }
}

/// How much the squared error of the network's output counts at a level.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Weighting {
    /// 1 for the output: for noise prediction 1/σ² for the denoised sample (paper, appendix C).
    #[default]
    Uniform,
    /// `min(SNR, γ)` for the denoised sample, with SNR = 1/σ² (Hang et al., arXiv 2303.09556). Usual: 5.
    MinSnr(f64),
    /// `(σ² + σ_data²) / (σ·σ_data)²` for the denoised sample (Karras et al. 2022). With [`Prediction::Edm`] that is 1
    /// for the output.
    Edm {
        /// The standard deviation of the data.
        sigma_data: f64,
    },
}

/// The noise levels that a training draws.
#[derive(Debug, Clone, PartialEq)]
pub enum NoiseLevels {
    /// Timesteps of a discrete schedule, uniformly from a range.
    Discrete {
        /// The schedule.
        schedule: NoiseSchedule,
        /// The timesteps: 0 to 1000 for a base model, 0 to 200 for the paper's refiner.
        timesteps: Range<usize>,
        /// Some timesteps more often than others.
        bias: Option<TimestepBias>,
    },
    /// `ln σ` normally distributed (Karras et al. 2022); the network is told ¼·ln σ.
    LogNormal {
        /// Mean of `ln σ`. EDM: −1.2.
        mean: f64,
        /// Standard deviation of `ln σ`. EDM: 1.2.
        deviation: f64,
    },
}

impl Default for NoiseLevels {
    /// All 1000 timesteps of Stable Diffusion XL.
    fn default() -> Self {
        Self::Discrete { schedule: NoiseSchedule::default(), timesteps: 0..1000, bias: None }
    }
}

/// Draws some timesteps more often, as `--timestep_bias_strategy` of diffusers' scripts.
#[derive(Debug, Clone, PartialEq)]
pub struct TimestepBias {
    /// The timesteps.
    pub timesteps: Range<usize>,
    /// How many times as often as the others they are drawn: above 0.
    pub multiplier: f64,
}

/// A noise level for each sample.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Levels {
    sigmas: Vec<f64>,
    /// What the network is told.
    times: Vec<f32>,
}

/// Noised samples, and what the network should say of them.
#[derive(Debug)]
pub struct Noised {
    /// The network's input: `(B, C, H, W)`.
    pub input: Tensor,
    /// What the network is told of the level: `(B)`.
    pub timesteps: Tensor,
    /// What its output should be: `(B, C, H, W)`.
    pub target: Tensor,
    /// How much each sample counts: `(B)`.
    pub weights: Tensor,
}

impl Objective {
    /// What a model is trained for that is then sampled with this scheduler: its prediction at the noise levels of its
    /// schedule, with EDM's distribution and weighting where that is continuous.
    pub fn of(scheduler: &Scheduler) -> Self {
        let prediction = scheduler.prediction();
        let (levels, weighting) = match scheduler.noise_schedule() {
            NoiseSchedule::Discrete { steps, .. } => {
                let schedule = scheduler.noise_schedule().clone();
                (NoiseLevels::Discrete { schedule, timesteps: 0..*steps, bias: None }, Weighting::Uniform)
            }
            NoiseSchedule::Continuous { .. } => {
                let sigma_data = match prediction {
                    Prediction::Edm { sigma_data } | Prediction::EdmVelocity { sigma_data } => sigma_data,
                    _ => 1.,
                };
                (NoiseLevels::LogNormal { mean: -1.2, deviation: 1.2 }, Weighting::Edm { sigma_data })
            }
        };
        Self { prediction, weighting, offset_noise: 0., levels }
    }

    /// An objective ready to draw from.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an offset, weight or range that cannot be.
    pub fn check(&self) -> Result<()> {
        if !(0. ..=1.).contains(&self.offset_noise) {
            return Err(Error::invalid("offset_noise", self.offset_noise, "0 to 1"));
        }
        self.prediction.check()?;
        let positive = |field, value: f64| match value.is_finite() && value > 0. {
            true => Ok(()),
            false => Err(Error::invalid(field, value, "a finite number above 0")),
        };
        match self.weighting {
            Weighting::Uniform => {}
            Weighting::MinSnr(gamma) => positive("min-SNR gamma", gamma)?,
            Weighting::Edm { sigma_data } => positive("sigma_data", sigma_data)?,
        }
        match &self.levels {
            NoiseLevels::Discrete { schedule, timesteps, bias } => {
                let count = schedule.sigmas(ZeroSnr::Exact)?.len();
                let fits = |range: &Range<usize>| !range.is_empty() && range.end <= count;
                if !fits(timesteps) {
                    return Err(Error::invalid(
                        "timesteps",
                        format!("{timesteps:?}"),
                        format!("within 0..{count}"),
                    ));
                }
                if let Some(bias) = bias {
                    positive("timestep bias", bias.multiplier)?;
                    if !fits(&bias.timesteps) {
                        let found = format!("{:?}", bias.timesteps);
                        return Err(Error::invalid("timestep bias", found, format!("within 0..{count}")));
                    }
                }
                Ok(())
            }
            NoiseLevels::LogNormal { deviation, .. } => positive("deviation", *deviation),
        }
    }

    /// Draws a level and noise for each sample, in diffusers' order: noise, offset, level.
    ///
    /// # Shapes
    /// `latents` `(B, C, H, W)` in f32, scaled as the UNet sees them.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an impossible objective.
    pub fn noise(&self, latents: &Tensor, draws: &mut Draws) -> Result<Noised> {
        let (batch, channels, ..) = latents.size4()?;
        let mut noise = draws.normal(&latents.size())?;
        if self.offset_noise > 0. {
            let offset = draws.normal(&[batch, channels, 1, 1])?;
            noise = noise.f_add(&offset.f_mul_number(self.offset_noise)?)?;
        }
        let levels = self.levels.draw(batch as usize, draws)?;
        self.noised(latents, &noise.f_to_device(latents.device())?, &levels)
    }

    /// The same with given noise and timesteps.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a timestep outside the schedule.
    pub fn noise_with(&self, latents: &Tensor, noise: &Tensor, timesteps: &[usize]) -> Result<Noised> {
        self.noised(latents, noise, &self.levels.at(timesteps)?)
    }

    fn noised(&self, latents: &Tensor, noise: &Tensor, levels: &Levels) -> Result<Noised> {
        let column = |value: &dyn Fn(Coefficients, f64) -> f64| -> Result<Tensor> {
            let values: Vec<f32> = levels
                .sigmas
                .iter()
                .map(|&sigma| value(self.prediction.coefficients(sigma), sigma) as f32)
                .collect();
            Ok(Tensor::f_from_slice(&values)?.f_to_device(latents.device())?)
        };
        let spread = |column: Tensor| column.f_view([-1, 1, 1, 1]);
        let mix = |of_data: Tensor, of_noise: Tensor| -> Result<Tensor> {
            let (data, noise) = (latents.f_mul(&spread(of_data)?)?, noise.f_mul(&spread(of_noise)?)?);
            ops::linear_combination(&[(1., &data), (1., &noise)])
        };
        Ok(Noised {
            input: mix(column(&|c, _| c.c_in)?, column(&|c, sigma| c.c_in * sigma)?)?,
            // x₀ = c_skip·(x₀ + σ·n) + c_out·target
            target: mix(
                column(&|c, _| (1. - c.c_skip) / c.c_out)?,
                column(&|c, sigma| -c.c_skip * sigma / c.c_out)?,
            )?,
            timesteps: Tensor::f_from_slice(&levels.times)?.f_to_device(latents.device())?,
            weights: column(&|c, sigma| self.weighting.of_output(sigma, c.c_out))?,
        })
    }

    /// The mean over the samples of weight times mean squared error.
    ///
    /// # Shapes
    /// `output` `(B, C, H, W)` to a scalar in f32.
    ///
    /// # Errors
    /// [`Error::Torch`] where the shapes differ.
    pub fn loss(&self, output: &Tensor, noised: &Noised) -> Result<Tensor> {
        let error = output.f_to_kind(Kind::Float)?.f_sub(&noised.target)?.f_square()?;
        let each = error.f_mean_dim([1i64, 2, 3].as_slice(), false, Kind::Float)?;
        Ok(each.f_mul(&noised.weights)?.f_mean(Kind::Float)?)
    }
}

impl Weighting {
    /// The weight of the output's squared error: that of the denoised sample times `c_out²`.
    fn of_output(self, sigma: f64, c_out: f64) -> f64 {
        let denoised = match self {
            Self::Uniform => return 1.,
            Self::MinSnr(gamma) => sigma.powi(-2).min(gamma),
            Self::Edm { sigma_data } => (sigma.powi(2) + sigma_data.powi(2)) / (sigma * sigma_data).powi(2),
        };
        denoised * c_out.powi(2)
    }
}

impl NoiseLevels {
    fn at(&self, timesteps: &[usize]) -> Result<Levels> {
        let Self::Discrete { schedule, .. } = self else {
            return Err(Error::invalid("timesteps", "given", "none for continuous noise levels"));
        };
        let table = schedule.sigmas(ZeroSnr::Exact)?;
        let sigma = |&timestep: &usize| {
            let expected = || format!("below {}", table.len());
            table.get(timestep).copied().ok_or_else(|| Error::invalid("timestep", timestep, expected()))
        };
        Ok(Levels {
            sigmas: timesteps.iter().map(sigma).collect::<Result<_>>()?,
            times: timesteps.iter().map(|&timestep| timestep as f32).collect(),
        })
    }

    fn draw(&self, count: usize, draws: &mut Draws) -> Result<Levels> {
        match self {
            Self::Discrete { timesteps, bias, .. } => {
                let drawn: Vec<usize> =
                    (0..count).map(|_| draw_timestep(timesteps, bias.as_ref(), draws.uniform())).collect();
                self.at(&drawn)
            }
            Self::LogNormal { mean, deviation } => {
                // Box and Muller.
                let mut normal = || {
                    let (radius, angle) = (1. - draws.uniform(), draws.uniform());
                    (-2. * radius.ln()).sqrt() * (2. * PI * angle).cos()
                };
                let logarithms: Vec<f64> = (0..count).map(|_| mean + deviation * normal()).collect();
                Ok(Levels {
                    sigmas: logarithms.iter().map(|log| log.exp()).collect(),
                    times: logarithms.iter().map(|log| (log / 4.) as f32).collect(),
                })
            }
        }
    }
}

/// The timestep at a place of [0, 1) along the cumulated weights.
fn draw_timestep(timesteps: &Range<usize>, bias: Option<&TimestepBias>, place: f64) -> usize {
    let weight = |timestep: usize| match bias {
        Some(bias) if bias.timesteps.contains(&timestep) => bias.multiplier,
        _ => 1.,
    };
    let mut rest = place * timesteps.clone().map(weight).sum::<f64>();
    for timestep in timesteps.clone() {
        rest -= weight(timestep);
        if rest < 0. {
            return timestep;
        }
    }
    timesteps.end.saturating_sub(1)
}
