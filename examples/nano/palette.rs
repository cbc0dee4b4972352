//! [`Colour`] and [`Style`]: the words of captions that name a look.

use serde::{Deserialize, Serialize};

/// The colours of backgrounds and silhouettes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    White,
    Black,
    Gray,
    Red,
    Orange,
    Yellow,
    Green,
    Teal,
    Blue,
    Purple,
    Pink,
    Brown,
}

impl Colour {
    pub const ALL: [Self; 12] = [
        Self::White,
        Self::Black,
        Self::Gray,
        Self::Red,
        Self::Orange,
        Self::Yellow,
        Self::Green,
        Self::Teal,
        Self::Blue,
        Self::Purple,
        Self::Pink,
        Self::Brown,
    ];

    pub fn name(self) -> &'static str {
        self.look().0
    }

    /// sRGB.
    pub fn rgb(self) -> [u8; 3] {
        self.look().1
    }

    fn look(self) -> (&'static str, [u8; 3]) {
        match self {
            Self::White => ("white", [0xFA, 0xFA, 0xFA]),
            Self::Black => ("black", [0x1E, 0x1E, 0x22]),
            Self::Gray => ("gray", [0x96, 0x96, 0x96]),
            Self::Red => ("red", [0xD6, 0x3A, 0x3A]),
            Self::Orange => ("orange", [0xF0, 0x96, 0x2F]),
            Self::Yellow => ("yellow", [0xFB, 0xDB, 0x55]),
            Self::Green => ("green", [0x5C, 0xB0, 0x5C]),
            Self::Teal => ("teal", [0x2F, 0xA3, 0xA0]),
            Self::Blue => ("blue", [0x4F, 0x80, 0xDC]),
            Self::Purple => ("purple", [0x94, 0x5D, 0xC8]),
            Self::Pink => ("pink", [0xF5, 0xA3, 0xC3]),
            Self::Brown => ("brown", [0x82, 0x5C, 0x42]),
        }
    }

    /// The colour that is nearest to this one.
    pub fn nearest(rgb: [f32; 3]) -> Self {
        let mut best = (f32::INFINITY, Self::White);
        for colour in Self::ALL {
            let distance = distance2(rgb, colour.rgb().map(f32::from));
            if distance < best.0 {
                best = (distance, colour);
            }
        }
        best.1
    }

    /// Whether a silhouette of this colour can be told from that background.
    pub fn stands_out(self, background: Self) -> bool {
        distance2(self.rgb().map(f32::from), background.rgb().map(f32::from)) > 110. * 110.
    }
}

/// The square of the distance of two colours.
pub fn distance2(one: [f32; 3], other: [f32; 3]) -> f32 {
    let ([red, green, blue], [other_red, other_green, other_blue]) = (one, other);
    (red - other_red).powi(2) + (green - other_green).powi(2) + (blue - other_blue).powi(2)
}

/// How objects are drawn: one collection of pictures each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    Flat,
    Glossy,
    #[serde(rename = "3d")]
    ThreeD,
    Detailed,
    Blob,
    /// One colour, which the scene chooses.
    Silhouette,
}

impl Style {
    pub const ALL: [Self; 6] =
        [Self::Flat, Self::Glossy, Self::ThreeD, Self::Detailed, Self::Blob, Self::Silhouette];

    pub fn name(self) -> &'static str {
        match self {
            Self::Flat => "flat",
            Self::Glossy => "glossy",
            Self::ThreeD => "3d",
            Self::Detailed => "detailed",
            Self::Blob => "blob",
            Self::Silhouette => "silhouette",
        }
    }
}
