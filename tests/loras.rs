//! LoRAs and their relatives against diffusers, PEFT and LyCORIS on a tiny model (`tests/golden/loras.py`); real files;
//! broken files.
//!
//! Tolerance: the effect of each, latents with less latents without, to 1e-4 relative, where the effects are a tenth of
//! the latents or more and the runs' own rounding is 3e-6.

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::headers::scratch;
use common::{Golden, assets, final_latents, relative_error, repository, save};
use sdxl::config::ModelConfig;
use sdxl::pipeline::write_random_model;
use sdxl::unet::{Unet, UnetConditioning};
use sdxl::weights::{LowRank, RandomWeights, TensorSource, TensorSpec, Weights, tensors_of};
use sdxl::{Conditioning, Device, Error, Guidance, Lora, Pipeline, Precision, Request, WeightedLora};
use serde_json::Value;
use tch::{Kind, Tensor};

const TOLERANCE: f64 = 1e-4;

fn model(test: &str, precision: Precision) -> PathBuf {
    let folder = scratch(&format!("loras-{test}"));
    write_random_model(repository("tests/models/base"), &folder, 0, precision).unwrap();
    folder
}

fn description() -> Value {
    let text = fs::read_to_string(repository("tests/golden/loras.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// `offset + scale · r`, with r of the stream of that name, as `random_tensor` in the reference.
fn random(name: &str, shape: &[i64], offset: f64, scale: f64) -> Tensor {
    let count = shape.iter().product::<i64>();
    // The values of three columns are r itself.
    let rows = (count + 2) / 3;
    let r = RandomWeights::new(0, "lora").values(name, &[rows, 3]);
    let r = Tensor::from_slice(&r).narrow(0, 0, count).reshape(shape);
    r * scale as f32 as f64 + offset
}

/// A file of a case, as it was in the reference.
fn write(folder: &Path, name: &str, file: &Value) -> PathBuf {
    let mut tensors = Vec::new();
    for row in file["tensors"].as_array().unwrap() {
        let key = row[0].as_str().unwrap();
        let shape: Vec<i64> = row[1].as_array().unwrap().iter().map(|side| side.as_i64().unwrap()).collect();
        let (offset, scale) = (row[2].as_f64().unwrap(), row[3].as_f64().unwrap());
        tensors.push((key.to_owned(), random(&format!("{name}/{key}"), &shape, offset, scale)));
    }
    let path = folder.join(format!("{}.safetensors", name.replace('/', "-")));
    save(&path, &tensors);
    if let Some(metadata) = file["metadata"].as_object() {
        add_metadata(&path, metadata);
    }
    path
}

/// Puts texts into the header of a file.
fn add_metadata(path: &Path, metadata: &serde_json::Map<String, Value>) {
    let bytes = fs::read(path).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: serde_json::Map<String, Value> = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    header.insert("__metadata__".into(), Value::Object(metadata.clone()));
    let header = Value::Object(header).to_string().into_bytes();
    let start = (header.len() as u64).to_le_bytes();
    fs::write(path, [start.as_slice(), &header, &bytes[8 + length..]].concat()).unwrap();
}

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

fn latents(pipeline: &Pipeline) -> Tensor {
    let conditioning =
        Conditioning::builder("a photo of a cat").negative_prompt("blurry, low quality").build().unwrap();
    let guidance = Guidance::new(5.).unwrap();
    let request = Request::builder(conditioning).steps(2).guidance(guidance).seed(0).build().unwrap();
    final_latents(pipeline, &request)
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

/// The weights of a pipeline that had adapters are those of the files, to the last bit; so are its pictures.
#[test]
fn removing_gives_the_base_back() {
    let folder = model("removed", Precision::F16);
    let pipeline = Pipeline::builder(&folder).build().unwrap();
    let without = latents(&pipeline);
    let description = description();
    let file = &description["cases"][0]["files"][0];
    let path = write(&folder, "kohya_stability/0", file);
    let lora = Lora::open(&path).unwrap();

    let beside = pipeline.with_loras(&[lora.weight(0.8).unwrap()]).unwrap();
    let merged = pipeline.with_merged_loras(&[lora.weight(0.8).unwrap()]).unwrap();
    assert_ne!(latents(&beside), without);
    // 16-bit weights: merging rounds, keeping beside does not.
    let difference = relative_error(&latents(&merged), &latents(&beside));
    assert!(difference > 0. && difference < 1e-2, "{difference:.1e}");
    for other in [&beside, &merged] {
        assert_eq!(latents(&other.with_loras(&[]).unwrap()), without);
        assert_eq!(latents(&other.with_loras(&[lora.weight(0.).unwrap()]).unwrap()), without);
        // Another weight is that of a pipeline which never had the first one.
        let again = other.with_loras(&[lora.weight(-0.5).unwrap()]).unwrap();
        let direct = pipeline.with_loras(&[lora.weight(-0.5).unwrap()]).unwrap();
        assert_eq!(latents(&again), latents(&direct));
    }
    // The first pipeline never knew of any of it, also while others draw.
    assert_eq!(latents(&pipeline), without);
    assert_eq!(pipeline.loras().count(), 0);

    // At load, both ways.
    let loaded = Pipeline::builder(&folder).lora(&path, 0.8).build().unwrap();
    assert_eq!(latents(&loaded), latents(&beside));
    assert_eq!(latents(&loaded.with_loras(&[]).unwrap()), without);
    let loaded = Pipeline::builder(&folder).lora(&path, 0.8).merge_loras().build().unwrap();
    assert_eq!(latents(&loaded), latents(&merged));
    let applied: Vec<_> = loaded.loras().collect();
    assert!(applied.len() == 1 && applied[0].merged && applied[0].unmatched.is_empty());
}

/// Pipelines with other adapters draw at the same time on the same weights.
#[test]
fn threads_share_the_weights() {
    let folder = model("threads", Precision::F16);
    let pipeline = Pipeline::builder(&folder).build().unwrap();
    let description = description();
    let path = write(&folder, "kohya_stability/0", &description["cases"][0]["files"][0]);
    let lora = Lora::open(path).unwrap();
    let weights = [0., 0.5, -0.7];
    let alone: Vec<Vec<f32>> = weights.iter().map(|weight| numbers(&lora, &pipeline, *weight)).collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> = weights
            .iter()
            .map(|weight| {
                let (lora, pipeline) = (lora.clone(), pipeline.clone());
                scope.spawn(move || numbers(&lora, &pipeline, *weight))
            })
            .collect();
        for (thread, alone) in threads.into_iter().zip(&alone) {
            assert_eq!(&thread.join().unwrap(), alone);
        }
    });
}

fn numbers(lora: &Lora, pipeline: &Pipeline, weight: f64) -> Vec<f32> {
    let latents = latents(&pipeline.with_loras(&[lora.weight(weight).unwrap()]).unwrap());
    Vec::<f32>::try_from(latents.flatten(0, -1)).unwrap()
}

const DOWN: &str = "lora_unet_mid_block_attentions_0_proj_in.lora_down.weight";
const UP: &str = "lora_unet_mid_block_attentions_0_proj_in.lora_up.weight";
const ALPHA: &str = "lora_unet_mid_block_attentions_0_proj_in.alpha";

fn ones(shape: &[i64]) -> Tensor {
    Tensor::ones(shape, (Kind::Float, tch::Device::Cpu))
}

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

#[test]
fn real_files_of_other_models_are_named() {
    let Some(assets) = assets() else { return };
    let folder = model("real", Precision::F16);
    let pipeline = Pipeline::builder(&folder).build().unwrap();
    for (file, looks_like) in [
        ("catundchat_pytorch_lora_weights.safetensors", "a LoRA for Stable Diffusion 1"),
        ("timohavdk_kohya_style_names.safetensors", "a LoRA for Stable Diffusion 1"),
        ("lora_disney.safetensors", "cloneofsimo's format"),
        ("analog_svd_rank4.safetensors", "cloneofsimo's format"),
        ("catundchat_pytorch_lora_weights.bin", "zip archive"),
    ] {
        let path = assets.join("weights/lora-sd15").join(file);
        let error = Lora::open(&path).and_then(|lora| pipeline.with_loras(&[lora.weight(1.)?]));
        let error = error.err().unwrap().to_string();
        assert!(error.contains(looks_like) && error.contains(file), "{error}");
    }
    // Not even with what does not fit left out: no layer is of this model's shape.
    let path = assets.join("weights/lora-sd15/catundchat_pytorch_lora_weights.safetensors");
    let lora = Lora::open(path).unwrap();
    let adapted = pipeline.with_loras(&[lora.weight(1.).unwrap().ignore_unmatched()]).unwrap();
    assert_eq!(adapted.loras().next().unwrap().unmatched.len(), 256);
    assert_eq!(latents(&adapted), latents(&pipeline));
}

/// Weights that stay, and a LoRA in training beside every matrix and kernel: by the layer's name, both halves.
struct Training {
    base: RandomWeights,
    halves: BTreeMap<String, [Tensor; 2]>,
}

const SCALE: f64 = 0.5;

impl TensorSource for Training {
    fn read(&self, name: &str, shape: &[i64]) -> sdxl::Result<Tensor> {
        self.base.read(name, shape)
    }

    fn low_rank(&self, name: &str) -> Option<LowRank> {
        let [down, up] = self.halves.get(name.strip_suffix(".weight")?)?;
        Some(LowRank::new(down.shallow_clone(), up.shallow_clone(), SCALE))
    }
}

/// The same as sums: `W + scale · up · down`.
struct Sums<'a>(&'a Training);

impl TensorSource for Sums<'_> {
    fn read(&self, name: &str, shape: &[i64]) -> sdxl::Result<Tensor> {
        let weight = self.0.base.read(name, shape)?;
        let Some([down, up]) = name.strip_suffix(".weight").and_then(|layer| self.0.halves.get(layer)) else {
            return Ok(weight);
        };
        let product = up.detach().flatten(1, -1).matmul(&down.detach().flatten(1, -1));
        Ok(weight + product.reshape(shape) * SCALE)
    }
}

/// The model of a folder with another UNet.
fn with_unet(folder: &Path, source: &dyn TensorSource, specs: &[TensorSpec]) -> Pipeline {
    let tensors: Vec<_> =
        specs.iter().map(|spec| (spec.name.clone(), source.read(&spec.name, &spec.shape).unwrap())).collect();
    let path = folder.join("sums.safetensors");
    save(&path, &tensors);
    Pipeline::builder(folder).unet(path).build().unwrap()
}

/// A training's layers give what a file of them gives; gradients flow to them and not to the weights.
#[test]
fn a_lora_in_training() {
    let config = ModelConfig::from_folder(repository("tests/models/base")).unwrap().unet;
    let specs = tensors_of(|w| Unet::load(w, &config)).unwrap();
    let kind = (Kind::Float, tch::Device::Cpu);
    let mut training = Training { base: RandomWeights::new(0, "unet"), halves: BTreeMap::new() };
    for spec in specs.iter().filter(|spec| spec.shape.len() > 1) {
        let layer = spec.name.strip_suffix(".weight").unwrap();
        let ones = vec![1; spec.shape.len() - 2];
        let down = random(&format!("training/{layer}"), &[&[3], &spec.shape[1..]].concat(), 0., 0.1);
        let up = Tensor::zeros([&[spec.shape[0], 3], &ones[..]].concat(), kind);
        let halves = [down, up].map(|half| half.to_kind(Kind::Float).set_requires_grad(true));
        training.halves.insert(layer.to_owned(), halves);
    }
    let forward = |source: &dyn TensorSource| {
        let unet = Unet::load(&Weights::new(source, Device::Cpu, Precision::F32), &config).unwrap();
        let input = |name: &str, shape: &[i64]| random(name, shape, 0., 1.).to_kind(Kind::Float);
        let ids = Tensor::from_slice(&[64f32, 64., 0., 0., 64., 64.]).reshape([1, 6]);
        let conditioning =
            UnetConditioning::new(input("context", &[1, 7, 72]), input("pooled", &[1, 24]), ids).unwrap();
        unet.forward(&input("x", &[1, 4, 8, 8]), &Tensor::from_slice(&[500f32]), &conditioning).unwrap()
    };
    // It begins as the model without it.
    let start = forward(&training);
    assert_eq!(start.detach(), forward(&training.base));
    start.square().mean(Kind::Float).backward();
    for (layer, [down, up]) in &training.halves {
        assert_eq!(f64::try_from(down.grad().abs().sum(Kind::Float)).unwrap(), 0., "{layer}");
        assert!(f64::try_from(up.grad().abs().sum(Kind::Float)).unwrap() > 0., "{layer}");
    }
    // After some training, written with PEFT's names.
    let mut tensors = Vec::new();
    tch::no_grad(|| {
        for (layer, [down, up]) in &mut training.halves {
            let trained = random(&format!("trained/{layer}"), &up.size(), 0., 0.2);
            up.copy_(&trained);
            tensors.push((format!("unet.{layer}.lora_A.weight"), down.detach().copy()));
            // The scale is in the file too.
            tensors.push((format!("unet.{layer}.lora_B.weight"), up.detach() * SCALE));
        }
    });
    let folder = model("training", Precision::F32);
    let path = folder.join("trained.safetensors");
    save(&path, &tensors);
    let trained = tch::no_grad(|| forward(&training));
    assert!(relative_error(&trained, &start.detach()) > 0.05);
    // The pipeline's own UNet has the file's LoRA; a model whose weights are sums has the same output.
    let sums = Sums(&training);
    let error = relative_error(&tch::no_grad(|| forward(&sums)), &trained);
    assert!(error < 1e-5, "{error:.1e}");
    let pipeline = Pipeline::builder(&folder).build().unwrap();
    let applied = pipeline.with_loras(&[Lora::open(&path).unwrap().weight(1.).unwrap()]).unwrap();
    let error = relative_error(&latents(&applied), &latents(&with_unet(&folder, &sums, &specs)));
    assert!(error < 1e-5, "{error:.1e}");
}
