//! Reading small text files with a cap on their size.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::runtime::files::Source;

/// No configuration comes near this size.
const CONFIG_CAP: u64 = 4 << 20;

/// The text of a regular file of at most `cap` bytes.
pub(crate) fn read_text(path: &Path, cap: u64) -> Result<String> {
    let file = Source::open(path)?;
    let length = file.length();
    if length > cap {
        return Err(Error::file(path, format!("{length} bytes, more than the {cap} accepted")));
    }
    let bytes = file.read_up_to(cap).map_err(Error::io(path))?;
    String::from_utf8(bytes).map_err(|_| Error::file(path, "not UTF-8 text"))
}

/// A JSON file of at most 4 MiB.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    serde_json::from_str(&read_text(path, CONFIG_CAP)?).map_err(|error| Error::file(path, error.to_string()))
}
