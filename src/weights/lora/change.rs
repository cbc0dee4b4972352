//! [`Change`]: what an adapter adds to one weight, in every form that files have.

use tch::{Kind, Tensor};

use crate::error::Result;
use crate::runtime::{Numbers, ReadOnly};

/// A matrix, or the product of two: `(rows, columns)`, kernels flattened.
#[derive(Debug)]
pub(super) struct Matrix {
    pub(super) left: Tensor,
    pub(super) right: Option<Right>,
}

/// The right one of two factors: `(rank, columns)`.
#[derive(Debug)]
pub(super) struct Right {
    pub(super) factor: Tensor,
    /// A convolution's kernel by itself, `(rank, rank, k·k)`; `factor` is `(rank, in)` then. It is multiplied in when it
    /// is used: only then is it known that the product is no larger than a weight of the model.
    pub(super) core: Option<Tensor>,
}

impl Matrix {
    fn dense(&self, kind: Kind) -> Result<Tensor> {
        let left = self.left.f_to_kind(kind)?;
        match &self.right {
            Some(right) => Ok(left.f_matmul(&right.dense(kind)?)?),
            None => Ok(left),
        }
    }

    fn to_device(&self, device: tch::Device) -> Result<Self> {
        let right = self.right.as_ref().map(|right| right.to_device(device)).transpose()?;
        Ok(Self { left: self.left.f_to_device(device)?, right })
    }
}

impl Right {
    fn dense(&self, kind: Kind) -> Result<Tensor> {
        let factor = self.factor.f_to_kind(kind)?;
        let Some(core) = &self.core else { return Ok(factor) };
        // (a, b, k) and (b, in) to (a, in·k)
        let product = core.f_to_kind(kind)?.f_transpose(1, 2)?.f_matmul(&factor)?;
        Ok(product.f_transpose(1, 2)?.f_flatten(1, -1)?)
    }

    fn to_device(&self, device: tch::Device) -> Result<Self> {
        let core = self.core.as_ref().map(|core| core.f_to_device(device)).transpose()?;
        Ok(Self { factor: self.factor.f_to_device(device)?, core })
    }
}

/// What is added, before its scale.
#[derive(Debug)]
pub(super) enum Delta {
    /// `up·down` (LoRA, arXiv 2106.09685), or a whole difference.
    Sum(Matrix),
    /// The product of the elements of two matrices (LoHa, arXiv 2108.06098).
    Hadamard(Matrix, Matrix),
    /// The Kronecker product of two matrices (LoKr, arXiv 2309.14859).
    Kronecker(Matrix, Matrix),
}

impl Delta {
    /// `sum += factor · delta`, for a matrix `sum`.
    fn add_to(&self, sum: &mut Tensor, factor: f64) -> Result<()> {
        let kind = sum.f_kind()?;
        let dense = match self {
            Self::Sum(Matrix { left, right: Some(right) }) => {
                // Without a temporary of the size of the weight.
                let left = left.f_to_kind(kind)?.f_mul_number(factor)?;
                let _ = sum.f_addmm_(&left, &right.dense(kind)?)?;
                return Ok(());
            }
            Self::Sum(matrix) => matrix.dense(kind)?,
            Self::Hadamard(first, second) => first.dense(kind)?.f_mul(&second.dense(kind)?)?,
            Self::Kronecker(first, second) => first.dense(kind)?.f_kron(&second.dense(kind)?)?,
        };
        let _ = sum.f_add_(&dense.f_mul_number(factor)?)?;
        Ok(())
    }

    fn to_device(&self, device: tch::Device) -> Result<Self> {
        Ok(match self {
            Self::Sum(matrix) => Self::Sum(matrix.to_device(device)?),
            Self::Hadamard(first, second) => {
                Self::Hadamard(first.to_device(device)?, second.to_device(device)?)
            }
            Self::Kronecker(first, second) => {
                Self::Kronecker(first.to_device(device)?, second.to_device(device)?)
            }
        })
    }
}

/// `DoRA`'s magnitudes (arXiv 2402.09353): the norms that the changed weight's rows, or columns, are given.
#[derive(Debug)]
pub(super) enum Magnitude {
    /// One for each output.
    Outputs(Tensor),
    /// One for each input channel, as early `LyCORIS` files have it; and the number of elements of a kernel.
    Inputs(Tensor, i64),
}

impl Magnitude {
    /// The matrix with these norms.
    fn apply(&self, weight: &Tensor) -> Result<Tensor> {
        let kind = weight.f_kind()?;
        // Also a weight of zeros has a direction then; PEFT divides by zero there.
        let norm = |x: &Tensor, dims: &[i64]| -> Result<Tensor> {
            let norm = x.f_square()?.f_sum_dim_intlist(dims, true, x.f_kind()?)?.f_sqrt()?;
            Ok(norm.f_add_number(f64::from(f32::EPSILON))?)
        };
        match self {
            Self::Outputs(magnitude) => {
                let magnitude = magnitude.f_to_kind(kind)?.f_view([-1, 1])?;
                Ok(weight.f_mul(&magnitude.f_div(&norm(weight, &[1])?)?)?)
            }
            Self::Inputs(magnitude, kernel) => {
                let shape = weight.size();
                let rows = shape.first().copied().unwrap_or(1);
                let weight = weight.f_view([rows, -1, *kernel])?;
                let magnitude = magnitude.f_to_kind(kind)?.f_view([1, -1, 1])?;
                let scaled = weight.f_mul(&magnitude.f_div(&norm(&weight, &[0, 2])?)?)?;
                Ok(scaled.f_view(shape.as_slice())?)
            }
        }
    }

    fn to_device(&self, device: tch::Device) -> Result<Self> {
        Ok(match self {
            Self::Outputs(magnitude) => Self::Outputs(magnitude.f_to_device(device)?),
            Self::Inputs(magnitude, kernel) => Self::Inputs(magnitude.f_to_device(device)?, *kernel),
        })
    }
}

/// What an adapter adds to one weight.
#[derive(Debug)]
pub(crate) struct Change {
    pub(super) delta: Delta,
    /// `alpha / rank`.
    pub(super) scale: f64,
    pub(super) magnitude: Option<Magnitude>,
}

#[expect(unsafe_code, reason = "says that an adapter is only read")]
// SAFETY: no method writes into the tensors of `self`.
unsafe impl ReadOnly for Change {}

impl Change {
    /// Adds `factor` times the change to `sum`, a contiguous tensor; `base` is the weight without any change.
    ///
    /// A change with magnitudes is the step from the weight to the one that it describes: half of it is half the
    /// step (`ComfyUI`'s meaning; `PEFT` scales what is inside the norm).
    pub(in crate::weights) fn add_to(&self, sum: &Tensor, base: &Tensor, factor: f64) -> Result<()> {
        let rows = sum.size().first().copied().unwrap_or(1);
        let mut sum = sum.f_view([rows, -1])?;
        let Some(magnitude) = &self.magnitude else {
            return self.delta.add_to(&mut sum, self.scale * factor);
        };
        let base = base.f_to_kind(sum.f_kind()?)?.f_reshape(sum.size())?;
        let mut changed = base.f_mul_number(1.)?;
        self.delta.add_to(&mut changed, self.scale)?;
        let step = magnitude.apply(&changed)?.f_sub(&base)?;
        let _ = sum.f_add_(&step.f_mul_number(factor)?)?;
        Ok(())
    }

    /// The number of rows of what is added.
    pub(super) fn length(&self) -> i64 {
        match &self.delta {
            Delta::Sum(matrix) => matrix.left.size().first().copied().unwrap_or(0),
            Delta::Hadamard(..) | Delta::Kronecker(..) => 0,
        }
    }

    pub(super) fn to_device(&self, device: tch::Device) -> Result<Self> {
        Ok(Self {
            delta: self.delta.to_device(device)?,
            scale: self.scale,
            magnitude: self.magnitude.as_ref().map(|magnitude| magnitude.to_device(device)).transpose()?,
        })
    }
}
