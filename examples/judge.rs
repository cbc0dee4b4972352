//! Measures how much of their scenes pictures show, and how well it measures that.
//!
//! ```text
//! cargo run --example judge -- pictures.jsonl
//! cargo run --example judge -- --validate 500
//! ```
//!
//! Each line of the file is an object with `picture`, a path beside the file, and `scene`; the example `scenes` writes
//! such a file. `--validate` judges scenes as they are composed, and the same scenes with worse pictures.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

#[path = "nano/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared by several examples")]
mod nano;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use nano::composer::{Composer, Split};
use nano::judge::Judge;
use nano::layout::SIZES;
use nano::palette::Style;
use nano::random::Random;
use nano::scene::Scene;
use nano::sprites::{CURATED_STYLES, Sprites, curated, default_folder};
use nano::tally::{Table, Tally};
use ndarray::Array3;
use sdxl::config::AutoencoderTinyConfig;
use sdxl::vae::AutoencoderTiny;
use sdxl::weights::Checkpoint;
use sdxl::{Device, Error, Image, Precision, Result};
use serde::Deserialize;

#[derive(Parser)]
struct Arguments {
    /// Pictures and their scenes.
    #[arg(required_unless_present = "validate")]
    file: Option<PathBuf>,
    /// Judges that many composed scenes instead.
    #[arg(long)]
    validate: Option<u64>,
    /// With `--validate`: also pictures that went through a tiny autoencoder.
    #[arg(long)]
    taesd: Option<PathBuf>,
    /// All objects instead of the curated ones.
    #[arg(long)]
    all: bool,
    /// The styles among which is chosen; all, or those of the curated objects.
    #[arg(long, value_delimiter = ',', value_parser = style)]
    styles: Vec<Style>,
    /// The sprite pack, if it is not where `scripts/sprites` puts it.
    #[arg(long)]
    pack: Option<PathBuf>,
}

/// A line of the file.
#[derive(Deserialize)]
struct Line {
    picture: PathBuf,
    scene: Scene,
}

fn style(name: &str) -> Result<Style, String> {
    let found = Style::ALL.into_iter().find(|style| style.name() == name);
    found.ok_or_else(|| "expected flat, glossy, 3d, detailed, blob or silhouette".to_owned())
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let pack = arguments.pack.clone().unwrap_or_else(default_folder);
    let names: Vec<&str> = curated().collect();
    let styles = match (&arguments.styles[..], arguments.all) {
        ([], true) => &Style::ALL[..],
        ([], false) => &CURATED_STYLES[..],
        (styles, _) => styles,
    };
    let sprites = Sprites::open(&pack, |object, style| {
        (arguments.all || names.contains(&object.name.as_str())) && styles.contains(&style)
    })?;
    let judge = Judge::new(&sprites);
    match (&arguments.file, arguments.validate) {
        (Some(file), _) => judge_file(&judge, file),
        (None, count) => validate(&judge, &sprites, count.unwrap_or(100), arguments.taesd.as_deref()),
    }
}

fn judge_file(judge: &Judge<'_>, file: &Path) -> Result<()> {
    let text = fs::read_to_string(file).map_err(|source| Error::Io { path: file.to_owned(), source })?;
    let mut tally = Tally::default();
    for line in text.lines() {
        let line: Line = serde_json::from_str(line)
            .map_err(|error| Error::File { path: file.to_owned(), reason: error.to_string() })?;
        let image = Image::open(file.with_file_name("").join(line.picture))?;
        tally.add(&judge.judge(&image, &line.scene));
    }
    print!("{}", Table(&[("pictures".to_owned(), tally)]));
    Ok(())
}

fn validate(judge: &Judge<'_>, sprites: &Sprites, count: u64, taesd: Option<&Path>) -> Result<()> {
    let vae = match taesd {
        Some(path) => Some(Checkpoint::tiny(path)?.load(Device::Cpu, Precision::F32, |weights| {
            AutoencoderTiny::load(weights, &AutoencoderTinyConfig::default())
        })?),
        None => None,
    };
    let mut tallies: Vec<(String, Tally)> = Vec::new();
    let mut confused: BTreeMap<String, u32> = BTreeMap::new();
    let composer = Composer::new(sprites, 7, Split::Training);
    for index in 0..count {
        let Some(scene) = composer.scene(index) else { continue };
        let (width, height) = SIZES.get(index as usize % SIZES.len()).copied().unwrap_or((128, 128));
        let image = sprites.render(&scene, width, height)?;
        let mut pictures = vec![
            ("composed", image.clone()),
            ("blurred", blurred(&image)?),
            ("noisy", noisy(&image, index, 12.)?),
            ("both", noisy(&blurred(&image)?, index, 12.)?),
        ];
        if let Some(vae) = &vae {
            let latents = vae.encode(&image.to_tensor()?)?;
            pictures.extend(
                Image::from_tensor(&vae.decode(&latents)?)?.into_iter().map(|image| ("taesd", image)),
            );
        }
        for (name, image) in pictures {
            let verdict = judge.judge(&image, &scene);
            match tallies.iter_mut().find(|(known, _)| known == name) {
                Some((_, tally)) => tally.add(&verdict),
                None => {
                    let mut tally = Tally::default();
                    tally.add(&verdict);
                    tallies.push((name.to_owned(), tally));
                }
            }
            if name == "composed" && (verdict.objects < 1. || !verdict.number) {
                for object in scene.objects() {
                    *confused.entry(object.to_owned()).or_default() += 1;
                }
            }
        }
    }
    print!("{}", Table(&tallies));
    let mut confused: Vec<(String, u32)> = confused.into_iter().collect();
    confused.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    if !confused.is_empty() {
        let names: Vec<String> =
            confused.iter().take(12).map(|(name, count)| format!("{name} ({count})")).collect();
        eprintln!("objects of composed scenes that were not counted or recognised: {}", names.join(", "));
    }
    Ok(())
}

/// At half the size and back.
fn blurred(image: &Image) -> Result<Image> {
    let (width, height) = (image.width() as u32, image.height() as u32);
    image.resized(width / 2, height / 2)?.resized(width, height)
}

/// With another brightness and noise of that standard deviation.
fn noisy(image: &Image, seed: u64, deviation: f64) -> Result<Image> {
    let mut random = Random::new(seed, 1);
    let shift = 8. * random.signed();
    let mut pixels: Array3<u8> = image.pixels().to_owned();
    for value in &mut pixels {
        // The sum of three has a variance of 1.
        let noise = random.signed() + random.signed() + random.signed();
        *value = (f64::from(*value) + shift + deviation * noise).round().clamp(0., 255.) as u8;
    }
    Image::from_pixels(pixels.view())
}
