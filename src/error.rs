//! [`Error`] and [`Result`]: everything that can go wrong, with the file, field or tensor it concerns.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::weights::{CheckpointError, LoraError};

/// The result of every fallible operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong. The text names what was expected, what was found, and where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused to read or write a file.
    #[error("{}: {source}", shown(path))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },

    /// A file was read but its content is not what it should be: a configuration, a tokenizer, a picture.
    #[error("{}: {reason}", shown(path))]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// A checkpoint does not fit the model that its configuration describes.
    #[error(transparent)]
    Checkpoint(Box<CheckpointError>),

    /// A LoRA is broken or not of this model.
    #[error(transparent)]
    Lora(Box<LoraError>),

    /// A value that the caller passed is outside its range.
    #[error("{field} is {value}, expected {expected}")]
    Invalid {
        /// The builder method or function argument.
        field: &'static str,
        /// The value passed.
        value: String,
        /// The values that are accepted.
        expected: String,
    },

    /// The pipeline lacks a part that the request needs.
    #[error("this pipeline has no {part}: {reason}")]
    Missing {
        /// The part, such as `first text encoder`.
        part: &'static str,
        /// Why the request needs it.
        reason: String,
    },

    /// A stage produced infinite values or values that are not numbers.
    #[error("the {stage} produced values that are not finite{}", step.map(|n| format!(" at step {n}")).unwrap_or_default())]
    NonFinite {
        /// The stage: `text encoder`, `unet`, `vae decoder`…
        stage: &'static str,
        /// The step of the sampling loop, from 0.
        step: Option<usize>,
    },

    /// The device does not exist or cannot do what is asked of it.
    #[error("device {device}: {reason}")]
    Device {
        /// The device as the user writes it: `cpu`, `cuda:1`.
        device: String,
        /// What is wrong with it.
        reason: String,
    },

    /// libtorch reported an error, or `libsdxl.so` could not load it. The text is its first line; the source has the trace too.
    #[error("libtorch: {}", said(.0))]
    Torch(#[from] tch::TchError),

    /// A job was cancelled before it had anything to give.
    #[error("the job was cancelled")]
    Cancelled,

    /// A job has not finished yet.
    #[error("the job has not finished yet")]
    Unfinished,

    /// The machine has no memory for that.
    #[error("not enough memory for {bytes} bytes more")]
    OutOfMemory {
        /// How much was asked for.
        bytes: usize,
    },

    /// What made a job fail; it can be asked for again and again.
    #[error(transparent)]
    Job(Arc<Error>),

    /// The process of an isolated pipeline died, or cannot be started. The next job starts another one.
    #[error("the worker process {reason}")]
    Worker {
        /// What happened to it: `was ended by signal 9`.
        reason: String,
    },

    /// What an isolated pipeline reports: in its process it was an error of that kind, with this text.
    #[error("{message}")]
    Reported {
        /// What it was.
        kind: ErrorKind,
        /// Its text.
        message: String,
    },

    /// An error of this library itself: please report it.
    #[error("internal error: {reason}")]
    Internal {
        /// What is known about it.
        reason: String,
    },
}

/// The first line of what libtorch says.
fn said(error: &tch::TchError) -> String {
    let text = match error {
        tch::TchError::Torch(text) => text.clone(),
        other => other.to_string(),
    };
    text.lines().next().unwrap_or_default().to_owned()
}

/// The kinds of an [`Error`], without what each of them carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ErrorKind {
    /// [`Error::Io`].
    Io,
    /// [`Error::File`].
    File,
    /// [`Error::Checkpoint`].
    Checkpoint,
    /// [`Error::Lora`].
    Lora,
    /// [`Error::Invalid`].
    Invalid,
    /// [`Error::Missing`].
    Missing,
    /// [`Error::NonFinite`].
    NonFinite,
    /// [`Error::Device`].
    Device,
    /// Any error, where [`Error::is_out_of_memory`].
    OutOfMemory,
    /// [`Error::Torch`].
    Torch,
    /// [`Error::Cancelled`].
    Cancelled,
    /// [`Error::Unfinished`].
    Unfinished,
    /// [`Error::Worker`].
    Worker,
    /// [`Error::Internal`].
    Internal,
}

impl Error {
    /// What kind of error it is, wherever it happened: that of a job is the kind of what the job met.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Job(error) => error.kind(),
            error if error.is_out_of_memory() => ErrorKind::OutOfMemory,
            Self::Io { .. } => ErrorKind::Io,
            Self::File { .. } => ErrorKind::File,
            Self::Checkpoint(_) => ErrorKind::Checkpoint,
            Self::Lora(_) => ErrorKind::Lora,
            Self::Invalid { .. } => ErrorKind::Invalid,
            Self::Missing { .. } => ErrorKind::Missing,
            Self::NonFinite { .. } => ErrorKind::NonFinite,
            Self::Device { .. } => ErrorKind::Device,
            Self::OutOfMemory { .. } => ErrorKind::OutOfMemory,
            Self::Torch(_) => ErrorKind::Torch,
            Self::Cancelled => ErrorKind::Cancelled,
            Self::Unfinished => ErrorKind::Unfinished,
            Self::Worker { .. } => ErrorKind::Worker,
            Self::Reported { kind, .. } => *kind,
            Self::Internal { .. } => ErrorKind::Internal,
        }
    }

    /// Whether the machine or the device had no memory left. What was there before still works.
    pub fn is_out_of_memory(&self) -> bool {
        // The last two are those of C++ itself and of oneDNN.
        let signs = [
            "out of memory",
            "can't allocate memory",
            "not enough memory",
            "bad_alloc",
            "could not create a memory",
        ];
        match self {
            Self::OutOfMemory { .. } => true,
            Self::Io { source, .. } => source.kind() == io::ErrorKind::OutOfMemory,
            Self::Torch(error) => signs.iter().any(|sign| error.to_string().contains(sign)),
            Self::Job(error) => error.is_out_of_memory(),
            Self::Reported { kind, .. } => *kind == ErrorKind::OutOfMemory,
            _ => false,
        }
    }

    pub(crate) fn io(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.as_ref().to_owned(), source }
    }

    pub(crate) fn file(path: impl AsRef<Path>, reason: impl Into<String>) -> Self {
        Self::File { path: path.as_ref().to_owned(), reason: printable(&reason.into(), REASON_LENGTH) }
    }

    pub(crate) fn invalid(field: &'static str, value: impl ToString, expected: impl Into<String>) -> Self {
        Self::Invalid { field, value: printable(&value.to_string(), VALUE_LENGTH), expected: expected.into() }
    }
}

/// The most characters of what a file says that a message repeats.
const REASON_LENGTH: usize = 1000;
/// The same for a value.
const VALUE_LENGTH: usize = 200;

/// A path for a message. No system has longer ones.
fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy(), 4096)
}

/// A text from outside for a message: its beginning, on one line, and nothing that a terminal would obey.
fn printable(text: &str, length: usize) -> String {
    let mut printable = String::new();
    for (index, character) in text.chars().enumerate() {
        match character {
            _ if index == length => {
                printable.push('…');
                break;
            }
            character if character.is_control() => printable.extend(character.escape_default()),
            character => printable.push(character),
        }
    }
    printable
}
