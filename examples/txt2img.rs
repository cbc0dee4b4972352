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
#[path = "txt2img/beginning.rs"]
mod beginning;
#[path = "txt2img/guiding.rs"]
mod guiding;
#[path = "txt2img/lora.rs"]
mod lora;
#[path = "nano/model.rs"]
#[allow(unreachable_pub, reason = "shared by several examples")]
mod model;
#[path = "txt2img/report.rs"]
mod report;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use arguments::Arguments;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use report::Report;
use sdxl::pipeline::RequestBuilder;
use sdxl::{Error, Pipeline, Result, Sampling, Scheduler};

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
    let (status, error) = match checked(&Arguments::parse()) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Usage(error)) => (2, error),
        Err(Failure::Run(error)) => (1, error),
    };
    eprintln!("error: {error}");
    ExitCode::from(status)
}

fn checked(arguments: &Arguments) -> Result<(), Failure> {
    let usage = Failure::Usage;
    let conditioning = arguments.conditioning().map_err(usage)?;
    // Checked now, so that a wrong flag is found before the model is read.
    let request = arguments.request(conditioning).map_err(usage)?;
    request.clone().end_at(arguments.switch_at().map_err(usage)?).build().map_err(usage)?;
    arguments.precision.check(arguments.device).map_err(usage)?;
    if arguments.scheduler.is_some() {
        arguments.scheduler(&Scheduler::builder().build()?).map_err(usage)?;
    }
    if let Some(threads) = arguments.threads {
        sdxl::set_threads(threads).map_err(usage)?;
    }
    draw(arguments, request)?;
    Ok(())
}

fn draw(arguments: &Arguments, mut request: RequestBuilder) -> Result<()> {
    let mut report = Report::start();
    request = arguments.beginning.read(request)?;
    let switch_at = arguments.switch_at()?;
    let base = request.clone().end_at(switch_at);
    // Files that do not go together, and a folder that is not there, are found before the model is read.
    base.clone().build()?;
    check_folder(&arguments.output)?;
    let pipeline = load(arguments, &arguments.model()?, Stage::Base)?;
    report.stage("load");
    let mut sampling = run(arguments, &pipeline, base, &mut report)?;
    if let Some(path) = &arguments.refiner {
        let (latents, draws) = (sampling.latents()?, sampling.draws());
        drop((sampling, pipeline));
        let refiner = load(arguments, path, Stage::Refiner)?;
        report.stage("load_refiner");
        // The noise goes on where the base has stopped.
        let second = request.resume(latents, switch_at).skip_draws(draws);
        sampling = run(arguments, &refiner, second, &mut report)?;
    }
    if let Some(path) = &arguments.latents_out {
        sampling.latents()?.save(path)?;
    }
    let images = sampling.images()?;
    report.stage("decode");
    for (index, image) in images.iter().enumerate() {
        image.save_png(numbered(&arguments.output, index, images.len()))?;
    }
    report.stage("save");
    if arguments.json {
        println!("{}", report.json());
    }
    Ok(())
}

fn check_folder(file: &Path) -> Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match folder.metadata() {
        Ok(_) => Ok(()),
        Err(source) => Err(Error::Io { path: file.to_owned(), source }),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Base,
    Refiner,
}

/// Adapters and another UNet are made for the base, whose layers the refiner does not have.
fn load(arguments: &Arguments, path: &Path, stage: Stage) -> Result<Pipeline> {
    let mut builder = Pipeline::builder(path)
        .device(arguments.device)
        .precision(arguments.precision)
        .vae_tiling(arguments.vae_tiling)
        .stream_text_encoders(!arguments.keep_text_encoders);
    if let Some(path) = &arguments.taesd {
        builder = builder.taesd(path);
    }
    if let Some(path) = &arguments.vae {
        builder = builder.vae(path);
    }
    if stage == Stage::Base {
        if let Some(path) = &arguments.unet {
            builder = builder.unet(path);
        }
        builder = arguments.loras.apply(builder)?;
        for path in &arguments.embeddings {
            builder = builder.embedding(path);
        }
    }
    let pipeline = builder.build()?;
    for lora in pipeline.loras().filter(|lora| !lora.unmatched.is_empty()) {
        let (file, keys) = (lora.lora.lora().path().display(), lora.unmatched.join(", "));
        eprintln!("warning: {file}: left out, as it fits no layer: {keys}");
    }
    Ok(pipeline)
}

/// All steps of one model.
fn run(
    arguments: &Arguments,
    pipeline: &Pipeline,
    request: RequestBuilder,
    report: &mut Report,
) -> Result<Sampling> {
    let request = request.scheduler(arguments.scheduler(pipeline.scheduler())?).build()?;
    let mut sampling = pipeline.sample(&request)?;
    for cut in sampling.cut() {
        eprintln!("warning: the prompt is too long for the text encoder, cut off: {cut}");
    }
    report.stage("encode");
    let steps = take_steps(&mut sampling)?;
    report.steps(steps);
    Ok(sampling)
}

/// All steps, with a bar where a person looks on.
fn take_steps(sampling: &mut Sampling) -> Result<usize> {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} steps, {elapsed} elapsed, {eta} left");
    let bar = if std::io::stderr().is_terminal() { ProgressBar::no_length() } else { ProgressBar::hidden() };
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut steps = 0;
    for progress in sampling {
        let progress = progress?;
        steps = progress.step;
        bar.set_length(progress.of as u64);
        bar.set_position(progress.step as u64);
    }
    bar.finish_and_clear();
    Ok(steps)
}

/// `picture.png`, or `picture-0.png`, `picture-1.png`… for several.
fn numbered(path: &Path, index: usize, count: usize) -> PathBuf {
    if count == 1 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-{index}.png"))
}
