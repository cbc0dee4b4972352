//! Writes scenes of the data set as pictures with captions, and a sheet of the first 256:
//!
//! ```text
//! scripts/sprites
//! cargo run --example scenes -- FOLDER --count 64
//! ```
//!
//! `FOLDER` gets `00000.png` and `00000.txt` for each scene, `scenes.jsonl` for the example `judge`, and
//! `sheet/sheet.png`, whose captions, row by row, are in `sheet/sheet.txt`. With `--objects` it gets a sheet of the sprites instead: six styles of
//! an object side by side.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

#[path = "nano/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared by several examples")]
mod nano;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use nano::caption::Wording;
use nano::composer::{Composer, Split};
use nano::layout::SIZES;
use nano::noun::Noun;
use nano::palette::{Colour, Style};
use nano::random::Random;
use nano::scene::{Arrangement, Scene};
use nano::sheet::sheet;
use nano::sprites::{Sprites, default_folder};
use ndarray::Array3;
use sdxl::{Error, Image, Result};

#[derive(Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
struct Arguments {
    /// The folder to write.
    folder: PathBuf,
    #[arg(long, default_value_t = 64)]
    count: u64,
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Scenes that training never shows.
    #[arg(long)]
    held_out: bool,
    /// All objects instead of the curated ones.
    #[arg(long)]
    all: bool,
    /// Pictures of several aspects instead of 128 x 128.
    #[arg(long)]
    aspects: bool,
    /// Pictures of any aspect up to 1.8 and of a third to twice the usual number of pixels, to train on.
    #[arg(long)]
    varied: bool,
    /// A sheet of all objects instead of scenes.
    #[arg(long)]
    objects: bool,
    /// The sprite pack, if it is not where `scripts/sprites` puts it.
    #[arg(long)]
    pack: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let folder = &arguments.folder;
    fs::create_dir_all(folder).map_err(|source| Error::Io { path: folder.clone(), source })?;
    let pack = arguments.pack.clone().unwrap_or_else(default_folder);
    let sprites =
        if arguments.all { Sprites::open(&pack, |_, _| true) } else { Sprites::open_curated(&pack) }?;
    if arguments.objects { write_objects(&sprites, folder) } else { write_scenes(&arguments, &sprites) }
}

fn write_scenes(arguments: &Arguments, sprites: &Sprites) -> Result<()> {
    let split = if arguments.held_out { Split::HeldOut } else { Split::Training };
    let composer = Composer::new(sprites, arguments.seed, split);
    let (mut images, mut captions, mut lines) = (Vec::new(), String::new(), String::new());
    let started = Instant::now();
    for index in 0..arguments.count {
        let Some(scene) = composer.scene(index) else { continue };
        let caption = scene.caption(Wording::random(&mut Random::new(arguments.seed ^ 1, index)));
        let size = SIZES.get(if arguments.aspects { index as usize % SIZES.len() } else { 0 });
        let (width, height) = match arguments.varied {
            true => varied(&mut Random::new(arguments.seed ^ 2, index)),
            false => size.copied().unwrap_or((128, 128)),
        };
        images.push(sprites.render(&scene, width, height)?);
        captions += &format!("{caption}\n");
        let json =
            serde_json::json!({ "picture": format!("{index:05}.png"), "caption": caption, "scene": scene });
        lines += &format!("{json}\n");
    }
    let each = started.elapsed().as_secs_f64() * 1000. / images.len().max(1) as f64;
    println!("{} scenes of {} objects, {each:.2} ms each", images.len(), sprites.objects().len());

    let folder = &arguments.folder;
    for (index, (image, caption)) in images.iter().zip(captions.lines()).enumerate() {
        image.save_png(folder.join(format!("{index:05}.png")))?;
        write(&folder.join(format!("{index:05}.txt")), caption)?;
    }
    write(&folder.join("scenes.jsonl"), &lines)?;
    // In a folder of its own, so that it is not trained on.
    let folder = folder.join("sheet");
    fs::create_dir_all(&folder).map_err(|source| Error::Io { path: folder.clone(), source })?;
    write(&folder.join("sheet.txt"), &captions)?;
    let shown = images.get(..256).unwrap_or(&images);
    sheet(shown, 8)?.save_png(folder.join("sheet.png"))
}

/// Width and height: half of them squares.
fn varied(random: &mut Random) -> (usize, usize) {
    let side = 128. * 0.6 * (1.4f64 / 0.6).powf(random.unit());
    let aspect = if random.chance(0.5) { 1. } else { 1.8f64.powf(random.signed()) };
    ((side * aspect.sqrt()).round() as usize, (side / aspect.sqrt()).round() as usize)
}

/// Every object in every style, 36 objects a sheet, three in a row.
fn write_objects(sprites: &Sprites, folder: &Path) -> Result<()> {
    for (number, objects) in sprites.objects().chunks(36).enumerate() {
        let (mut images, mut names) = (Vec::new(), String::new());
        for object in objects {
            let noun = Noun::new(&object.name);
            names += &format!("{}; {}\n", noun.one(), noun.many().unwrap_or_default());
            for style in Style::ALL {
                let scene = Scene {
                    style,
                    background: Colour::White,
                    ink: (style == Style::Silhouette).then_some(Colour::Teal),
                    arrangement: Arrangement::One { object: object.name.clone() },
                    seed: 0,
                };
                let blank = Array3::from_elem((64, 64, 3), 128u8);
                images.push(match sprites.get(&object.name, style) {
                    Some(_) => sprites.render(&scene, 64, 64)?,
                    None => Image::from_pixels(blank.view())?,
                });
            }
        }
        write(&folder.join(format!("objects-{number}.txt")), &names)?;
        sheet(&images, 18)?.save_png(folder.join(format!("objects-{number}.png")))?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|source| Error::Io { path: path.to_owned(), source })
}
