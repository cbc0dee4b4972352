//! Size conditioning (paper, section 2.2 and the figure there): the same prompts and noise, and a rising original size,
//! of which both sides of the guidance are told.
//!
//! Training shows small scenes scaled up with their small original size, so a small one should give soft pictures, and
//! the scenes themselves, scaled from that size to 128x128, say how soft. Sides of 69 to 200 pixels occur in training;
//! those below and above do not.

use sdxl::{Image, Result, Size};

use crate::Context;
use crate::autoencoder::Autoencoder;
use crate::nano::measure::{detail, deviation, mean};

const SEED: u64 = 11;
const SIDES: [u32; 6] = [48, 64, 96, 128, 192, 256];
const TARGET: u32 = 128;

/// Fine detail at one original size, of every scene.
#[derive(Default)]
struct Line {
    drawn: Vec<f64>,
    scenes: Vec<f64>,
    decoded: Vec<f64>,
}

pub(crate) fn measure(context: &Context) -> Result<()> {
    let stages = context.base()?;
    let vae = Autoencoder::open(&context.model)?;
    let scenes = context.scenes(SEED, |_| true);
    let mut lines = SIDES.map(|_| Line::default());
    let mut pictures: Vec<Vec<Image>> = Vec::new();
    for (scene, seed) in scenes.iter().zip(0..) {
        let mut row = Vec::new();
        for (side, line) in SIDES.into_iter().zip(&mut lines) {
            let original = Size::new(side.into(), side.into());
            let image = context.draw(&stages, (scene, seed), target(), |builder| {
                builder.original_size(original).negative_original_size(original)
            })?;
            let real =
                context.sprites.render(scene, side as usize, side as usize)?.resized(TARGET, TARGET)?;
            line.drawn.push(detail(&image)?);
            line.scenes.push(detail(&real)?);
            line.decoded.push(detail(&vae.through(&real)?)?);
            row.push(image);
        }
        pictures.push(row);
    }

    println!("### Size conditioning\n\n{} prompts at each original size.\n", scenes.len());
    context.figure("size", &pictures)?;
    println!(
        "| original size | fine detail | sharper than one size below | scenes of that size \
         | the same, encoded and decoded |"
    );
    println!("|---|---|---|---|---|");
    let mut below: Option<&Line> = None;
    for (side, line) in SIDES.into_iter().zip(&lines) {
        let sharper = match below {
            Some(below) => {
                let more = line.drawn.iter().zip(&below.drawn).filter(|(one, other)| one > other).count();
                format!("{more} of {}", line.drawn.len())
            }
            None => String::new(),
        };
        println!(
            "| {side}x{side} | {:.2} ± {:.2} | {sharper} | {:.2} | {:.2} |",
            mean(&line.drawn),
            deviation(&line.drawn) / (line.drawn.len().max(1) as f64).sqrt(),
            mean(&line.scenes),
            mean(&line.decoded)
        );
        below = Some(line);
    }
    println!("\n± is the standard error.\n");
    Ok(())
}

fn target() -> Size {
    Size::new(TARGET.into(), TARGET.into())
}
