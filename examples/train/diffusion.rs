//! `train unet`.

use std::cell::{Cell, RefCell};
use std::path::Path;

use sdxl::config::ModelConfig;
use sdxl::scheduler::Scheduler;
use sdxl::text::{Padding, Tokenizer};
use sdxl::training::{
    Batches, Captions, DiffusionModel, Draws, Encoder, FolderDataset, Frozen, LatentCache, LoraOptions,
    LoraTraining, NoiseLevels, Objective, Trainer, Variables, Weighting, export_lora,
};
use sdxl::vae::AutoencoderKl;
use sdxl::weights::{Component, Weights};
use sdxl::{Conditioning, Error, Guidance, Image, Pipeline, Precision, Request, Result};

use crate::arguments::{Common, Unet as Arguments};
use crate::parts::Parts;
use crate::run;
use crate::sheet::sheet;

pub(crate) fn train(common: &Common, part: &Arguments) -> Result<()> {
    if let Some(threads) = common.threads {
        sdxl::set_threads(threads)?;
    }
    let config = ModelConfig::from_folder(&common.model)?;
    let objective = objective(part, &common.model)?;
    objective.check()?;
    let trained: &[Component] = match part.train_text {
        true => &[Component::Unet, Component::TextEncoder, Component::TextEncoder2],
        false => &[Component::Unet],
    };
    let load = |weights: &Weights| DiffusionModel::load(weights, weights, &config);
    let load_vae = |weights: &Weights| AutoencoderKl::load(&weights.at("vae"), &config.vae);
    let parts = Parts::open(common, trained, |weights| Ok((load(weights)?, load_vae(weights)?)))?;
    let in_training = |name: &str| part.train_text || name.starts_with("unet.");
    let lora = part.lora.map(|rank| LoraOptions { rank, alpha: rank as f64, ..LoraOptions::default() });
    let variables = match &lora {
        Some(lora) => lora.variables(common.device, load, in_training, common.seed)?,
        None => Variables::some(common.device, &parts, load, in_training)?,
    };
    println!("unet: {} parameters in training, {}", variables.count(), parts.origin(Component::Unet));
    let model = match &lora {
        Some(lora) => load(&LoraTraining::new(&variables, &parts, lora).weights())?,
        None => load(&Frozen::new(&variables, &parts).weights())?,
    };
    let frozen = Weights::new(&parts, common.device, Precision::F32);
    let vae = load_vae(&frozen)?;

    let data = FolderDataset::open(&common.data)?;
    let mut batches = Batches::new(&data, &part.buckets, common.batch, common.seed)?;
    let captions = captions(common, &config, part.caption_dropout)?;
    let encoder =
        Encoder { dataset: &data, vae: &vae, captions: &captions, aesthetic_score: None, seed: common.seed };
    let cache = part.latents.as_ref().map(|path| LatentCache::open(path, &encoder)).transpose()?;
    let cache = RefCell::new(cache.unwrap_or_default());
    let stored = Cell::new(cache.borrow().len());
    let mut trainer = Trainer::new(variables, common.options())?;
    let step = |trainer: &mut Trainer| {
        trainer.step(|number| {
            let mut draws = Draws::new(common.seed, "step", number);
            // The pictures have none, so it is to mean nothing.
            let score = Draws::new(common.seed, "aesthetic score", number).below(100) as f64 / 10.;
            let aesthetic_score = config.requires_aesthetics_score.then_some(score);
            let encoder = Encoder { aesthetic_score, ..encoder };
            let examples = encoder.examples(&mut cache.borrow_mut(), &batches.at(number), &mut draws)?;
            common.computed(|| model.loss(&objective, &examples, &mut draws))
        })
    };
    let prompts = prompts(part)?;
    run(common, &mut trainer, step, |trainer, folder| {
        if let Some(path) = part.latents.as_ref().filter(|_| stored.get() < cache.borrow().len()) {
            cache.borrow().save(path, &encoder)?;
            stored.set(cache.borrow().len());
        }
        let mut pipeline = Pipeline::builder(folder);
        if let Some(lora) = &lora {
            let path = folder.join("lora.safetensors");
            export_lora(trainer, lora, &path)?;
            pipeline = pipeline.lora(path, 1.);
        }
        if prompts.is_empty() {
            return Ok(());
        }
        let grid = draw(&pipeline.build()?, &prompts)?;
        grid.save_png(common.output.join(format!("samples-{:08}.png", trainer.steps())))
    })
}

/// The tokenizers of a model.
pub(crate) fn captions(common: &Common, config: &ModelConfig, dropout: f64) -> Result<Captions> {
    let tokenizer = |name: &str, padding| {
        let folder = common.model.join(name);
        if folder.is_dir() { Tokenizer::from_folder(folder) } else { Tokenizer::builtin(padding) }
    };
    let first = config.text_encoder.as_ref().map(|_| tokenizer("tokenizer", Padding::EndOfText));
    Ok(Captions {
        first: first.transpose()?,
        second: tokenizer("tokenizer_2", Padding::Exclamation)?,
        dropout,
        zeros: config.force_zeros_for_empty_prompt,
    })
}

/// What the model's scheduler is for, with the changes that were asked for.
fn objective(part: &Arguments, model: &Path) -> Result<Objective> {
    let mut objective = Objective::of(&Scheduler::from_file(model.join("scheduler/scheduler_config.json"))?);
    if let Some(gamma) = part.min_snr {
        objective.weighting = Weighting::MinSnr(gamma);
    }
    objective.offset_noise = part.offset_noise;
    match &mut objective.levels {
        NoiseLevels::Discrete { timesteps, bias, .. } => {
            timesteps.end = part.timesteps.unwrap_or(timesteps.end);
            bias.clone_from(&part.timestep_bias);
        }
        NoiseLevels::LogNormal { .. } if part.timesteps.is_some() || part.timestep_bias.is_some() => {
            let expected = "none for a model with continuous noise levels";
            return Err(Error::Invalid {
                field: "timesteps",
                value: "a choice".into(),
                expected: expected.into(),
            });
        }
        NoiseLevels::LogNormal { .. } => {}
    }
    Ok(objective)
}

fn prompts(part: &Arguments) -> Result<Vec<String>> {
    let mut prompts = part.sample.clone();
    if let Some(path) = &part.samples {
        let text =
            std::fs::read_to_string(path).map_err(|source| Error::Io { path: path.clone(), source })?;
        prompts.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
    }
    Ok(prompts)
}

/// A grid of one picture for each caption.
fn draw(pipeline: &Pipeline, prompts: &[String]) -> Result<Image> {
    let images = prompts
        .iter()
        .map(|prompt| {
            let conditioning = Conditioning::builder(prompt).build()?;
            let request =
                Request::builder(conditioning).steps(25).guidance(Guidance::new(3.)?).seed(1).build()?;
            Ok(pipeline.generate(&request)?.remove(0))
        })
        .collect::<Result<Vec<_>>>()?;
    sheet(&images, (images.len() as f64).sqrt().ceil() as usize)
}
