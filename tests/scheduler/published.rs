//! The sums and means that diffusers' own tests expect, on the inputs of those tests.
//!
//! The model is `sample·t/(t + 1)`; expected are Σ|x| and mean |x| of the last sample. The numbers are in
//! `tests/schedulers/test_scheduler_*.py` of diffusers.

use sdxl::scheduler::{Level, Range, Scheduler, SolverKind};
use sdxl::{NoiseSource, Result};
use serde_json::{Value, json};
use tch::{Kind, Tensor};

use crate::model::run;

/// What those tests do with the sample before the model.
#[derive(Clone, Copy, PartialEq)]
enum Loop {
    /// The sample of unit variance is what the class holds, so there is nothing to scale.
    Plain,
    /// The k-diffusion family's tests scale the sample for the model and then step the scaled one.
    StepsScaled,
    /// Scaled for the model, as a pipeline does.
    Scaled,
    /// Not scaled at all.
    Unscaled,
}

struct Case {
    class: &'static str,
    config: Value,
    kind: Loop,
    steps: usize,
    /// The step that the run starts from, with noise or without; 0 is from the start.
    start: usize,
    with_noise: bool,
    sum: Option<f64>,
    mean: Option<f64>,
    /// Of the sum and of the mean.
    tolerance: (f64, f64),
}

fn case(class: &'static str, config: Value, kind: Loop) -> Case {
    Case {
        class,
        config,
        kind,
        steps: 10,
        start: 0,
        with_noise: false,
        sum: None,
        mean: None,
        tolerance: (1e-2, 1e-3),
    }
}

impl Case {
    fn with_noise_from(self, start: usize) -> Self {
        Self { start, with_noise: true, ..self }
    }

    fn is(self, sum: f64, mean: f64) -> Self {
        Self { sum: Some(sum), mean: Some(mean), ..self }
    }

    fn mean_is(self, mean: f64) -> Self {
        Self { mean: Some(mean), ..self }
    }
}

/// Four pictures of 3 x 8 x 8, counting up or down to 1 with the picture as the fastest index.
///
/// As one picture of the whole batch, because those tests draw noise from one generator.
fn counting(upwards: bool) -> Tensor {
    let up = Tensor::arange(768, (Kind::Float, tch::Device::Cpu));
    let values = if upwards { up } else { 767.0 - up };
    (values.reshape([3, 8, 8, 4]) / 768.0).permute([3, 0, 1, 2]).contiguous()
}

fn last_sample(case: &Case) -> Result<Tensor> {
    let mut config = case.config.clone();
    config["_class_name"] = json!(case.class);
    let scheduler = Scheduler::from_config(&config.to_string())?;
    let steps = case.steps;
    let plan = scheduler.plan(steps, Range::strength((steps - case.start) as f64 / steps as f64))?;
    let thresholds = config["thresholding"] == json!(true);
    let shaped = |x: Tensor| if thresholds { x } else { x.unsqueeze(0) };
    let (sample, noise) = (shaped(counting(true)), shaped(counting(false)));
    let x = if case.with_noise {
        // The k-diffusion family's tests begin with the first sample of a run from nothing here, too.
        let sample = if case.kind == Loop::StepsScaled { plan.start(&sample)? } else { sample };
        plan.start_from(&sample, &noise)?
    } else if matches!(case.kind, Loop::StepsScaled | Loop::Scaled) {
        plan.start(&sample)?
    } else {
        plan.resume(&sample)?
    };
    let mut source = NoiseSource::new(if thresholds { &[0, 0, 0, 0] } else { &[0] })?;
    let model = |x: &Tensor, t: f64| x * (t / (t + 1.0));
    match case.kind {
        Loop::Plain | Loop::Scaled => {
            let record = run(&scheduler, plan, x, &mut source, model)?;
            Ok(record.latents.last().unwrap().shallow_clone())
        }
        Loop::StepsScaled | Loop::Unscaled => {
            let is_sde = matches!(scheduler.solver(), SolverKind::DpmppSde { .. });
            let prediction = scheduler.prediction();
            let scales = case.kind == Loop::StepsScaled;
            let scaled = |x: &Tensor, sigma| if scales { prediction.input(x, sigma) } else { Ok(x.copy()) };
            let (mut run, mut x) = (scheduler.run(plan), x);
            while let Some(step) = run.next_step() {
                x = scaled(&x, step.from.sigma)?;
                let mut calls = 0;
                let mut denoise = |x: &Tensor, Level { sigma, timestep }: Level| {
                    calls += 1;
                    // The second call of a step also scales its sample, which counts for the slope only.
                    let seen = if calls == 1 { x.copy() } else { scaled(x, sigma)? };
                    let denoised = prediction.denoised(&model(&seen, timestep), &seen, sigma)?;
                    Ok(if calls == 1 || is_sde { denoised } else { x - seen + denoised })
                };
                x = run.step(&x, &mut denoise, &mut source)?;
            }
            Ok(x)
        }
    }
}

const K: fn() -> Value = || json!({"num_train_timesteps": 1100, "beta_start": 0.0001, "beta_end": 0.02});

fn with(mut config: Value, changes: &Value) -> Value {
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    config
}

fn k_diffusion_cases() -> Vec<Case> {
    let k = |class, changes: Value| case(class, with(K(), &changes), Loop::StepsScaled);
    let plain = || json!({});
    let v = || json!({"prediction_type": "v_prediction"});
    let karras = || json!({"use_karras_sigmas": true});
    let loose = |case: Case, sum, mean| Case { tolerance: (sum, mean), ..case };
    let seeded = |changes: &Value| with(json!({"noise_sampler_seed": 0}), changes);
    vec![
        k("EulerDiscreteScheduler", plain()).is(10.0807, 0.0131),
        k("EulerDiscreteScheduler", v()).is(0.0002, 2.2676e-06),
        k("EulerDiscreteScheduler", karras()).is(124.522_994_995_117_19, 0.162_139_326_333_999_63),
        k("EulerDiscreteScheduler", plain()).with_noise_from(8).is(57062.9297, 74.3007),
        k("EulerAncestralDiscreteScheduler", plain()).is(152.3192, 0.1983),
        k("EulerAncestralDiscreteScheduler", v()).is(108.4439, 0.1412),
        k("EulerAncestralDiscreteScheduler", plain()).with_noise_from(8).is(56163.0508, 73.1290),
        k("HeunDiscreteScheduler", plain()).is(0.1233, 0.0002),
        k("HeunDiscreteScheduler", v()).is(4.6934e-07, 6.1112e-10),
        k("HeunDiscreteScheduler", karras()).is(0.00015, 1.986_955_453_503_469_5e-07),
        k("HeunDiscreteScheduler", plain()).with_noise_from(8).is(75074.8906, 97.7538),
        loose(k("LMSDiscreteScheduler", plain()).is(1006.388, 1.31), 1e-2, 1e-3),
        k("LMSDiscreteScheduler", v()).is(0.0017, 2.2676e-06),
        loose(k("LMSDiscreteScheduler", karras()).is(3812.9927, 4.9648), 2e-2, 1e-3),
        k("LMSDiscreteScheduler", plain()).with_noise_from(8).is(27663.6895, 36.0204),
        k("KDPM2DiscreteScheduler", plain()).is(20.4125, 0.0266),
        k("KDPM2DiscreteScheduler", v()).is(4.6934e-07, 6.1112e-10),
        k("KDPM2DiscreteScheduler", plain()).with_noise_from(8).is(70408.4062, 91.6776),
        loose(k("KDPM2AncestralDiscreteScheduler", plain()).is(13979.9433, 18.2030), 1e-2, 5e-3),
        k("KDPM2AncestralDiscreteScheduler", v()).is(331.8133, 0.4320),
        k("KDPM2AncestralDiscreteScheduler", plain()).with_noise_from(8).is(93087.3437, 121.2074),
        k("DPMSolverSDEScheduler", seeded(&plain())).is(162.523_834_228_515_62, 0.211_619_570_851_326),
        k("DPMSolverSDEScheduler", seeded(&v())).is(119.848_754_882_812_5, 0.156_053_066_253_662_1),
        loose(k("DPMSolverSDEScheduler", seeded(&karras())), 1e-2, 1e-2)
            .is(170.313_522_338_867_2, 0.230_038_727_309_818_1),
    ]
}

fn discrete_cases() -> Vec<Case> {
    let plain = |class, config: Value| case(class, config, Loop::Plain);
    let v = || json!({"prediction_type": "v_prediction"});
    let of = |alpha_to_one: bool| json!({"set_alpha_to_one": alpha_to_one, "beta_start": 0.01});
    let all = |case: Case, steps| Case { steps, ..case };
    let karras = json!({"use_karras_sigmas": true});
    vec![
        plain("DDIMScheduler", json!({})).is(172.0067, 0.223_967),
        plain("DDIMScheduler", v()).is(52.5302, 0.0684),
        plain("DDIMScheduler", of(true)).is(149.8295, 0.1951),
        plain("DDIMScheduler", of(false)).is(149.0784, 0.1941),
        plain("DDIMScheduler", json!({})).with_noise_from(8).is(354.5418, 0.4616),
        all(plain("DDPMScheduler", json!({})), 1000).is(258.9606, 0.3372),
        all(plain("DDPMScheduler", v()), 1000).is(202.0296, 0.2631),
        // At timestep 1, f32 leaves four digits of β = 1 − ᾱ/ᾱ'. With f64 in diffusers, too, it is 387.9676.
        Case {
            tolerance: (3e-2, 1e-3),
            ..all(plain("DDPMScheduler", json!({})), 1000).with_noise_from(998).is(387.9466, 0.5051)
        },
        plain("SASolverScheduler", K()).is(337.394_287_109_375, 0.439_315_468_072_891_24),
        plain("SASolverScheduler", with(K(), &v())).is(193.146_774_291_992_2, 0.251_493_185_758_590_7),
        plain("SASolverScheduler", with(K(), &karras)).is(837.255_429_565_429_7, 1.090_176_463_127_136_2),
        plain("PNDMScheduler", json!({})).is(198.1318, 0.2580),
        plain("PNDMScheduler", v()).is(67.3986, 0.0878),
        plain("PNDMScheduler", of(true)).is(230.0399, 0.2995),
        plain("PNDMScheduler", of(false)).is(186.9482, 0.2434),
        all(plain("LCMScheduler", json!({})), 1).is(18.7097, 0.0244),
        plain("LCMScheduler", json!({})).is(197.7616, 0.2575),
        all(plain("TCDScheduler", json!({})), 1).is(29.8715, 0.0389),
        plain("TCDScheduler", json!({})).is(181.2040, 0.2359),
    ]
}

fn dpm_solver_cases() -> Vec<Case> {
    let v = || json!({"prediction_type": "v_prediction"});
    let both = || json!({"prediction_type": "v_prediction", "use_karras_sigmas": true});
    let multi = |changes: &Value| {
        let config = json!({"lower_order_final": false, "final_sigmas_type": "sigma_min"});
        case("DPMSolverMultistepScheduler", with(config, changes), Loop::Plain)
    };
    let single = |changes: &Value| {
        let config = json!({"final_sigmas_type": "sigma_min"});
        case("DPMSolverSinglestepScheduler", with(config, changes), Loop::Plain)
    };
    let unipc = |changes: &Value| {
        let config = json!({"final_sigmas_type": "sigma_min"});
        case("UniPCMultistepScheduler", with(config, changes), Loop::Plain)
    };
    let threshold =
        json!({"thresholding": true, "dynamic_thresholding_ratio": 0.87, "sample_max_value": 0.5});
    let lu = json!({"prediction_type": "v_prediction", "use_lu_lambdas": true});
    let karras = json!({"use_karras_sigmas": true});
    let none = json!({});
    let uneven = Case { steps: 50, start: 3, ..single(&none).mean_is(0.2574) };
    let deis = |changes: Value| case("DEISMultistepScheduler", changes, Loop::Plain);
    vec![
        multi(&none).mean_is(0.3301),
        multi(&none).with_noise_from(5).is(318.4111, 0.4146),
        multi(&threshold).mean_is(1.1364),
        multi(&v()).mean_is(0.2251),
        multi(&both()).mean_is(0.2096),
        multi(&lu).mean_is(0.1554),
        single(&none).mean_is(0.2791),
        single(&karras).mean_is(0.2248),
        single(&v()).mean_is(0.1453),
        single(&both()).mean_is(0.0649),
        uneven,
        single(&none).with_noise_from(5).is(269.2187, 0.3505),
        unipc(&none).mean_is(0.2464),
        unipc(&karras).mean_is(0.2925),
        unipc(&v()).mean_is(0.1014),
        unipc(&both()).mean_is(0.1966),
        unipc(&none).with_noise_from(8).is(315.5757, 0.4109),
        deis(json!({})).mean_is(0.23916),
        deis(v()).mean_is(0.091),
        deis(json!({})).with_noise_from(8).is(315.3016, 0.41054),
    ]
}

fn edm_cases() -> Vec<Case> {
    let euler = case("EDMEulerScheduler", json!({"num_train_timesteps": 256}), Loop::Scaled);
    let dpm = |changes: &Value| {
        let config = json!({"final_sigmas_type": "sigma_min", "lower_order_final": false});
        case("EDMDPMSolverMultistepScheduler", with(config, changes), Loop::Unscaled)
    };
    let threshold =
        json!({"thresholding": true, "dynamic_thresholding_ratio": 0.87, "sample_max_value": 0.5});
    vec![
        Case { tolerance: (1e-3, 1e-3), ..euler.is(34.1855, 0.044) },
        dpm(&json!({})).mean_is(0.0001),
        dpm(&json!({})).with_noise_from(5).is(8.1661, 0.0106),
        dpm(&threshold).mean_is(0.0080),
        dpm(&json!({"prediction_type": "v_prediction"})).mean_is(0.0092),
    ]
}

#[test]
fn sums_and_means_are_those_of_diffusers_own_tests() {
    let cases = [k_diffusion_cases(), discrete_cases(), dpm_solver_cases(), edm_cases()];
    let mut failures = Vec::new();
    for case in cases.into_iter().flatten() {
        let x = last_sample(&case).unwrap().abs();
        let (sum, mean) = (x.sum(Kind::Double).double_value(&[]), x.mean(Kind::Double).double_value(&[]));
        let far = |expected: Option<f64>, found: f64, tolerance| {
            expected.is_some_and(|expected| found.is_nan() || (found - expected).abs() > tolerance)
        };
        if far(case.sum, sum, case.tolerance.0) || far(case.mean, mean, case.tolerance.1) {
            let expected = (case.sum, case.mean);
            failures.push(format!(
                "{} {} {}: {sum} {mean}, not {expected:?}",
                case.class, case.config, case.start
            ));
        }
    }
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}
