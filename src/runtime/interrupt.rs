//! [`check`]: whether what a thread computes is still wanted. It is not in a job that is cancelled, nor when the process
//! ends.
//!
//! libtorch's static objects are destroyed while a process ends, and oneDNN makes some of them in its first operations
//! of each kind, so that a function given to `atexit` before those is called too late. But the thread that calls `exit`
//! destroys its thread-local objects before anything else (glibc, macOS): one of ours calls `atexit` there, and what comes
//! last to that list is called first. A thread that has no such object, because it never called this crate, finds the
//! function there that a layer has left. Windows ends all other threads first, so nothing has to be waited for there.
#![expect(unsafe_code, reason = "`atexit`, which the standard library does not have")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

thread_local! {
    /// Says whether what this thread computes is no longer wanted.
    static IS_CANCELLED: RefCell<Option<Rc<dyn Fn() -> bool>>> = const { RefCell::new(None) };
    static THREAD: Thread = const { Thread { depth: Cell::new(0) } };
}

/// Whether the process ends.
static ENDING: AtomicBool = AtomicBool::new(false);

/// How many threads are inside of this crate's work.
static BUSY: AtomicUsize = AtomicUsize::new(0);

/// How many tasks there are for threads of ours, begun or not.
static PENDING: AtomicUsize = AtomicUsize::new(0);

/// The process in which they are: a fork has a copy of the number, but not of the threads.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// How long the end of a process waits for the layers that are being computed, at most. Most take far less than a second;
/// the autoencoder's attention takes 5 s at 1024x1024 on one core.
const PATIENCE: Duration = Duration::from_secs(30);

/// Called before a tensor is read.
///
/// # Errors
/// [`Error::Cancelled`] where nobody wants the result any more.
pub(crate) fn check() -> Result<()> {
    // A thread that is ending has no such question any more.
    let question = IS_CANCELLED.try_with(|question| question.borrow().clone()).unwrap_or_default();
    let is_cancelled = question.is_some_and(|is_cancelled| is_cancelled());
    if is_cancelled || is_ending() { Err(Error::Cancelled) } else { Ok(()) }
}

/// Whether the process ends. What its end does not wait for must leave libtorch alone from then on.
pub(crate) fn is_ending() -> bool {
    ENDING.load(Ordering::SeqCst)
}

/// Called before each layer; errors as [`check`]'s.
pub(crate) fn check_layer() -> Result<()> {
    static LAYERS: AtomicUsize = AtomicUsize::new(0);
    // The text encoders of SDXL and three steps of its UNet: operations of nearly all kinds.
    const MANY: usize = 4000;
    let layer = LAYERS.fetch_add(1, Ordering::Relaxed);
    if layer < MANY || layer.is_power_of_two() {
        wait_at_end();
    }
    check()
}

/// Does what is wanted for as long as the question, which is asked before each layer, has the answer no.
pub(crate) fn unless<R>(is_cancelled: impl Fn() -> bool + 'static, work: impl FnOnce() -> R) -> R {
    /// Puts back what was there, also when a panic unwinds.
    struct Before(Option<Rc<dyn Fn() -> bool>>);

    impl Drop for Before {
        fn drop(&mut self) {
            IS_CANCELLED.set(self.0.take());
        }
    }

    let _before = Before(IS_CANCELLED.replace(Some(Rc::new(is_cancelled))));
    work()
}

/// While it lives, the end of the process waits for this thread.
pub(crate) struct Busy {
    _depth: Depth,
}

impl Busy {
    pub(crate) fn new() -> Self {
        PROCESS.store(std::process::id(), Ordering::Relaxed);
        // What begins when the process ends already is refused at its first layer. It would be waited for again and again.
        let is_counted = !is_ending();
        Self { _depth: Depth::set(|depth| depth + usize::from(is_counted)) }
    }
}

/// A task that another thread is to do, or does.
pub(crate) struct Pending(());

impl Pending {
    pub(crate) fn new() -> Self {
        // Should this thread end the process, that waits.
        let _ = THREAD.try_with(|_| ());
        PENDING.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        PENDING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Waits for others: meanwhile the end of the process does not wait for this thread.
pub(crate) fn outside<R>(call: impl FnOnce() -> R) -> R {
    let _depth = Depth::set(|_| 0);
    call()
}

/// Calls what is not ours, for whose work nobody has asked whether it is wanted. The end of the process does not wait.
pub(crate) fn call_back<R>(call: impl FnOnce() -> R) -> R {
    unless(|| false, || outside(call))
}

/// Stays here until the process has ended.
pub(crate) fn stay() -> ! {
    outside(|| {
        loop {
            thread::park();
        }
    })
}

/// How deep this thread was in this crate's work, which it is again once this is dropped, also when a panic unwinds.
struct Depth(usize);

impl Depth {
    fn set(change: impl FnOnce(usize) -> usize) -> Self {
        // A thread that is ending has no such object any more, and is not waited for.
        Self(THREAD.try_with(|thread| thread.set(change(thread.depth.get()))).unwrap_or_default())
    }
}

impl Drop for Depth {
    fn drop(&mut self) {
        let _ = THREAD.try_with(|thread| thread.set(self.0));
    }
}

/// What this thread does.
struct Thread {
    depth: Cell<usize>,
}

impl Thread {
    /// Returns the depth before.
    fn set(&self, depth: usize) -> usize {
        let before = self.depth.replace(depth);
        match (before, depth) {
            (0, 1..) => BUSY.fetch_add(1, Ordering::SeqCst),
            (1.., 0) => BUSY.fetch_sub(1, Ordering::SeqCst),
            _ => 0,
        };
        before
    }
}

impl Drop for Thread {
    /// Its thread ends, or its process: the end of that is to wait for the others.
    fn drop(&mut self) {
        if BUSY.load(Ordering::SeqCst) + PENDING.load(Ordering::SeqCst) > 0 {
            wait_at_end();
        }
    }
}

/// The function stays, as this library does (`-z nodelete`). Where this fails nothing waits.
pub(super) fn wait_at_end() {
    if cfg!(unix) {
        // SAFETY: needs nothing.
        unsafe { libc::atexit(end) };
    }
}

extern "C" fn end() {
    /// Of the first call; there are as many as were registered.
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    if PROCESS.load(Ordering::Relaxed) != std::process::id() {
        return;
    }
    ENDING.store(true, Ordering::SeqCst);
    let began = BEGAN.get_or_init(Instant::now);
    while BUSY.load(Ordering::SeqCst) > 0 && began.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(1));
    }
}
