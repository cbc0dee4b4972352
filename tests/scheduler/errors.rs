//! What makes no sense is refused, in words; and hostile files.

use sdxl::Error;
use sdxl::scheduler::{
    Clip, Curve, DpmAlgorithm, DpmSolver, NoiseSchedule, Order, Prediction, Range, Scheduler,
    SchedulerBuilder, SchedulerName, SolverKind, Spacing, Terminal, Timescale, WarmUp,
};

fn refused(builder: SchedulerBuilder, words: &str) {
    let error = builder.build().expect_err(words);
    assert!(matches!(error, Error::Invalid { .. }), "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

fn builder() -> SchedulerBuilder {
    Scheduler::builder()
}

#[test]
fn combinations_that_make_no_sense() {
    let list = || builder().spacing(Spacing::Timesteps(vec![900.0, 100.0]));
    refused(list().curve(Curve::KARRAS), "a curve would replace all of the list");
    refused(builder().spacing(Spacing::AlignYourSteps).curve(Curve::BETA), "would replace all of the list");
    refused(builder().sigma_min(0.1), "ends of a curve");
    let continuous = NoiseSchedule::Continuous { sigma_min: 0.002, sigma_max: 80.0 };
    let edm = || builder().noise_schedule(continuous.clone());
    refused(edm(), "no timesteps to space");
    refused(edm().curve(Curve::KARRAS).solver(SolverKind::Ddim { eta: 0.0 }), "does not count timesteps");
    refused(edm().curve(Curve::KARRAS).timescale(Timescale::Index), "no indices");
    refused(builder().prediction(Prediction::Edm { sigma_data: 0.5 }), "need NoiseSchedule::Continuous");
    refused(
        builder().solver(SolverKind::Pndm { warm_up: WarmUp::Heun }).curve(Curve::KARRAS),
        "even timesteps",
    );
    let lcm = SolverKind::Lcm { timestep_scaling: 10.0 };
    refused(builder().solver(lcm).terminal(Terminal::SigmaMin), "last step is its data");
    let noise = DpmSolver { algorithm: DpmAlgorithm::DpmSolver, ..DpmSolver::default() };
    refused(
        builder().solver(SolverKind::DpmMultistep(noise)).terminal(Terminal::Zero),
        "cannot reach zero noise",
    );
    let sde =
        DpmSolver { algorithm: DpmAlgorithm::SdeDpmSolver, order: Order::Third, ..DpmSolver::default() };
    refused(builder().solver(SolverKind::DpmMultistep(sde)), "no third order");
}

#[test]
fn values_outside_their_range() {
    refused(builder().solver(SolverKind::Ddim { eta: 1.5 }), "eta is 1.5");
    refused(builder().solver(SolverKind::Tcd { eta: f64::NAN }), "eta is NaN");
    refused(builder().solver(SolverKind::Lms { order: 5 }), "from 1 to 4");
    refused(builder().solver(SolverKind::Lcm { timestep_scaling: 0.0 }), "timestep_scaling");
    refused(builder().curve(Curve::Karras { rho: 0.0 }), "rho");
    refused(builder().curve(Curve::Beta { alpha: -1.0, beta: 1.0 }), "alpha");
    refused(builder().curve(Curve::KARRAS).sigma_max(f64::INFINITY), "sigma_max");
    refused(builder().clip(Clip::Range(-1.0)), "clip range");
    refused(builder().clip(Clip::Dynamic { ratio: 2.0, max: 1.0 }), "clip ratio");
    for list in [vec![], vec![1000.0], vec![5.0, -1.0], vec![5.0, 5.0], vec![1.0, 2.0], vec![f64::NAN]] {
        refused(builder().spacing(Spacing::Timesteps(list)), "each less than the one before it");
    }
    for list in [vec![], vec![1.0], vec![1.0, 2.0], vec![1.0, -1.0], vec![f64::INFINITY, 1.0]] {
        refused(builder().spacing(Spacing::Sigmas(list)), "each less than the one before it");
    }
    refused(builder().spacing(Spacing::Distilled { original_steps: 0 }), "original_steps");
}

#[test]
fn impossible_numbers_of_steps() {
    for name in SchedulerName::ALL {
        let scheduler = Scheduler::named(*name).unwrap();
        for steps in [0, 2_000_000, usize::MAX] {
            let error = scheduler.plan(steps, Range::full()).unwrap_err().to_string();
            assert!(error.starts_with("steps is"), "{name} {steps}: {error}");
        }
    }
    let error = Scheduler::lcm().unwrap().plan(51, Range::full()).unwrap_err().to_string();
    assert!(error.contains("from 1 to 50"), "{error}");
    let pndm = builder().solver(SolverKind::Pndm { warm_up: WarmUp::RungeKutta }).build().unwrap();
    let error = pndm.plan(3, Range::full()).unwrap_err().to_string();
    assert!(error.contains("4 or more"), "{error}");
}

fn refused_file(json: &str, words: &str) {
    let error = Scheduler::from_config(json).expect_err(json).to_string();
    assert!(error.contains(words), "{json}: {error}");
}

#[test]
fn files_that_are_not_schedulers() {
    refused_file("", "JSON object");
    refused_file("[]", "JSON object");
    refused_file("{", "JSON object");
    refused_file("{}", "_class_name");
    refused_file(r#"{"_class_name": 3}"#, "_class_name is 3, expected a text");
    refused_file(r#"{"_class_name": "FlowMatchEulerDiscreteScheduler"}"#, "EulerDiscrete");
    let euler = |rest: &str| format!(r#"{{"_class_name": "EulerDiscreteScheduler", {rest}}}"#);
    for (rest, words) in [
        (r#""beta_schedule": "cosine""#, "beta_schedule is cosine, expected linear"),
        (r#""beta_start": "small""#, "a number"),
        (r#""beta_start": -1"#, "betas between 0 and 1"),
        (r#""num_train_timesteps": 1"#, "training timesteps is 1"),
        (r#""num_train_timesteps": -3"#, "whole number"),
        (r#""num_train_timesteps": 1e30"#, "whole number"),
        (r#""trained_betas": [0.1, 0.2]"#, "trained betas is 2, expected 1000"),
        (r#""trained_betas": ["a"]"#, "list of numbers"),
        (r#""prediction_type": "flow_prediction""#, "epsilon, v_prediction or sample"),
        (r#""timestep_spacing": "none""#, "leading, trailing or linspace"),
        (r#""use_karras_sigmas": 1"#, "true or false"),
        (r#""use_karras_sigmas": true, "use_beta_sigmas": true"#, "one of karras"),
        (r#""use_flow_sigmas": true"#, "flow matching"),
        (r#""final_sigmas_type": "one""#, "zero or sigma_min"),
        (r#""interpolation_type": "cubic""#, "linear or log_linear"),
    ] {
        refused_file(&euler(rest), words);
    }
    let learned = r#"{"_class_name": "DDPMScheduler", "variance_type": "learned_range"}"#;
    refused_file(learned, "does not predict its variance");
    let predictor = r#"{"_class_name": "UniPCMultistepScheduler", "solver_p": {}}"#;
    refused_file(predictor, "solver_p");
    let sde = r#"{"_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "dpmsolver"}"#;
    refused_file(sde, "cannot reach zero noise");
}

/// Python writes the default of `lambda_min_clipped` so.
#[test]
fn infinity_in_a_file_is_read() {
    let file = r#"{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity}"#;
    let scheduler = Scheduler::from_config(file).unwrap();
    let SolverKind::DpmMultistep(options) = scheduler.solver() else { panic!("{scheduler:?}") };
    assert_eq!(options.lambda_min, f64::NEG_INFINITY);
}

#[test]
fn a_missing_file_is_named() {
    let error = Scheduler::from_file("no/such/scheduler_config.json").unwrap_err();
    assert!(matches!(error, Error::Io { .. }) && error.to_string().contains("no/such"), "{error}");
}

#[test]
fn eta_is_for_those_that_have_it() {
    let euler = Scheduler::euler().unwrap();
    assert!(euler.with_eta(0.0).is_ok());
    let error = euler.with_eta(0.5).unwrap_err().to_string();
    assert!(error.contains("eta is 0.5"), "{error}");
    assert!(Scheduler::ddim().unwrap().with_eta(2.0).is_err());
}
