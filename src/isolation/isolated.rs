//! [`Isolated`]: a pipeline in a process of its own, which is started again where it has died.

use std::env;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::de::DeserializeOwned;

use super::channel::Channel;
use super::engine::Info;
use super::process::{self, Process};
use super::protocol::{Answer, Load, News, Order};
use super::system;
use crate::error::{Error, Result};
use crate::pipeline::{Flow, JobBuilder, Made, Output, PipelineBuilder, Request, Watch};
use crate::runtime::{Worker, locked, threads};

/// A pipeline in a process of its own. A clone shares the process, and has a queue of jobs of its own.
#[derive(Clone)]
pub(crate) struct Isolated {
    home: Arc<Home>,
    worker: Worker,
}

/// Where the pipeline lives, and what it takes to make it again.
struct Home {
    model: Model,
    info: Info,
    process: Mutex<Option<Arc<Process>>>,
}

/// Which model, in which program.
struct Model {
    builder: PipelineBuilder,
    /// Files that lie in memory, in memory that is shared with the worker.
    files: Option<Vec<(String, OwnedFd)>>,
    program: PathBuf,
    /// Where relative paths begin, wherever the host goes.
    folder: PathBuf,
}

impl Model {
    fn new(mut builder: PipelineBuilder) -> Result<Self> {
        let program = process::find(builder.isolation.worker.as_deref())?;
        let folder = env::current_dir().map_err(Error::io("."))?;
        // They are copied, because they may go while the pipeline stays.
        let files = match builder.take_files() {
            Some(files) => {
                let copy = |(name, file): (String, crate::runtime::MemoryFile)| {
                    let memory = system::memory(file.bytes()).map_err(Error::io(&name))?;
                    Ok((name, memory))
                };
                Some(files.into_iter().map(copy).collect::<Result<Vec<_>>>()?)
            }
            None => None,
        };
        Ok(Self { builder, files, program, folder })
    }

    /// A new process, which has carried out a first order.
    fn start<T: DeserializeOwned>(&self, order: impl FnOnce(Load) -> Order) -> Result<(Process, T)> {
        let process = Process::start(&self.program, &self.folder)?;
        let names = |files: &Vec<(String, OwnedFd)>| files.iter().map(|(name, _)| name.clone()).collect();
        let load =
            Load { builder: self.builder.clone(), files: self.files.as_ref().map(names), threads: threads() };
        let descriptors: Vec<_> = self.files.iter().flatten().map(|(_, memory)| memory.as_fd()).collect();
        let answer = {
            let root = locked(process.root());
            root.send_with(&order(load), &descriptors).and_then(|()| root.receive::<Answer<T>>())
        };
        let value = answer.map_err(|error| process.failure(&error))??;
        Ok((process, value))
    }
}

impl Isolated {
    /// Starts a process and loads a model there.
    pub(super) fn load(builder: PipelineBuilder) -> Result<Self> {
        let model = Model::new(builder)?;
        let (process, info) = model.start(Order::Load)?;
        let process = Mutex::new(Some(Arc::new(process)));
        Ok(Self { home: Arc::new(Home { model, info, process }), worker: Worker::default() })
    }

    /// Checks a model in a process that ends then.
    pub(super) fn check(builder: PipelineBuilder) -> Result<()> {
        Model::new(builder)?.start(Order::Check).map(|(_, ())| ())
    }

    pub(super) fn info(&self) -> &Info {
        &self.home.info
    }

    pub(super) fn path(&self) -> &Path {
        self.home.model.builder.path()
    }

    pub(super) fn job(&self, request: &Request) -> JobBuilder<'_> {
        let home = Arc::clone(&self.home);
        JobBuilder::new(&self.worker, request, move |request, output, watch| {
            home.draw(request, output, watch)
        })
    }

    /// Carries out an order that has one answer.
    pub(super) fn call<T: DeserializeOwned>(&self, order: &Order) -> Result<T> {
        let talk = self.home.begin(order)?;
        let answer = talk.heard(talk.channel.receive::<Answer<T>>())?;
        talk.end();
        Ok(answer?)
    }
}

/// A channel on which an order is being carried out. Dropped before its end, it is closed.
struct Talk {
    process: Arc<Process>,
    channel: Channel,
}

impl Talk {
    fn heard<T>(&self, received: io::Result<T>) -> Result<T> {
        received.map_err(|error| self.process.failure(&error))
    }

    fn end(self) {
        self.process.give_back(self.channel);
    }
}

impl Home {
    /// The process; another one where it has died.
    fn process(&self) -> Result<Arc<Process>> {
        let mut process = locked(&self.process);
        if let Some(process) = process.as_ref().filter(|process| !process.has_ended()) {
            return Ok(Arc::clone(process));
        }
        // First, so that two never lie in memory.
        *process = None;
        let (started, _) = self.model.start::<Info>(Order::Load)?;
        Ok(Arc::clone(process.insert(Arc::new(started))))
    }

    fn begin(&self, order: &Order) -> Result<Talk> {
        let begin = |process: Arc<Process>| {
            let begun = process.channel().and_then(|channel| channel.send(order).map(|()| channel));
            match begun {
                Ok(channel) => Ok(Talk { process, channel }),
                Err(error) => Err(process.failure(&error)),
            }
        };
        match begin(self.process()?) {
            // It died a moment ago, and has not heard of this order.
            Err(Error::Worker { .. }) => begin(self.process()?),
            begun => begun,
        }
    }

    fn draw(&self, request: &Request, output: Output, watch: &mut Watch) -> Result<Made> {
        let talk = self.begin(&Order::Draw(Box::new(request.clone()), output))?;
        let mut stopped = None;
        loop {
            match talk.heard(talk.channel.receive())? {
                News::Event(event) => {
                    let flow = match watch(event) {
                        Ok(()) => Flow::Continue,
                        Err(error) => {
                            stopped = Some(error);
                            Flow::Cancel
                        }
                    };
                    talk.heard(talk.channel.send(&flow))?;
                }
                News::Ended(answer) => {
                    talk.end();
                    return match stopped {
                        Some(error) => Err(error),
                        None => Ok(answer?),
                    };
                }
            }
        }
    }
}
