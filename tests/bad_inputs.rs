//! Bad input is an error that names the field, the value and what is expected: without a model where that is
//! possible. Weights that are not finite are an error that names the stage and the step.
#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{repository, save};
use ndarray::{Array2, Array3};
use sdxl::pipeline::{RequestBuilder, write_random_model};
use sdxl::weights::read_safetensors;
use sdxl::{
    Conditioning, Crop, Error, FreeU, Guidance, Hires, Image, Latents, Margins, Mask, NoiseSource,
    PerturbedAttention, Pipeline, Precision, PromptSyntax, Request, Size,
};
use tch::{Kind, Tensor};

fn request() -> RequestBuilder {
    Request::builder(Conditioning::builder("x").build().unwrap()).steps(3)
}

fn prompt(prompt: &str, syntax: PromptSyntax) -> RequestBuilder {
    Request::builder(Conditioning::builder(prompt).prompt_syntax(syntax).build().unwrap())
}

fn image(width: usize, height: usize) -> Image {
    Image::from_pixels(Array3::from_elem((height, width, 3), 90).view()).unwrap()
}

fn mask(width: usize, height: usize, shade: u8) -> Mask {
    Mask::from_shades(Array2::from_elem((height, width), shade).view()).unwrap()
}

fn latents(rows: i64, height: i64, width: i64) -> Latents {
    Latents::new(Tensor::zeros([rows, 4, height, width], (Kind::Float, tch::Device::Cpu))).unwrap()
}

/// Field, value, and a word of what is expected.
#[track_caller]
fn check<T>(result: sdxl::Result<T>, field: &str, value: &str, expected: &str) {
    let error = result.err().unwrap_or_else(|| panic!("{field} {value} is accepted"));
    let Error::Invalid { field: found, .. } = &error else { panic!("{field} {value}: {error:?}") };
    assert_eq!(*found, field, "{error}");
    let text = error.to_string();
    assert!(text.starts_with(&format!("{field} is {value}")), "{text}");
    let range = text.split_once(", expected ").map_or("", |(_, range)| range);
    assert!(range.contains(expected), "{text}");
    assert!(text.lines().count() == 1 && text.len() < 250, "{text}");
}

#[test]
fn without_a_model() {
    let long = "x".repeat(10 << 20);
    let picture = || request().image(image(64, 64));
    let masked = || request().inpaint(image(64, 64), mask(64, 64, 255));
    let freeu = |s2, b1| request().freeu(FreeU { s2, b1, ..FreeU::default() });
    let resume = |at| request().resume(latents(1, 8, 8), at);
    let hires = || request().hires(Hires::new(2.).unwrap());
    let table: Vec<(RequestBuilder, &str, &str, &str)> = vec![
        (request().steps(0), "steps", "0", "1 to 1000"),
        (request().steps(1001), "steps", "1001", "1 to 1000"),
        (request().steps(usize::MAX), "steps", "18446744073709551615", "1 to 1000"),
        (request().size(Size::new(65, 64)), "width", "65", "multiple of 8"),
        (request().size(Size::new(64, 0)), "height", "0", "multiple of 8"),
        (request().size(Size::new(64, -64)), "height", "-64", "8 to 8192"),
        (request().size(Size::new(64, 1 << 40)), "height", "1099511627776", "8 to 8192"),
        (request().height(i64::MIN), "height", "-9223372036854775808", "8 to 8192"),
        (request().batch(0), "batch", "0", "1 to 1024"),
        (request().batch(1025), "batch", "1025", "1 to 1024"),
        (request().seeds(&[1, 2]).batch(3), "batch", "3", "2, the number of seeds"),
        (request().seeds(&[]), "seeds", "0", "1 to 1024"),
        (prompt(&long, PromptSyntax::Plain), "prompt", "a text of 10485760 bytes", "65536"),
        (prompt(&long, PromptSyntax::A1111), "prompt", "a text of 10485760 bytes", "65536"),
        (freeu(f64::NAN, 1.), "freeu.s2", "NaN", "above 0"),
        (freeu(1., 0.), "freeu.b1", "0", "above 0"),
        (freeu(1., f64::INFINITY), "freeu.b1", "inf", "at most 100"),
        (request().deep_cache(0), "deep_cache", "0", "1 to 100"),
        (request().deep_cache(101), "deep_cache", "101", "1 to 100"),
        (request().strength(0.5), "strength", "0.5", "none without a picture"),
        (resume(0.5).strength(0.5), "strength", "0.5", "none without a picture"),
        (picture().strength(0.), "strength", "0", "above 0 and at most 1"),
        (picture().strength(-0.1), "strength", "-0.1", "above 0 and at most 1"),
        (picture().strength(1.01), "strength", "1.01", "above 0 and at most 1"),
        (picture().strength(f64::NAN), "strength", "NaN", "above 0 and at most 1"),
        (request().end_at(0.), "end_at", "0", "above 0 and at most 1"),
        (request().end_at(f64::NAN), "end_at", "NaN", "above 0 and at most 1"),
        (resume(1.), "resume", "1", "0 to below 1"),
        (resume(-0.5), "resume", "-0.5", "0 to below 1"),
        (resume(f64::NAN), "resume", "NaN", "0 to below 1"),
        (resume(0.8).end_at(0.5), "resume", "0.8", "less than the end, 0.5"),
        (request().skip_draws(1 << 20), "skip_draws", "1048576", "0 to 10000"),
        (request().variation(1, 1.5), "variation_strength", "1.5", "0 to 1"),
        (request().variation(1, f64::NAN), "variation_strength", "NaN", "0 to 1"),
        (resume(0.5).variation(1, 0.5), "variation", "given", "none"),
        (request().initial_noise(latents(1, 8, 8)).variation(1, 0.5), "initial_noise", "given", "none"),
        (picture().initial_noise(latents(1, 8, 8)), "initial_noise", "given", "none"),
        (request().initial_noise(latents(2, 8, 8)).batch(3), "initial_noise", "2 pictures", "3"),
        (request().images(vec![]), "images", "0 pictures", "1"),
        (request().images(vec![image(8, 8), image(8, 8)]).batch(3), "images", "2 pictures", "3"),
        (request().inpaint(image(64, 64), mask(64, 32, 255)), "mask", "64x32", "64x64"),
        (
            request().inpaint(image(64, 64), mask(64, 64, 0)).padding_mask_crop(8),
            "mask",
            "all black",
            "light",
        ),
        (masked().padding_mask_crop(8).overlay(false), "overlay", "false", "true"),
        (picture().overlay(true), "overlay", "given", "none without inpainting"),
        (picture().padding_mask_crop(8), "padding_mask_crop", "given", "none without inpainting"),
        (request().outpaint(image(64, 64), Margins::default()), "outpaint", "0,0,0,0", "some pixels"),
        (
            request().outpaint(image(64, 64), Margins { top: 4, ..Margins::default() }),
            "outpaint",
            "a canvas of 64x68",
            "multiples of 8",
        ),
        (hires().image(image(64, 64)), "hires", "given", "none"),
        (hires().end_at(0.5), "hires", "given", "none"),
    ];
    for (request, field, value, expected) in table {
        check(request.build(), field, value, expected);
    }

    check(Guidance::new(f64::NAN), "guidance", "NaN", "0 to 1000");
    check(Guidance::new(-1.), "guidance", "-1", "0 to 1000");
    check(Guidance::new(f64::INFINITY), "guidance", "inf", "0 to 1000");
    check(Guidance::OFF.rescale(1.5), "guidance_rescale", "1.5", "0 to 1");
    check(Guidance::OFF.interval(3., 1.), "guidance_interval", "3 to 1", "0 to a larger sigma");
    check(PerturbedAttention::new(f64::NAN), "perturbed_attention.scale", "NaN", "0 to 1000");
    let perturbed = PerturbedAttention::default();
    check(perturbed.clone().adaptive_scale(-1.), "perturbed_attention.adaptive_scale", "-1", "0 to 1000");
    check(perturbed.clone().layers([""]), "perturbed_attention.layers", "[\"\"]", "none of them empty");
    check(Hires::new(1.), "hires_scale", "1", "above 1 and at most 8");
    check(Hires::new(f64::NAN), "hires_scale", "NaN", "above 1 and at most 8");
    check(Hires::new(2.).unwrap().strength(0.), "hires_strength", "0", "above 0 and at most 1");
    check(Hires::new(2.).unwrap().steps(0), "hires_steps", "0", "1 to 1000");
    let conditioning = || Conditioning::builder("x");
    check(conditioning().original_size(Size::new(0, 5)).build(), "original_size", "0x5", "1");
    check(conditioning().negative_crop(Crop::new(-1, 0)).build(), "negative_crop", "-1,0", "0");
    check(conditioning().aesthetic_score(f64::INFINITY).build(), "aesthetic_score", "inf", "0 to 10");
    check(mask(8, 8, 0).blurred(f64::NAN), "mask_blur", "NaN", "above 0");
    check(image(8, 8).resized(0, 8), "size", "0x8", "1 to 16384");
    check(
        Latents::new(Tensor::zeros([4, 8, 8], (Kind::Float, tch::Device::Cpu))),
        "latents",
        "shape",
        "B, 4",
    );
}

/// What only the model shows.
#[test]
fn with_a_model() {
    let base = common::tiny("base", "bad-inputs");
    let (refiner, inpaint) = (common::tiny("refiner", "bad-inputs"), common::tiny("inpaint", "bad-inputs"));
    let table: Vec<(&Pipeline, RequestBuilder, &str, &str, &str)> = vec![
        (&refiner, request(), "model", "refiner", "base model"),
        (&inpaint, request(), "model", "inpaint", "base model"),
        (&inpaint, request().image(image(64, 64)), "model", "inpaint", "base model"),
        (&base, request().image(image(4, 4)), "size", "0x0", "multiples of 8"),
        (
            &base,
            request().initial_noise(latents(1, 8, 8)).size(Size::new(128, 64)),
            "initial_noise",
            "4",
            "16x8",
        ),
        (
            &base,
            request().image_latents(latents(3, 8, 8)).strength(1.).batch(2),
            "latents",
            "3 pictures",
            "1 or 2",
        ),
        (&base, request().image(image(64, 64)).strength(0.1), "strength", "0.1", "at least 1/3"),
        (
            &base,
            request().hires(Hires::new(2.).unwrap().strength(0.2).unwrap()),
            "strength",
            "0.2",
            "at least 1/3",
        ),
        (
            &base,
            request().size(Size::new(8192, 64)).hires(Hires::new(2.).unwrap()),
            "size",
            "16384x128",
            "8192",
        ),
        (
            &base,
            request().perturbed_attention(PerturbedAttention::default().layers(["middle"]).unwrap()),
            "perturbed_attention.layers",
            "middle",
            "name of a self-attention",
        ),
        (
            &base,
            Request::builder(Conditioning::builder("x").clip_skip(99).build().unwrap()),
            "clip_skip",
            "99",
            "",
        ),
    ];
    for (pipeline, request, field, value, expected) in table {
        check(pipeline.sample(&request.build().unwrap()), field, value, expected);
    }

    let mut noise = NoiseSource::new(&[0, 1]).unwrap();
    check(base.encode_images(&[], &mut noise), "images", "0 pictures", "1 or 2");
    check(base.encode_images(&[image(60, 64)], &mut noise), "images", "60x64", "multiples of 8");
    check(base.encode_images(&[image(64, 64), image(64, 72)], &mut noise), "images", "64x72", "one size");
}

/// The tiny model with a number in the place of one tensor's, in one component.
fn damaged(component: &str, tensor: &str, number: f64) -> Pipeline {
    let folder = common::headers::scratch(&format!("damaged-{component}-{tensor}"));
    write_random_model(repository("tests/models/base"), &folder, 0, Precision::F32).unwrap();
    let folder_of = folder.join(component);
    let file = std::fs::read_dir(&folder_of).unwrap().map(|entry| entry.unwrap().path());
    let file = file.into_iter().find(|path| path.extension() == Some("safetensors".as_ref())).unwrap();
    fill(&file, tensor, number);
    Pipeline::builder(&folder).build().unwrap()
}

fn fill(file: &Path, tensor: &str, number: f64) {
    let mut tensors: BTreeMap<String, Tensor> = read_safetensors(file).unwrap();
    let found = tensors.get_mut(tensor).unwrap_or_else(|| panic!("no {tensor}"));
    *found = Tensor::full(found.size(), number, (Kind::Float, tch::Device::Cpu));
    save(file, &tensors.into_iter().collect::<Vec<_>>());
}

#[test]
fn numbers_that_are_none_are_found_where_they_arise() {
    let picture = || request().image(image(64, 64)).strength(1.);
    let table = [
        ("text_encoder", "final_layer_norm.bias", "", None),
        ("text_encoder", "encoder.layers.0.mlp.fc1.bias", "text encoder", None),
        ("text_encoder_2", "encoder.layers.0.mlp.fc1.bias", "text encoder", None),
        ("unet", "conv_in.bias", "unet", Some(0)),
        ("vae", "encoder.conv_in.bias", "vae encoder", None),
        ("vae", "decoder.conv_in.bias", "vae decoder", None),
    ];
    for (component, tensor, expected, expected_step) in table {
        let pipeline = damaged(component, tensor, f64::NAN);
        let result = pipeline.generate(&picture().build().unwrap());
        if expected.is_empty() {
            // SDXL does not use the last norm of its first encoder.
            assert!(result.is_ok(), "{component}: {result:?}");
            continue;
        }
        let Err(Error::NonFinite { stage, step }) = result else { panic!("{component}: {result:?}") };
        assert_eq!((stage, step), (expected, expected_step), "{component}");
    }
    // Strips look as closely.
    let folder = damaged("vae", "decoder.conv_out.bias", f64::INFINITY).path().to_owned();
    let pipeline = Pipeline::builder(folder).vae_tiling(true).build().unwrap();
    let error = pipeline.generate(&request().build().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "the vae decoder produced values that are not finite");
}

/// The step counts from the first run on.
#[test]
fn the_step_of_numbers_that_are_none() {
    let pipeline = common::tiny("base", "bad-inputs");
    // Noise that overflows on the way.
    let noise = Tensor::full([1, 4, 8, 8], 1e37, (Kind::Float, tch::Device::Cpu));
    let request = request().initial_noise(Latents::new(noise).unwrap()).build().unwrap();
    let mut sampling = pipeline.sample(&request).unwrap();
    let Some(Err(error)) = sampling.next() else { panic!("no error in the first step") };
    assert_eq!(error.to_string(), "the unet produced values that are not finite at step 0");
    assert!(sampling.next().is_none());
}
