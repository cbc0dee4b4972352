//! Measures on `models/nano` what the SDXL paper claims of its parts, and prints tables in Markdown:
//!
//! ```text
//! scripts/sprites
//! cargo run --release --example claims -- FOLDER --model models/nano --refiner models/nano-refiner > claims.md
//! ```
//!
//! `FOLDER` gets the figures. All prompts are captions of scenes that training never shows; every one that is drawn
//! counts. Each claim is a module: [`size`], [`crop`], [`aspects`], [`refiner`], [`autoencoder`].
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

#[path = "claims/aspects.rs"]
mod aspects;
#[path = "claims/autoencoder.rs"]
mod autoencoder;
#[path = "claims/crop.rs"]
mod crop;
#[path = "nano/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared by several examples")]
mod nano;
#[path = "claims/refiner.rs"]
mod refiner;
#[path = "claims/size.rs"]
mod size;

use std::fs;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use indicatif::ProgressBar;
use nano::caption::Wording;
use nano::composer::{Composer, Split};
use nano::model::default_model;
use nano::scene::Scene;
use nano::sheet::sheet;
use nano::sprites::{Sprites, default_folder};
use nano::stages::Stages;
use sdxl::conditioning::ConditioningBuilder;
use sdxl::{Conditioning, Error, Guidance, Image, Request, Result, Size};

#[derive(Parser)]
struct Arguments {
    /// The folder for the figures.
    folder: PathBuf,
    /// [default: models/nano]
    #[arg(long)]
    model: Option<PathBuf>,
    /// The second stage; without one it is not measured.
    #[arg(long)]
    refiner: Option<PathBuf>,
    /// Scenes for each line of a table.
    #[arg(long, default_value_t = 100)]
    count: usize,
    #[arg(long, default_value_t = 25)]
    steps: usize,
    #[arg(long, default_value_t = 4.)]
    guidance: f64,
    /// What is measured.
    #[arg(long, value_delimiter = ',', default_value = "size,crop,aspects,refiner,autoencoder")]
    only: Vec<Claim>,
    /// Threads of the CPU [default: all cores]
    #[arg(long)]
    threads: Option<usize>,
    /// The sprite pack, if it is not where `scripts/sprites` puts it.
    #[arg(long)]
    pack: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Claim {
    Size,
    Crop,
    Aspects,
    Refiner,
    Autoencoder,
}

/// Pictures in a column of a figure.
const SHOWN: usize = 6;

/// What all measurements need.
struct Context {
    arguments: Arguments,
    model: PathBuf,
    sprites: Sprites,
    bar: ProgressBar,
}

impl Context {
    /// That many scenes of those that are wanted, from a stream of what training never shows.
    fn scenes(&self, seed: u64, wanted: impl Fn(&Scene) -> bool) -> Vec<Scene> {
        let composer = Composer::new(&self.sprites, seed, Split::HeldOut);
        (0..).map_while(|index| composer.scene(index)).filter(wanted).take(self.arguments.count).collect()
    }

    /// The base alone.
    fn base(&self) -> Result<Stages> {
        Stages::open(&self.model, None)
    }

    /// Draws a scene's caption.
    fn draw(
        &self,
        stages: &Stages,
        (scene, seed): (&Scene, u64),
        size: Size,
        told: impl FnOnce(ConditioningBuilder) -> ConditioningBuilder,
    ) -> Result<Image> {
        let conditioning = told(Conditioning::builder(scene.caption(Wording::FULL))).build()?;
        let request = Request::builder(conditioning)
            .size(size)
            .steps(self.arguments.steps)
            .guidance(Guidance::new(self.arguments.guidance)?)
            .seed(seed);
        self.bar.inc(1);
        stages.draw(request)
    }

    /// Saves the first lines of pictures, and prints where.
    fn figure(&self, name: &str, lines: &[Vec<Image>]) -> Result<()> {
        let shown = lines.get(..SHOWN).unwrap_or(lines);
        let columns = shown.first().map_or(1, Vec::len);
        let images: Vec<Image> = shown.iter().flatten().cloned().collect();
        sheet(&images, columns)?.save_png(self.arguments.folder.join(format!("{name}.png")))?;
        println!("![{name}]({name}.png)\n");
        Ok(())
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(threads) = arguments.threads {
        sdxl::set_threads(threads)?;
    }
    let folder = &arguments.folder;
    fs::create_dir_all(folder).map_err(|source| Error::Io { path: folder.clone(), source })?;
    let context = Context {
        model: arguments.model.clone().map_or_else(default_model, Ok)?,
        sprites: Sprites::open_curated(&arguments.pack.clone().unwrap_or_else(default_folder))?,
        bar: ProgressBar::no_length(),
        arguments,
    };
    for claim in &context.arguments.only {
        match claim {
            Claim::Size => size::measure(&context)?,
            Claim::Crop => crop::measure(&context)?,
            Claim::Aspects => aspects::measure(&context)?,
            Claim::Refiner => refiner::measure(&context)?,
            Claim::Autoencoder => autoencoder::measure(&context)?,
        }
    }
    Ok(())
}
