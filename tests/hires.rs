//! The second, larger run; and variations of a seed.
#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod common;

use common::{assert_close, relative_error};
use sdxl::pipeline::RequestBuilder;
use sdxl::{Conditioning, Hires, Latents, NoiseSource, Pipeline, Request, Size, Upscaler};
use tch::{Kind, Tensor};

fn pipeline() -> Pipeline {
    common::tiny("base", "hires")
}

fn request() -> RequestBuilder {
    let conditioning = Conditioning::builder("a cat").negative_prompt("blurry").build().unwrap();
    Request::builder(conditioning).steps(4).seed(5)
}

fn latents(pipeline: &Pipeline, request: RequestBuilder) -> Latents {
    let mut sampling = pipeline.sample(&request.build().unwrap()).unwrap();
    let mut last = None;
    for progress in &mut sampling {
        let progress = progress.unwrap();
        assert_eq!(progress.step, last.map_or(1, |(step, _)| step + 1));
        last = Some((progress.step, progress.of));
    }
    let (step, of) = last.unwrap();
    assert_eq!(step, of);
    assert!(sampling.next().is_none());
    sampling.latents().unwrap()
}

/// The second run is image to image of the first one's latents, made larger.
#[test]
fn latent_upscaling_is_two_requests() {
    let pipeline = pipeline();
    let hires = Hires::new(1.5).unwrap().strength(0.5).unwrap().steps(6).unwrap();
    let found = latents(&pipeline, request().size(Size::new(96, 64)).batch(2).hires(hires));
    let first = latents(&pipeline, request().size(Size::new(96, 64)).batch(2));
    let larger = first.tensor().unwrap().upsample_bilinear2d([12, 18], false, None, None);
    let second = request().batch(2).steps(6).image_latents(Latents::new(larger).unwrap()).strength(0.5);
    let expected = latents(&pipeline, second);
    assert_close("hires", found.tensor().unwrap(), expected.tensor().unwrap(), 0.);
}

#[test]
fn pixel_upscaling_is_two_requests() {
    let pipeline = pipeline();
    let hires = Hires::new(2.).unwrap().upscaler(Upscaler::Pixel);
    let found = latents(&pipeline, request().hires(hires));
    let first = pipeline.generate(&request().build().unwrap()).unwrap();
    let larger = first[0].resized(128, 128).unwrap();
    let expected = latents(&pipeline, request().image(larger).strength(0.7));
    assert_close("hires", found.tensor().unwrap(), expected.tensor().unwrap(), 0.);
}

#[test]
fn progress_counts_both_runs() {
    let pipeline = pipeline();
    let hires = Hires::new(2.).unwrap().strength(0.5).unwrap();
    let mut sampling = pipeline.sample(&request().hires(hires).build().unwrap()).unwrap();
    assert_eq!(sampling.size(), Size::new(128, 128));
    // Four steps, and two that cost four times as much: 1/12 of the work is done.
    let first = sampling.next().unwrap().unwrap();
    assert_eq!((first.step, first.of), (1, 6));
    assert_eq!(first.remaining, first.elapsed.mul_f64(11.));
    assert_eq!(sampling.denoised().unwrap().unwrap().tensor().unwrap().size(), [1, 4, 8, 8]);
    let last = sampling.by_ref().last().unwrap().unwrap();
    assert_eq!((last.step, last.of, last.remaining.as_nanos()), (6, 6, 0));
    let image = &sampling.images().unwrap()[0];
    assert_eq!((image.width(), image.height()), (128, 128));
    let recipe: serde_json::Value = serde_json::from_str(image.text("sdxl").unwrap()).unwrap();
    assert_eq!(recipe["hires"]["scale"], 2.);
    let parameters = image.text("parameters").unwrap();
    assert!(parameters.contains("Size: 64x64"), "{parameters}");
    assert!(parameters.contains(", Hires upscale: 2.0, Hires upscaler: latent, "), "{parameters}");
}

#[test]
fn odd_sizes_are_rounded_down() {
    let pipeline = pipeline();
    let size = |scale: f64| {
        let request = request().size(Size::new(72, 104)).hires(Hires::new(scale).unwrap()).build();
        pipeline.sample(&request.unwrap()).map(|sampling| sampling.size().to_string())
    };
    // 9 x 13 latents, times 1.25: 11.25 x 16.25.
    assert_eq!(size(1.25).unwrap(), "88x128");
    // Not a pixel lost to binary fractions.
    assert_eq!(size(1.4).unwrap(), "96x144");
    let request = request().size(Size::new(2048, 2048)).hires(Hires::new(8.).unwrap()).build().unwrap();
    let error = pipeline.sample(&request).err().unwrap().to_string();
    assert!(error.contains("16384x16384") && error.contains("8192"), "{error}");
}

/// A1111's formula, written out for one column.
#[test]
fn variations_go_along_a_sphere() {
    let pipeline = pipeline();
    let noise = |seed| NoiseSource::new(&[seed]).unwrap().normal(&[4, 8, 8]).unwrap();
    let (low, high) = (noise(5), noise(40));
    let fraction = 0.3;
    let unit = |x: &Tensor| x / x.norm_scalaropt_dim(2., [2].as_slice(), true);
    let omega = (unit(&low) * unit(&high)).sum_dim_intlist([2].as_slice(), true, Kind::Float).acos();
    let mixed = ((&omega * (1. - fraction)).sin() / omega.sin()) * &low
        + ((&omega * fraction).sin() / omega.sin()) * &high;
    let expected = latents(&pipeline, request().initial_noise(Latents::new(mixed).unwrap()));
    let found = latents(&pipeline, request().variation(40, fraction));
    assert_close("variation", found.tensor().unwrap(), expected.tensor().unwrap(), 1e-5);

    // The ends are the seeds' own pictures, and a seed is its own variation.
    let own = latents(&pipeline, request());
    let other = latents(&pipeline, request().seed(40));
    let at = |seed, strength| latents(&pipeline, request().variation(seed, strength));
    assert_close("at 0", at(40, 0.).tensor().unwrap(), own.tensor().unwrap(), 0.);
    assert_close("at 1", at(40, 1.).tensor().unwrap(), other.tensor().unwrap(), 1e-5);
    assert_close("of itself", at(5, 0.5).tensor().unwrap(), own.tensor().unwrap(), 1e-5);
}

/// In a batch the seed stays and the other one counts up.
#[test]
fn a_batch_of_variations() {
    let pipeline = pipeline();
    let request = request().batch(3).variation(40, 0.2);
    assert_eq!(request.clone().build().unwrap().seeds(), [5, 5, 5]);
    let batch = latents(&pipeline, request);
    for index in 0..3 {
        let alone = latents(&pipeline, self::request().variation(40 + index as u64, 0.2));
        assert!(
            relative_error(&batch.tensor().unwrap().narrow(0, index, 1), alone.tensor().unwrap()) < 1e-5,
            "{index}"
        );
    }
    let images = pipeline.generate(&self::request().batch(2).variation(40, 0.2).build().unwrap()).unwrap();
    let recipe: serde_json::Value = serde_json::from_str(images[1].text("sdxl").unwrap()).unwrap();
    assert_eq!((&recipe["seed"], &recipe["variation"]["seed"]), (&5.into(), &41.into()));
    let parameters = images[1].text("parameters").unwrap();
    assert!(parameters.contains(", Variation seed: 41, Variation seed strength: 0.2, RNG"), "{parameters}");
}
