//! Step by step the same as diffusers, over products of class, spacing, curve, prediction and step count.

use sdxl::scheduler::{DpmSolver, Plan, Range, Scheduler, SdeNoise, SolverKind, Spacing};
use sdxl::{NoiseSource, Result};
use serde_json::Value;
use tch::{Kind, Tensor};

use crate::model::{Record, distance, fake, run};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
const SEEDS: [u64; 2] = [3, 4];
const SHAPE: [i64; 4] = [2, 4, 2, 2];

struct Case {
    name: String,
    config: Value,
    options: Value,
    steps: usize,
    told: Vec<f64>,
    sigmas: Vec<f64>,
    latents: Vec<Tensor>,
}

/// Reads the cases of `scheduler_generate.py`.
fn cases() -> Vec<Case> {
    let index = std::fs::read_to_string(format!("{FOLDER}/scheduler.json")).unwrap();
    let index: Vec<Value> = serde_json::from_str(&index).unwrap();
    let tensors = Tensor::read_safetensors(format!("{FOLDER}/scheduler.safetensors")).unwrap();
    let values = &tensors.iter().find(|(name, _)| name == "values").unwrap().1;
    let mut at = 0;
    let mut take = |count: i64| {
        at += count;
        values.narrow(0, at - count, count)
    };
    let count = |case: &Value, key: &str| case[key].as_i64().unwrap();
    let numbers = |values: Tensor| Vec::<f64>::try_from(values.to_kind(Kind::Double)).unwrap();
    let cases = index.into_iter().map(|case| Case {
        name: format!("{} {} {}", case["config"], case["steps"], case["options"]),
        steps: usize::try_from(count(&case, "steps")).unwrap(),
        told: numbers(take(count(&case, "told"))),
        sigmas: numbers(take(count(&case, "sigmas"))),
        latents: (0..count(&case, "samples")).map(|_| take(SHAPE.iter().product()).view(SHAPE)).collect(),
        config: case["config"].clone(),
        options: case["options"].clone(),
    });
    cases.collect()
}

fn range(options: &Value) -> Range {
    let number = |key: &str| options[key].as_f64();
    let range = match (number("strength"), number("start")) {
        (Some(strength), _) => Range::strength(strength),
        (None, Some(start)) => Range::starting_at(start),
        (None, None) => Range::full(),
    };
    number("end").map_or(range, |end| range.ending_at(end))
}

fn with_brownian_noise(scheduler: &Scheduler) -> Result<Scheduler> {
    let SolverKind::DpmMultistep(solver) = scheduler.solver().clone() else { return Ok(scheduler.clone()) };
    let solver = DpmSolver { noise: SdeNoise::Brownian, ..solver };
    scheduler.to_builder().solver(SolverKind::DpmMultistep(solver)).build()
}

/// The scheduler of a case: its file, and what the command line would say beside it.
fn scheduler(case: &Case) -> Result<Scheduler> {
    let text = |key: &str| case.options[key].as_str();
    let list = |key: &str| -> Option<Vec<f64>> {
        Some(case.options[key].as_array()?.iter().map(|number| number.as_f64().unwrap()).collect())
    };
    let mut scheduler = Scheduler::from_config(&case.config.to_string())?;
    if let Some(name) = text("name") {
        scheduler = scheduler.with_name(name.parse()?)?;
    }
    if let Some(spacing) = text("spacing") {
        scheduler = scheduler.with_spacing(spacing.parse()?)?;
    }
    if let Some(prediction) = text("prediction") {
        scheduler = scheduler.with_prediction(prediction.parse()?)?;
    }
    if let Some(eta) = case.options["eta"].as_f64() {
        scheduler = scheduler.with_eta(eta)?;
    }
    if let Some(timesteps) = list("timesteps") {
        scheduler = scheduler.to_builder().spacing(Spacing::Timesteps(timesteps)).build()?;
    }
    if let Some(sigmas) = list("sigmas") {
        scheduler = scheduler.to_builder().spacing(Spacing::Sigmas(sigmas)).build()?;
    }
    match text("sampler") {
        Some("dpmpp_2m_sde_brownian") => with_brownian_noise(&scheduler),
        Some(name) => scheduler.with_name(name.parse()?),
        None => Ok(scheduler),
    }
}

fn play(case: &Case) -> Result<(Plan, Record)> {
    let scheduler = scheduler(case)?;
    let plan = scheduler.plan(case.steps, range(&case.options))?;
    let mut noise = NoiseSource::new(&SEEDS)?;
    let x = if case.options["strength"].is_number() {
        let image = NoiseSource::new(&SEEDS.map(|seed| seed + 100))?.normal(&SHAPE[1..])?;
        plan.start_from(&image, &noise.normal(&SHAPE[1..])?)?
    } else if case.options["start"].is_number() {
        plan.resume(&noise.normal(&SHAPE[1..])?)?
    } else {
        plan.start(&noise.normal(&SHAPE[1..])?)?
    };
    let record = run(&scheduler, plan.clone(), x, &mut noise, fake)?;
    Ok((plan, record))
}

/// What is different, if anything is.
fn compare(case: &Case, (of_timesteps, of_latents): (f64, f64)) -> Result<(), String> {
    let (plan, record) = play(case).map_err(|error| error.to_string())?;
    let pairs = |ours: &[f64], theirs: &[f64], tolerance: f64, what: &str| {
        let far = |(a, b): (&f64, &f64)| (a - b).abs() > tolerance * b.abs().max(1.0);
        match ours.len() == theirs.len() && !ours.iter().zip(theirs).any(far) {
            true => Ok(()),
            false => Err(format!("{what}\n  ours   {ours:?}\n  theirs {theirs:?}")),
        }
    };
    pairs(&record.told, &case.told, of_timesteps, "timesteps")?;
    let sigmas: Vec<f64> = plan.levels().iter().map(|level| level.sigma).collect();
    if !case.sigmas.is_empty() {
        // EDM's are powers of f32 numbers.
        pairs(&sigmas, &case.sigmas, 3e-6, "sigmas")?;
    }
    if record.latents.len() != case.latents.len() {
        return Err(format!("{} steps instead of {}", record.latents.len(), case.latents.len()));
    }
    for (step, (ours, theirs)) in record.latents.iter().zip(&case.latents).enumerate() {
        let found = distance(ours, theirs);
        if found.is_nan() || found > of_latents {
            return Err(format!("step {step}: {found:e}"));
        }
    }
    Ok(())
}

fn is_brownian(case: &Case) -> bool {
    case.config["_class_name"] == "DPMSolverSDEScheduler"
        || case.options["sampler"] == "dpmpp_2m_sde_brownian"
        || case.options["name"] == "dpmpp_sde"
}

/// How far timesteps and latents may be off, relatively. f32 has 6e-8.
fn tolerances(case: &Case) -> (f64, f64) {
    let class = case.config["_class_name"].as_str().unwrap();
    // An ancestral half step ends where σ·σ'²/σ is, computed there as the f32 difference of σ'² and a number
    // that is nearly σ'²: it loses (σ/σ')², for two steps from 14.6 to 0.03 more than 10⁵.
    if class.contains("KDPM2Ancestral")
        || case.options["sampler"] == "dpmpp_2s_a"
        || case.options["name"] == "dpm2_a"
    {
        return (2e-4, 1e-4);
    }
    // A Brownian path is only Hölder continuous of order 1/2: the last bit of a noise level, in which processors
    // differ, moves it by √(6e-8·σ). diffusers on two machines is 9e-4 apart here, as we are from it.
    if is_brownian(case) {
        return (3e-6, 2e-3);
    }
    // A step of diffusers subtracts numbers that are up to σ times larger than its result: σ is 15 at most,
    // but 4096 with zero terminal SNR. DEIS subtracts f32 logarithms: diffusers' third order is 4e-5 away
    // from itself in f64 after 20 steps. Others subtract fewer of them.
    let latents = match case.sigmas.first() {
        Some(sigma) if *sigma > 1000.0 => 2e-4,
        _ if class.contains("DEIS") => 1e-4,
        _ => 2e-5,
    };
    // Fractional timesteps come from f32 logarithms that lie as close as 0.001.
    (3e-6, latents)
}

#[test]
fn equals_diffusers_step_by_step() {
    let cases = cases();
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            compare(case, tolerances(case)).err().map(|error| format!("{}\n  {error}", case.name))
        })
        .collect();
    let shown = failures.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{} of {} cases differ:\n{shown}", failures.len(), cases.len());

    // The last bit seldom matters to a Brownian path: most are as exact as the others.
    let brownian: Vec<&Case> = cases.iter().filter(|case| is_brownian(case)).collect();
    let exact = brownian.iter().filter(|case| compare(case, (3e-6, 2e-5)).is_ok()).count();
    eprintln!("{exact} of {} Brownian cases are exact", brownian.len());
    assert!(2 * exact > brownian.len(), "only {exact} of {} Brownian cases are exact", brownian.len());
}
