//! Pipelines in a process of their own: a crash, a kill or the end of memory there is an error here.
//!
//! The process is the program `sdxl-worker`, which is this crate too. It loads the model; requests go to it as the data
//! that they are ([`serde`]), pictures come back. Short messages go through a socket, what is large through anonymous
//! shared memory whose descriptor the socket carries, so there is no file that could be left behind.
//!
//! Host and worker take turns: whoever has sent an order waits for the answer, and a job's worker waits after each event
//! until it is told to go on or to stop. So callbacks and waiting are those of [`Job`](crate::pipeline::Job): only what its
//! thread does between two events is elsewhere. Where a job is cancelled there, the host closes its channel, which the worker
//! sees before the next layer; the job has ended by then, and another may have begun. What goes on at the same time has its
//! own channel, a socket that the worker serves on a thread of its own.
//!
//! - `engine`: a pipeline here or apart, as the C interface sees it.
//! - `isolated`: one that is apart. It starts its process again where that has died.
//! - `process`: a worker process, from its greeting to its end.
//! - `protocol`: what is said. `channel`: how messages travel.
//! - `serve`: the worker's side.
//! - `system`: the system calls.
//!
//! Sockets that keep messages apart, memory without a file and handles of processes are Linux'; elsewhere an isolated
//! pipeline is refused (`absent`).

#[cfg(target_os = "linux")]
mod channel;
mod engine;
#[cfg(target_os = "linux")]
mod isolated;
#[cfg(not(target_os = "linux"))]
#[path = "absent.rs"]
mod isolated;
#[cfg(target_os = "linux")]
mod process;
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nobody is talked to"))]
mod protocol;
#[cfg(target_os = "linux")]
mod serve;
#[cfg(target_os = "linux")]
mod system;

pub(crate) use engine::Engine;
#[cfg(target_os = "linux")]
pub use serve::serve;

/// What the program `sdxl-worker` does: nothing on this system.
#[cfg(not(target_os = "linux"))]
pub fn serve() -> std::process::ExitCode {
    std::process::ExitCode::from(2)
}
