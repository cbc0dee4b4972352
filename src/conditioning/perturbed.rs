//! [`PerturbedAttention`].

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Perturbed-attention guidance (PAG, arXiv 2403.17377): away from what the UNet predicts where some of its
/// self-attentions look at nothing but their own pixel. Pictures become better composed, with or without a
/// negative prompt, for one evaluation more in each step.
///
/// The default is a scale of 3 in the middle block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PerturbedAttention {
    scale: f64,
    adaptive_scale: f64,
    layers: Vec<String>,
}

impl Default for PerturbedAttention {
    fn default() -> Self {
        Self { scale: 3., adaptive_scale: 0., layers: vec!["mid".into()] }
    }
}

impl PerturbedAttention {
    /// Of that scale, in the middle block. 0 is off.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless the scale is within 0 to 1000.
    pub fn new(scale: f64) -> Result<Self> {
        check("perturbed_attention.scale", scale)?;
        Ok(Self { scale, ..Self::default() })
    }

    /// Takes that much off the scale for each timestep below 1000, down to 0: strong at first, and off towards
    /// the end. Default 0.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless it is within 0 to 1000.
    pub fn adaptive_scale(self, adaptive_scale: f64) -> Result<Self> {
        check("perturbed_attention.adaptive_scale", adaptive_scale)?;
        Ok(Self { adaptive_scale, ..self })
    }

    /// In which self-attentions: parts of their names, such as `mid`, `down_blocks.2`, `up_blocks.0.attentions.1`.
    /// Whether the UNet has such is checked where a request is sampled.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an empty list, and for an empty part, which every name would have.
    pub fn layers<S: Into<String>>(self, layers: impl IntoIterator<Item = S>) -> Result<Self> {
        let layers: Vec<String> = layers.into_iter().map(Into::into).collect();
        if layers.is_empty() || layers.iter().any(String::is_empty) {
            let expected = "one part of a name or more, none of them empty";
            return Err(Error::invalid("perturbed_attention.layers", format!("{layers:?}"), expected));
        }
        Ok(Self { layers, ..self })
    }

    /// The scale at timestep 1000.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// What is taken off the scale for each timestep below 1000.
    pub fn adaptive(&self) -> f64 {
        self.adaptive_scale
    }

    /// The parts of the names of its self-attentions.
    pub fn layer_parts(&self) -> &[String] {
        &self.layers
    }

    /// The scale at a timestep; at 0 nothing is perturbed.
    pub fn scale_at(&self, timestep: f64) -> f64 {
        (self.scale - self.adaptive_scale * (1000. - timestep)).max(0.)
    }
}

fn check(field: &'static str, value: f64) -> Result<()> {
    if (0. ..=1000.).contains(&value) { Ok(()) } else { Err(Error::invalid(field, value, "0 to 1000")) }
}
