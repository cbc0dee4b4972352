//! [`CheckpointError`]: everything that is wrong with a checkpoint, at once.

use std::fmt;
use std::path::PathBuf;

use super::rename::Component;

/// A checkpoint's tensors are not those of the model: every difference, found from the header alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointError {
    /// The file, or the folder of a sharded component.
    pub path: PathBuf,
    /// The part of the model that was to be read.
    pub component: Component,
    /// Tensors that the model needs and the file does not have.
    pub missing: Vec<String>,
    /// Tensors of the file that the model does not know.
    pub unexpected: Vec<String>,
    /// Tensors of another shape.
    pub misshaped: Vec<ShapeMismatch>,
    /// What kind of checkpoint the file looks like.
    pub looks_like: &'static str,
}

/// A tensor of another shape than the model needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapeMismatch {
    /// The tensor.
    pub name: String,
    /// The shape that the model needs.
    pub expected: Vec<i64>,
    /// The shape in the file.
    pub found: Vec<i64>,
}

/// Names listed of each kind, so that the text stays within a screen; the fields have all.
const LISTED: usize = 3;

impl std::error::Error for CheckpointError {}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: not the {} of this model: {} tensors missing, {} unexpected, {} of another shape; it looks like {}",
            self.path.display(),
            self.component,
            self.missing.len(),
            self.unexpected.len(),
            self.misshaped.len(),
            self.looks_like
        )?;
        list(f, "missing", &self.missing)?;
        list(f, "unexpected", &self.unexpected)?;
        list_shapes(f, &self.misshaped)
    }
}

pub(super) fn list_shapes(f: &mut fmt::Formatter<'_>, misshaped: &[ShapeMismatch]) -> fmt::Result {
    let shapes: Vec<String> = misshaped
        .iter()
        .map(|m| format!("{} (expected {:?}, found {:?})", m.name, m.expected, m.found))
        .collect();
    list(f, "shape of", &shapes)
}

pub(super) fn list(f: &mut fmt::Formatter<'_>, what: &str, names: &[String]) -> fmt::Result {
    for (index, name) in names.iter().take(LISTED).enumerate() {
        write!(f, "\n  {what} {}", name.escape_debug())?;
        if index + 1 == LISTED && names.len() > LISTED {
            write!(f, " and {} more", names.len() - LISTED)?;
        }
    }
    Ok(())
}
