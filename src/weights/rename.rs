//! Names of other checkpoint layouts to diffusers' names: pure functions of the key.
//!
//! Covers single files in Stability's layout (`model.diffusion_model.…`, `first_stage_model.…`,
//! `conditioner.embedders.…`), where OpenCLIP fuses the projections of its attention; autoencoders on their
//! own; and text encoders with or without the level `text_model.`.

use std::fmt;

/// A part of the model that has its own folder in a diffusers checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Component {
    /// CLIP ViT-L.
    TextEncoder,
    /// OpenCLIP ViT-bigG.
    TextEncoder2,
    /// The UNet.
    Unet,
    /// The autoencoder.
    Vae,
}

impl Component {
    pub(crate) const ALL: [Self; 4] = [Self::TextEncoder, Self::TextEncoder2, Self::Unet, Self::Vae];

    /// The name of the weights file in that folder, without what follows the first dot.
    pub fn stem(self) -> &'static str {
        match self {
            Self::TextEncoder | Self::TextEncoder2 => "model",
            Self::Unet | Self::Vae => "diffusion_pytorch_model",
        }
    }

    /// The name of the folder: `text_encoder`, `text_encoder_2`, `unet`, `vae`.
    pub fn folder(self) -> &'static str {
        match self {
            Self::TextEncoder => "text_encoder",
            Self::TextEncoder2 => "text_encoder_2",
            Self::Unet => "unet",
            Self::Vae => "vae",
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.folder())
    }
}

/// What part of a stored tensor a tensor of ours is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    /// The matrix is stored the other way round.
    Transposed,
    /// Query (0), key (1) or value (2) of a fused projection: a third of the rows.
    Third(i64),
    /// A 1x1 convolution that diffusers stores as a matrix.
    Squeezed,
}

impl Part {
    /// The shape of the part of a tensor of shape `stored`; `None` where there is no such part.
    pub(crate) fn shape(self, stored: &[i64]) -> Option<Vec<i64>> {
        match (self, stored) {
            (Self::Whole, _) => Some(stored.to_vec()),
            (Self::Transposed, &[rows, columns]) => Some(vec![columns, rows]),
            (Self::Third(_), [rows, rest @ ..]) if rows % 3 == 0 => Some([&[rows / 3], rest].concat()),
            (Self::Squeezed, [rest @ .., 1, 1]) if rest.len() == 2 => Some(rest.to_vec()),
            (Self::Squeezed, _) => Some(stored.to_vec()),
            (Self::Transposed | Self::Third(_), _) => None,
        }
    }
}

/// One tensor of ours that a stored key gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Renamed {
    pub(crate) component: Component,
    pub(crate) name: String,
    pub(crate) part: Part,
}

/// What a key of a single-file checkpoint is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    Tensors(Vec<Renamed>),
    /// Known, and of no use here: EMA copies, buffers, marker keys.
    Ignored,
    Unknown,
}

/// Keys of single files that carry no weights: markers of the training objective and sampling buffers.
const IGNORED: [&str; 12] = [
    "model_ema.",
    "edm_mean",
    "edm_std",
    "edm_vpred.",
    "v_pred",
    "ztsnr",
    "denoiser.",
    "betas",
    "alphas_cumprod",
    "sqrt_",
    "log_one_minus_alphas_cumprod",
    "posterior_",
];

/// Whether a key is that of a checkpoint of several components.
pub(crate) fn is_single_file(key: &str) -> bool {
    key.starts_with("model.diffusion_model.") || key.starts_with("conditioner.embedders.")
}

/// The meaning of a key of a single-file checkpoint.
pub(crate) fn single_file(key: &str) -> Meaning {
    let one = |component, (name, part): (String, Part)| vec![Renamed { component, name, part }];
    let tensors = if let Some(key) = key.strip_prefix("model.diffusion_model.") {
        unet(key).map(|name| one(Component::Unet, (name, Part::Whole)))
    } else if let Some(key) = key.strip_prefix("first_stage_model.") {
        vae(key).map(|renamed| one(Component::Vae, renamed))
    } else if let Some(key) = key.strip_prefix("conditioner.embedders.0.transformer.") {
        match first_clip(key) {
            Some(name) => Some(one(Component::TextEncoder, (name.to_owned(), Part::Whole))),
            None => return Meaning::Ignored,
        }
    } else if let Some(key) = key
        .strip_prefix("conditioner.embedders.1.model.")
        .or_else(|| key.strip_prefix("conditioner.embedders.0.model."))
    {
        match open_clip(key) {
            Some(parts) if parts.is_empty() => return Meaning::Ignored,
            parts => parts.map(|parts| {
                let component = Component::TextEncoder2;
                parts.into_iter().map(|(name, part)| Renamed { component, name, part }).collect()
            }),
        }
    } else if IGNORED.iter().any(|prefix| key.starts_with(prefix))
        || (key.starts_with("conditioner.embedders.0.") && first_clip(last(key)).is_none())
    {
        return Meaning::Ignored;
    } else {
        None
    };
    tensors.map_or(Meaning::Unknown, Meaning::Tensors)
}

/// The name within a component's own file (diffusers' layout, an autoencoder on its own); `None` for
/// buffers that carry no weights.
pub(crate) fn component_file(component: Component, key: &str) -> Option<(String, Part)> {
    let whole = |name: &str| Some((name.to_owned(), Part::Whole));
    match component {
        Component::Unet => whole(key),
        Component::TextEncoder => first_clip(key).and_then(whole),
        Component::TextEncoder2 => clip(key).and_then(whole),
        Component::Vae => {
            let key =
                key.strip_prefix("first_stage_model.").or_else(|| key.strip_prefix("vae.")).unwrap_or(key);
            vae(key).or_else(|| whole(key))
        }
    }
}

/// Which of TAESD's own two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TinySide {
    Encoder,
    Decoder,
}

/// TAESD numbers the layers of each file; its decoder begins with a clamp without weights, which diffusers
/// does not count.
pub(crate) fn tiny(side: TinySide, key: &str) -> String {
    match (side, number(key)) {
        (TinySide::Encoder, _) => format!("encoder.layers.{key}"),
        (TinySide::Decoder, Some((layer @ 1.., rest))) => format!("decoder.layers.{}.{rest}", layer - 1),
        (TinySide::Decoder, _) => format!("decoder.layers.{key}"),
    }
}

/// transformers 4 writes `text_model.encoder.…`, transformers 5 `encoder.…`; position ids are a buffer.
fn clip(key: &str) -> Option<&str> {
    let key = key.strip_prefix("text_model.").unwrap_or(key);
    (key != "logit_scale" && !key.ends_with("position_ids")).then_some(key)
}

/// The same for the first encoder, whose pooled output SDXL never projects: merged files have a projection left
/// over from other programs.
fn first_clip(key: &str) -> Option<&str> {
    clip(key).filter(|name| !name.starts_with("text_projection"))
}

/// What follows the last level but one of `conditioner.embedders.0.`, such as `logit_scale`.
fn last(key: &str) -> &str {
    key.trim_start_matches("conditioner.embedders.0.")
}

/// Splits `12.rest` into the number and the rest.
fn number(key: &str) -> Option<(usize, &str)> {
    let (digits, rest) = key.split_once('.')?;
    Some((digits.parse().ok()?, rest))
}

pub(super) fn unet(key: &str) -> Option<String> {
    const TOP: [(&str, &str); 7] = [
        ("time_embed.0.", "time_embedding.linear_1."),
        ("time_embed.2.", "time_embedding.linear_2."),
        ("label_emb.0.0.", "add_embedding.linear_1."),
        ("label_emb.0.2.", "add_embedding.linear_2."),
        ("input_blocks.0.0.", "conv_in."),
        ("out.0.", "conv_norm_out."),
        ("out.2.", "conv_out."),
    ];
    if let Some((from, to)) = TOP.iter().find(|(from, _)| key.starts_with(from)) {
        return Some(key.replacen(from, to, 1));
    }
    // Every level has two residual blocks and, but for the last, a resampler: three entries each.
    if let Some((entry, rest)) = key.strip_prefix("input_blocks.").and_then(number) {
        let entry = entry.checked_sub(1)?;
        let (level, block) = (entry / 3, entry % 3);
        let (slot, rest) = number(rest)?;
        return match slot {
            0 => Some(match rest.strip_prefix("op.") {
                Some(rest) => format!("down_blocks.{level}.downsamplers.0.conv.{rest}"),
                None => format!("down_blocks.{level}.resnets.{block}.{}", unet_resnet(rest)?),
            }),
            1 => Some(format!("down_blocks.{level}.attentions.{block}.{rest}")),
            _ => None,
        };
    }
    if let Some((entry, rest)) = key.strip_prefix("output_blocks.").and_then(number) {
        let (level, block) = (entry / 3, entry % 3);
        let (slot, rest) = number(rest)?;
        return match (slot, rest.strip_prefix("conv.")) {
            (0, _) => Some(format!("up_blocks.{level}.resnets.{block}.{}", unet_resnet(rest)?)),
            (1 | 2, Some(rest)) => Some(format!("up_blocks.{level}.upsamplers.0.conv.{rest}")),
            (1, None) => Some(format!("up_blocks.{level}.attentions.{block}.{rest}")),
            _ => None,
        };
    }
    match key.strip_prefix("middle_block.").and_then(number)? {
        (0, rest) => Some(format!("mid_block.resnets.0.{}", unet_resnet(rest)?)),
        (1, rest) => Some(format!("mid_block.attentions.0.{rest}")),
        (2, rest) => Some(format!("mid_block.resnets.1.{}", unet_resnet(rest)?)),
        _ => None,
    }
}

fn unet_resnet(key: &str) -> Option<String> {
    const NAMES: [(&str, &str); 6] = [
        ("in_layers.0.", "norm1."),
        ("in_layers.2.", "conv1."),
        ("emb_layers.1.", "time_emb_proj."),
        ("out_layers.0.", "norm2."),
        ("out_layers.3.", "conv2."),
        ("skip_connection.", "conv_shortcut."),
    ];
    let (from, to) = NAMES.iter().find(|(from, _)| key.starts_with(from))?;
    Some(key.replacen(from, to, 1))
}

/// Levels of the autoencoder; Stability counts the decoder's from the full resolution, diffusers from the
/// lowest.
const VAE_LEVELS: usize = 4;

/// `None` for a name that is none of Stability's (a diffusers name, then).
fn vae(key: &str) -> Option<(String, Part)> {
    if key.starts_with("quant_conv.") || key.starts_with("post_quant_conv.") {
        return Some((key.to_owned(), Part::Whole));
    }
    let (side, rest) = key.split_once('.').filter(|(side, _)| matches!(*side, "encoder" | "decoder"))?;
    let resnet = |rest: &str| rest.replacen("nin_shortcut.", "conv_shortcut.", 1);
    let whole = |name: String| Some((format!("{side}.{name}"), Part::Whole));
    if let Some(rest) = rest.strip_prefix("norm_out.") {
        return whole(format!("conv_norm_out.{rest}"));
    }
    if rest.starts_with("conv_in.") || rest.starts_with("conv_out.") {
        return whole(rest.to_owned());
    }
    if let Some(rest) = rest.strip_prefix("mid.") {
        return if let Some(rest) = rest.strip_prefix("block_1.") {
            whole(format!("mid_block.resnets.0.{}", resnet(rest)))
        } else if let Some(rest) = rest.strip_prefix("block_2.") {
            whole(format!("mid_block.resnets.1.{}", resnet(rest)))
        } else {
            vae_attention(rest.strip_prefix("attn_1.")?)
                .map(|(name, part)| (format!("{side}.mid_block.attentions.0.{name}"), part))
        };
    }
    // Older diffusers files: the attention's own names changed.
    if let Some(rest) = rest.strip_prefix("mid_block.attentions.0.") {
        return vae_attention(rest)
            .map(|(name, part)| (format!("{side}.mid_block.attentions.0.{name}"), part));
    }
    let (blocks, sampler, level, rest) = match side {
        "encoder" => {
            let (level, rest) = number(rest.strip_prefix("down.")?)?;
            ("down_blocks", "downsample", level, rest)
        }
        _ => {
            let (level, rest) = number(rest.strip_prefix("up.")?)?;
            ("up_blocks", "upsample", (VAE_LEVELS - 1).checked_sub(level)?, rest)
        }
    };
    match rest.strip_prefix("block.") {
        Some(rest) => {
            let (block, rest) = number(rest)?;
            whole(format!("{blocks}.{level}.resnets.{block}.{}", resnet(rest)))
        }
        None => {
            let rest = rest.strip_prefix(sampler)?.strip_prefix('.')?;
            whole(format!("{blocks}.{level}.{sampler}rs.0.{rest}"))
        }
    }
}

/// The names of the autoencoder's attention: Stability's, and those of older diffusers versions.
fn vae_attention(key: &str) -> Option<(String, Part)> {
    const NAMES: [(&str, &str); 9] = [
        ("norm.", "group_norm."),
        ("q.", "to_q."),
        ("k.", "to_k."),
        ("v.", "to_v."),
        ("proj_out.", "to_out.0."),
        ("query.", "to_q."),
        ("key.", "to_k."),
        ("value.", "to_v."),
        ("proj_attn.", "to_out.0."),
    ];
    let (from, to) = NAMES.iter().find(|(from, _)| key.starts_with(from))?;
    Some((key.replacen(from, to, 1), if key.ends_with("weight") { Part::Squeezed } else { Part::Whole }))
}

/// OpenCLIP's text tower; an empty list for what is of no use here.
fn open_clip(key: &str) -> Option<Vec<(String, Part)>> {
    let one = |name: String, part| Some(vec![(name, part)]);
    match key {
        "logit_scale" => return Some(Vec::new()),
        "attn_mask" => return Some(Vec::new()),
        "positional_embedding" => return one("embeddings.position_embedding.weight".into(), Part::Whole),
        "token_embedding.weight" => return one("embeddings.token_embedding.weight".into(), Part::Whole),
        // A raw parameter there, used as x·P; a linear layer's weight is the transpose.
        "text_projection" => return one("text_projection.weight".into(), Part::Transposed),
        "text_projection.weight" => return one("text_projection.weight".into(), Part::Whole),
        _ => {}
    }
    if let Some(rest) = key.strip_prefix("ln_final.") {
        return one(format!("final_layer_norm.{rest}"), Part::Whole);
    }
    let (layer, rest) = number(key.strip_prefix("transformer.resblocks.")?)?;
    let layer = format!("encoder.layers.{layer}");
    if let Some(kind) = rest.strip_prefix("attn.in_proj_") {
        let thirds = ["q_proj", "k_proj", "v_proj"].iter().zip(0..);
        return Some(
            thirds
                .map(|(name, third)| (format!("{layer}.self_attn.{name}.{kind}"), Part::Third(third)))
                .collect(),
        );
    }
    const NAMES: [(&str, &str); 5] = [
        ("attn.out_proj.", "self_attn.out_proj."),
        ("ln_1.", "layer_norm1."),
        ("ln_2.", "layer_norm2."),
        ("mlp.c_fc.", "mlp.fc1."),
        ("mlp.c_proj.", "mlp.fc2."),
    ];
    let (from, to) = NAMES.iter().find(|(from, _)| rest.starts_with(from))?;
    one(format!("{layer}.{}", rest.replacen(from, to, 1)), Part::Whole)
}
