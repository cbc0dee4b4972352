//! Writes a model folder with random weights, from the configuration files of another one:
//!
//! ```text
//! cargo run --example random_model -- tests/models/base /path/to/model
//! ```

use std::path::PathBuf;

use clap::Parser;
use sdxl::{Precision, pipeline::write_random_model};

#[derive(Parser)]
struct Arguments {
    /// A diffusers folder; its configuration files are enough.
    configs: PathBuf,
    /// The folder to write.
    target: PathBuf,
    /// Decides the weights.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The type of the weights: f32, f16 or bf16.
    #[arg(long, default_value = "f16")]
    dtype: Precision,
}

fn main() -> sdxl::Result<()> {
    let arguments = Arguments::parse();
    write_random_model(arguments.configs, arguments.target, arguments.seed, arguments.dtype)
}
