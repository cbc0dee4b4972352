//! Trains the UNet (with its text encoders, or without), the autoencoder or the refiner of a model on a folder of
//! pictures with captions:
//!
//! ```text
//! cargo run --release --example train -- vae  --model CONFIGS --data PICTURES --output OUT
//! cargo run --release --example train -- unet --model OUT/step-00010000 --data PICTURES --output OUT2 --train-text
//! ```
//!
//! With `--lora 8` the model stays as it is, and a LoRA of rank 8 is trained on top of it.
//!
//! `--model` is a model folder in diffusers' layout; parts without weights begin from scratch. The output folder gets
//! `step-…` (models, the newest ones), `loss.csv`, `loss.png` and, for a UNet, `samples-….png`. The same command again
//! goes on from the newest checkpoint.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

#[path = "train/arguments.rs"]
mod arguments;
#[path = "train/autoencoder.rs"]
mod autoencoder;
#[path = "train/diffusion.rs"]
mod diffusion;
#[path = "train/log.rs"]
mod log;
#[path = "train/parts.rs"]
mod parts;
#[path = "nano/sheet.rs"]
#[allow(unreachable_pub, reason = "shared by several examples")]
mod sheet;

use std::path::Path;
use std::process::ExitCode;

use arguments::{Arguments, Part};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use log::Log;
use sdxl::training::{Checkpoints, StepReport, Trainer};
use sdxl::{Precision, Result};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let trained = match &arguments.part {
        Part::Vae(part) => autoencoder::train(&arguments.common, part),
        Part::Unet(part) => diffusion::train(&arguments.common, part),
    };
    match trained {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Makes the steps that are left, with a checkpoint at every interval and at the end. `step` makes one; `saved` is
/// told of each checkpoint.
fn run(
    common: &arguments::Common,
    trainer: &mut Trainer,
    mut step: impl FnMut(&mut Trainer) -> Result<StepReport>,
    saved: impl Fn(&Trainer, &Path) -> Result<()>,
) -> Result<()> {
    let checkpoints = Checkpoints::new(&common.output, common.keep)?;
    if checkpoints.resume(trainer)? {
        println!("goes on at step {}", trainer.steps());
    }
    let mut log = Log::open(&common.output, trainer.steps())?;
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed}<{eta} {msg}");
    let bar =
        ProgressBar::new(common.steps).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_position(trainer.steps());
    bar.reset_eta();
    while trainer.steps() < common.steps {
        let report = step(trainer)?;
        log.add(report)?;
        bar.set_position(report.step);
        bar.set_message(format!("loss {:.4}, gradient {:.2}", log.smooth(), report.gradient_norm));
        if report.step % common.every == 0 || report.step == common.steps {
            let folder = checkpoints.save(trainer, &common.model, Precision::F32)?;
            log.draw()?;
            let line = format!("step {}: loss {:.4}, {}", report.step, log.smooth(), folder.display());
            // A hidden bar, as in a log file, hides its lines too.
            if bar.is_hidden() {
                println!("{line}")
            } else {
                bar.println(line)
            }
            saved(trainer, &folder)?;
        }
    }
    bar.finish();
    Ok(())
}
