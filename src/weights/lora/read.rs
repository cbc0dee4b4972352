//! Reading the tensors of a [`Layer`] that was checked.

use tch::{Kind, Tensor};

use super::change::{Change, Delta, Magnitude, Matrix, Right};
use super::layer::{Factors, Family, Layer, Plan, magnitude_axis};
use super::name::Role;
use crate::error::{Error, Result};
use crate::weights::safetensors::SafetensorsFile;

/// The changes of one layer's weight and bias.
pub(super) type Changes = (Option<Change>, Option<Change>);

impl Layer {
    /// Reads the data. `scale` tells `alpha / rank` where the layer has no alpha of its own.
    ///
    /// # Errors
    /// [`Error::File`] names the key of values that are not finite.
    pub(super) fn read(
        &self,
        plan: &Plan,
        file: &SafetensorsFile,
        scale: impl Fn(i64) -> f64,
    ) -> Result<Changes> {
        let tensor = |role| self.read_tensor(role, file);
        let matrix = |factors| self.read_product(factors, file);
        let alpha = match self.has(Role::Alpha) {
            true => Some(tensor(Role::Alpha)?.f_to_kind(Kind::Double)?.f_reshape([1])?.f_double_value(&[0])?),
            false => None,
        };
        let scale = match (alpha, plan.rank) {
            (Some(alpha), Some(rank)) => alpha / rank as f64,
            (None, Some(rank)) => scale(rank),
            (_, None) => 1.,
        };
        let whole = |role| Ok::<_, Error>(Matrix { left: flatten(&tensor(role)?)?, right: None });
        let delta = match plan.family {
            None => None,
            Some(Family::LowRank) => Some(Delta::Sum(matrix(Factors::LORA)?)),
            Some(Family::Difference) => Some(Delta::Sum(whole(Role::Diff)?)),
            Some(Family::Hadamard) => {
                Some(Delta::Hadamard(matrix(Factors::HADA_1)?, matrix(Factors::HADA_2)?))
            }
            Some(Family::Kronecker) => {
                let factor = |role, factors| match self.has(role) {
                    true => whole(role),
                    false => matrix(factors),
                };
                Some(Delta::Kronecker(
                    factor(Role::LokrW1, Factors::LOKR_1)?,
                    factor(Role::LokrW2, Factors::LOKR_2)?,
                ))
            }
        };
        let magnitude =
            match [Role::DoraScale, Role::MagnitudeVector].into_iter().find(|role| self.has(*role)) {
                None => None,
                Some(role) => {
                    let magnitude = tensor(role)?;
                    let kernel = magnitude_axis(role, &magnitude.size(), &plan.shape).flatten();
                    let magnitude = magnitude.f_flatten(0, -1)?;
                    Some(match kernel {
                        None => Magnitude::Outputs(magnitude),
                        Some(kernel) => Magnitude::Inputs(magnitude, kernel),
                    })
                }
            };
        let weight = delta.map(|delta| Change { delta, scale, magnitude });
        let bias =
            [(Role::UpBias, scale), (Role::DiffBias, 1.)].into_iter().find(|(role, _)| self.has(*role));
        let bias = match bias {
            None => None,
            Some((role, scale)) => Some(Change { delta: Delta::Sum(whole(role)?), scale, magnitude: None }),
        };
        Ok((weight, bias))
    }

    fn read_product(&self, factors: Factors, file: &SafetensorsFile) -> Result<Matrix> {
        let mut left = flatten(&self.read_tensor(factors.left, file)?)?;
        let factor = flatten(&self.read_tensor(factors.right, file)?)?;
        let core = match factors.core.filter(|core| self.has(*core)) {
            None => None,
            Some(core) => {
                if core != Role::Mid {
                    left = left.f_transpose(0, 1)?.f_contiguous()?;
                }
                Some(self.read_tensor(core, file)?.f_flatten(2, -1)?)
            }
        };
        Ok(Matrix { left, right: Some(Right { factor, core }) })
    }

    fn read_tensor(&self, role: Role, file: &SafetensorsFile) -> Result<Tensor> {
        let key = self.key(role);
        let tensor = file.read_float(key)?;
        let finite = tensor.f_isfinite()?.f_all()?.f_to_kind(Kind::Int64)?.f_int64_value(&[])?;
        if finite == 0 {
            return Err(Error::file(file.path(), format!("{key} has values that are not finite")));
        }
        Ok(tensor)
    }
}

/// `(n, …)` to `(n, rest)`; a vector is a column.
fn flatten(tensor: &Tensor) -> Result<Tensor> {
    let rows = tensor.size().first().copied().unwrap_or(1);
    Ok(tensor.f_reshape([rows, -1])?)
}
