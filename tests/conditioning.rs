//! Conditioning without a model: buckets, micro-conditioning defaults, guidance.

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod common;

use common::assert_close;
use sdxl::conditioning::{BUCKETS, nearest_bucket};
use sdxl::{Conditioning, Crop, Guidance, Size};
use tch::Tensor;

#[test]
fn buckets_are_those_of_the_paper() {
    for bucket in BUCKETS {
        assert_eq!((bucket.width % 64, bucket.height % 64), (0, 0), "{bucket}");
        let area = bucket.width * bucket.height;
        assert!((900_000..=1_050_000).contains(&area), "{bucket}: {area}");
        assert_eq!(nearest_bucket(bucket), bucket);
    }
    let shape = |size: Size| size.width as f64 / size.height as f64;
    assert!(BUCKETS.windows(2).all(|pair| shape(pair[0]) > shape(pair[1])), "wide to tall");
    assert!(BUCKETS.contains(&Size::new(1344, 704)) && !BUCKETS.contains(&Size::new(704, 1344)));
    for (size, expected) in [
        (Size::new(512, 512), Size::new(1024, 1024)),
        (Size::new(4000, 3000), Size::new(1152, 896)),
        (Size::new(1080, 1920), Size::new(768, 1344)),
        (Size::new(10_000, 10), Size::new(2048, 512)),
        (Size::new(0, 0), Size::new(1024, 1024)),
    ] {
        assert_eq!(nearest_bucket(size), expected, "{size}");
    }
}

#[test]
fn negatives_default_to_positives() {
    let builder = || Conditioning::builder("x").original_size(Size::new(512, 256)).crop(Crop::new(3, 4));
    let plain = builder().build().unwrap();
    assert_eq!(plain.negative_micro(), plain.micro());
    let changed = builder().negative_crop(Crop::new(0, 0)).build().unwrap();
    assert_eq!(changed.negative_micro().original_size, Some(Size::new(512, 256)));
    assert_eq!(changed.negative_micro().crop, Crop::new(0, 0));
    assert_eq!(changed.micro().crop, Crop::new(3, 4));
}

#[test]
fn sizes_and_crops_are_read() {
    assert_eq!("1024x768".parse::<Size>().unwrap(), Size::new(1024, 768));
    assert_eq!(Size::new(1024, 768).to_string(), "1024x768");
    assert_eq!("16,48".parse::<Crop>().unwrap(), Crop::new(16, 48));
    assert_eq!(Crop::new(16, 48).to_string(), "16,48");
    for text in ["", "1024", "1024x", "x768", "1024x768x3", "1e3x5", "99999999999999999999x1"] {
        assert!(text.parse::<Size>().is_err(), "{text}");
    }
}

#[test]
fn guidance_combines() {
    let negative = Tensor::from_slice(&[1f32, 2., 3., 4.]).view([1, 1, 2, 2]);
    let positive = Tensor::from_slice(&[2f32, 2., 5., 1.]).view([1, 1, 2, 2]);
    let found = Guidance::new(3.).unwrap().combine(&negative, &positive).unwrap();
    let expected = Tensor::from_slice(&[4f32, 2., 9., -5.]).view([1, 1, 2, 2]);
    assert_close("scale 3", &found, &expected, 1e-6);
    // Fully rescaled, the deviation is that of the prediction for the prompt.
    let full = Guidance::new(3.).and_then(|guidance| guidance.rescale(1.)).unwrap();
    let found = full.combine(&negative, &positive).unwrap();
    assert_close("deviation", &found.std(true), &positive.std(true), 1e-6);
}

#[test]
fn guidance_has_an_interval() {
    let guidance = Guidance::new(5.).and_then(|guidance| guidance.interval(0.5, 5.)).unwrap();
    assert!(guidance.is_on() && guidance.is_on_at(0.5) && guidance.is_on_at(5.));
    assert!(!guidance.is_on_at(0.4) && !guidance.is_on_at(14.6));
    assert!(Guidance::default().is_on_at(0.) && Guidance::default().is_on_at(1e6));
    assert!(!Guidance::OFF.is_on_at(1.) && !Guidance::new(1.).unwrap().is_on());
    for (lowest, highest) in [(2., 1.), (-1., 1.), (f64::NAN, 1.), (0., f64::NAN)] {
        assert!(Guidance::default().interval(lowest, highest).is_err(), "{lowest} to {highest}");
    }
}
