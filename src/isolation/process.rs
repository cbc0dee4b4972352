//! [`Process`]: a worker process, from its greeting to its end.

use std::collections::BTreeSet;
use std::env;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use super::channel::Channel;
use super::protocol::{self, Order};
use super::system;
use crate::error::{Error, Result};
use crate::runtime::locked;

/// How long a program may take to greet: to be loaded, libtorch included, from a slow disk.
const GREETING: Duration = Duration::from_secs(60);

/// How long a process that has closed its socket may take to be gone.
const ENDING: Duration = Duration::from_secs(5);

/// A worker that has greeted. It ends when this is dropped, whatever it is doing.
#[derive(Debug)]
pub(super) struct Process {
    /// The worker watches this one, and ends with it.
    root: Mutex<Channel>,
    /// Further ones, which nobody uses at the moment.
    idle: Mutex<Vec<Channel>>,
    /// The numbers of the pipelines that were made of the one that was loaded.
    adapted: Mutex<BTreeSet<u64>>,
    child: Mutex<Child>,
    handle: Option<OwnedFd>,
}

impl Process {
    /// Starts a program in a folder.
    ///
    /// # Errors
    /// [`Error::Worker`] where it cannot be started, or is no worker of this version.
    pub(super) fn start(program: &Path, folder: &Path) -> Result<Self> {
        let fail = |reason: String| Error::Worker { reason: format!("{}: {reason}", program.display()) };
        let (ours, theirs) = system::socket_pair().map_err(|error| fail(error.to_string()))?;
        let mut command = Command::new(program);
        command.arg(protocol::argument()).arg(std::process::id().to_string());
        command.current_dir(folder).stdin(Stdio::from(theirs)).stdout(Stdio::null());
        system::close_the_rest(&mut command);
        let child = command.spawn().map_err(|error| fail(format!("cannot be started: {error}")))?;
        // The host's copy of the worker's end goes with it.
        drop(command);
        let handle = system::process_of(&child);
        let process = Self {
            root: Mutex::new(Channel::new(ours)),
            idle: Mutex::default(),
            adapted: Mutex::default(),
            child: Mutex::new(child),
            handle,
        };
        process.greet().map_err(fail)?;
        Ok(process)
    }

    fn greet(&self) -> Result<(), String> {
        let root = locked(&self.root);
        let expected = protocol::greeting();
        match system::is_readable(root.socket(), GREETING) {
            Ok(true) => {}
            Ok(false) => return Err(format!("did not answer within {} s", GREETING.as_secs())),
            Err(error) => return Err(error.to_string()),
        }
        let mut greeting = [0; 256];
        let found = match system::receive(root.socket(), &mut greeting) {
            Ok((length, _)) => {
                String::from_utf8_lossy(greeting.get(..length).unwrap_or_default()).into_owned()
            }
            Err(_) => return Err(format!("{} before it answered", self.ending())),
        };
        if found == expected { Ok(()) } else { Err(format!("answered `{found}`, expected `{expected}`")) }
    }

    /// The channel that is there from the start.
    pub(super) fn root(&self) -> &Mutex<Channel> {
        &self.root
    }

    /// A channel of one's own, until it is given back or dropped.
    pub(super) fn channel(&self) -> io::Result<Channel> {
        if let Some(channel) = locked(&self.idle).pop() {
            return Ok(channel);
        }
        let (ours, theirs) = system::socket_pair()?;
        locked(&self.root).send_with(&Order::Open, &[theirs.as_fd()])?;
        Ok(Channel::new(ours))
    }

    /// Keeps a channel, on which nothing is under way, for the next one who needs one.
    pub(super) fn give_back(&self, channel: Channel) {
        locked(&self.idle).push(channel);
    }

    /// Whether the process has the pipeline of that number.
    pub(super) fn has(&self, number: u64) -> bool {
        locked(&self.adapted).contains(&number)
    }

    pub(super) fn add(&self, number: u64) {
        locked(&self.adapted).insert(number);
    }

    pub(super) fn forget(&self, number: u64) {
        if locked(&self.adapted).remove(&number) {
            // One that is gone has forgotten everything.
            let _ = locked(&self.root).send(&Order::Forget(number));
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        system::is_hung_up(locked(&self.root).socket(), Duration::ZERO)
    }

    /// The error for a channel that failed: mostly because the process is gone.
    pub(super) fn failure(&self, error: &io::Error) -> Error {
        let is_gone = matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
        );
        let reason = if is_gone { self.ending() } else { format!("cannot be talked to: {error}") };
        Error::Worker { reason }
    }

    /// How the process ended. One that has closed its socket and does not end is ended.
    fn ending(&self) -> String {
        if !self.wait(ENDING) {
            self.kill();
            self.wait(ENDING);
        }
        describe(locked(&self.child).try_wait())
    }

    /// Whether the process ends within that time.
    fn wait(&self, timeout: Duration) -> bool {
        match &self.handle {
            Some(handle) => system::is_readable(handle.as_fd(), timeout).unwrap_or(true),
            None => locked(&self.child).wait().is_ok(),
        }
    }

    fn kill(&self) {
        if let Some(handle) = &self.handle {
            system::kill(handle.as_fd());
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        system::shut_down(locked(&self.root).socket());
        self.kill();
        // An error where the host ignores SIGCHLD, or waits for all children: then nothing is left to be waited for.
        let _ = locked(&self.child).wait();
    }
}

fn describe(status: io::Result<Option<ExitStatus>>) -> String {
    match status {
        Ok(Some(status)) => match (status.signal(), status.code()) {
            (Some(libc::SIGKILL), _) => {
                "was ended by signal 9 (SIGKILL), as the system does where memory runs out".into()
            }
            (Some(signal), _) => format!("was ended by signal {signal}"),
            (None, Some(code)) => format!("ended with exit status {code}"),
            (None, None) => "ended".into(),
        },
        // The host ignores SIGCHLD, or was quicker.
        Err(_) => "ended".into(),
        Ok(None) => "does not end".into(),
    }
}

/// The worker program: the one asked for, or that of SDXL_WORKER, or the one beside this library.
///
/// # Errors
/// [`Error::Worker`] lists where it was looked for.
pub(super) fn find(asked: Option<&Path>) -> Result<PathBuf> {
    if let Some(program) = asked {
        return Ok(program.to_owned());
    }
    if let Some(program) = env::var_os("SDXL_WORKER").filter(|program| !program.is_empty()) {
        return Ok(program.into());
    }
    let mut looked = Vec::new();
    let own = system::own_file();
    let linked = own.as_ref().and_then(|file| file.canonicalize().ok());
    for folder in [&own, &linked].into_iter().filter_map(|file| file.as_ref()?.parent()) {
        for place in ["sdxl-worker", "sdxl/sdxl-worker"] {
            let program = folder.join(place);
            if program.is_file() {
                return Ok(program);
            }
            looked.push(program.display().to_string());
        }
    }
    looked.dedup();
    let reason = format!(
        "was not found: {} {} not there; SDXL_WORKER or an option says where it is",
        looked.join(", "),
        if looked.len() == 1 { "is" } else { "are" }
    );
    Err(Error::Worker { reason })
}
