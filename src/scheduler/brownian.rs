//! [`SdeNoise`]: where the noise of SDE solvers comes from. [`BrownianPath`]: the path that it follows.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::seed_sequence;
use crate::error::Result;
use crate::nn::ops::linear_combination;
use crate::noise::NoiseSource;
use crate::runtime::Numbers;

/// Where the noise of an SDE solver comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum SdeNoise {
    /// A fresh draw in each step, as diffusers' multistep classes do. The default.
    #[default]
    Plain,
    /// The increments of a Brownian path over σ, one path for each picture, seeded by its seed: k-diffusion's
    /// `BrownianTreeNoiseSampler`, number by number. The same path whatever the number of steps, so that
    /// more steps refine the same picture.
    Brownian,
    /// The same with one path for the whole batch, from this seed; diffusers' `noise_sampler_seed`.
    BrownianFrom(u64),
}

/// Draws the noise of one run.
pub(crate) struct SdeSampler {
    kind: SdeNoise,
    ends: (f64, f64),
    paths: Vec<BrownianPath>,
}

impl SdeSampler {
    /// `sigmas` are all levels of the schedule: the path spans those that are not zero.
    pub(crate) fn new(kind: SdeNoise, sigmas: &[f64]) -> Self {
        let positive = || sigmas.iter().copied().filter(|sigma| *sigma > 0.0);
        let ends = (positive().fold(f64::INFINITY, f64::min), positive().fold(0.0, f64::max));
        Self { kind, ends, paths: Vec::new() }
    }

    /// Unit-variance noise for a step from one level to another, in the shape of `x`.
    pub(crate) fn draw(
        &mut self,
        x: &Tensor,
        (from, to): (f64, f64),
        noise: &mut NoiseSource,
    ) -> Result<Tensor> {
        let size = x.size();
        if self.paths.is_empty() {
            self.paths = match self.kind {
                SdeNoise::Plain => return noise.normal_like(x),
                SdeNoise::BrownianFrom(seed) => vec![BrownianPath::new(seed, self.ends, &size)?],
                SdeNoise::Brownian => {
                    let picture: Vec<i64> = std::iter::once(1).chain(size.iter().skip(1).copied()).collect();
                    let path = |seed: &u64| BrownianPath::new(*seed, self.ends, &picture);
                    noise.seeds().iter().map(path).collect::<Result<_>>()?
                }
            };
        }
        if from == to {
            return Ok(x.f_zeros_like()?);
        }
        let scale = 1.0 / (to - from).abs().sqrt();
        let increments =
            self.paths.iter_mut().map(|path| path.increment(from, to)).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::f_cat(&increments, 0)?.f_mul_number(scale)?.f_to_device(x.device())?)
    }
}

/// A Brownian motion that is fixed by its seed and its ends, and is refined where it is looked at.
///
/// Equal to `torchsde.BrownianInterval(…, tol=1e-6, pool_size=24, halfway_tree=True)` (Kidger et al. 2021):
/// each interval is halved, at a grid of a millionth, and the seed of the value there comes from the place
/// of the interval in the tree.
struct BrownianPath {
    entropy: u64,
    start: f64,
    end: f64,
    shape: Vec<i64>,
    /// The increment over all of it.
    total: Tensor,
    /// The last values looked up; the next step begins where the last one ended.
    known: Vec<(f64, Tensor)>,
}

impl BrownianPath {
    fn new(entropy: u64, (start, end): (f64, f64), shape: &[i64]) -> Result<Self> {
        let seed = seed_sequence::generate(entropy, &[], 1);
        let total = normal(&seed, shape)?.f_mul_number((end - start).sqrt())?;
        let (start, end) = (on_grid(start), on_grid(end));
        Ok(Self { entropy, start, end, shape: shape.to_vec(), total, known: Vec::new() })
    }

    /// What the path gains on the way from one time to another.
    fn increment(&mut self, from: f64, to: f64) -> Result<Tensor> {
        linear_combination(&[(1.0, &self.value(to)?), (-1.0, &self.value(from)?)])
    }

    /// The path at a time, from 0 at its start.
    fn value(&mut self, time: f64) -> Result<Tensor> {
        let time = on_grid(time).clamp(self.start, self.end);
        if let Some((_, value)) = self.known.iter().find(|(known, _)| *known == time) {
            return Ok(value.shallow_clone());
        }
        let value = self.descend(time)?;
        self.known.insert(0, (time, value.shallow_clone()));
        self.known.truncate(3);
        Ok(value)
    }

    fn descend(&self, time: f64) -> Result<Tensor> {
        let (mut low, mut high) = (self.start, self.end);
        let mut value = Tensor::f_zeros(&self.shape, (Kind::Float, Device::Cpu))?;
        let mut increment = self.total.shallow_clone();
        let mut key = 0;
        // A grid of a millionth is reached after a few dozen halvings of any interval.
        for depth in 0..64 {
            if time <= low {
                break;
            }
            if time >= high {
                return Ok(value.f_add(&increment)?);
            }
            let middle = on_grid(0.5 * (high + low));
            let (left, right) = (middle - low, high - middle);
            let seed = seed_sequence::generate(self.entropy, &[key, depth], 1);
            let deviation = (left * right / (high - low)).sqrt();
            let share = left / (high - low);
            let first =
                linear_combination(&[(share, &increment), (deviation, &normal(&seed, &self.shape)?)])?;
            key *= 2;
            if time <= middle {
                (high, increment) = (middle, first);
            } else {
                value = value.f_add(&first)?;
                (low, increment) = (middle, increment.f_sub(&first)?);
                key += 1;
            }
        }
        Ok(value)
    }
}

fn normal(seed: &[u32], shape: &[i64]) -> Result<Tensor> {
    let seeds: Vec<u64> = seed.iter().copied().map(u64::from).collect();
    Ok(NoiseSource::new(&seeds)?.normal(shape)?.f_reshape(shape)?)
}

/// Python's `round(time, 6)`: to the nearest decimal, exactly.
fn on_grid(time: f64) -> f64 {
    format!("{time:.6}").parse().unwrap_or(time)
}
