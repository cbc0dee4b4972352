//! The handful of tensor expressions that keep the maths readable without operators that can panic.

use tch::Tensor;

use crate::error::{Error, Result};

/// `Σ aᵢ·xᵢ`: what every solver step and every prediction type is.
pub(crate) fn linear_combination(terms: &[(f64, &Tensor)]) -> Result<Tensor> {
    let Some(((a, x), rest)) = terms.split_first() else {
        return Err(Error::invalid("terms", "an empty sum", "at least one term"));
    };
    let mut sum = x.f_mul_scalar(*a)?;
    for (a, x) in rest {
        sum = sum.f_add(&x.f_mul_scalar(*a)?)?;
    }
    Ok(sum)
}
