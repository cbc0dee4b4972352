//! [`NoiseSchedule`]: how much noise the model was trained to remove at each timestep.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::error::{Error, Result};
use crate::runtime::{Numbers, number};

/// The noise levels of the training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum NoiseSchedule {
    /// A table of levels, one for each training timestep (DDPM, and so Stable Diffusion XL).
    Discrete {
        /// The variances that one step of the forward process adds.
        betas: Betas,
        /// The number of training timesteps. Stable Diffusion XL: 1000.
        steps: usize,
        /// What the last timestep is.
        terminal_snr: TerminalSnr,
    },
    /// All levels between two, as EDM trains (Karras et al. 2022). The network is told ¼·ln σ.
    Continuous {
        /// The smallest noise level. EDM: 0.002.
        sigma_min: f64,
        /// The largest noise level. EDM: 80, CosXL: 120.
        sigma_max: f64,
    },
}

/// The shape of the betas of a [`NoiseSchedule::Discrete`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Betas {
    /// `linear`: evenly from `start` to `end` (DDPM: 0.0001 to 0.02).
    Linear {
        /// The first beta.
        start: f64,
        /// The last beta.
        end: f64,
    },
    /// `scaled_linear`: the square of an even line of square roots. Stable Diffusion XL: 0.00085 to 0.012.
    ScaledLinear {
        /// The first beta.
        start: f64,
        /// The last beta.
        end: f64,
    },
    /// `squaredcos_cap_v2`: ᾱ(u) = cos²((u + 0.008)/1.008·π/2), betas at most 0.999 (Nichol and Dhariwal 2021).
    Cosine,
    /// `exp`: ᾱ(u) = e^(−12u), betas at most 0.999.
    Exponential,
    /// `laplace`: the log-SNR is a Laplace distribution (Hang et al. 2024), betas at most 0.999.
    Laplace,
    /// `sigmoid`: a logistic curve from −6 to 6 between `start` and `end` (GeoDiff).
    Sigmoid {
        /// The beta that the curve starts from.
        start: f64,
        /// The beta that the curve ends at.
        end: f64,
    },
    /// `trained_betas`: any list, one for each training timestep.
    Trained(Vec<f32>),
}

/// What the last training timestep is (Lin et al., arXiv 2305.08891).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum TerminalSnr {
    /// As the betas make it: a little of the picture is left.
    #[default]
    AsTrained,
    /// `rescale_betas_zero_snr`: pure noise.
    Zero,
}

/// How exactly "pure noise" is meant: diffusers' classes differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ZeroSnr {
    /// ᾱ = 2⁻²⁴, so σ = 4096: the classes that work with σ.
    Floor,
    /// ᾱ = 0, so σ is infinite: DDIM, DDPM, LCM and TCD.
    Exact,
}

/// Stands for an infinite σ. It is so large that `1/σ` is lost in f32 beside 1, so that every result is
/// that of the limit to rounding, and so small that σ² stays finite in f32.
pub(crate) const INFINITE_SIGMA: f64 = (1u64 << 30) as f64;

impl Default for NoiseSchedule {
    /// Stable Diffusion XL's: `scaled_linear` from 0.00085 to 0.012 in 1000 steps.
    fn default() -> Self {
        let betas = Betas::ScaledLinear { start: 0.00085, end: 0.012 };
        Self::Discrete { betas, steps: 1000, terminal_snr: TerminalSnr::AsTrained }
    }
}

impl NoiseSchedule {
    /// The noise levels of a discrete schedule, in the order of its timesteps; empty for a continuous one.
    ///
    /// Computed by libtorch in f32, operation by operation as diffusers does it, because later steps
    /// subtract nearly equal numbers of this table.
    pub(crate) fn sigmas(&self, zero: ZeroSnr) -> Result<Vec<f64>> {
        let Self::Discrete { betas, steps, terminal_snr } = self else { return Ok(Vec::new()) };
        let betas_of = match betas {
            Betas::Trained(list) => format!("a list of {} betas", list.len()),
            other => format!("{other:?}"),
        };
        let mut betas = betas.tensor(*steps)?;
        if *terminal_snr == TerminalSnr::Zero {
            betas = zero_terminal_snr(&betas)?;
        }
        let alphas_cumprod = one_minus(&betas)?.f_cumprod(0, Kind::Float)?;
        let sigmas = one_minus(&alphas_cumprod)?.f_div(&alphas_cumprod)?.f_sqrt()?;
        let mut sigmas: Vec<f64> = Vec::<f32>::try_from(&sigmas)?.into_iter().map(f64::from).collect();
        if let (TerminalSnr::Zero, Some(last)) = (terminal_snr, sigmas.last_mut()) {
            *last = match zero {
                ZeroSnr::Floor => 4096.0,
                ZeroSnr::Exact => INFINITE_SIGMA,
            };
        }
        // The floor may lie below the level before it, as it does for `linear` betas; diffusers leaves it so.
        let rising = sigmas.iter().take(sigmas.len().saturating_sub(1));
        match rising.is_sorted() && sigmas.iter().all(|sigma| sigma.is_finite() && *sigma > 0.0) {
            true => Ok(sigmas),
            false => Err(Error::invalid("noise schedule", betas_of, "betas between 0 and 1")),
        }
    }
}

impl Betas {
    fn tensor(&self, steps: usize) -> Result<Tensor> {
        let even = |start: f64, end: f64| {
            let steps = i64::try_from(steps).unwrap_or(i64::MAX);
            Tensor::f_linspace_tensor_tensor(
                &number(start)?,
                &number(end)?,
                steps,
                (Kind::Float, Device::Cpu),
            )
        };
        Ok(match self {
            Self::Linear { start, end } => even(*start, *end)?,
            Self::ScaledLinear { start, end } => even(start.sqrt(), end.sqrt())?.f_square()?,
            Self::Cosine => {
                from_alpha_bar(steps, |u| ((u + 0.008) / 1.008 * std::f64::consts::FRAC_PI_2).cos().powi(2))?
            }
            Self::Exponential => from_alpha_bar(steps, |u| (-12.0 * u).exp())?,
            Self::Laplace => from_alpha_bar(steps, |u| {
                let side = 1.0_f64.copysign(0.5 - u);
                let snr = (-0.5 * side * (1.0 - 2.0 * (0.5 - u).abs() + 1e-6).ln()).exp();
                (snr / (1.0 + snr)).sqrt()
            })?,
            Self::Sigmoid { start, end } => {
                even(-6.0, 6.0)?.f_sigmoid()?.f_mul_number(end - start)?.f_add_number(*start)?
            }
            Self::Trained(betas) => Tensor::f_from_slice(betas)?,
        })
    }
}

fn from_alpha_bar(steps: usize, alpha_bar: impl Fn(f64) -> f64) -> Result<Tensor> {
    let at = |index: usize| alpha_bar(index as f64 / steps as f64);
    let betas: Vec<f32> = (0..steps).map(|i| (1.0 - at(i + 1) / at(i)).min(0.999) as f32).collect();
    Ok(Tensor::f_from_slice(&betas)?)
}

/// Algorithm 1 of arXiv 2305.08891: shifts and scales √ᾱ so that the last is 0 and the first stays.
fn zero_terminal_snr(betas: &Tensor) -> Result<Tensor> {
    let roots = one_minus(betas)?.f_cumprod(0, Kind::Float)?.f_sqrt()?;
    let (first, last) = (roots.f_get(0)?, roots.f_get(-1)?);
    let scale = first.f_div(&first.f_sub(&last)?)?;
    let alphas_cumprod = roots.f_sub(&last)?.f_mul(&scale)?.f_square()?;
    let count = alphas_cumprod.size1()?;
    let ratio =
        alphas_cumprod.f_narrow(0, 1, count - 1)?.f_div(&alphas_cumprod.f_narrow(0, 0, count - 1)?)?;
    one_minus(&Tensor::f_cat(&[alphas_cumprod.f_narrow(0, 0, 1)?, ratio], 0)?)
}

fn one_minus(x: &Tensor) -> Result<Tensor> {
    Ok(x.f_neg()?.f_add_number(1)?)
}
