//! What host and worker say to each other.

use std::ffi::OsStr;

use serde::{Deserialize, Serialize};

use crate::conditioning::Conditioning;
use crate::error::{Error, ErrorKind};
use crate::pipeline::{Event, Latents, Made, Output, PipelineBuilder, Request};

/// The first thing that a worker says, as a text, which every version understands.
pub(super) fn greeting() -> String {
    // Values are sent as this very version of the crate has them.
    format!("sdxl-worker {} {PROTOCOL}", env!("CARGO_PKG_VERSION"))
}

/// Grows where versions of the crate that have the same number would not understand each other.
const PROTOCOL: u32 = 1;

/// The worker's only argument, before the host's process number.
pub(super) fn argument() -> &'static OsStr {
    OsStr::new("--host")
}

/// What the host asks for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// To load a model; with descriptors of its files, where it lies in memory. Answered by an
    /// [`Info`](super::Info).
    Load(Load),
    /// To check a model without loading it. Answered by nothing.
    Check(Load),
    /// To serve another channel, whose descriptor comes with it. Not answered.
    Open,
    /// To draw. Answered by [`News`].
    Draw(Box<Request>, Output),
    /// Answered by [`Encoded`](crate::pipeline::Encoded).
    Encode(Conditioning),
    /// Answered by pictures.
    Decode(Latents),
}

/// Which model.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Load {
    pub(super) builder: PipelineBuilder,
    /// The names of files in memory.
    pub(super) files: Option<Vec<String>>,
    pub(super) threads: Option<usize>,
}

/// What comes of a request. Every event is answered by a [`Flow`](crate::pipeline::Flow).
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum News {
    Event(Event),
    Ended(Answer<Made>),
}

/// A result, as it travels.
pub(super) type Answer<T> = Result<T, Report>;

/// An error, as it travels: what it is and what it says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Report {
    kind: ErrorKind,
    message: String,
}

impl From<Error> for Report {
    fn from(error: Error) -> Self {
        Self { kind: error.kind(), message: error.to_string() }
    }
}

impl From<Report> for Error {
    fn from(Report { kind, message }: Report) -> Self {
        match kind {
            ErrorKind::Cancelled => Self::Cancelled,
            ErrorKind::Unfinished => Self::Unfinished,
            kind => Self::Reported { kind, message },
        }
    }
}
