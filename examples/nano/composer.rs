//! [`Composer`]: an endless stream of scenes.

use super::palette::{Colour, Style};
use super::random::Random;
use super::scene::{Arrangement, Position, Relation, Scene, is_held_out};
use super::sprites::{Sprite, Sprites};

/// Which scenes: those that training may show, or those that it never shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    Training,
    HeldOut,
}

/// Makes scenes of the sprites. The scene at an index depends on the seed, the index and the sprites alone.
pub struct Composer<'a> {
    styles: Vec<Shelf<'a>>,
    seed: u64,
    split: Split,
}

/// The objects of a style.
struct Shelf<'a> {
    style: Style,
    objects: Vec<(&'a str, &'a Sprite)>,
    /// The sums of the weights up to each object.
    sums: Vec<f64>,
}

impl<'a> Composer<'a> {
    pub fn new(sprites: &'a Sprites, seed: u64, split: Split) -> Self {
        let shelf = |style| {
            let (mut objects, mut sums, mut sum) = (Vec::new(), Vec::new(), 0.);
            for (object, sprite) in sprites.in_style(style) {
                sum += object.weight;
                objects.push((object.name.as_str(), sprite));
                sums.push(sum);
            }
            Shelf { style, objects, sums }
        };
        let styles = Style::ALL.into_iter().map(shelf).filter(|shelf| !shelf.objects.is_empty()).collect();
        Self { styles, seed, split }
    }

    /// The scene at that place of the stream; `None` when the sprites make no such scene in many trials.
    pub fn scene(&self, index: u64) -> Option<Scene> {
        let mut random = Random::new(self.seed, index);
        let wanted = self.split == Split::HeldOut;
        (0..10_000).find_map(|_| self.draw(&mut random).filter(|scene| is_held_out(scene) == wanted))
    }

    /// A scene, or `None` where what is drawn does not go together.
    fn draw(&self, random: &mut Random) -> Option<Scene> {
        let shelf = random.pick(&self.styles)?;
        let (object, sprite) = shelf.object(random)?;
        let mut shown = vec![sprite];
        let name = object.to_owned();
        let kind = random.unit();
        let arrangement = if kind < 0.4 {
            Arrangement::One { object: name }
        } else if kind < 0.55 {
            Arrangement::Small { object: name, position: *random.pick(&Position::ALL)? }
        } else if kind < 0.82 {
            let (second, sprite) = shelf.object(random)?;
            if second == object {
                return None;
            }
            shown.push(sprite);
            let relation = *random.pick(&[Relation::LeftOf, Relation::Above])?;
            Arrangement::Two { first: name, second: second.to_owned(), relation }
        } else {
            Arrangement::Copies { object: name, number: 2 + random.below(3) as u8 }
        };
        let background = *random.pick(&Colour::ALL)?;
        let ink = match shelf.style {
            Style::Silhouette => Some(*random.pick(&Colour::ALL)?),
            _ => None,
        };
        let seen = match ink {
            Some(ink) => ink.stands_out(background),
            None => shown.iter().all(|sprite| sprite.is_visible_on(background)),
        };
        let seed = random.next();
        seen.then_some(Scene { style: shelf.style, background, ink, arrangement, seed })
    }
}

impl<'a> Shelf<'a> {
    /// An object by weight.
    fn object(&self, random: &mut Random) -> Option<(&'a str, &'a Sprite)> {
        let target = random.unit() * self.sums.last()?;
        let index = self.sums.partition_point(|sum| *sum <= target);
        self.objects.get(index.min(self.objects.len() - 1)).copied()
    }
}
