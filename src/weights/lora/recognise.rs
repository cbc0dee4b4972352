//! What model a LoRA is for, by the names and shapes of its tensors.

use std::collections::BTreeMap;

use safetensors::tensor::TensorInfo;

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
    match context_width(tensors) {
        Some(768) => "a LoRA for Stable Diffusion 1",
        Some(1024) => "a LoRA for Stable Diffusion 2",
        Some(1280) => "a LoRA for the SDXL refiner",
        Some(2048) => "a LoRA for SDXL",
        // SDXL has no attention at its highest resolution.
        None if any("down_blocks_0_attentions") || any("down_blocks.0.attentions") => {
            "a LoRA for Stable Diffusion 1 or 2"
        }
        None if any("lora_te2_") || any("text_encoder_2.") => "a LoRA for SDXL",
        None if any("lora_te_") => "a LoRA for Stable Diffusion 1 or 2",
        None if ["lora", "hada_", "lokr_", ".diff"].iter().any(|part| any(part)) => "a LoRA",
        None => crate::weights::recognise::recognise(tensors),
        Some(_) => "a LoRA for a model of another size",
    }
}

/// The width of the text that cross-attention sees: the columns of its keys.
fn context_width(tensors: &BTreeMap<String, TensorInfo>) -> Option<usize> {
    const ENDS: [&str; 5] = ["down.weight", "lora_A.weight", "lora_A", "hada_w1_b", ".diff"];
    let is_key = |key: &str| {
        let key = key.replace('.', "_");
        key.contains("attn2_to_k") || key.contains("attn2_processor_to_k")
    };
    tensors
        .iter()
        .filter(|(key, _)| is_key(key) && ENDS.iter().any(|end| key.ends_with(end)))
        .find_map(|(_, info)| info.shape.get(1).copied())
}
