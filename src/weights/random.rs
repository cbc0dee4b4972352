//! Random weights that depend on a tensor's name alone, the same in every language.

use tch::Tensor;

use super::source::TensorSource;
use crate::error::Result;
use crate::runtime::upload::tensor_from;

/// Weights computed from their names: for tests, benchmarks and demonstrations without a checkpoint.
///
/// `tests/golden/random_weights.py` computes the same bits. Each element is uniform with the variance that
/// keeps activations near 1: `±√(3 / fan_in)` for matrices and kernels, `±0.1` for embeddings and biases,
/// `1 ± 0.1` for the scales of norms.
#[derive(Debug, Clone)]
pub struct RandomWeights {
    prefix: String,
}

impl RandomWeights {
    /// The weights of one component (`unet`, `vae`, `text_encoder`, …) for that seed.
    pub fn new(seed: u64, component: &str) -> Self {
        Self { prefix: format!("{seed}/{component}/") }
    }

    /// The numbers of one tensor, row-major.
    pub fn values(&self, name: &str, shape: &[i64]) -> Vec<f32> {
        let state = fnv1a(format!("{}{name}", self.prefix).as_bytes());
        let count: i64 = shape.iter().product();
        let scale = scale(name, shape);
        (0..count.max(0) as u64)
            .map(|index| {
                // In [-1, 1), exact in f32.
                let r = 2. * ((splitmix64(state, index) >> 40) as f32 / (1 << 24) as f32) - 1.;
                scale.center + scale.bound * r
            })
            .collect()
    }
}

impl TensorSource for RandomWeights {
    fn read(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        tensor_from(&self.values(name, shape), shape)
    }
}

struct Scale {
    center: f32,
    bound: f32,
}

fn scale(name: &str, shape: &[i64]) -> Scale {
    match shape {
        [_] if name.ends_with("weight") => Scale { center: 1., bound: 0.1 },
        [] | [_] => Scale { center: 0., bound: 0.1 },
        _ if name.ends_with("embedding.weight") => Scale { center: 0., bound: 0.1 },
        [_, rest @ ..] => {
            let fan_in: i64 = rest.iter().product();
            Scale { center: 0., bound: (3. / fan_in as f64).sqrt() as f32 }
        }
    }
}

/// FNV-1a, 64 bits.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The `index`-th output of SplitMix64 started at `state`.
pub(crate) fn splitmix64(state: u64, index: u64) -> u64 {
    let mut x = state.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
