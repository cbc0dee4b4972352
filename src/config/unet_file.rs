//! Reading diffusers' `UNet2DConditionModel` configuration.

use serde::Deserialize;

use super::unet::{LevelConfig, MidConfig, UnetConfig, in_range};

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
    in_range("layers_per_block", blocks as i64, 1..=32)?;
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
