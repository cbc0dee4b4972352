//! Micro-conditioning: the sizes, the crop and the aesthetic score that the UNet is told.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The largest side that is accepted anywhere, in pixels.
pub(crate) const MAX_SIDE: i64 = 16_384;

/// A width and a height in pixels. Written `1024x768`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Size {
    /// Pixels from left to right.
    pub width: i64,
    /// Pixels from top to bottom.
    pub height: i64,
}

impl Size {
    /// Width first, as sizes are spoken of. The UNet is told (height, width).
    pub const fn new(width: i64, height: i64) -> Self {
        Self { width, height }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl FromStr for Size {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (width, height) =
            pair(text, 'x').ok_or_else(|| Error::invalid("size", format!("`{text}`"), "WxH"))?;
        Ok(Self { width, height })
    }
}

/// The top-left corner of a crop in the resized original, in pixels. Written `left,top`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Crop {
    /// Pixels cut off on the left.
    pub left: i64,
    /// Pixels cut off at the top.
    pub top: i64,
}

impl Crop {
    /// Left first, as points are spoken of. The UNet is told (top, left).
    pub const fn new(left: i64, top: i64) -> Self {
        Self { left, top }
    }
}

impl fmt::Display for Crop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.left, self.top)
    }
}

impl FromStr for Crop {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (left, top) =
            pair(text, ',').ok_or_else(|| Error::invalid("crop", format!("`{text}`"), "LEFT,TOP"))?;
        Ok(Self { left, top })
    }
}

fn pair(text: &str, separator: char) -> Option<(i64, i64)> {
    let (first, second) = text.split_once(separator)?;
    Some((first.trim().parse().ok()?, second.trim().parse().ok()?))
}

/// What the refiner is told in the place of the target size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AestheticScores {
    /// For the prompt; 6 unless said otherwise.
    pub positive: f64,
    /// For the negative prompt; 2.5 unless said otherwise.
    pub negative: f64,
}

impl Default for AestheticScores {
    fn default() -> Self {
        Self { positive: 6., negative: 2.5 }
    }
}

/// The numbers of one side of guidance, as asked for: what is absent is the size of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct MicroConditioning {
    /// Size of the original picture, before it was scaled (paper: `c_size`). Small values give the look of
    /// small pictures scaled up.
    pub original_size: Option<Size>,
    /// What was cut off it (paper: `c_crop`). (0, 0) gives centred objects.
    pub crop: Crop,
    /// Size of the training bucket (paper: `c_ar`).
    pub target_size: Option<Size>,
}

impl MicroConditioning {
    /// The numbers in the order of the UNet: original (height, width), crop (top, left), and target
    /// (height, width), or the aesthetic score where the model takes that.
    pub(crate) fn time_ids(&self, size: Size, aesthetic_score: Option<f64>) -> Vec<f32> {
        let original = self.original_size.unwrap_or(size);
        let target = self.target_size.unwrap_or(size);
        let mut ids = vec![original.height, original.width, self.crop.top, self.crop.left];
        if aesthetic_score.is_none() {
            ids.extend([target.height, target.width]);
        }
        ids.into_iter().map(|id| id as f32).chain(aesthetic_score.map(|score| score as f32)).collect()
    }

    pub(super) fn validate(&self, fields: [&'static str; 3]) -> Result<()> {
        let [original, crop, target] = fields;
        for (field, size) in [(original, self.original_size), (target, self.target_size)] {
            let Some(size) = size else { continue };
            if !(1..=MAX_SIDE).contains(&size.width) || !(1..=MAX_SIDE).contains(&size.height) {
                return Err(Error::invalid(field, size, format!("sides of 1 to {MAX_SIDE} pixels")));
            }
        }
        if !(0..=MAX_SIDE).contains(&self.crop.left) || !(0..=MAX_SIDE).contains(&self.crop.top) {
            return Err(Error::invalid(crop, self.crop, format!("coordinates of 0 to {MAX_SIDE} pixels")));
        }
        Ok(())
    }
}
