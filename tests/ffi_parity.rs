//! What a C program draws with every setting, LoRA and textual inversion is what Rust draws, byte for byte; and what the
//! file of each picture says of its making is the same.
#![cfg(test)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use common::c::{SANITIZER, base, build, expect_success, program, write_lora, write_textual_inversion};
use common::headers::scratch;
use common::{repository, save};
use ndarray::Array3;
use sdxl::pipeline::RequestBuilder;
use sdxl::scheduler::{Range, SchedulerName};
use sdxl::{
    Conditioning, FreeU, Guidance, Hires, Image, Lora, Margins, Mask, NoiseSource, PerturbedAttention,
    Pipeline, Request, Scheduler, Size, TextualInversion, Upscaler,
};
use tch::Tensor;

/// A picture that is none of a model's.
fn picture(size: (usize, usize), shift: usize) -> Image {
    let pixels = Array3::from_shape_fn((size.1, size.0, 3), |(y, x, channel)| {
        ((x * 3 + y * (channel + 2) + shift * 40 + (x * y / 9)) % 256) as u8
    });
    Image::from_pixels(pixels.view()).unwrap()
}

/// White in a part, grey around it.
fn mask() -> Image {
    let pixels = Array3::from_shape_fn((64, 64, 3), |(y, x, _)| match (y, x) {
        (16..40, 24..48) => 255,
        (12..44, 20..52) => 90,
        _ => 0,
    });
    Image::from_pixels(pixels.view()).unwrap()
}

fn of(prompt: &str) -> RequestBuilder {
    Request::builder(Conditioning::builder(prompt).build().unwrap()).steps(4).seed(5)
}

fn request() -> RequestBuilder {
    of("a cat")
}

/// The files that the C program made, and which of them were looked at.
struct Drawn<'a> {
    folder: &'a Path,
    seen: BTreeSet<String>,
}

impl Drawn<'_> {
    #[track_caller]
    fn image(&mut self, name: &str, expected: &Image) {
        let found = Image::open(self.folder.join(name)).unwrap();
        assert!(found.pixels() == expected.pixels(), "{name} is another picture");
        assert_eq!(found.text("sdxl"), expected.text("sdxl"), "{name}");
        assert_eq!(found.text("XML:com.adobe.xmp"), expected.text("XML:com.adobe.xmp"), "{name}");
        self.seen.insert(name.to_owned());
    }

    #[track_caller]
    fn case(&mut self, name: &str, pipeline: &Pipeline, request: RequestBuilder) {
        let images = pipeline.generate(&request.build().unwrap()).unwrap();
        for (index, image) in images.iter().enumerate() {
            self.image(&format!("{name}-{index}.png"), image);
        }
        assert!(!self.folder.join(format!("{name}-{}.png", images.len())).exists());
    }
}

#[test]
fn c_draws_what_rust_draws() {
    let (source, folder) = compare("ffi-parity", "none");
    let sanitized = build("parity-asan", SANITIZER, &[&source]);
    expect_success(program(&sanitized).arg(base()).arg(&folder).env("ASAN_OPTIONS", "detect_leaks=0"));
}

/// With pipelines in a process of their own.
#[test]
fn a_worker_draws_what_rust_draws() {
    compare("ffi-parity-isolated", "process");
}

fn compare(name: &str, isolation: &str) -> (PathBuf, PathBuf) {
    let folder = scratch(name);
    let (first, second) = (picture((64, 64), 0), picture((64, 64), 1));
    first.save_png(folder.join("first.png")).unwrap();
    second.save_png(folder.join("second.png")).unwrap();
    mask().save_png(folder.join("mask.png")).unwrap();
    let inputs = ["first.png", "second.png", "mask.png"];
    write_lora(&folder.join("lora.safetensors"));
    write_textual_inversion(&folder.join("mossy.safetensors"));
    let misfit =
        ["mid_block.attentions.0.transformer_blocks.0.attn1.to_q", "attic.to_q"].iter().flat_map(|layer| {
            [("lora_A", [2, 32]), ("lora_B", [32, 2])].map(|(half, shape)| {
                (
                    format!("unet.{layer}.{half}.weight"),
                    Tensor::ones(shape, (tch::Kind::Float, tch::Device::Cpu)),
                )
            })
        });
    save(&folder.join("misfit.safetensors"), &misfit.collect::<Vec<_>>());

    let source = repository("tests/c/parity.c");
    let parity = build(name, &[], &[&source]);
    let mut parity = program(&parity);
    print!("{}", expect_success(parity.env("SDXL_TEST_ISOLATION", isolation).arg(base()).arg(&folder)));

    let pipeline = Pipeline::builder(base()).build().unwrap();
    let mut drawn = Drawn { folder: &folder, seen: BTreeSet::new() };
    drawn.case("base", &pipeline, request());
    settings(&mut drawn, &pipeline);
    beginnings(&mut drawn, &pipeline, [&first, &second]);
    adapters(&mut drawn, &pipeline);
    levels(&folder);

    // Nothing that it made was overlooked.
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = inputs.contains(&name.as_str()) || name == "texts.png" || drawn.seen.contains(&name);
        assert!(known || !name.ends_with(".png"), "{name} was not compared");
    }
    (source, folder.clone())
}

fn settings(drawn: &mut Drawn, pipeline: &Pipeline) {
    let hires = Hires::new(1.5).unwrap().strength(0.5).unwrap().steps(6).unwrap();
    drawn.case("hires_latent", pipeline, request().hires(hires));
    drawn.case("hires_pixel", pipeline, request().hires(Hires::new(2.).unwrap().upscaler(Upscaler::Pixel)));
    drawn.case("variation", pipeline, request().batch(2).variation(40, 0.3));
    drawn.case("freeu", pipeline, request().freeu(FreeU::default()));
    drawn.case("deep_cache", pipeline, request().deep_cache(2));
    drawn.case("perturbed", pipeline, request().perturbed_attention(PerturbedAttention::default()));
    let layers = ["down_blocks.1", "up_blocks.0.attentions.1"];
    let perturbed =
        PerturbedAttention::new(4.).unwrap().adaptive_scale(0.002).unwrap().layers(layers).unwrap();
    let unguided = request().guidance(Guidance::new(1.).unwrap());
    drawn.case("perturbed_layers", pipeline, unguided.perturbed_attention(perturbed));
    drawn.case("width", pipeline, request().width(96));
    drawn.case("height", pipeline, request().height(96));
    drawn.case("watermark", pipeline, request().size(Size::new(256, 256)).watermark(true));
    let strips = Pipeline::builder(base()).vae_tiling(true).build().unwrap();
    drawn.case("strips", &strips, request().size(Size::new(128, 192)));
}

fn beginnings(drawn: &mut Drawn, pipeline: &Pipeline, [first, second]: [&Image; 2]) {
    let mask = Mask::from_image(&mask());
    let both = || vec![first.clone(), second.clone()];
    drawn.case("images", pipeline, request().images(both()).strength(0.6));
    let soft = mask.blurred(1.5).unwrap();
    let pairs = both().into_iter().map(|image| (image, soft.clone())).collect();
    drawn.case("inpaint_each", pipeline, request().inpaint_each(pairs));
    let overlay = request().inpaint(first.clone(), mask.blurred(2.).unwrap()).overlay(true);
    drawn.case("overlay", pipeline, overlay);
    drawn.case("mask_crop", pipeline, request().inpaint(first.clone(), mask.clone()).padding_mask_crop(4));
    let margins = Margins { left: 0, top: 8, right: 16, bottom: 0 };
    drawn.case("outpaint", pipeline, request().outpaint(first.clone(), margins).strength(0.9));
    drawn.case("image", pipeline, request().image(first.clone()).strength(0.6));
    let mut noise = NoiseSource::new(&[5]).unwrap();
    let encoded = pipeline.encode_images(std::slice::from_ref(first), &mut noise).unwrap();
    drawn.case("image_latents", pipeline, request().image_latents(encoded).strength(0.6).skip_draws(1));
    let [from_picture, from_latents] = ["image-0.png", "image_latents-0.png"]
        .map(|name| Image::open(drawn.folder.join(name)).unwrap().pixels().to_owned());
    assert!(from_picture == from_latents);

    drawn.image("resized.png", &first.resized(40, 24).unwrap());
    let part = sdxl::Rectangle { left: 3, top: 5, right: 43, bottom: 29 };
    drawn.image("cropped.png", &first.cropped(part).unwrap());
    let grey = |mask: &Mask| {
        let shades = mask.shades();
        let (height, width) = shades.dim();
        Image::from_pixels(Array3::from_shape_fn((height, width, 3), |(y, x, _)| shades[(y, x)]).view())
            .unwrap()
    };
    drawn.image("blurred.png", &grey(&mask.blurred(2.).unwrap()));
    drawn.image("region.png", &grey(&mask).cropped(mask.crop_region((64, 32), 4).unwrap()).unwrap());
    let (canvas, new) = first.outpainted(Margins { left: 1, top: 2, right: 3, bottom: 4 }).unwrap();
    drawn.image("canvas.png", &canvas);
    drawn.image("new.png", &grey(&new));
}

fn adapters(drawn: &mut Drawn, pipeline: &Pipeline) {
    let file = Lora::open(drawn.folder.join("lora.safetensors")).unwrap();
    let weighted = |weight, text| {
        file.weight(weight).unwrap().text_encoders(text).unwrap().block("mid_block", 0.5).unwrap()
    };
    drawn.case("lora", &pipeline.with_loras(&[weighted(0.8, 0.3)]).unwrap(), request());
    let two = [weighted(2., 0.3), weighted(-1., 0.3)];
    drawn.case("two_loras", &pipeline.with_loras(&two).unwrap(), request());
    drawn.case("merged_lora", &pipeline.with_merged_loras(&[weighted(1., 1.)]).unwrap(), request());
    let mossy = TextualInversion::open(drawn.folder.join("mossy.safetensors")).unwrap();
    let with = pipeline.with_embeddings(std::slice::from_ref(&mossy)).unwrap();
    drawn.case("mossy", &with, of("a mossy cat"));
    let both = with.with_loras(&[file.weight(1.).unwrap()]).unwrap();
    drawn.case("mossy_lora", &both, of("a mossy cat"));
    let named = pipeline.with_embeddings(&[mossy.named(&["<one>", "<two>"]).unwrap()]).unwrap();
    drawn.case("named", &named, of("a <two> cat"));
    // A setting that had no effect would be the same in both languages.
    let pixels = |name: &str| Image::open(drawn.folder.join(name)).unwrap().pixels().to_owned();
    for name in drawn.seen.iter().filter(|name| name.ends_with("-0.png") && *name != "base-0.png") {
        assert!(pixels(name) != pixels("base-0.png"), "{name} is the picture without it");
    }
}

/// The noise levels that C was told.
fn levels(folder: &Path) {
    let scheduler = Scheduler::named(SchedulerName::Euler).unwrap();
    let plan = scheduler.plan(6, Range::full()).unwrap();
    let expected: Vec<f64> = plan.levels().iter().flat_map(|level| [level.sigma, level.timestep]).collect();
    let found = fs::read_to_string(folder.join("levels.txt")).unwrap();
    let found: Vec<f64> = found.split_whitespace().map(|number| number.parse().unwrap()).collect();
    assert_eq!(found, expected);
}
