//! [`Sprites`]: the pictures of a sprite pack in memory, and how they make a scene.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use ndarray::ArrayView3;
use sdxl::{Error, Image, Result};
use serde::{Deserialize, Serialize};

use super::palette::{Colour, Style, distance2};
use super::picture::Picture;
use super::scene::Scene;

/// The side of a cell of an atlas in pixels, and how many cells are in a row.
pub const SIDE: usize = 128;
pub const COLUMNS: usize = 32;

/// The concepts that a model trained on a CPU alone can learn: names, one a line.
const CURATED: &str = include_str!("concepts.txt");

/// The styles of the curated concepts. Glossy pictures are left out: they are those of the 3d style but for their
/// shading, which a picture of 128 pixels hardly shows.
pub const CURATED_STYLES: [Style; 5] =
    [Style::Flat, Style::ThreeD, Style::Detailed, Style::Blob, Style::Silhouette];

/// `index.json` of a sprite pack.
#[derive(Serialize, Deserialize)]
pub struct Index {
    pub objects: Vec<Object>,
    /// For each style, which object each cell of its atlas shows.
    pub cells: BTreeMap<Style, Vec<usize>>,
}

/// Something that can be drawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Object {
    /// As captions say it, in the singular and without an article.
    pub name: String,
    pub group: String,
    pub subgroup: String,
    /// How often it is drawn, compared with others.
    pub weight: f64,
}

/// One object in one style.
pub struct Sprite {
    /// Without transparent borders: in full size, half, and a quarter of it.
    levels: Vec<Picture>,
    /// For each colour of [`Colour::ALL`], whether the sprite can be seen on it.
    visible: [bool; Colour::ALL.len()],
}

/// The sprites of a pack, by style and object.
#[derive(Default)]
pub struct Sprites {
    objects: Vec<Object>,
    numbers: HashMap<String, usize>,
    sprites: HashMap<(usize, Style), Sprite>,
}

/// The folder in which `scripts/sprites` puts the pack.
pub fn default_folder() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = variable("SDXL_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|folder| folder.join("sdxl")))
        .or_else(|| variable("HOME").map(|folder| folder.join(".cache/sdxl")))
        .unwrap_or_default();
    cache.join("nano/sprites")
}

/// The names of the curated concepts.
pub fn curated() -> impl Iterator<Item = &'static str> {
    CURATED.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

impl Sprites {
    /// Reads those sprites of a pack that are to be kept.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::File`] for a pack that is not there or not whole.
    pub fn open(folder: &Path, mut keep: impl FnMut(&Object, Style) -> bool) -> Result<Self> {
        let path = folder.join("index.json");
        let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => file(&path, &"is not there: run scripts/sprites"),
            _ => Error::Io { path: path.clone(), source: error },
        })?;
        let index: Index = serde_json::from_str(&text).map_err(|error| file(&path, &error))?;
        let mut sprites = Self::default();
        for (style, cells) in &index.cells {
            let mut wanted =
                |object: &usize| index.objects.get(*object).filter(|object| keep(object, *style));
            let objects: Vec<Option<&Object>> = cells.iter().map(&mut wanted).collect();
            let path = folder.join(format!("{}.png", style.name()));
            read_atlas(&path, &objects, |object, picture| sprites.add(object.clone(), *style, &picture))?;
        }
        Ok(sprites)
    }

    /// Reads the curated concepts in [`CURATED_STYLES`].
    pub fn open_curated(folder: &Path) -> Result<Self> {
        let names: Vec<&str> = curated().collect();
        Self::open(folder, |object, style| {
            names.contains(&object.name.as_str()) && CURATED_STYLES.contains(&style)
        })
    }

    /// Adds a picture; one that is fully transparent is left out.
    pub fn add(&mut self, object: Object, style: Style, picture: &Picture) {
        let Some(bounds) = picture.bounds() else { return };
        let number = *self.numbers.entry(object.name.clone()).or_insert_with(|| {
            self.objects.push(object);
            self.objects.len() - 1
        });
        self.sprites.insert((number, style), Sprite::new(picture.cropped(bounds)));
    }

    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    pub fn get(&self, object: &str, style: Style) -> Option<&Sprite> {
        self.sprites.get(&(*self.numbers.get(object)?, style))
    }

    /// The objects that a style has, in a fixed order.
    pub fn in_style(&self, style: Style) -> impl Iterator<Item = (&Object, &Sprite)> {
        self.objects
            .iter()
            .enumerate()
            .filter_map(move |(number, object)| Some((object, self.sprites.get(&(number, style))?)))
    }

    /// A picture of the scene.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an object that is not here in the scene's style, or a side of 0 pixels.
    pub fn render(&self, scene: &Scene, width: usize, height: usize) -> Result<Image> {
        let mut pixels = vec![scene.background.rgb(); width * height];
        let mut last: Option<(&str, usize, Picture)> = None;
        for placement in scene.layout(width, height) {
            let size = placement.size.round().max(1.) as usize;
            let scaled = match last.take() {
                Some(known) if (known.0, known.1) == (placement.object, size) => known.2,
                _ => self
                    .get(placement.object, scene.style)
                    .ok_or_else(|| Error::Invalid {
                        field: "object",
                        value: format!("{} in {} style", placement.object, scene.style.name()),
                        expected: "one of the sprite pack".to_owned(),
                    })?
                    .scaled(size),
            };
            let left = placement.x - scaled.width as f64 / 2.;
            let top = placement.y - scaled.height as f64 / 2.;
            draw(&mut pixels, width, &scaled, (left.round() as isize, top.round() as isize), scene.ink);
            last = Some((placement.object, size, scaled));
        }
        let view = ArrayView3::from_shape((height, width, 3), pixels.as_flattened());
        Image::from_pixels(view.map_err(|error| Error::Invalid {
            field: "size",
            value: error.to_string(),
            expected: "a side that is not 0".to_owned(),
        })?)
    }
}

impl Sprite {
    fn new(full: Picture) -> Self {
        let visible = Colour::ALL.map(|colour| visible_part(&full, colour) > 0.75);
        let half = full.halved();
        let quarter = half.halved();
        Self { levels: vec![quarter, half, full], visible }
    }

    /// With that many pixels on its longer side.
    pub fn scaled(&self, size: usize) -> Picture {
        let longest = |picture: &Picture| picture.width.max(picture.height);
        let level = self.levels.iter().find(|level| longest(level) >= size).or(self.levels.last());
        let Some(level) = level else { return Picture { width: 0, height: 0, pixels: Vec::new() } };
        let side =
            |length: usize| ((length * size) as f64 / longest(level).max(1) as f64).round().max(1.) as usize;
        level.resized(side(level.width), side(level.height))
    }

    /// Whether most of the sprite differs from this background.
    pub fn is_visible_on(&self, background: Colour) -> bool {
        Colour::ALL.iter().zip(self.visible).any(|(colour, visible)| *colour == background && visible)
    }
}

/// The part of a picture's area whose colour is clearly another than the background's.
fn visible_part(picture: &Picture, background: Colour) -> f32 {
    let behind = background.rgb().map(f32::from);
    let (mut area, mut seen) = (0u32, 0u32);
    for pixel in picture.pixels.as_chunks::<4>().0 {
        let [red, green, blue, alpha] = *pixel;
        if alpha >= 128 {
            area += 1;
            let alpha = f32::from(alpha) / 255.;
            let colour = [red, green, blue].map(|value| f32::from(value) / alpha);
            seen += u32::from(distance2(colour, behind) > 48. * 48.);
        }
    }
    seen as f32 / area.max(1) as f32
}

/// Puts a sprite over the pixels of a picture, in `ink` where one is given.
fn draw(pixels: &mut [[u8; 3]], width: usize, sprite: &Picture, at: (isize, isize), ink: Option<Colour>) {
    let (left, top) = at;
    let (skip_x, skip_y) = ((-left).max(0) as usize, (-top).max(0) as usize);
    let rows = pixels.chunks_exact_mut(width.max(1)).skip(top.max(0) as usize);
    let sources = sprite.pixels.chunks_exact(4 * sprite.width.max(1)).skip(skip_y);
    for (row, source) in rows.zip(sources) {
        let targets = row.iter_mut().skip(left.max(0) as usize);
        for (target, source) in targets.zip(source.as_chunks::<4>().0.iter().skip(skip_x)) {
            let [red, green, blue, alpha] = *source;
            let alpha = u32::from(alpha);
            let over = match ink {
                None => [red, green, blue].map(u32::from),
                Some(ink) => ink.rgb().map(|value| (u32::from(value) * alpha + 127) / 255),
            };
            for (target, over) in target.iter_mut().zip(over) {
                *target = (over + (u32::from(*target) * (255 - alpha) + 127) / 255).min(255) as u8;
            }
        }
    }
}

/// Reads the cells of an atlas for which there is an object.
fn read_atlas(path: &Path, objects: &[Option<&Object>], mut add: impl FnMut(&Object, Picture)) -> Result<()> {
    let source = File::open(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    let mut reader =
        png::Decoder::new(BufReader::new(source)).read_info().map_err(|error| file(path, &error))?;
    let info = reader.info();
    if info.width as usize != COLUMNS * SIDE || info.bytes_per_pixel() != 4 {
        return Err(file(path, &"is no atlas of sprites"));
    }
    for objects in objects.chunks(COLUMNS) {
        let mut cells = vec![Vec::with_capacity(4 * SIDE * SIDE); objects.len()];
        for _ in 0..SIDE {
            let row = reader.next_row().map_err(|error| file(path, &error))?;
            let row = row.ok_or_else(|| file(path, &"ends before its last sprite"))?;
            cells
                .iter_mut()
                .zip(row.data().chunks_exact(4 * SIDE))
                .for_each(|(cell, part)| cell.extend_from_slice(part));
        }
        for (object, cell) in objects.iter().zip(cells) {
            if let Some(object) = object {
                add(object, Picture::from_straight(SIDE, SIDE, cell));
            }
        }
    }
    Ok(())
}

fn file(path: &Path, reason: &dyn std::fmt::Display) -> Error {
    Error::File { path: path.to_owned(), reason: reason.to_string() }
}
