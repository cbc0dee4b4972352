//! Crop conditioning (paper, section 2.2): where the object is, against the crop that the model is told.
//!
//! Training scales a picture until it covers its bucket and cuts at a random place. Into the square bucket go shapes of
//! up to 1.29 to 1, the middle between it and the next bucket, so that up to 37 pixels are cut off, and only from the
//! longer side. Here the widest and the tallest such original is told, with crops over all of that range; the middle
//! one, and (0, 0) of a square original, should centre the object. A square original is never cut in training: its
//! other crops are new to the model.

use ndarray::s;
use sdxl::{Crop, Image, Result, Size};

use crate::Context;
use crate::nano::measure::{deviation, mean};
use crate::nano::picture::Bounds;
use crate::nano::scene::{Arrangement, Scene};
use crate::nano::segment::segment;

const SEED: u64 = 12;
const TARGET: usize = 128;
const OFFSETS: [usize; 5] = [0, 9, 18, 28, 37];

/// What the model is told.
struct Case {
    original: (usize, usize),
    crop: (usize, usize),
}

/// Where the objects are.
#[derive(Default)]
struct Places {
    /// Pixels right of the middle, or below it where the crop is from the top.
    offsets: Vec<f64>,
    touching: usize,
}

impl Places {
    fn add(&mut self, image: &Image, case: &Case) {
        let Some(Bounds { left, top, width, height }) = segment(image).largest() else { return };
        let middle = match case.original.1 > case.original.0 {
            true => top as f64 + height as f64 / 2.,
            false => left as f64 + width as f64 / 2.,
        };
        self.offsets.push(middle - TARGET as f64 / 2.);
        let inside = left > 0 && top > 0 && left + width < image.width() && top + height < image.height();
        self.touching += usize::from(!inside);
    }

    fn columns(&self) -> String {
        let found = self.offsets.len();
        let (mean, deviation) = (mean(&self.offsets), deviation(&self.offsets));
        let touching = 100. * self.touching as f64 / found.max(1) as f64;
        format!("{mean:+.1} ± {deviation:.1} | {touching:.0} % of {found}")
    }
}

pub(crate) fn measure(context: &Context) -> Result<()> {
    let cases: Vec<Case> = [
        OFFSETS.map(|left| Case { original: (160, 124), crop: (left, 0) }).as_slice(),
        &OFFSETS.map(|top| Case { original: (124, 160), crop: (0, top) }),
        &[0, 18, 37].map(|left| Case { original: (TARGET, TARGET), crop: (left, 0) }),
    ]
    .into_iter()
    .flat_map(|cases| cases.iter().map(|case| Case { ..*case }))
    .collect();
    let stages = context.base()?;
    let scenes = context.scenes(SEED, |scene| matches!(scene.arrangement, Arrangement::One { .. }));
    let mut lines: Vec<(Places, Places)> = cases.iter().map(|_| Default::default()).collect();
    let mut pictures = Vec::new();
    for (scene, seed) in scenes.iter().zip(0..) {
        let mut row = Vec::new();
        for (case, (drawn, data)) in cases.iter().zip(&mut lines) {
            let image = draw(context, &stages, (scene, seed), case)?;
            drawn.add(&image, case);
            if let Some(cut) = cut(context, scene, case)? {
                data.add(&cut, case);
            }
            row.push(image);
        }
        pictures.push(row);
    }

    println!("### Crop conditioning\n\n{} prompts with one object for each crop.\n", scenes.len());
    context.figure("crop", &pictures)?;
    println!(
        "| original size | crop (left, top) | drawn: from the middle, pixels | touches the edge \
         | data: from the middle | touches the edge |"
    );
    println!("|---|---|---|---|---|---|");
    for (Case { original, crop }, (drawn, data)) in cases.iter().zip(&lines) {
        let data = if data.offsets.is_empty() { "not in the data |".to_owned() } else { data.columns() };
        println!(
            "| {}x{} | ({}, {}) | {} | {data} |",
            original.0,
            original.1,
            crop.0,
            crop.1,
            drawn.columns()
        );
    }
    println!(
        "\n± is the standard deviation. Objects that were not found are left out; the numbers say how many were.\n"
    );
    Ok(())
}

fn draw(
    context: &Context,
    stages: &crate::nano::stages::Stages,
    scene: (&Scene, u64),
    case: &Case,
) -> Result<Image> {
    let original = Size::new(case.original.0 as i64, case.original.1 as i64);
    let crop = Crop::new(case.crop.0 as i64, case.crop.1 as i64);
    context.draw(stages, scene, Size::new(TARGET as i64, TARGET as i64), |builder| {
        builder.original_size(original).negative_original_size(original).crop(crop).negative_crop(crop)
    })
}

/// The scene as training cuts it; `None` where it never cuts so.
fn cut(context: &Context, scene: &Scene, case: &Case) -> Result<Option<Image>> {
    let ((width, height), (left, top)) = (case.original, case.crop);
    let scale = TARGET as f64 / width.min(height) as f64;
    let side = |side: usize| (side as f64 * scale).round() as u32;
    let scaled = context.sprites.render(scene, width, height)?.resized(side(width), side(height))?;
    if left + TARGET > scaled.width() || top + TARGET > scaled.height() {
        return Ok(None);
    }
    let pixels = scaled.pixels();
    Image::from_pixels(pixels.slice(s![top..top + TARGET, left..left + TARGET, ..])).map(Some)
}
