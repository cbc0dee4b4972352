//! [`NoiseSchedule`]: how much noise the model was trained to remove at each timestep.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

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
    /// Computed in f32, operation by operation as libtorch does it for diffusers, because later steps subtract nearly
    /// equal numbers of this table. Square roots are rounded better than MKL's, and sigmoid betas are off by
    /// one rounding.
    pub(crate) fn sigmas(&self, zero: ZeroSnr) -> Result<Vec<f64>> {
        let Self::Discrete { betas, steps, terminal_snr } = self else { return Ok(Vec::new()) };
        let betas_of = match betas {
            Betas::Trained(list) => format!("a list of {} betas", list.len()),
            other => format!("{other:?}"),
        };
        let mut betas = betas.values(*steps);
        if *terminal_snr == TerminalSnr::Zero {
            betas = zero_terminal_snr(&betas);
        }
        let sigma = |alpha_cumprod: f32| f64::from(((1.0 - alpha_cumprod) / alpha_cumprod).sqrt());
        let mut sigmas: Vec<f64> = alphas_cumprod(&betas).into_iter().map(sigma).collect();
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
    fn values(&self, steps: usize) -> Vec<f32> {
        match self {
            Self::Linear { start, end } => linspace(*start as f32, *end as f32, steps),
            Self::ScaledLinear { start, end } => {
                linspace(start.sqrt() as f32, end.sqrt() as f32, steps).into_iter().map(|x| x * x).collect()
            }
            Self::Cosine => {
                from_alpha_bar(steps, |u| ((u + 0.008) / 1.008 * std::f64::consts::FRAC_PI_2).cos().powi(2))
            }
            Self::Exponential => from_alpha_bar(steps, |u| (-12.0 * u).exp()),
            Self::Laplace => from_alpha_bar(steps, |u| {
                let side = 1.0_f64.copysign(0.5 - u);
                let snr = (-0.5 * side * (1.0 - 2.0 * (0.5 - u).abs() + 1e-6).ln()).exp();
                (snr / (1.0 + snr)).sqrt()
            }),
            Self::Sigmoid { start, end } => {
                let sigmoid = |x: f32| (1.0 / (1.0 + (-f64::from(x)).exp())) as f32;
                let curve = linspace(-6.0, 6.0, steps).into_iter().map(sigmoid);
                curve.map(|x| x * (end - start) as f32 + *start as f32).collect()
            }
            Self::Trained(betas) => betas.clone(),
        }
    }
}

/// `torch.linspace` in f32: from either end to the middle, each product and sum rounded once.
fn linspace(start: f32, end: f32, steps: usize) -> Vec<f32> {
    if steps == 1 {
        return vec![start];
    }
    let step = (end - start) / steps.saturating_sub(1) as f32;
    let at = |index: usize| match index < steps / 2 {
        true => step.mul_add(index as f32, start),
        false => (-step).mul_add((steps - index - 1) as f32, end),
    };
    (0..steps).map(at).collect()
}

/// ᾱ: libtorch multiplies in f64, and rounds each product.
fn alphas_cumprod(betas: &[f32]) -> Vec<f32> {
    let product = |product: &mut f64, beta: &f32| {
        *product *= f64::from(1.0 - beta);
        Some(*product as f32)
    };
    betas.iter().scan(1.0, product).collect()
}

fn from_alpha_bar(steps: usize, alpha_bar: impl Fn(f64) -> f64) -> Vec<f32> {
    let at = |index: usize| alpha_bar(index as f64 / steps as f64);
    (0..steps).map(|i| (1.0 - at(i + 1) / at(i)).min(0.999) as f32).collect()
}

/// Algorithm 1 of arXiv 2305.08891: shifts and scales √ᾱ so that the last is 0 and the first stays.
fn zero_terminal_snr(betas: &[f32]) -> Vec<f32> {
    let roots: Vec<f32> = alphas_cumprod(betas).into_iter().map(f32::sqrt).collect();
    let (Some(first), Some(last)) = (roots.first(), roots.last()) else { return Vec::new() };
    let scale = first / (first - last);
    let shifted = roots.iter().map(|root| (root - last) * scale).map(|root| root * root);
    let ratio = |before: &mut f32, alpha_cumprod: f32| {
        let ratio = alpha_cumprod / *before;
        *before = alpha_cumprod;
        Some(1.0 - ratio)
    };
    shifted.scan(1.0, ratio).collect()
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::*;

    /// One rounding of f32.
    const ULP: f64 = 1.2e-7;

    fn assert_near(found: &[f32], expected: &Tensor, tolerance: f64) {
        let expected = Vec::<f32>::try_from(expected).unwrap();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            let error = f64::from((found - expected).abs());
            assert!(error <= tolerance * f64::from(expected), "{found}, expected {expected}");
        }
    }

    /// Betas and alphas to the bit, where libtorch computes lines with fused operations as it does on all current
    /// processors. MKL's square root, which libtorch takes, is off by one rounding for a fifth of the
    /// numbers; ours is not.
    #[test]
    fn the_table_is_libtorchs() {
        let even = |start: f64, end: f64, steps: usize| {
            Tensor::linspace(start, end, steps as i64, (Kind::Float, Device::Cpu))
        };
        let check = |betas: Betas, expected: Tensor, steps: usize, tolerance: f64| {
            let values = betas.values(steps);
            assert_near(&values, &expected, tolerance);
            let alphas = (1f64 - expected).cumprod(0, Kind::Float);
            assert_near(&alphas_cumprod(&values), &alphas, tolerance);
            let schedule = NoiseSchedule::Discrete { betas, steps, terminal_snr: TerminalSnr::AsTrained };
            let sigmas = schedule.sigmas(ZeroSnr::Floor).unwrap();
            let sigmas: Vec<f32> = sigmas.into_iter().map(|sigma| sigma as f32).collect();
            assert_near(&sigmas, &((1f64 - &alphas) / alphas).sqrt(), tolerance * 10. + ULP);
        };
        for (start, end, steps) in [
            (0.00085, 0.012, 1000),
            (0.00085, 0.014, 1000),
            (0.0001, 0.02, 1000),
            (0.00085, 0.012, 997),
            (0.00085, 0.012, 1),
            (0.001, 0.015, 2),
        ] {
            let roots = even(f64::sqrt(start), f64::sqrt(end), steps);
            check(Betas::ScaledLinear { start, end }, roots.square(), steps, 0.);
            check(Betas::Linear { start, end }, even(start, end, steps), steps, 0.);
        }
        // libtorch's exponential function is its own.
        let sigmoid = even(-6., 6., 1000).sigmoid() * (0.02 - 0.0001) + 0.0001;
        check(Betas::Sigmoid { start: 0.0001, end: 0.02 }, sigmoid, 1000, 2. * ULP);
    }

    #[test]
    fn zero_terminal_snr_is_that_of_the_paper() {
        let betas = Betas::ScaledLinear { start: 0.00085, end: 0.012 }.values(1000);
        // In f64, from the same betas.
        let betas_tensor = Tensor::f_from_slice(&betas).unwrap().f_to_kind(Kind::Double).unwrap();
        let roots = (1f64 - betas_tensor).cumprod(0, Kind::Double).sqrt();
        let (first, last) = (roots.get(0), roots.get(-1));
        let expected = ((&roots - &last) * (&first / (&first - &last))).square();
        let found = alphas_cumprod(&zero_terminal_snr(&betas));
        let expected = Vec::<f64>::try_from(&expected).unwrap();
        for (found, expected) in found.iter().zip(expected) {
            // What subtracting the last root leaves of f32.
            assert!((f64::from(*found) - expected).abs() <= 2e-6 * expected + 1e-9, "{found} {expected}");
        }
        assert_eq!(found.last(), Some(&0.));
    }
}
