//! The handful of tensor expressions that keep the maths readable without operators that can panic.

use tch::Tensor;

use crate::error::{Error, Result};
use crate::runtime::Numbers;

/// `a·x + b·y + …` of tensors whose shapes go together, in their own type: what every solver step and every prediction type is.
///
/// # Errors
/// [`Error::Invalid`] without terms, [`Error::Torch`] where the shapes differ.
pub(crate) fn linear_combination(terms: &[(f64, &Tensor)]) -> Result<Tensor> {
    let Some(((scale, first), rest)) = terms.split_first() else {
        return Err(Error::invalid("terms", "an empty list", "one term or more"));
    };
    let mut sum = first.f_mul_number(*scale)?;
    for (scale, term) in rest {
        sum = sum.f_add(&term.f_mul_number(*scale)?)?;
    }
    Ok(sum)
}
