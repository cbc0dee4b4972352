//! [`PeftSettings`]: the settings that diffusers writes into a LoRA's metadata, for layers without an alpha.

use serde_json::{Map, Value};

use super::layer::Layer;
use crate::error::{Error, Result};
use crate::weights::rename::Component;
use crate::weights::safetensors::SafetensorsFile;

/// The metadata's name.
const NAME: &str = "lora_adapter_metadata";

/// PEFT's `LoraConfig` of each component, as `unet.lora_alpha` and the like.
pub(super) struct PeftSettings(Map<String, Value>);

impl PeftSettings {
    /// # Errors
    /// [`Error::File`] where the metadata is no JSON object, or an alpha in it is no number.
    pub(super) fn read(file: &SafetensorsFile) -> Result<Self> {
        let Some(text) = file.metadata.get(NAME) else { return Ok(Self(Map::new())) };
        let fail = |reason: String| Error::file(file.path(), format!("metadata {NAME}: {reason}"));
        let settings: Map<String, Value> =
            serde_json::from_str(text).map_err(|error| fail(error.to_string()))?;
        for (name, value) in &settings {
            let is_alpha = |value: &Value| value.is_null() || value.as_f64().is_some_and(f64::is_finite);
            let valid = match name.rsplit('.').next() {
                Some("lora_alpha" | "alpha") => is_alpha(value),
                Some("alpha_pattern") => value.as_object().is_none_or(|all| all.values().all(is_alpha)),
                _ => true,
            };
            if !valid {
                return Err(fail(format!("{name} is {value}, expected a number")));
            }
        }
        Ok(Self(settings))
    }

    /// `alpha / rank` (or, with `use_rslora`, `alpha / √rank`), and 1 where there are no settings.
    pub(super) fn scale(&self, component: Component, layer: &Layer, rank: i64) -> f64 {
        let get = |name: &str| self.0.get(&format!("{component}.{name}")).or_else(|| self.0.get(name));
        let patterns = get("alpha_pattern").and_then(Value::as_object);
        let own = patterns.and_then(|patterns| {
            let found = |(pattern, _): &(&String, &Value)| layer.is_named(pattern.trim_start_matches('^'));
            patterns.iter().find(found).and_then(|(_, alpha)| alpha.as_f64())
        });
        let alpha = own.or_else(|| get("lora_alpha").or_else(|| get("alpha")).and_then(Value::as_f64));
        let rank = rank as f64;
        match (alpha, get("use_rslora")) {
            (None, _) => 1.,
            (Some(alpha), Some(Value::Bool(true))) => alpha / rank.sqrt(),
            (Some(alpha), _) => alpha / rank,
        }
    }
}
