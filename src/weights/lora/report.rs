//! [`LoraError`]: everything that is wrong with a LoRA, or does not fit the model, at once.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::weights::report::{ShapeMismatch, list, list_shapes};

/// A LoRA that is broken, or not of this model: every difference, found from the header alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoraError {
    /// The file.
    pub path: PathBuf,
    /// Keys that belong to no layer of the model, or to a kind of adapter that is not supported.
    pub unmatched: Vec<String>,
    /// Layers whose tensors do not go together: the key and what is wrong.
    pub broken: Vec<String>,
    /// Layers whose weight has another shape in the model.
    pub misshaped: Vec<ShapeMismatch>,
    /// What the file looks like.
    pub looks_like: &'static str,
}

impl LoraError {
    /// Nothing is wrong yet.
    pub(super) fn new(path: &Path, looks_like: &'static str) -> Self {
        let path = path.to_owned();
        Self { path, unmatched: Vec::new(), broken: Vec::new(), misshaped: Vec::new(), looks_like }
    }
}

impl std::error::Error for LoraError {}

impl fmt::Display for LoraError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: not a LoRA for this model: {} keys match no layer, {} layers are broken, {} of another shape; it \
             looks like {}",
            self.path.display(),
            self.unmatched.len(),
            self.broken.len(),
            self.misshaped.len(),
            self.looks_like
        )?;
        list(f, "unmatched", &self.unmatched)?;
        list(f, "broken:", &self.broken)?;
        list_shapes(f, &self.misshaped)
    }
}
