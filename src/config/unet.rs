//! The shape of the UNet, resolved from diffusers' `UNet2DConditionModel` configuration.

use std::fmt::Display;
use std::ops::RangeInclusive;

use serde::Deserialize;

/// One resolution level of the UNet, on the way down or up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelConfig {
    /// Channels of the level.
    pub channels: i64,
    /// Attention heads of its transformers. diffusers calls this number `attention_head_dim`.
    pub heads: i64,
    /// For each residual block, the depth of the transformer behind it; `None` where there is none.
    pub transformers: Vec<Option<usize>>,
}

/// The middle of the UNet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MidConfig {
    /// Nothing (KOALA).
    Absent,
    /// One residual block (SSD-1B, Vega).
    Resnet,
    /// Two residual blocks around a transformer of that depth (SDXL: 10, refiner: 4).
    Transformer(usize),
}

/// The UNet of an SDXL model (SDXL paper, table 1; `reference` configurations of the hub).
#[derive(Debug, Clone, PartialEq)]
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

/// `unet/config.json` as diffusers writes it, with the defaults of its class.
#[derive(Deserialize)]
#[serde(default)]
pub(super) struct UnetFile {
    sample_size: Option<PerSide>,
    in_channels: i64,
    out_channels: i64,
    down_block_types: Vec<String>,
    mid_block_type: Option<String>,
    up_block_types: Vec<String>,
    block_out_channels: Vec<i64>,
    layers_per_block: PerLevel<usize>,
    norm_num_groups: i64,
    norm_eps: f64,
    cross_attention_dim: PerLevel<i64>,
    transformer_layers_per_block: PerLevel<PerLevel<usize>>,
    reverse_transformer_layers_per_block: Option<PerLevel<PerLevel<usize>>>,
    attention_head_dim: PerLevel<i64>,
    num_attention_heads: Option<PerLevel<i64>>,
    use_linear_projection: bool,
    addition_embed_type: Option<String>,
    addition_time_embed_dim: Option<i64>,
    projection_class_embeddings_input_dim: Option<i64>,
    time_cond_proj_dim: Option<i64>,
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}

impl Default for UnetFile {
    fn default() -> Self {
        let names = |names: [&str; 4]| names.map(String::from).to_vec();
        Self {
            sample_size: None,
            in_channels: 4,
            out_channels: 4,
            down_block_types: names([
                "CrossAttnDownBlock2D",
                "CrossAttnDownBlock2D",
                "CrossAttnDownBlock2D",
                "DownBlock2D",
            ]),
            mid_block_type: Some("UNetMidBlock2DCrossAttn".into()),
            up_block_types: names([
                "UpBlock2D",
                "CrossAttnUpBlock2D",
                "CrossAttnUpBlock2D",
                "CrossAttnUpBlock2D",
            ]),
            block_out_channels: vec![320, 640, 1280, 1280],
            layers_per_block: PerLevel::Same(2),
            norm_num_groups: 32,
            norm_eps: 1e-5,
            cross_attention_dim: PerLevel::Same(1280),
            transformer_layers_per_block: PerLevel::Same(PerLevel::Same(1)),
            reverse_transformer_layers_per_block: None,
            attention_head_dim: PerLevel::Same(8),
            num_attention_heads: None,
            use_linear_projection: false,
            addition_embed_type: None,
            addition_time_embed_dim: None,
            projection_class_embeddings_input_dim: None,
            time_cond_proj_dim: None,
            rest: serde_json::Map::new(),
        }
    }
}

/// One value for all levels, or one for each.
#[derive(Deserialize, Clone)]
#[serde(untagged)]
enum PerLevel<T> {
    // Tried first: a list of lists must not be read as one value for all levels.
    Each(Vec<T>),
    Same(T),
}

impl<T: Clone> PerLevel<T> {
    fn expand(&self, name: &str, levels: usize) -> Result<Vec<T>, String> {
        match self {
            Self::Same(value) => Ok(vec![value.clone(); levels]),
            Self::Each(values) if values.len() == levels => Ok(values.clone()),
            Self::Each(values) => Err(format!("{name} has {} entries for {levels}", values.len())),
        }
    }
}

#[derive(Deserialize, Clone, Copy)]
#[serde(untagged)]
enum PerSide {
    Square(i64),
    Sides(i64, i64),
}

/// Settings that are fixed in SDXL, under diffusers' names; any other value is another architecture.
const FIXED: [(&str, &[&str]); 23] = [
    ("act_fn", &["\"silu\""]),
    ("attention_type", &["\"default\""]),
    ("center_input_sample", &["false"]),
    ("class_embed_type", &["null"]),
    ("class_embeddings_concat", &["false"]),
    ("conv_in_kernel", &["3"]),
    ("conv_out_kernel", &["3"]),
    ("cross_attention_norm", &["null"]),
    ("downsample_padding", &["1"]),
    ("dual_cross_attention", &["false"]),
    ("encoder_hid_dim", &["null"]),
    ("encoder_hid_dim_type", &["null"]),
    ("flip_sin_to_cos", &["true"]),
    ("freq_shift", &["0"]),
    ("mid_block_scale_factor", &["1", "1.0"]),
    ("num_class_embeds", &["null"]),
    ("only_cross_attention", &["false"]),
    ("resnet_out_scale_factor", &["1", "1.0"]),
    ("resnet_skip_time_act", &["false"]),
    ("resnet_time_scale_shift", &["\"default\""]),
    ("time_embedding_dim", &["null"]),
    ("time_embedding_type", &["\"positional\""]),
    ("timestep_post_act", &["null"]),
];

impl UnetFile {
    pub(super) fn resolve(&self) -> Result<UnetConfig, String> {
        self.check_fixed()?;
        let levels = self.block_out_channels.len();
        in_range("number of levels", levels as i64, 1..=8)?;
        for (name, types) in
            [("down_block_types", &self.down_block_types), ("up_block_types", &self.up_block_types)]
        {
            if types.len() != levels {
                return Err(format!("{name} has {} entries for {levels} levels", types.len()));
            }
        }
        let heads = self.num_attention_heads.as_ref().unwrap_or(&self.attention_head_dim);
        let heads = heads.expand("attention_head_dim", levels)?;
        let blocks = self.layers_per_block.expand("layers_per_block", levels)?;
        let depths = self.transformer_layers_per_block.expand("transformer_layers_per_block", levels)?;
        let depths_up = match &self.reverse_transformer_layers_per_block {
            Some(depths) => depths.expand("reverse_transformer_layers_per_block", levels)?,
            None => depths.iter().rev().cloned().collect(),
        };

        let mut down = Vec::with_capacity(levels);
        let mut up = Vec::with_capacity(levels);
        let rows = self.block_out_channels.iter().zip(&heads).zip(&blocks).zip(&depths);
        for (name, (((&channels, &heads), &blocks), depth)) in self.down_block_types.iter().zip(rows) {
            let attention = has_attention(name, "DownBlock2D", "CrossAttnDownBlock2D")?;
            down.push(level(channels, heads, blocks, attention.then_some(depth))?);
        }
        let rows = self.block_out_channels.iter().zip(&heads).zip(&blocks).rev().zip(&depths_up);
        for (name, (((&channels, &heads), &blocks), depth)) in self.up_block_types.iter().zip(rows) {
            let attention = has_attention(name, "UpBlock2D", "CrossAttnUpBlock2D")?;
            up.push(level(channels, heads, blocks + 1, attention.then_some(depth))?);
        }
        let mid = match self.mid_block_type.as_deref() {
            Some("UNetMidBlock2DCrossAttn") => match depths.last() {
                Some(depth) => match depth.expand("depth of the middle", 1)?.as_slice() {
                    &[depth] => MidConfig::Transformer(depth),
                    _ => MidConfig::Resnet,
                },
                None => MidConfig::Resnet,
            },
            Some("UNetMidBlock2D") => MidConfig::Resnet,
            None => MidConfig::Absent,
            Some(other) => return Err(format!("mid_block_type {other} is not one of SDXL's")),
        };
        let config = UnetConfig {
            in_channels: self.in_channels,
            out_channels: self.out_channels,
            sample_size: match self.sample_size {
                Some(PerSide::Square(side)) => side,
                Some(PerSide::Sides(height, width)) => height.max(width),
                None => 128,
            },
            down,
            mid,
            up,
            cross_attention_dim: match &self.cross_attention_dim {
                PerLevel::Same(width) => *width,
                PerLevel::Each(widths) => match widths.as_slice() {
                    [first, rest @ ..] if rest.iter().all(|width| width == first) => *first,
                    _ => return Err("cross_attention_dim differs between levels".into()),
                },
            },
            addition_time_embed_dim: self
                .addition_time_embed_dim
                .ok_or("addition_time_embed_dim is missing")?,
            projection_class_embeddings_input_dim: self
                .projection_class_embeddings_input_dim
                .ok_or("projection_class_embeddings_input_dim is missing")?,
            time_cond_proj_dim: self.time_cond_proj_dim,
            norm_num_groups: self.norm_num_groups,
            norm_eps: self.norm_eps,
        };
        config.validate()?;
        Ok(config)
    }

    fn check_fixed(&self) -> Result<(), String> {
        if self.addition_embed_type.as_deref() != Some("text_time") {
            let found = self.addition_embed_type.as_deref().unwrap_or("null");
            return Err(format!(
                "addition_embed_type is {found}, expected text_time: this is not an SDXL UNet (micro-conditioning)"
            ));
        }
        if !self.use_linear_projection {
            return Err("use_linear_projection is false, expected true: this is not an SDXL UNet".into());
        }
        check_fixed(&self.rest, &FIXED)
    }
}

/// Refuses a setting that has another value than those of SDXL; an absent one is its class's default.
pub(super) fn check_fixed(
    settings: &serde_json::Map<String, serde_json::Value>,
    fixed: &[(&str, &[&str])],
) -> Result<(), String> {
    for (name, accepted) in fixed {
        let Some(value) = settings.get(*name) else { continue };
        if !accepted.contains(&value.to_string().as_str()) {
            return Err(format!("{name} is {value}, expected {}", accepted.join(" or ")));
        }
    }
    Ok(())
}

fn has_attention(name: &str, plain: &str, cross: &str) -> Result<bool, String> {
    match name {
        _ if name == plain => Ok(false),
        _ if name == cross => Ok(true),
        _ => Err(format!("block type {name} is not one of SDXL's ({plain}, {cross})")),
    }
}

fn level(
    channels: i64,
    heads: i64,
    blocks: usize,
    depth: Option<&PerLevel<usize>>,
) -> Result<LevelConfig, String> {
    in_range("layers_per_block", blocks as i64, 1..=64)?;
    let transformers = match depth {
        // Depth 0 is a transformer without blocks (norm, proj_in, proj_out), as in diffusers.
        Some(depth) => depth
            .expand("transformer_layers_per_block of a level (an uneven one needs reverse_transformer_layers_per_block)", blocks)?
            .into_iter()
            .map(Some)
            .collect(),
        None => vec![None; blocks],
    };
    Ok(LevelConfig { channels, heads, transformers })
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

pub(super) fn divides(name: &str, divisor: i64, value: i64) -> Result<(), String> {
    if divisor > 0 && value % divisor == 0 {
        return Ok(());
    }
    Err(format!("{name} {divisor} does not divide {value} channels"))
}
