//! [`Layer`]: the tensors that a file has for one layer of the model, and whether they go together.

use std::collections::BTreeMap;

use safetensors::tensor::TensorInfo;
use tch::Kind;

use super::name::Role;
use crate::weights::safetensors::kind;

/// The largest rank: wider than any layer that an adapter is made for, and what a broken file soon exceeds.
const RANK_LIMIT: i64 = 4096;

/// The tensors of one layer, by role: key and header entry.
#[derive(Debug, Default)]
pub(super) struct Layer {
    tensors: BTreeMap<Role, (String, TensorInfo)>,
}

/// How the weight's change is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    LowRank,
    Hadamard,
    Kronecker,
    Difference,
}

/// A layer that was checked: what it changes, without data.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) family: Option<Family>,
    /// The shape of the weight: kernels may be flattened.
    pub(super) shape: Vec<i64>,
    pub(super) rank: Option<i64>,
}

impl Family {
    fn of(role: Role) -> Option<Self> {
        Some(match role {
            Role::Down | Role::Up | Role::Mid | Role::UpBias => Self::LowRank,
            Role::HadaW1A | Role::HadaW1B | Role::HadaW2A | Role::HadaW2B | Role::HadaT1 | Role::HadaT2 => {
                Self::Hadamard
            }
            Role::LokrW1
            | Role::LokrW1A
            | Role::LokrW1B
            | Role::LokrW2
            | Role::LokrW2A
            | Role::LokrW2B
            | Role::LokrT2 => Self::Kronecker,
            Role::Diff => Self::Difference,
            Role::Alpha | Role::DoraScale | Role::MagnitudeVector | Role::DiffBias => return None,
        })
    }
}

/// The roles of two factors, and of a core between both, which convolutions may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Factors {
    pub(super) left: Role,
    pub(super) right: Role,
    pub(super) core: Option<Role>,
}

impl Factors {
    pub(super) const LORA: Self = Self { left: Role::Up, right: Role::Down, core: Some(Role::Mid) };
    pub(super) const HADA_1: Self =
        Self { left: Role::HadaW1A, right: Role::HadaW1B, core: Some(Role::HadaT1) };
    pub(super) const HADA_2: Self =
        Self { left: Role::HadaW2A, right: Role::HadaW2B, core: Some(Role::HadaT2) };
    pub(super) const LOKR_1: Self = Self { left: Role::LokrW1A, right: Role::LokrW1B, core: None };
    pub(super) const LOKR_2: Self =
        Self { left: Role::LokrW2A, right: Role::LokrW2B, core: Some(Role::LokrT2) };
}

/// The shape of the product of two factors, and what is between them.
struct Product {
    shape: Vec<i64>,
    rank: i64,
}

impl Layer {
    /// Takes a tensor in; `false` where its role is taken.
    pub(super) fn add(&mut self, role: Role, key: &str, info: &TensorInfo) -> bool {
        self.tensors.insert(role, (key.to_owned(), info.clone())).is_none()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.tensors.values().map(|(key, _)| key.as_str())
    }

    /// Whether this is the layer of that dotted name, or of one that ends so.
    pub(super) fn is_named(&self, name: &str) -> bool {
        let Some((key, _)) = self.tensors.get(&Role::Down).or_else(|| self.tensors.values().next()) else {
            return false;
        };
        let layer = key.split(".lora_").next().unwrap_or_default();
        layer.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    }

    pub(super) fn has(&self, role: Role) -> bool {
        self.tensors.contains_key(&role)
    }

    pub(super) fn key(&self, role: Role) -> &str {
        self.tensors.get(&role).map_or("", |(key, _)| key)
    }

    fn shape(&self, role: Role) -> Option<Vec<i64>> {
        let (_, info) = self.tensors.get(&role)?;
        Some(info.shape.iter().map(|&side| side as i64).collect())
    }

    /// The key that stands for the layer in messages.
    fn any_key(&self) -> &str {
        self.keys().next().unwrap_or_default()
    }

    /// Checks that the tensors go together, by their shapes. The text of an error names the key.
    pub(super) fn plan(&self) -> Result<Plan, String> {
        for (key, info) in self.tensors.values() {
            if !matches!(kind(info.dtype), Some(kind) if !matches!(kind, Kind::Int | Kind::Int64 | Kind::Uint8))
            {
                return Err(format!("{key} has type {:?}, expected a float type", info.dtype));
            }
            if info.shape.contains(&0) || info.shape.len() > 4 {
                return Err(format!("{key} has shape {:?}", info.shape));
            }
        }
        if self.shape(Role::Alpha).is_some_and(|shape| shape.iter().product::<i64>() != 1) {
            return Err(format!("{} is no single number", self.key(Role::Alpha)));
        }
        let mut families: Vec<Family> = self.tensors.keys().filter_map(|role| Family::of(*role)).collect();
        families.dedup();
        let (shape, rank) = match families.as_slice() {
            [] if self.has(Role::DiffBias) && self.tensors.len() == 1 => (Vec::new(), None),
            [] => return Err(format!("{} stands alone: the layer has no weights", self.any_key())),
            [Family::LowRank] => {
                let Product { shape, rank } = self.product(Factors::LORA)?;
                if let Some(bias) = self.shape(Role::UpBias)
                    && bias.as_slice() != shape.get(..1).unwrap_or_default()
                {
                    return Err(format!("{} has shape {bias:?}", self.key(Role::UpBias)));
                }
                (shape, Some(rank))
            }
            [Family::Hadamard] => self.plan_hadamard()?,
            [Family::Kronecker] => self.plan_kronecker()?,
            [Family::Difference] => (self.shape(Role::Diff).unwrap_or_default(), None),
            _ => return Err(format!("{} and others are of different kinds", self.any_key())),
        };
        if shape.iter().try_fold(1i64, |count, &side| count.checked_mul(side)).is_none() {
            return Err(format!("{} is of a weight of shape {shape:?}", self.any_key()));
        }
        let plan = Plan { family: families.first().copied(), shape, rank };
        self.check_magnitude(&plan)?;
        Ok(plan)
    }

    fn plan_hadamard(&self) -> Result<(Vec<i64>, Option<i64>), String> {
        if self.has(Role::HadaT1) != self.has(Role::HadaT2) {
            return Err(format!("{}: one of hada_t1 and hada_t2 is missing", self.any_key()));
        }
        let first = self.product(Factors::HADA_1)?;
        let second = self.product(Factors::HADA_2)?;
        if first.shape != second.shape {
            let (found, expected) = (second.shape, first.shape);
            return Err(format!("{}: factors of shapes {expected:?} and {found:?}", self.key(Role::HadaW2A)));
        }
        Ok((first.shape, Some(first.rank)))
    }

    fn plan_kronecker(&self) -> Result<(Vec<i64>, Option<i64>), String> {
        let factor = |whole, factors: Factors| match self.shape(whole) {
            Some(_) if self.has(factors.left) || self.has(factors.right) => {
                Err(format!("{} is there whole and in parts", self.key(whole)))
            }
            Some(shape) if shape.len() < 2 => Err(format!("{} has shape {shape:?}", self.key(whole))),
            Some(shape) => Ok((shape, None)),
            None => self.product(factors).map(|product| (product.shape, Some(product.rank))),
        };
        let (first, first_rank) = factor(Role::LokrW1, Factors::LOKR_1)?;
        let (second, second_rank) = factor(Role::LokrW2, Factors::LOKR_2)?;
        let (&[a, b], [c, d, kernel @ ..]) = (first.as_slice(), second.as_slice()) else {
            return Err(format!("{}: factors of shapes {first:?} and {second:?}", self.any_key()));
        };
        let sides = a.checked_mul(*c).zip(b.checked_mul(*d));
        let (rows, columns) = sides.ok_or_else(|| format!("{} is too large", self.any_key()))?;
        Ok(([&[rows, columns], kernel].concat(), first_rank.or(second_rank)))
    }

    fn product(&self, Factors { left, right, core }: Factors) -> Result<Product, String> {
        let (Some(left_shape), Some(right_shape)) = (self.shape(left), self.shape(right)) else {
            let missing = if self.has(left) { right } else { left };
            return Err(format!("{}: its other half ({missing:?}) is missing", self.any_key()));
        };
        let mismatch = || {
            let (a, b) = (self.key(left), self.key(right));
            format!("{a} and {b} do not go together: {left_shape:?} and {right_shape:?}")
        };
        let core = core.and_then(|core| Some((core, self.shape(core)?)));
        let (&[rows, left_rank, ..], [right_rank, right_rest @ ..]) =
            (left_shape.as_slice(), right_shape.as_slice())
        else {
            return Err(mismatch());
        };
        if left_shape.iter().skip(2).any(|&side| side != 1) {
            return Err(mismatch());
        }
        // LyCORIS stores the left factor of its own cores the other way round.
        let turned = matches!(&core, Some((role, _)) if *role != Role::Mid);
        let (rows, left_rank) = if turned { (left_rank, rows) } else { (rows, left_rank) };
        let shape = match &core {
            None => [&[rows], right_rest].concat(),
            Some((_, core)) => {
                let &[_, columns, ref ones @ ..] = right_shape.as_slice() else { return Err(mismatch()) };
                let (Some(&[first, second]), kernel) = (core.get(..2), core.get(2..).unwrap_or_default())
                else {
                    return Err(mismatch());
                };
                let fits = kernel.len() == 2 && first == left_rank && second == *right_rank;
                if !fits || ones.iter().any(|&side| side != 1) {
                    return Err(mismatch());
                }
                [&[rows, columns], kernel].concat()
            }
        };
        if left_rank != *right_rank || right_rest.is_empty() {
            return Err(mismatch());
        }
        if left_rank > RANK_LIMIT {
            return Err(format!("{} has rank {left_rank}, at most {RANK_LIMIT} accepted", self.key(right)));
        }
        Ok(Product { shape, rank: left_rank })
    }

    fn check_magnitude(&self, plan: &Plan) -> Result<(), String> {
        for role in [Role::DoraScale, Role::MagnitudeVector] {
            let Some(shape) = self.shape(role) else { continue };
            if magnitude_axis(role, &shape, &plan.shape).is_none() {
                let key = self.key(role);
                return Err(format!("{key} has shape {shape:?} for a weight of {:?}", plan.shape));
            }
        }
        if self.has(Role::DoraScale) && self.has(Role::MagnitudeVector) {
            return Err(format!("{} is there twice", self.key(Role::DoraScale)));
        }
        Ok(())
    }
}

/// Which axis magnitudes of a shape belong to: `None` for none, `Some(None)` for the outputs, and
/// `Some(Some(kernel))` for the inputs.
pub(super) fn magnitude_axis(role: Role, shape: &[i64], weight: &[i64]) -> Option<Option<i64>> {
    let (&outputs, rest) = weight.split_first()?;
    let count: i64 = shape.iter().product();
    let columns: i64 = rest.iter().product();
    let lies_across = matches!(shape, [1, _, ..]) && role == Role::DoraScale && count > 1;
    let is_line = shape.iter().filter(|&&side| side != 1).count() <= 1;
    if !is_line {
        None
    } else if lies_across {
        (columns % count == 0).then_some(Some(columns / count))
    } else {
        (count == outputs).then_some(None)
    }
}
