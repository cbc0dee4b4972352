//! What inpainting keeps, what it draws, and at which size; `tests/image_to_image.rs` compares it with diffusers.
#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod common;

use common::relative_error;
use ndarray::{Array2, Array3};
use sdxl::pipeline::RequestBuilder;
use sdxl::{Conditioning, Image, Latents, Margins, Mask, NoiseSource, Pipeline, Rectangle, Request, Size};

fn pipeline() -> Pipeline {
    common::tiny("base", "inpaint-behaviour")
}

fn request() -> RequestBuilder {
    Request::builder(Conditioning::builder("a cat").build().unwrap()).steps(4)
}

/// A picture with something everywhere.
fn picture(width: usize, height: usize) -> Image {
    let value = |(row, column, channel): (usize, usize, usize)| {
        ((row * 7 + column * 13 + channel * 61 + row * column / 5) % 256) as u8
    };
    Image::from_pixels(Array3::from_shape_fn((height, width, 3), value).view()).unwrap()
}

/// White in the rectangle, black elsewhere.
fn mask(width: usize, height: usize, white: Rectangle) -> Mask {
    let inside = |(row, column): (usize, usize)| {
        (white.left..white.right).contains(&column) && (white.top..white.bottom).contains(&row)
    };
    Mask::from_shades(Array2::from_shape_fn((height, width), |at| if inside(at) { 255 } else { 0 }).view())
        .unwrap()
}

const NOTHING: Rectangle = Rectangle { left: 0, top: 0, right: 0, bottom: 0 };
const MIDDLE: Rectangle = Rectangle { left: 16, top: 24, right: 48, bottom: 56 };

fn draw(pipeline: &Pipeline, request: RequestBuilder) -> (Vec<Image>, Latents) {
    let mut sampling = pipeline.sample(&request.build().unwrap()).unwrap();
    for progress in &mut sampling {
        progress.unwrap();
    }
    let images = sampling.images().unwrap();
    let size = (images[0].width() as i64, images[0].height() as i64);
    assert_eq!((sampling.size().width, sampling.size().height), size);
    (images, sampling.latents().unwrap())
}

/// The places where two pictures differ.
fn differences(a: &Image, b: &Image) -> Vec<(usize, usize)> {
    let pairs = a.pixels().into_owned().indexed_iter().map(|(at, value)| (at, *value)).collect::<Vec<_>>();
    let differs = |((row, column, channel), value): ((usize, usize, usize), u8)| {
        (b.pixels()[(row, column, channel)] != value).then_some((row, column))
    };
    pairs.into_iter().filter_map(differs).collect()
}

#[test]
fn a_black_mask_keeps_the_picture() {
    let (pipeline, image) = (pipeline(), picture(64, 64));
    let black = || request().inpaint(image.clone(), mask(64, 64, NOTHING)).strength(0.5);
    let (_, latents) = draw(&pipeline, black());
    let encoded =
        pipeline.encode_images(std::slice::from_ref(&image), &mut NoiseSource::new(&[0]).unwrap()).unwrap();
    assert_eq!(relative_error(latents.tensor().unwrap(), encoded.tensor().unwrap()), 0.);
    // Through the autoencoder it is not the same picture; overlaid it is.
    let (drawn, _) = draw(&pipeline, black().overlay(true));
    assert_eq!(drawn[0].pixels(), image.pixels());
    let error = black().padding_mask_crop(8).build().unwrap_err().to_string();
    assert!(error.contains("mask is all black"), "{error}");
}

/// All of the picture repainted is image to image.
#[test]
fn a_white_mask_keeps_nothing() {
    let (pipeline, image) = (pipeline(), picture(64, 64));
    let white = mask(64, 64, Rectangle { left: 0, top: 0, right: 64, bottom: 64 });
    let (_, repainted) =
        draw(&pipeline, request().inpaint(image.clone(), white.clone()).strength(0.5).overlay(true));
    let (_, expected) = draw(&pipeline, request().image(image).strength(0.5));
    assert_eq!(relative_error(repainted.tensor().unwrap(), expected.tensor().unwrap()), 0.);
}

#[test]
fn an_overlay_keeps_every_byte_outside_of_the_mask() {
    let (pipeline, image) = (pipeline(), picture(64, 64));
    let masked = |mask: Mask| request().inpaint(image.clone(), mask).strength(0.9).overlay(true);
    let (drawn, _) = draw(&pipeline, masked(mask(64, 64, MIDDLE)));
    let changed = differences(&drawn[0], &image);
    assert!(changed.len() > 32 * 32, "{}", changed.len());
    assert!(changed.iter().all(|(row, column)| (24..56).contains(row) && (16..48).contains(column)));

    // A soft edge fades; outside of it nothing changes.
    let (soft, _) = draw(&pipeline, masked(mask(64, 64, MIDDLE).blurred(2.).unwrap()));
    let changed = differences(&soft[0], &image);
    assert!(changed.iter().any(|(row, _)| !(24..56).contains(row)));
    assert!(changed.iter().all(|(row, column)| (14..64).contains(row) && (6..58).contains(column)));

    // Without it the autoencoder changes the rest too.
    let (plain, _) = draw(&pipeline, masked(mask(64, 64, MIDDLE)).overlay(false));
    assert!(differences(&plain[0], &image).iter().any(|(row, _)| *row < 8));
}

/// Only the surroundings of the mask are drawn, at the size of the run, and put back at that of the picture.
#[test]
fn a_crop_is_put_back() {
    let (pipeline, image) = (pipeline(), picture(200, 120));
    let white = Rectangle { left: 90, top: 40, right: 110, bottom: 60 };
    let cropped = request().inpaint(image.clone(), mask(200, 120, white)).padding_mask_crop(6);
    let (drawn, latents) = draw(&pipeline, cropped.clone());
    // The model's own size.
    assert_eq!(latents.tensor().unwrap().size(), [1, 4, 8, 8]);
    assert_eq!((drawn[0].width(), drawn[0].height()), (200, 120));
    let changed = differences(&drawn[0], &image);
    assert!(!changed.is_empty());
    assert!(changed.iter().all(|(row, column)| (40..60).contains(row) && (90..110).contains(column)));
    let (drawn, latents) = draw(&pipeline, cropped.size(Size::new(96, 64)).seeds(&[1, 2]));
    assert_eq!((latents.tensor().unwrap().size(), drawn.len()), (vec![2, 4, 8, 12], 2));
}

#[test]
fn crop_regions() {
    let region = |white: Rectangle, size: (u32, u32), padding| {
        let Rectangle { left, top, right, bottom } = mask(128, 96, white).crop_region(size, padding).unwrap();
        (left, top, right, bottom)
    };
    let white = |left, top, right, bottom| Rectangle { left, top, right, bottom };
    // A square for a square; padded; moved off the edge; cut where the picture is too small for the shape.
    assert_eq!(region(white(50, 30, 60, 40), (64, 64), 0), (50, 30, 60, 40));
    assert_eq!(region(white(50, 30, 60, 40), (64, 64), 5), (45, 25, 65, 45));
    assert_eq!(region(white(0, 30, 20, 40), (64, 64), 0), (0, 25, 20, 45));
    assert_eq!(region(white(0, 90, 20, 96), (64, 64), 0), (0, 76, 20, 96));
    assert_eq!(region(white(0, 0, 128, 10), (64, 64), 0), (0, 0, 128, 96));
    assert_eq!(region(white(0, 0, 128, 96), (64, 64), 1000), (0, 0, 128, 96));
}

#[test]
fn outpainting_keeps_the_picture() {
    let (pipeline, image) = (pipeline(), picture(40, 48));
    let margins = Margins { left: 16, top: 0, right: 8, bottom: 16 };
    let (canvas, white) = image.outpainted(margins).unwrap();
    assert_eq!((canvas.width(), canvas.height(), white.shades().dim()), (64, 64, (64, 64)));
    let (drawn, _) = draw(&pipeline, request().outpaint(image.clone(), margins));
    let kept = drawn[0].cropped(Rectangle { left: 16, top: 0, right: 56, bottom: 48 }).unwrap();
    assert_eq!(kept.pixels(), image.pixels());
    assert!(!differences(&drawn[0], &canvas).is_empty());

    for (margins, part) in [
        (Margins::default(), "outpaint is 0,0,0,0"),
        (Margins { left: 3, ..Margins::default() }, "canvas of 43x48"),
        (Margins { left: 20_000, ..Margins::default() }, "up to 16384"),
    ] {
        let error = request().outpaint(image.clone(), margins).build().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

/// Several pictures in one request are drawn as each alone.
#[test]
fn pictures_of_one_request() {
    let pipeline = pipeline();
    let images = [picture(64, 64), picture(64, 64).resized(32, 32).unwrap().resized(64, 64).unwrap()];
    let masks = [mask(64, 64, MIDDLE), mask(64, 64, Rectangle { left: 0, top: 0, right: 30, bottom: 30 })];
    let pairs: Vec<_> = images.iter().cloned().zip(masks.iter().cloned()).collect();
    let (together, _) = draw(&pipeline, request().inpaint_each(pairs.clone()).seed(5).overlay(true));
    assert_eq!(together.len(), 2);
    for (index, (image, mask)) in pairs.into_iter().enumerate() {
        let alone = request().inpaint(image, mask).seed(5 + index as u64).overlay(true);
        let (alone, _) = draw(&pipeline, alone);
        let pixels = together[index].pixels().into_owned();
        // Kernels for larger batches may add in another order.
        assert!(pixels.iter().zip(alone[0].pixels()).all(|(a, b)| a.abs_diff(*b) <= 1), "{index}");
    }
    let (both, _) = draw(&pipeline, request().images(images.to_vec()).seed(5));
    let (second, _) = draw(&pipeline, request().image(images[1].clone()).seed(6));
    assert!(both[1].pixels().iter().zip(second[0].pixels()).all(|(a, b)| a.abs_diff(*b) <= 1));
    let error = request().images(images.to_vec()).batch(3).build().unwrap_err().to_string();
    assert!(error.contains("2 pictures") && error.contains("3"), "{error}");
}
