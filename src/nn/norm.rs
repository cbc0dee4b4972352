//! [`GroupNorm`] and [`LayerNorm`].

use tch::{Kind, Tensor};

use crate::error::{Error, Result};
use crate::runtime::Numbers;
use crate::weights::Weights;

/// Normalises groups of channels to mean 0 and variance 1, then scales and shifts each channel.
#[derive(Debug)]
pub struct GroupNorm {
    weight: Tensor,
    bias: Tensor,
    groups: i64,
    eps: f64,
}

impl GroupNorm {
    /// Reads `weight` and `bias` of shape `(channels)`; `groups` divides `channels`.
    pub fn load(weights: &Weights, groups: i64, channels: i64, eps: f64) -> Result<Self> {
        Ok(Self {
            weight: weights.tensor("weight", &[channels])?,
            bias: weights.tensor("bias", &[channels])?,
            groups,
            eps,
        })
    }

    /// # Shapes
    /// `(B, channels, …)`, kept.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.f_group_norm(self.groups, Some(&self.weight), Some(&self.bias), self.eps, true)?)
    }

    /// For an input that comes in parts: the sums of none of them yet.
    pub(crate) fn no_sums(&self) -> GroupSums<'_> {
        GroupSums { norm: self, sums: None, count: 0 }
    }
}

/// Sums over the groups of a [`GroupNorm`], in f64, of parts of its input.
pub(crate) struct GroupSums<'a> {
    norm: &'a GroupNorm,
    /// `(B, groups)`: of the numbers, of their squares.
    sums: Option<[Tensor; 2]>,
    count: i64,
}

impl GroupSums<'_> {
    /// Adds a part.
    ///
    /// # Shapes
    /// `(B, channels, …)`.
    pub(crate) fn add(&mut self, part: &Tensor) -> Result<()> {
        let batch = part.size().first().copied().unwrap_or(1);
        let groups = part.f_reshape([batch, self.norm.groups, -1])?.f_to_kind(Kind::Double)?;
        self.count += groups.size3()?.2;
        let sum = |x: &Tensor| x.f_sum_dim_intlist([-1].as_slice(), false, Kind::Double);
        let of_part = [sum(&groups)?, sum(&groups.f_square()?)?];
        self.sums = Some(match &self.sums {
            Some([sum, squares]) => [sum.f_add(&of_part[0])?, squares.f_add(&of_part[1])?],
            None => of_part,
        });
        Ok(())
    }

    /// The norm of an input of which all parts were added.
    ///
    /// # Errors
    /// [`Error::Invalid`] where there were none.
    pub(crate) fn affine(&self) -> Result<Affine> {
        let [sum, squares] = self
            .sums
            .as_ref()
            .ok_or_else(|| Error::invalid("group norm", "no input", "a part or more of the input"))?;
        let count = self.count as f64;
        let mean = sum.f_div_number(count)?;
        let variance = squares.f_div_number(count)?.f_sub(&mean.f_square()?)?.f_clamp_min_number(0.)?;
        let rstd = variance.f_add_number(self.norm.eps)?.f_rsqrt()?;
        let channels = self.norm.weight.size1()? / self.norm.groups;
        // (B, groups) -> (B, channels, 1, 1)
        let each =
            |x: &Tensor| x.f_repeat_interleave_self_int(channels, 1, None)?.f_unsqueeze(-1)?.f_unsqueeze(-1);
        let column = |x: &Tensor| x.f_to_kind(Kind::Double)?.f_reshape([1, -1, 1, 1]);
        let scale = each(&rstd)?.f_mul(&column(&self.norm.weight)?)?;
        let shift = column(&self.norm.bias)?.f_sub(&each(&mean)?.f_mul(&scale)?)?;
        Ok(Affine { scale: scale.f_to_kind(Kind::Float)?, shift: shift.f_to_kind(Kind::Float)? })
    }
}

/// A scale and a shift for each channel: a [`GroupNorm`] whose statistics are known.
#[derive(Debug)]
pub(crate) struct Affine {
    scale: Tensor,
    shift: Tensor,
}

impl Affine {
    /// # Shapes
    /// `(B, channels, H, W)`, kept.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let kind = x.f_kind()?;
        Ok(self.shift.f_addcmul(&x.f_to_kind(Kind::Float)?, &self.scale)?.f_to_kind(kind)?)
    }
}

/// Normalises the last dimension to mean 0 and variance 1, then scales and shifts it.
#[derive(Debug)]
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    width: i64,
    eps: f64,
}

impl LayerNorm {
    /// Reads `weight` and `bias` of shape `(width)`.
    pub fn load(weights: &Weights, width: i64, eps: f64) -> Result<Self> {
        Ok(Self {
            weight: weights.tensor("weight", &[width])?,
            bias: weights.tensor("bias", &[width])?,
            width,
            eps,
        })
    }

    /// # Shapes
    /// `(…, width)`, kept.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.f_layer_norm([self.width], Some(&self.weight), Some(&self.bias), self.eps, true)?)
    }
}
