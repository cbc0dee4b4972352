//! What makes a run shorter and changes the picture: deep levels that are not evaluated every time, guidance in a part of
//! the noise levels.

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod common;

use common::{final_latents, random, repository};
use sdxl::config::ModelConfig;
use sdxl::pipeline::RequestBuilder;
use sdxl::unet::{DeepCache, FreeU, Unet, UnetConditioning, UnetOptions};
use sdxl::{Conditioning, Guidance, Image, NoiseSource, Pipeline, Request, Size};
use tch::{Kind, Tensor};

fn normal(seeds: &[u64], shape: &[i64]) -> Tensor {
    NoiseSource::new(seeds).unwrap().normal(shape).unwrap()
}

/// With the same input what is reused is what would be computed, whatever the shape of the model.
#[test]
fn deep_levels_are_reused() {
    let _guard = tch::no_grad_guard();
    for variant in ["base", "refiner", "ssd1b", "vega", "koala"] {
        let folder = repository("tests/models").join(variant);
        let config = ModelConfig::from_folder(folder).unwrap().unet;
        let unet = random("unet", |weights| Unet::load(weights, &config));
        let ids = if variant == "refiner" { 5 } else { 6 };
        let pooled = config.projection_class_embeddings_input_dim - ids * config.addition_time_embed_dim;
        let rows = |seeds: &[u64]| {
            let context = normal(seeds, &[77, config.cross_attention_dim]);
            let conditioning =
                UnetConditioning::new(context, normal(seeds, &[pooled]), normal(seeds, &[ids]).abs() * 500.);
            (normal(seeds, &[config.in_channels, 16, 16]), unet.prepare(&conditioning.unwrap()).unwrap())
        };
        let forward = |seeds: &[u64], deep: Option<&DeepCache>, freeu: Option<FreeU>| {
            let (sample, conditioning) = rows(seeds);
            let timestep = Tensor::full([seeds.len() as i64], 500., (Kind::Float, tch::Device::Cpu));
            let options = UnetOptions { freeu, deep, ..UnetOptions::default() };
            unet.forward_with(&sample, &timestep, &conditioning, options).unwrap()
        };
        for freeu in [None, Some(FreeU::default())] {
            let whole = forward(&[1], None, freeu);
            let cache = DeepCache::new(2).unwrap();
            for evaluation in 0..4 {
                assert_eq!(forward(&[1], Some(&cache), freeu), whole, "{variant}, {freeu:?}, {evaluation}");
            }
        }
        // Another input has the deep levels of the one before, until it is time again.
        let (first, second) = (forward(&[1], None, None), forward(&[2], None, None));
        let cache = DeepCache::new(3).unwrap();
        assert_eq!(forward(&[1], Some(&cache), None), first);
        let reused = forward(&[2], Some(&cache), None);
        assert_ne!(reused, second, "{variant}");
        assert_eq!(forward(&[2], Some(&cache), None), reused);
        assert_eq!(forward(&[2], Some(&cache), None), second);
        // Other rows have nothing to reuse.
        assert_eq!(forward(&[1, 2], Some(&cache), None), forward(&[1, 2], None, None));
    }
}

fn request(prompt: &str) -> RequestBuilder {
    Request::builder(Conditioning::builder(prompt).build().unwrap()).seed(3)
}

#[test]
fn one_is_every_time() {
    let folder = common::headers::scratch("shortcuts-one");
    sdxl::pipeline::write_random_model(repository("tests/models/base"), &folder, 0, sdxl::Precision::F32)
        .unwrap();
    let pipeline = Pipeline::builder(&folder).build().unwrap();
    let small = || request("a cat").size(Size::new(64, 64)).steps(4);
    let latents = |request: RequestBuilder| final_latents(&pipeline, &request.build().unwrap());
    let plain = latents(small());
    assert_eq!(latents(small().deep_cache(1)), plain);
    assert_ne!(latents(small().deep_cache(2)), plain);
    // Where guidance begins and ends the number of rows changes.
    let interval = || small().guidance(Guidance::new(5.).unwrap().interval(0.5, 5.).unwrap());
    assert_ne!(latents(interval().deep_cache(2)), latents(interval()));
}

/// How far the small model's pictures are from those of the whole run, in dB: the figures of docs/shortcuts.md.
#[test]
fn pictures_stay_close() {
    let pipeline = Pipeline::builder(repository("models/nano")).build().unwrap();
    let prompts: Vec<&str> = include_str!("../models/nano/prompts.txt").lines().take(4).collect();
    let draw = |change: &dyn Fn(RequestBuilder) -> RequestBuilder| -> Vec<Image> {
        let draw = |prompt: &&str| {
            let request = request(prompt).steps(25).guidance(Guidance::new(4.).unwrap());
            pipeline.generate(&change(request).build().unwrap()).unwrap().remove(0)
        };
        prompts.iter().map(draw).collect()
    };
    let psnr = |found: &[Image], expected: &[Image]| {
        let squares = |(found, expected): (&Image, &Image)| {
            let (found, expected) = (found.to_tensor().unwrap(), expected.to_tensor().unwrap());
            ((found - expected) / 2.).square().mean(Kind::Double).double_value(&[])
        };
        let all = found.iter().zip(expected);
        let each: Vec<f64> = all.map(|pair| -10. * squares(pair).log10()).collect();
        each.iter().sum::<f64>() / each.len() as f64
    };
    let whole = draw(&|request| request);
    let interval = |lowest, highest| {
        move |request: RequestBuilder| {
            request.guidance(Guidance::new(4.).unwrap().interval(lowest, highest).unwrap())
        }
    };
    let (middle, narrow) = (interval(0.28, 5.42), interval(1., 5.42));
    type Change<'a> = &'a dyn Fn(RequestBuilder) -> RequestBuilder;
    let cases: [(&str, Change, f64); 7] = [
        ("deep_cache 2", &|request| request.deep_cache(2), 35.),
        ("deep_cache 3", &|request| request.deep_cache(3), 30.),
        ("deep_cache 5", &|request| request.deep_cache(5), 25.),
        ("guidance at 0.28 to 5.42", &middle, 20.),
        ("guidance at 1 to 5.42", &narrow, 15.),
        ("guidance at 0.28 to 5.42, deep_cache 2", &|request| middle(request).deep_cache(2), 20.),
        ("20 steps", &|request| request.steps(20), 30.),
    ];
    for (name, change, least) in cases {
        let psnr = psnr(&draw(change), &whole);
        eprintln!("{name}: {psnr:.1} dB");
        assert!(psnr > least && psnr < 60., "{name}: {psnr:.1} dB");
    }
}
