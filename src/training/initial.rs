//! [`InitialWeights`]: what a training from scratch begins with.

use tch::Tensor;

use super::draws::Draws;
use crate::error::Result;
use crate::runtime::Numbers;
use crate::weights::TensorSource;

/// Initial values as the reference's modules have them, decided by a seed and the tensor's name.
///
/// Matrices and kernels are uniform in `±√(1 / fan_in)` (PyTorch's default) with biases of 0, norms are the identity,
/// token and position embeddings normal with deviation 0.02 (CLIP). The last layer of each residual branch of a UNet is
/// 0, as in the paper's code (`zero_module`), so that it begins as the identity.
#[derive(Debug, Clone, Copy)]
pub struct InitialWeights {
    seed: u64,
}

impl InitialWeights {
    /// The weights of that seed.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }
}

impl TensorSource for InitialWeights {
    fn read(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        let kind = (tch::Kind::Float, tch::Device::Cpu);
        let mut draws = Draws::new(self.seed, name, 0);
        match shape {
            [_] if name.ends_with("weight") => Ok(Tensor::f_ones(shape, kind)?),
            [] | [_] => Ok(Tensor::f_zeros(shape, kind)?),
            _ if is_last_of_branch(name) => Ok(Tensor::f_zeros(shape, kind)?),
            _ if name.ends_with("embedding.weight") => Ok(draws.normal(shape)?.f_mul_number(0.02)?),
            [_, rest @ ..] => {
                let fan_in: i64 = rest.iter().product();
                let bound = (1. / fan_in as f64).sqrt() as f32;
                let count: i64 = shape.iter().product();
                let values: Vec<f32> =
                    (0..count).map(|_| bound * (2. * draws.uniform() as f32 - 1.)).collect();
                Ok(Tensor::f_from_slice(&values)?.f_reshape(shape)?)
            }
        }
    }
}

fn is_last_of_branch(name: &str) -> bool {
    let last = ["conv2.weight", "proj_out.weight", "conv_out.weight"];
    // A LoRA begins without effect.
    name.ends_with("lora_B.weight") || name.starts_with("unet.") && last.iter().any(|end| name.ends_with(end))
}
