//! A LoRA beside the layers of a model in training.

use std::collections::BTreeMap;
use std::path::Path;

use sdxl::config::ModelConfig;
use sdxl::unet::{Unet, UnetConditioning};
use sdxl::weights::{LowRank, RandomWeights, TensorSource, TensorSpec, Weights, tensors_of};
use sdxl::{Device, Lora, Pipeline, Precision};
use tch::{Kind, Tensor};

use super::common::{relative_error, repository, save};
use super::{latents, model, random};

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
