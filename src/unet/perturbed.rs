//! Self-attentions that look at nothing but their own pixel, for perturbed-attention guidance
//! (arXiv 2403.17377).

use std::collections::BTreeSet;

use crate::error::{Error, Result};

/// Some self-attentions of a UNet, by name: `mid_block.attentions.0.transformer_blocks.0.attn1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfAttentions(BTreeSet<String>);

impl SelfAttentions {
    /// Those of `all` whose name has one of the parts in it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a part that no name has.
    pub(super) fn choose<'a>(all: &[&'a str], parts: &[String]) -> Result<Self> {
        let mut chosen = BTreeSet::new();
        for part in parts {
            let found: Vec<&'a str> = all.iter().copied().filter(|name| has_part(name, part)).collect();
            if found.is_empty() {
                let expected =
                    "a part of the name of a self-attention of this UNet, such as mid, up_blocks.0";
                return Err(Error::invalid("perturbed_attention.layers", part, expected));
            }
            chosen.extend(found.into_iter().map(str::to_owned));
        }
        Ok(Self(chosen))
    }

    /// The full names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// Whether the part is in the name; a number at its end is the whole number (`blocks.1` is not in `blocks.10`).
fn has_part(name: &str, part: &str) -> bool {
    let ends_in_number = part.ends_with(|last: char| last.is_ascii_digit());
    name.match_indices(part).any(|(start, _)| {
        let rest = name.get(start + part.len()..).unwrap_or_default();
        !(ends_in_number && rest.starts_with(|next: char| next.is_ascii_digit()))
    })
}

/// In which self-attentions the last rows of a batch are perturbed.
#[derive(Debug, Clone, Copy)]
pub struct Perturbed<'a> {
    /// The self-attentions.
    pub layers: &'a SelfAttentions,
    /// How many of the last rows.
    pub rows: i64,
}

impl Perturbed<'_> {
    /// The number of perturbed rows in a self-attention; 0 where it is none of the chosen.
    pub(super) fn rows_in(&self, name: &str) -> i64 {
        if self.layers.0.contains(name) { self.rows } else { 0 }
    }
}
