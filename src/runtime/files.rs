//! Files: complete writes, and shards that stay in their folder.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Writes a file in full or not at all: a sibling is written, synced and renamed over it.
pub(crate) fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    let name = path.file_name().ok_or_else(|| Error::file(path, "not the path of a file"))?;
    let mut part = name.to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(part);
    let written = (|| {
        let mut writer = BufWriter::new(File::create(&part).map_err(Error::io(path))?);
        write(&mut writer)?;
        let file = writer.into_inner().map_err(|error| Error::io(path)(error.into_error()))?;
        file.sync_all().map_err(Error::io(path))?;
        fs::rename(&part, path).map_err(Error::io(path))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))
            .and_then(|folder| folder.sync_all())
            .map_err(Error::io(path))
    })();
    if written.is_err() {
        // Nothing more can be done for the leftover if this fails too.
        let _ = fs::remove_file(&part);
    }
    written
}

/// The file `name` of a folder. Links may lead out of the folder only within a Hugging Face cache, where
/// `snapshots/<revision>/…` are links into `blobs/` of the same repository.
pub(crate) fn contained(folder: &Path, name: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    let plain = Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if !plain {
        return Err(Error::file(folder, format!("file name `{name}` leads out of the folder")));
    }
    let real = path.canonicalize().map_err(Error::io(&path))?;
    let root = folder.canonicalize().map_err(Error::io(folder))?;
    let repository =
        root.ancestors().find(|folder| folder.join("blobs").is_dir() && folder.join("snapshots").is_dir());
    if real.starts_with(repository.unwrap_or(&root)) {
        return Ok(path);
    }
    Err(Error::file(path, format!("is a link to {}, outside the model's folder", real.display())))
}
