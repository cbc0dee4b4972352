//! probe
use std::path::PathBuf;
/// Probe.
#[derive(Debug, thiserror::Error)]
#[error("{}", path.display())]
pub struct CheckpointError {
    /// x
    pub path: PathBuf,
}
