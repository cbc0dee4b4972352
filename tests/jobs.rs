//! Jobs: drawn on the pipeline's thread, the same pictures as without; watched, cancelled, and what they carry.
#![cfg(test)]

mod common;

use std::sync::mpsc::channel;
use std::time::Duration;

use common::c::base;
use sdxl::pipeline::{Flow, JobState, Output};
use sdxl::{Conditioning, Error, Image, Pipeline, PixelFormat, PixelLayout, Request, RowOrder};

fn pipeline() -> Pipeline {
    Pipeline::builder(base()).build().unwrap()
}

fn request(steps: usize) -> Request {
    Request::builder(Conditioning::builder("a cat").build().unwrap()).steps(steps).seed(5).build().unwrap()
}

#[test]
fn a_job_draws_what_generate_draws() {
    let pipeline = pipeline();
    let job = pipeline.start(&request(3)).unwrap();
    job.wait(None).unwrap();
    let progress = job.progress();
    assert_eq!((progress.state, progress.step, progress.of, progress.sigma), (JobState::Finished, 3, 3, 0.));
    assert_eq!(job.image_count(), 1);
    assert_eq!(job.take_images().unwrap(), pipeline.generate(&request(3)).unwrap());
    assert_eq!(job.take_images().unwrap(), []);
    assert!(job.preview().unwrap().is_empty());
}

#[test]
fn an_observer_sees_every_step_and_may_cancel() {
    let pipeline = pipeline();
    let (sender, seen) = channel();
    let job = pipeline.job(&request(5)).on_progress(move |progress| {
        sender.send((progress.step, progress.of)).unwrap();
        if progress.step == 2 { Flow::Cancel } else { Flow::Continue }
    });
    let job = job.start().unwrap();
    assert!(matches!(job.wait(None), Err(Error::Cancelled)));
    assert_eq!(seen.iter().collect::<Vec<_>>(), [(0, 5), (1, 5), (2, 5)]);
    assert!(matches!(job.take_images(), Err(Error::Cancelled)));
    assert!(matches!(job.latents(), Err(Error::Cancelled)));
}

#[test]
fn a_panic_of_an_observer_is_an_error_of_its_job_alone() {
    let pipeline = pipeline();
    let expected = pipeline.generate(&request(2)).unwrap();
    let job = pipeline.job(&request(2)).on_progress(|_| panic!("this is the observer's")).start().unwrap();
    let error = job.wait(None).unwrap_err();
    assert_eq!(error.to_string(), "internal error: this is the observer's");
    // Again and again.
    assert_eq!(job.wait(None).unwrap_err().to_string(), error.to_string());
    assert_eq!(job.progress().state, JobState::Failed);
    // The next one draws what a fresh pipeline draws.
    let next = pipeline.start(&request(2)).unwrap();
    next.wait(None).unwrap();
    assert_eq!(next.take_images().unwrap()[0].pixels(), expected[0].pixels());
}

#[test]
fn what_does_not_end_has_latents_alone() {
    let pipeline = pipeline();
    let builder = Request::builder(Conditioning::builder("a cat").build().unwrap()).steps(4);
    let part = pipeline.start(&builder.clone().end_at(0.5).build().unwrap()).unwrap();
    part.wait(None).unwrap();
    assert_eq!((part.image_count(), part.progress().of), (0, 2));
    // The rest of the same schedule gives the picture of the whole.
    let rest = builder.clone().resume(part.latents().unwrap(), 0.5).build().unwrap();
    let whole = pipeline.generate(&builder.clone().build().unwrap()).unwrap();
    let resumed = pipeline.generate(&rest).unwrap();
    assert_eq!(resumed[0].pixels(), whole[0].pixels());

    let latents = pipeline.job(&builder.build().unwrap()).output(Output::Latents).start().unwrap();
    latents.wait(None).unwrap();
    assert_eq!(latents.image_count(), 0);
    assert_eq!(pipeline.decode(&latents.latents().unwrap()).unwrap()[0].pixels(), whole[0].pixels());
}

#[test]
fn a_prompt_that_is_too_long_is_reported() {
    let conditioning = Conditioning::builder("cat ".repeat(100)).build().unwrap();
    let job = pipeline().start(&Request::builder(conditioning).steps(1).build().unwrap()).unwrap();
    job.wait(None).unwrap();
    // Of the tokenizers of both encoders.
    assert_eq!(job.cut(), ["cat ".repeat(25).trim_end(); 2]);
}

#[test]
fn dropping_a_job_ends_it() {
    let pipeline = pipeline();
    drop(pipeline.start(&request(900)).unwrap());
    // This one waits behind it.
    pipeline.start(&request(1)).unwrap().wait(Some(Duration::from_secs(60))).unwrap();
}

#[test]
fn pixels_have_a_layout() {
    let pixels = ndarray::Array3::from_shape_fn((2, 2, 3), |(row, column, channel)| {
        (100 * row + 10 * column + channel) as u8
    });
    let image = Image::from_pixels(pixels.view()).unwrap();
    let layout = PixelLayout { format: PixelFormat::Bgra8, row_order: RowOrder::BottomUp, stride: 9 };
    let mut bytes = [7; 17];
    image.write_bytes(layout, &mut bytes).unwrap();
    assert_eq!(bytes, [102, 101, 100, 255, 112, 111, 110, 255, 7, 2, 1, 0, 255, 12, 11, 10, 255]);
    assert_eq!(Image::from_bytes(2, 2, layout, &bytes).unwrap(), image);
    let error = image.write_bytes(layout, &mut bytes[..16]).unwrap_err().to_string();
    assert_eq!(error, "pixels is 16 bytes, expected at least 17 bytes");
    let error = image.write_bytes(PixelLayout { stride: 7, ..layout }, &mut bytes).unwrap_err().to_string();
    assert_eq!(error, "stride is 7, expected 0 or at least 8 bytes, those of a row");
}
