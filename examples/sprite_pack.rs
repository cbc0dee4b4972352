//! Renders the emoji that `scripts/sprites` has downloaded to a sprite pack: a PNG atlas for each style and `index.json`.
//!
//! ```text
//! cargo run --example sprite_pack -- SOURCES PACK
//! ```
//!
//! Each cell of an atlas holds a picture, scaled so that what is to be seen of it just fits.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

#[path = "nano/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared by several examples")]
mod nano;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::error::Error;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use clap::Parser;
use nano::noun;
use nano::palette::Style;
use nano::picture::Picture;
use nano::sprites::{COLUMNS, Index, Object, SIDE};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg;
use serde::Deserialize;

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// The room around a picture in its cell, on each side.
const MARGIN: usize = 1;

/// How many pictures a group of look-alikes counts for together; everything else counts for one.
const WEIGHTS: [(&str, f64); 26] = [
    ("face-smiling", 3.),
    ("face-affection", 3.),
    ("face-tongue", 2.),
    ("face-hand", 3.),
    ("face-neutral-skeptical", 4.),
    ("face-sleepy", 2.),
    ("face-unwell", 5.),
    ("face-concerned", 5.),
    ("face-negative", 5.),
    ("cat-face", 2.),
    ("monkey-face", 2.),
    ("heart", 12.),
    ("hand-fingers-open", 4.),
    ("hand-fingers-partial", 4.),
    ("hand-single-finger", 3.),
    ("person", 8.),
    ("person-gesture", 5.),
    ("person-role", 25.),
    ("person-fantasy", 13.),
    ("person-activity", 12.),
    ("person-sport", 12.),
    ("person-resting", 3.),
    ("family", 3.),
    ("clock", 2.),
    ("moon", 4.),
    ("mail", 8.),
];

#[derive(Parser)]
struct Arguments {
    /// A folder for each style, with what its package holds, and `labels`.
    sources: PathBuf,
    /// The folder to write.
    pack: PathBuf,
}

#[derive(Deserialize)]
struct Emoji {
    label: String,
    hexcode: String,
    group: Option<usize>,
    subgroup: Option<usize>,
}

#[derive(Deserialize)]
struct Groups {
    groups: Vec<Group>,
    subgroups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    key: String,
    order: usize,
}

/// A collection in iconify's format.
#[derive(Deserialize)]
struct Icons {
    icons: HashMap<String, Icon>,
    #[serde(default)]
    aliases: HashMap<String, Alias>,
    width: f32,
    height: f32,
}

#[derive(Deserialize)]
struct Icon {
    body: String,
    width: Option<f32>,
    height: Option<f32>,
}

#[derive(Deserialize)]
struct Alias {
    parent: String,
    #[serde(default, rename = "hFlip")]
    flipped: bool,
}

/// An emoji that gets a place in the pack, and the names under which collections may have it.
struct Candidate {
    object: Object,
    code: String,
    names: Vec<String>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let candidates = candidates(&arguments.sources)?;
    fs::create_dir_all(&arguments.pack)?;

    let rendered = std::thread::scope(|scope| {
        let start = |style: Style| {
            let (folder, candidates) = (arguments.sources.join(style.name()), &candidates);
            (style, scope.spawn(move || render_style(style, &folder, candidates)))
        };
        let running: Vec<_> = Style::ALL.into_iter().map(start).collect();
        let join = |(style, thread): (Style, std::thread::ScopedJoinHandle<'_, _>)| {
            Ok((style, thread.join().map_err(|_| "a thread has stopped")??))
        };
        running.into_iter().map(join).collect::<Result<Vec<(Style, Vec<Option<Picture>>)>>>()
    })?;

    // A picture that two emoji or two styles share would have two captions.
    let mut seen = HashSet::new();
    let mut cells = BTreeMap::new();
    for (style, pictures) in &rendered {
        let unique = pictures.iter().enumerate().filter_map(|(index, picture)| {
            let picture = picture.as_ref()?;
            seen.insert(&picture.pixels).then_some((index, picture))
        });
        let (indices, pictures): (Vec<usize>, Vec<&Picture>) = unique.unzip();
        write_atlas(&arguments.pack.join(format!("{}.png", style.name())), &pictures)?;
        println!("{}: {} pictures", style.name(), indices.len());
        cells.insert(*style, indices);
    }
    let objects = candidates.into_iter().map(|candidate| candidate.object).collect();
    let index = Index { objects, cells };
    fs::write(arguments.pack.join("index.json"), serde_json::to_string(&index)?)?;
    Ok(())
}

/// The emoji with a name that can stand in a caption: no flags, symbols or skin tones.
fn candidates(sources: &Path) -> Result<Vec<Candidate>> {
    let emoji: Vec<Emoji> = read(&sources.join("labels/data.json"))?;
    let Groups { groups, subgroups } = read(&sources.join("labels/messages.json"))?;
    let key = |groups: &[Group], order: Option<usize>| {
        let found = groups.iter().find(|group| Some(group.order) == order);
        found.map(|group| group.key.clone()).unwrap_or_default()
    };
    let mut by_code: HashMap<String, Vec<String>> = HashMap::new();
    for style in [Style::Flat, Style::Detailed, Style::Silhouette] {
        let names: HashMap<String, String> = read(&sources.join(style.name()).join("chars.json"))?;
        for (code, name) in names {
            by_code.entry(plain(&code)).or_default().push(name);
        }
    }

    let mut candidates: Vec<Candidate> = Vec::new();
    let mut taken = HashSet::new();
    for emoji in emoji {
        let (group, subgroup) = (key(&groups, emoji.group), key(&subgroups, emoji.subgroup));
        if ["", "component", "symbols", "flags"].contains(&group.as_str()) {
            continue;
        }
        let Some(name) = noun::name(&emoji.label).filter(|name| taken.insert(name.clone())) else { continue };
        let code = plain(&emoji.hexcode);
        let mut names = by_code.remove(&code).unwrap_or_default();
        names.push(slug(&emoji.label));
        names.sort();
        names.dedup();
        let object = Object { name, group, subgroup, weight: 1. };
        candidates.push(Candidate { object, code, names });
    }

    let mut counts: HashMap<String, usize> = HashMap::new();
    for candidate in &candidates {
        *counts.entry(look(&candidate.object)).or_default() += 1;
    }
    for candidate in &mut candidates {
        let look = look(&candidate.object);
        if let Some((_, weight)) = WEIGHTS.iter().find(|(name, _)| *name == look) {
            let count = counts.get(&look).copied().unwrap_or(1).max(1);
            candidate.object.weight = (weight / count as f64).min(1.);
        }
    }
    Ok(candidates)
}

/// What look-alikes have in common.
fn look(object: &Object) -> String {
    if object.name.starts_with("clock showing") {
        "clock".to_owned()
    } else if object.name.ends_with("moon") || object.name.ends_with("moon face") {
        "moon".to_owned()
    } else {
        object.subgroup.clone()
    }
}

/// A code without the selectors of emoji presentation, which collections write or not.
fn plain(code: &str) -> String {
    code.to_lowercase().replace("-fe0f", "")
}

/// A label as collections spell it.
fn slug(label: &str) -> String {
    let letters: String =
        label.to_lowercase().chars().filter(|c| !['’', ':', ',', '.', '!'].contains(c)).collect();
    letters.replace(' ', "-")
}

/// The picture of each candidate, where the style has it.
fn render_style(style: Style, folder: &Path, candidates: &[Candidate]) -> Result<Vec<Option<Picture>>> {
    if style == Style::ThreeD {
        let mut files = HashMap::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let code = plain(&path.file_stem().unwrap_or_default().to_string_lossy());
            files.insert(code, path);
        }
        return candidates
            .iter()
            .map(|candidate| files.get(&candidate.code).map(|path| open(path)).transpose())
            .collect();
    }
    let icons: Icons = read(&folder.join("icons.json"))?;
    let one = |candidate: &Candidate| {
        let found = candidate.names.iter().find_map(|name| icons.find(name));
        found.map(|(icon, flipped)| icons.render(icon, flipped)).transpose()
    };
    candidates.iter().map(one).collect()
}

impl Icons {
    /// The drawing of that name, and whether it is mirrored.
    fn find(&self, name: &str) -> Option<(&Icon, bool)> {
        if let Some(icon) = self.icons.get(name) {
            return Some((icon, false));
        }
        let alias = self.aliases.get(name)?;
        Some((self.icons.get(&alias.parent)?, alias.flipped))
    }

    fn render(&self, icon: &Icon, flipped: bool) -> Result<Picture> {
        let (width, height) = (icon.width.unwrap_or(self.width), icon.height.unwrap_or(self.height));
        let body = &icon.body;
        let turn = if flipped { format!("translate({width} 0) scale(-1 1)") } else { String::new() };
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" \
             width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\
             <g transform=\"{turn}\">{body}</g></svg>"
        );
        let tree = usvg::Tree::from_str(&svg, &usvg::Options::default())?;
        let draw = |transform: Transform| {
            let mut pixmap = Pixmap::new(SIDE as u32, SIDE as u32).ok_or("no picture of this size")?;
            resvg::render(&tree, transform, &mut pixmap.as_mut());
            Ok::<_, Box<dyn Error + Send + Sync>>(Picture {
                width: SIDE,
                height: SIDE,
                pixels: pixmap.take(),
            })
        };
        // First to see where it is, then so that it fills the cell.
        let scale = SIDE as f32 / width.max(height);
        let first = draw(Transform::from_scale(scale, scale))?;
        let bounds = first.bounds().ok_or("a drawing is empty")?;
        let fit = (SIDE - 2 * MARGIN) as f32 / bounds.width.max(bounds.height) as f32;
        let middle =
            |start: usize, length: usize| SIDE as f32 / 2. - (start as f32 + length as f32 / 2.) * fit;
        let (x, y) = (middle(bounds.left, bounds.width), middle(bounds.top, bounds.height));
        draw(Transform::from_row(scale * fit, 0., 0., scale * fit, x, y))
    }
}

/// A picture file, scaled so that what is to be seen fills the cell.
fn open(path: &Path) -> Result<Picture> {
    let decoded = image::open(path)?.into_rgba8();
    let (width, height) = (decoded.width() as usize, decoded.height() as usize);
    let picture = Picture::from_straight(width, height, decoded.into_raw());
    let seen = picture.cropped(picture.bounds().ok_or("a picture is empty")?);
    Ok(seen.fitted(SIDE - 2 * MARGIN).framed(SIDE))
}

/// Writes pictures side by side, [`COLUMNS`] in a row.
fn write_atlas(path: &Path, pictures: &[&Picture]) -> Result<()> {
    let rows = pictures.len().div_ceil(COLUMNS);
    let mut pixels = vec![0; rows * COLUMNS * SIDE * SIDE * 4];
    let bands = pixels.chunks_exact_mut(COLUMNS * SIDE * SIDE * 4);
    for (band, pictures) in bands.zip(pictures.chunks(COLUMNS)) {
        for (column, picture) in pictures.iter().enumerate() {
            let straight = picture.to_straight();
            let lines = band.chunks_exact_mut(COLUMNS * SIDE * 4).zip(straight.chunks_exact(SIDE * 4));
            for (target, source) in lines {
                let target = target.iter_mut().skip(column * SIDE * 4);
                target.zip(source).for_each(|(target, source)| *target = *source);
            }
        }
    }
    let file = BufWriter::new(File::create(path)?);
    let mut encoder = png::Encoder::new(file, (COLUMNS * SIDE) as u32, (rows * SIDE) as u32);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::Adaptive);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(())
}

fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?)
}
