//! Token embeddings, and the sinusoidal embedding of numbers.

use tch::{Kind, Tensor};

use crate::error::Result;
use crate::runtime::Numbers;
use crate::weights::{Stored, Weights};

/// A table of vectors, looked up by index.
#[derive(Debug)]
pub struct Embedding {
    weight: Stored,
    /// More vectors, whose indices follow.
    added: Option<Tensor>,
    kind: Kind,
}

impl Embedding {
    /// Reads a table of `count` vectors of that width.
    pub fn load(weights: &Weights, count: i64, width: i64) -> Result<Self> {
        Ok(Self { weight: weights.table("weight", &[count, width])?, added: None, kind: weights.kind() })
    }

    /// The same with more vectors, whose indices follow those of the table.
    ///
    /// # Shapes
    /// `(more, width)`.
    pub fn with_added(self, vectors: &Tensor) -> Result<Self> {
        let added = vectors.f_to_device(self.weight.device())?.f_to_kind(self.kind)?;
        Ok(Self { added: Some(added), ..self })
    }

    /// The vectors of some indices, in the compute type. Only these rows are converted.
    ///
    /// # Shapes
    /// `(…)` of i64 to `(…, width)`.
    pub fn forward(&self, indices: &Tensor) -> Result<Tensor> {
        let look_up = |table: &Tensor, indices: &Tensor| -> Result<Tensor> {
            Ok(Tensor::f_embedding(table, indices, -1, false, false)?.f_to_kind(self.kind)?)
        };
        let table = self.weight.tensor()?;
        let Some(added) = &self.added else { return look_up(&table, indices) };
        let (count, _) = table.size2()?;
        let own = look_up(&table, &indices.f_clamp_max_number(count - 1)?)?;
        let others = look_up(added, &indices.f_add_number(-count)?.f_clamp_min_number(0)?)?;
        Ok(others.f_where_self(&indices.f_ge_number(count)?.f_unsqueeze(-1)?, &own)?)
    }
}

/// The order of the two halves of a sinusoidal embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinCos {
    /// Cosines first, period 10000 at `i = half`: timesteps and micro-conditioning
    /// (diffusers: `flip_sin_to_cos`, shift 0).
    CosFirst,
    /// Sines first, period 10000 at `i = half − 1`: the guidance scale of LCM models.
    SinFirst,
}

/// The sinusoidal embedding of numbers: `cos` and `sin` of `x · 10000^(−i/half)`.
///
/// Computed in f32 and in the order of operations of diffusers: angles reach 1000 radians, so 16-bit floats
/// would be off by whole periods.
///
/// # Shapes
/// `(N)` to `(N, width)` in f32; `width` is even.
pub fn sinusoidal(x: &Tensor, width: i64, order: SinCos) -> Result<Tensor> {
    let half = width / 2;
    let steps = match order {
        SinCos::CosFirst => half,
        SinCos::SinFirst => half - 1,
    };
    let exponent = {
        let counted: Vec<f32> = (0..half).map(|index| index as f32).collect();
        Tensor::f_from_slice(&counted)?.f_to_device(x.device())?
    };
    let frequencies = match order {
        SinCos::CosFirst => exponent.f_mul_number(-10000f64.ln())?.f_div_number(steps)?.f_exp()?,
        // Angles reach 14 000 radians here, and libtorch's f32 exp differs by one unit in the last place between
        // processors, which moves the result by 2.4e-5. Rounded from f64 it is the same everywhere.
        SinCos::SinFirst => {
            let exponent = exponent.f_mul_number(-10000f64.ln() / steps as f64)?;
            exponent.f_to_kind(Kind::Double)?.f_exp()?.f_to_kind(Kind::Float)?
        }
    };
    let angles = x.f_to_kind(Kind::Float)?.f_unsqueeze(-1)?.f_mul(&frequencies.f_unsqueeze(0)?)?;
    let (sin, cos) = (angles.f_sin()?, angles.f_cos()?);
    Ok(match order {
        SinCos::CosFirst => Tensor::f_cat(&[cos, sin], -1)?,
        SinCos::SinFirst => Tensor::f_cat(&[sin, cos], -1)?,
    })
}
