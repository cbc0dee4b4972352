//! Draws the captions of scenes with a model, so that the example `judge` can say how much of them it shows:
//!
//! ```text
//! cargo run --example scenes -- scenes --held-out --count 500
//! cargo run --release --example draw_scenes -- scenes drawn --model models/nano
//! cargo run --example judge -- drawn/scenes.jsonl
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use indicatif::ProgressBar;
use ndarray::{Array3, s};
use sdxl::{Conditioning, Error, Guidance, Image, Pipeline, Request, Result, Size};
use serde::Deserialize;

#[derive(Parser)]
struct Arguments {
    /// A folder that the example `scenes` wrote.
    scenes: PathBuf,
    /// The folder to write.
    folder: PathBuf,
    #[arg(long, default_value = "models/nano")]
    model: PathBuf,
    /// A second model that refines what the first one draws.
    #[arg(long)]
    refiner: Option<PathBuf>,
    /// At which part of the steps the refiner takes over.
    #[arg(long, default_value_t = 0.8)]
    switch_at: f64,
    #[arg(long, default_value_t = 25)]
    steps: usize,
    #[arg(long, default_value_t = 4.)]
    guidance: f64,
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The size of the pictures, and what the model is told of the original's size.
    #[arg(long, default_value = "128x128")]
    size: Size,
    #[arg(long)]
    original_size: Option<Size>,
    /// Only the first ones.
    #[arg(long)]
    count: Option<usize>,
    #[arg(long)]
    threads: Option<usize>,
}

/// A line of `scenes.jsonl`; the scene itself is the judge's business.
#[derive(Deserialize)]
struct Line {
    picture: PathBuf,
    caption: String,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(threads) = arguments.threads {
        sdxl::set_threads(threads)?;
    }
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Io { path, source }
    };
    let list = arguments.scenes.join("scenes.jsonl");
    let text = fs::read_to_string(&list).map_err(io(&list))?;
    let rows: Vec<&str> = text.lines().take(arguments.count.unwrap_or(usize::MAX)).collect();
    fs::create_dir_all(&arguments.folder).map_err(io(&arguments.folder))?;
    let pipeline = Pipeline::builder(&arguments.model).build()?;
    let refiner = arguments.refiner.as_ref().map(|path| Pipeline::builder(path).build()).transpose()?;

    let bar = ProgressBar::new(rows.len() as u64);
    let mut images = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let Line { picture, caption } = serde_json::from_str(row).map_err(|error| Error::File {
            path: list.clone(),
            reason: format!("line {}: {error}", index + 1),
        })?;
        let image = draw(&arguments, (&pipeline, refiner.as_ref()), &caption, index as u64)?;
        image.save_png(arguments.folder.join(picture))?;
        images.push(image);
        bar.inc(1);
    }
    bar.finish();
    let copy = arguments.folder.join("scenes.jsonl");
    fs::write(&copy, rows.join("\n") + "\n").map_err(io(&copy))?;
    sheet(images.get(..64).unwrap_or(&images))?.save_png(arguments.folder.join("sheet.png"))
}

fn draw(
    arguments: &Arguments,
    (pipeline, refiner): (&Pipeline, Option<&Pipeline>),
    caption: &str,
    index: u64,
) -> Result<Image> {
    let mut conditioning = Conditioning::builder(caption);
    if let Some(size) = arguments.original_size {
        conditioning = conditioning.original_size(size).negative_original_size(size);
    }
    let request = Request::builder(conditioning.build()?)
        .size(arguments.size)
        .steps(arguments.steps)
        .guidance(Guidance::new(arguments.guidance)?)
        .seed(arguments.seed + index);
    let Some(refiner) = refiner else { return Ok(pipeline.generate(&request.build()?)?.remove(0)) };
    let switch_at = arguments.switch_at;
    let latents = run(pipeline, &request.clone().end_at(switch_at).build()?)?.latents()?;
    Ok(run(refiner, &request.resume(latents, switch_at).build()?)?.images()?.remove(0))
}

fn run(pipeline: &Pipeline, request: &Request) -> Result<sdxl::Sampling> {
    let mut sampling = pipeline.sample(request)?;
    for progress in &mut sampling {
        progress?;
    }
    Ok(sampling)
}

/// Eight pictures in a row.
fn sheet(images: &[Image]) -> Result<Image> {
    let (height, width) = images.first().map_or((1, 1), |image| (image.height(), image.width()));
    let mut pixels = Array3::zeros((images.len().div_ceil(8).max(1) * height, 8 * width, 3));
    for (index, image) in images.iter().enumerate() {
        let (top, left) = (index / 8 * height, index % 8 * width);
        pixels.slice_mut(s![top..top + height, left..left + width, ..]).assign(&image.pixels());
    }
    Image::from_pixels(pixels.view())
}
