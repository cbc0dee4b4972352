//! What a pipeline is without its LoRAs, and while others draw with theirs.

use sdxl::{Lora, Pipeline, Precision};

use super::common::relative_error;
use super::{description, latents, model, write};

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
