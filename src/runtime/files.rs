//! Files: complete writes, and shards that stay in their folder.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Opens a regular file. Its kind is looked at first: opening a pipe would wait for a writer.
pub(crate) fn open_regular(path: &Path) -> Result<(File, u64)> {
    let regular = |metadata: fs::Metadata| {
        if metadata.is_file() { Ok(metadata.len()) } else { Err(Error::file(path, "not a regular file")) }
    };
    regular(fs::metadata(path).map_err(Error::io(path))?)?;
    let file = File::open(path).map_err(Error::io(path))?;
    let length = regular(file.metadata().map_err(Error::io(path))?)?;
    Ok((file, length))
}

/// Writes a file in full or not at all: a sibling is written, synced and renamed over it. What is there and no
/// regular file, such as a pipe, is written to.
pub(crate) fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    // Through links, so that they stay.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file()) {
        let file = fs::OpenOptions::new().write(true).open(&target).map_err(Error::io(path))?;
        return finish(path, BufWriter::new(file), write).map(drop);
    }
    let name = target.file_name().ok_or_else(|| Error::file(path, "not the path of a file"))?;
    let mut part = name.to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let part = target.with_file_name(part);
    let written = File::create(&part)
        .map_err(Error::io(path))
        .and_then(|file| finish(path, BufWriter::new(file), write))
        .and_then(|file| file.sync_all().map_err(Error::io(path)))
        .and_then(|()| fs::rename(&part, &target).map_err(Error::io(path)));
    if written.is_err() {
        // Nothing more can be done for the leftover if this fails too.
        let _ = fs::remove_file(&part);
    } else if let Some(folder) = target.parent() {
        // The file is in place; some file systems cannot sync a folder.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    written
}

fn finish(
    path: &Path,
    mut writer: BufWriter<File>,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<File> {
    write(&mut writer)?;
    writer.into_inner().map_err(|error| Error::io(path)(error.into_error()))
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

/// Copies the `.json` and `.txt` files of a folder and its folders.
pub(crate) fn copy_configurations(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(Error::io(to))?;
    for entry in fs::read_dir(from).map_err(Error::io(from))? {
        let entry = entry.map_err(Error::io(from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_configurations(&source, &target)?;
        } else if source.extension().is_some_and(|extension| extension == "json" || extension == "txt") {
            // Not fs::copy, which would also copy that a file is read-only.
            let bytes = fs::read(&source).map_err(Error::io(&source))?;
            fs::write(&target, bytes).map_err(Error::io(&target))?;
        }
    }
    Ok(())
}
