//! Reading JSON files with a cap on their size.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::runtime::files::read_text;

/// No configuration comes near this size, and the index of the shards of one part stays well below.
const CONFIG_CAP: u64 = 1 << 20;

/// A JSON file of at most 1 MiB.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    serde_json::from_str(&read_text(path, CONFIG_CAP)?).map_err(|error| Error::file(path, error.to_string()))
}
