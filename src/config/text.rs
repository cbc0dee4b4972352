//! The shape of a CLIP text encoder.

use serde::{Deserialize, Serialize};

use super::unet::{epsilon, in_range};

/// The activation of a CLIP feed-forward layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Activation {
    /// `x · sigmoid(1.702 x)`: CLIP ViT-L.
    QuickGelu,
    /// The exact GELU, with the error function: OpenCLIP ViT-bigG.
    Gelu,
}

/// A CLIP text transformer: transformers' `CLIPTextConfig`.
///
/// SDXL's first encoder is CLIP ViT-L (768 wide, 12 layers), its second OpenCLIP ViT-bigG (1280, 32).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct ClipTextConfig {
    /// Number of token embeddings.
    pub vocab_size: i64,
    /// Width of the transformer.
    pub hidden_size: i64,
    /// Width of the feed-forward layers.
    pub intermediate_size: i64,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Number of attention heads; divides `hidden_size`.
    pub num_attention_heads: i64,
    /// Number of positions: 77.
    pub max_position_embeddings: i64,
    /// Activation of the feed-forward layers.
    pub hidden_act: Activation,
    /// Epsilon of the layer norms.
    pub layer_norm_eps: f64,
    /// Width of the projected pooled embedding, where the encoder has a projection.
    pub projection_dim: i64,
    /// The id that ends a text. Old files say 2, which means: the position of the largest id.
    pub eos_token_id: i64,
}

impl Default for ClipTextConfig {
    /// The defaults of transformers' class.
    fn default() -> Self {
        Self {
            vocab_size: 49408,
            hidden_size: 512,
            intermediate_size: 2048,
            num_hidden_layers: 12,
            num_attention_heads: 8,
            max_position_embeddings: 77,
            hidden_act: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
            projection_dim: 512,
            eos_token_id: 49407,
        }
    }
}

impl ClipTextConfig {
    /// CLIP ViT-L, SDXL's first text encoder.
    pub fn vit_l() -> Self {
        Self {
            hidden_size: 768,
            intermediate_size: 3072,
            num_attention_heads: 12,
            projection_dim: 768,
            eos_token_id: 2,
            ..Self::default()
        }
    }

    /// OpenCLIP ViT-bigG, SDXL's second text encoder and the refiner's only one.
    pub fn vit_big_g() -> Self {
        Self {
            hidden_size: 1280,
            intermediate_size: 5120,
            num_hidden_layers: 32,
            num_attention_heads: 20,
            hidden_act: Activation::Gelu,
            projection_dim: 1280,
            eos_token_id: 2,
            ..Self::default()
        }
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        in_range("vocab_size", self.vocab_size, 1..=1 << 24)?;
        in_range("hidden_size", self.hidden_size, 1..=1 << 16)?;
        in_range("intermediate_size", self.intermediate_size, 1..=1 << 18)?;
        in_range("num_hidden_layers", self.num_hidden_layers, 2..=256)?;
        in_range("num_attention_heads", self.num_attention_heads, 1..=self.hidden_size)?;
        in_range("max_position_embeddings", self.max_position_embeddings, 2..=1 << 16)?;
        in_range("projection_dim", self.projection_dim, 1..=1 << 16)?;
        epsilon("layer_norm_eps", self.layer_norm_eps)?;
        if self.hidden_size % self.num_attention_heads != 0 {
            return Err(format!(
                "num_attention_heads {} does not divide hidden_size {}",
                self.num_attention_heads, self.hidden_size
            ));
        }
        Ok(())
    }
}
