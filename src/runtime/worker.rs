//! [`Worker`]: one long-lived thread that does one task after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use super::interrupt::{self, Busy, Pending};
use crate::error::{Error, Result};

type Task = Box<dyn FnOnce() + Send>;

/// A thread of its own from the first task on, until it is dropped and all tasks are done.
///
/// libtorch keeps memory for each thread that ever computed on the CPU, so work that comes again and again has to
/// come from the same ones: a thread that has nothing to do is given to the next worker, and never ends. A clone is
/// another worker.
#[derive(Default)]
pub(crate) struct Worker(Mutex<Option<Queue>>);

/// The tasks of one worker, and the thread that does them.
struct Queue {
    tasks: Sender<Task>,
    thread: ThreadId,
}

/// A thread, which waits for a queue of tasks.
struct Thread {
    queues: Sender<Receiver<Task>>,
    id: ThreadId,
}

static IDLE: Mutex<Vec<Thread>> = Mutex::new(Vec::new());

impl Clone for Worker {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Worker {
    /// Puts a task at the end of the queue, and says which thread will do it.
    ///
    /// # Errors
    /// [`Error::Internal`] where the system has no thread for it.
    pub(crate) fn submit(&self, task: impl FnOnce() + Send + 'static) -> Result<ThreadId> {
        let mut queue = locked(&self.0);
        let queue = match &mut *queue {
            Some(queue) => queue,
            none => none.insert(Queue::new()?),
        };
        let pending = Pending::new();
        let task = move || {
            let _pending = pending;
            task();
        };
        queue.tasks.send(Box::new(task)).map_err(|_| gone())?;
        Ok(queue.thread)
    }
}

impl Queue {
    fn new() -> Result<Self> {
        let idle = locked(&IDLE).pop();
        let Thread { queues, id } = idle.map_or_else(Thread::new, Ok)?;
        let (tasks, queue) = channel();
        queues.send(queue).map_err(|_| gone())?;
        Ok(Self { tasks, thread: id })
    }
}

impl Thread {
    fn new() -> Result<Self> {
        let (queues, waiting) = channel::<Receiver<Task>>();
        let own = queues.clone();
        let work = move || {
            for queue in waiting {
                for task in queue {
                    let _busy = Busy::new();
                    // Tasks report their own panics; whatever else comes must not end the thread.
                    let _ = catch_unwind(AssertUnwindSafe(task));
                }
                locked(&IDLE).push(Self { queues: own.clone(), id: thread::current().id() });
            }
        };
        interrupt::wait_at_end();
        let thread = thread::Builder::new().name("sdxl-worker".into()).spawn(work);
        let none = |error| Error::Internal { reason: format!("no thread to work on: {error}") };
        Ok(Self { queues, id: thread.map_err(none)?.thread().id() })
    }
}

fn gone() -> Error {
    Error::Internal { reason: "the worker thread is gone".into() }
}

/// A mutex whose content is whole whatever happened to the thread that held it before.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
