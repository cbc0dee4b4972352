//! [`Isolated`]: a pipeline in a process of its own, which is started again where it has died.

use std::env;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::channel::Channel;
use super::process::{self, Process};
use super::protocol::{Adapters, Answer, LOADED, Load, Model, News, Order, Task};
use super::system;
use crate::config::ModelConfig;
use crate::error::{Error, Result};
use crate::pipeline::{Flow, JobBuilder, Made, Output, PipelineBuilder, Request, Watch};
use crate::runtime::{MemoryFile, Worker, interrupt, locked, threads};

/// How often a job looks whether it is cancelled while its process computes.
const MOMENT: Duration = Duration::from_millis(20);

/// A pipeline in a process of its own. A clone shares the process, and has a queue of jobs of its own.
#[derive(Clone)]
pub(crate) struct Isolated {
    home: Arc<Home>,
    /// What was made of the pipeline that was loaded.
    adapted: Option<Arc<Adapted>>,
    worker: Worker,
}

/// Where the pipeline lives, and what it takes to make it again.
struct Home {
    source: Source,
    model: Model,
    process: Mutex<Option<Arc<Process>>>,
}

/// Which model, in which program.
struct Source {
    builder: PipelineBuilder,
    /// Files that lie in memory, in memory that is shared with the worker.
    files: Option<Vec<(String, OwnedFd)>>,
    program: PathBuf,
    /// Where relative paths begin, wherever the host goes.
    folder: PathBuf,
}

/// A pipeline with other adapters than the one that it was made of.
struct Adapted {
    number: u64,
    home: Arc<Home>,
    from: Option<Arc<Adapted>>,
    adapters: Adapters,
}

impl Drop for Adapted {
    fn drop(&mut self) {
        if let Some(process) = locked(&self.home.process).as_ref() {
            process.forget(self.number);
        }
    }
}

impl Source {
    fn new(mut builder: PipelineBuilder) -> Result<Self> {
        let program = process::find(builder.isolation.worker.as_deref())?;
        let folder = env::current_dir().map_err(Error::io("."))?;
        // They are copied, because they may go while the pipeline stays.
        let files = match builder.take_files() {
            Some(files) => {
                let copy = |(name, file): (String, MemoryFile)| {
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
        let source = Source::new(builder)?;
        let (process, model) = source.start(Order::Load)?;
        let process = Mutex::new(Some(Arc::new(process)));
        let home = Arc::new(Home { source, model, process });
        Ok(Self { home, adapted: None, worker: Worker::default() })
    }

    /// Checks a model in a process that ends then.
    pub(super) fn check(builder: PipelineBuilder) -> Result<ModelConfig> {
        Source::new(builder)?.start(Order::Check).map(|(_, config)| config)
    }

    /// The same with other adapters.
    pub(super) fn adapted(&self, adapters: Adapters) -> Result<Self> {
        static NUMBERS: AtomicU64 = AtomicU64::new(LOADED + 1);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let (home, from) = (Arc::clone(&self.home), self.adapted.clone());
        let adapted = Arc::new(Adapted { number, home, from, adapters });
        let isolated = Self { adapted: Some(adapted), ..self.clone() };
        // What does not fit is found now.
        isolated.home.with_process(|process| isolated.home.have(process, isolated.adapted.as_ref()))?;
        Ok(isolated)
    }

    pub(super) fn model(&self) -> &Model {
        &self.home.model
    }

    pub(super) fn builder(&self) -> &PipelineBuilder {
        &self.home.source.builder
    }

    pub(super) fn job(&self, request: &Request) -> JobBuilder<'_> {
        let (home, adapted) = (Arc::clone(&self.home), self.adapted.clone());
        JobBuilder::new(&self.worker, request, move |request, output, watch| {
            home.draw(adapted.as_ref(), request, output, watch)
        })
    }

    /// Carries out a task that has one answer.
    pub(super) fn call<T: DeserializeOwned>(&self, task: Task) -> Result<T> {
        self.home.begin(self.adapted.as_ref(), task)?.answer()
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

    /// Begins to carry out an order.
    fn begin(process: &Arc<Process>, order: &Order) -> Result<Self> {
        let begun = process.channel().and_then(|channel| channel.send(order).map(|()| channel));
        match begun {
            Ok(channel) => Ok(Self { process: Arc::clone(process), channel }),
            Err(error) => Err(process.failure(&error)),
        }
    }

    /// The only answer.
    fn answer<T: DeserializeOwned>(self) -> Result<T> {
        let answer = self.heard(self.channel.receive::<Answer<T>>())?;
        self.end();
        Ok(answer?)
    }
}

impl Home {
    /// The process; another one where it has died.
    fn process(&self) -> Result<Arc<Process>> {
        let mut process = interrupt::outside(|| locked(&self.process));
        if let Some(process) = process.as_ref().filter(|process| !process.has_ended()) {
            return Ok(Arc::clone(process));
        }
        // First, so that two never lie in memory.
        *process = None;
        let (started, _) = self.source.start::<Model>(Order::Load)?;
        Ok(Arc::clone(process.insert(Arc::new(started))))
    }

    /// Does something that the process has not heard of before: once more where it died a moment ago.
    fn with_process<T>(&self, body: impl Fn(&Arc<Process>) -> Result<T>) -> Result<T> {
        match body(&self.process()?) {
            Err(Error::Worker { .. }) => body(&self.process()?),
            result => result,
        }
    }

    /// Sees to it that the process has a pipeline; says its number.
    fn have(&self, process: &Arc<Process>, adapted: Option<&Arc<Adapted>>) -> Result<u64> {
        let Some(adapted) = adapted else { return Ok(LOADED) };
        let number = adapted.number;
        if !process.has(number) {
            let from = self.have(process, adapted.from.as_ref())?;
            let order = Order::Adapt { from, to: number, adapters: adapted.adapters.clone() };
            Talk::begin(process, &order)?.answer::<()>()?;
            process.add(number);
        }
        Ok(number)
    }

    fn begin(&self, adapted: Option<&Arc<Adapted>>, task: Task) -> Result<Talk> {
        self.with_process(|process| {
            Talk::begin(process, &Order::Use(self.have(process, adapted)?, task.clone()))
        })
    }

    fn draw(
        &self,
        adapted: Option<&Arc<Adapted>>,
        request: &Request,
        output: Output,
        watch: &mut Watch,
    ) -> Result<Made> {
        let talk = self.begin(adapted, Task::Draw(Box::new(request.clone()), output))?;
        let mut stopped = None;
        loop {
            while !talk.heard(talk.channel.has_message(MOMENT))? {
                if let Err(cancelled) = interrupt::check() {
                    // By which the other process knows, also where a fork of this one has a copy of the channel.
                    system::shut_down(talk.channel.socket());
                    return Err(cancelled);
                }
            }
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
