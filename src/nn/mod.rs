//! Layers that know nothing of diffusion: field names are checkpoint keys, `load` order is `forward` order.

mod activation;
mod attention;
mod conv;
mod embedding;
mod linear;
mod norm;
pub(crate) mod ops;

pub use activation::{FeedForward, gelu, quick_gelu, silu};
pub use attention::{Attention, KeysValues, scaled_dot_product};
pub(crate) use attention::{causal_dot_product, merge_heads, split_heads};
pub(crate) use conv::upsample_bilinear;
pub use conv::{Conv2d, upsample_nearest};
pub use embedding::{Embedding, SinCos, sinusoidal};
pub use linear::{Linear, LinearSpec};
pub(crate) use norm::Affine;
pub use norm::{GroupNorm, LayerNorm};
