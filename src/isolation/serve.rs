//! The worker's side: it does what comes through its channels, and ends with the process that started it.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde::Serialize;

use super::channel::Channel;
use super::protocol::{self, Adapters, Answer, Applied, LOADED, Load, Model, News, Order, Report, Task};
use super::system::{self, Mapping};
use crate::error::{Error, Result};
use crate::noise::NoiseSource;
use crate::pipeline::{Event, Flow, Latents, Output, Pipeline, PipelineBuilder, Request};
use crate::runtime::{MemoryFile, interrupt, locked, set_threads};
use crate::weights::{InversionByPath, LoraByPath};

/// What the program `sdxl-worker` does: it serves the process that started it, and ends with that.
pub fn serve() -> ExitCode {
    let host = host();
    let (Some(root), Some(host)) = (system::standard_input_socket(), host) else {
        // 2: called in a way that it is not made for.
        return ExitCode::from(2);
    };
    let Ok(watched) = root.try_clone() else { return ExitCode::FAILURE };
    let watch = move || watch(&watched, host);
    if thread::Builder::new().name("sdxl-watch".into()).spawn(watch).is_err() {
        return ExitCode::FAILURE;
    }
    if system::send(root.as_fd(), protocol::greeting().as_bytes(), &[]).is_ok() {
        serve_channel(&Channel::new(root), &Arc::default());
    }
    system::exit_now(0)
}

/// The process number of the host.
fn host() -> Option<u32> {
    let mut arguments = std::env::args_os().skip(1);
    arguments.next().filter(|argument| argument == protocol::argument())?;
    arguments.next()?.to_str()?.parse().ok()
}

/// Ends this process with its host: at once where the host ends or lets go of it; within a second where copies of the
/// host's end live on in its forks.
fn watch(root: &OwnedFd, host: u32) {
    while !system::is_hung_up(root.as_fd(), Duration::from_secs(1)) && system::parent() == host {}
    system::exit_now(0)
}

/// All pipelines by their numbers.
type Pipelines = Arc<Mutex<BTreeMap<u64, Pipeline>>>;

/// Does what a channel asks for until its other end is gone.
fn serve_channel(channel: &Channel, pipelines: &Pipelines) {
    while let Ok((order, descriptors)) = channel.receive_with() {
        if carry_out(order, descriptors, channel, pipelines).is_err() {
            return;
        }
    }
}

fn carry_out(
    order: Order,
    descriptors: Vec<OwnedFd>,
    channel: &Channel,
    pipelines: &Pipelines,
) -> io::Result<()> {
    let pipeline = |number: u64| {
        let pipeline = locked(pipelines).get(&number).cloned();
        pipeline.ok_or_else(|| internal(format!("there is no pipeline {number}")))
    };
    match order {
        Order::Load(load) => answer(channel, || {
            let pipeline = builder(load, descriptors)?.build()?;
            let model = Model { config: pipeline.config().clone(), scheduler: pipeline.scheduler().clone() };
            locked(pipelines).insert(LOADED, pipeline);
            Ok(model)
        }),
        Order::Check(load) => answer(channel, || builder(load, descriptors)?.check()),
        Order::Open => {
            for socket in descriptors {
                let pipelines = Arc::clone(pipelines);
                let serve = move || serve_channel(&Channel::new(socket), &pipelines);
                thread::Builder::new().name("sdxl-channel".into()).spawn(serve)?;
            }
            Ok(())
        }
        Order::Adapt { from, to, adapters } => answer(channel, || {
            let adapted = adapt(&pipeline(from)?, &adapters)?;
            locked(pipelines).insert(to, adapted);
            Ok(())
        }),
        Order::Forget(number) => {
            let forgotten = locked(pipelines).remove(&number);
            drop(forgotten);
            Ok(())
        }
        Order::Use(number, task) => perform(channel, task, || pipeline(number)),
    }
}

fn perform(channel: &Channel, task: Task, pipeline: impl FnOnce() -> Result<Pipeline>) -> io::Result<()> {
    match task {
        Task::Draw(request, output) => draw(channel, pipeline, &request, output),
        Task::Encode(conditioning) => answer(channel, || pipeline()?.encode(&conditioning)),
        Task::Cut(conditioning) => answer(channel, || pipeline()?.cut(&conditioning)),
        Task::EncodeImages(images, seeds) => {
            answer(channel, || pipeline()?.encode_images(&images, &mut NoiseSource::new(&seeds)?))
        }
        Task::Decode(latents) => answer(channel, || pipeline()?.decode(&latents)),
        Task::DecodeValues(latents) => answer(channel, || Latents::new(pipeline()?.decode_tensor(&latents)?)),
        Task::Loras => answer(channel, || Ok(pipeline()?.loras().map(Applied::from).collect::<Vec<_>>())),
        Task::TextualInversions => answer(channel, || {
            Ok(pipeline()?.embeddings().iter().map(InversionByPath::from).collect::<Vec<_>>())
        }),
    }
}

fn adapt(pipeline: &Pipeline, adapters: &Adapters) -> Result<Pipeline> {
    let open = |loras: &[LoraByPath]| loras.iter().map(LoraByPath::open).collect::<Result<Vec<_>>>();
    match adapters {
        Adapters::Loras(loras) => pipeline.with_loras(&open(loras)?),
        Adapters::MergedLoras(loras) => pipeline.with_merged_loras(&open(loras)?),
        Adapters::TextualInversions(all) => {
            pipeline.with_embeddings(&all.iter().map(InversionByPath::open).collect::<Result<Vec<_>>>()?)
        }
    }
}

fn builder(load: Load, descriptors: Vec<OwnedFd>) -> Result<PipelineBuilder> {
    if let Some(threads) = load.threads {
        set_threads(threads)?;
    }
    let map = |(name, memory): (String, OwnedFd)| {
        let mapping = Mapping::new(memory).map_err(Error::io(&name))?;
        Ok((name, MemoryFile::new(mapping)))
    };
    let files = match load.files {
        Some(names) => Some(names.into_iter().zip(descriptors).map(map).collect::<Result<BTreeMap<_, _>>>()?),
        None => None,
    };
    Ok(load.builder.with_files(files))
}

fn answer<T: Serialize>(channel: &Channel, work: impl FnOnce() -> Result<T>) -> io::Result<()> {
    channel.send(&guarded(work))
}

fn draw(
    channel: &Channel,
    pipeline: impl FnOnce() -> Result<Pipeline>,
    request: &Request,
    output: Output,
) -> io::Result<()> {
    let mut tell = |event: Event| {
        let lost = |error: io::Error| internal(error.to_string());
        channel.send(&News::Event(event)).map_err(lost)?;
        match channel.receive().map_err(lost)? {
            Flow::Continue => Ok(()),
            Flow::Cancel => Err(Error::Cancelled),
        }
    };
    // The host closes the channel of a job that it has cancelled.
    let socket = channel.try_clone()?;
    let is_closed = move || system::is_hung_up(socket.as_fd(), Duration::ZERO);
    let draw = || pipeline()?.carry_out(request, output, &mut tell);
    let made = guarded(|| interrupt::unless(is_closed, draw));
    channel.send(&News::Ended(made))
}

/// A panic is an error as any other: the process serves others too.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Answer<T> {
    let result = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Err(internal(text.unwrap_or("a panic")))
    });
    result.map_err(Report::from)
}

fn internal(reason: impl Into<String>) -> Error {
    Error::Internal { reason: reason.into() }
}
