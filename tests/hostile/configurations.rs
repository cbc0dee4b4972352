//! `config.json` of the parts, `model_index.json`, and whole folders whose configurations promise too much.

use std::fs;
use std::path::{Path, PathBuf};

use sdxl::Precision;
use sdxl::pipeline::write_random_model;
use serde_json::{Map, Value, json};

use super::case::{Case, Open};
use super::common::repository;

/// The tiny model's configuration of that part, with some settings changed.
fn changed(part: &str, settings: Value) -> String {
    let text = fs::read_to_string(repository(&format!("tests/models/base/{part}/config.json"))).unwrap();
    let mut config: Map<String, Value> = serde_json::from_str(&text).unwrap();
    config.extend(settings.as_object().unwrap().clone());
    Value::Object(config).to_string()
}

/// A sound model in a folder.
pub(crate) fn model(folder: &Path) -> PathBuf {
    let model = folder.join("model");
    write_random_model(repository("tests/models/base"), &model, 0, Precision::F32).unwrap();
    model
}

pub(crate) fn cases() -> Vec<Case> {
    let unet = |name: &str, settings: Value, says: &'static str| {
        Case::file(format!("unet: {name}"), Open::UnetJson, says, changed("unet", settings))
    };
    let vae = |name: &str, settings: Value, says: &'static str| {
        Case::file(format!("vae: {name}"), Open::VaeJson, says, changed("vae", settings))
    };
    let clip = |name: &str, settings: Value, says: &'static str| {
        Case::file(format!("text: {name}"), Open::ClipJson, says, changed("text_encoder", settings))
    };
    let tiny = |name: &str, settings: Value, says: &'static str| {
        Case::file(format!("taesd: {name}"), Open::TinyJson, says, settings.to_string())
    };
    let text = |name: &str, content: &str, says: &'static str| {
        Case::file(format!("config: {name}"), Open::UnetJson, says, content)
    };
    let levels = |count: usize| {
        json!({
            "block_out_channels": vec![8; count], "down_block_types": vec!["DownBlock2D"; count],
            "up_block_types": vec!["UpBlock2D"; count], "layers_per_block": 64,
        })
    };
    let mut cases = vec![
        text("nothing", "", "EOF"),
        text("a number", "7", "invalid type"),
        text("nested deeply", &"[".repeat(1_000_000), "invalid type"),
        text("objects nested deeply", &r#"{"a":"#.repeat(100_000), "recursion limit"),
        text("2 MB", &format!("{{\"x\":\"{}\"}}", "x".repeat(2 << 20)), "is larger than"),
        text(
            "1 MB of keys",
            &format!("{{{}}}", (0..60_000).map(|i| format!("\"key {i}\":0")).collect::<Vec<_>>().join(",")),
            "text_time",
        ),
        text("a key twice", r#"{"in_channels":4,"in_channels":5}"#, "duplicate field"),
        Case::file("config: bytes that are no text", Open::UnetJson, "not UTF-8", b"{\"\xff\":1}".as_slice()),
        unet("no levels", json!({"block_out_channels": []}), "number of levels is 0"),
        unet("30 000 levels of 64 blocks", levels(30_000), "number of levels is 30000"),
        unet("levels of a number", json!({"block_out_channels": 320}), "invalid type"),
        unet("10^9 layers", json!({"layers_per_block": 1_000_000_000}), "layers_per_block is 1000000000"),
        unet("2^64 layers", json!({"layers_per_block": u64::MAX}), "layers_per_block"),
        unet("-1 layers", json!({"layers_per_block": -1}), "did not match"),
        unet(
            "10^9 transformer layers",
            json!({"transformer_layers_per_block": 1_000_000_000}),
            "transformer_layers_per_block is 1000000000",
        ),
        unet(
            "2^63 transformer layers",
            json!({"transformer_layers_per_block": 1u64 << 63}),
            "transformer_layers_per_block",
        ),
        unet(
            "thousands of transformer layers",
            json!({"transformer_layers_per_block": 256}),
            "number of transformer layers is",
        ),
        unet("no heads", json!({"attention_head_dim": 0}), "number of heads"),
        unet("negative heads", json!({"attention_head_dim": -2}), "number of heads"),
        unet("heads that do not divide", json!({"attention_head_dim": 5}), "does not divide"),
        unet("no groups", json!({"norm_num_groups": 0}), "norm_num_groups 0"),
        unet("negative groups", json!({"norm_num_groups": -8}), "norm_num_groups -8"),
        unet("a smallest number", json!({"norm_num_groups": i64::MIN}), "norm_num_groups"),
        unet("no channels", json!({"block_out_channels": [0, 32, 32]}), "block_out_channels is 0"),
        unet("negative channels", json!({"block_out_channels": [-16, 32, 32]}), "block_out_channels is -16"),
        unet(
            "2^40 channels",
            json!({"block_out_channels": [16, 32, 1i64 << 40]}),
            "block_out_channels is 1099511627776",
        ),
        unet("odd channels", json!({"block_out_channels": [15, 32, 32], "norm_num_groups": 1}), "even"),
        unet("no input", json!({"in_channels": 0}), "in_channels is 0"),
        unet("2^62 inputs", json!({"in_channels": 1i64 << 62}), "in_channels"),
        unet(
            "an embedding of nothing",
            json!({"addition_time_embed_dim": 0}),
            "addition_time_embed_dim is 0",
        ),
        unet(
            "an embedding of one number",
            json!({"addition_time_embed_dim": 1}),
            "addition_time_embed_dim is 1",
        ),
        unet(
            "no projection",
            json!({"projection_class_embeddings_input_dim": 0}),
            "projection_class_embeddings_input_dim is 0",
        ),
        unet("an epsilon of nothing", json!({"norm_eps": 0}), "norm_eps is 0"),
        unet("a negative epsilon", json!({"norm_eps": -1e-5}), "norm_eps"),
        unet("an epsilon of 1e308", json!({"norm_eps": 1e308}), "norm_eps"),
        unet("a sample of no size", json!({"sample_size": 0}), "sample_size is 0"),
        unet("a sample of 2^40", json!({"sample_size": 1i64 << 40}), "sample_size"),
        unet("a condition of one number", json!({"time_cond_proj_dim": 2}), "time_cond_proj_dim is 2"),
        unet(
            "a block type of 1 MB",
            json!({"down_block_types": ["x".repeat(1_000_000), "a", "b"]}),
            "block type",
        ),
        unet("another architecture", json!({"addition_embed_type": "image"}), "not an SDXL UNet"),
        vae("no levels", json!({"block_out_channels": []}), "number of levels is 0"),
        vae("63 levels", json!({"block_out_channels": vec![8; 63]}), "number of levels is 63"),
        vae("10^9 layers", json!({"layers_per_block": 1_000_000_000}), "layers_per_block is 1000000000"),
        vae("no groups", json!({"norm_num_groups": 0}), "norm_num_groups 0"),
        vae("no latents", json!({"latent_channels": 0}), "latent_channels is 0"),
        vae("a factor of nothing", json!({"scaling_factor": 0}), "scaling_factor is 0"),
        vae("a negative factor", json!({"scaling_factor": -1}), "scaling_factor is -1"),
        vae(
            "a mean of other channels",
            json!({"latents_mean": [0], "latents_std": [1]}),
            "latents_mean needs",
        ),
        vae(
            "no deviation",
            json!({"latents_mean": [0, 0, 0, 0], "latents_std": [1, 1, 0, 1]}),
            "latents_std",
        ),
        vae("a mean without a deviation", json!({"latents_mean": [0, 0, 0, 0]}), "go together"),
        clip("no heads", json!({"num_attention_heads": 0}), "num_attention_heads is 0"),
        clip("heads that do not divide", json!({"num_attention_heads": 7}), "does not divide"),
        clip("10^9 layers", json!({"num_hidden_layers": 1_000_000_000}), "num_hidden_layers is 1000000000"),
        clip("one layer", json!({"num_hidden_layers": 1}), "num_hidden_layers is 1"),
        clip("no width", json!({"hidden_size": 0}), "hidden_size is 0"),
        clip("no positions", json!({"max_position_embeddings": 0}), "max_position_embeddings is 0"),
        clip("a negative vocabulary", json!({"vocab_size": -1}), "vocab_size is -1"),
        clip("a vocabulary of 2^62", json!({"vocab_size": 1i64 << 62}), "vocab_size"),
        clip("an unknown activation", json!({"hidden_act": "relu"}), "unknown variant"),
        clip("an epsilon of nothing", json!({"layer_norm_eps": 0}), "layer_norm_eps is 0"),
        clip("a width that is a text", json!({"hidden_size": "512"}), "invalid type"),
        tiny(
            "no stages",
            json!({"encoder_block_out_channels": [], "num_encoder_blocks": []}),
            "number of stages is 0",
        ),
        tiny(
            "10^9 blocks",
            json!({"num_encoder_blocks": [1, 1, 1, 1_000_000_000]}),
            "number of blocks is 1000000000",
        ),
        tiny("stages without widths", json!({"num_encoder_blocks": [1, 1, 1]}), "4 widths for 3 stages"),
        tiny("no factor", json!({"scaling_factor": 0}), "scaling_factor is 0"),
    ];
    // Valid, and of models that are far larger than the weights that lie beside them.
    let folder = |name: &str, part: &'static str, settings: Value, says: &'static str| {
        Case::new(format!("folder: {name}"), Open::Model, says, move |folder| {
            let model = model(folder);
            fs::write(model.join(part).join("config.json"), changed(part, settings.clone())).unwrap();
            model
        })
    };
    cases.extend([
        folder(
            "a text encoder of 256 layers",
            "text_encoder",
            json!({"num_hidden_layers": 256}),
            "tensors missing",
        ),
        folder(
            "a UNet of 300 transformer layers",
            "unet",
            json!({"transformer_layers_per_block": 50}),
            "tensors missing",
        ),
        folder(
            "a UNet of 31 blocks on each level",
            "unet",
            json!({"layers_per_block": 31}),
            "tensors missing",
        ),
        folder(
            "an autoencoder of 64 blocks on each level",
            "vae",
            json!({"layers_per_block": 64}),
            "tensors missing",
        ),
        folder(
            "65 536 positions",
            "text_encoder",
            json!({"max_position_embeddings": 65_536}),
            "of another shape",
        ),
        folder(
            "as wide as may be",
            "text_encoder",
            json!({"intermediate_size": 1 << 18}),
            "of another shape",
        ),
        folder("a context of another width", "unet", json!({"cross_attention_dim": 100}), "context of width"),
        folder("an autoencoder of other latents", "vae", json!({"latent_channels": 5}), "channels"),
    ]);
    let index = |name: &str, index: Value, says: &'static str| {
        Case::new(format!("index: {name}"), Open::Model, says, move |folder| {
            let model = model(folder);
            fs::write(model.join("model_index.json"), index.to_string()).unwrap();
            model
        })
    };
    cases.extend([
        index("no class", json!({}), "missing field"),
        index("another class", json!({"_class_name": "FluxPipeline"}), "_class_name is FluxPipeline"),
        index("a class that is a list", json!({"_class_name": []}), "invalid type"),
        index(
            "a part that is a number",
            json!({"_class_name": "StableDiffusionXLPipeline", "text_encoder": 7}),
            "invalid type",
        ),
        Case::new("folder: nothing in it", Open::Model, "model_index.json", |folder| folder.to_owned()),
    ]);
    cases
}
