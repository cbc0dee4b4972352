//! A LoRA is trained on a model that stays as it is, and its file does elsewhere what it did in the training.
//!
//! `tests/golden/trained_lora.safetensors` is such a file, which diffusers loads (`tests/golden/loras.py`) and
//! `tests/loras` compares with.

use std::collections::BTreeMap;
use std::path::Path;

use sdxl::config::ModelConfig;
use sdxl::pipeline::write_random_model;
use sdxl::training::{
    DiffusionModel, Draws, LearningRate, LoraOptions, LoraTraining, Objective, Trainer, TrainerOptions,
    export_lora,
};
use sdxl::weights::{TensorSource, Weights, read_safetensors};
use sdxl::{Device, Pipeline, Precision, Result};
use tch::Tensor;

use super::common::{assert_close, relative_error, repository};
use super::runs::{folder, latents};
use super::{ByName, base, examples};

fn load(config: &ModelConfig) -> impl Fn(&Weights) -> Result<DiffusionModel> + '_ {
    move |weights| DiffusionModel::load(weights, weights, config)
}

fn output(model: &DiffusionModel) -> Tensor {
    let _guard = tch::no_grad_guard();
    let examples = examples(latents());
    let noise = Draws::new(1, "noise", 0).normal(&[2, 4, 8, 8]).unwrap();
    let noised = Objective::default().noise_with(&examples.latents, &noise, &[300, 800]).unwrap();
    model.predict(&noised, &examples).unwrap()
}

#[test]
fn learns_and_is_read_by_the_pipeline() {
    sdxl::set_threads(1).unwrap();
    let config = base();
    let options = LoraOptions { rank: 2, alpha: 4., ..LoraOptions::default() };
    let variables = options.variables(Device::Cpu, load(&config), |_| true, 1).unwrap();
    let model = load(&config)(&LoraTraining::new(&variables, &ByName, &options).weights()).unwrap();
    let plain = load(&config)(&Weights::new(&ByName, Device::Cpu, Precision::F32)).unwrap();
    assert_close("without effect", &output(&model), &output(&plain), 0.);

    let learning_rate = LearningRate::constant(5e-3);
    let mut trainer =
        Trainer::new(variables, TrainerOptions { learning_rate, ..TrainerOptions::default() }).unwrap();
    let objective = Objective::default();
    let mut losses = Vec::new();
    for _ in 0..30 {
        let report = trainer.step(|number| {
            model.loss(&objective, &examples(latents()), &mut Draws::new(5, "step", number % 3))
        });
        losses.push(report.unwrap().loss);
    }
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let (first, last) = (mean(&losses[..3]), mean(&losses[27..]));
    eprintln!("loss {first:.3}, after 30 steps {last:.3}");
    assert!(last < 0.95 * first, "{first} to {last}");

    let path = folder("lora").join("lora.safetensors");
    export_lora(&trainer, &options, &path).unwrap();
    let sums = load(&config)(&Weights::new(&Sums::open(&path), Device::Cpu, Precision::F32)).unwrap();
    let effect = relative_error(&output(&model), &output(&plain));
    assert!(effect > 1e-2, "{effect}");
    assert_close("from the file", &output(&sums), &output(&model), 1e-5);

    // Every key has its layer.
    let model_folder = folder("lora-model");
    write_random_model(repository("tests/models/base"), &model_folder, 0, Precision::F32).unwrap();
    let pipeline = Pipeline::builder(&model_folder).lora(&path, 1.).build().unwrap();
    assert!(pipeline.loras().all(|lora| lora.unmatched.is_empty()));
}

/// The trainer writes what the committed file is, whose effect in diffusers is a golden: the same keys, types and shapes,
/// and the same numbers but for the rounding of another processor, which AdamW makes larger where a gradient is almost 0.
#[test]
fn writes_the_file_that_diffusers_loads() {
    sdxl::set_threads(1).unwrap();
    let config = base();
    let targets = ["attn1.to_q", "proj_in", "conv1", "q_proj", "mlp.fc1"];
    let options = LoraOptions { rank: 2, alpha: 4., targets: targets.map(str::to_owned).to_vec() };
    let chosen = ["mid_block.", "up_blocks.1.attentions.0.", "encoder.layers.0."];
    let trained = |name: &str| chosen.iter().any(|part| name.contains(part));
    let variables = options.variables(Device::Cpu, load(&config), trained, 7).unwrap();
    let model = load(&config)(&LoraTraining::new(&variables, &ByName, &options).weights()).unwrap();
    let learning_rate = LearningRate::constant(2e-2);
    let mut trainer =
        Trainer::new(variables, TrainerOptions { learning_rate, ..TrainerOptions::default() }).unwrap();
    for _ in 0..20 {
        let step = trainer.step(|number| {
            model.loss(&Objective::default(), &examples(latents()), &mut Draws::new(5, "step", number % 3))
        });
        step.unwrap();
    }
    let path = folder("trained-lora").join("trained_lora.safetensors");
    export_lora(&trainer, &options, &path).unwrap();

    let golden = repository("tests/golden/trained_lora.safetensors");
    let header = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        String::from_utf8(bytes[8..8 + length].to_vec()).unwrap()
    };
    assert_eq!(header(&path), header(&golden), "to make the golden again, copy {}", path.display());
    let (found, expected) = (read_safetensors(&path).unwrap(), read_safetensors(&golden).unwrap());
    for (name, tensor) in &found {
        assert_close(name, tensor, &expected[name], 1e-2);
    }
}

#[test]
fn impossible_options_are_named() {
    let config = base();
    let refused = |options: LoraOptions| {
        options.variables(Device::Cpu, load(&config), |_| true, 1).err().unwrap().to_string()
    };
    let good = LoraOptions::default;
    assert_eq!(refused(LoraOptions { rank: 0, ..good() }), "rank is 0, expected 1 to 4096");
    assert_eq!(refused(LoraOptions { alpha: f64::NAN, ..good() }), "alpha is NaN, expected a finite number");
    assert_eq!(
        refused(LoraOptions { targets: vec!["q".into()], ..good() }),
        "targets is [\"q\"], expected names of linear layers or convolutions of the model"
    );
}

/// The weights by name, plus `lora_B · lora_A` of a file.
struct Sums(BTreeMap<String, Tensor>);

impl Sums {
    fn open(path: &Path) -> Self {
        let tensors = read_safetensors(path).unwrap();
        assert!(tensors.keys().any(|name| name.starts_with("text_encoder.text_model.encoder.layers.0.")));
        Self(tensors.into_iter().map(|(name, tensor)| (name.replace("text_model.", ""), tensor)).collect())
    }
}

impl TensorSource for Sums {
    fn read(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        let weight = ByName.read(name, shape)?;
        let half = |half: &str| self.0.get(&format!("{}.{half}.weight", name.strip_suffix(".weight")?));
        let (Some(down), Some(up)) = (half("lora_A"), half("lora_B")) else { return Ok(weight) };
        Ok(weight + up.matmul(down))
    }
}
