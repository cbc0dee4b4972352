//! The real TAESDXL weights on real photographs: the round trip loses little.
//!
//! The weights and photographs are in the folder of assets, whose README states the figures that were
//! measured with another implementation, to one decimal: astronaut 22.3 dB, coffee 25.8 dB at 256 pixels. The
//! others are what this library gave when the test was written.

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod common;

use std::path::Path;

use image::imageops::{FilterType, resize};
use ndarray::ArrayView3;
use sdxl::vae::AutoencoderTiny;
use sdxl::{Device, Image, Precision};
use tch::Kind;

/// The photograph with its shorter side at 256 pixels, cropped to a square from the centre.
fn photograph(path: &Path) -> Image {
    let photo = image::open(path).unwrap().into_rgb8();
    let side = photo.width().min(photo.height());
    let (left, top) = ((photo.width() - side) / 2, (photo.height() - side) / 2);
    let square = image::imageops::crop_imm(&photo, left, top, side, side).to_image();
    let small = resize(&square, 256, 256, FilterType::Lanczos3);
    Image::from_pixels(ArrayView3::from_shape((256, 256, 3), small.as_raw()).unwrap()).unwrap()
}

fn taesdxl(assets: &Path, test: &str) -> AutoencoderTiny {
    let folder = common::headers::scratch(&format!("taesdxl-{test}"));
    for side in ["encoder", "decoder"] {
        let file = format!("taesdxl_{side}.safetensors");
        std::fs::copy(assets.join("weights/taesd").join(&file), folder.join(&file)).unwrap();
    }
    AutoencoderTiny::open(&folder, Device::Cpu, Precision::F32).unwrap()
}

/// In strips as whole, at a size that is cut.
#[test]
fn strips_are_exact() {
    let Some(assets) = common::assets() else { return };
    let vae = taesdxl(&assets, "strips");
    let photograph = Image::open(assets.join("photos/china.jpg")).unwrap().resized(960, 640).unwrap();
    let image = photograph.to_tensor().unwrap();
    let latents = vae.encode(&image).unwrap();
    assert_eq!(vae.encode_tiled(&image).unwrap(), latents);
    let (tiled, whole) = (vae.decode_tiled(&latents).unwrap(), vae.decode(&latents).unwrap());
    assert_eq!((tiled - whole).abs().max().double_value(&[]), 0.);
}

#[test]
fn photographs_survive_the_round_trip() {
    let Some(assets) = common::assets() else { return };
    let vae = taesdxl(&assets, "round-trip");
    for (file, least) in [
        ("astronaut.png", 22.3),
        ("coffee.png", 25.8),
        ("chelsea.png", 26.4),
        ("rocket.jpg", 28.1),
        ("flower.jpg", 24.5),
        ("china.jpg", 20.2),
        ("grace_hopper.jpg", 22.4),
        ("hubble_deep_field.jpg", 22.1),
    ] {
        let image = photograph(&assets.join("photos").join(file)).to_tensor().unwrap();
        let latents = vae.encode(&image).unwrap();
        assert_eq!(latents.size(), [1, 4, 32, 32]);
        let back = vae.decode(&latents).unwrap().clamp(-1., 1.);
        // Of pixels in [0, 1].
        let error = ((back - &image) / 2.).square().mean(Kind::Float).double_value(&[]);
        let psnr = -10. * error.log10();
        eprintln!("{file}: {psnr:.2} dB");
        assert!(psnr >= least - 0.05, "{file}: {psnr:.2} dB, at least {least} expected");
    }
}
