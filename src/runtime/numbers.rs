//! [`Numbers`]: tensors and plain numbers together.
//!
//! tch's own functions that take a number (`f_mul_scalar`, `f_clamp`…) free that number before they look at libtorch's
//! error, and freeing panics where there is one. Here the number is a tensor without dimensions, which gives the same
//! results to the last bit.

use tch::{TchError, Tensor};

/// A whole number keeps tensors of whole numbers what they are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number {
    Whole(i64),
    Real(f64),
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

/// A number as a tensor without dimensions, on the CPU: it takes the type of those that have some.
pub(crate) fn number(number: impl Into<Number>) -> Result<Tensor, TchError> {
    let tensor = match number.into() {
        Number::Whole(number) => Tensor::f_from_slice(&[number])?,
        Number::Real(number) => Tensor::f_from_slice(&[number])?,
    };
    tensor.f_squeeze_dim(0)
}

/// The operand that a number is beside `x`.
fn beside(x: &Tensor, other: impl Into<Number>) -> Result<Tensor, TchError> {
    let other = number(other)?;
    // Of two tensors without dimensions the larger type would win.
    if x.dim() == 0 { other.f_to_kind(x.f_kind()?) } else { Ok(other) }
}

type Outcome = Result<Tensor, TchError>;

/// Operations of a tensor and a number, as tch names them for two tensors.
pub(crate) trait Numbers {
    fn f_add_number(&self, other: impl Into<Number>) -> Outcome;
    fn f_add_number_(&mut self, other: impl Into<Number>) -> Outcome;
    fn f_mul_number(&self, other: impl Into<Number>) -> Outcome;
    fn f_mul_number_(&mut self, other: impl Into<Number>) -> Outcome;
    fn f_div_number(&self, other: impl Into<Number>) -> Outcome;
    fn f_div_number_(&mut self, other: impl Into<Number>) -> Outcome;
    fn f_lerp_number_(&mut self, end: &Tensor, weight: f64) -> Outcome;
    fn f_clamp_min_number(&self, min: impl Into<Number>) -> Outcome;
    fn f_clamp_max_number(&self, max: impl Into<Number>) -> Outcome;
    fn f_clamp_numbers(&self, min: f64, max: f64) -> Outcome;
    fn f_eq_number(&self, other: impl Into<Number>) -> Outcome;
    fn f_ge_number(&self, other: impl Into<Number>) -> Outcome;
    fn f_gt_number(&self, other: impl Into<Number>) -> Outcome;
    fn f_lt_number(&self, other: impl Into<Number>) -> Outcome;
}

impl Numbers for Tensor {
    fn f_add_number(&self, other: impl Into<Number>) -> Outcome {
        self.f_add(&beside(self, other)?)
    }

    fn f_add_number_(&mut self, other: impl Into<Number>) -> Outcome {
        let other = beside(self, other)?;
        self.f_add_(&other)
    }

    fn f_mul_number(&self, other: impl Into<Number>) -> Outcome {
        self.f_mul(&beside(self, other)?)
    }

    fn f_mul_number_(&mut self, other: impl Into<Number>) -> Outcome {
        let other = beside(self, other)?;
        self.f_mul_(&other)
    }

    fn f_div_number(&self, other: impl Into<Number>) -> Outcome {
        self.f_div(&beside(self, other)?)
    }

    fn f_div_number_(&mut self, other: impl Into<Number>) -> Outcome {
        let other = beside(self, other)?;
        self.f_div_(&other)
    }

    fn f_lerp_number_(&mut self, end: &Tensor, weight: f64) -> Outcome {
        // The one operation here that wants equal types.
        let weight = number(weight)?.f_to_kind(self.f_kind()?)?.f_to_device(self.device())?;
        self.f_lerp_tensor_(end, &weight)
    }

    fn f_clamp_min_number(&self, min: impl Into<Number>) -> Outcome {
        self.f_maximum(&beside(self, min)?)
    }

    fn f_clamp_max_number(&self, max: impl Into<Number>) -> Outcome {
        self.f_minimum(&beside(self, max)?)
    }

    fn f_clamp_numbers(&self, min: f64, max: f64) -> Outcome {
        self.f_clamp_min_number(min)?.f_clamp_max_number(max)
    }

    fn f_eq_number(&self, other: impl Into<Number>) -> Outcome {
        self.f_eq_tensor(&beside(self, other)?)
    }

    fn f_ge_number(&self, other: impl Into<Number>) -> Outcome {
        self.f_ge_tensor(&beside(self, other)?)
    }

    fn f_gt_number(&self, other: impl Into<Number>) -> Outcome {
        self.f_gt_tensor(&beside(self, other)?)
    }

    fn f_lt_number(&self, other: impl Into<Number>) -> Outcome {
        self.f_lt_tensor(&beside(self, other)?)
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests may panic, and compare with what tch itself gives")]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::{Numbers, number};

    /// What the functions of tch give where nothing fails.
    #[test]
    fn results_are_those_of_plain_numbers() {
        for kind in [Kind::Float, Kind::Half, Kind::BFloat16, Kind::Double] {
            let x = Tensor::f_linspace(-3., 3.1, 1001, (Kind::Float, Device::Cpu)).unwrap().to_kind(kind);
            // Beside a tensor without dimensions the number itself is rounded to 16 bits, which nothing here has.
            let single =
                if matches!(kind, Kind::Float | Kind::Double) { x.get(7) } else { x.narrow(0, 7, 1) };
            for x in [x, single] {
                let value = 0.130_25;
                let pairs = [
                    (x.f_add_number(value), x.f_add_scalar(value)),
                    (x.f_add_number(1), x.f_add_scalar(1)),
                    (x.f_mul_number(value), x.f_mul_scalar(value)),
                    (x.f_div_number(value), x.f_div_scalar(value)),
                    (x.f_clamp_numbers(-value, value), x.f_clamp(-value, value)),
                    (x.f_ge_number(value), x.f_ge(value)),
                    (x.f_gt_number(value), x.f_gt(value)),
                    (x.f_lt_number(value), x.f_lt(value)),
                ];
                for (index, (found, expected)) in pairs.into_iter().enumerate() {
                    let (found, expected) = (found.unwrap(), expected.unwrap());
                    assert_eq!(found.kind(), expected.kind(), "{index} of {kind:?}");
                    assert!(found.equal(&expected), "{index} of {kind:?}: {:?}", x.size());
                }
                // In place only optimisers compute, in 32 bits.
                if !matches!(kind, Kind::Float | Kind::Double) {
                    continue;
                }
                let (mut found, mut expected) = (x.copy(), x.copy());
                let _ = found.f_mul_number_(value).unwrap().f_add_number_(value).unwrap();
                let _ = expected.f_mul_scalar_(value).unwrap().f_add_scalar_(value).unwrap();
                assert!(found.equal(&expected), "in place, {kind:?}");
                let (mut found, mut expected) = (x.copy(), x.copy());
                let end = x.square();
                let _ = found.f_lerp_number_(&end, value).unwrap();
                let _ = expected.f_lerp_(&end, value).unwrap();
                assert!(found.equal(&expected), "between, {kind:?}");
            }
        }
        let ids = Tensor::from_slice(&[1i64, 5, 9]);
        assert_eq!(ids.f_clamp_max_number(5).unwrap().kind(), Kind::Int64);
        assert!(ids.f_eq_number(5).unwrap().equal(&ids.f_eq(5).unwrap()));
    }

    /// tch's own panics here.
    #[test]
    fn a_failure_is_an_error() {
        let x = Tensor::from_slice(&[1i64, 2]);
        // A whole number cannot be divided in place by a fraction.
        assert!(x.copy().f_div_number_(0.5).is_err());
        assert_eq!(number(0.5).unwrap().dim(), 0);
    }
}
