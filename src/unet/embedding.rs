//! What the UNet is told beside the latents: [`UnetConditioning`], and how it enters the network.

use tch::{Kind, Tensor};

use super::prepared::PreparedConditioning;
use crate::config::UnetConfig;
use crate::error::{Error, Result};
use crate::nn::{Linear, LinearSpec, SinCos, silu, sinusoidal};
use crate::runtime::Numbers;
use crate::weights::Weights;

/// Everything that the UNet is told besides the latents and their noise level. One row for each picture.
///
/// SDXL's micro-conditioning (paper, section 2.2) is part of it and cannot be left out: without it the
/// pictures are those of small, cropped training data.
#[derive(Debug)]
pub struct UnetConditioning {
    context: Tensor,
    pooled: Tensor,
    time_ids: Tensor,
    pub(super) timestep_cond: Option<Tensor>,
}

impl UnetConditioning {
    /// From its tensors.
    ///
    /// # Shapes
    /// `context` `(B, tokens, cross_attention_dim)`, the text; `pooled` `(B, projection_dim)`, the whole text
    /// in one vector; `time_ids` `(B, 6)`: original height and width, crop top and left, target height and
    /// width in pixels, or `(B, 5)` in the refiner: the last two make way for the aesthetic score.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the numbers of rows differ.
    pub fn new(context: Tensor, pooled: Tensor, time_ids: Tensor) -> Result<Self> {
        let rows = |tensor: &Tensor| tensor.size().first().copied().unwrap_or(0);
        let (expected, ranks) = (rows(&context), (context.dim(), pooled.dim(), time_ids.dim()));
        if ranks != (3, 2, 2) || rows(&pooled) != expected || rows(&time_ids) != expected {
            return Err(Error::invalid(
                "conditioning",
                format!("{:?}, {:?} and {:?}", context.size(), pooled.size(), time_ids.size()),
                "shapes (B, tokens, width), (B, width) and (B, numbers) of one B",
            ));
        }
        Ok(Self { context, pooled, time_ids, timestep_cond: None })
    }

    /// The embedded guidance scale, for models that take it as an input (LCM, see [`guidance_embedding`]);
    /// others do not use it.
    ///
    /// # Shapes
    /// `(B, time_cond_proj_dim)` or `(1, time_cond_proj_dim)`.
    #[must_use]
    pub fn timestep_cond(self, embedding: Tensor) -> Self {
        Self { timestep_cond: Some(embedding), ..self }
    }

    /// The rows of two conditionings one after the other, as guidance evaluates them in one batch.
    pub fn cat(&self, other: &Self) -> Result<Self> {
        let cat = |a: &Tensor, b: &Tensor| Tensor::f_cat(&[a, b], 0);
        Ok(Self {
            context: cat(&self.context, &other.context)?,
            pooled: cat(&self.pooled, &other.pooled)?,
            time_ids: cat(&self.time_ids, &other.time_ids)?,
            timestep_cond: match (&self.timestep_cond, &other.timestep_cond) {
                // One row for all.
                (Some(a), Some(b)) if a.size2()?.0 == 1 && b.size2()?.0 == 1 => Some(a.shallow_clone()),
                (Some(a), Some(b)) => Some(cat(a, b)?),
                (None, None) => None,
                _ => return Err(Error::invalid("timestep_cond", "given for one side", "both or none")),
            },
        })
    }

    /// Some of the rows, which share memory with these.
    pub fn narrow(&self, start: i64, count: i64) -> Result<Self> {
        let rows = |tensor: &Tensor| tensor.f_narrow(0, start, count);
        let timestep_cond = match &self.timestep_cond {
            // One row for all.
            Some(one) if one.size2()?.0 == 1 => Some(one.shallow_clone()),
            Some(each) => Some(rows(each)?),
            None => None,
        };
        Ok(Self {
            context: rows(&self.context)?,
            pooled: rows(&self.pooled)?,
            time_ids: rows(&self.time_ids)?,
            timestep_cond,
        })
    }

    /// The text, `(B, tokens, cross_attention_dim)`.
    pub fn context(&self) -> &Tensor {
        &self.context
    }

    /// The text in one vector, `(B, projection_dim)`.
    pub fn pooled(&self) -> &Tensor {
        &self.pooled
    }

    /// The numbers of the micro-conditioning, `(B, 6)` or `(B, 5)`.
    pub fn time_ids(&self) -> &Tensor {
        &self.time_ids
    }
}

/// The guidance scale as an LCM UNet is told it: `(1, width)` in f32.
pub fn guidance_embedding(scale: f64, width: i64) -> Result<Tensor> {
    sinusoidal(&Tensor::f_from_slice(&[(scale - 1.) as f32])?.f_mul_number(1000.)?, width, SinCos::SinFirst)
}

/// The timestep and the micro-conditioning, as one vector that every residual block is given.
#[derive(Debug)]
pub(super) struct TimeEmbedding {
    time: Mlp,
    add: Mlp,
    cond_proj: Option<Linear>,
    model_channels: i64,
    addition_time_embed_dim: i64,
}

impl TimeEmbedding {
    pub(super) fn load(weights: &Weights, config: &UnetConfig) -> Result<Self> {
        let (first, width) = (config.model_channels(), config.time_embed_dim());
        let time = weights.at("time_embedding");
        let cond_proj = match config.time_cond_proj_dim {
            Some(dim) => Some(Linear::load(&time.at("cond_proj"), LinearSpec::Unbiased(dim, first))?),
            None => None,
        };
        Ok(Self {
            time: Mlp::load(&time, first, width)?,
            add: Mlp::load(
                &weights.at("add_embedding"),
                config.projection_class_embeddings_input_dim,
                width,
            )?,
            cond_proj,
            model_channels: first,
            addition_time_embed_dim: config.addition_time_embed_dim,
        })
    }

    /// The embedding of timesteps, with that of the micro-conditioning ([`added`](Self::added)).
    ///
    /// # Shapes
    /// `timestep` `(B)`, `added` `(B, time_embed_dim)` to `(B, time_embed_dim)` of type `kind`.
    pub(super) fn forward(
        &self,
        timestep: &Tensor,
        PreparedConditioning { added, timestep_cond, .. }: &PreparedConditioning,
        kind: Kind,
    ) -> Result<Tensor> {
        let mut time = sinusoidal(timestep, self.model_channels, SinCos::CosFirst)?.f_to_kind(kind)?;
        if let Some(cond_proj) = &self.cond_proj {
            let Some(embedding) = timestep_cond else {
                return Err(Error::Missing {
                    part: "guidance embedding",
                    reason: "this UNet takes the guidance scale as an input".into(),
                });
            };
            let embedding = embedding.f_to_device(timestep.device())?.f_to_kind(kind)?;
            time = time.f_add(&cond_proj.forward(&embedding)?)?;
        }
        Ok(self.time.forward(&time)?.f_add(added)?)
    }

    /// The embedding of the micro-conditioning and the pooled text, which is the same at every timestep.
    pub(super) fn added(&self, conditioning: &UnetConditioning) -> Result<Tensor> {
        let kind = conditioning.pooled.f_kind()?;
        // (B, numbers) -> (B, numbers · dim)
        let ids = &conditioning.time_ids;
        let ids = sinusoidal(&ids.f_flatten(0, -1)?, self.addition_time_embed_dim, SinCos::CosFirst)?
            .f_reshape([ids.size2()?.0, -1])?
            .f_to_kind(kind)?;
        self.add.forward(&Tensor::f_cat(&[&conditioning.pooled, &ids], -1)?)
    }
}

#[derive(Debug)]
struct Mlp {
    linear_1: Linear,
    linear_2: Linear,
}

impl Mlp {
    fn load(weights: &Weights, input: i64, output: i64) -> Result<Self> {
        Ok(Self {
            linear_1: Linear::load(&weights.at("linear_1"), LinearSpec::Biased(input, output))?,
            linear_2: Linear::load(&weights.at("linear_2"), LinearSpec::Biased(output, output))?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.linear_2.forward(&silu(&self.linear_1.forward(x)?)?)
    }
}
