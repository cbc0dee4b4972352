//! The Rust side of sdxl-torch's shim: libtorch calls that tch lacks, and faster convolutions.
#![expect(unsafe_code, reason = "the C functions of our own shim")]

use std::cell::RefCell;
use std::ffi::{CStr, c_int};
use std::ptr::{self, NonNull};
use std::sync::{Once, OnceLock};

use sdxl_torch::shim::{self, *};
use tch::{TchError, Tensor};

use super::{Device, THREADS, interrupt, locked};
use crate::error::Result;

fn check(status: c_int) -> Result<()> {
    if status == 0 {
        return Ok(());
    }
    // SAFETY: the shim returns a NUL-terminated string that lives until this thread's next call.
    let text = unsafe { CStr::from_ptr(sdxl_shim_error()) };
    Err(TchError::Torch(text.to_string_lossy().into_owned()).into())
}

/// libtorch's CPU generator (MT19937), apart from its global one.
pub(crate) struct Generator(NonNull<shim::Generator>);

// SAFETY: an at::Generator belongs to no thread; only `&mut self` methods use it.
unsafe impl Send for Generator {}

impl Generator {
    pub(crate) fn new(seed: u64) -> Result<Self> {
        let mut raw = ptr::null_mut();
        // SAFETY: `raw` is valid for the write.
        check(unsafe { sdxl_shim_generator_new(seed, &mut raw) })?;
        NonNull::new(raw).map(Self).ok_or_else(|| TchError::Torch("no generator".into()).into())
    }

    /// Standard normal numbers in f32 on the CPU, as `torch.randn(shape, generator=…)`.
    pub(crate) fn randn(&mut self, shape: &[i64]) -> Result<Tensor> {
        let mut raw = ptr::null_mut();
        // SAFETY: the generator is alive, and `shape` has `shape.len()` readable sizes.
        check(unsafe { sdxl_shim_randn(self.0.as_ptr(), shape.as_ptr(), shape.len(), &mut raw) })?;
        // SAFETY: on success `raw` is a new at::Tensor that nobody else owns.
        Ok(unsafe { Tensor::from_ptr(raw.cast()) })
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        // SAFETY: made by sdxl_shim_generator_new, freed once.
        unsafe { sdxl_shim_generator_free(self.0.as_ptr()) }
    }
}

/// Loads libtorch where it is not there yet, which only `libsdxl.so` needs: what begins to compute calls this first.
/// Its CUDA half is opened before anything else, because libtorch looks for that at the first call that could need it,
/// and never again.
///
/// # Errors
/// [`Error::Torch`](crate::Error::Torch) with what the system's loader says. Another call tries again.
/// [`Error::Cancelled`](crate::Error::Cancelled) where nobody wants the result any more.
pub(crate) fn load() -> Result<()> {
    interrupt::check()?;
    // SAFETY: returns NULL or a text of this thread.
    let problem =
        unsafe { NonNull::new(sdxl_shim_load().cast_mut()).map(|text| CStr::from_ptr(text.as_ptr())) };
    if let Some(problem) = problem {
        return Err(TchError::Torch(problem.to_string_lossy().into_owned()).into());
    }
    static FIRST: Once = Once::new();
    FIRST.call_once(|| {
        let _ = load_cuda();
        interrupt::wait_at_end();
        locked(&THREADS).tell_libtorch();
    });
    Ok(())
}

/// Whether libtorch is there.
pub(crate) fn is_loaded() -> bool {
    // SAFETY: reads a flag.
    unsafe { sdxl_shim_is_loaded() != 0 }
}

/// Opens libtorch's CUDA half, once.
///
/// # Errors
/// What the system's loader says: the file is not there, or something that it needs.
pub(crate) fn load_cuda() -> Result<(), &'static str> {
    static LOADED: OnceLock<Result<(), String>> = OnceLock::new();
    let loaded = LOADED.get_or_init(|| {
        // SAFETY: no arguments.
        check(unsafe { sdxl_shim_load_cuda() }).map_err(|error| error.to_string())
    });
    loaded.as_ref().copied().map_err(String::as_str)
}

/// Whether operations on this thread are recorded for a backward pass.
pub(crate) fn grad_enabled() -> bool {
    // SAFETY: reads a thread-local flag.
    unsafe { sdxl_shim_grad_enabled() != 0 }
}

thread_local! {
    /// Room for what convolutions have between input and output, which all of this thread share.
    static WINOGRAD_SCRATCH: RefCell<Option<Tensor>> = const { RefCell::new(None) };
}

/// Gives back to the system what this thread's convolutions had between input and output, and what the C library keeps
/// of freed memory, which is hundreds of megabytes after a run.
pub(crate) fn trim() {
    drop(WINOGRAD_SCRATCH.take());
    // SAFETY: no arguments; other threads may allocate meanwhile.
    unsafe { sdxl_shim_trim() }
}

/// A 3x3 convolution of stride 1 by Winograd's algorithm F(4x4, 3x3), with rows of zeros above and below and columns of
/// zeros on the left and right. In f32 on the CPU, and without gradients.
///
/// # Shapes
/// `(B, in, H, W)` to `(B, out, H + 2·rows - 2, W + 2·columns - 2)`.
pub(crate) fn winograd(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    [rows, columns]: [i64; 2],
) -> Result<Tensor> {
    // A part of the rows of a picture is fine, and anything else is rare.
    let x = if x.stride().last() == Some(&1) { x.shallow_clone() } else { x.f_contiguous()? };
    let mut scratch = match WINOGRAD_SCRATCH.take() {
        Some(scratch) => scratch,
        None => Tensor::f_empty([1], (tch::Kind::Float, tch::Device::Cpu))?,
    };
    let bias = bias.map_or(ptr::null(), |bias| bias.as_ptr().cast());
    let mut raw = ptr::null_mut();
    // SAFETY: all pointers are to tensors that live through the call, and `raw` is valid for the write.
    let status = unsafe {
        let (x, weight) = (x.as_ptr().cast(), weight.as_ptr().cast());
        sdxl_shim_winograd(x, weight, bias, rows, columns, scratch.as_mut_ptr().cast(), &mut raw)
    };
    WINOGRAD_SCRATCH.set(Some(scratch));
    check(status)?;
    // SAFETY: on success `raw` is a new at::Tensor that nobody else owns.
    Ok(unsafe { Tensor::from_ptr(raw.cast()) })
}

/// While it lives, libtorch computes matrix products and convolutions of this thread in bfloat16.
pub(crate) struct Autocast {
    cuda: c_int,
}

impl Autocast {
    pub(crate) fn enter(device: Device) -> Result<Self> {
        let cuda = c_int::from(matches!(device, Device::Cuda(_)));
        // SAFETY: sets flags of this thread.
        check(unsafe { sdxl_shim_autocast(cuda, 1) })?;
        Ok(Self { cuda })
    }
}

impl Drop for Autocast {
    fn drop(&mut self) {
        // SAFETY: as above. It cannot fail once it was entered.
        unsafe { sdxl_shim_autocast(self.cuda, 0) };
    }
}
