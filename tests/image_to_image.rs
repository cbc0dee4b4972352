//! Image to image, inpainting and the ensemble of base and refiner against diffusers' pipelines, on tiny models
//! (`tests/golden/{image_to_image,inpaint,ensemble}.py`): latents after every step, and at the end.
//!
//! Tolerance: 1e-5 relative, where diffusers' own rounding is 3e-6, for pictures under a mask 5e-5, where it is 2e-5
//! for the encoder.

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod common;

use std::collections::BTreeMap;

use common::case::{Case, cases};
use common::{Golden, relative_error, repository};
use ndarray::{ArrayView2, ArrayView3};
use sdxl::pipeline::{RequestBuilder, write_random_model};
use sdxl::{Image, Latents, Mask, NoiseSource, Pipeline, Precision};
use tch::Tensor;

/// The tiny models, each written and read once.
struct Models(BTreeMap<&'static str, Pipeline>);

impl Models {
    fn new(test: &str, variants: &[&'static str]) -> Self {
        let load = |variant: &&'static str| {
            let folder = common::headers::scratch(&format!("{test}-{variant}"));
            write_random_model(repository("tests/models").join(variant), &folder, 0, Precision::F32).unwrap();
            (*variant, Pipeline::builder(&folder).build().unwrap())
        };
        Self(variants.iter().map(load).collect())
    }

    fn of(&self, case: &Case) -> &Pipeline {
        &self.0[case.0["variant"].as_str().unwrap()]
    }
}

fn bytes(tensor: &Tensor) -> (Vec<u8>, Vec<usize>) {
    let shape = tensor.size().iter().map(|&side| side as usize).collect();
    (Vec::<u8>::try_from(tensor.flatten(0, -1)).unwrap(), shape)
}

/// A picture of shape `(height, width, 3)`.
fn image(tensor: &Tensor) -> Image {
    let (values, shape) = bytes(tensor);
    Image::from_pixels(ArrayView3::from_shape((shape[0], shape[1], 3), &values).unwrap()).unwrap()
}

/// A mask of shape `(height, width)`.
fn mask(tensor: &Tensor) -> Mask {
    let (values, shape) = bytes(tensor);
    Mask::from_shades(ArrayView2::from_shape((shape[0], shape[1]), &values).unwrap()).unwrap()
}

fn number(case: &Case, name: &str) -> Option<f64> {
    case.0["call"][name].as_f64()
}

/// What the run begins with.
fn origin(case: &Case, (pipeline, golden): (&Pipeline, &Golden), request: RequestBuilder) -> RequestBuilder {
    let input = case.0["image"].as_str().unwrap();
    let start = number(case, "denoising_start");
    let request = match (input.starts_with("latents"), start) {
        (true, None) => request.image_latents(Latents::new(golden.get(&format!("{input}.values"))).unwrap()),
        (true, Some(start)) => {
            return request.resume(Latents::new(golden.get(&format!("{input}.values"))).unwrap(), start);
        }
        // A picture without noise, taken for one with it: here that is said in two steps.
        (false, Some(start)) => {
            let picture = image(&golden.get(&format!("{input}.pixels")));
            let mut noise = NoiseSource::new(&case.seeds()).unwrap();
            return request.resume(pipeline.encode_images(&[picture], &mut noise).unwrap(), start);
        }
        (false, None) => request.image(image(&golden.get(&format!("{input}.pixels")))),
    };
    request.strength(number(case, "strength").unwrap())
}

#[test]
fn image_to_image_equals_diffusers() {
    let golden = Golden::open("image_to_image.safetensors");
    let models = Models::new("image-to-image", &["base", "refiner", "lcm"]);
    let cases = cases("image_to_image.json");
    assert_eq!(cases.len(), 39);
    for case in &cases {
        let mut request = origin(case, (models.of(case), &golden), case.request());
        if let Some(end) = number(case, "denoising_end") {
            request = request.end_at(end);
        }
        let latents = case.compare_request(request, (models.of(case), &golden), 1e-5);
        let picture = format!("{}.picture", case.name());
        if golden.has(&picture) {
            let found = (models.of(case).decode_tensor(&latents).unwrap() / 2. + 0.5).clamp(0., 1.);
            let difference = (found - golden.get(&picture)).abs().max().double_value(&[]);
            assert!(difference <= 1e-4, "{picture}: {difference:.1e}");
        }
    }
}

#[test]
fn inpainting_equals_diffusers() {
    let golden = Golden::open("inpaint.safetensors");
    let models = Models::new("inpaint", &["base", "inpaint", "refiner"]);
    let cases = cases("inpaint.json");
    assert_eq!(cases.len(), 36);
    for case in &cases {
        let input = case.0["input"].as_str().unwrap();
        let get = |what: &str| golden.get(&format!("{input}.{what}"));
        let (pixels, masks) = (get("pixels"), get("mask_pixels"));
        let pictures: Vec<_> =
            (0..pixels.size()[0]).map(|row| (image(&pixels.get(row)), mask(&masks.get(row)))).collect();
        // One picture with several seeds: diffusers samples its latents once, with the first seed's numbers. Here a
        // picture depends on its own seed alone, so the first one is compared.
        let is_one_for_all = pictures.len() < case.seeds().len();
        let mut request = case.request().inpaint_each(pictures).strength(number(case, "strength").unwrap());
        if is_one_for_all {
            request = request.seeds(&case.seeds()[..1]);
        }
        if let Some(padding) = number(case, "padding_mask_crop") {
            request = request.padding_mask_crop(padding as u32);
        }
        if case.name() == "base_blurred" {
            request = request.overlay(true);
        }
        let (pipeline, name) = (models.of(case), case.name());
        let sampling = case.finish(request, (pipeline, &golden), 5e-5);
        let picture = format!("{name}.picture");
        if golden.has(&picture) {
            let found =
                (pipeline.decode_tensor(&sampling.latents().unwrap()).unwrap() / 2. + 0.5).clamp(0., 1.);
            let difference = (found - golden.get(&picture)).abs().max().double_value(&[]);
            assert!(difference <= 1e-4, "{picture}: {difference:.1e}");
        }
        let overlay = format!("{name}.overlay");
        if golden.has(&overlay) {
            let (images, expected) = (sampling.images().unwrap(), image(&golden.get(&overlay)));
            // Pillow rounds three times where the mask is grey.
            let differences =
                images[0].pixels().iter().zip(expected.pixels()).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(differences <= Some(1), "{overlay}: {differences:?}");
        }
    }
}

/// Pillow's resizing and its Gaussian, byte for byte.
#[test]
fn pixels_are_those_of_pillow() {
    let golden = Golden::open("image_to_image.safetensors");
    let resized = image(&golden.get("picture_70x100.pixels")).resized(96, 64).unwrap().to_tensor().unwrap();
    let expected = golden.get("picture_70x100.values") * 2 - 1;
    assert!((resized - expected).abs().max().double_value(&[]) < 1e-6);

    let golden = Golden::open("inpaint.safetensors");
    let blurred = mask(&golden.get("blurred.sharp_mask_pixels").get(0)).blurred(4.).unwrap();
    assert_eq!(blurred, mask(&golden.get("blurred.mask_pixels").get(0)));
}

/// The base up to a fraction of the schedule, the refiner from there (SDXL paper, section 2.5).
#[test]
fn the_ensemble_equals_diffusers() {
    let golden = Golden::open("ensemble.safetensors");
    let models = Models::new("ensemble", &["base", "refiner"]);
    let mut compared = 0;
    for case in &cases("ensemble.json") {
        let name = case.name();
        let fraction = case.0["fraction"].as_f64().unwrap();
        let size = &case.0["size"];
        let request =
            case.request().size(sdxl::Size::new(size[1].as_i64().unwrap(), size[0].as_i64().unwrap()));
        let run = |pipeline: &Pipeline, request: RequestBuilder, what: &str| {
            let mut sampling = pipeline.sample(&request.build().unwrap()).unwrap();
            let steps = golden.get(&format!("{name}.{what}"));
            let mut taken = 0;
            while let Some(progress) = sampling.next() {
                progress.unwrap();
                let error = relative_error(sampling.latents().unwrap().tensor().unwrap(), &steps.get(taken));
                assert!(error <= 1e-5, "{name}, {what} {taken}: {error:.2e}");
                taken += 1;
            }
            assert_eq!(taken, steps.size()[0], "{name}, {what}");
            (sampling.latents().unwrap(), sampling.draws())
        };
        let (latents, draws) = run(&models.0["base"], request.clone().end_at(fraction), "base_steps");
        // The refiner goes on drawing where the base has stopped.
        let second = case.request().resume(latents, fraction).skip_draws(draws);
        let (latents, draws) = run(&models.0["refiner"], second, "refiner_steps");
        assert_eq!(draws as u64, case.0["draws"][0].as_u64().unwrap(), "{name}");
        let error = relative_error(latents.tensor().unwrap(), &golden.get(&format!("{name}.latents")));
        eprintln!("{name}: {error:.1e}");
        assert!(error <= 1e-5, "{name}: {error:.2e}");
        compared += 1;
    }
    assert!(compared >= 5, "{compared} cases");
}
