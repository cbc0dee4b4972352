//! Every layout and kind against diffusers, PEFT and LyCORIS (`tests/golden/loras.py`).
//!
//! Tolerance: the effect of each, latents with less latents without, to 1e-4 relative. The effects are 0.05 to 1.2 of the
//! latents, and the runs' own rounding is 3e-6 of these.

use sdxl::{Lora, Pipeline, Precision, WeightedLora};
use serde_json::Value;

use super::common::{Golden, relative_error, repository};
use super::{description, latents, model, write};

const TOLERANCE: f64 = 1e-4;

/// What diffusers' `set_adapters` is given.
fn weighted(lora: &Lora, weight: &Value) -> WeightedLora {
    if let Some(weight) = weight.as_f64() {
        return lora.weight(weight).unwrap();
    }
    let unet = &weight["unet"];
    let mut lora = lora.weight(unet.as_f64().unwrap_or(1.)).unwrap();
    if let Some(weight) = weight["text_encoder"].as_f64() {
        lora = lora.text_encoders(weight).unwrap();
    }
    for (way, name) in [("down", "down_blocks"), ("mid", "mid_block"), ("up", "up_blocks")] {
        match &unet[way] {
            Value::Object(blocks) => {
                for (block, factor) in blocks {
                    let block = format!("{name}.{}", block.trim_start_matches("block_"));
                    match factor {
                        Value::Array(factors) => {
                            for (index, factor) in factors.iter().enumerate() {
                                let block = format!("{block}.attentions.{index}");
                                lora = lora.block(block, factor.as_f64().unwrap()).unwrap();
                            }
                        }
                        factor => lora = lora.block(block, factor.as_f64().unwrap()).unwrap(),
                    }
                }
            }
            Value::Number(factor) => {
                // All levels, unless the name is that of the middle.
                let blocks = if way == "mid" {
                    vec![name.into()]
                } else {
                    (0..3).map(|n| format!("{name}.{n}")).collect()
                };
                for block in blocks {
                    lora = lora.block(block, factor.as_f64().unwrap()).unwrap();
                }
            }
            _ => {}
        }
    }
    lora
}

#[test]
fn every_layout_and_kind_equals_the_reference() {
    let golden = Golden::open("loras.safetensors");
    let folder = model("equal", Precision::F32);
    let pipeline = Pipeline::builder(&folder).build().unwrap();
    let without = latents(&pipeline);
    let expected_without = golden.get("without.latents");
    let description = description();
    let cases = description["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 18);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let mut loras = Vec::new();
        for (index, file) in case["files"].as_array().unwrap().iter().enumerate() {
            let path = write(&folder, &format!("{name}/{index}"), file);
            loras.push(weighted(&Lora::open(path).unwrap(), &case["weights"][index]));
        }
        let expected = golden.get(&format!("{name}.latents")) - &expected_without;
        let beside = latents(&pipeline.with_loras(&loras).unwrap());
        let merged = latents(&pipeline.with_merged_loras(&loras).unwrap());
        let error = relative_error(&(&beside - &without), &expected);
        let difference = relative_error(&merged, &beside);
        eprintln!("{name}: {error:.1e}, merged and beside differ by {difference:.1e}");
        assert!(error <= TOLERANCE, "{name}: {error:.2e}");
        // In f32 both are the same sum.
        assert!(difference <= 1e-5, "{name}: merged and beside differ by {difference:.2e}");
    }
    assert_eq!(latents(&pipeline), without);
}

/// A file of this crate's trainer (`tests/training/lora.rs`), which diffusers has loaded.
#[test]
fn a_trained_file_does_what_it_does_in_diffusers() {
    let golden = Golden::open("loras.safetensors");
    let pipeline = Pipeline::builder(model("trained", Precision::F32)).build().unwrap();
    let lora = Lora::open(repository("tests/golden/trained_lora.safetensors")).unwrap();
    let applied = pipeline.with_loras(&[lora.weight(1.).unwrap()]).unwrap();
    let without = golden.get("without.latents");
    let expected = golden.get("trained.latents") - &without;
    assert!(relative_error(&golden.get("trained.latents"), &without) > 0.1, "no effect to compare");
    let error = relative_error(&(latents(&applied) - latents(&pipeline)), &expected);
    eprintln!("trained: {error:.1e}");
    assert!(error <= TOLERANCE, "{error:.2e}");
}
