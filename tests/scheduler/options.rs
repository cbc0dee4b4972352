//! Every value of every public enum, in every combination: it either runs or says why it makes no sense.

use sdxl::scheduler::{
    Betas, Clip, Correction, Curve, CustomSolver, Denoise, DpmAlgorithm, DpmSolver, Ending, Extent,
    FinalSteps, InitialNoise, Interpolation, NoiseSchedule, Order, PolynomialOf, Prediction, PredictionName,
    Range, Rounding, SaSolver, Scheduler, SchedulerBuilder, SchedulerName, SdeNoise, Solver, SolverKind,
    Spacing, SpacingName, Step, Terminal, TerminalSnr, ThirdOrder, Timescale, UniPc, UniPcVariant, Variance,
    WarmUp,
};
use sdxl::{Error, NoiseSource, Result};
use tch::Tensor;

use crate::model::{fake, run};

/// A list of values, at least one for each variant: the match has no wildcard, so that the compiler asks for
/// a new variant, and each value must be of its arm.
macro_rules! values {
    ($name:ident: $type:ty { $($pattern:pat => [$($value:expr),+],)+ }) => {
        fn $name() -> Vec<$type> {
            fn is_covered(value: &$type) {
                match value { $($pattern => (),)+ }
            }
            let mut values: Vec<$type> = Vec::new();
            $($(
                assert!(matches!(&$value, $pattern));
                values.push($value);
            )+)+
            values.iter().for_each(is_covered);
            values
        }
    };
}

/// The same for variants without fields.
macro_rules! units {
    ($name:ident: $type:ident { $($variant:ident)+ }) => {
        values!($name: $type { $($type::$variant => [$type::$variant],)+ });
    };
}

units!(algorithms: DpmAlgorithm { DpmSolverPlusPlus DpmSolver SdeDpmSolverPlusPlus SdeDpmSolver });
units!(corrections: Correction { Midpoint Heun });
units!(endings: Ending { LowerOrder FullOrder });
units!(extents: Extent { Whole FirstCall });
units!(final_steps: FinalSteps { LowerOrder Euler LowerOrderAndEuler FullOrder });
units!(initial_noises: InitialNoise { Sigma WithData });
units!(interpolations: Interpolation { Linear LogLinear });
units!(orders: Order { First Second Third });
units!(prediction_names: PredictionName { Epsilon V Sample Edm });
units!(roundings: Rounding { Reference Exact Nearest Down });
units!(scheduler_names: SchedulerName {
    Euler EulerAncestral Heun Dpm2 Dpm2Ancestral Dpmpp2m Dpmpp2mSde Dpmpp3mSde DpmppSde Dpmpp2sAncestral Lms Ddim
    Ddpm Pndm UniPc Deis Lcm Tcd EdmEuler EdmDpmpp2m
});
units!(spacing_names: SpacingName { Leading Trailing Linspace Karras Exponential Beta AlignYourSteps SgmUniform });
units!(terminal_snrs: TerminalSnr { AsTrained Zero });
units!(terminals: Terminal { Zero SigmaMin });
units!(third_orders: ThirdOrder { Diffusers Exact });
units!(timescales: Timescale { Index LogSigma });
units!(unipc_predictions: PolynomialOf { Data Noise });
units!(unipc_variants: UniPcVariant { Bh1 Bh2 });
units!(variances: Variance { Small Large });
units!(warm_ups: WarmUp { Heun RungeKutta });
values!(sde_noises: SdeNoise {
    SdeNoise::Plain => [SdeNoise::Plain],
    SdeNoise::Brownian => [SdeNoise::Brownian],
    SdeNoise::BrownianFrom(_) => [SdeNoise::BrownianFrom(1)],
});
values!(predictions: Prediction {
    Prediction::Epsilon => [Prediction::Epsilon],
    Prediction::V => [Prediction::V],
    Prediction::Sample => [Prediction::Sample],
    Prediction::Edm { .. } => [Prediction::Edm { sigma_data: 0.5 }],
    Prediction::EdmVelocity { .. } => [Prediction::EdmVelocity { sigma_data: 1.0 }],
});
values!(clips: Clip {
    Clip::Off => [Clip::Off],
    Clip::Range(_) => [Clip::Range(1.0)],
    Clip::Dynamic { .. } => [Clip::Dynamic { ratio: 0.9, max: 1.5 }],
});
values!(spacings: Spacing {
    Spacing::Leading { .. } => [Spacing::Leading { offset: 1 }, Spacing::Leading { offset: 0 }],
    Spacing::Trailing => [Spacing::Trailing],
    Spacing::Linspace => [Spacing::Linspace],
    Spacing::Distilled { .. } => [Spacing::Distilled { original_steps: 50 }],
    Spacing::AlignYourSteps => [Spacing::AlignYourSteps],
    Spacing::Timesteps(_) => [Spacing::Timesteps(vec![999.0, 750.5, 400.0, 100.0])],
    Spacing::Sigmas(_) => [Spacing::Sigmas(vec![14.0, 5.0, 2.0, 0.5, 0.0])],
});
values!(curves: Curve {
    Curve::Spacing => [Curve::Spacing],
    Curve::Karras { .. } => [Curve::KARRAS, Curve::Karras { rho: 3.0 }],
    Curve::Exponential => [Curve::Exponential],
    Curve::Beta { .. } => [Curve::BETA, Curve::Beta { alpha: 2.0, beta: 0.5 }],
});
values!(betas: Betas {
    Betas::Linear { .. } => [Betas::Linear { start: 0.0001, end: 0.02 }],
    Betas::ScaledLinear { .. } => [Betas::ScaledLinear { start: 0.00085, end: 0.012 }],
    Betas::Cosine => [Betas::Cosine],
    Betas::Exponential => [Betas::Exponential],
    Betas::Laplace => [Betas::Laplace],
    Betas::Sigmoid { .. } => [Betas::Sigmoid { start: 0.0001, end: 0.02 }],
    Betas::Trained(_) => [Betas::Trained(vec![0.01; 1000])],
});
values!(noise_schedules: NoiseSchedule {
    NoiseSchedule::Discrete { .. } => [NoiseSchedule::default()],
    NoiseSchedule::Continuous { .. } => [NoiseSchedule::Continuous { sigma_min: 0.002, sigma_max: 80.0 }],
});
values!(solvers: SolverKind {
    SolverKind::Euler => [SolverKind::Euler],
    SolverKind::EulerAncestral => [SolverKind::EulerAncestral],
    SolverKind::Heun => [SolverKind::Heun],
    SolverKind::Dpm2 => [SolverKind::Dpm2],
    SolverKind::Dpm2Ancestral => [SolverKind::Dpm2Ancestral],
    SolverKind::Dpmpp2sAncestral => [SolverKind::Dpmpp2sAncestral],
    SolverKind::DpmppSde { .. } => [SolverKind::DpmppSde { noise: SdeNoise::Plain }],
    SolverKind::DpmMultistep(_) => [SolverKind::dpmpp_2m()],
    SolverKind::DpmSinglestep(_) => [SolverKind::DpmSinglestep(DpmSolver::default())],
    SolverKind::Lms { .. } => [SolverKind::Lms { order: 4 }],
    SolverKind::Ddim { .. } => [SolverKind::Ddim { eta: 0.0 }, SolverKind::Ddim { eta: 1.0 }],
    SolverKind::Ddpm { .. } => [SolverKind::Ddpm { variance: Variance::Small }],
    SolverKind::Pndm { .. } => [SolverKind::Pndm { warm_up: WarmUp::Heun }],
    SolverKind::UniPc(_) => [SolverKind::UniPc(UniPc::default())],
    SolverKind::Deis { .. } => [SolverKind::Deis { order: Order::Third, final_steps: FinalSteps::LowerOrder }],
    SolverKind::SaSolver(_) => [SolverKind::SaSolver(SaSolver::default())],
    SolverKind::Lcm { .. } => [SolverKind::Lcm { timestep_scaling: 10.0 }],
    SolverKind::Tcd { .. } => [SolverKind::Tcd { eta: 0.0 }, SolverKind::Tcd { eta: 0.3 }],
    SolverKind::Custom(_) => [SolverKind::Custom(CustomSolver::new("own", |_| Box::new(Own)))],
});

/// A solver of the tests' own: Euler's method.
struct Own;

impl Solver for Own {
    fn step(
        &mut self,
        x: &Tensor,
        step: &Step,
        denoise: &mut dyn Denoise,
        _: &mut NoiseSource,
    ) -> Result<Tensor> {
        let denoised = denoise.denoise(x, step.from)?;
        Ok(x + (x - denoised) * ((step.to.sigma - step.from.sigma) / step.from.sigma))
    }
}

/// Whether it was built and ran to a finite end. What cannot be built must say so in words.
fn plays(builder: &SchedulerBuilder, steps: usize) -> bool {
    let scheduler = match builder.clone().build() {
        Ok(scheduler) => scheduler,
        Err(Error::Invalid { expected, .. }) => {
            assert!(expected.len() > 5, "{builder:?}: {expected}");
            return false;
        }
        Err(error) => panic!("{builder:?}: {error}"),
    };
    plays_as_built(&scheduler, steps)
}

fn plays_as_built(scheduler: &Scheduler, steps: usize) -> bool {
    let plan = match scheduler.plan(steps, Range::full()) {
        Ok(plan) => plan,
        Err(Error::Invalid { .. }) => return false,
        Err(error) => panic!("{scheduler:?}: {error}"),
    };
    let mut noise = NoiseSource::new(&[1, 2]).unwrap();
    let x = plan.start(&noise.normal(&[4, 2, 2]).unwrap()).unwrap();
    let record = run(scheduler, plan, x, &mut noise, fake).unwrap();
    let last = record.latents.last().unwrap();
    assert_eq!(last.size(), [2, 4, 2, 2]);
    assert_eq!(last.isfinite().all().int64_value(&[]), 1, "{scheduler:?} {steps}");
    true
}

fn must_play(builder: SchedulerBuilder) {
    for steps in [1, 2, 4, 7] {
        let played = plays(&builder, steps);
        assert!(played || steps < 4, "{builder:?} {steps}");
    }
}

#[test]
fn every_product_runs_or_says_why_not() {
    let mut played = 0;
    let mut count = |builder: &SchedulerBuilder| {
        let any = [1, 4, 5].map(|steps| plays(builder, steps)).contains(&true);
        played += usize::from(any);
        any
    };
    for solver in solvers() {
        let with_solver = || Scheduler::builder().solver(solver.clone());
        for spacing in spacings() {
            let mut any = false;
            for curve in curves() {
                for prediction in predictions() {
                    for terminal in terminals() {
                        for noise_schedule in noise_schedules() {
                            let builder = with_solver().spacing(spacing.clone()).curve(curve);
                            let builder = builder.prediction(prediction).terminal(terminal);
                            any |= count(&builder.noise_schedule(noise_schedule));
                        }
                    }
                }
            }
            assert!(any, "no curve, prediction or terminal goes with {solver:?} and {spacing:?}");
        }
    }
    assert!(played > 2500, "only {played} combinations run");
}

#[test]
fn every_noise_schedule_runs() {
    for betas in betas() {
        for terminal_snr in terminal_snrs() {
            // Constant betas leave so little at the end that the rescaled ones are the same to f32.
            let noise_schedule = NoiseSchedule::Discrete { betas: betas.clone(), steps: 1000, terminal_snr };
            for solver in solvers() {
                let builder = Scheduler::builder().noise_schedule(noise_schedule.clone()).solver(solver);
                must_play(builder.prediction(Prediction::V));
            }
        }
    }
    for timescale in timescales() {
        for interpolation in interpolations() {
            let builder = Scheduler::builder().spacing(Spacing::Linspace).prediction(Prediction::V);
            must_play(builder.timescale(timescale).interpolation(interpolation));
        }
    }
    let edm =
        Scheduler::builder().timescale(Timescale::LogSigma).prediction(Prediction::Edm { sigma_data: 0.5 });
    must_play(edm);
}

#[test]
fn every_option_of_levels_and_samples_runs() {
    for solver in solvers() {
        for clip in clips() {
            must_play(Scheduler::builder().solver(solver.clone()).clip(clip));
        }
        for initial_noise in initial_noises() {
            must_play(Scheduler::builder().solver(solver.clone()).initial_noise(initial_noise));
        }
        if matches!(solver, SolverKind::Pndm { .. }) {
            continue; // it has no curves
        }
        for rounding in roundings() {
            let builder = Scheduler::builder().solver(solver.clone()).curve(Curve::KARRAS);
            must_play(builder.rounding(rounding).sigma_min(0.05).sigma_max(12.0));
        }
    }
}

#[test]
fn every_option_of_solvers_runs() {
    let play = |solver| must_play(Scheduler::builder().solver(solver));
    for algorithm in algorithms() {
        for order in orders() {
            for correction in corrections() {
                for final_steps in final_steps() {
                    for third_order in third_orders() {
                        for noise in sde_noises() {
                            if algorithm == DpmAlgorithm::SdeDpmSolver && order == Order::Third {
                                continue; // says why not, below
                            }
                            let lambda_min = -5.0;
                            let options = DpmSolver {
                                algorithm,
                                order,
                                correction,
                                third_order,
                                final_steps,
                                noise,
                                lambda_min,
                            };
                            play(SolverKind::DpmMultistep(options));
                            play(SolverKind::DpmSinglestep(options));
                        }
                    }
                }
            }
        }
    }
    for order in orders() {
        for variant in unipc_variants() {
            for polynomial_of in unipc_predictions() {
                for ending in endings() {
                    let uncorrected = vec![1];
                    play(SolverKind::UniPc(UniPc { order, variant, polynomial_of, ending, uncorrected }));
                }
            }
        }
        for final_steps in final_steps() {
            play(SolverKind::Deis { order, final_steps });
        }
    }
    for predictor_order in 1..=4 {
        for corrector_order in 1..=4 {
            for polynomial_of in unipc_predictions() {
                for ending in endings() {
                    let lambda_min = -5.0;
                    let options =
                        SaSolver { predictor_order, corrector_order, polynomial_of, ending, lambda_min };
                    play(SolverKind::SaSolver(options));
                }
            }
        }
    }
    variances().into_iter().for_each(|variance| play(SolverKind::Ddpm { variance }));
    warm_ups().into_iter().for_each(|warm_up| play(SolverKind::Pndm { warm_up }));
    sde_noises().into_iter().for_each(|noise| play(SolverKind::DpmppSde { noise }));
    (1..=4).for_each(|order| play(SolverKind::Lms { order }));
}

/// diffusers breaks a step off when `denoising_end` falls between its two calls; see `ranges.rs` for which.
#[test]
fn every_extent_occurs() {
    let scheduler = Scheduler::named(SchedulerName::Heun).unwrap();
    let plan = scheduler.plan(10, Range::full().ending_at(0.5)).unwrap();
    for extent in extents() {
        assert!(plan.steps().iter().any(|step| step.extent == extent), "{extent:?}");
    }
}

#[test]
fn every_name_is_read_and_runs() {
    assert_eq!(scheduler_names(), SchedulerName::ALL);
    assert_eq!(spacing_names(), SpacingName::ALL);
    assert_eq!(prediction_names(), PredictionName::ALL);
    for name in scheduler_names() {
        assert_eq!(name.to_string().parse::<SchedulerName>().unwrap(), name);
        let scheduler = Scheduler::named(name).unwrap();
        assert!(plays_as_built(&scheduler, 4), "{name}");
        let spaced: Vec<_> =
            spacing_names().into_iter().map(|spacing| scheduler.with_spacing(spacing)).collect();
        let played = spaced.iter().flatten().filter(|scheduler| plays_as_built(scheduler, 4)).count();
        let expected = match name {
            SchedulerName::Pndm => 5,                                 // no curves
            SchedulerName::EdmEuler | SchedulerName::EdmDpmpp2m => 7, // no table to align
            _ => 8,
        };
        assert_eq!(played, expected, "{name}");
        for prediction in prediction_names() {
            assert_eq!(prediction.to_string().parse::<PredictionName>().unwrap(), prediction);
            if let Ok(scheduler) = scheduler.with_prediction(prediction) {
                assert!(plays_as_built(&scheduler, 4), "{name} {prediction}");
            } else {
                assert_eq!(prediction, PredictionName::Edm, "{name}");
            }
        }
    }
    for spacing in spacing_names() {
        assert_eq!(spacing.to_string().parse::<SpacingName>().unwrap(), spacing);
    }
    let error = "dpm++".parse::<SchedulerName>().unwrap_err().to_string();
    assert!(error.contains("`dpm++`") && error.contains("dpmpp_2m_sde"), "{error}");
}

/// A scheduler is shared between threads, a run moves between them.
#[test]
fn threads_may_share_schedulers_and_pass_runs_on() {
    fn shared<T: Send + Sync>() {}
    fn passed_on<T: Send>() {}
    shared::<Scheduler>();
    shared::<sdxl::scheduler::Plan>();
    passed_on::<sdxl::scheduler::Run>();
}
