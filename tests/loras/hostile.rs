//! Broken files are refused, and the error names the key.

use std::path::Path;

use sdxl::{Lora, Pipeline, Precision};
use tch::{Kind, Tensor};

use super::common::save;
use super::{ALPHA, DOWN, UP, model, ones};

/// What is wrong with a file of these tensors, by its text.
fn refused(path: &Path, pipeline: &Pipeline, tensors: &[(&str, Tensor)]) -> String {
    let tensors: Vec<_> =
        tensors.iter().map(|(key, tensor)| ((*key).to_owned(), tensor.shallow_clone())).collect();
    save(path, &tensors);
    let error = Lora::open(path).and_then(|lora| pipeline.with_loras(&[lora.weight(1.)?]));
    error.err().unwrap_or_else(|| panic!("{tensors:?} is accepted")).to_string()
}

#[test]
fn hostile_files_are_refused_by_name() {
    let folder = model("hostile", Precision::F32);
    let pipeline = Pipeline::builder(&folder).build().unwrap();
    let path = folder.join("hostile.safetensors");
    let nan = Tensor::from(f32::NAN);
    let half = ones(&[2, 32]);
    let other_half = ones(&[32, 2]);
    for (tensors, key) in [
        (vec![(DOWN, half.shallow_clone())], DOWN),
        (vec![(UP, other_half.shallow_clone())], UP),
        (vec![(ALPHA, Tensor::from(1f32))], ALPHA),
        (
            vec![
                (DOWN, half.shallow_clone()),
                (UP, other_half.shallow_clone()),
                (ALPHA, nan.shallow_clone()),
            ],
            ALPHA,
        ),
        (vec![(DOWN, half.shallow_clone()), (UP, other_half.shallow_clone()), (ALPHA, ones(&[2]))], ALPHA),
        (vec![(DOWN, half.shallow_clone()), (UP, &other_half * f64::INFINITY)], UP),
        // Ranks that differ, of nothing, and absurd.
        (vec![(DOWN, ones(&[3, 32])), (UP, other_half.shallow_clone())], DOWN),
        (vec![(DOWN, ones(&[0, 32])), (UP, ones(&[32, 0]))], DOWN),
        (vec![(DOWN, ones(&[100_000, 32])), (UP, ones(&[32, 100_000]))], DOWN),
        // Shapes of no layer, and of another one.
        (vec![(DOWN, ones(&[2])), (UP, other_half.shallow_clone())], DOWN),
        (vec![(DOWN, ones(&[2, 31])), (UP, other_half.shallow_clone())], ALPHA.trim_end_matches("alpha")),
        (
            vec![(DOWN, ones(&[2, 32, 3, 3])), (UP, other_half.shallow_clone())],
            ALPHA.trim_end_matches("alpha"),
        ),
        (vec![(DOWN, half.to_kind(Kind::Int64)), (UP, other_half.shallow_clone())], DOWN),
        // Two kinds at once; a layer that the model does not have; a kind that is not supported.
        (
            vec![
                (DOWN, half.shallow_clone()),
                (UP, other_half.shallow_clone()),
                ("lora_unet_mid_block_attentions_0_proj_in.diff", ones(&[32, 32])),
            ],
            ALPHA.trim_end_matches(".alpha"),
        ),
        (
            vec![("lora_unet_mid_block_attentions_7_proj_in.diff", ones(&[32, 32]))],
            "attentions_7_proj_in.diff",
        ),
        (vec![("lora_te3_x.lora_down.weight", half.shallow_clone())], "lora_te3_x"),
        (vec![("lora_unet_conv_in.oft_blocks", half.shallow_clone())], "OFT is not supported"),
        (
            vec![
                (DOWN, half.shallow_clone()),
                (UP, other_half.shallow_clone()),
                ("lora_unet_mid_block_attentions_0_proj_in.dora_scale", ones(&[7, 1])),
            ],
            "dora_scale",
        ),
        (vec![("lora_unet_conv_in.diff_b", ones(&[3]))], "lora_unet_conv_in.diff_b"),
        (
            vec![("lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q.diff_b", ones(&[32]))],
            "attn1_to_q.diff_b",
        ),
        (vec![("something.else", half.shallow_clone())], "something.else"),
        // Small factors of a product that no memory holds.
        (
            vec![
                ("lora_unet_conv_in.lora_down.weight", ones(&[1, 1 << 15, 1, 1])),
                ("lora_unet_conv_in.lora_up.weight", ones(&[1 << 15, 1, 1, 1])),
                ("lora_unet_conv_in.lora_mid.weight", ones(&[1, 1, 1 << 9, 1 << 9])),
            ],
            "lora_unet_conv_in",
        ),
    ] {
        let error = refused(&path, &pipeline, &tensors);
        assert!(error.contains(key) && error.contains("hostile.safetensors"), "{key}: {error}");
        assert!(error.lines().count() <= 11, "{error}");
    }
    // The same layer under two names.
    let twice = "lora_unet_middle_block_1_proj_in.lora_down.weight";
    let tensors =
        [(DOWN, half.shallow_clone()), (UP, other_half.shallow_clone()), (twice, half.shallow_clone())];
    assert!(refused(&path, &pipeline, &tensors).contains("twice"));
}
