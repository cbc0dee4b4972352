//! The spatial transformer: self-attention over the pixels of a level, cross-attention to the text.

use tch::Tensor;

use super::perturbed::Perturbed;
use super::prepared::TextKeys;
use crate::config::UnetConfig;
use crate::error::Result;
use crate::nn::{Attention, FeedForward, GroupNorm, LayerNorm, Linear, LinearSpec};
use crate::weights::Weights;

/// Epsilon of the group norm here; residual blocks have 1e-5.
const NORM_EPS: f64 = 1e-6;

/// diffusers' `Transformer2DModel` with linear projections.
#[derive(Debug)]
pub struct Transformer {
    norm: GroupNorm,
    proj_in: Linear,
    transformer_blocks: Vec<TransformerBlock>,
    proj_out: Linear,
}

/// The shape of a [`Transformer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransformerShape {
    /// Channels.
    pub width: i64,
    /// Attention heads.
    pub heads: i64,
    /// Blocks of self-attention, cross-attention and feed-forward.
    pub depth: usize,
}

impl Transformer {
    /// Reads a transformer of that shape.
    pub fn load(weights: &Weights, config: &UnetConfig, shape: TransformerShape) -> Result<Self> {
        let TransformerShape { width, heads, depth } = shape;
        let norm = GroupNorm::load(&weights.at("norm"), config.norm_num_groups, width, NORM_EPS)?;
        let proj_in = Linear::load(&weights.at("proj_in"), LinearSpec::Biased(width, width))?;
        let transformer_blocks = (0..depth)
            .map(|index| {
                let weights = weights.at("transformer_blocks").at(index);
                TransformerBlock::load(&weights, width, config.cross_attention_dim, heads)
            })
            .collect::<Result<_>>()?;
        let proj_out = Linear::load(&weights.at("proj_out"), LinearSpec::Biased(width, width))?;
        Ok(Self { norm, proj_in, transformer_blocks, proj_out })
    }

    /// All blocks, beside a shortcut.
    ///
    /// # Shapes
    /// `x` `(B, width, H, W)`, kept; `context` `(B, tokens, cross_attention_dim)`.
    pub fn forward(&self, x: &Tensor, context: &Tensor) -> Result<Tensor> {
        let mut text = TextKeys::default();
        self.prepare(context, &mut text)?;
        self.forward_prepared(x, &text, None)
    }

    /// Adds the keys and values of the text in its cross-attentions.
    pub(super) fn prepare(&self, context: &Tensor, text: &mut TextKeys) -> Result<()> {
        self.transformer_blocks
            .iter()
            .try_for_each(|block| text.add(&block.cross_attention, &block.attn2, context))
    }

    /// The same of a text whose keys and values are there, with some of the self-attentions perturbed in the last rows.
    pub(super) fn forward_prepared(
        &self,
        x: &Tensor,
        text: &TextKeys,
        perturbed: Option<Perturbed>,
    ) -> Result<Tensor> {
        let (batch, channels, height, width) = x.size4()?;
        // (B, C, H, W) -> (B, H·W, C)
        let h =
            self.norm.forward(x)?.f_permute([0, 2, 3, 1])?.f_reshape([batch, height * width, channels])?;
        let mut h = self.proj_in.forward(&h)?;
        for block in &self.transformer_blocks {
            h = block.forward(&h, text, perturbed)?;
        }
        let h = self.proj_out.forward(&h)?;
        let h = h.f_reshape([batch, height, width, channels])?.f_permute([0, 3, 1, 2])?;
        Ok(x.f_add(&h)?)
    }

    /// The names of the self-attentions.
    pub(super) fn self_attentions(&self) -> impl Iterator<Item = &str> {
        self.transformer_blocks.iter().map(|block| block.self_attention.as_str())
    }
}

#[derive(Debug)]
struct TransformerBlock {
    /// The name of `attn1`.
    self_attention: String,
    /// The name of `attn2`.
    cross_attention: String,
    norm1: LayerNorm,
    attn1: Attention,
    norm2: LayerNorm,
    attn2: Attention,
    norm3: LayerNorm,
    ff: FeedForward,
}

impl TransformerBlock {
    fn load(weights: &Weights, width: i64, context: i64, heads: i64) -> Result<Self> {
        let norm = |name| LayerNorm::load(&weights.at(name), width, 1e-5);
        Ok(Self {
            self_attention: weights.at("attn1").path().to_owned(),
            cross_attention: weights.at("attn2").path().to_owned(),
            norm1: norm("norm1")?,
            attn1: Attention::load(&weights.at("attn1"), width, width, heads)?,
            norm2: norm("norm2")?,
            attn2: Attention::load(&weights.at("attn2"), width, context, heads)?,
            norm3: norm("norm3")?,
            ff: FeedForward::load(&weights.at("ff"), width)?,
        })
    }

    fn forward(&self, x: &Tensor, text: &TextKeys, perturbed: Option<Perturbed>) -> Result<Tensor> {
        let h = self.norm1.forward(x)?;
        let h = match perturbed.map_or(0, |perturbed| perturbed.rows_in(&self.self_attention)) {
            0 => self.attn1.forward(&h, &h)?,
            rows => self.attn1.forward_perturbed(&h, rows)?,
        };
        let x = x.f_add(&h)?;
        let text = text.get(&self.cross_attention)?;
        let x = x.f_add(&self.attn2.attend(&self.norm2.forward(&x)?, text)?)?;
        Ok(x.f_add(&self.ff.forward(&self.norm3.forward(&x)?)?)?)
    }
}
