//! Pipelines in a process of their own: a crash, a kill or the end of memory there is an error here.
//!
//! The process is the program `sdxl-worker`, which is this crate too. It loads the model; requests go to it as the data
//! that they are ([`serde`]), pictures come back. Short messages go through a socket, what is large through anonymous
//! shared memory whose descriptor the socket carries, so there is no file that could be left behind.
//!
//! Host and worker take turns: whoever has sent an order waits for the answer, and a job's worker waits after each event
//! until it is told to go on or to stop. So cancelling, callbacks and waiting are those of [`Job`](crate::pipeline::Job):
//! only what its thread does between two events is elsewhere. What goes on at the same time has its own channel, a
//! socket that the worker serves on a thread of its own.
//!
//! - `engine`: a pipeline here or apart, as the C interface sees it.
//! - `isolated`: one that is apart. It starts its process again where that has died.
//! - `process`: a worker process, from its greeting to its end.
//! - `protocol`: what is said. `channel`: how messages travel.
//! - `serve`: the worker's side.
//! - `system`: the system calls.

mod channel;
mod engine;
mod isolated;
mod process;
mod protocol;
mod serve;
mod system;

pub(crate) use engine::Engine;
pub use serve::serve;
