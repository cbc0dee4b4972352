//! Trainings as a whole: they learn, they stop and go on, and they never lose what was good.

use std::fs;
use std::path::{Path, PathBuf};

use sdxl::config::ModelConfig;
use sdxl::pipeline::write_random_model;
use sdxl::scheduler::{Prediction, Scheduler};
use sdxl::training::{
    AutoencoderModel, AutoencoderObjective, Checkpoints, DiffusionModel, Draws, Ema, Frozen, LearningRate,
    NoiseLevels, Objective, TimestepBias, Trainer, TrainerOptions, Variables, Weighting, mixed_precision,
};
use sdxl::weights::{Checkpoint, Component, TensorSource, Weights};
use sdxl::{Conditioning, Device, Error, Pipeline, Precision, Request};
use tch::{Kind, Tensor};

use super::common::repository;
use super::{diffusion, examples};

pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("training").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn options() -> TrainerOptions {
    TrainerOptions {
        learning_rate: LearningRate::constant(2e-3),
        ema: Some(Ema { decay: 0.99 }),
        ..TrainerOptions::default()
    }
}

/// Two pictures' worth of latents.
pub(crate) fn latents() -> Tensor {
    Draws::new(3, "latents", 0).normal(&[2, 4, 8, 8]).unwrap()
}

/// Steps on the same two pictures, with the noise of each step.
fn train(trainer: &mut Trainer, model: &sdxl::training::DiffusionModel, steps: u64) -> Vec<f64> {
    let objective = Objective::default();
    (0..steps)
        .map(|_| {
            let step = trainer.step(|number| {
                model.loss(&objective, &examples(latents()), &mut Draws::new(5, "step", number))
            });
            step.unwrap().loss
        })
        .collect()
}

fn bytes(path: impl AsRef<Path>) -> Vec<u8> {
    fs::read(path).unwrap()
}

#[test]
fn learns_a_few_pictures_by_heart() {
    let (variables, model) = diffusion();
    let mut trainer = Trainer::new(variables, options()).unwrap();
    let losses = train(&mut trainer, &model, 100);
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let (first, last) = (mean(&losses[..10]), mean(&losses[90..]));
    eprintln!("loss {first:.3}, after 100 steps {last:.3}");
    assert!(last < 0.5 * first, "{first} to {last}");
}

/// A training that is stopped at any step, also in the middle of writing, goes on to the same bytes.
#[test]
fn goes_on_with_the_same_bytes() {
    let model_folder = folder("model");
    write_random_model(repository("tests/models/base"), &model_folder, 0, Precision::F32).unwrap();
    let whole = Checkpoints::new(folder("whole"), 1).unwrap();
    let (variables, model) = diffusion();
    let mut trainer = Trainer::new(variables, options()).unwrap();
    train(&mut trainer, &model, 6);
    let wanted = whole.save(&trainer, &model_folder, Precision::F32).unwrap();

    let parts = folder("parts");
    let checkpoints = Checkpoints::new(&parts, 1).unwrap();
    let (variables, model) = diffusion();
    let mut trainer = Trainer::new(variables, options()).unwrap();
    assert!(!checkpoints.resume(&mut trainer).unwrap());
    train(&mut trainer, &model, 2);
    checkpoints.save(&trainer, &model_folder, Precision::F32).unwrap();
    train(&mut trainer, &model, 1);
    // What a kill while writing step 3 leaves.
    fs::create_dir_all(parts.join("step-00000003.part/unet")).unwrap();
    fs::write(parts.join("step-00000003.part/training.safetensors"), b"torn").unwrap();

    let (variables, model) = diffusion();
    let mut trainer = Trainer::new(variables, options()).unwrap();
    assert!(checkpoints.resume(&mut trainer).unwrap());
    assert_eq!(trainer.steps(), 2);
    train(&mut trainer, &model, 4);
    let found = checkpoints.save(&trainer, &model_folder, Precision::F32).unwrap();
    for file in [
        "training.safetensors",
        "unet/diffusion_pytorch_model.safetensors",
        "text_encoder/model.safetensors",
        "text_encoder_2/model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
    ] {
        assert!(bytes(found.join(file)) == bytes(wanted.join(file)), "{file} differs");
    }
    assert_eq!(checkpoints.latest().unwrap(), Some(found), "older ones are gone");

    // A checkpoint is a model.
    let pipeline = Pipeline::builder(wanted).build().unwrap();
    let request = Request::builder(Conditioning::builder("a cat").build().unwrap()).steps(2).build().unwrap();
    assert_eq!(pipeline.generate(&request).unwrap().len(), 1);
}

#[test]
fn refuses_the_state_of_another_training() {
    let path = folder("other").join("training.safetensors");
    let (variables, model) = diffusion();
    let mut trainer = Trainer::new(variables, TrainerOptions::default()).unwrap();
    train(&mut trainer, &model, 1);
    trainer.save(&path).unwrap();

    let (variables, _) = diffusion();
    let mut with_average = Trainer::new(variables, options()).unwrap();
    let error = with_average.resume(&path).unwrap_err().to_string();
    assert!(error.ends_with("has no tensor `average`"), "{error}");
    assert_eq!(with_average.steps(), 0);
    fs::write(&path, b"torn").unwrap();
    assert!(matches!(with_average.resume(&path), Err(Error::File { .. })));
}

/// A loss that is no number changes nothing: the next good step is what it would have been.
#[test]
fn stops_where_the_loss_is_not_finite() {
    let (variables, model) = diffusion();
    let mut trainer = Trainer::new(variables, options()).unwrap();
    let name = "unet.conv_in.weight";
    train(&mut trainer, &model, 1);
    let before = trainer.variables().get(name).unwrap().detach().copy();
    let objective = Objective::default();
    let poisoned = examples(latents() * f64::NAN);
    let failed = trainer
        .step(|number| model.loss(&objective, &poisoned, &mut Draws::new(5, "step", number)))
        .unwrap_err();
    assert!(matches!(failed, Error::NonFinite { step: Some(1), .. }), "{failed}");
    assert_eq!(trainer.steps(), 1);
    assert_eq!(trainer.variables().get(name).unwrap().detach(), before);
    let loss = train(&mut trainer, &model, 1)[0];

    let (variables, model) = diffusion();
    let mut other = Trainer::new(variables, options()).unwrap();
    assert_eq!(train(&mut other, &model, 2)[1], loss);
}

/// Two accumulated halves are the whole batch.
#[test]
fn accumulates() {
    let objective = Objective::default();
    let noise = Draws::new(1, "noise", 0).normal(&[2, 4, 8, 8]).unwrap();
    let gradient_norm = |accumulation: usize| {
        let (variables, model) = diffusion();
        let options = TrainerOptions { accumulation, ..options() };
        let mut trainer = Trainer::new(variables, options).unwrap();
        let rows = 2 / accumulation as i64;
        let step = trainer.step(|number| {
            let part = |x: &Tensor| x.narrow(0, number as i64 * rows, rows);
            let whole = examples(latents());
            let part_of = sdxl::training::Examples {
                latents: part(&whole.latents),
                text: sdxl::training::CaptionTokens {
                    first: whole.text.first.as_ref().map(part),
                    second: part(&whole.text.second),
                    kept: None,
                },
                time_ids: part(&whole.time_ids),
            };
            let timesteps = [100, 900];
            let timesteps = &timesteps[number as usize * rows as usize..][..rows as usize];
            let noised = objective.noise_with(&part_of.latents, &part(&noise), timesteps)?;
            objective.loss(&model.predict(&noised, &part_of)?, &noised)
        });
        let report = step.unwrap();
        (report.loss, report.gradient_norm)
    };
    let ((loss, norm), (loss_2, norm_2)) = (gradient_norm(1), gradient_norm(2));
    assert!((loss - loss_2).abs() < 1e-6 * loss, "{loss} {loss_2}");
    assert!((norm - norm_2).abs() < 1e-5 * norm, "{norm} {norm_2}");
}

#[test]
fn noise_levels_are_those_asked_for() {
    let levels = |timesteps, bias| {
        let NoiseLevels::Discrete { schedule, .. } = NoiseLevels::default() else { unreachable!() };
        NoiseLevels::Discrete { schedule, timesteps, bias }
    };
    let draw = |levels: NoiseLevels| {
        let objective = Objective { levels, ..Objective::default() };
        objective.check().unwrap();
        let latents = Tensor::zeros([4000, 1, 1, 1], (Kind::Float, tch::Device::Cpu));
        let noised = objective.noise(&latents, &mut Draws::new(1, "levels", 0)).unwrap();
        Vec::<f64>::try_from(noised.timesteps.to_kind(Kind::Double)).unwrap()
    };
    let refiner = draw(levels(0..200, None));
    assert!(refiner.iter().all(|&t| t < 200.) && refiner.iter().any(|&t| t > 190.));

    // Three times as often as the other three quarters: half of all.
    let bias = TimestepBias { timesteps: 750..1000, multiplier: 3. };
    let late = draw(levels(0..1000, Some(bias)));
    let part = late.iter().filter(|&&t| t >= 750.).count() as f64 / 4000.;
    assert!((part - 0.5).abs() < 0.03, "{part}");

    // ¼·ln σ with ln σ ~ N(−1.2, 1.2²).
    let edm = draw(NoiseLevels::LogNormal { mean: -1.2, deviation: 1.2 });
    let mean = edm.iter().sum::<f64>() / 4000.;
    let deviation = (edm.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 4000.).sqrt();
    assert!((mean + 0.3).abs() < 0.02 && (deviation - 0.3).abs() < 0.02, "{mean} {deviation}");
}

#[test]
fn the_objective_is_what_the_scheduler_is_for() {
    let json = r#"{"_class_name": "EulerDiscreteScheduler", "beta_schedule": "scaled_linear", "beta_start": 0.00085,
        "beta_end": 0.012, "prediction_type": "v_prediction", "rescale_betas_zero_snr": true}"#;
    let v = Objective::of(&Scheduler::from_config(json).unwrap());
    assert_eq!((v.prediction, v.weighting), (Prediction::V, Weighting::Uniform));
    let noise = Tensor::ones_like(&latents());
    let last = v.noise_with(&latents(), &noise, &[999; 2]).unwrap();
    // Nothing of the picture is left at the last timestep, and the velocity is the picture's opposite.
    assert!((&last.input - &noise).abs().max().double_value(&[]) < 1e-6);
    assert!((&last.target + latents()).abs().max().double_value(&[]) < 1e-5);

    let json = r#"{"_class_name": "EDMEulerScheduler", "sigma_data": 0.5, "prediction_type": "epsilon"}"#;
    let edm = Objective::of(&Scheduler::from_config(json).unwrap());
    assert_eq!(edm.weighting, Weighting::Edm { sigma_data: 0.5 });
    assert_eq!(edm.levels, NoiseLevels::LogNormal { mean: -1.2, deviation: 1.2 });
    let default = Objective::of(&Scheduler::builder().build().unwrap());
    assert_eq!(default, Objective::default());
}

/// The weight 1 of EDM's output is its weighting of the denoised sample (Karras et al. 2022, table 1).
#[test]
fn edm_weights_the_output_evenly() {
    let objective = Objective {
        prediction: Prediction::Edm { sigma_data: 0.5 },
        weighting: Weighting::Edm { sigma_data: 0.5 },
        levels: NoiseLevels::LogNormal { mean: -1.2, deviation: 1.2 },
        offset_noise: 0.,
    };
    let noised = objective.noise(&(latents() * 0.5), &mut Draws::new(1, "edm", 0)).unwrap();
    let weights = Vec::<f64>::try_from(noised.weights.to_kind(Kind::Double)).unwrap();
    assert!(weights.iter().all(|weight| (weight - 1.).abs() < 1e-6), "{weights:?}");
    let variance = |x: &Tensor| x.square().mean(Kind::Float).double_value(&[]);
    assert!((0.5..2.).contains(&variance(&noised.target)), "{}", variance(&noised.target));
}

#[test]
fn wrong_options_are_named() {
    let refused = |options: TrainerOptions| {
        let (variables, _) = diffusion();
        Trainer::new(variables, options).err().unwrap().to_string()
    };
    let good = TrainerOptions::default();
    let cases = [
        (
            TrainerOptions { learning_rate: LearningRate::constant(f64::NAN), ..good },
            "learning rate is NaN, expected a finite number above 0",
        ),
        (TrainerOptions { accumulation: 0, ..good }, "accumulation is 0, expected 1 to 65536"),
        (
            TrainerOptions { max_gradient_norm: Some(0.), ..good },
            "max_gradient_norm is 0, expected a finite number above 0",
        ),
        (TrainerOptions { ema: Some(Ema { decay: 1.5 }), ..good }, "ema decay is 1.5, expected 0 to 1"),
    ];
    for (options, message) in cases {
        assert_eq!(refused(options), message);
    }
    let objectives = [
        (Objective { offset_noise: -1., ..Objective::default() }, "offset_noise is -1, expected 0 to 1"),
        (
            Objective { weighting: Weighting::MinSnr(0.), ..Objective::default() },
            "min-SNR gamma is 0, expected a finite number above 0",
        ),
    ];
    for (objective, message) in objectives {
        assert_eq!(objective.check().unwrap_err().to_string(), message);
    }
}

/// The decoder learns, and the encoder keeps its bits.
#[test]
fn trains_a_part_alone() {
    let model_folder = folder("part-of");
    write_random_model(repository("tests/models/base"), &model_folder, 0, Precision::F16).unwrap();
    let config = super::base().vae;
    let stored = Checkpoint::from_folder(Component::Vae, model_folder.join("vae"), "").unwrap();
    let source = InFront(&stored);
    let load = |weights: &Weights| AutoencoderModel::load(weights, &config);
    let variables =
        Variables::some(Device::Cpu, &source, load, |name| name.starts_with("vae.decoder.")).unwrap();
    let model = load(&Frozen::new(&variables, &source).weights()).unwrap();
    let mut trainer = Trainer::new(variables, TrainerOptions::default()).unwrap();
    let pictures = Draws::new(1, "pictures", 0).normal(&[1, 3, 16, 16]).unwrap();
    let noise = Draws::new(1, "noise", 0).normal(&[1, 4, 2, 2]).unwrap();
    trainer.step(|_| model.loss(&AutoencoderObjective::default(), &pictures, &noise)).unwrap();

    let saved =
        Checkpoints::new(folder("part"), 1).unwrap().save(&trainer, &model_folder, Precision::F16).unwrap();
    let new = Checkpoint::from_folder(Component::Vae, saved.join("vae"), "").unwrap();
    assert!(new.names().eq(stored.names()));
    for name in stored.names() {
        let shape = stored.shape(name).unwrap();
        let same = new.read(name, &shape).unwrap() == stored.read(name, &shape).unwrap();
        // A scale of a norm near 1 may round to what it was.
        assert!(!name.starts_with("decoder.conv_in") || !same, "{name} has not changed");
        assert!(name.starts_with("decoder.") || same, "{name} has changed");
    }
    let none = Variables::some(Device::Cpu, &source, load, |_| false).err().unwrap().to_string();
    assert_eq!(none, "variables is no tensor, expected one that is trained");
}

/// A component under names that have it in front.
struct InFront<'a>(&'a Checkpoint);

impl TensorSource for InFront<'_> {
    fn read(&self, name: &str, shape: &[i64]) -> sdxl::Result<Tensor> {
        self.0.read(name.split_once('.').unwrap().1, shape)
    }
}

/// Near the loss and the gradients in f32, and gone afterwards.
#[test]
fn mixed_precision_is_bfloat16() {
    let loss_and_norm = |mixed: bool| {
        let (variables, model) = diffusion();
        let mut trainer = Trainer::new(variables, options()).unwrap();
        let loss = |number| {
            let mut draws = Draws::new(5, "step", number);
            model.loss(&Objective::default(), &examples(latents()), &mut draws)
        };
        let step = trainer.step(|number| match mixed {
            true => mixed_precision(Device::Cpu, || loss(number)),
            false => loss(number),
        });
        let report = step.unwrap();
        (report.loss, report.gradient_norm)
    };
    let (exact, mixed, again) = (loss_and_norm(false), loss_and_norm(true), loss_and_norm(false));
    eprintln!("loss and gradient norm {exact:?}, in bfloat16 {mixed:?}");
    assert!(mixed != exact, "nothing was computed in another type");
    // bfloat16 has 8 bits: 4e-3.
    assert!((mixed.0 - exact.0).abs() < 2e-2 * exact.0, "{mixed:?} {exact:?}");
    assert!((mixed.1 - exact.1).abs() < 1e-1 * exact.1, "{mixed:?} {exact:?}");
    assert_eq!(exact, again);
}

/// A refiner: one text encoder, five numbers with the aesthetic score, the lowest fifth of the noise.
#[test]
fn a_refiner_learns() {
    sdxl::set_threads(1).unwrap();
    let config = ModelConfig::from_folder(repository("tests/models/refiner")).unwrap();
    let load = |weights: &Weights| DiffusionModel::load(weights, weights, &config);
    let variables =
        Variables::some(Device::Cpu, &super::ByName, load, |name| name.starts_with("unet.")).unwrap();
    let model = load(&Frozen::new(&variables, &super::ByName).weights()).unwrap();
    let mut trainer = Trainer::new(variables, options()).unwrap();
    let NoiseLevels::Discrete { schedule, bias, .. } = NoiseLevels::default() else { unreachable!() };
    let levels = NoiseLevels::Discrete { schedule, timesteps: 0..200, bias };
    let objective = Objective { levels, ..Objective::default() };
    let mut whole = examples(latents());
    whole.text.first = None;
    whole.time_ids = Tensor::from_slice(&[64f32, 64., 0., 0., 6., 64., 64., 0., 0., 2.5]).reshape([2, 5]);
    let losses: Vec<f64> = (0..20)
        .map(|_| {
            let step =
                trainer.step(|number| model.loss(&objective, &whole, &mut Draws::new(5, "step", number % 2)));
            step.unwrap().loss
        })
        .collect();
    assert!(losses[18] + losses[19] < 0.8 * (losses[0] + losses[1]), "{losses:?}");
}
