//! [`Draws`]: the random numbers of one step.

use tch::Tensor;

use crate::error::Result;
use crate::noise::NoiseSource;
use crate::weights::{fnv1a, splitmix64};

/// Random numbers that a seed and a position decide: no state has to be saved for a training to go on.
#[derive(Debug)]
pub struct Draws {
    state: u64,
    index: u64,
}

impl Draws {
    /// The numbers of one position (a step, a sample of a data set) in the stream of that name.
    pub fn new(seed: u64, stream: &str, position: u64) -> Self {
        Self { state: splitmix64(seed ^ fnv1a(stream.as_bytes()), position), index: 0 }
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let bits = splitmix64(self.state, self.index);
        self.index += 1;
        bits
    }

    /// A number of [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A whole number below `count`; 0 where that is 0.
    pub fn below(&mut self, count: usize) -> usize {
        ((self.uniform() * count as f64) as usize).min(count.saturating_sub(1))
    }

    /// Puts a list into a random order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for end in (1..list.len()).rev() {
            list.swap(end, self.below(end + 1));
        }
    }

    /// Standard normal numbers in f32 on the CPU.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn normal(&mut self, shape: &[i64]) -> Result<Tensor> {
        Ok(NoiseSource::new(&[self.bits()])?.normal(shape)?.f_reshape(shape)?)
    }
}
