//! Multi-head attention.

use tch::Tensor;

use super::{Linear, LinearSpec};
use crate::error::Result;
use crate::weights::Weights;

/// What queries are compared with, and what they are answered with: `(B, heads, M, d)` each.
#[derive(Debug)]
pub struct KeysValues {
    keys: Tensor,
    values: Tensor,
}

/// Multi-head attention with the projections `to_q`, `to_k`, `to_v` (without bias) and `to_out.0`.
#[derive(Debug)]
pub struct Attention {
    to_q: Linear,
    to_k: Linear,
    to_v: Linear,
    to_out: Linear,
    heads: i64,
}

impl Attention {
    /// Reads an attention over queries of width `width` and a context of width `context`.
    pub fn load(weights: &Weights, width: i64, context: i64, heads: i64) -> Result<Self> {
        Ok(Self {
            to_q: Linear::load(&weights.at("to_q"), LinearSpec::Unbiased(width, width))?,
            to_k: Linear::load(&weights.at("to_k"), LinearSpec::Unbiased(context, width))?,
            to_v: Linear::load(&weights.at("to_v"), LinearSpec::Unbiased(context, width))?,
            to_out: Linear::load(&weights.at("to_out.0"), LinearSpec::Biased(width, width))?,
            heads,
        })
    }

    /// Self-attention when `context` is `x`.
    ///
    /// # Shapes
    /// `x` `(B, N, width)`, kept; `context` `(B, M, context)`.
    pub fn forward(&self, x: &Tensor, context: &Tensor) -> Result<Tensor> {
        self.attend(x, &self.keys_values(context)?)
    }

    /// The part of [`forward`](Self::forward) that depends on the context alone.
    ///
    /// # Shapes
    /// `context` `(B, M, context)`.
    pub fn keys_values(&self, context: &Tensor) -> Result<KeysValues> {
        Ok(KeysValues {
            keys: split_heads(&self.to_k.forward(context)?, self.heads)?,
            values: split_heads(&self.to_v.forward(context)?, self.heads)?,
        })
    }

    /// The rest of it.
    ///
    /// # Shapes
    /// `x` `(B, N, width)`, kept.
    pub fn attend(&self, x: &Tensor, KeysValues { keys, values }: &KeysValues) -> Result<Tensor> {
        let queries = split_heads(&self.to_q.forward(x)?, self.heads)?;
        self.to_out.forward(&merge_heads(&scaled_dot_product(&queries, keys, values)?)?)
    }

    /// Self-attention that in the last rows of the batch looks at nothing but the own position: `to_out(to_v(x))`.
    ///
    /// # Shapes
    /// `x` `(B, N, width)`, kept; `rows` 0 to `B`.
    pub fn forward_perturbed(&self, x: &Tensor, rows: i64) -> Result<Tensor> {
        let whole = x.size3()?.0 - rows;
        let attending = x.f_narrow(0, 0, whole)?;
        let values = self.to_v.forward(x)?;
        let q = split_heads(&self.to_q.forward(&attending)?, self.heads)?;
        let k = split_heads(&self.to_k.forward(&attending)?, self.heads)?;
        let v = split_heads(&values.f_narrow(0, 0, whole)?, self.heads)?;
        let attended = merge_heads(&scaled_dot_product(&q, &k, &v)?)?;
        self.to_out.forward(&Tensor::f_cat(&[attended, values.f_narrow(0, whole, rows)?], 0)?)
    }
}

/// `softmax(q·kᵀ / √d)·v` without a mask.
///
/// # Shapes
/// `(B, heads, N, d)`, `(B, heads, M, d)`, `(B, heads, M, d)` to `(B, heads, N, d)`.
pub fn scaled_dot_product(q: &Tensor, k: &Tensor, v: &Tensor) -> Result<Tensor> {
    Ok(Tensor::f_scaled_dot_product_attention(q, k, v, None::<&Tensor>, 0., false, None, false)?)
}

/// The same where a position sees none behind it.
pub(crate) fn causal_dot_product(q: &Tensor, k: &Tensor, v: &Tensor) -> Result<Tensor> {
    Ok(Tensor::f_scaled_dot_product_attention(q, k, v, None::<&Tensor>, 0., true, None, false)?)
}

/// `(B, N, heads·d)` to `(B, heads, N, d)`.
pub(crate) fn split_heads(x: &Tensor, heads: i64) -> Result<Tensor> {
    let (batch, length, width) = x.size3()?;
    Ok(x.f_view([batch, length, heads, width / heads])?.f_transpose(1, 2)?)
}

/// `(B, heads, N, d)` to `(B, N, heads·d)`.
pub(crate) fn merge_heads(x: &Tensor) -> Result<Tensor> {
    let (batch, heads, length, width) = x.size4()?;
    Ok(x.f_transpose(1, 2)?.f_reshape([batch, length, heads * width])?)
}
