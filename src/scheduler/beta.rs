//! The quantiles of the beta distribution, for [`Curve::Beta`](super::Curve).

/// The x at which the distribution function of Beta(a, b) is `probability`, to about 1e-12.
pub(crate) fn inverse_beta(probability: f64, a: f64, b: f64) -> f64 {
    if probability <= 0.0 || probability >= 1.0 {
        return probability.clamp(0.0, 1.0);
    }
    // By symmetry, only quantiles up to a half are searched for.
    match distribution(0.5, a, b) < probability {
        true => 1.0 - lower_quantile(1.0 - probability, b, a),
        false => lower_quantile(probability, a, b),
    }
}

/// The quantile, if it is at most 0.5.
fn lower_quantile(probability: f64, a: f64, b: f64) -> f64 {
    // Halving cannot fail, and 100 halvings are cheap for the few dozen levels of a run. The quantile may
    // be tiny, so the logarithm is halved.
    let (mut low, mut high) = (-300.0_f64, 0.5_f64.ln());
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        match distribution(middle.exp(), a, b) < probability {
            true => low = middle,
            false => high = middle,
        }
    }
    (0.5 * (low + high)).exp()
}

/// The regularised incomplete beta function, by its continued fraction (DLMF 8.17.22), x at most 0.5.
fn distribution(x: f64, a: f64, b: f64) -> f64 {
    let front = (a * x.ln() + b * (-x).ln_1p() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b)).exp() / a;
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - front * a / b * fraction(1.0 - x, b, a);
    }
    front * fraction(x, a, b)
}

/// 1 / (1 + d₁/(1 + d₂/(1 + …))) by the modified Lentz method.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let guard = |value: f64| if value.abs() < TINY { TINY } else { value };
    let (mut c, mut d) = (1.0, 1.0 / guard(1.0 - (a + b) * x / (a + 1.0)));
    let mut result = d;
    for m in 1..500 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = result;
        for coefficient in [even, odd] {
            d = 1.0 / guard(1.0 + coefficient * d);
            c = guard(1.0 + coefficient / c);
            result *= c * d;
        }
        if (result - before).abs() <= 1e-15 * result.abs() {
            break;
        }
    }
    result
}

/// ln Γ(x) for positive x (Lanczos, g = 7, nine terms: 15 digits).
fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let series = |sum: f64, (i, term): (usize, &f64)| sum + term / (x + i as f64 + 1.0);
    let sum = TERMS.iter().enumerate().fold(0.999_999_999_999_809_9, series);
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::inverse_beta;

    /// `scipy.stats.beta.ppf(q, a, b)` of scipy 1.17.1.
    #[test]
    fn equals_scipy() {
        let cases = [
            (0.5, 0.6, 0.6, 0.5000000000000001),
            (0.01, 0.6, 0.6, 0.0008612388215429059),
            (0.123, 0.6, 0.6, 0.055662002577497156),
            (0.9, 0.6, 0.6, 0.9604155944112192),
            (1.0 / 24.0, 0.6, 0.6, 0.009272318295366627),
            (23.0 / 24.0, 0.6, 0.6, 0.9907276817046334),
            (0.3, 2.0, 5.0, 0.18180347131894917),
            (0.99, 0.3, 4.0, 0.5118187304300781),
            (0.0001, 0.6, 0.6, 3.998377158137721e-07),
            (0.0, 0.6, 0.6, 0.0),
            (1.0, 0.6, 0.6, 1.0),
        ];
        for (probability, a, b, expected) in cases {
            let found = inverse_beta(probability, a, b);
            assert!(
                (found - expected).abs() <= 1e-12 * expected,
                "{probability} {a} {b}: {found} {expected}"
            );
        }
    }
}
