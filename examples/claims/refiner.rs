//! The refiner (paper, section 2.5): the base alone, and the base with the refiner for the last fifth of the steps, from
//! the same noise.

use sdxl::{Image, Result, Size};

use crate::Context;
use crate::autoencoder::Autoencoder;
use crate::nano::frechet::between;
use crate::nano::judge::Judge;
use crate::nano::measure::{detail, deviation, mean, quantile};
use crate::nano::scene::Scene;
use crate::nano::stages::Stages;
use crate::nano::tally::Tally;

/// Seeds of the scenes, and of those that the Fréchet distances are to.
const SEED: u64 = 14;
const OTHERS: u64 = 15;

/// Pictures of the same scenes, made in one way.
struct Line {
    name: &'static str,
    pictures: Vec<Image>,
}

pub(crate) fn measure(context: &Context) -> Result<()> {
    println!("### Refiner\n");
    let Some(refiner) = &context.arguments.refiner else {
        println!("Not measured: no refiner was given.\n");
        return Ok(());
    };
    let scenes = context.scenes(SEED, |_| true);
    let base = context.base()?;
    let both = Stages::open(&context.model, Some(refiner))?;
    let vae = Autoencoder::open(&context.model)?;
    let draw = |stages: &Stages| {
        let draw = |scene| context.draw(stages, scene, Size::new(128, 128), |builder| builder);
        scenes.iter().zip(0..).map(draw).collect::<Result<Vec<_>>>()
    };
    let render = |scene: &Scene| context.sprites.render(scene, 128, 128);
    let real: Vec<Image> = scenes.iter().map(render).collect::<Result<_>>()?;
    let decoded = real.iter().map(|image| vae.through(image)).collect::<Result<_>>()?;
    let lines = [
        Line { name: "base alone", pictures: draw(&base)? },
        Line { name: "base and refiner", pictures: draw(&both)? },
        Line { name: "the scenes, encoded and decoded", pictures: decoded },
        Line { name: "the scenes", pictures: real },
    ];

    let others: Vec<Image> = context.scenes(OTHERS, |_| true).iter().map(render).collect::<Result<_>>()?;
    let judge = Judge::new(&context.sprites);
    println!("{} prompts.\n", scenes.len());
    context
        .figure("refiner", &lines.each_ref().map(|line| line.pictures.iter().take(8).cloned().collect()))?;
    println!(
        "| pictures | fine detail | to the right sprite, median | pictures with objects \
         | object is the nearest of all | Fréchet distance to other scenes |"
    );
    println!("|---|---|---|---|---|---|");
    for Line { name, pictures } in &lines {
        let details = pictures.iter().map(detail).collect::<Result<Vec<f64>>>()?;
        let mut tally = Tally::default();
        let mut distances = Vec::new();
        for (image, scene) in pictures.iter().zip(&scenes) {
            tally.add(&judge.judge(image, scene));
            distances.extend(to_sprites(&judge, image, scene));
        }
        println!(
            "| {name} | {:.2} ± {:.2} | {:.1} | {} of {} | {:.1} % | {:.4} |",
            mean(&details),
            deviation(&details) / (details.len().max(1) as f64).sqrt(),
            quantile(&distances, 0.5),
            distances.len(),
            scenes.len(),
            100. * tally.objects.rate(),
            between(&others, pictures)?
        );
    }
    println!(
        "\n± is the standard error. The distance to a sprite is that of the judge, where white is 442 from black.\n"
    );
    Ok(())
}

/// The mean, over the scene's objects, of how far what is nearest to each is from its sprite; `None` where the picture
/// shows nothing.
fn to_sprites(judge: &Judge<'_>, image: &Image, scene: &Scene) -> Option<f64> {
    let things = judge.read(image).things;
    let nearest = |object: &&str| {
        let distances = things.iter().map(|thing| thing.distance(object, scene.style));
        distances.reduce(f32::min).map(f64::from)
    };
    let distances = scene.objects().iter().map(nearest).collect::<Option<Vec<f64>>>()?;
    Some(mean(&distances))
}
