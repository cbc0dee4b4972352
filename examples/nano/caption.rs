//! Captions: a [`Scene`] in words.

use super::noun::{Noun, with_article};
use super::random::Random;
use super::scene::{Arrangement, Relation, Scene};

/// What of a scene its caption tells, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wording {
    /// Names the style. A silhouette and its colour are always named.
    pub style: bool,
    /// Names the background.
    pub background: bool,
    /// The other way to say the same: ", blue background" for "on a blue background", "four swans" for "four copies
    /// of a swan", "a cat to the right of a dog" for "a dog to the left of a cat".
    pub otherwise: bool,
}

impl Wording {
    /// The forms that the model's users are told.
    pub const FULL: Self = Self { style: true, background: true, otherwise: false };

    /// Mostly everything; in one caption of ten without the style, and in one of ten without the background.
    pub fn random(random: &mut Random) -> Self {
        Self { style: !random.chance(0.1), background: !random.chance(0.1), otherwise: random.chance(0.35) }
    }
}

impl Scene {
    /// The caption, for example "flat style, a red apple on a blue background".
    pub fn caption(&self, wording: Wording) -> String {
        let mut caption = String::new();
        if let (true, None) = (wording.style, self.ink) {
            caption = format!("{} style, ", self.style.name());
        }
        caption += &self.subject(wording);
        if wording.background {
            let colour = self.background.name();
            // Both forms for one object, the short one where the sentence is longer.
            let short = match self.arrangement {
                Arrangement::One { .. } => wording.otherwise,
                _ => true,
            };
            caption += &if short {
                format!(", {colour} background")
            } else {
                format!(" on {} background", with_article(colour))
            };
        }
        caption
    }

    fn subject(&self, wording: Wording) -> String {
        // "a teal silhouette", "teal silhouettes", or nothing.
        let ink = self.ink.map(|ink| ink.name());
        let silhouette = |adjective: &str, name: &str| match ink {
            Some(ink) => {
                let phrase = format!("{adjective}{ink} silhouette of {}", Noun::new(name).one());
                with_article(&phrase)
            }
            None if adjective.is_empty() => Noun::new(name).one(),
            None => Noun::new(name).described(adjective.trim()),
        };
        match &self.arrangement {
            Arrangement::One { object } => silhouette("", object),
            Arrangement::Small { object, position } => {
                format!("{} {}", silhouette("small ", object), position.phrase())
            }
            Arrangement::Two { first, second, relation } => {
                let (first, second) = (Noun::new(first).one(), Noun::new(second).one());
                let ink = ink.map(|ink| format!("{ink} silhouettes of ")).unwrap_or_default();
                match (relation, wording.otherwise) {
                    (Relation::LeftOf, false) => format!("{ink}{first} to the left of {second}"),
                    (Relation::LeftOf, true) => format!("{ink}{second} to the right of {first}"),
                    (Relation::Above, false) => format!("{ink}{first} above {second}"),
                    (Relation::Above, true) => format!("{ink}{second} below {first}"),
                }
            }
            Arrangement::Copies { object, number } => {
                let number = number_word(*number);
                let noun = Noun::new(object);
                match (ink, noun.many().filter(|_| wording.otherwise)) {
                    (Some(ink), _) => format!("{number} {ink} silhouettes of {}", noun.one()),
                    (None, Some(many)) => format!("{number} {many}"),
                    (None, None) => format!("{number} copies of {}", noun.one()),
                }
            }
        }
    }
}

fn number_word(number: u8) -> &'static str {
    match number {
        0 | 1 => "one",
        2 => "two",
        3 => "three",
        _ => "four",
    }
}
