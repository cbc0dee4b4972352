//! Parts of a schedule: the lists of diffusers' own tests of base and refiner
//! (`tests/pipelines/stable_diffusion_xl`), image-to-image, and hand-over of the latents.

use sdxl::scheduler::{Range, Scheduler, SchedulerName};
use sdxl::{Error, NoiseSource};
use tch::Tensor;

use crate::model::{distance, fake, run};

fn start() -> Tensor {
    NoiseSource::new(&[5]).unwrap().normal(&[4, 2, 2]).unwrap()
}

/// The timesteps that the network is told in a part of a schedule.
fn told(name: SchedulerName, steps: usize, range: Range) -> Vec<f64> {
    let scheduler = Scheduler::named(name).unwrap();
    let plan = scheduler.plan(steps, range).unwrap();
    let x = plan.start(&start()).unwrap();
    run(&scheduler, plan, x, &mut NoiseSource::new(&[6]).unwrap(), fake).unwrap().told
}

fn from(first: f64, step: f64, count: usize) -> Vec<f64> {
    (0..count).map(|i| first - step * i as f64).collect()
}

/// Every value twice, but the first.
fn doubled(values: Vec<f64>) -> Vec<f64> {
    values.iter().flat_map(|t| [*t, *t]).skip(1).collect()
}

fn schedules() -> Vec<(SchedulerName, usize, Vec<f64>)> {
    use SchedulerName::{Ddim, Dpmpp2m, Euler, Heun, UniPc};
    vec![
        (Euler, 10, from(901.0, 100.0, 10)),
        (Ddim, 10, from(901.0, 100.0, 10)),
        (Heun, 10, doubled(from(901.0, 100.0, 10))),
        (Dpmpp2m, 10, from(901.0, 90.0, 10)),
        (UniPc, 10, from(901.0, 90.0, 10)),
        (Euler, 25, from(961.0, 40.0, 25)),
        (Ddim, 25, from(961.0, 40.0, 25)),
        (Heun, 25, doubled(from(961.0, 40.0, 25))),
        (Dpmpp2m, 25, from(951.0, 38.0, 25)),
        (UniPc, 25, from(951.0, 38.0, 25)),
    ]
}

/// What the second run is expected to be told: for two calls a step it begins at the last timestep of the
/// first run, where the hand-over falls between the two.
fn rest(name: SchedulerName, before: &[f64], all: &[f64], cutoff: f64) -> Vec<f64> {
    let repeated = before.last().copied().filter(|_| name == SchedulerName::Heun);
    repeated.into_iter().chain(all.iter().copied().filter(|t| *t < cutoff)).collect()
}

#[test]
fn base_and_refiner_share_the_schedule() {
    for (name, steps, all) in schedules() {
        assert_eq!(told(name, steps, Range::full()), all, "{name}");
        for split in [300.0, 500.0, 700.0] {
            let fraction = 1.0 - split / 1000.0;
            let base = told(name, steps, Range::full().ending_at(fraction));
            let expected: Vec<f64> = all.iter().copied().filter(|t| *t >= split).collect();
            assert_eq!(base, expected, "{name} {steps} {split}");
            let refiner = told(name, steps, Range::starting_at(fraction));
            assert_eq!(refiner, rest(name, &base, &all, split), "{name} {steps} {split}");
        }
    }
}

#[test]
fn three_models_share_the_schedule() {
    use SchedulerName::{Ddim, Dpmpp2m, Euler, Heun, UniPc};
    for (first, second) in [(0.19, 0.81), (0.32, 0.68)] {
        let (upper, lower) = (1000.0 - (first * 1000.0_f64).round(), 1000.0 - (second * 1000.0_f64).round());
        for steps in [7, 11, 20] {
            for name in [Ddim, Euler, Dpmpp2m, UniPc, Heun] {
                let all = told(name, steps, Range::full());
                let one = told(name, steps, Range::full().ending_at(first));
                assert_eq!(one, all.iter().copied().filter(|t| *t >= upper).collect::<Vec<_>>(), "{name}");
                let two = told(name, steps, Range::starting_at(first).ending_at(second));
                let expected: Vec<f64> = all.iter().copied().filter(|t| *t >= lower).collect();
                assert_eq!(two, rest(name, &one, &expected, upper), "{name} {steps}");
                let three = told(name, steps, Range::starting_at(second));
                assert_eq!(three, rest(name, &two, &all, lower), "{name} {steps}");
            }
        }
    }
}

/// Without history, two halves are one whole: the latents say all there is to hand over.
#[test]
fn handing_over_changes_nothing() {
    use SchedulerName::{Ddim, Dpmpp2sAncestral, Euler, EulerAncestral, Lcm, Tcd};
    for name in [Euler, Ddim, EulerAncestral, Dpmpp2sAncestral, Lcm, Tcd] {
        let scheduler = Scheduler::named(name).unwrap();
        let mut noise = NoiseSource::new(&[8]).unwrap();
        let play = |range: Range, latents: Option<&Tensor>, noise: &mut NoiseSource| {
            let plan = scheduler.plan(10, range).unwrap();
            let x = match latents {
                Some(latents) => plan.resume(latents).unwrap(),
                None => plan.start(&start()).unwrap(),
            };
            run(&scheduler, plan, x, noise, fake).unwrap().latents.pop().unwrap()
        };
        let whole = play(Range::full(), None, &mut NoiseSource::new(&[8]).unwrap());
        let first = play(Range::full().ending_at(0.6), None, &mut noise);
        let both = play(Range::starting_at(0.6), Some(&first), &mut noise);
        assert!(distance(&both, &whole) < 1e-6, "{name}: {}", distance(&both, &whole));
    }
}

/// Image-to-image takes the last ⌊strength·steps⌋ steps.
#[test]
fn strength_is_rounded_down() {
    let count = |strength: f64, steps| {
        Scheduler::euler().unwrap().plan(steps, Range::strength(strength)).map(|plan| plan.steps().len())
    };
    assert_eq!(count(0.3, 50).unwrap(), 15);
    assert_eq!(count(0.75, 10).unwrap(), 7);
    assert_eq!(count(1.0, 10).unwrap(), 10);
    assert_eq!(count(0.999, 10).unwrap(), 9);
    let error = count(0.05, 10).unwrap_err().to_string();
    assert!(error.contains("strength is 0.05") && error.contains("1/10"), "{error}");
}

#[test]
fn impossible_ranges_say_why() {
    let refused = |name: SchedulerName, steps, range: Range, words: &str| {
        let error = Scheduler::named(name).unwrap().plan(steps, range).unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    };
    let euler = SchedulerName::Euler;
    for strength in [0.0, -1.0, 1.5, f64::NAN] {
        refused(euler, 10, Range::strength(strength), "strength");
    }
    for fraction in [-0.1, 1.0, f64::NAN] {
        refused(euler, 10, Range::starting_at(fraction), "start");
    }
    for fraction in [0.0, 1.1, f64::NAN] {
        refused(euler, 10, Range::full().ending_at(fraction), "end");
    }
    refused(euler, 10, Range::starting_at(0.8).ending_at(0.5), "less than the end");
    refused(euler, 2, Range::starting_at(0.6).ending_at(0.7), "some of 2 steps");
    refused(SchedulerName::EdmEuler, 10, Range::starting_at(0.8), "strength");
}
