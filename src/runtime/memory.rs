//! Files in memory that are read by path, as those of a disk are.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::error::{Error, Result};

/// The content of a file, wherever it lies: a `Vec`, a map of a file, a part of a game's pack. A clone shares it.
#[derive(Clone)]
pub struct MemoryFile(Arc<dyn AsRef<[u8]> + Send + Sync>);

impl MemoryFile {
    /// Of anything that has bytes.
    pub fn new(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self(Arc::new(bytes))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

impl fmt::Debug for MemoryFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryFile({} bytes)", self.bytes().len())
    }
}

/// All files in memory that can be found at the moment.
static FILES: RwLock<BTreeMap<PathBuf, MemoryFile>> = RwLock::new(BTreeMap::new());

/// A folder whose files are found by path for as long as this lives.
pub(crate) struct MemoryFolder {
    root: PathBuf,
}

impl MemoryFolder {
    pub(crate) fn new(files: &BTreeMap<String, MemoryFile>) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        // No folder of a disk is called so, and no other one in memory.
        let root = PathBuf::from(format!("<memory {}>", COUNT.fetch_add(1, Ordering::Relaxed)));
        let mut all = FILES.write().unwrap_or_else(PoisonError::into_inner);
        all.extend(files.iter().map(|(name, file)| (root.join(name), file.clone())));
        Self { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }
}

impl Drop for MemoryFolder {
    fn drop(&mut self) {
        let mut all = FILES.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|path, _| !path.starts_with(&self.root));
    }
}

/// Refuses names that lead out of the folder.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let path = Path::new(name);
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if is_plain && !name.is_empty() && name.len() <= 4096 {
        return Ok(());
    }
    let expected = "a name as in a diffusers folder, such as unet/config.json";
    Err(Error::invalid("name", format!("`{name}`"), expected))
}

pub(super) fn file(path: &Path) -> Option<MemoryFile> {
    FILES.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
}

/// Whether a path is that of a folder in memory which has files.
pub(super) fn is_folder(path: &Path) -> bool {
    let all = FILES.read().unwrap_or_else(PoisonError::into_inner);
    all.range(path.to_owned()..).next().is_some_and(|(file, _)| file != path && file.starts_with(path))
}
