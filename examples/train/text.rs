//! `train text`.

use sdxl::config::ModelConfig;
use sdxl::training::{
    Batches, ContrastiveModel, Draws, Encoder, FolderDataset, Frozen, LatentCache, Trainer, Variables,
};
use sdxl::vae::AutoencoderKl;
use sdxl::weights::{Component, Weights};
use sdxl::{Precision, Result};

use crate::arguments::{Common, Text};
use crate::diffusion::captions;
use crate::parts::Parts;
use crate::run;

pub(crate) fn train(common: &Common, part: &Text) -> Result<()> {
    if let Some(threads) = common.threads {
        sdxl::set_threads(threads)?;
    }
    let config = ModelConfig::from_folder(&common.model)?;
    let load = |weights: &Weights| ContrastiveModel::load(weights, &config);
    let load_vae = |weights: &Weights| AutoencoderKl::load(&weights.at("vae"), &config.vae);
    let trained = [Component::TextEncoder, Component::TextEncoder2];
    let parts = Parts::open(common, &trained, |weights| Ok((load(weights)?, load_vae(weights)?)))?;
    let variables = Variables::new(common.device, &parts, load)?;
    println!("text: {} parameters, {}", variables.count(), parts.origin(Component::TextEncoder2));
    let model = load(&Frozen::new(&variables, &parts).weights())?;
    let vae = load_vae(&Weights::new(&parts, common.device, Precision::F32))?;

    let data = FolderDataset::open(&common.data)?;
    let mut batches = Batches::new(&data, &part.buckets, common.batch, common.seed)?;
    let captions = captions(common, &config, 0.)?;
    let encoder =
        Encoder { dataset: &data, vae: &vae, captions: &captions, aesthetic_score: None, seed: common.seed };
    let mut cache = LatentCache::new();
    let mut trainer = Trainer::new(variables, common.options())?;
    let step = |trainer: &mut Trainer| {
        trainer.step(|number| {
            let mut draws = Draws::new(common.seed, "step", number);
            let examples = encoder.examples(&mut cache, &batches.at(number), &mut draws)?;
            common.computed(|| model.loss(&examples))
        })
    };
    run(common, &mut trainer, step, |_, _| Ok(()))
}
