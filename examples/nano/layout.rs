//! Where the objects of a [`Scene`] are in a picture of a given size.

use super::random::Random;
use super::scene::{Arrangement, Relation, Scene};

/// Width and height of pictures with about as many pixels as 128 x 128, up to twice as wide as tall and the reverse.
pub const SIZES: [(usize, usize); 7] =
    [(128, 128), (144, 112), (112, 144), (160, 96), (96, 160), (176, 96), (96, 176)];

/// An object's place, in pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement<'a> {
    pub object: &'a str,
    /// The middle.
    pub x: f64,
    pub y: f64,
    /// The longer side.
    pub size: f64,
}

/// The middles of two columns or rows, as parts of the picture's side, and of three.
const HALVES: [f64; 2] = [0.27, 0.73];
const THIRDS: [f64; 3] = [0.18, 0.5, 0.82];

/// How large an object is at most in a half and in a third, as a part of the side. What is left over keeps
/// neighbours apart.
const IN_HALF: f64 = 0.38;
const IN_THIRD: f64 = 0.27;

impl Scene {
    /// The objects of this scene in a picture of that size, in the order of [`Scene::objects`].
    pub fn layout(&self, width: usize, height: usize) -> Vec<Placement<'_>> {
        let mut random = Random::new(self.seed, 0);
        let (width, height) = (width as f64, height as f64);
        let short = width.min(height);
        let scale = 0.85 + 0.15 * random.unit();
        // Drawn first, so that a scene looks alike at every aspect.
        let turned = random.chance(0.5);
        let places = match &self.arrangement {
            Arrangement::One { .. } => {
                let mut shaken = |side: f64| 0.5 + 0.03 * short / side * random.signed();
                (0.85 * short, vec![(shaken(width), shaken(height))])
            }
            Arrangement::Small { position, .. } => {
                let (column, row) = position.thirds();
                let at = |third: u8| [0.22, 0.5, 0.78].get(usize::from(third)).copied().unwrap_or(0.5);
                let mut shaken = |middle: f64| middle + 0.03 * random.signed();
                (0.38 * short, vec![(shaken(at(column)), shaken(at(row)))])
            }
            Arrangement::Two { relation: Relation::LeftOf, .. } => {
                ((IN_HALF * width).min(0.8 * height), HALVES.map(|x| (x, 0.5)).to_vec())
            }
            Arrangement::Two { relation: Relation::Above, .. } => {
                ((IN_HALF * height).min(0.8 * width), HALVES.map(|y| (0.5, y)).to_vec())
            }
            Arrangement::Copies { number, .. } => copies(*number, turned, width, height),
        };
        let (size, middles) = places;
        let several = middles.len() > 1;
        let shaken = |(x, y): (f64, f64)| {
            let shake = if several { 0.015 } else { 0. };
            (x + shake * random.signed(), y + shake * random.signed())
        };
        let middles: Vec<(f64, f64)> = middles.into_iter().map(shaken).collect();
        let place = |(object, (x, y))| Placement { object, x: x * width, y: y * height, size: size * scale };
        self.objects().into_iter().zip(middles).map(place).collect()
    }
}

/// The size of copies and their middles: in a row where the picture is wide, in a column where it is tall.
fn copies(number: u8, turned: bool, width: f64, height: f64) -> (f64, Vec<(f64, f64)>) {
    let (wide, tall) = (width >= 1.2 * height, height >= 1.2 * width);
    let half = IN_HALF * width.min(height);
    match number {
        2 if wide || (!tall && turned) => {
            ((IN_HALF * width).min(0.8 * height), HALVES.map(|x| (x, 0.5)).to_vec())
        }
        2 => ((IN_HALF * height).min(0.8 * width), HALVES.map(|y| (0.5, y)).to_vec()),
        3 if wide => ((IN_THIRD * width).min(0.8 * height), THIRDS.map(|x| (x, 0.5)).to_vec()),
        3 if tall => ((IN_THIRD * height).min(0.8 * width), THIRDS.map(|y| (0.5, y)).to_vec()),
        3 => {
            let [first, second] = if turned { HALVES } else { [HALVES[1], HALVES[0]] };
            (half, vec![(0.5, first), (HALVES[0], second), (HALVES[1], second)])
        }
        _ => (half, HALVES.iter().flat_map(|&y| HALVES.map(|x| (x, y))).collect()),
    }
}
