//! What model a LoRA is for, by the names and shapes of its tensors.

use std::collections::BTreeMap;

use safetensors::tensor::TensorInfo;

use super::layer::Layer;
use super::name;
use crate::weights::rename::Component;

/// A few words for an error message.
pub(crate) fn recognise(tensors: &BTreeMap<String, TensorInfo>) -> &'static str {
    let any = |part: &str| tensors.keys().any(|key| key.contains(part));
    let starts = |start: &str| tensors.keys().any(|key| key.starts_with(start));
    if starts("text_encoder:") || starts("unet:") {
        return "a LoRA for Stable Diffusion 1 whose layers have numbers in the place of names (cloneofsimo's format)";
    }
    if ["double_blocks", "single_transformer_blocks", "joint_blocks", "joint_attn"]
        .iter()
        .any(|part| any(part))
    {
        return "a LoRA for Flux or Stable Diffusion 3";
    }
    // The width of the text that cross-attention sees.
    match width(tensors, Component::Unet, &["attn2_to_k", "attn2_to_v"]) {
        Some(768) => return "a LoRA for Stable Diffusion 1",
        Some(1024) => return "a LoRA for Stable Diffusion 2",
        Some(1280) => return "a LoRA for the SDXL refiner",
        Some(2048) => return "a LoRA for SDXL",
        Some(_) => return "a LoRA for a model of another size",
        None => {}
    }
    // SDXL has no attention at its highest resolution.
    if ["down_blocks_0_attentions", "down_blocks.0.attentions", "input_blocks_1_1_"]
        .iter()
        .any(|part| any(part))
    {
        return "a LoRA for Stable Diffusion 1 or 2";
    }
    if any("lora_te2_") || any("text_encoder_2.") {
        return "a LoRA for SDXL";
    }
    let attention = ["self_attn_q_proj", "self_attn_k_proj", "self_attn_v_proj", "self_attn_out_proj"];
    match width(tensors, Component::TextEncoder, &attention) {
        Some(1024) => "a LoRA for Stable Diffusion 2",
        Some(768) if any("lora_te_") => "a LoRA for Stable Diffusion 1",
        _ if any("lora_te_") => "a LoRA for Stable Diffusion 1 or 2",
        _ if ["lora", "hada_", "lokr_", ".diff"].iter().any(|part| any(part)) => "a LoRA",
        _ => crate::weights::recognise::recognise(tensors),
    }
}

/// The number of inputs of the first layer whose name ends in one of these.
fn width(tensors: &BTreeMap<String, TensorInfo>, component: Component, ends: &[&str]) -> Option<i64> {
    let mut layers: BTreeMap<String, Layer> = BTreeMap::new();
    for (key, info) in tensors {
        let Some(name) = name::parse(key).filter(|name| name.component == component) else { continue };
        if ends.iter().any(|end| name.layer.ends_with(end)) {
            layers.entry(name.layer).or_default().add(name.role, key, info);
        }
    }
    layers.values().find_map(|layer| layer.plan().ok()?.shape.get(1).copied())
}
