//! `scheduler_config.json`: keys of wrong types, and numbers that no schedule has.

use super::case::{Case, Open};

pub(crate) fn cases() -> Vec<Case> {
    let euler = |keys: &str| format!(r#"{{"_class_name":"EulerDiscreteScheduler",{keys}}}"#);
    let lcm = |keys: &str| format!(r#"{{"_class_name":"LCMScheduler",{keys}}}"#);
    let dpm = |keys: &str| format!(r#"{{"_class_name":"DPMSolverMultistepScheduler",{keys}}}"#);
    let edm = |keys: &str| format!(r#"{{"_class_name":"EDMEulerScheduler",{keys}}}"#);
    let list = |number: &str, count: usize| format!("[{}]", vec![number; count].join(","));
    let cases: Vec<(&str, String, &'static str)> = vec![
        ("no scheduler", "{}".into(), "_class_name"),
        ("a scheduler nested deeply", "[".repeat(100_000), "recursion limit"),
        ("a scheduler of an unknown class", r#"{"_class_name":"Euler"}"#.into(), "_class_name is `Euler`"),
        (
            "a class name of 1 MB",
            format!(r#"{{"_class_name":"{}"}}"#, "x".repeat(1_000_000)),
            "_class_name is",
        ),
        (
            "a class name that writes on the screen",
            r#"{"_class_name":"\u001b[2J\n\n\n"}"#.into(),
            "_class_name is",
        ),
        ("flow matching", euler(r#""use_flow_sigmas":true"#), "flow matching"),
        ("NaN as a beta", euler(r#""beta_start":NaN"#), "expected value"),
        ("infinity as a beta", euler(r#""beta_start":-Infinity"#), "betas between 0 and 1"),
        ("a beta beyond all numbers", euler(r#""beta_end":1e999"#), "number out of range"),
        ("a beta of 1e308", euler(r#""beta_end":1e308"#), "betas"),
        ("a beta of 1", euler(r#""beta_end":1.0,"beta_schedule":"linear""#), "betas between 0 and 1"),
        ("negative betas", euler(r#""beta_start":-1,"beta_schedule":"linear""#), "betas between 0 and 1"),
        (
            "roots of negative betas",
            euler(r#""beta_start":-1,"beta_schedule":"scaled_linear""#),
            "betas between 0 and 1",
        ),
        (
            "no noise",
            euler(r#""beta_start":0,"beta_end":0,"beta_schedule":"linear""#),
            "betas between 0 and 1",
        ),
        ("an unknown schedule", euler(r#""beta_schedule":"cubic""#), "beta_schedule is cubic"),
        (
            "10^9 training timesteps",
            euler(r#""num_train_timesteps":1000000000"#),
            "training timesteps is 1000000000",
        ),
        (
            "2^64 training timesteps",
            euler(r#""num_train_timesteps":18446744073709551615"#),
            "training timesteps",
        ),
        ("no training timesteps", euler(r#""num_train_timesteps":0"#), "training timesteps is 0"),
        ("fewer than no timesteps", euler(r#""num_train_timesteps":-5"#), "not negative"),
        ("half a timestep", euler(r#""num_train_timesteps":0.5"#), "a whole number"),
        ("a text of timesteps", euler(r#""num_train_timesteps":"1000""#), "a whole number"),
        (
            "betas of a wrong count",
            euler(&format!(r#""trained_betas":{}"#, list("0.01", 3))),
            "trained betas is 3",
        ),
        (
            "200 000 betas",
            euler(&format!(r#""trained_betas":{}"#, list("0.01", 200_000))),
            "trained betas is 200000",
        ),
        (
            "betas beyond 1",
            euler(&format!(r#""trained_betas":{},"num_train_timesteps":100000"#, list("1.5", 100_000))),
            "a list of 100000 betas",
        ),
        ("betas that are texts", euler(r#""trained_betas":["a"]"#), "a list of numbers"),
        ("a file of 5 MB", euler(&format!(r#""x":"{}""#, "x".repeat(5 << 20))), "is larger than"),
        (
            "all curves at once",
            euler(r#""use_karras_sigmas":true,"use_beta_sigmas":true"#),
            "true for several",
        ),
        ("a flag that is a number", euler(r#""use_karras_sigmas":1"#), "true or false"),
        ("curve ends of nothing", euler(r#""use_karras_sigmas":true,"sigma_min":0"#), "sigma_min is 0"),
        ("negative curve ends", euler(r#""use_karras_sigmas":true,"sigma_max":-1"#), "sigma_max is -1"),
        ("steps of nothing", lcm(r#""original_inference_steps":0"#), "original_steps is 0"),
        (
            "10^9 original steps",
            lcm(r#""original_inference_steps":1000000000"#),
            "original_steps is 1000000000",
        ),
        ("order 10^9", dpm(r#""solver_order":1000000000"#), "solver_order is 1000000000"),
        ("an unknown algorithm", dpm(r#""algorithm_type":"magic""#), "algorithm_type is magic"),
        ("a threshold beyond 1", dpm(r#""thresholding":true,"dynamic_thresholding_ratio":2"#), "ratio"),
        ("levels upside down", edm(r#""sigma_min":80,"sigma_max":0.002"#), "sigma_min is 80"),
        ("levels of nothing", edm(r#""sigma_min":0"#), "sigma_min is 0"),
        ("data without deviation", edm(r#""sigma_data":0"#), "sigma_data is 0"),
        ("an exponent of nothing", edm(r#""rho":0"#), "rho is 0"),
    ];
    let refused =
        cases.into_iter().map(|(name, text, says)| Case::file(name, Open::SchedulerJson, says, text));
    // Not JSON outside of texts, and allowed for Python's sake; in a text it is none.
    let text = euler(r#""a \" mark":1,"-Infinity":[-Infinity]"#);
    refused.chain([Case::file("infinity in a text", Open::SchedulerJson, "", text).valid()]).collect()
}
