//! The recipes: the tables of `reference` values that diffusers 0.42.1 computes for the model cards' settings.

use sdxl::scheduler::{Plan, Prediction, PresetName, Range, Scheduler, SchedulerName, SolverKind, Spacing};
use sdxl::{NoiseSource, Result};
use serde_json::{Value, json};

use crate::model::{fake, run};

fn plan(scheduler: &Scheduler, steps: usize) -> Plan {
    scheduler.plan(steps, Range::full()).unwrap()
}

fn timesteps(plan: &Plan) -> Vec<f64> {
    plan.steps().iter().map(|step| step.from.timestep).collect()
}

fn assert_close(found: impl IntoIterator<Item = f64>, expected: &[f64]) {
    let found: Vec<f64> = found.into_iter().collect();
    assert_eq!(found.len(), expected.len(), "{found:?} {expected:?}");
    for (a, b) in found.iter().zip(expected) {
        // The tables have five or six digits.
        assert!((a - b).abs() <= 2e-5 * b.abs().max(1e-3), "{found:?} {expected:?}");
    }
}

fn assert_sigmas(plan: &Plan, expected: &[f64]) {
    assert_close(plan.levels().iter().map(|level| level.sigma), expected);
}

/// The same results as the file that its model card stands for.
fn assert_is_file(preset: Result<Scheduler>, file: Value, steps: usize) {
    let preset = preset.unwrap();
    let file = Scheduler::from_config(&file.to_string()).unwrap();
    let latents = |scheduler: &Scheduler| {
        let plan = plan(scheduler, steps);
        let mut noise = NoiseSource::new(&[3]).unwrap();
        let x = plan.start(&noise.normal(&[4, 2, 2]).unwrap()).unwrap();
        run(scheduler, plan, x, &mut noise, fake).unwrap().latents
    };
    for (ours, theirs) in latents(&preset).iter().zip(latents(&file)) {
        assert_eq!(ours, &theirs, "{preset:?}");
    }
}

fn sdxl(class: &str, changes: &Value) -> Value {
    let mut file = json!({
        "_class_name": class, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
        "clip_sample": false, "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1,
        "timestep_spacing": "leading",
    });
    for (key, value) in changes.as_object().unwrap() {
        file[key] = value.clone();
    }
    file
}

#[test]
fn base_model() {
    let plan = plan(&Scheduler::euler().unwrap(), 10);
    assert_close(timesteps(&plan), &[901., 801., 701., 601., 501., 401., 301., 201., 101., 1.]);
    let sigmas =
        [8.39069, 5.13443, 3.34776, 2.29285, 1.62369, 1.16822, 0.835653, 0.574051, 0.346187, 0.0413145, 0.0];
    assert_sigmas(&plan, &sigmas);
    assert_close([plan.initial_scale()], &[8.450067]);
    assert_is_file(Scheduler::euler(), sdxl("EulerDiscreteScheduler", &json!({})), 5);
    assert_is_file(Scheduler::euler_ancestral(), sdxl("EulerAncestralDiscreteScheduler", &json!({})), 5);
    assert_is_file(Scheduler::ddim(), sdxl("DDIMScheduler", &json!({})), 5);
    assert_is_file(Scheduler::unipc(), sdxl("UniPCMultistepScheduler", &json!({})), 5);
    let karras = json!({"use_karras_sigmas": true});
    assert_is_file(Scheduler::dpmpp_2m_karras(), sdxl("DPMSolverMultistepScheduler", &karras), 5);
    let sde = json!({"use_karras_sigmas": true, "algorithm_type": "sde-dpmsolver++"});
    assert_is_file(Scheduler::dpmpp_2m_sde_karras(), sdxl("DPMSolverMultistepScheduler", &sde), 5);
    // A scheduler made by hand stands for that model, too.
    let by_hand = Scheduler::builder().build().unwrap().with_name(SchedulerName::Ddim);
    assert_is_file(by_hand, sdxl("DDIMScheduler", &json!({})), 5);
}

#[test]
fn turbo_and_lightning() {
    let trailing = json!({"timestep_spacing": "trailing"});
    assert_is_file(Scheduler::turbo(), sdxl("EulerAncestralDiscreteScheduler", &trailing), 4);
    assert_is_file(Scheduler::lightning(), sdxl("EulerDiscreteScheduler", &trailing), 4);
    let one = json!({"timestep_spacing": "trailing", "prediction_type": "sample"});
    assert_is_file(Scheduler::lightning_one_step(), sdxl("EulerDiscreteScheduler", &one), 1);
    assert_eq!(Scheduler::lightning_one_step().unwrap().prediction(), Prediction::Sample);
    for preset in [Scheduler::turbo().unwrap(), Scheduler::lightning().unwrap()] {
        let one = plan(&preset, 1);
        assert_close(timesteps(&one), &[999.]);
        assert_sigmas(&one, &[14.6146, 0.0]);
        assert_close([one.initial_scale()], &[14.614645]);
        assert_close(timesteps(&plan(&preset, 2)), &[999., 499.]);
        let four = plan(&preset, 4);
        assert_close(timesteps(&four), &[999., 749., 499., 249.]);
        assert_sigmas(&four, &[14.6146, 4.08173, 1.61289, 0.693205, 0.0]);
        let eight = plan(&preset, 8);
        assert_close(timesteps(&eight), &[999., 874., 749., 624., 499., 374., 249., 124.]);
    }
}

#[test]
fn consistency_models() {
    assert_is_file(Scheduler::lcm(), sdxl("LCMScheduler", &json!({})), 4);
    for preset in [Scheduler::lcm().unwrap(), Scheduler::tcd().unwrap(), Scheduler::hyper_unified().unwrap()]
    {
        assert_close(timesteps(&plan(&preset, 1)), &[999.]);
        assert_close(timesteps(&plan(&preset, 2)), &[999., 499.]);
        assert_close(timesteps(&plan(&preset, 4)), &[999., 759., 499., 259.]);
        assert_close(timesteps(&plan(&preset, 8)), &[999., 879., 759., 639., 499., 379., 259., 139.]);
        assert_close([plan(&preset, 4).initial_scale()], &[14.648817]);
    }
    let eta = |scheduler: Scheduler| match scheduler.solver() {
        SolverKind::Tcd { eta } => *eta,
        other => panic!("{other:?}"),
    };
    assert_eq!(eta(Scheduler::tcd().unwrap()), 0.3);
    assert_eq!(eta(Scheduler::hyper_unified().unwrap()), 1.0);
    let dmd2 = Scheduler::dmd2().unwrap();
    assert_close(timesteps(&plan(&dmd2, 4)), &[999., 749., 499., 249.]);
    let error = dmd2.plan(5, Range::full()).unwrap_err().to_string();
    assert!(error.contains("steps is 5, expected 4"), "{error}");
}

#[test]
fn hyper() {
    assert_is_file(Scheduler::hyper(), sdxl("DDIMScheduler", &json!({"timestep_spacing": "trailing"})), 8);
    assert_close(timesteps(&plan(&Scheduler::hyper().unwrap(), 4)), &[999., 749., 499., 249.]);
    let one = Scheduler::hyper_one_step().unwrap();
    assert_close(timesteps(&plan(&one, 1)), &[800.]);
    assert!(matches!(one.solver(), SolverKind::Lcm { .. }));
}

#[test]
fn velocity_with_zero_terminal_snr() {
    let preset = Scheduler::v_prediction_zero_snr().unwrap();
    assert_eq!(preset.prediction(), Prediction::V);
    let ten = plan(&preset, 10);
    assert_close(timesteps(&ten), &[999., 899., 799., 699., 599., 499., 399., 299., 199., 99.]);
    let sigmas =
        [4096., 18.1301, 7.41071, 4.11419, 2.60486, 1.76808, 1.24138, 0.874744, 0.594752, 0.35499, 0.];
    assert_sigmas(&ten, &sigmas);
    // In DDIM, pure noise is nothing else: the first unit-variance sample is the noise itself.
    let ddim = preset.with_name(SchedulerName::Ddim).unwrap();
    let plan = plan(&ddim, 4);
    let noise = NoiseSource::new(&[1]).unwrap().normal(&[4, 2, 2]).unwrap();
    let x = plan.start(&noise).unwrap();
    let first = plan.steps()[0].from.sigma;
    assert_eq!(plan.latents(&x, first).unwrap(), noise);
    assert_eq!(ddim.prediction().input(&x, first).unwrap(), noise);
    // Which the noise schedule alone cannot denoise.
    let error = Scheduler::from_config(
        &json!({"_class_name": "DDIMScheduler", "rescale_betas_zero_snr": true}).to_string(),
    );
    let error = error.unwrap_err().to_string();
    assert!(error.contains("pure noise"), "{error}");
}

#[test]
fn edm_models() {
    let playground = Scheduler::playground_v2_5().unwrap();
    assert_eq!(playground.prediction(), Prediction::Edm { sigma_data: 0.5 });
    let ten = plan(&playground, 10);
    let told = [1.0955, 0.9369, 0.7624, 0.5686, 0.3507, 0.1017, -0.1888, -0.5372, -0.9726, -1.5537];
    for (found, expected) in timesteps(&ten).iter().zip(told) {
        assert!((found - expected).abs() < 6e-5, "{found} {expected}");
    }
    let sigmas = [80., 42.4152, 21.1087, 9.7232, 4.06612, 1.50174, 0.469979, 0.116639, 0.0204353, 0.002, 0.];
    assert_sigmas(&ten, &sigmas);
    assert_close([ten.initial_scale()], &[80.00625]);
    let cosxl = Scheduler::cosxl().unwrap();
    assert_eq!(cosxl.prediction(), Prediction::EdmVelocity { sigma_data: 1.0 });
    let sigmas =
        [120., 35.3407, 10.4081, 3.06524, 0.902731, 0.26586, 0.0782973, 0.023059, 0.00679103, 0.002, 0.];
    let ten = plan(&cosxl, 10);
    assert_sigmas(&ten, &sigmas);
    assert_close([ten.initial_scale()], &[120.0042]);
}

/// The published table, and what it is with the base model's first noise.
#[test]
fn align_your_steps() {
    let scheduler = Scheduler::euler().unwrap().with_spacing("ays".parse().unwrap()).unwrap();
    assert_eq!(scheduler.spacing(), &Spacing::AlignYourSteps);
    let ten = plan(&scheduler, 10);
    assert_close(timesteps(&ten), &[999., 845., 730., 587., 443., 310., 193., 116., 53., 13.]);
    let sigmas =
        [14.6146, 6.31845, 3.76818, 2.18115, 1.34053, 0.862073, 0.55507, 0.379855, 0.233237, 0.111419, 0.];
    assert_sigmas(&ten, &sigmas);
    assert_close([ten.initial_scale()], &[14.648817]);
}

#[test]
fn presets_have_names() {
    for name in PresetName::ALL {
        let (preset, again) = (Scheduler::preset(*name).unwrap(), name.to_string().parse().unwrap());
        assert_eq!(*name, again);
        assert_eq!(preset.config(), Scheduler::preset(again).unwrap().config());
    }
    let tcd = Scheduler::preset(PresetName::Tcd).unwrap();
    assert!(matches!(tcd.solver(), SolverKind::Tcd { eta: 0.3 }));
    let hyper: PresetName = "hyper_one_step".parse().unwrap();
    assert_eq!(Scheduler::preset(hyper).unwrap().spacing(), &Spacing::Timesteps(vec![800.]));
    let error = "hyperr".parse::<PresetName>().unwrap_err().to_string();
    assert!(error.starts_with("preset is `hyperr`, expected one of dpmpp_2m_karras "), "{error}");
}

/// The recipes of docs/adapters.md: each preset is what its flags make of SDXL's scheduler, its command has these flags,
/// and the timesteps are those of that command.
#[test]
fn documented_recipes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/adapters.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, recipes) = text.split_once("## Recipes").unwrap();
    let rows = recipes.lines().filter(|line| line.contains("--scheduler") && line.starts_with('|'));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split('|').map(str::trim).collect()).collect();
    let commands: Vec<&str> = recipes.lines().filter(|line| line.starts_with("txt2img ")).collect();
    assert!(rows.len() == 6 && commands.len() == 6);
    for (row, command) in rows.iter().zip(commands) {
        let [preset, flags] = [row[2], row[3]].map(|cell| cell.trim_matches('`'));
        let preset = Scheduler::preset(preset.trim_end_matches("()").parse().unwrap()).unwrap();
        let mut by_flags = Scheduler::euler().unwrap();
        let words: Vec<&str> = flags.split(' ').collect();
        for pair in words.chunks(2) {
            by_flags = match pair {
                ["--scheduler", name] => by_flags.with_name(name.parse().unwrap()),
                ["--spacing", name] => by_flags.with_spacing(name.parse().unwrap()),
                ["--eta", eta] => by_flags.with_eta(eta.parse().unwrap()),
                other => panic!("{other:?}"),
            }
            .unwrap();
        }
        assert_eq!(preset.config(), by_flags.config(), "{flags}");
        assert_eq!(format!("{:?}", preset.solver()), format!("{:?}", by_flags.solver()), "{flags}");
        let expected: Vec<f64> = row[5].split(", ").map(|number| number.parse().unwrap()).collect();
        assert_eq!(timesteps(&plan(&preset, expected.len())), expected, "{flags}");
        assert!(command.contains(&format!(" {flags} --steps {} ", expected.len())), "{command}");
    }
}
