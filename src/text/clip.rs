//! The CLIP text transformer, used twice: ViT-L and OpenCLIP ViT-bigG.

use tch::{Kind, Tensor};

use crate::config::{Activation, ClipTextConfig};
use crate::error::{Error, Result};
use crate::nn::{
    Embedding, LayerNorm, Linear, LinearSpec, causal_dot_product, gelu, merge_heads, quick_gelu, split_heads,
};
use crate::runtime::{Numbers, number};
use crate::weights::{Parameter, Weights};

/// A CLIP text encoder, with or without the projection of its pooled output.
#[derive(Debug)]
pub struct ClipTextModel {
    config: ClipTextConfig,
    token_embedding: Embedding,
    added_tokens: i64,
    position_embedding: Parameter,
    layers: Vec<ClipLayer>,
    final_layer_norm: LayerNorm,
    text_projection: Option<Linear>,
}

/// What a text encoder gives for a batch of token sequences.
#[derive(Debug)]
pub struct ClipTextOutput {
    /// The hidden states of the layer asked for, without the final layer norm: `(B, tokens, hidden_size)`.
    pub hidden_states: Tensor,
    /// The last layer's state at the end of the text, after the final norm and the projection:
    /// `(B, projection_dim)`; `None` in a model without projection.
    pub pooled: Option<Tensor>,
}

/// Whether an encoder projects its pooled output: SDXL takes that of the second encoder alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Projection {
    /// transformers' `CLIPTextModel`.
    Without,
    /// transformers' `CLIPTextModelWithProjection`.
    With,
}

impl ClipTextModel {
    /// Reads an encoder of that shape, under transformers 5's names (without the level `text_model`).
    pub fn load(weights: &Weights, config: &ClipTextConfig, projection: Projection) -> Result<Self> {
        config.check()?;
        let embeddings = weights.at("embeddings");
        let width = config.hidden_size;
        Ok(Self {
            token_embedding: Embedding::load(&embeddings.at("token_embedding"), config.vocab_size, width)?,
            added_tokens: 0,
            position_embedding: embeddings
                .at("position_embedding")
                .parameter("weight", &[config.max_position_embeddings, width])?,
            layers: (0..config.num_hidden_layers)
                .map(|index| ClipLayer::load(&weights.at("encoder.layers").at(index), config))
                .collect::<Result<_>>()?,
            final_layer_norm: LayerNorm::load(&weights.at("final_layer_norm"), width, config.layer_norm_eps)?,
            text_projection: match projection {
                Projection::Without => None,
                Projection::With => {
                    let spec = LinearSpec::Unbiased(width, config.projection_dim);
                    Some(Linear::load(&weights.at("text_projection"), spec)?)
                }
            },
            config: config.clone(),
        })
    }

    /// The same with vectors for more tokens, whose ids follow those of the vocabulary.
    ///
    /// # Shapes
    /// `(tokens, hidden_size)`.
    pub fn with_tokens(self, vectors: &Tensor) -> Result<Self> {
        let (added_tokens, width) = vectors.size2()?;
        if width != self.config.hidden_size {
            let expected = format!("vectors of {} numbers", self.config.hidden_size);
            return Err(Error::invalid("vectors", width, expected));
        }
        Ok(Self { token_embedding: self.token_embedding.with_added(vectors)?, added_tokens, ..self })
    }

    /// The number of token ids that the model knows.
    pub fn tokens(&self) -> i64 {
        self.config.vocab_size + self.added_tokens
    }

    /// The shape of the network.
    pub fn config(&self) -> &ClipTextConfig {
        &self.config
    }

    /// Where the model computes.
    pub(crate) fn device(&self) -> tch::Device {
        self.position_embedding.stored().device()
    }

    /// Encodes token sequences.
    ///
    /// `clip_skip` counts from the layer that SDXL uses, the last but one: 0 is that one, 1 the one before
    /// (diffusers' `clip_skip`; A1111's number less 2).
    ///
    /// # Shapes
    /// `ids` `(B, tokens)` of i64, at most `max_position_embeddings` tokens.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `clip_skip` leaves no layer.
    pub fn forward(&self, ids: &Tensor, clip_skip: usize) -> Result<ClipTextOutput> {
        // hidden_states[-2] is the input of the last layer; [-(2 + skip)] that of one further down.
        let layer =
            self.layers.len().checked_sub(1).and_then(|last| last.checked_sub(clip_skip)).ok_or_else(
                || {
                    Error::invalid(
                        "clip_skip",
                        clip_skip,
                        format!("0 to {}, the layers below the last", self.layers.len().saturating_sub(1)),
                    )
                },
            )?;
        let (_, tokens) = ids.size2()?;
        let x = self.token_embedding.forward(ids)?;
        let mut x =
            self.position_embedding.with(|positions| Ok(x.f_add(&positions.f_narrow(0, 0, tokens)?)?))?;
        let mut hidden_states = None;
        for (index, block) in self.layers.iter().enumerate() {
            if index == layer {
                hidden_states = Some(x.shallow_clone());
                if self.text_projection.is_none() {
                    break;
                }
            }
            x = block.forward(&x)?;
        }
        let pooled = match &self.text_projection {
            Some(projection) => {
                let x = self.final_layer_norm.forward(&x)?;
                Some(projection.forward(&self.at_end_of_text(&x, ids)?)?)
            }
            None => None,
        };
        Ok(ClipTextOutput { hidden_states: hidden_states.unwrap_or(x), pooled })
    }

    /// The state at the end-of-text token: `(B, tokens, width)` to `(B, width)`.
    pub(crate) fn at_end_of_text(&self, x: &Tensor, ids: &Tensor) -> Result<Tensor> {
        // 2 is the id that old files give in error; there the largest id is taken, which is the end of text. Added
        // tokens have larger ones still, and transformers takes them for it.
        let is_end = match self.config.eos_token_id {
            2 => ids.f_masked_fill_tensor(&ids.f_ge_number(self.config.vocab_size)?, &number(0)?)?,
            end => ids.f_eq_number(end)?.f_to_kind(Kind::Int64)?,
        };
        // The first of equal ones.
        let position = is_end.f_argmax(-1, false)?;
        let (batch, _, width) = x.size3()?;
        let index = position.f_view([batch, 1, 1])?.f_expand([batch, 1, width], false)?;
        Ok(x.f_gather(1, &index, false)?.f_squeeze_dim(1)?)
    }
}

/// A layer of the text transformer: causal self-attention and feed-forward, normalised before each.
#[derive(Debug)]
pub struct ClipLayer {
    layer_norm1: LayerNorm,
    self_attn: SelfAttention,
    layer_norm2: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    activation: Activation,
}

impl ClipLayer {
    /// Reads a layer of that model.
    pub fn load(weights: &Weights, config: &ClipTextConfig) -> Result<Self> {
        let (width, inner, eps) = (config.hidden_size, config.intermediate_size, config.layer_norm_eps);
        Ok(Self {
            layer_norm1: LayerNorm::load(&weights.at("layer_norm1"), width, eps)?,
            self_attn: SelfAttention::load(&weights.at("self_attn"), width, config.num_attention_heads)?,
            layer_norm2: LayerNorm::load(&weights.at("layer_norm2"), width, eps)?,
            fc1: Linear::load(&weights.at("mlp.fc1"), LinearSpec::Biased(width, inner))?,
            fc2: Linear::load(&weights.at("mlp.fc2"), LinearSpec::Biased(inner, width))?,
            activation: config.hidden_act,
        })
    }

    /// # Shapes
    /// `(B, tokens, hidden_size)`, kept.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = x.f_add(&self.self_attn.forward(&self.layer_norm1.forward(x)?)?)?;
        let h = self.fc1.forward(&self.layer_norm2.forward(&x)?)?;
        let h = match self.activation {
            Activation::QuickGelu => quick_gelu(&h)?,
            Activation::Gelu => gelu(&h)?,
        };
        Ok(x.f_add(&self.fc2.forward(&h)?)?)
    }
}

#[derive(Debug)]
struct SelfAttention {
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    out_proj: Linear,
    heads: i64,
}

impl SelfAttention {
    fn load(weights: &Weights, width: i64, heads: i64) -> Result<Self> {
        let linear = |name| Linear::load(&weights.at(name), LinearSpec::Biased(width, width));
        Ok(Self {
            q_proj: linear("q_proj")?,
            k_proj: linear("k_proj")?,
            v_proj: linear("v_proj")?,
            out_proj: linear("out_proj")?,
            heads,
        })
    }

    /// Each token sees itself and those before it.
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let q = split_heads(&self.q_proj.forward(x)?, self.heads)?;
        let k = split_heads(&self.k_proj.forward(x)?, self.heads)?;
        let v = split_heads(&self.v_proj.forward(x)?, self.heads)?;
        self.out_proj.forward(&merge_heads(&causal_dot_product(&q, &k, &v)?)?)
    }
}
