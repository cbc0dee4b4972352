//! The order of each solver, measured against an exact solution.
//!
//! If the data are normal with variance s², the denoiser is `x·s²/(s² + σ²)`, and the solution of the
//! probability-flow ODE multiplies the sample by √((s² + σ'²)/(s² + σ²)). For the reverse SDE that denoiser
//! tells nothing, since its mean path has a constant denoised sample; there, the denoised sample is 1/σ
//! whatever `x` is. Everything here is computed in f64.

use sdxl::scheduler::{
    Correction, DpmAlgorithm, DpmSolver, Ending, FinalSteps, Level, Order, PolynomialOf, Range, SaSolver,
    Scheduler, SchedulerBuilder, SdeNoise, SolverKind, Spacing, ThirdOrder, UniPc, UniPcVariant, Variance,
    WarmUp,
};
use sdxl::{NoiseSource, Result};
use tch::{Kind, Tensor};

const DATA: f64 = 1.0;

/// Runs a scheduler on a denoiser from `x`, and returns the levels of the start and of the end.
fn sample(
    scheduler: &Scheduler,
    steps: usize,
    range: Range,
    x: Tensor,
    denoiser: impl Fn(&Tensor, f64) -> Tensor,
) -> Result<(f64, f64, Tensor)> {
    let plan = scheduler.plan(steps, range)?;
    let first = plan.steps()[0].from.sigma;
    let mut noise = NoiseSource::new(&[1])?;
    let mut run = scheduler.run(plan);
    let mut x = x;
    while run.next_step().is_some() {
        let mut denoise = |x: &Tensor, level: Level| Ok(denoiser(x, level.sigma));
        x = run.step(&x, &mut denoise, &mut noise)?;
    }
    Ok((first, run.level().unwrap().sigma, x))
}

fn normal_data(x: &Tensor, sigma: f64) -> Tensor {
    x * (DATA / (DATA + sigma.powi(2)))
}

fn full(value: f64) -> Tensor {
    Tensor::full([1, 16], value, (Kind::Double, tch::Device::Cpu))
}

/// How far the factor of a sample is from the exact one, relatively.
fn ode_error(scheduler: &Scheduler, steps: usize, range: Range) -> f64 {
    let (first, last, x) = sample(scheduler, steps, range, full(1.0), normal_data).unwrap();
    let exact = ((DATA + last * last) / (DATA + first * first)).sqrt();
    (x.double_value(&[0, 0]) / exact - 1.0).abs()
}

/// How far what a denoised sample of 1/σ adds is from the exact sum, relatively. The same noise without it is
/// subtracted.
fn sde_error(scheduler: &Scheduler, steps: usize, range: Range) -> f64 {
    let run = |of: fn(&Tensor, f64) -> Tensor| sample(scheduler, steps, range, full(0.0), of).unwrap();
    let (first, last, with) = run(|x, sigma| x.full_like(1.0 / sigma));
    let (_, _, without) = run(|x, _| x.zeros_like());
    // ∫ 2·e^(−2(λ' − λ))/σ dλ with λ = −ln σ
    let exact = 2.0 / 3.0 * last.powi(2) * (last.powi(-3) - first.powi(-3));
    ((with - without).double_value(&[0, 0]) / exact - 1.0).abs()
}

/// The slope of the error from `steps` to twice as many.
fn order(of: impl Fn(usize) -> f64, steps: usize) -> f64 {
    (of(steps) / of(2 * steps)).log2()
}

/// Karras' levels from 300 to 1.5: uneven, and so far up the denoised sample is so small that the lower orders
/// of a multistep method's first steps do not show.
fn levels(steps: usize) -> Vec<f64> {
    levels_to(1.5, steps)
}

fn levels_to(last: f64, steps: usize) -> Vec<f64> {
    let (high, low) = (300.0_f64.powf(1.0 / 7.0), last.powf(1.0 / 7.0));
    (0..=steps).map(|i| (high + (low - high) * i as f64 / steps as f64).powi(7)).collect()
}

fn at_levels(solver: SolverKind, steps: usize) -> SchedulerBuilder {
    Scheduler::builder().spacing(Spacing::Sigmas(levels(steps))).solver(solver)
}

/// The slope of the error from 192 to 384 steps.
fn check(solver: &SolverKind, error: fn(&Scheduler, usize, Range) -> f64, expected: f64) {
    let of = |steps| error(&at_levels(solver.clone(), steps).build().unwrap(), steps, Range::full());
    let found = order(of, 192);
    assert!((found - expected).abs() < 0.25, "{solver:?}: order {found}, not {expected}");
}

fn dpm(algorithm: DpmAlgorithm, order: Order, correction: Correction) -> DpmSolver {
    DpmSolver { algorithm, order, correction, final_steps: FinalSteps::FullOrder, ..DpmSolver::default() }
}

const ORDERS: [(Order, f64); 3] = [(Order::First, 1.0), (Order::Second, 2.0), (Order::Third, 3.0)];
const CORRECTIONS: [Correction; 2] = [Correction::Midpoint, Correction::Heun];

#[test]
fn of_one_step_methods() {
    check(&SolverKind::Euler, ode_error, 1.0);
    check(&SolverKind::Ddim { eta: 0.0 }, ode_error, 1.0);
    check(&SolverKind::Tcd { eta: 0.0 }, ode_error, 1.0);
    check(&SolverKind::Heun, ode_error, 2.0);
    check(&SolverKind::Dpm2, ode_error, 2.0);
}

#[test]
fn of_multistep_dpm_solver() {
    for algorithm in [DpmAlgorithm::DpmSolverPlusPlus, DpmAlgorithm::DpmSolver] {
        for correction in CORRECTIONS {
            for (order, expected) in ORDERS {
                let options = dpm(algorithm, order, correction);
                let exact = DpmSolver { third_order: ThirdOrder::Exact, ..options };
                check(&SolverKind::DpmMultistep(exact), ode_error, expected);
                // See ThirdOrder: diffusers' third order is second order.
                check(&SolverKind::DpmMultistep(options), ode_error, expected.min(2.0));
            }
        }
    }
}

#[test]
fn of_singlestep_dpm_solver() {
    for algorithm in [DpmAlgorithm::DpmSolverPlusPlus, DpmAlgorithm::DpmSolver] {
        for (order, expected) in ORDERS {
            for correction in CORRECTIONS {
                check(&SolverKind::DpmSinglestep(dpm(algorithm, order, correction)), ode_error, expected);
            }
        }
    }
}

#[test]
fn of_deis() {
    for (order, expected) in ORDERS {
        check(&SolverKind::Deis { order, final_steps: FinalSteps::FullOrder }, ode_error, expected);
    }
}

/// Theorem 3.1 of the paper: the corrector raises the order by one.
#[test]
fn of_unipc() {
    for variant in [UniPcVariant::Bh1, UniPcVariant::Bh2] {
        for polynomial_of in [PolynomialOf::Data, PolynomialOf::Noise] {
            for (order, expected) in ORDERS {
                let ending = Ending::FullOrder;
                let corrected = UniPc { order, variant, polynomial_of, ending, uncorrected: Vec::new() };
                check(&SolverKind::UniPc(corrected.clone()), ode_error, expected + 1.0);
                let predicted = UniPc { uncorrected: (0..1000).collect(), ..corrected };
                check(&SolverKind::UniPc(predicted), ode_error, expected);
            }
        }
    }
}

/// It is an ODE solver above timestep 800, where σ is 5.1. The corrector's order counts, if the predictor's is
/// at most one lower.
#[test]
fn of_sa_solver() {
    for polynomial_of in [PolynomialOf::Data, PolynomialOf::Noise] {
        for (predictor_order, corrector_order) in [(1, 1), (1, 2), (2, 2), (2, 3), (3, 3), (3, 4)] {
            let ending = Ending::FullOrder;
            let options =
                SaSolver { predictor_order, corrector_order, polynomial_of, ending, ..SaSolver::default() };
            let of = |steps| {
                let builder = Scheduler::builder().spacing(Spacing::Sigmas(levels_to(5.2, steps)));
                let scheduler = builder.solver(SolverKind::SaSolver(options)).build().unwrap();
                ode_error(&scheduler, steps, Range::full())
            };
            let found = order(of, 384);
            assert!((found - corrector_order as f64).abs() < 0.3, "{options:?}: order {found}");
        }
    }
}

#[test]
fn of_linear_multistep() {
    for (order, expected) in [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0)] {
        check(&SolverKind::Lms { order }, ode_error, expected);
    }
}

/// Theorem 2 of the paper: second order, because the weights are those of steps that are even in σ.
#[test]
fn of_pndm() {
    for warm_up in [WarmUp::Heun, WarmUp::RungeKutta] {
        let scheduler = Scheduler::builder().solver(SolverKind::Pndm { warm_up }).build().unwrap();
        let of = |steps| ode_error(&scheduler, steps, Range::full().ending_at(0.5));
        let found = order(of, 50);
        assert!((found - 2.0).abs() < 0.4, "{warm_up:?}: order {found}");
    }
}

/// Against the reverse SDE. An ancestral step goes the SDE's way only to first order, whatever the order of
/// its deterministic part; DPM++ SDE gets to the second with its two.
#[test]
fn of_stochastic_solvers() {
    check(&SolverKind::EulerAncestral, sde_error, 1.0);
    check(&SolverKind::Ddim { eta: 1.0 }, sde_error, 1.0);
    check(&SolverKind::Ddpm { variance: Variance::Small }, sde_error, 1.0);
    check(&SolverKind::Dpm2Ancestral, sde_error, 1.0);
    check(&SolverKind::Dpmpp2sAncestral, sde_error, 1.0);
    check(&SolverKind::DpmppSde { noise: SdeNoise::Plain }, sde_error, 2.0);
    for correction in CORRECTIONS {
        for (order, expected) in [(Order::First, 1.0), (Order::Second, 2.0)] {
            for algorithm in [DpmAlgorithm::SdeDpmSolverPlusPlus, DpmAlgorithm::SdeDpmSolver] {
                check(&SolverKind::DpmMultistep(dpm(algorithm, order, correction)), sde_error, expected);
            }
        }
    }
}

#[test]
fn of_the_third_order_sde_solver() {
    for (third_order, expected) in [(ThirdOrder::Diffusers, 1.0), (ThirdOrder::Exact, 3.0)] {
        let options = dpm(DpmAlgorithm::SdeDpmSolverPlusPlus, Order::Third, Correction::Midpoint);
        check(&SolverKind::DpmMultistep(DpmSolver { third_order, ..options }), sde_error, expected);
    }
}

/// From normal data with noise, all solvers must arrive at normal data with less noise.
#[test]
fn stochastic_solvers_keep_the_variance() {
    let sde = |noise| DpmSolver {
        noise,
        ..dpm(DpmAlgorithm::SdeDpmSolverPlusPlus, Order::Second, Correction::Heun)
    };
    let solvers = [
        SolverKind::EulerAncestral,
        SolverKind::Ddim { eta: 0.5 },
        SolverKind::Ddpm { variance: Variance::Small },
        SolverKind::Dpm2Ancestral,
        SolverKind::Dpmpp2sAncestral,
        SolverKind::DpmppSde { noise: SdeNoise::Plain },
        SolverKind::DpmppSde { noise: SdeNoise::Brownian },
        SolverKind::DpmppSde { noise: SdeNoise::BrownianFrom(5) },
        SolverKind::DpmMultistep(sde(SdeNoise::Plain)),
        SolverKind::DpmMultistep(sde(SdeNoise::Brownian)),
        SolverKind::DpmSinglestep(sde(SdeNoise::Brownian)),
    ];
    for solver in solvers {
        let scheduler = at_levels(solver.clone(), 100).build().unwrap();
        let x = NoiseSource::new(&[9]).unwrap().normal(&[10_000]).unwrap() * (DATA + 300.0 * 300.0).sqrt();
        let (_, last, x) = sample(&scheduler, 100, Range::full(), x, normal_data).unwrap();
        let ratio = x.square().mean(Kind::Double).double_value(&[]) / (DATA + last * last);
        // The mean of 10 000 squares is within 4 % of theirs, 100 steps of a first-order solver within 3 %.
        assert!((ratio - 1.0).abs() < 0.07, "{solver:?}: {ratio}");
    }
}
