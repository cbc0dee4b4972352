//! What kind of checkpoint a file is, by the names and shapes of its tensors.

use std::collections::BTreeMap;

use safetensors::tensor::TensorInfo;

/// What the keys of a LoRA or a relative of it have in them.
const ADAPTERS: [&str; 6] = ["lora_", ".lora.", "lora.down", "hada_w1", "lokr_w", ".diff_b"];

/// A few words for an error message.
pub(crate) fn recognise(tensors: &BTreeMap<String, TensorInfo>) -> &'static str {
    let has = |key: &str| tensors.contains_key(key);
    let any = |part: &str| tensors.keys().any(|key| key.contains(part));
    let size =
        |key: &str, dimension: usize| tensors.get(key).and_then(|info| info.shape.get(dimension)).copied();

    const BIG_G: &str = "transformer.resblocks.9.mlp.c_proj.bias";
    const CONV_IN: &str = "model.diffusion_model.input_blocks.0.0.weight";
    // The text context's width, as an attention of the UNet sees it.
    const CONTEXT: &str = "attn2.to_k.weight";
    let context =
        || tensors.iter().find(|(key, _)| key.ends_with(CONTEXT)).and_then(|(_, info)| info.shape.get(1));

    if tensors.is_empty() {
        "an empty file"
    } else if ADAPTERS.iter().any(|part| any(part)) {
        super::lora::recognise(tensors)
    } else if has("clip_g") || has("clip_l") || has("emb_params") || has("text_encoders_0") {
        "a textual inversion embedding"
    } else if any("controlnet_cond_embedding") || any("control_model.") || any("zero_convs.") {
        "a ControlNet"
    } else if has(&format!("conditioner.embedders.1.model.{BIG_G}")) {
        match size(CONV_IN, 1) {
            Some(9) => "an SDXL inpainting checkpoint in one file",
            Some(8) => "an SDXL picture-editing (InstructPix2Pix) checkpoint in one file",
            _ => "an SDXL base checkpoint in one file",
        }
    } else if has(&format!("conditioner.embedders.0.model.{BIG_G}")) {
        "an SDXL refiner checkpoint in one file"
    } else if any("cond_stage_model.transformer.") {
        "a Stable Diffusion 1 checkpoint in one file"
    } else if any("cond_stage_model.model.") {
        "a Stable Diffusion 2 checkpoint in one file"
    } else if any("double_blocks.") || any("transformer_blocks.0.norm1_context") || any("joint_blocks.") {
        "a Flux or Stable Diffusion 3 transformer"
    } else if any("add_embedding.") || has(CONV_IN) {
        match (size("add_embedding.linear_1.weight", 1), size("conv_in.weight", 1)) {
            (Some(2816), Some(9)) => "the UNet of an SDXL inpainting model",
            (Some(2816), _) => "the UNet of SDXL base",
            (Some(2560), _) => "the UNet of the SDXL refiner",
            _ => "a UNet with micro-conditioning",
        }
    } else if any("down_blocks.") && any("attn2.") {
        match context() {
            Some(768) => "the UNet of Stable Diffusion 1",
            Some(1024) => "the UNet of Stable Diffusion 2",
            _ => "a UNet without micro-conditioning (not SDXL)",
        }
    } else if any("self_attn.q_proj") {
        match size("text_model.embeddings.token_embedding.weight", 1)
            .or_else(|| size("embeddings.token_embedding.weight", 1))
        {
            Some(768) => "a CLIP ViT-L text encoder",
            Some(1024) => "an OpenCLIP ViT-H text encoder (Stable Diffusion 2)",
            Some(1280) => "an OpenCLIP ViT-bigG text encoder",
            _ => "a CLIP text encoder",
        }
    } else if any("decoder.up_blocks.") || any("decoder.up.") {
        "an autoencoder (VAE)"
    } else if any("decoder.layers.")
        || any("encoder.layers.")
        || has("1.conv.0.weight")
        || has("3.conv.0.weight")
    {
        "a tiny autoencoder (TAESD)"
    } else {
        "nothing that this library knows"
    }
}
