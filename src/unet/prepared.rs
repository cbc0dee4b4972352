//! [`PreparedConditioning`]: what does not change during a run, computed once.

use std::collections::BTreeMap;

use tch::Tensor;

use super::embedding::UnetConditioning;
use crate::error::{Error, Result};
use crate::nn::{Attention, KeysValues};

/// A [`UnetConditioning`] as the layers see it, which is the same in every step of a run: the text's keys and values in
/// each cross-attention, and the embedding of the micro-conditioning. Made by
/// [`Unet::prepare`](super::Unet::prepare), for that UNet.
#[derive(Debug)]
pub struct PreparedConditioning {
    pub(super) text: TextKeys,
    /// `(B, time_embed_dim)`.
    pub(super) added: Tensor,
    /// The embedded guidance scale.
    pub(super) timestep_cond: Option<Tensor>,
}

/// The keys and values of a text, by the names of the cross-attentions.
#[derive(Debug, Default)]
pub(super) struct TextKeys(BTreeMap<String, KeysValues>);

impl TextKeys {
    pub(super) fn of<'a>(
        transformers: impl Iterator<Item = &'a super::Transformer>,
        conditioning: &UnetConditioning,
    ) -> Result<Self> {
        let mut text = Self::default();
        for transformer in transformers {
            transformer.prepare(conditioning.context(), &mut text)?;
        }
        Ok(text)
    }

    pub(super) fn add(&mut self, name: &str, attention: &Attention, context: &Tensor) -> Result<()> {
        self.0.insert(name.to_owned(), attention.keys_values(context)?);
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Result<&KeysValues> {
        // The conditioning was prepared by another UNet.
        self.0
            .get(name)
            .ok_or_else(|| Error::Missing { part: "keys and values", reason: format!("none of {name}") })
    }
}
