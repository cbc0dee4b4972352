//! Draws the captions of scenes with a model, so that the example `judge` can say how much of them it shows:
//!
//! ```text
//! cargo run --example scenes -- scenes --held-out --count 500
//! cargo run --release --example draw_scenes -- scenes drawn --model models/nano
//! cargo run --example judge -- drawn/scenes.jsonl
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

#[path = "nano/sheet.rs"]
#[allow(unreachable_pub, reason = "shared by several examples")]
mod sheet;
#[path = "nano/stages.rs"]
#[allow(unreachable_pub, reason = "shared by several examples")]
mod stages;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use indicatif::ProgressBar;
use sdxl::{Conditioning, Error, Guidance, Image, Request, Result, Size};
use serde::Deserialize;
use sheet::sheet;
use stages::Stages;

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
    let mut stages = Stages::open(&arguments.model, arguments.refiner.as_deref())?;
    stages.switch_at = arguments.switch_at;

    let bar = ProgressBar::new(rows.len() as u64);
    let mut images = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let Line { picture, caption } = serde_json::from_str(row).map_err(|error| Error::File {
            path: list.clone(),
            reason: format!("line {}: {error}", index + 1),
        })?;
        let image = draw(&arguments, &stages, &caption, index as u64)?;
        image.save_png(arguments.folder.join(picture))?;
        images.push(image);
        bar.inc(1);
    }
    bar.finish();
    let copy = arguments.folder.join("scenes.jsonl");
    fs::write(&copy, rows.join("\n") + "\n").map_err(io(&copy))?;
    sheet(images.get(..64).unwrap_or(&images), 8)?.save_png(arguments.folder.join("sheet.png"))
}

fn draw(arguments: &Arguments, stages: &Stages, caption: &str, index: u64) -> Result<Image> {
    let mut conditioning = Conditioning::builder(caption);
    if let Some(size) = arguments.original_size {
        conditioning = conditioning.original_size(size).negative_original_size(size);
    }
    let request = Request::builder(conditioning.build()?)
        .size(arguments.size)
        .steps(arguments.steps)
        .guidance(Guidance::new(arguments.guidance)?)
        .seed(arguments.seed + index);
    stages.draw(request)
}
