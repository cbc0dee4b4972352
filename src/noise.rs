//! [`NoiseSource`]: the only place where random numbers are drawn.

use std::fmt;

use tch::Tensor;

use crate::error::{Error, Result};
use crate::runtime::shim::Generator;

/// Seeded Gaussian noise for a batch: one generator for each picture.
///
/// The numbers are those of `torch.randn` with `torch.Generator("cpu").manual_seed(seed)`, bit for bit,
/// whatever device the models run on: a picture depends on its own seed alone, not on the batch it is in.
/// Drawing a tensor advances every generator by one picture's worth of numbers; never split one draw into
/// several, because libtorch fills 16 or more numbers in another order than fewer.
pub struct NoiseSource {
    seeds: Vec<u64>,
    generators: Vec<Generator>,
    draws: usize,
}

impl fmt::Debug for NoiseSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NoiseSource").field("pictures", &self.batch()).finish_non_exhaustive()
    }
}

impl NoiseSource {
    /// A source with one generator for each seed.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `seeds` is empty.
    pub fn new(seeds: &[u64]) -> Result<Self> {
        if seeds.is_empty() {
            return Err(Error::invalid("seeds", "an empty list", "one seed for each picture"));
        }
        crate::runtime::shim::load()?;
        let generators = seeds.iter().map(|&seed| Generator::new(seed)).collect::<Result<_>>()?;
        Ok(Self { seeds: seeds.to_vec(), generators, draws: 0 })
    }

    /// The seed of each picture.
    pub fn seeds(&self) -> &[u64] {
        &self.seeds
    }

    /// The number of pictures.
    pub fn batch(&self) -> usize {
        self.generators.len()
    }

    /// How many tensors were drawn.
    pub fn draws(&self) -> usize {
        self.draws
    }

    /// Standard normal numbers of shape `(batch, shape…)`, f32 on the CPU; row `i` comes from seed `i`.
    pub fn normal(&mut self, shape: &[i64]) -> Result<Tensor> {
        self.draws += 1;
        let one: Vec<i64> = [1].iter().chain(shape).copied().collect();
        let rows =
            self.generators.iter_mut().map(|generator| generator.randn(&one)).collect::<Result<Vec<_>>>()?;
        Ok(Tensor::f_cat(&rows, 0)?)
    }

    /// Standard normal numbers of the shape of `x` (whose first dimension is the batch), on its device.
    pub fn normal_like(&mut self, x: &Tensor) -> Result<Tensor> {
        let size = x.size();
        let (batch, shape) = size
            .split_first()
            .ok_or_else(|| Error::invalid("x", "a scalar", "a tensor whose first dimension is the batch"))?;
        if usize::try_from(*batch) != Ok(self.batch()) {
            return Err(Error::invalid(
                "x",
                format!("a batch of {batch}"),
                format!("a batch of {}", self.batch()),
            ));
        }
        Ok(self.normal(shape)?.f_to_device(x.device())?)
    }
}
