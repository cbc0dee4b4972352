//! `train vae`.

use sdxl::config::AutoencoderKlConfig;
use sdxl::training::{
    AutoencoderModel, AutoencoderObjective, Batches, Dataset, Draws, FolderDataset, Frozen, Trainer,
    Variables, crop,
};
use sdxl::weights::{Component, Weights};
use sdxl::{Image, Result, Size};
use tch::Tensor;

use crate::arguments::{Common, Vae};
use crate::parts::Parts;
use crate::run;

pub(crate) fn train(common: &Common, part: &Vae) -> Result<()> {
    if let Some(threads) = common.threads {
        sdxl::set_threads(threads)?;
    }
    let config = AutoencoderKlConfig::from_file(common.model.join("vae/config.json"))?;
    let objective = AutoencoderObjective { edges: part.edges, kl: part.kl };
    objective.check()?;
    let side = if part.patch > 0 { part.patch } else { config.sample_size };
    let bucket = Size::new(side, side);
    let data = FolderDataset::open(&common.data)?;
    let mut batches = Batches::new(&data, &[bucket], common.batch, common.seed)?;

    let load = |weights: &Weights| AutoencoderModel::load(weights, &config);
    let parts = Parts::open(common, &[Component::Vae], load)?;
    let decoder = |name: &str| name.starts_with("vae.decoder.") || name.starts_with("vae.post_quant_conv.");
    let variables = Variables::some(common.device, &parts, load, |name| !part.decoder || decoder(name))?;
    println!("vae: {} parameters, {}", variables.count(), parts.origin(Component::Vae));
    let model = load(&Frozen::new(&variables, &parts).weights())?;
    let device = variables.get("vae.post_quant_conv.bias").map_or(tch::Device::Cpu, Tensor::device);

    let mut trainer = Trainer::new(variables, common.options())?;
    let step = |trainer: &mut Trainer| {
        trainer.step(|number| {
            let mut draws = Draws::new(common.seed, "step", number);
            let pictures = batches
                .at(number)
                .samples
                .into_iter()
                .map(|index| {
                    let image = data.sample(index)?.image;
                    if part.patch > 0 {
                        patch(&image, side, &mut draws)
                    } else {
                        Ok(crop(&image, bucket, &mut draws)?.picture)
                    }
                })
                .collect::<Result<Vec<_>>>()?;
            let pictures = Tensor::f_cat(&pictures, 0)?.f_to_device(device)?;
            let [channels, height, width] = model.latent_shape(side, side);
            let noise = draws.normal(&[pictures.size4()?.0, channels, height, width])?.f_to_device(device)?;
            common.computed(|| model.loss(&objective, &pictures, &noise))
        })
    };
    run(common, &mut trainer, step, |_, _| Ok(()))
}

/// A square piece of a picture, at its own scale where it is large enough, and turned over half the time.
fn patch(image: &Image, side: i64, draws: &mut Draws) -> Result<Tensor> {
    if (image.width().min(image.height()) as i64) < side {
        return Ok(crop(image, Size::new(side, side), draws)?.picture);
    }
    let picture = image.to_tensor()?;
    let left = draws.below(image.width() - side as usize + 1) as i64;
    let top = draws.below(image.height() - side as usize + 1) as i64;
    let piece = picture.f_narrow(2, top, side)?.f_narrow(3, left, side)?;
    Ok(if draws.uniform() < 0.5 { piece.f_flip([3])? } else { piece })
}
