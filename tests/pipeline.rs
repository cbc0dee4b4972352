//! Text to image against diffusers' pipeline, on a tiny model with weights computed from their names
//! (`tests/golden/pipelines.py`): the latents after every step, the final latents and the picture.
//!
//! Tolerance: 1e-5 relative on latents, where diffusers' own rounding (its f32 against its f64) is 2e-6;
//! 1e-3 with zero terminal SNR, whose first step multiplies rounding by sigma = 4096 (diffusers' own: 4e-5).

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod common;

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use common::case::cases;
use common::{Golden, relative_error, repository};
use sdxl::pipeline::write_random_model;
use sdxl::scheduler::SchedulerName;
use sdxl::{Conditioning, FreeU, Guidance, Latents, PerturbedAttention, Pipeline, Precision, Request, Size};
use serde_json::Value;

/// The tiny model as a folder, written once.
fn model() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = common::headers::scratch("pipeline-model");
        write_random_model(repository("tests/models/base"), &folder, 0, Precision::F32).unwrap();
        folder
    })
}

fn pipeline() -> Pipeline {
    Pipeline::builder(model()).build().unwrap()
}

#[test]
fn text_to_image_equals_diffusers() {
    let (pipeline, golden) = (pipeline(), Golden::open("pipelines.safetensors"));
    let cases = cases("pipelines.json");
    assert_eq!(cases.len(), 29);
    for case in &cases {
        // The first sigma is 4096.
        let zero_snr = case.name() == "euler_v_zero_snr";
        let latents = case.compare(&pipeline, &golden, if zero_snr { 1e-3 } else { 1e-5 });
        // diffusers' picture is in [0, 1]; one unit of 8 bits is 4e-3.
        let picture = (pipeline.decode_tensor(&latents).unwrap() / 2. + 0.5).clamp(0., 1.);
        let expected = golden.get(&format!("{}.picture", case.name()));
        let difference = (picture - expected).abs().max().double_value(&[]);
        assert!(
            difference <= if zero_snr { 1e-3 } else { 1e-4 },
            "{}: picture {difference:.1e}",
            case.name()
        );
    }
}

/// Every scheduler of the command line, by its name there (`tests/golden/schedulers.py`).
#[test]
fn every_scheduler_equals_diffusers() {
    let golden = Golden::open("schedulers.safetensors");
    let folder = common::headers::scratch("pipeline-lcm");
    write_random_model(repository("tests/models/lcm"), &folder, 0, Precision::F32).unwrap();
    let (base, lcm) = (pipeline(), Pipeline::builder(&folder).build().unwrap());
    let cases = cases("schedulers.json");
    assert_eq!(cases.len(), 52);
    for name in SchedulerName::ALL {
        let name = name.to_string();
        assert!(cases.iter().any(|case| case.0["scheduler"]["name"] == name.as_str()), "{name} has no case");
    }
    for case in &cases {
        let pipeline = if case.0["variant"] == "lcm" { &lcm } else { &base };
        case.compare(pipeline, &golden, 1e-5);
    }
}

/// Perturbed-attention guidance and FreeU (`tests/golden/guidance.py`).
#[test]
fn other_guidance_equals_diffusers() {
    let (pipeline, golden) = (pipeline(), Golden::open("guidance.safetensors"));
    let cases = cases("guidance.json");
    assert_eq!(cases.len(), 15);
    for case in &cases {
        let (freeu, perturbed) = (&case.0["freeu"], &case.0["pag"]);
        let number = |value: &Value| value.as_f64().unwrap();
        let request = if freeu.is_null() {
            let layers = perturbed["layers"].as_array().unwrap();
            let perturbed = PerturbedAttention::new(number(&perturbed["scale"]))
                .and_then(|p| p.adaptive_scale(number(&perturbed["adaptive_scale"])))
                .and_then(|p| p.layers(layers.iter().map(|layer| layer.as_str().unwrap())));
            case.request().perturbed_attention(perturbed.unwrap())
        } else {
            let [s1, s2, b1, b2] = ["s1", "s2", "b1", "b2"].map(|name| number(&freeu[name]));
            case.request().freeu(FreeU { s1, s2, b1, b2 })
        };
        case.compare_request(request, (&pipeline, &golden), 1e-5);
    }
}

fn latents_of(pipeline: &Pipeline, request: sdxl::pipeline::RequestBuilder) -> tch::Tensor {
    finish(pipeline.sample(&request.build().unwrap()).unwrap()).tensor().unwrap().shallow_clone()
}

/// A scale of 0 is none; with everything else that acts on guidance, each still has its effect.
#[test]
fn perturbed_attention_goes_with_the_rest() {
    let pipeline = pipeline();
    let perturbed = |scale| PerturbedAttention::new(scale).unwrap();
    let interval = Guidance::default().interval(1., 3.).unwrap();
    let off = Guidance::OFF;
    for guidance in [Guidance::default(), interval, off, Guidance::default().rescale(0.7).unwrap()] {
        let request = || small("a cat").guidance(guidance);
        let plain = latents_of(&pipeline, request());
        let zero = latents_of(&pipeline, request().perturbed_attention(perturbed(0.)));
        common::assert_close("scale 0", &zero, &plain, 0.);
        let three = latents_of(&pipeline, request().perturbed_attention(perturbed(3.)));
        assert!(relative_error(&three, &plain) > 1e-3, "{guidance:?}");
        let both = request().perturbed_attention(perturbed(3.)).freeu(FreeU::default());
        assert!(relative_error(&latents_of(&pipeline, both), &three) > 1e-3, "{guidance:?}");
    }
    // A part that is in no name, and one that is in the middle of a number only.
    for (part, fits) in [("middle", false), ("down_blocks.1", true), ("blocks.12", false)] {
        let request = small("a cat").perturbed_attention(perturbed(3.).layers([part]).unwrap());
        let error = pipeline.sample(&request.build().unwrap()).err().map(|error| error.to_string());
        assert_eq!(error.is_none(), fits, "{part}: {error:?}");
        assert!(error.is_none_or(|error| error.contains(part) && error.contains("layers")));
    }
}

#[test]
fn freeu_of_ones_changes_nothing() {
    let pipeline = pipeline();
    let ones = FreeU { s1: 1., s2: 1., b1: 1., b2: 1. };
    let plain = latents_of(&pipeline, small("a cat"));
    common::assert_close("ones", &latents_of(&pipeline, small("a cat").freeu(ones)), &plain, 1e-6);
    assert!(relative_error(&latents_of(&pipeline, small("a cat").freeu(FreeU::default())), &plain) > 1e-3);
}

/// The start noise of every case is what diffusers drew from its CPU generator.
#[test]
fn noise_is_that_of_torch() {
    let golden = Golden::open("pipelines.safetensors");
    for case in cases("pipelines.json") {
        let (name, seeds) = (case.name(), case.seeds());
        let expected = golden.get(&format!("{name}.noise"));
        let found = sdxl::NoiseSource::new(&seeds).unwrap().normal(&expected.size()[1..]).unwrap();
        // Bit-equal on one machine; other vector units differ in the last place.
        let error = relative_error(&found, &expected);
        assert!(error <= 1e-6, "{name}: {error:.2e}");
    }
}

fn small(prompt: &str) -> sdxl::pipeline::RequestBuilder {
    Request::builder(Conditioning::builder(prompt).build().unwrap()).steps(3)
}

#[test]
fn the_same_request_gives_the_same_bytes() {
    let pipeline = pipeline();
    let request = small("a cat").seed(5).build().unwrap();
    let first = pipeline.generate(&request).unwrap();
    assert_eq!(first, pipeline.generate(&request).unwrap());
    // Also on a clone in another thread, while this one draws.
    let clone = pipeline.clone();
    let second = request.clone();
    let other = std::thread::spawn(move || clone.generate(&second).unwrap());
    assert_eq!(first, pipeline.generate(&request).unwrap());
    assert_eq!(first, other.join().unwrap());
    assert_ne!(first, pipeline.generate(&small("a cat").seed(6).build().unwrap()).unwrap());
}

#[test]
fn a_picture_depends_on_its_own_seed() {
    let pipeline = pipeline();
    let batch = pipeline.sample(&small("a cat").seed(7).batch(3).build().unwrap()).unwrap();
    let latents = finish(batch);
    for (row, seed) in (7..10).enumerate() {
        let alone = finish(pipeline.sample(&small("a cat").seed(seed).build().unwrap()).unwrap());
        let row = latents.tensor().unwrap().narrow(0, row as i64, 1);
        // Kernels for larger batches may add in another order.
        common::assert_close(&format!("seed {seed}"), &row, alone.tensor().unwrap(), 1e-5);
    }
}

fn finish(mut sampling: sdxl::Sampling) -> Latents {
    for progress in &mut sampling {
        progress.unwrap();
    }
    sampling.latents().unwrap()
}

#[test]
fn latents_go_in_and_out() {
    let pipeline = pipeline();
    let expected = finish(pipeline.sample(&small("a cat").seed(3).build().unwrap()).unwrap());
    let noise = sdxl::NoiseSource::new(&[3]).unwrap().normal(&[4, 8, 8]).unwrap();
    let noise = Latents::new(noise).unwrap();
    let path = common::headers::scratch("latents").join("noise.safetensors");
    noise.save(&path).unwrap();
    let request = small("a cat").initial_noise(Latents::open(&path).unwrap()).build().unwrap();
    let found = finish(pipeline.sample(&request).unwrap());
    common::assert_close("latents", found.tensor().unwrap(), expected.tensor().unwrap(), 0.);
    let array = found.to_array::<half::f16>().unwrap();
    assert_eq!(array.shape(), [1, 4, 8, 8]);
    let back = Latents::from_array(array.view()).unwrap();
    common::assert_close("as f16", back.tensor().unwrap(), expected.tensor().unwrap(), 1e-3);

    // Noise of another size than asked for.
    let request = small("a cat").size(Size::new(128, 64)).initial_noise(noise).build().unwrap();
    let error = pipeline.sample(&request).err().unwrap().to_string();
    assert!(error.contains("initial_noise") && error.contains("16x8"), "{error}");
}

#[test]
fn embeddings_stand_for_prompts() {
    let pipeline = pipeline();
    let conditioning = Conditioning::builder("a cat").negative_prompt("blurry").build().unwrap();
    let encoded = pipeline.encode(&conditioning).unwrap();
    let expected = pipeline.generate(&Request::builder(conditioning).steps(2).build().unwrap()).unwrap();
    let context = encoded.positive.context::<f32>().unwrap();
    let pooled = encoded.positive.pooled::<f32>().unwrap();
    let positive = sdxl::TextEmbeddings::from_arrays(context.view(), pooled.view()).unwrap();
    let file = common::headers::scratch("embeddings").join("prompt.safetensors");
    positive.save(&file).unwrap();
    let positive = sdxl::TextEmbeddings::open(&file).unwrap();
    let conditioning =
        Conditioning::from_embeddings(positive).negative_embeddings(encoded.negative).build().unwrap();
    let found = pipeline.generate(&Request::builder(conditioning).steps(2).build().unwrap()).unwrap();
    assert_eq!(found[0].pixels(), expected[0].pixels());
}

#[test]
fn cut_prompts_are_reported() {
    let pipeline = pipeline();
    let sampling = pipeline.sample(&small(&"very long ".repeat(60)).build().unwrap()).unwrap();
    assert_eq!(sampling.cut().len(), 2);
    assert!(
        sampling.cut()[0].starts_with("long very") || sampling.cut()[0].starts_with("very long"),
        "{:?}",
        sampling.cut()
    );
    assert!(pipeline.sample(&small("short").build().unwrap()).unwrap().cut().is_empty());
}

#[test]
fn pictures_carry_how_they_were_made() {
    let pipeline = pipeline();
    let conditioning =
        Conditioning::builder("a café, at night: 夜").negative_prompt("blurry").build().unwrap();
    let request = Request::builder(conditioning).steps(2).seed(9).batch(2).build().unwrap();
    let images = pipeline.generate(&request).unwrap();
    let path = common::headers::scratch("metadata").join("picture.png");
    images[1].save_png(&path).unwrap();
    let image = sdxl::Image::open(&path).unwrap();
    assert_eq!(image, images[1]);
    let recipe: Value = serde_json::from_str(image.text("sdxl").unwrap()).unwrap();
    assert_eq!(recipe["seed"], 10);
    assert_eq!(recipe["steps"], 2);
    assert_eq!(recipe["size"], "64x64");
    assert_eq!(recipe["conditioning"]["text"]["prompt"], "a café, at night: 夜");
    let parameters = image.text("parameters").unwrap();
    assert!(
        parameters.starts_with("a café, at night: 夜\nNegative prompt: blurry\nSteps: 2, Sampler: "),
        "{parameters}"
    );
    assert!(parameters.contains("Seed: 10, Size: 64x64"), "{parameters}");
}

#[test]
fn the_cpu_computes_in_f32() {
    let error = Pipeline::builder(model()).precision(Precision::F16).build().err().unwrap().to_string();
    assert!(error.contains("f32 on the CPU"), "{error}");
}

/// 16-bit files give what the same numbers in f32 files give.
#[test]
fn sixteen_bit_files() {
    let folder = common::headers::scratch("pipeline-f16");
    write_random_model(repository("tests/models/base"), &folder, 0, Precision::F16).unwrap();
    let pipeline = Pipeline::builder(&folder).build().unwrap();
    let images = pipeline.generate(&small("a cat").build().unwrap()).unwrap();
    let expected = self::pipeline().generate(&small("a cat").build().unwrap()).unwrap();
    let difference = |a: u8, b: u8| f64::from(a.abs_diff(b));
    let pairs = images[0]
        .pixels()
        .iter()
        .zip(expected[0].pixels().iter())
        .map(|(&a, &b)| difference(a, b))
        .sum::<f64>();
    let mean = pairs / images[0].pixels().len() as f64;
    assert!(mean < 3., "mean difference {mean} of 255");
    // The same folder as a variant.
    for (component, stem) in [
        ("unet", "diffusion_pytorch_model"),
        ("vae", "diffusion_pytorch_model"),
        ("text_encoder", "model"),
        ("text_encoder_2", "model"),
    ] {
        let file = |suffix: &str| folder.join(component).join(format!("{stem}{suffix}.safetensors"));
        fs::rename(file(""), file(".fp16")).unwrap();
    }
    for variant in ["", "fp16"] {
        let pipeline = Pipeline::builder(&folder).variant(variant).build().unwrap();
        assert_eq!(pipeline.generate(&small("a cat").build().unwrap()).unwrap(), images);
    }
    let error = Pipeline::builder(&folder).variant("bf16").build().err().unwrap().to_string();
    assert!(error.contains(".bf16.safetensors"), "{error}");
}

/// The layout that `huggingface_hub` leaves: a snapshot of links into blobs.
#[test]
fn hugging_face_cache() {
    let cache = common::headers::scratch("hub");
    let repository = cache.join("models--someone--tiny");
    let snapshot = repository.join("snapshots/0123abc");
    write_random_model(
        common::repository("tests/models/base"),
        repository.join("blobs/model"),
        0,
        Precision::F16,
    )
    .unwrap();
    for entry in walk(&repository.join("blobs/model")) {
        let relative = entry.strip_prefix(repository.join("blobs/model")).unwrap().to_owned();
        let link = snapshot.join(&relative);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(&entry, link).unwrap();
    }
    fs::create_dir_all(repository.join("refs")).unwrap();
    fs::write(repository.join("refs/main"), "0123abc\n").unwrap();
    for path in [&repository, &snapshot] {
        Pipeline::builder(path).check().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    assert!(Pipeline::builder("no-one/no-model").check().is_err());
}

fn walk(folder: &std::path::Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// Guidance outside of every noise level is none; inside of all it is as usual.
#[test]
fn guidance_interval() {
    let pipeline = pipeline();
    let latents = |guidance| {
        finish(pipeline.sample(&small("a cat").guidance(guidance).build().unwrap()).unwrap())
            .tensor()
            .unwrap()
            .shallow_clone()
    };
    let (full, off) = (latents(Guidance::default()), latents(Guidance::OFF));
    let within = |lowest, highest| latents(Guidance::default().interval(lowest, highest).unwrap());
    common::assert_close("everywhere", &within(0., 100.), &full, 0.);
    common::assert_close("nowhere", &within(50., 100.), &off, 1e-6);
    let middle = within(1., 3.);
    assert!(relative_error(&middle, &full) > 1e-3 && relative_error(&middle, &off) > 1e-3);
}

#[test]
fn previews() {
    let pipeline = pipeline();
    let mut sampling = pipeline.sample(&small("a cat").build().unwrap()).unwrap();
    assert!(sampling.denoised().unwrap().is_none());
    sampling.next().unwrap().unwrap();
    let denoised = sampling.denoised().unwrap().unwrap();
    let preview = denoised.preview().unwrap();
    assert_eq!((preview.len(), preview[0].width(), preview[0].height()), (1, 8, 8));
    for progress in &mut sampling {
        progress.unwrap();
    }
    // The last step of Euler's method ends at what was denoised.
    let last = sampling.denoised().unwrap().unwrap();
    common::assert_close(
        "the end",
        last.tensor().unwrap(),
        sampling.latents().unwrap().tensor().unwrap(),
        1e-6,
    );
}
