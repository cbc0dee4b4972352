//! The shape of the UNet, resolved from diffusers' `UNet2DConditionModel` configuration.

use serde::{Deserialize, Serialize};

use std::fmt::Display;
use std::ops::RangeInclusive;

/// One resolution level of the UNet, on the way down or up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelConfig {
    /// Channels of the level.
    pub channels: i64,
    /// Attention heads of its transformers. diffusers calls this number `attention_head_dim`.
    pub heads: i64,
    /// For each residual block, the depth of the transformer behind it; `None` where there is none.
    pub transformers: Vec<Option<usize>>,
}

/// The middle of the UNet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MidConfig {
    /// Nothing (KOALA).
    Absent,
    /// One residual block (SSD-1B, Vega).
    Resnet,
    /// Two residual blocks around a transformer of that depth (SDXL: 10, refiner: 4).
    Transformer(usize),
}

/// The UNet of an SDXL model (SDXL paper, table 1; `reference` configurations of the hub).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnetConfig {
    /// Channels of the input: 4; 9 for inpainting models (latents, mask, masked picture).
    pub in_channels: i64,
    /// Channels of the output: 4.
    pub out_channels: i64,
    /// Side of a latent of the training resolution: 128 for 1024 pixels.
    pub sample_size: i64,
    /// Levels from full resolution down.
    pub down: Vec<LevelConfig>,
    /// The middle.
    pub mid: MidConfig,
    /// Levels from the lowest resolution up; each has one residual block more than its partner in `down`.
    pub up: Vec<LevelConfig>,
    /// Width of the text context: 2048; the refiner's is 1280.
    pub cross_attention_dim: i64,
    /// Width of the Fourier embedding of each number of the micro-conditioning: 256.
    pub addition_time_embed_dim: i64,
    /// Width of pooled text and embedded numbers together: 2816; the refiner's is 2560.
    pub projection_class_embeddings_input_dim: i64,
    /// Width of the guidance-scale embedding that LCM models take.
    pub time_cond_proj_dim: Option<i64>,
    /// Groups of the group norms.
    pub norm_num_groups: i64,
    /// Epsilon of the group norms in residual blocks and at the end. Transformers use 1e-6.
    pub norm_eps: f64,
}

impl UnetConfig {
    /// SDXL base 1.0: 2 567 463 684 parameters.
    pub fn base() -> Self {
        let level = |channels: i64, blocks, depth| LevelConfig {
            channels,
            heads: channels / 64,
            transformers: vec![depth; blocks],
        };
        Self {
            in_channels: 4,
            out_channels: 4,
            sample_size: 128,
            down: vec![level(320, 2, None), level(640, 2, Some(2)), level(1280, 2, Some(10))],
            mid: MidConfig::Transformer(10),
            up: vec![level(1280, 3, Some(10)), level(640, 3, Some(2)), level(320, 3, None)],
            cross_attention_dim: 2048,
            addition_time_embed_dim: 256,
            projection_class_embeddings_input_dim: 2816,
            time_cond_proj_dim: None,
            norm_num_groups: 32,
            norm_eps: 1e-5,
        }
    }

    /// SDXL refiner 1.0: 2 259 526 660 parameters.
    pub fn refiner() -> Self {
        let level = |channels: i64, blocks, depth| LevelConfig {
            channels,
            heads: channels / 64,
            transformers: vec![depth; blocks],
        };
        Self {
            down: vec![
                level(384, 2, None),
                level(768, 2, Some(4)),
                level(1536, 2, Some(4)),
                level(1536, 2, None),
            ],
            mid: MidConfig::Transformer(4),
            up: vec![
                level(1536, 3, None),
                level(1536, 3, Some(4)),
                level(768, 3, Some(4)),
                level(384, 3, None),
            ],
            cross_attention_dim: 1280,
            projection_class_embeddings_input_dim: 2560,
            ..Self::base()
        }
    }

    /// Width of the sinusoidal timestep embedding: the channels of the first level.
    pub fn model_channels(&self) -> i64 {
        self.down.first().map_or(0, |level| level.channels)
    }

    /// Width of the time embedding: four times that.
    pub fn time_embed_dim(&self) -> i64 {
        4 * self.model_channels()
    }

    /// How many numbers of micro-conditioning the model takes, beside a pooled embedding of width `pooled`:
    /// 6 (original size, crop, target size), or 5 in the refiner (original size, crop, aesthetic score).
    pub fn time_ids(&self, pooled: i64) -> Option<i64> {
        let width = self.projection_class_embeddings_input_dim - pooled;
        (width > 0 && width % self.addition_time_embed_dim == 0).then(|| width / self.addition_time_embed_dim)
    }
}

impl UnetConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        in_range("number of levels", self.down.len() as i64, 1..=8)?;
        in_range("number of levels on the way up", self.up.len() as i64, 1..=8)?;
        in_range("in_channels", self.in_channels, 1..=256)?;
        in_range("out_channels", self.out_channels, 1..=256)?;
        in_range("sample_size", self.sample_size, 1..=1 << 14)?;
        in_range("cross_attention_dim", self.cross_attention_dim, 1..=1 << 16)?;
        in_range("addition_time_embed_dim", self.addition_time_embed_dim, 2..=1 << 16)?;
        let projection = self.projection_class_embeddings_input_dim;
        in_range("projection_class_embeddings_input_dim", projection, 1..=1 << 20)?;
        for (name, width) in [
            ("addition_time_embed_dim", self.addition_time_embed_dim),
            ("the first of block_out_channels", self.model_channels()),
            ("time_cond_proj_dim", self.time_cond_proj_dim.unwrap_or(4)),
        ] {
            if width % 2 != 0 {
                return Err(format!("{name} is {width}, expected an even number"));
            }
        }
        in_range("time_cond_proj_dim", self.time_cond_proj_dim.unwrap_or(4), 4..=1 << 16)?;
        epsilon("norm_eps", self.norm_eps)?;
        let mid_depth = match self.mid {
            MidConfig::Transformer(depth) => Some(depth),
            MidConfig::Absent | MidConfig::Resnet => None,
        };
        let mid = self.down.last().filter(|_| mid_depth.is_some());
        for level in self.down.iter().chain(&self.up) {
            in_range("block_out_channels", level.channels, 1..=1 << 16)?;
            divides("norm_num_groups", self.norm_num_groups, level.channels)?;
            let attends = level.transformers.iter().any(Option::is_some);
            if attends || mid.is_some_and(|mid| mid == level) {
                divides("attention_head_dim (the number of heads)", level.heads, level.channels)?;
            }
            for depth in level.transformers.iter().flatten().chain(&mid_depth) {
                in_range("transformer_layers_per_block", *depth as i64, 0..=256)?;
            }
        }
        let depths = self.down.iter().chain(&self.up).flat_map(|level| level.transformers.iter().flatten());
        // Each is a dozen tensors or two; SDXL has 70.
        in_range("number of transformer layers", depths.chain(&mid_depth).sum::<usize>(), 0..=1024)?;
        Ok(())
    }
}

pub(super) fn in_range<T: PartialOrd + Display>(
    name: &str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<(), String> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(format!("{name} is {value}, expected {} to {}", range.start(), range.end()))
}

/// What a norm adds to a variance.
pub(super) fn epsilon(name: &str, value: f64) -> Result<(), String> {
    if value > 0. && value <= 1. {
        return Ok(());
    }
    Err(format!("{name} is {value}, expected above 0 and at most 1"))
}

pub(super) fn divides(name: &str, divisor: i64, value: i64) -> Result<(), String> {
    if divisor > 0 && value % divisor == 0 {
        return Ok(());
    }
    Err(format!("{name} {divisor} does not divide {value} channels"))
}
