//! Text to image with progress and Ctrl-C, the same program as `c/text_to_image.c`, `cpp/text_to_image.cpp`
//! and `csharp/TextToImage.cs`:
//!
//! ```text
//! cargo run --example text_to_image -- MODEL "a lighthouse in a storm" lighthouse.png
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use sdxl::{Conditioning, Pipeline, Request, Result};

fn draw(model: &str, prompt: &str, output: &str, steps: usize) -> Result<()> {
    let pipeline = Pipeline::builder(model).build()?;
    let request = Request::builder(Conditioning::builder(prompt).build()?).steps(steps).seed(42).build()?;
    let job = pipeline.start(&request)?;
    while !job.progress().state.is_final() {
        // What is wrong is said below, where the pictures are taken.
        let _ = job.wait(Some(Duration::from_millis(100)));
        let progress = job.progress();
        println!("{} of {}, {:.1} s left", progress.step, progress.of, progress.remaining.as_secs_f64());
    }
    for image in job.take_images()? {
        image.save_png(output)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    let [_, model, prompt, output, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: text_to_image MODEL PROMPT OUTPUT.png [STEPS]");
        return ExitCode::from(2);
    };
    let steps = rest.first().and_then(|steps| steps.parse().ok()).unwrap_or(50);
    match draw(model, prompt, output, steps) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
