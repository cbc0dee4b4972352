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
use sdxl::{Image, Latents, Mask, Pipeline, Precision};
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
fn origin(case: &Case, golden: &Golden, request: RequestBuilder) -> RequestBuilder {
    let input = case.0["image"].as_str().unwrap();
    let start = number(case, "denoising_start");
    let request = match (input.starts_with("latents"), start) {
        (true, None) => request.image_latents(Latents::new(golden.get(&format!("{input}.values"))).unwrap()),
        (true, Some(start)) => {
            return request.resume(Latents::new(golden.get(&format!("{input}.values"))).unwrap(), start);
        }
        (false, _) => request.image(image(&golden.get(&format!("{input}.pixels")))),
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
        match case.name() {
            // Heun's method: diffusers stops within a step (tests/golden/README.md).
            "refiner_denoising_start_heun" => continue,
            // A picture whose size is no multiple of 8: Pillow's resizing, in whole numbers, is another.
            "resized" => continue,
            // A picture without noise at a noisy level, which makes no sense and has no request.
            "denoising_start_picture" => continue,
            // diffusers repeats a timestep that this schedule has begun before.
            "pndm" => continue,
            _ => {}
        }
        let mut request = origin(case, &golden, case.request());
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
    let mut compared = 0;
    for case in &cases("inpaint.json") {
        let input = case.0["input"].as_str().unwrap();
        let get = |what: &str| golden.get(&format!("{input}.{what}"));
        // One picture with several seeds, which diffusers encodes with the first generator alone; several pictures;
        // resizing (Pillow's, in whole numbers, is another); Heun's method, which is masked within a step too.
        if case.seeds().len() > 1
            || input == "resized"
            || input.starts_with("cropped")
            || case.name().ends_with("heun")
        {
            continue;
        }
        let request = case
            .request()
            .inpaint(image(&get("pixels").get(0)), mask(&get("mask_pixels").get(0)))
            .strength(number(case, "strength").unwrap());
        case.compare_request(request, (models.of(case), &golden), 5e-5);
        compared += 1;
    }
    assert!(compared >= 20, "{compared} cases");
}

/// The base up to a fraction of the schedule, the refiner from there (SDXL paper, section 2.5).
#[test]
fn the_ensemble_equals_diffusers() {
    let golden = Golden::open("ensemble.safetensors");
    let models = Models::new("ensemble", &["base", "refiner"]);
    let mut compared = 0;
    for case in &cases("ensemble.json") {
        let name = case.name();
        // Heun's method is cut within a step; euler_a goes on with the first stage's generator.
        if name.starts_with("heun") || name.starts_with("euler_a") {
            continue;
        }
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
                let error = relative_error(sampling.latents().unwrap().tensor(), &steps.get(taken));
                assert!(error <= 1e-5, "{name}, {what} {taken}: {error:.2e}");
                taken += 1;
            }
            assert_eq!(taken, steps.size()[0], "{name}, {what}");
            sampling.latents().unwrap()
        };
        let latents = run(&models.0["base"], request.clone().end_at(fraction), "base_steps");
        let latents = run(&models.0["refiner"], case.request().resume(latents, fraction), "refiner_steps");
        let error = relative_error(latents.tensor(), &golden.get(&format!("{name}.latents")));
        eprintln!("{name}: {error:.1e}");
        assert!(error <= 1e-5, "{name}: {error:.2e}");
        compared += 1;
    }
    assert!(compared >= 5, "{compared} cases");
}
