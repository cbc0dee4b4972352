//! What host and worker say to each other.

use std::ffi::OsStr;

use serde::{Deserialize, Serialize};

use crate::conditioning::Conditioning;
use crate::config::ModelConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::image::Image;
use crate::pipeline::{AppliedLora, Event, Latents, Made, Output, PipelineBuilder, Request};
use crate::scheduler::Scheduler;
use crate::weights::{InversionByPath, LoraByPath};

/// The first thing that a worker says, as a text, which every version understands.
pub(super) fn greeting() -> String {
    // Values are sent as this very version of the crate has them.
    format!("sdxl-worker {} {PROTOCOL}", env!("CARGO_PKG_VERSION"))
}

/// Grows where versions of the crate that have the same number would not understand each other.
const PROTOCOL: u32 = 2;

/// The worker's only argument, before the host's process number.
pub(super) fn argument() -> &'static OsStr {
    OsStr::new("--host")
}

/// What the host asks for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// To load a model; with descriptors of its files, where it lies in memory. Answered by a [`Model`].
    Load(Load),
    /// To check a model without loading it. Answered by its [`ModelConfig`].
    Check(Load),
    /// To serve another channel, whose descriptor comes with it. Not answered.
    Open,
    /// To make another pipeline of one that is there, under a number of its own. Answered by nothing.
    Adapt { from: u64, to: u64, adapters: Adapters },
    /// To let go of such a pipeline. Not answered.
    Forget(u64),
    /// To do something with the pipeline of that number; [`LOADED`] is the one that was loaded.
    Use(u64, Task),
}

/// The number of the pipeline that was loaded.
pub(super) const LOADED: u64 = 0;

/// What is done with a pipeline.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Task {
    /// Answered by [`News`].
    Draw(Box<Request>, Output),
    /// Answered by [`Encoded`](crate::pipeline::Encoded).
    Encode(Conditioning),
    /// Answered by texts.
    Cut(Conditioning),
    /// With the seeds of the noise. Answered by latents.
    EncodeImages(Vec<Image>, Vec<u64>),
    /// Answered by pictures.
    Decode(Latents),
    /// Answered by pictures as numbers, in the form of latents.
    DecodeValues(Latents),
    /// Answered by [`Applied`] ones.
    Loras,
    /// Answered by [`InversionByPath`]s.
    TextualInversions,
}

/// What takes the place of a pipeline's adapters of that kind. The worker reads their files again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Adapters {
    /// LoRAs, kept beside the weights.
    Loras(Vec<LoraByPath>),
    /// LoRAs, merged into copies of the weights.
    MergedLoras(Vec<LoraByPath>),
    TextualInversions(Vec<InversionByPath>),
}

/// An [`AppliedLora`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Applied {
    lora: LoraByPath,
    merged: bool,
    unmatched: Vec<String>,
}

impl From<&AppliedLora> for Applied {
    fn from(AppliedLora { lora, merged, unmatched }: &AppliedLora) -> Self {
        Self { lora: lora.into(), merged: *merged, unmatched: unmatched.clone() }
    }
}

impl Applied {
    pub(super) fn open(self) -> Result<AppliedLora> {
        let Self { lora, merged, unmatched } = self;
        Ok(AppliedLora { lora: lora.open()?, merged, unmatched })
    }
}

/// What the host wants to know of a model without asking again and again.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Model {
    pub(super) config: ModelConfig,
    pub(super) scheduler: Scheduler,
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
