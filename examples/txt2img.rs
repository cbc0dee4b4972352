//! Text to image from the command line. The flags are stable; `--help` lists them.
//!
//! ```text
//! cargo run --release --example txt2img -- --model /path/to/sdxl --prompt "a lighthouse in a storm"
//! ```
//!
//! Exit status: 0; 2 for what the flags alone show to be wrong; 1 for anything else.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

#[path = "txt2img/arguments.rs"]
mod arguments;
#[path = "txt2img/report.rs"]
mod report;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use arguments::Arguments;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use report::Report;
use sdxl::{Error, Pipeline, Request, Result, Sampling};

/// What went wrong, and whether the flags alone show it.
enum Failure {
    Usage(Error),
    Run(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Run(error)
    }
}

fn main() -> ExitCode {
    let (status, error) = match run(&Arguments::parse()) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Usage(error)) => (2, error),
        Err(Failure::Run(error)) => (1, error),
    };
    eprintln!("error: {error}");
    ExitCode::from(status)
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let usage = Failure::Usage;
    let conditioning = arguments.conditioning().map_err(usage)?;
    // Checked now, so that a wrong flag is found before the model is read.
    let request = arguments.request(conditioning).map_err(usage)?;
    request.clone().build().map_err(usage)?;
    arguments.precision.check(arguments.device).map_err(usage)?;
    if arguments.scheduler.is_some() {
        arguments.scheduler(&sdxl::Scheduler::builder().build()?).map_err(usage)?;
    }
    if let Some(threads) = arguments.threads {
        sdxl::set_threads(threads).map_err(usage)?;
    }

    let mut report = Report::start();
    let mut builder =
        Pipeline::builder(arguments.model()?).device(arguments.device).precision(arguments.precision);
    if let Some(path) = &arguments.taesd {
        builder = builder.taesd(path);
    }
    let pipeline = builder.build()?;
    report.stage("load");

    let scheduler = arguments.scheduler(pipeline.scheduler())?;
    let mut request = request.scheduler(scheduler);
    if let Some(path) = &arguments.latents_in {
        request = request.initial_noise(sdxl::Latents::open(path)?);
    }
    draw(arguments, &pipeline, &request.build()?, &mut report)?;
    if arguments.json {
        println!("{}", report.json());
    }
    Ok(())
}

fn draw(arguments: &Arguments, pipeline: &Pipeline, request: &Request, report: &mut Report) -> Result<()> {
    let mut sampling = pipeline.sample(request)?;
    for cut in sampling.cut() {
        eprintln!("warning: the prompt is too long for the text encoder, cut off: {cut}");
    }
    report.stage("encode");
    take_steps(&mut sampling)?;
    report.steps(request.steps());
    if let Some(path) = &arguments.latents_out {
        sampling.latents()?.save(path)?;
    }
    let images = sampling.images()?;
    report.stage("decode");
    for (index, image) in images.iter().enumerate() {
        image.save_png(numbered(&arguments.output, index, images.len()))?;
    }
    report.stage("save");
    Ok(())
}

/// All steps, with a bar where a person looks on.
fn take_steps(sampling: &mut Sampling) -> Result<()> {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} steps, {elapsed} elapsed, {eta} left");
    let bar = if std::io::stderr().is_terminal() { ProgressBar::no_length() } else { ProgressBar::hidden() };
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    for progress in sampling {
        let progress = progress?;
        bar.set_length(progress.of as u64);
        bar.set_position(progress.step as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

/// `picture.png`, or `picture-0.png`, `picture-1.png`… for several.
fn numbered(path: &Path, index: usize, count: usize) -> PathBuf {
    if count == 1 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-{index}.png"))
}
