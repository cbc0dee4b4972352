//! [`Config`]: the keys of a diffusers `scheduler_config.json`, read with a class's own defaults.

use std::path::Path;

use serde_json::{Map, Value};

use super::Scheduler;
use super::class::Class;
use crate::error::{Error, Result};
use crate::runtime::files::read_text;

/// The largest file read: room for the betas of many more training timesteps than anyone takes.
const FILE_LIMIT: u64 = 1 << 20;

/// The keys that a `scheduler_config.json` has. Those that it lacks are left to the class that reads it,
/// which is what `Class.from_config(other.config)` means in diffusers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    keys: Map<String, Value>,
}

impl Config {
    pub(crate) fn new(keys: Map<String, Value>) -> Self {
        Self { keys }
    }

    pub(crate) fn parse(json: &str) -> Result<Self> {
        match serde_json::from_str(&quote_infinities(json)) {
            Ok(Value::Object(keys)) => Ok(Self { keys }),
            Ok(_) => Err(Error::invalid("scheduler configuration", "not an object", "a JSON object")),
            Err(error) => Err(Error::invalid("scheduler configuration", error, "a JSON object")),
        }
    }

    /// The class that the file names.
    pub(crate) fn class(&self) -> Result<Class> {
        self.text("_class_name", "")?.parse()
    }

    /// The same with a key set, whether the file had it or not.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.keys.insert(key.to_owned(), value.into());
        self
    }

    /// The value of a key; `None` where the file has none, or `null`.
    fn get(&self, key: &str) -> Option<&Value> {
        self.keys.get(key).filter(|value| !value.is_null())
    }

    /// Whether the file has a value for a key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn text<'a>(&'a self, key: &'static str, default: &'a str) -> Result<&'a str> {
        let Some(value) = self.get(key) else { return Ok(default) };
        value.as_str().ok_or_else(|| Error::invalid(key, value, "a text"))
    }

    pub(crate) fn flag(&self, key: &'static str, default: bool) -> Result<bool> {
        let Some(value) = self.get(key) else { return Ok(default) };
        value.as_bool().ok_or_else(|| Error::invalid(key, value, "true or false"))
    }

    pub(crate) fn number(&self, key: &'static str, default: f64) -> Result<f64> {
        Ok(self.optional_number(key)?.unwrap_or(default))
    }

    /// A number that may be absent.
    pub(crate) fn optional_number(&self, key: &'static str) -> Result<Option<f64>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match (value.as_f64(), value.as_str()) {
            (Some(number), _) => Ok(Some(number)),
            (None, Some("-Infinity")) => Ok(Some(f64::NEG_INFINITY)),
            _ => Err(Error::invalid(key, value, "a number")),
        }
    }

    pub(crate) fn count(&self, key: &'static str, default: usize) -> Result<usize> {
        Ok(self.optional_count(key)?.unwrap_or(default))
    }

    pub(crate) fn optional_count(&self, key: &'static str) -> Result<Option<usize>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
        count.map(Some).ok_or_else(|| Error::invalid(key, value, "a whole number, not negative"))
    }

    pub(crate) fn counts(&self, key: &'static str) -> Result<Vec<usize>> {
        let numbers = self.list(key)?.into_iter();
        numbers
            .map(|value| {
                value
                    .as_u64()
                    .and_then(|count| usize::try_from(count).ok())
                    .ok_or_else(|| Error::invalid(key, value, "a list of whole numbers"))
            })
            .collect()
    }

    pub(crate) fn numbers(&self, key: &'static str) -> Result<Vec<f64>> {
        let numbers = self.list(key)?.into_iter();
        numbers
            .map(|value| value.as_f64().ok_or_else(|| Error::invalid(key, value, "a list of numbers")))
            .collect()
    }

    fn list(&self, key: &'static str) -> Result<Vec<&Value>> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let list = value.as_array().ok_or_else(|| Error::invalid(key, value, "a list"))?;
        Ok(list.iter().collect())
    }
}

/// Python writes `-Infinity` for the default of `lambda_min_clipped`, which is not JSON.
fn quote_infinities(json: &str) -> String {
    let outside = |piece: &str| piece.replace("-Infinity", "\"-Infinity\"");
    let (mut quoted, mut rest) = (String::with_capacity(json.len()), json);
    while let Some(start) = rest.find('"') {
        let (before, text) = rest.split_at(start);
        let (text, after) = text.split_at(length_of_text(text));
        quoted += &outside(before);
        quoted += text;
        rest = after;
    }
    quoted + &outside(rest)
}

/// The bytes of the text that JSON begins with, with both quotation marks; all of it where the second is missing.
fn length_of_text(json: &str) -> usize {
    let mut is_escaped = false;
    for (index, byte) in json.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !is_escaped => return index + 1,
            _ => is_escaped = byte == b'\\' && !is_escaped,
        }
    }
    json.len()
}

impl Scheduler {
    /// The keys of the configuration that this scheduler was read from, with what was changed since; for one
    /// that was built, those of Stable Diffusion XL's with what the builder says.
    pub fn config(&self) -> &Map<String, Value> {
        &self.config.keys
    }

    /// The scheduler of a diffusers `scheduler_config.json`, given its text.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the key that has no meaning here, and why.
    pub fn from_config(json: &str) -> Result<Self> {
        let config = Config::parse(json)?;
        config.class()?.scheduler(config)
    }

    /// The scheduler of a diffusers `scheduler_config.json`.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be read, [`Error::File`] where its content is not a scheduler's.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let json = read_text(path.as_ref(), FILE_LIMIT)?;
        Self::from_config(&json).map_err(|error| Error::file(&path, error.to_string()))
    }
}
