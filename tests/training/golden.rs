//! Losses, gradients, AdamW and the moving average as PyTorch and diffusers compute them.

use std::collections::BTreeMap;

use sdxl::Result;
use sdxl::scheduler::Prediction;
use sdxl::training::{
    AdamW, AutoencoderModel, AutoencoderObjective, Ema, LearningRate, Objective, Trainer, TrainerOptions,
    Variables, Weighting,
};
use sdxl::weights::{RandomWeights, TensorSource};
use tch::{Kind, Tensor};

use super::common::{Golden, assert_close};
use super::{ByName, base, diffusion, examples};

/// Relative: f32 against f32, summed in another order.
const TOLERANCE: f64 = 1e-4;

/// A gradient below this part of the whole is a zero that rounding hides, and AdamW, which divides by its size, makes
/// anything of it. The biases of the text encoders' keys are such: softmax does not see them.
const FAINT: f64 = 1e-6;

fn norm(x: &Tensor) -> f64 {
    x.to_kind(Kind::Double).norm().double_value(&[])
}

/// Compares tensors by their norms and by their products with two fixed random tensors, which is how `training.py`
/// stores them, in the order of names.
fn check(what: &str, found: &BTreeMap<String, Tensor>, golden: &Tensor, skipped: &[String]) {
    assert_eq!(golden.size(), [found.len() as i64, 3], "{what}");
    let whole = golden.select(1, 0).square().sum(Kind::Double).sqrt().double_value(&[]);
    let mut worst = 0f64;
    for (row, (name, tensor)) in found.iter().enumerate().filter(|(_, (name, _))| !skipped.contains(name)) {
        let wanted = Vec::<f64>::try_from(golden.get(row as i64)).unwrap();
        // What is far smaller than the whole is the difference of larger terms, and rounded like them.
        let scale = wanted[0].max(whole * 1e-3);
        let mut error = (norm(tensor) - wanted[0]).abs() / scale;
        for (number, wanted) in wanted[1..].iter().enumerate() {
            let values = RandomWeights::new(0, &format!("projection{number}")).values(name, &tensor.size());
            let direction = Tensor::from_slice(&values).to_kind(Kind::Double);
            let product = (tensor.to_kind(Kind::Double).reshape([-1]) * &direction).sum(Kind::Double);
            // Random directions see an error as large as its norm times their root mean square, and rarely three
            // times that.
            let size = norm(&direction) / (values.len() as f64).sqrt();
            error = error.max((product.double_value(&[]) - wanted).abs() / (3. * scale * size));
        }
        assert!(error <= TOLERANCE, "{what} of {name}: relative error {error:e}");
        worst = worst.max(error);
    }
    eprintln!("{what}: worst relative error {worst:.1e}");
}

/// Two steps, of which loss, gradients, weights and average are compared.
fn compare(case: &str, variables: Variables, loss: impl Fn() -> Result<Tensor>) {
    let golden = Golden::open("training.safetensors");
    let names: Vec<String> = variables.names().map(str::to_owned).collect();
    let copy = |tensor: Option<&Tensor>| tensor.unwrap().detach().copy();
    let before: BTreeMap<String, Tensor> =
        names.iter().map(|name| (name.clone(), copy(variables.get(name)))).collect();

    loss().unwrap().backward();
    let gradient = |name: &String| match variables.gradient(name).unwrap() {
        Some(gradient) => (name.clone(), gradient.copy()),
        None => (name.clone(), before[name].zeros_like()),
    };
    let gradients: BTreeMap<String, Tensor> = names.iter().map(gradient).collect();
    check(&format!("{case} gradients"), &gradients, &golden.get(&format!("{case}.gradients")), &[]);
    let whole = gradients.values().map(|gradient| norm(gradient).powi(2)).sum::<f64>().sqrt();
    let faint: Vec<String> = gradients
        .iter()
        .filter(|(_, gradient)| (0. ..whole * FAINT).contains(&norm(gradient)) && norm(gradient) > 0.)
        .map(|(name, _)| name.clone())
        .collect();
    assert!(faint.len() < names.len() / 10, "{} of {} gradients are faint", faint.len(), names.len());

    let options = TrainerOptions {
        // Large, so that the first steps are not the mere signs of gradients, which rounding decides where they
        // are near 0.
        optimizer: AdamW { eps: 1e-4, ..AdamW::default() },
        learning_rate: LearningRate::constant(1e-3),
        ema: Some(Ema { decay: 0.9999 }),
        ..TrainerOptions::default()
    };
    let mut trainer = Trainer::new(variables, options).unwrap();
    for step in 0..2 {
        let report = trainer.step(|_| loss()).unwrap();
        if step == 0 {
            for (name, found) in [("loss", report.loss), ("gradient_norm", report.gradient_norm)] {
                let wanted = golden.get(&format!("{case}.{name}")).double_value(&[]);
                let error = (found - wanted).abs() / wanted;
                eprintln!("{case} {name}: relative error {error:.1e}");
                assert!(error <= TOLERANCE, "{case} {name}: {found}, PyTorch {wanted}");
            }
        }
    }
    let change = |of: &dyn Fn(&String) -> Tensor| -> BTreeMap<String, Tensor> {
        names.iter().map(|name| (name.clone(), of(name) - &before[name])).collect()
    };
    let weights = change(&|name| copy(trainer.variables().get(name)));
    check(&format!("{case} weights"), &weights, &golden.get(&format!("{case}.weights")), &faint);
    let average = change(&|name| trainer.averaged(name).unwrap());
    check(&format!("{case} average"), &average, &golden.get(&format!("{case}.average")), &faint);
}

fn compare_diffusion(case: &str, objective: &Objective) {
    let golden = Golden::open("training.safetensors");
    let (variables, model) = diffusion();
    let mut noise = golden.get("noise");
    if case.ends_with("offset") {
        noise += golden.get("offset") * 0.05;
    }
    let examples = examples(golden.get("latents"));
    compare(case, variables, || {
        let noised = objective.noise_with(&examples.latents, &noise, &[7, 640])?;
        objective.loss(&model.predict(&noised, &examples)?, &noised)
    });
}

#[test]
fn epsilon() {
    compare_diffusion("epsilon", &Objective::default());
}

#[test]
fn epsilon_with_min_snr_and_offset_noise() {
    let objective = Objective { weighting: Weighting::MinSnr(5.), ..Objective::default() };
    compare_diffusion("epsilon_min_snr_offset", &objective);
}

#[test]
fn velocity() {
    let v = Objective { prediction: Prediction::V, ..Objective::default() };
    compare_diffusion("v_offset", &v);
    compare_diffusion("v_min_snr", &Objective { weighting: Weighting::MinSnr(5.), ..v });
}

#[test]
fn autoencoder() {
    let golden = Golden::open("training.safetensors");
    let config = base().vae;
    let variables =
        Variables::new(sdxl::Device::Cpu, &ByName, |weights| AutoencoderModel::load(weights, &config))
            .unwrap();
    let model = AutoencoderModel::load(&variables.weights(), &config).unwrap();
    let (pictures, noise) = (golden.get("pictures"), golden.get("vae_noise"));
    compare("vae", variables, || model.loss(&AutoencoderObjective::default(), &pictures, &noise));
}

/// PyTorch's defaults, where rounding decides nothing.
#[test]
fn adamw() {
    let golden = Golden::open("training.safetensors");
    let start = golden.get("noise");
    let shape = start.size();
    let source = Given(start);
    let variables =
        Variables::new(sdxl::Device::Cpu, &source, |weights| weights.tensor("parameter", &shape)).unwrap();
    let options = TrainerOptions {
        learning_rate: LearningRate::constant(1e-3),
        max_gradient_norm: None,
        ema: Some(Ema::default()),
        ..TrainerOptions::default()
    };
    let parameter = variables.get("parameter").unwrap().shallow_clone();
    let mut trainer = Trainer::new(variables, options).unwrap();
    for _ in 0..5 {
        let loss = || Ok((parameter.square() * golden.get("latents")).sum(Kind::Float));
        trainer.step(|_| loss()).unwrap();
    }
    assert_close("weights", &parameter.detach(), &golden.get("adamw.weights"), 1e-6);
    assert_close("average", &trainer.averaged("parameter").unwrap(), &golden.get("adamw.average"), 1e-6);
}

/// One tensor, whatever it is called.
struct Given(Tensor);

impl TensorSource for Given {
    fn read(&self, _: &str, _: &[i64]) -> Result<Tensor> {
        Ok(self.0.shallow_clone())
    }
}
