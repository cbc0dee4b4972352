//! [`Scene`]: what a picture shows, as data.

use serde::{Deserialize, Serialize};

use super::palette::{Colour, Style};
use super::random::hash;

/// How many of a hundred combinations of object, background and place training never shows.
const HELD_OUT_PERCENT: u64 = 5;

/// What a picture shows. Objects are names in the sprite pack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    pub style: Style,
    pub background: Colour,
    /// The colour of silhouettes; `None` in the other styles.
    pub ink: Option<Colour>,
    pub arrangement: Arrangement,
    /// Decides sizes and places within what the arrangement allows.
    pub seed: u64,
}

/// The objects and how they stand to each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arrangement {
    /// One object that fills most of the picture.
    One { object: String },
    /// A small object somewhere.
    Small { object: String, position: Position },
    /// Two different objects: `first` is left of `second`, or above it.
    Two { first: String, second: String, relation: Relation },
    /// The same object 2, 3 or 4 times.
    Copies { object: String, number: u8 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    TopLeft,
    Top,
    TopRight,
    Left,
    Centre,
    Right,
    BottomLeft,
    Bottom,
    BottomRight,
}

impl Position {
    pub const ALL: [Self; 9] = [
        Self::TopLeft,
        Self::Top,
        Self::TopRight,
        Self::Left,
        Self::Centre,
        Self::Right,
        Self::BottomLeft,
        Self::Bottom,
        Self::BottomRight,
    ];

    pub fn phrase(self) -> &'static str {
        match self {
            Self::TopLeft => "in the top left corner",
            Self::Top => "at the top",
            Self::TopRight => "in the top right corner",
            Self::Left => "on the left",
            Self::Centre => "in the centre",
            Self::Right => "on the right",
            Self::BottomLeft => "in the bottom left corner",
            Self::Bottom => "at the bottom",
            Self::BottomRight => "in the bottom right corner",
        }
    }

    /// The third of the picture, from 0: (column, row).
    pub fn thirds(self) -> (u8, u8) {
        match self {
            Self::TopLeft => (0, 0),
            Self::Top => (1, 0),
            Self::TopRight => (2, 0),
            Self::Left => (0, 1),
            Self::Centre => (1, 1),
            Self::Right => (2, 1),
            Self::BottomLeft => (0, 2),
            Self::Bottom => (1, 2),
            Self::BottomRight => (2, 2),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    LeftOf,
    Above,
}

impl Scene {
    /// The names of the objects, each as often as it is to be seen: from left to right or from top to bottom.
    pub fn objects(&self) -> Vec<&str> {
        match &self.arrangement {
            Arrangement::One { object } | Arrangement::Small { object, .. } => vec![object],
            Arrangement::Two { first, second, .. } => vec![first, second],
            Arrangement::Copies { object, number } => vec![object; usize::from(*number)],
        }
    }
}

/// Whether training never shows this scene: one of its combinations of object, background and place is kept for
/// measuring. The style plays no part, so that such a combination is new in every style.
pub fn is_held_out(scene: &Scene) -> bool {
    let held_out = |object: &str, place: &str| {
        hash(&format!("{object}|{}|{place}", scene.background.name())) % 100 < HELD_OUT_PERCENT
    };
    match &scene.arrangement {
        Arrangement::One { object } => held_out(object, "alone"),
        Arrangement::Small { object, position } => held_out(object, position.phrase()),
        Arrangement::Two { first, second, relation: Relation::LeftOf } => {
            held_out(first, "left of") || held_out(second, "right of")
        }
        Arrangement::Two { first, second, relation: Relation::Above } => {
            held_out(first, "above") || held_out(second, "below")
        }
        Arrangement::Copies { object, number } => held_out(object, &format!("{number} copies")),
    }
}
