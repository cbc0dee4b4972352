//! [`Linear`].

use tch::Tensor;

use crate::error::Result;
use crate::weights::{Parameter, Weights};

/// Elements of one picture's input up to which a weight is expanded in parts, since the product with each part reads it
/// again. At 256 x 256 (64 x 1280, 256 x 640) SDXL's UNet gained 15 %, at 512 x 512 (256 x 1280, 1024 x 640) nothing.
const MOST_INPUTS: i64 = 1 << 18;

/// `y = x·Wᵀ + b`.
#[derive(Debug)]
pub struct Linear {
    weight: Parameter,
    bias: Option<Tensor>,
}

/// The widths of a linear layer, and whether it has a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinearSpec {
    /// Input and output width, with a bias.
    Biased(i64, i64),
    /// Input and output width, without a bias.
    Unbiased(i64, i64),
}

impl Linear {
    /// From a weight of shape `(out, in)` and a bias of shape `(out)`.
    pub fn new(weight: Parameter, bias: Option<Tensor>) -> Self {
        Self { weight, bias }
    }

    /// Reads `weight` and, where the layer has one, `bias`.
    pub fn load(weights: &Weights, spec: LinearSpec) -> Result<Self> {
        let (input, output, bias) = match spec {
            LinearSpec::Biased(input, output) => (input, output, Some(weights.tensor("bias", &[output])?)),
            LinearSpec::Unbiased(input, output) => (input, output, None),
        };
        Ok(Self { weight: weights.parameter("weight", &[output, input])?, bias })
    }

    /// # Shapes
    /// `(…, in)` to `(…, out)`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let stored = self.weight.read()?;
        // By the size of one picture, as convolutions do, so that all batches take the same path.
        let inputs = x.numel() as i64 / x.size().first().copied().unwrap_or(1).max(1);
        if inputs <= MOST_INPUTS
            && let Some(rows) = self.weight.rows_at_once(&stored)?
        {
            return self.forward_by_rows(x, &stored, rows);
        }
        let y = self.weight.with_whole(&stored, |weight| Ok(x.f_linear(weight, self.bias.as_ref())?))?;
        match self.weight.low_rank() {
            Some(low_rank) => Ok(y.f_add(&low_rank.linear(x)?)?),
            None => Ok(y),
        }
    }

    /// The same, of so many rows of the weight at once.
    fn forward_by_rows(&self, x: &Tensor, stored: &Tensor, rows: i64) -> Result<Tensor> {
        let mut shape = x.size();
        let inputs = shape.pop().unwrap_or(1);
        let outputs = stored.size().first().copied().unwrap_or(0);
        shape.push(outputs);
        let rows_of_x = x.f_reshape([-1, inputs])?;
        let (count, _) = rows_of_x.size2()?;
        let y = Tensor::f_empty([count, outputs], (x.f_kind()?, x.device()))?;
        self.weight.with_rows(stored, rows, |first, weight| {
            let (rows, _) = weight.size2()?;
            let (part, transposed) = (y.f_narrow(1, first, rows)?, weight.f_tr()?);
            let _ = match &self.bias {
                Some(bias) => bias.f_narrow(0, first, rows)?.f_addmm_out(&part, &rows_of_x, &transposed)?,
                None => rows_of_x.f_mm_out(&part, &transposed)?,
            };
            Ok(())
        })?;
        Ok(y.f_view(shape.as_slice())?)
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use tch::Kind;

    use super::*;
    use crate::noise::NoiseSource;

    #[test]
    fn parts_of_a_weight_give_the_whole_product() {
        let _guard = crate::runtime::no_grad();
        let mut noise = NoiseSource::new(&[3]).unwrap();
        let mut normal = |shape: &[i64]| noise.normal(shape).unwrap().f_squeeze_dim(0).unwrap();
        let (weight, bias, x) = (normal(&[2500, 640]), normal(&[2500]), normal(&[2, 7, 640]));
        for kind in [Kind::Half, Kind::BFloat16] {
            let stored = weight.to_kind(kind);
            for bias in [None, Some(bias.shallow_clone())] {
                let double = |tensor: &Tensor| tensor.to_kind(Kind::Double);
                let expected = double(&x).linear(&double(&stored), bias.as_ref().map(double));
                let layer = Linear::new(Parameter::new(stored.shallow_clone(), Kind::Float), bias);
                // 600 leave a part of 100.
                for rows in [1, 600, 2500, 9999] {
                    let found = layer.forward_by_rows(&x, &stored, rows).unwrap();
                    assert_eq!(found.size(), [2, 7, 2500]);
                    let error = (double(&found) - &expected).norm() / expected.norm();
                    assert!(error.double_value(&[]) < 1e-6, "{kind:?}, {rows} rows: {error}");
                }
            }
        }
    }

    #[test]
    fn large_weights_are_expanded_in_parts() {
        let rows_at_once = |shape: &[i64], kind| {
            let stored = Tensor::zeros(shape, (kind, tch::Device::Cpu));
            Parameter::new(stored.shallow_clone(), Kind::Float).rows_at_once(&stored).unwrap()
        };
        let threads = i64::from(tch::get_num_threads());
        // The backward pass would need the whole.
        assert_eq!(rows_at_once(&[10240 * threads, 1280], Kind::Half), None);
        let _guard = crate::runtime::no_grad();
        assert_eq!(rows_at_once(&[10240 * threads, 1280], Kind::Half), Some(threads * 524288 / 1280));
        assert_eq!(rows_at_once(&[100, 1280], Kind::Half), None);
        assert_eq!(rows_at_once(&[1280 * threads, 5120], Kind::Half), None);
        assert_eq!(rows_at_once(&[10240 * threads, 1280], Kind::Float), None);
    }
}
