//! Latents that are kept in a file for the next training.

use std::path::Path;

use ndarray::Array3;
use sdxl::text::{Padding, Tokenizer};
use sdxl::training::{Batch, Captions, Dataset, Draws, Encoder, LatentCache, Sample};
use sdxl::vae::AutoencoderKl;
use sdxl::weights::{RandomWeights, Weights};
use sdxl::{Device, Image, Precision, Result, Size};
use tch::Tensor;

use super::{base, runs::folder};

/// Pictures of one colour and two shapes, that count how often they are read.
struct Colours {
    words: &'static str,
    read: std::cell::Cell<usize>,
}

impl Dataset for Colours {
    fn len(&self) -> usize {
        5
    }

    fn size(&self, index: usize) -> Result<Size> {
        Ok(if index < 3 { Size::new(40, 56) } else { Size::new(72, 40) })
    }

    fn sample(&self, index: usize) -> Result<Sample> {
        self.read.set(self.read.get() + 1);
        let Size { width, height } = self.size(index)?;
        let pixels = Array3::from_elem((height as usize, width as usize, 3), 40 * index as u8);
        Ok(Sample { image: Image::from_pixels(pixels.view())?, caption: self.caption(index)? })
    }

    fn caption(&self, index: usize) -> Result<String> {
        Ok(format!("{} {index}", self.words))
    }
}

fn vae(seed: u64) -> AutoencoderKl {
    let source = RandomWeights::new(seed, "vae");
    AutoencoderKl::load(&Weights::new(&source, Device::Cpu, Precision::F32), &base().vae).unwrap()
}

fn captions() -> Captions {
    let second = Tokenizer::builtin(Padding::Exclamation).unwrap();
    Captions { first: None, second, dropout: 0., zeros: false }
}

fn batches() -> [Batch; 2] {
    let batch = |side, samples: &[usize]| Batch { bucket: side, samples: samples.to_vec() };
    [batch(Size::new(32, 48), &[2, 0]), batch(Size::new(64, 32), &[3, 4])]
}

#[test]
fn are_the_same_from_a_file() {
    sdxl::set_threads(1).unwrap();
    let path = folder("latents").join("latents.safetensors");
    let captions = captions();
    let vae = vae(0);
    let with = |dataset, seed, aesthetic_score| Encoder {
        dataset,
        vae: &vae,
        captions: &captions,
        aesthetic_score,
        seed,
    };
    let data = Colours { words: "colour", read: 0.into() };
    let encoder = with(&data, 1, None);
    let examples = |encoder: &Encoder, cache: &mut LatentCache| {
        batches().map(|batch| {
            let examples = encoder.examples(cache, &batch, &mut Draws::new(1, "step", 0)).unwrap();
            (examples.latents, examples.text.second, examples.time_ids)
        })
    };

    // Without a file there is nothing yet.
    let mut cache = LatentCache::open(&path, &encoder).unwrap();
    assert!(cache.is_empty());
    let fresh = examples(&encoder, &mut cache);
    assert_eq!((cache.len(), data.read.get()), (4, 4));
    cache.save(&path, &encoder).unwrap();

    let mut cache = LatentCache::open(&path, &encoder).unwrap();
    assert_eq!(cache.len(), 4);
    let stored = examples(&encoder, &mut cache);
    assert_eq!(data.read.get(), 4, "pictures are not read again");
    for (fresh, stored) in fresh.iter().zip(&stored) {
        assert_eq!(fresh, stored);
    }
    // A sample that is new is encoded, as is one that moves to another bucket.
    let batch = Batch { bucket: Size::new(64, 32), samples: vec![1, 0] };
    encoder.examples(&mut cache, &batch, &mut Draws::new(1, "step", 1)).unwrap();
    assert_eq!((cache.len(), data.read.get()), (5, 6));

    // A refiner takes the score in the place of the target size, from the same file.
    let refiner = with(&data, 1, Some(6.));
    let ids = &examples(&refiner, &mut LatentCache::open(&path, &refiner).unwrap())[0].2;
    assert_eq!(ids.size(), [2, 5]);
    assert_eq!(Vec::<f32>::try_from(ids.get(0)).unwrap()[..2], [56., 40.]);
    assert_eq!(ids.double_value(&[0, 4]), 6.);
}

#[test]
fn of_something_else_are_refused() {
    sdxl::set_threads(1).unwrap();
    let path = folder("other-latents").join("latents.safetensors");
    let captions = captions();
    let (vae, other_vae) = (vae(0), vae(1));
    let data = Colours { words: "colour", read: 0.into() };
    let other_data = Colours { words: "color", read: 0.into() };
    let encoder = Encoder { dataset: &data, vae: &vae, captions: &captions, aesthetic_score: None, seed: 1 };
    let mut cache = LatentCache::new();
    encoder.fill(&mut cache, &batches()[0]).unwrap();
    cache.save(&path, &encoder).unwrap();

    let refusal = |path: &Path, encoder: Encoder| LatentCache::open(path, &encoder).unwrap_err().to_string();
    for (encoder, what) in [
        (Encoder { dataset: &other_data, ..encoder }, "has latents of another data set"),
        (Encoder { seed: 2, ..encoder }, "has latents of another seed"),
        (Encoder { vae: &other_vae, ..encoder }, "has latents of another autoencoder"),
    ] {
        let message = refusal(&path, encoder);
        assert!(message.ends_with(what), "{message}");
    }

    // Files of another kind, and one whose parts do not belong together.
    let mut tensors = sdxl::weights::read_safetensors(&path).unwrap();
    let save = |tensors: &std::collections::BTreeMap<String, Tensor>| {
        let tensors: Vec<(&str, &Tensor)> =
            tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        sdxl::weights::save_safetensors(&path, &tensors).unwrap();
    };
    let micro = tensors.insert("micro.32x48".into(), Tensor::from_slice(&[1i64, 2, 3, 4]).reshape([1, 4]));
    save(&tensors);
    let message = refusal(&path, Encoder { ..encoder });
    assert!(message.ends_with("`micro.32x48` is not as in a file of latents"), "{message}");
    tensors.insert("micro.32x48".into(), micro.unwrap());
    tensors.insert("samples.32x48".into(), Tensor::from_slice(&[0i64, 5]));
    save(&tensors);
    let message = refusal(&path, Encoder { ..encoder });
    assert!(message.ends_with("samples.32x48: 5 is not one of 5 samples"), "{message}");
    tensors.remove("buckets");
    save(&tensors);
    let message = refusal(&path, Encoder { ..encoder });
    assert!(message.ends_with("has no tensor `buckets`"), "{message}");
}
