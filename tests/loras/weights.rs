//! Weights, block weights, and what does not fit.

use sdxl::{Error, Lora, Pipeline, Precision};

use super::common::save;
use super::{DOWN, UP, description, latents, model, ones, write};

#[test]
fn weights_and_blocks_are_checked_and_the_unmatched_listed() {
    let folder = model("checked", Precision::F32);
    let pipeline = Pipeline::builder(&folder).build().unwrap();
    let path = folder.join("lora.safetensors");
    let stray = "lora_unet_mid_block_attentions_7_proj_in.diff";
    let rows = [(DOWN, ones(&[2, 32])), (UP, ones(&[32, 2])), (stray, ones(&[32, 32]))];
    save(&path, &rows.map(|(key, tensor)| (key.to_owned(), tensor)));
    let lora = Lora::open(&path).unwrap();
    for weight in [f64::NAN, f64::INFINITY, 101., -101.] {
        assert!(matches!(lora.weight(weight), Err(Error::Invalid { field: "weight", .. })), "{weight}");
    }
    let Err(Error::Lora(error)) = pipeline.with_loras(&[lora.weight(1.).unwrap()]) else {
        panic!("accepted")
    };
    assert_eq!(error.unmatched, [stray]);
    let adapted = pipeline.with_loras(&[lora.weight(1.).unwrap().ignore_unmatched()]).unwrap();
    assert_eq!(adapted.loras().next().unwrap().unmatched, [stray]);
    assert_ne!(latents(&adapted), latents(&pipeline));

    let block = |name: &str| {
        pipeline.with_loras(&[lora.weight(1.).unwrap().ignore_unmatched().block(name, 0.).unwrap()])
    };
    assert!(matches!(block("mid"), Err(Error::Invalid { field: "block", .. })));
    assert_eq!(latents(&block("mid_block").unwrap()), latents(&pipeline));
    assert_eq!(latents(&block("down_blocks.1").unwrap()), latents(&adapted));
}

/// Lists of A1111's extension say what factors of blocks say, in Stability's order.
#[test]
fn block_weights_are_factors_of_blocks() {
    let folder = model("block-weights", Precision::F32);
    let pipeline = Pipeline::builder(&folder).build().unwrap();
    let description = description();
    // A file with convolutions and text encoders too.
    let case = description["cases"].as_array().unwrap().iter().find(|case| case["name"] == "locon").unwrap();
    let lora = Lora::open(write(&folder, "locon/0", &case["files"][0])).unwrap();
    let weighted = || lora.weight(0.8).unwrap();
    let drawn = |lora: sdxl::WeightedLora| latents(&pipeline.with_loras(&[lora]).unwrap());

    let all = [1.; 20];
    assert_eq!(drawn(weighted().block_weights(&all).unwrap()), drawn(weighted()));
    let mut some = [0.; 20];
    // BASE, IN04, IN06, M00, OUT02, OUT06
    for (index, factor) in [(0, 0.5), (5, 0.25), (7, -1.), (10, 0.75), (13, 1.5), (17, 2.)] {
        some[index] = factor;
    }
    let nothing = |lora: sdxl::WeightedLora| {
        ["conv_in", "down_blocks", "mid_block", "up_blocks"]
            .into_iter()
            .flat_map(|way| match way {
                "conv_in" | "mid_block" => vec![way.to_owned()],
                _ => (0..3).map(|level| format!("{way}.{level}")).collect(),
            })
            .fold(lora, |lora, block| lora.block(block, 0.).unwrap())
    };
    let mut blocks = nothing(weighted().text_encoders(0.4).unwrap());
    for (block, factor) in [
        ("down_blocks.1.resnets.0", 0.25),
        ("down_blocks.1.attentions.0", 0.25),
        ("down_blocks.1.downsamplers", -1.),
        ("mid_block", 0.75),
        ("up_blocks.0.resnets.2", 1.5),
        ("up_blocks.0.attentions.2", 1.5),
        ("up_blocks.0.upsamplers", 1.5),
        ("up_blocks.2.resnets.0", 2.),
    ] {
        blocks = blocks.block(block, factor).unwrap();
    }
    assert_eq!(drawn(weighted().block_weights(&some).unwrap()), drawn(blocks));
    // The short list has the blocks with attention; the others are 0.
    let short = [0.5, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1., 1.1];
    let mut long = [0.; 20];
    for (short, place) in short.into_iter().zip([0, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16]) {
        long[place] = short;
    }
    let short = drawn(weighted().block_weights(&short).unwrap());
    assert_eq!(short, drawn(weighted().block_weights(&long).unwrap()));
    assert_ne!(short, drawn(weighted()));
    for wrong in [&all[..17], &all[..0], &[f64::NAN; 12], &[101.; 20]] {
        assert!(matches!(weighted().block_weights(wrong), Err(Error::Invalid { .. })), "{wrong:?}");
    }
}

/// At load too: a LoRA that was read, with all its weights.
#[test]
fn weights_at_load() {
    let folder = model("weights-at-load", Precision::F32);
    let description = description();
    let lora = Lora::open(write(&folder, "kohya_stability/0", &description["cases"][0]["files"][0])).unwrap();
    let lora = lora.weight(0.8).unwrap().text_encoders(0.2).unwrap().block("mid_block", 0.5).unwrap();
    let loaded = Pipeline::builder(&folder).weighted_lora(lora.clone()).build().unwrap();
    let later = Pipeline::builder(&folder).build().unwrap().with_loras(&[lora]).unwrap();
    assert_eq!(latents(&loaded), latents(&later));
}

/// An SD LoRA is called one, whatever its layout and kind are.
#[test]
fn loras_of_other_models_are_named() {
    let folder = model("named", Precision::F32);
    let pipeline = Pipeline::builder(&folder).build().unwrap();
    let path = folder.join("other.safetensors");
    let dotted = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k";
    let flat = "down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k";
    let text = "text_model_encoder_layers_0_self_attn_q_proj";
    type Tensors = Vec<(String, Vec<i64>)>;
    let low_rank = |layer: String, [down, up]: [&str; 2], width: i64| -> Tensors {
        vec![(format!("{layer}{down}"), vec![4, width]), (format!("{layer}{up}"), vec![320, 4])]
    };
    let kohya = [".lora_down.weight", ".lora_up.weight"];
    let kinds = |width: i64| -> Vec<Tensors> {
        let layer = format!("lora_unet_{flat}");
        vec![
            low_rank(layer.clone(), kohya, width),
            low_rank("lora_unet_input_blocks_1_1_transformer_blocks_0_attn2_to_k".into(), kohya, width),
            low_rank(format!("unet.{dotted}"), [".lora_A.weight", ".lora_B.weight"], width),
            low_rank(format!("unet.{dotted}"), [".lora.down.weight", ".lora.up.weight"], width),
            low_rank(
                format!("unet.{}", dotted.replace(".to_k", ".processor.to_k")),
                ["_lora.down.weight", "_lora.up.weight"],
                width,
            ),
            vec![
                (format!("{layer}.hada_w1_a"), vec![320, 4]),
                (format!("{layer}.hada_w1_b"), vec![4, width]),
                (format!("{layer}.hada_w2_a"), vec![320, 4]),
                (format!("{layer}.hada_w2_b"), vec![4, width]),
            ],
            vec![
                (format!("{layer}.lokr_w1"), vec![16, 16]),
                (format!("{layer}.lokr_w2_a"), vec![20, 4]),
                (format!("{layer}.lokr_w2_b"), vec![4, width / 16]),
            ],
            vec![(format!("{layer}.diff"), vec![320, width])],
        ]
    };
    let mut cases = Vec::new();
    for (width, name) in [
        (768, "a LoRA for Stable Diffusion 1"),
        (1024, "a LoRA for Stable Diffusion 2"),
        (2048, "a LoRA for SDXL"),
        (1280, "a LoRA for the SDXL refiner"),
    ] {
        cases.extend(kinds(width).into_iter().map(|tensors| (tensors, name)));
    }
    for (width, name) in [(768, "a LoRA for Stable Diffusion 1"), (1024, "a LoRA for Stable Diffusion 2")] {
        cases.push((low_rank(format!("lora_te_{text}"), kohya, width), name));
    }
    for (tensors, name) in cases {
        let rows: Vec<_> = tensors.iter().map(|(key, shape)| (key.clone(), ones(shape))).collect();
        save(&path, &rows);
        let lora = Lora::open(&path).unwrap();
        assert_eq!(lora.looks_like(), name, "{}", tensors[0].0);
        let error = pipeline.with_loras(&[lora.weight(1.).unwrap()]).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(&tensors[0].0), "{error}");
    }
}
