//! Draws the prompts of a file, and a contact sheet of the pictures:
//!
//! ```text
//! cargo run --example demo -- FOLDER
//! ```
//!
//! Each line of the file is a prompt; a size before it, as in `160x96 a fox`, is that of its picture. `FOLDER` gets
//! `00.png`, `01.png`… in the order of the prompts, and `sheet.png`, eight pictures a row.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

#[path = "nano/model.rs"]
#[allow(unreachable_pub, reason = "shared by several examples")]
mod model;
#[path = "nano/sheet.rs"]
#[allow(unreachable_pub, reason = "shared by several examples")]
mod sheet;
#[path = "nano/stages.rs"]
#[allow(unreachable_pub, reason = "shared by several examples")]
mod stages;

use std::fs;
use std::path::PathBuf;

use clap::Parser;
use indicatif::ProgressBar;
use model::default_model;
use sdxl::{Conditioning, Error, Guidance, Request, Result, Size};
use sheet::sheet;
use stages::Stages;

#[derive(Parser)]
struct Arguments {
    /// The folder to write.
    folder: PathBuf,
    /// [default: models/nano]
    #[arg(long)]
    model: Option<PathBuf>,
    /// A second model that refines what the first one draws.
    #[arg(long)]
    refiner: Option<PathBuf>,
    /// The prompts, one a line.
    #[arg(long, default_value = "models/nano/prompts.txt")]
    prompts: PathBuf,
    #[arg(long, default_value_t = 20)]
    steps: usize,
    #[arg(long, default_value_t = 3.)]
    guidance: f64,
    /// Seed of the first picture; the others follow.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads of the CPU [default: all cores]
    #[arg(long)]
    threads: Option<usize>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(threads) = arguments.threads {
        sdxl::set_threads(threads)?;
    }
    let path = &arguments.prompts;
    let text = fs::read_to_string(path).map_err(|source| Error::Io { path: path.clone(), source })?;
    let prompts: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let model = arguments.model.clone().map_or_else(default_model, Ok)?;
    let stages = Stages::open(&model, arguments.refiner.as_deref())?;

    let folder = &arguments.folder;
    fs::create_dir_all(folder).map_err(|source| Error::Io { path: folder.clone(), source })?;
    let bar = ProgressBar::new(prompts.len() as u64);
    let mut images = Vec::new();
    for (prompt, index) in prompts.iter().zip(0..) {
        let (prompt, size) = sized(prompt);
        let mut request = Request::builder(Conditioning::builder(prompt).build()?)
            .steps(arguments.steps)
            .guidance(Guidance::new(arguments.guidance)?)
            .seed(arguments.seed + index);
        if let Some(size) = size {
            request = request.size(size);
        }
        let image = stages.draw(request)?;
        image.save_png(folder.join(format!("{index:02}.png")))?;
        images.push(image);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let path = folder.join("sheet.png");
    sheet(&images, 8)?.save_png(&path)?;
    println!("{}", path.display());
    Ok(())
}

/// A prompt, and the size that stands before it.
fn sized(line: &str) -> (&str, Option<Size>) {
    let parts = line.split_once(' ').and_then(|(size, prompt)| Some((prompt, size.parse().ok()?)));
    parts.map_or((line, None), |(prompt, size)| (prompt, Some(size)))
}
