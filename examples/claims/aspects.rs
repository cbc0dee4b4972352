//! Multi-aspect training (paper, section 2.3): whether objects keep their own shape in wide and tall pictures.
//!
//! 128x128, 160x96 and 96x160 are trained; 1:2 and 2:1 are not.

use sdxl::{Image, Result, Size};

use crate::Context;
use crate::nano::judge::Judge;
use crate::nano::measure::quantile;
use crate::nano::scene::Scene;
use crate::nano::segment::segment;
use crate::nano::tally::Tally;

const SEED: u64 = 13;
const SIZES: [(usize, usize); 5] = [(128, 128), (160, 96), (96, 160), (176, 88), (88, 176)];

/// The pictures of one size.
#[derive(Default)]
struct Line {
    /// How far width / height of an object is from that of its sprite: the absolute difference of the logarithms.
    errors: Vec<f64>,
    tally: Tally,
}

pub(crate) fn measure(context: &Context) -> Result<()> {
    let stages = context.base()?;
    let judge = Judge::new(&context.sprites);
    let scenes = context.scenes(SEED, |_| true);
    let single = scenes.iter().filter(|scene| scene.objects().len() == 1).count();
    let mut lines = SIZES.map(|_| Line::default());
    let mut pictures = Vec::new();
    for (scene, seed) in scenes.iter().zip(0..) {
        let mut row = Vec::new();
        for ((width, height), line) in SIZES.into_iter().zip(&mut lines) {
            let size = Size::new(width as i64, height as i64);
            let image = context.draw(&stages, (scene, seed), size, |builder| builder)?;
            let real = context.sprites.render(scene, width, height)?;
            line.errors.extend(error(scene, &image, &real));
            line.tally.add(&judge.judge(&image, scene));
            row.push(image);
        }
        pictures.push(row);
    }

    println!(
        "### Multi-aspect training\n\n{} prompts at each size, {single} of them with one object.\n",
        scenes.len()
    );
    context.figure("aspects", &pictures)?;
    println!(
        "| size | error of width : height, median | 90th percentile | objects found \
         | number of objects right | object is the nearest of all |"
    );
    println!("|---|---|---|---|---|---|");
    for ((width, height), Line { errors, tally }) in SIZES.iter().zip(&lines) {
        println!(
            "| {width}x{height} | {:.1} % | {:.1} % | {} of {single} | {:.1} % | {:.1} % |",
            100. * quantile(errors, 0.5),
            100. * quantile(errors, 0.9),
            errors.len(),
            100. * tally.number.rate(),
            100. * tally.objects.rate()
        );
    }
    println!("\nThe error is the absolute difference of the logarithms, of prompts with one object.\n");
    Ok(())
}

/// For a scene with one object in which something is to be seen.
fn error(scene: &Scene, image: &Image, real: &Image) -> Option<f64> {
    let shape = |image: &Image| {
        let largest = segment(image).largest()?;
        Some((largest.width as f64 / largest.height as f64).ln())
    };
    (scene.objects().len() == 1).then_some(())?;
    Some((shape(image)? - shape(real)?).abs())
}
