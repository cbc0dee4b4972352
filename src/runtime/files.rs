//! Files: on a disk or in memory, complete writes, and shards that stay in their folder.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use super::memory::{self, MemoryFile};
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

/// An open file that is read at any place: on a disk, or in memory.
#[derive(Debug)]
pub(crate) enum Source {
    Disk(File, u64),
    Memory(MemoryFile),
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

impl Source {
    /// Opens a file in memory, or else a regular one of the disk.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        match memory::file(path) {
            Some(file) => Ok(Self::Memory(file)),
            None => open_regular(path).map(|(file, length)| Self::Disk(file, length)),
        }
    }

    /// Bytes at the time of opening.
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Disk(_, length) => *length,
            Self::Memory(file) => file.bytes().len() as u64,
        }
    }

    /// Reads as much as there is from that place on, and as the buffer takes; returns how much.
    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut read = 0;
        while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
            let offset = offset + read as u64;
            let count = match self {
                Self::Disk(file, _) => match read_at(file, rest, offset) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    count => count?,
                },
                Self::Memory(file) => {
                    let start = usize::try_from(offset).unwrap_or(usize::MAX);
                    let bytes = file.bytes().get(start..).unwrap_or_default();
                    let count = bytes.len().min(rest.len());
                    rest.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
                    count
                }
            };
            if count == 0 {
                break;
            }
            read += count;
        }
        Ok(read)
    }

    /// Fills the buffer from that place on.
    pub(crate) fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        match self.read_at(buffer, offset)? {
            count if count == buffer.len() => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// The file from its start, at most `limit` bytes.
    pub(crate) fn read_up_to(&self, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = zeros(usize::try_from(self.length().min(limit)).unwrap_or(0))?;
        let count = self.read_at(&mut bytes, 0)?;
        bytes.truncate(count);
        Ok(bytes)
    }
}

/// So many zeros. Rust's own collections end the process where there is no memory for them.
pub(crate) fn zeros(count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(count).map_err(|_| io::ErrorKind::OutOfMemory)?;
    bytes.resize(count, 0);
    Ok(bytes)
}

/// The text of a regular file of at most `limit` bytes.
pub(crate) fn read_text(path: &Path, limit: u64) -> Result<String> {
    let file = Source::open(path)?;
    if file.length() > limit {
        return Err(Error::file(path, format!("is larger than {limit} bytes, the limit for such a file")));
    }
    let bytes = file.read_up_to(limit).map_err(Error::io(path))?;
    String::from_utf8(bytes).map_err(|error| Error::file(path, format!("is not UTF-8 text: {error}")))
}

/// Whether there is a file or folder.
pub(crate) fn exists(path: &Path) -> bool {
    memory::file(path).is_some() || memory::is_folder(path) || path.exists()
}

/// Whether there is a folder.
pub(crate) fn is_folder(path: &Path) -> bool {
    memory::is_folder(path) || path.is_dir()
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
    if name.is_empty() || name.len() > 1024 || name.contains(char::is_control) {
        return Err(Error::file(folder, format!("no name of a file: `{name}`")));
    }
    if !plain {
        return Err(Error::file(folder, format!("file name `{name}` leads out of the folder")));
    }
    if memory::is_folder(folder) {
        return Ok(path);
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
        } else if source.is_file()
            && source.extension().is_some_and(|extension| extension == "json" || extension == "txt")
        {
            // Not fs::copy, which would also copy that a file is read-only.
            let bytes = fs::read(&source).map_err(Error::io(&source))?;
            fs::write(&target, bytes).map_err(Error::io(&target))?;
        }
    }
    Ok(())
}
