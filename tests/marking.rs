//! What says of a picture that a model made it: the reference pipeline's invisible watermark, against the package that
//! diffusers calls (`tests/golden/watermark.py`), and the IPTC's digital source type in the file.
#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod common;

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use common::headers::scratch;
use common::{repository, tiny};
use ndarray::Array3;
use sdxl::pipeline::{Job, RequestBuilder};
use sdxl::{Conditioning, Image, Margins, Mask, Pipeline, Request, Size};
use serde_json::Value;
use tch::Tensor;

/// The pictures of `watermark.py`, `(1, 3, height, width)` in about [-1, 1].
fn picture(name: &str, height: i64, width: i64) -> Option<Tensor> {
    let numbers = |number: &dyn Fn(i64, i64, i64) -> i64, divisor: f32| {
        let at = |index: i64| (index % width, index / width % height, index / width / height);
        let values: Vec<f32> = (0..3 * height * width)
            .map(|index| {
                let (x, y, c) = at(index);
                number(x, y, c) as f32 / divisor
            })
            .collect();
        Some(Tensor::from_slice(&values).reshape([1, 3, height, width]))
    };
    let waves = |x, y, c| (x * (3 + c) + y * (5 - c) + x * y / (7 + c)) % 277 - 138;
    match name {
        "waves" | "wide" => numbers(&waves, 128.),
        "bright" => numbers(&waves, 96.),
        "shades" | "tall" => numbers(&|x, y, c| (x * (c + 1) + y * (3 - c)) % 1024 - 512, 512.),
        "flat" => numbers(&|_, _, c| c * 60 - 50, 128.),
        photograph => {
            let path = common::assets()?.join("photos").join(photograph);
            Some(Image::open(path).unwrap().to_tensor().unwrap())
        }
    }
}

fn one(images: &Tensor) -> Image {
    Image::from_tensor(images).unwrap().remove(0)
}

fn fnv1a(image: &Image) -> String {
    let hash = image.pixels().iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    });
    format!("{hash:016x}")
}

/// To the byte, on pictures within and beyond the range, with ties, of shapes that leave no block over.
#[test]
fn the_watermark_is_that_of_the_reference() {
    let cases: Value =
        serde_json::from_str(&fs::read_to_string(repository("tests/golden/watermark.json")).unwrap())
            .unwrap();
    let cases = cases.as_object().unwrap();
    assert_eq!(cases.len(), 9);
    for (name, case) in cases {
        let side = |name: &str| case[name].as_i64().unwrap();
        let Some(images) = picture(name, side("height"), side("width")) else { continue };
        let plain = one(&images);
        assert_eq!(fnv1a(&plain), case["plain"], "{name} is another picture");
        let marked = one(&Image::watermark(&images).unwrap());
        let changed = marked.pixels().iter().zip(plain.pixels()).filter(|(a, b)| a != b).count();
        assert_eq!(
            (fnv1a(&marked), changed as i64),
            (case["marked"].as_str().unwrap().into(), side("changed")),
            "{name}"
        );
        assert_eq!(marked.watermark_bits().map(i64::from), Some(side("bits")), "{name}");
        // Marked by whatever luck.
        let bits = plain.watermark_bits().unwrap();
        assert!(bits < 30, "{name}: {bits} bits without a watermark");
    }
    assert_eq!(cases["waves"]["bits"], 48);
}

/// In the reference narrow ones are left alone, and small ones are an error of its encoder.
#[test]
fn small_pictures_are_left_as_they_are() {
    for (height, width) in [(512, 248), (248, 256), (64, 64)] {
        let images = picture("waves", height, width).unwrap();
        let marked = Image::watermark(&images).unwrap();
        assert_eq!((&marked - &images).abs().max().double_value(&[]), 0.);
        assert_eq!(one(&marked).watermark_bits(), None);
    }
    assert!(
        Image::watermark(&Tensor::zeros([1, 4, 256, 256], (tch::Kind::Float, tch::Device::Cpu))).is_err()
    );
}

fn request(side: i64) -> RequestBuilder {
    let conditioning = Conditioning::builder("a café: 夜").build().unwrap();
    Request::builder(conditioning).steps(2).size(Size::new(side, side))
}

fn drawn(pipeline: &Pipeline, request: RequestBuilder) -> Vec<Image> {
    pipeline.generate(&request.build().unwrap()).unwrap()
}

#[test]
fn a_request_may_ask_for_it() {
    let pipeline = tiny("base", "marking");
    let pair = request(256).batch(2);
    let mut sampling = pipeline.sample(&pair.clone().build().unwrap()).unwrap();
    for progress in sampling.by_ref() {
        progress.unwrap();
    }
    let decoded = pipeline.decode_tensor(&sampling.latents().unwrap()).unwrap();
    let expected = Image::from_tensor(&Image::watermark(&decoded).unwrap()).unwrap();
    let marked = drawn(&pipeline, pair.clone().watermark(true));
    let plain = drawn(&pipeline, pair);
    for ((marked, plain), expected) in marked.iter().zip(&plain).zip(&expected) {
        assert_eq!(marked.pixels(), expected.pixels());
        assert_ne!(marked.pixels(), plain.pixels());
        let recipe = |image: &Image| serde_json::from_str::<Value>(image.text("sdxl").unwrap()).unwrap();
        assert_eq!(
            (&recipe(marked)["watermark"], &recipe(plain)["watermark"]),
            (&true.into(), &false.into())
        );
    }
    // As in the reference, before the original's pixels are put back.
    let image = plain[0].clone();
    let half = Array3::from_shape_fn((256, 256, 3), |(row, _, _)| if row < 128 { 0 } else { 255 });
    let mask = Mask::from_image(&Image::from_pixels(half.view()).unwrap());
    let inpaint = request(256).inpaint(image.clone(), mask).overlay(true);
    let upper = ndarray::s![..128, .., ..];
    let (marked, plain) = (drawn(&pipeline, inpaint.clone().watermark(true)), drawn(&pipeline, inpaint));
    assert_eq!(marked[0].pixels().slice(upper), image.pixels().slice(upper));
    assert_ne!(marked[0].pixels(), plain[0].pixels());
}

/// The text of a PNG file's one chunk for XMP, by the `png` crate.
fn xmp(path: &Path) -> String {
    let mut reader = png::Decoder::new(BufReader::new(File::open(path).unwrap())).read_info().unwrap();
    reader.finish().unwrap();
    let info = reader.info();
    let is_xmp = |keyword: &str| keyword == "XML:com.adobe.xmp";
    assert!(!info.uncompressed_latin1_text.iter().any(|text| is_xmp(&text.keyword)), "XMP in tEXt");
    let packets: Vec<_> = info.utf8_text.iter().filter(|text| is_xmp(&text.keyword)).collect();
    let [packet] = packets[..] else { panic!("{} packets", packets.len()) };
    assert!(!packet.compressed && packet.language_tag.is_empty() && packet.translated_keyword.is_empty());
    packet.get_text().unwrap()
}

/// The value of the packet's one property.
fn source(packet: &str) -> &str {
    assert!(
        packet.starts_with("<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n<x:xmpmeta ")
    );
    assert!(packet.contains("xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\""));
    let (_, value) = packet.split_once("<Iptc4xmpExt:DigitalSourceType>").unwrap();
    let (value, _) = value.split_once("</Iptc4xmpExt:DigitalSourceType>").unwrap();
    value.strip_prefix("http://cv.iptc.org/newscodes/digitalsourcetype/").unwrap()
}

#[test]
fn files_say_that_a_model_made_them() {
    let pipeline = tiny("base", "marking");
    let folder = scratch("marking-files");
    let check = |name: &str, images: &[Image], expected: &str| {
        for (index, image) in images.iter().enumerate() {
            let path = folder.join(format!("{name}-{index}.png"));
            image.save_png(&path).unwrap();
            assert_eq!(source(&xmp(&path)), expected, "{name}");
            // Read and saved again, and nothing lost on the way.
            let again = Image::open(&path).unwrap();
            assert!(again == *image, "{name}");
            again.save_png(&path).unwrap();
            assert_eq!(source(&xmp(&path)), expected, "{name}");
        }
    };
    let (generated, edited) = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia");
    let from_text = drawn(&pipeline, request(64).batch(2));
    check("text", &from_text, generated);
    let hires = sdxl::Hires::new(1.5).unwrap().upscaler(sdxl::Upscaler::Pixel);
    check("hires", &drawn(&pipeline, request(64).hires(hires)), generated);
    let job: Job = pipeline.start(&request(64).build().unwrap()).unwrap();
    job.wait(None).unwrap();
    check("job", &job.take_images().unwrap(), generated);

    let photograph = Image::from_pixels(Array3::from_elem((64, 64, 3), 90).view()).unwrap();
    let white = Image::from_pixels(Array3::from_elem((64, 64, 3), 255).view()).unwrap();
    let request = || request(64).steps(4);
    check("image", &drawn(&pipeline, request().image(photograph.clone()).strength(0.5)), edited);
    let mask = Mask::from_image(&white);
    check("inpaint", &drawn(&pipeline, request().inpaint(photograph.clone(), mask)), edited);
    let margins = Margins { left: 8, ..Margins::default() };
    let outpainted = Request::builder(Conditioning::builder("a cat").build().unwrap()).steps(4);
    check("outpaint", &drawn(&pipeline, outpainted.outpaint(photograph.clone(), margins)), edited);
    let mut noise = sdxl::NoiseSource::new(&[5]).unwrap();
    let latents = pipeline.encode_images(std::slice::from_ref(&photograph), &mut noise).unwrap();
    check("latents", &drawn(&pipeline, request().image_latents(latents).strength(0.5)), edited);

    // Pixels alone say nothing.
    assert_eq!(Image::from_pixels(from_text[0].pixels()).unwrap().texts(), []);
}
