//! Finds the background of a picture and what stands on it.

use sdxl::Image;

use super::palette::{Colour, distance2};
use super::picture::{Bounds, Picture};

/// How far a pixel's colour is from the background's where something is to be seen.
const THRESHOLD: f32 = 40.;

/// Parts this close, as a part of the larger one's longer side, belong together. The composer leaves more between
/// objects.
const NEAR: f64 = 0.1;

/// What is shorter than this part of the largest thing is no object of its own: the composer's are of one size.
const SMALL: f64 = 0.45;

/// The colour around the edge of a picture, and the things on it.
pub struct Segments {
    pub background: Colour,
    /// The background's colour as it is in this picture.
    pub rgb: [f32; 3],
    pub things: Vec<Bounds>,
}

impl Segments {
    /// The thing that takes the most room.
    pub fn largest(&self) -> Option<Bounds> {
        self.things.iter().copied().max_by_key(|thing| thing.width * thing.height)
    }
}

/// Reads a picture.
pub fn segment(image: &Image) -> Segments {
    let (width, height) = (image.width(), image.height());
    let pixels: Vec<[f32; 3]> = image
        .pixels()
        .rows()
        .into_iter()
        .map(|pixel| {
            let mut values = pixel.iter().map(|value| f32::from(*value));
            [0; 3].map(|_| values.next().unwrap_or_default())
        })
        .collect();
    let edge = |index: usize| {
        let (x, y) = (index % width, index / width);
        x < 2 || y < 2 || x + 2 >= width || y + 2 >= height
    };
    let border: Vec<[f32; 3]> =
        pixels.iter().enumerate().filter(|(index, _)| edge(*index)).map(|(_, pixel)| *pixel).collect();
    let (background, rgb) = commonest(&border);
    let mask: Vec<bool> = pixels.iter().map(|pixel| distance2(*pixel, rgb) > THRESHOLD * THRESHOLD).collect();
    Segments { background, rgb, things: together(parts(&mask, width)) }
}

/// The colour of the palette that most pixels are nearest to, and the mean of those pixels.
pub fn commonest(pixels: &[[f32; 3]]) -> (Colour, [f32; 3]) {
    let named: Vec<Colour> = pixels.iter().map(|pixel| Colour::nearest(*pixel)).collect();
    let count = |colour: &Colour| named.iter().filter(|named| *named == colour).count();
    let colour = Colour::ALL.into_iter().max_by_key(count).unwrap_or(Colour::White);
    let mut sum = [0.; 3];
    let mut total = 0f32;
    for (pixel, _) in pixels.iter().zip(&named).filter(|(_, named)| **named == colour) {
        sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
        total += 1.;
    }
    (colour, sum.map(|sum| sum / total.max(1.)))
}

/// The connected parts of a mask, with all their neighbours, but for specks.
fn parts(mask: &[bool], width: usize) -> Vec<Bounds> {
    let mut open = mask.to_vec();
    let mut take = |index: usize| open.get_mut(index).is_some_and(std::mem::take);
    let height = mask.len() / width.max(1);
    let speck = (mask.len() / 2000).max(2);
    let mut found = Vec::new();
    for start in 0..mask.len() {
        if !take(start) {
            continue;
        }
        let (mut queue, mut area) = (vec![start], 0);
        let (mut left, mut right, mut top, mut bottom) = (usize::MAX, 0, usize::MAX, 0);
        while let Some(index) = queue.pop() {
            let (x, y) = (index % width, index / width);
            area += 1;
            (left, right, top, bottom) = (left.min(x), right.max(x), top.min(y), bottom.max(y));
            for y in y.saturating_sub(1)..=(y + 1).min(height - 1) {
                for x in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                    let next = y * width + x;
                    if take(next) {
                        queue.push(next);
                    }
                }
            }
        }
        if area > speck {
            found.push(Bounds { left, top, width: right - left + 1, height: bottom - top + 1 });
        }
    }
    found
}

/// Joins parts that belong to one thing.
fn together(mut parts: Vec<Bounds>) -> Vec<Bounds> {
    // First neighbours, until nothing changes.
    while let Some((one, other)) =
        pair(&parts, |one, other| gap(one, other) < NEAR * longest(one).max(longest(other)) as f64)
    {
        let merged = parts.swap_remove(other.max(one));
        if let Some(into) = parts.get_mut(other.min(one)) {
            *into = joined(into, &merged);
        }
    }
    // Then what is small compared with the largest, to what is nearest.
    let largest = parts.iter().map(longest).max().unwrap_or(0) as f64;
    let (mut things, crumbs): (Vec<_>, Vec<_>) =
        parts.into_iter().partition(|part| longest(part) as f64 >= SMALL * largest);
    for crumb in crumbs {
        let distance = |thing: &&mut Bounds| (gap(thing, &crumb) * 1000.) as u64;
        if let Some(thing) = things.iter_mut().min_by_key(distance)
            && gap(thing, &crumb) < 0.3 * longest(thing) as f64
        {
            *thing = joined(thing, &crumb);
        }
    }
    things
}

fn pair(parts: &[Bounds], near: impl Fn(&Bounds, &Bounds) -> bool) -> Option<(usize, usize)> {
    parts.iter().enumerate().find_map(|(index, one)| {
        let others = parts.iter().enumerate().skip(index + 1);
        others.into_iter().find(|(_, other)| near(one, other)).map(|(other, _)| (index, other))
    })
}

fn longest(bounds: &Bounds) -> usize {
    bounds.width.max(bounds.height)
}

/// The free pixels between two rectangles.
fn gap(one: &Bounds, other: &Bounds) -> f64 {
    let between = |start: usize, length: usize, other: usize, others: usize| {
        (other as f64 - (start + length) as f64).max(start as f64 - (other + others) as f64).max(0.)
    };
    let x = between(one.left, one.width, other.left, other.width);
    let y = between(one.top, one.height, other.top, other.height);
    x.hypot(y)
}

fn joined(one: &Bounds, other: &Bounds) -> Bounds {
    let (left, top) = (one.left.min(other.left), one.top.min(other.top));
    let right = (one.left + one.width).max(other.left + other.width);
    let bottom = (one.top + one.height).max(other.top + other.height);
    Bounds { left, top, width: right - left, height: bottom - top }
}

/// A thing as a square picture of `side` pixels, its longer side from edge to edge, on its own background.
pub fn square(image: &Image, thing: &Bounds, rgb: [f32; 3], side: usize) -> Vec<[f32; 3]> {
    let pixels = image.pixels();
    let rows = pixels.outer_iter().skip(thing.top).take(thing.height);
    let bytes = rows.flat_map(|row| {
        let part = row.outer_iter().skip(thing.left).take(thing.width);
        part.flat_map(|pixel| pixel.iter().copied().chain([255]).collect::<Vec<u8>>()).collect::<Vec<u8>>()
    });
    let crop = Picture { width: thing.width, height: thing.height, pixels: bytes.collect() };
    let square = crop.fitted(side);
    let over = |pixel: &[u8; 4]| {
        let [red, green, blue, alpha] = *pixel;
        let behind = 1. - f32::from(alpha) / 255.;
        let mut rgb = rgb.into_iter();
        [red, green, blue].map(|value| f32::from(value) + behind * rgb.next().unwrap_or_default())
    };
    square.pixels.as_chunks::<4>().0.iter().map(over).collect()
}
