//! [`Judge`]: says what a picture shows and how much of a scene that is. It learns nothing: it compares what stands on
//! the background with every sprite.

use sdxl::Image;

use super::palette::{Colour, Style, distance2};
use super::picture::Bounds;
use super::scene::{Arrangement, Relation, Scene};
use super::segment::{commonest, segment, square};
use super::sprites::Sprites;

/// The side of the pictures that are compared: first small ones with every sprite, then these with the nearest.
const SIDE: usize = 32;
const COARSE: usize = 16;
const FINALISTS: usize = 32;

/// By how many pixels a thing is moved to meet a sprite.
const SHIFTS: [(isize, isize); 5] = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)];

/// Compares pictures with the sprites of the scenes.
pub struct Judge<'a> {
    references: Vec<Reference<'a>>,
}

/// A sprite in the sizes in which it is compared: colours multiplied by alpha, and alpha, from 0 to 255.
struct Reference<'a> {
    object: &'a str,
    style: Style,
    fine: Vec<[f32; 4]>,
    coarse: Vec<[f32; 4]>,
}

/// What a picture shows.
pub struct Reading<'a> {
    pub background: Colour,
    pub things: Vec<Thing<'a>>,
}

/// Something on the background.
pub struct Thing<'a> {
    /// The middle, in pixels.
    pub x: f64,
    pub y: f64,
    /// The longer side.
    pub size: f64,
    /// How far it is from the sprites that are nearest, the nearest first.
    distances: Vec<(f32, &'a str, Style)>,
}

/// Which questions about a scene a picture answers rightly; `None` for those that the scene does not ask.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    pub background: bool,
    /// As many objects as there should be.
    pub number: bool,
    /// Left and right, or above and below, of two objects.
    pub relation: Option<bool>,
    /// A small object in its third of the picture.
    pub position: Option<bool>,
    pub style: bool,
    /// The part of the objects whose nearest sprite shows the right object.
    pub objects: f64,
}

impl<'a> Judge<'a> {
    /// A judge that knows these sprites.
    pub fn new(sprites: &'a Sprites) -> Self {
        let reference = |style: Style| {
            sprites.in_style(style).map(move |(object, sprite)| {
                let pixels = |side: usize| {
                    let square = sprite.scaled(side).framed(side);
                    square.pixels.as_chunks::<4>().0.iter().map(|pixel| pixel.map(f32::from)).collect()
                };
                Reference { object: &object.name, style, fine: pixels(SIDE), coarse: pixels(COARSE) }
            })
        };
        Self { references: Style::ALL.into_iter().flat_map(reference).collect() }
    }

    /// What the picture shows.
    pub fn read(&self, image: &Image) -> Reading<'a> {
        let segments = segment(image);
        let thing = |bounds: &Bounds| Thing {
            x: bounds.left as f64 + bounds.width as f64 / 2.,
            y: bounds.top as f64 + bounds.height as f64 / 2.,
            size: bounds.width.max(bounds.height) as f64,
            distances: self.distances(
                &square(image, bounds, segments.rgb, SIDE),
                &square(image, bounds, segments.rgb, COARSE),
                segments.rgb,
            ),
        };
        Reading { background: segments.background, things: segments.things.iter().map(thing).collect() }
    }

    /// The nearest sprites to a thing, which is given in both sizes.
    fn distances(
        &self,
        fine: &[[f32; 3]],
        coarse: &[[f32; 3]],
        background: [f32; 3],
    ) -> Vec<(f32, &'a str, Style)> {
        let ink = ink(fine, background);
        let rough = |reference: &'_ Reference<'a>| {
            let ink = (reference.style == Style::Silhouette).then_some(ink);
            distance(coarse, &over(&reference.coarse, background, ink), COARSE, (0, 0))
        };
        let mut ranked: Vec<(f32, &Reference<'a>)> =
            self.references.iter().map(|reference| (rough(reference), reference)).collect();
        ranked.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (finalists, others) = ranked.split_at(FINALISTS.min(ranked.len()));
        let best = |(_, reference): &(f32, &Reference<'a>)| {
            let ink = (reference.style == Style::Silhouette).then_some(ink);
            let drawn = over(&reference.fine, background, ink);
            let least = SHIFTS
                .map(|shift| distance(fine, &drawn, SIDE, shift))
                .into_iter()
                .fold(f32::INFINITY, f32::min);
            (least, reference.object, reference.style)
        };
        let mut distances: Vec<(f32, &'a str, Style)> = finalists.iter().map(best).collect();
        distances.sort_by(|one, other| one.0.total_cmp(&other.0));
        // The others are farther; how far matters little.
        distances.extend(others.iter().map(|(rough, other)| (*rough, other.object, other.style)));
        distances
    }

    /// How much of the scene the picture shows.
    pub fn judge(&self, image: &Image, scene: &Scene) -> Verdict {
        let reading = self.read(image);
        let mut things: Vec<&Thing<'_>> = reading.things.iter().collect();
        let expected = scene.objects();
        let mut verdict = Verdict {
            background: reading.background == scene.background,
            number: things.len() == expected.len(),
            ..Verdict::default()
        };
        // Of too many the largest count.
        things.sort_by(|one, other| other.size.total_cmp(&one.size));
        things.truncate(expected.len());
        verdict.style = style(&things) == Some(scene.style);

        if let Arrangement::Small { position, .. } = scene.arrangement {
            let third = |at: f64, side: usize| (3. * at / side as f64) as u8;
            let at = |thing: &&Thing<'_>| (third(thing.x, image.width()), third(thing.y, image.height()));
            verdict.position = Some(things.first().map(at) == Some(position.thirds()));
        }
        if let Arrangement::Two { first, second, relation } = &scene.arrangement {
            let axis = |thing: &Thing<'_>| match relation {
                Relation::LeftOf => thing.x,
                Relation::Above => thing.y,
            };
            things.sort_by(|one, other| axis(one).total_cmp(&axis(other)));
            verdict.relation = Some(match things[..] {
                [one, other] => {
                    let along = (axis(other) - axis(one)).abs();
                    let across = (one.x - other.x).hypot(one.y - other.y);
                    let right = one.nearest(first) + other.nearest(second);
                    along > 0.7 * across && right < one.nearest(second) + other.nearest(first)
                }
                _ => false,
            });
        }
        let mut left = expected.clone();
        for thing in &things {
            if let Some(found) = left.iter().position(|object| Some(*object) == thing.object()) {
                left.swap_remove(found);
            }
        }
        verdict.objects = 1. - left.len() as f64 / expected.len().max(1) as f64;
        verdict
    }
}

impl<'a> Thing<'a> {
    /// The object of the nearest sprite.
    pub fn object(&self) -> Option<&'a str> {
        self.distances.first().map(|(_, object, _)| *object)
    }

    /// How far it is from an object in a style: the root of the mean square of the differences of colours, where white
    /// is 442 from black.
    pub fn distance(&self, object: &str, style: Style) -> f32 {
        let found = self.distances.iter().find(|(_, name, other)| *name == object && *other == style);
        found.map_or(f32::INFINITY, |(distance, ..)| distance.sqrt())
    }

    /// How far it is from an object in any style.
    fn nearest(&self, object: &str) -> f32 {
        let found = self.distances.iter().find(|(_, name, _)| *name == object);
        found.map_or(f32::INFINITY, |(distance, ..)| *distance)
    }
}

/// The style in which all things together are nearest to sprites.
pub fn style(things: &[&Thing<'_>]) -> Option<Style> {
    let nearest = |thing: &Thing<'_>, style: Style| {
        let found = thing.distances.iter().find(|(.., other)| *other == style);
        found.map_or(f32::INFINITY, |(distance, ..)| *distance)
    };
    let total = |style: Style| -> f32 { things.iter().map(|thing| nearest(thing, style)).sum() };
    let known = Style::ALL.into_iter().filter(|_| !things.is_empty());
    known.min_by(|one, other| total(*one).total_cmp(&total(*other)))
}

/// A sprite on a background, as a silhouette where there is an ink.
fn over(sprite: &[[f32; 4]], background: [f32; 3], ink: Option<[f32; 3]>) -> Vec<[f32; 3]> {
    let [back_red, back_green, back_blue] = background;
    let pixel = |&[red, green, blue, alpha]: &[f32; 4]| {
        let (opaque, behind) = (alpha / 255., 1. - alpha / 255.);
        let [red, green, blue] = ink.map_or([red, green, blue], |ink| ink.map(|value| opaque * value));
        [red + behind * back_red, green + behind * back_green, blue + behind * back_blue]
    };
    sprite.iter().map(pixel).collect()
}

/// The colour of the palette that most of a thing has, without the background's.
fn ink(thing: &[[f32; 3]], background: [f32; 3]) -> [f32; 3] {
    let behind = Colour::nearest(background);
    let drawn = thing.iter().copied().filter(|pixel| Colour::nearest(*pixel) != behind);
    commonest(&drawn.collect::<Vec<_>>()).0.rgb().map(f32::from)
}

/// The mean square of the differences of two square pictures, with one of them moved.
fn distance(one: &[[f32; 3]], other: &[[f32; 3]], side: usize, shift: (isize, isize)) -> f32 {
    let skip = |by: isize| (by.max(0) as usize, (-by).max(0) as usize);
    let ((one_x, other_x), (one_y, other_y)) = (skip(shift.0), skip(shift.1));
    let (mut sum, mut count) = (0., 0f32);
    let rows = one.chunks_exact(side).skip(one_y).zip(other.chunks_exact(side).skip(other_y));
    for (one, other) in rows {
        for (one, other) in one.iter().skip(one_x).zip(other.iter().skip(other_x)) {
            sum += distance2(*one, *other);
            count += 1.;
        }
    }
    sum / count.max(1.)
}
