//! The names of an adapter's tensors: pure functions of the key.
//!
//! Every layout is brought to one form: the component, the layer's diffusers name with `_` for every dot, and the
//! tensor's role in that layer. kohya's names have lost their dots, so this is the form that all can be brought to.

use crate::weights::Component;
use crate::weights::rename::unet;

/// What a tensor of an adapter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Down,
    Up,
    /// The core between both of a convolution (Tucker, or CP, decomposition).
    Mid,
    UpBias,
    Alpha,
    /// `DoRA`, as `LyCORIS` and kohya write it: its shape tells the axis.
    DoraScale,
    /// `DoRA`, as PEFT writes it: one number for each output.
    MagnitudeVector,
    HadaW1A,
    HadaW1B,
    HadaW2A,
    HadaW2B,
    HadaT1,
    HadaT2,
    LokrW1,
    LokrW1A,
    LokrW1B,
    LokrW2,
    LokrW2A,
    LokrW2B,
    LokrT2,
    Diff,
    DiffBias,
}

/// A key, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) component: Component,
    /// `down_blocks_1_attentions_0_proj_in`, `encoder_layers_0_mlp_fc1`.
    pub(crate) layer: String,
    pub(crate) role: Role,
}

/// The ends of keys, each layout's own words.
const ROLES: [(&str, Role); 38] = [
    (".lora_down.weight", Role::Down),
    (".lora_up.weight", Role::Up),
    (".lora_mid.weight", Role::Mid),
    (".lora_up.bias", Role::UpBias),
    (".alpha", Role::Alpha),
    (".dora_scale", Role::DoraScale),
    // PEFT; with the name of the adapter where a model was saved whole.
    (".lora_A.weight", Role::Down),
    (".lora_B.weight", Role::Up),
    (".lora_A.default.weight", Role::Down),
    (".lora_B.default.weight", Role::Up),
    (".lora_A", Role::Down),
    (".lora_B", Role::Up),
    (".lora_B.bias", Role::UpBias),
    (".lora_magnitude_vector", Role::MagnitudeVector),
    (".lora_magnitude_vector.weight", Role::MagnitudeVector),
    // diffusers before PEFT.
    (".lora.down.weight", Role::Down),
    (".lora.up.weight", Role::Up),
    (".lora_linear_layer.down.weight", Role::Down),
    (".lora_linear_layer.up.weight", Role::Up),
    // diffusers' attention processors.
    ("_lora.down.weight", Role::Down),
    ("_lora.up.weight", Role::Up),
    // LyCORIS.
    (".hada_w1_a", Role::HadaW1A),
    (".hada_w1_b", Role::HadaW1B),
    (".hada_w2_a", Role::HadaW2A),
    (".hada_w2_b", Role::HadaW2B),
    (".hada_t1", Role::HadaT1),
    (".hada_t2", Role::HadaT2),
    (".lokr_w1", Role::LokrW1),
    (".lokr_w1_a", Role::LokrW1A),
    (".lokr_w1_b", Role::LokrW1B),
    (".lokr_w2", Role::LokrW2),
    (".lokr_w2_a", Role::LokrW2A),
    (".lokr_w2_b", Role::LokrW2B),
    (".lokr_t2", Role::LokrT2),
    (".diff", Role::Diff),
    (".diff_b", Role::DiffBias),
    (".w_norm", Role::Diff),
    (".b_norm", Role::DiffBias),
];

/// The beginnings of keys. A longer one stands before one that it begins with.
const COMPONENTS: [(&str, Component); 12] = [
    // A converter that kept the component's own name.
    ("lora_unet_unet_", Component::Unet),
    ("lora_unet_", Component::Unet),
    ("lora_te1_", Component::TextEncoder),
    ("lora_te2_", Component::TextEncoder2),
    // Of Stable Diffusion 1, which has one encoder; some write the first of SDXL so.
    ("lora_te_", Component::TextEncoder),
    ("lycoris_", Component::Unet),
    ("unet.", Component::Unet),
    ("text_encoder.", Component::TextEncoder),
    ("text_encoder_2.", Component::TextEncoder2),
    ("model.diffusion_model.", Component::Unet),
    ("diffusion_model.", Component::Unet),
    ("base_model.model.", Component::Unet),
];

/// Reads a key; `None` for one of no layout that is known here.
pub(crate) fn parse(key: &str) -> Option<Name> {
    let (layer, role) = ROLES.iter().find_map(|(end, role)| Some((key.strip_suffix(end)?, *role)))?;
    let named =
        COMPONENTS.iter().find_map(|(start, component)| Some((layer.strip_prefix(start)?, *component)));
    // Files of the UNet alone need not name it.
    let (layer, component) = named.unwrap_or((layer, Component::Unet));
    let layer = layer.replace(".processor", "").replace('.', "_");
    let layer = match component {
        Component::Unet => unet_layer(layer),
        _ => text_layer(&layer),
    };
    (!layer.is_empty()).then_some(Name { component, layer, role })
}

/// What a key is of that is known and not supported.
pub(crate) fn unsupported(key: &str) -> Option<&'static str> {
    let ends = |ends: &[&str]| ends.iter().any(|end| key.ends_with(end));
    if key.contains(".oft_") || key.contains(".boft_") {
        Some("OFT")
    } else if ends(&[".a1.weight", ".a2.weight", ".b1.weight", ".b2.weight"]) {
        Some("GLoRA")
    } else if ends(&[".on_input"]) || key.contains(".ia3_") {
        Some("IA3")
    } else if key.starts_with("bundle_emb.") {
        Some("an embedding within a LoRA")
    } else {
        None
    }
}

fn unet_layer(layer: String) -> String {
    // Attention processors call the whole output `to_out`; the layer in it is its first part.
    let layer = if layer.ends_with("_to_out") { layer + "_0" } else { layer };
    stability(&layer).unwrap_or(layer)
}

/// `input_blocks_4_1_proj_in` to `down_blocks_1_attentions_0_proj_in`: the dots of Stability's name are put back,
/// and its rules are those of checkpoints.
fn stability(layer: &str) -> Option<String> {
    const HEADS: [&str; 6] =
        ["input_blocks", "middle_block", "output_blocks", "time_embed", "label_emb", "out"];
    let with_numbers =
        |head: &&str| Some(((*head).to_owned(), layer.strip_prefix(*head)?.strip_prefix('_')?));
    let (mut dotted, mut rest) = HEADS.iter().find_map(with_numbers)?;
    loop {
        let (word, after) = rest.split_once('_').unwrap_or((rest, ""));
        if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_digit()) {
            break;
        }
        dotted = format!("{dotted}.{word}");
        rest = after;
    }
    if !rest.is_empty() {
        let rest = ["in_layers_", "emb_layers_", "out_layers_"]
            .iter()
            .find_map(|part| Some(format!("{}.{}", part.trim_end_matches('_'), rest.strip_prefix(part)?)))
            .unwrap_or_else(|| rest.to_owned());
        dotted = format!("{dotted}.{rest}");
    }
    // The rules know the dot behind a layer's name.
    Some(unet(&format!("{dotted}."))?.trim_end_matches('.').replace('.', "_"))
}

fn text_layer(layer: &str) -> String {
    let layer = layer.strip_prefix("text_model_").unwrap_or(layer);
    const PROCESSORS: [(&str, &str); 4] = [
        ("self_attn_to_q", "self_attn_q_proj"),
        ("self_attn_to_k", "self_attn_k_proj"),
        ("self_attn_to_v", "self_attn_v_proj"),
        ("self_attn_to_out", "self_attn_out_proj"),
    ];
    for (from, to) in PROCESSORS {
        if let Some(start) = layer.strip_suffix(from) {
            return format!("{start}{to}");
        }
    }
    layer.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A layer, and keys of it.
    type Keys = (Component, &'static str, &'static [(&'static str, Role)]);

    const NAMES: [Keys; 17] = [
        (
            Component::Unet,
            "down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q",
            &[
                ("lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q.lora_down.weight", Role::Down),
                ("lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q.alpha", Role::Alpha),
                ("unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.lora_A.weight", Role::Down),
                (
                    "down_blocks.1.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora.down.weight",
                    Role::Down,
                ),
                (
                    "base_model.model.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.lora_B.weight",
                    Role::Up,
                ),
                (
                    "diffusion_model.input_blocks.4.1.transformer_blocks.0.attn1.to_q.lora_A.weight",
                    Role::Down,
                ),
            ],
        ),
        (
            Component::Unet,
            "down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_out_0",
            &[
                (
                    "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_out_0.dora_scale",
                    Role::DoraScale,
                ),
                (
                    "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0.lora.up.weight",
                    Role::Up,
                ),
                (
                    "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora.up.weight",
                    Role::Up,
                ),
            ],
        ),
        (
            Component::Unet,
            "down_blocks_0_resnets_0_conv1",
            &[("lora_unet_input_blocks_1_0_in_layers_2.lora_mid.weight", Role::Mid)],
        ),
        (
            Component::Unet,
            "down_blocks_0_resnets_0_time_emb_proj",
            &[("lora_unet_input_blocks_1_0_emb_layers_1.hada_w1_a", Role::HadaW1A)],
        ),
        (
            Component::Unet,
            "up_blocks_1_resnets_2_conv_shortcut",
            &[("lora_unet_output_blocks_5_0_skip_connection.lokr_w1", Role::LokrW1)],
        ),
        (
            Component::Unet,
            "down_blocks_0_downsamplers_0_conv",
            &[("lora_unet_input_blocks_3_0_op.diff", Role::Diff)],
        ),
        (
            Component::Unet,
            "up_blocks_0_upsamplers_0_conv",
            &[("lora_unet_output_blocks_2_2_conv.diff_b", Role::DiffBias)],
        ),
        (
            Component::Unet,
            "mid_block_resnets_1_conv2",
            &[("lora_unet_middle_block_2_out_layers_3.lora_up.weight", Role::Up)],
        ),
        (
            Component::Unet,
            "mid_block_attentions_0_proj_in",
            &[
                ("lora_unet_middle_block_1_proj_in.lora_up.weight", Role::Up),
                ("lora_unet_unet_mid_block_attentions_0_proj_in.alpha", Role::Alpha),
            ],
        ),
        (Component::Unet, "conv_in", &[("lora_unet_input_blocks_0_0.lora_up.weight", Role::Up)]),
        (Component::Unet, "conv_out", &[("lora_unet_out_2.lora_up.weight", Role::Up)]),
        (Component::Unet, "time_embedding_linear_1", &[("lora_unet_time_embed_0.alpha", Role::Alpha)]),
        (Component::Unet, "add_embedding_linear_2", &[("lora_unet_label_emb_0_2.alpha", Role::Alpha)]),
        (
            Component::TextEncoder,
            "encoder_layers_3_self_attn_q_proj",
            &[
                ("lora_te1_text_model_encoder_layers_3_self_attn_q_proj.lora_down.weight", Role::Down),
                (
                    "text_encoder.text_model.encoder.layers.3.self_attn.q_proj.lora_linear_layer.up.weight",
                    Role::Up,
                ),
                ("text_encoder.text_model.encoder.layers.3.self_attn.to_q_lora.up.weight", Role::Up),
            ],
        ),
        (
            Component::TextEncoder2,
            "encoder_layers_3_mlp_fc1",
            &[("lora_te2_text_model_encoder_layers_3_mlp_fc1.lora_up.weight", Role::Up)],
        ),
        (
            Component::TextEncoder2,
            "encoder_layers_3_self_attn_q_proj",
            &[("text_encoder_2.encoder.layers.3.self_attn.q_proj.lora_A.weight", Role::Down)],
        ),
        (
            Component::TextEncoder2,
            "text_projection",
            &[("text_encoder_2.text_projection.lora_magnitude_vector", Role::MagnitudeVector)],
        ),
    ];

    #[test]
    fn every_layout_names_the_same_layers() {
        for (component, layer, keys) in NAMES {
            for (key, role) in keys {
                let expected = Name { component, layer: layer.into(), role: *role };
                assert_eq!(parse(key), Some(expected), "{key}");
            }
        }
        for key in
            ["", "alpha", ".alpha", "unet.alpha", "text_encoder:0:down", "lora_unet_conv_in.weight", "clip_l"]
        {
            let layer = parse(key).map(|name| name.layer).unwrap_or_default();
            assert!(!layer.contains("conv") && layer.len() < 6, "{key}: {layer}");
        }
    }
}
