//! [`Parameter`]: a weight that may be stored in fewer bits than it is computed with.

use std::cell::RefCell;

use tch::{Device, Kind, Tensor};

use super::lora::{LowRank, WeightedChange, with_changes};
use super::stored::Stored;
use crate::error::Result;
use crate::runtime::interrupt;
use crate::runtime::shim::{grad_enabled, trim};

/// A matrix or kernel: stored in the type of the file, used in the compute type.
///
/// libtorch's 16-bit kernels are 8 to 100 times slower than f32 on AVX2, so on the CPU a 16-bit weight is
/// copied into a scratch that every layer of the thread reuses. That costs 0 to 1 % of a layer's time with large pictures
/// and up to a fifth with small ones, for which linear layers take the weight in parts; a fresh f32
/// tensor each time costs 10 to 36 % in page faults.
///
/// What adapters add that are kept beside the weights is added there too, so that the stored weight never changes
/// and the sum is not rounded to 16 bits.
#[derive(Debug)]
pub struct Parameter {
    stored: Stored,
    compute: Kind,
    changes: Vec<WeightedChange>,
    /// Rare, and so not in every layer.
    low_rank: Option<Box<LowRank>>,
}

/// Elements of a matrix that stay in a core's caches as f32.
const PART: i64 = 1 << 19;

/// Columns up to which a matrix is expanded in parts.
const MOST_COLUMNS: i64 = 2048;

thread_local! {
    /// Room for the largest weight that this thread has expanded, in f32.
    static SCRATCH: RefCell<Option<Tensor>> = const { RefCell::new(None) };
}

/// Gives the memory back that this thread has computed in, between two kinds of work that need little of each other's.
pub(crate) fn release_memory() {
    drop(SCRATCH.take());
    trim();
}

impl Parameter {
    /// A parameter that is computed with in the type `compute`.
    pub fn new(stored: Tensor, compute: Kind) -> Self {
        Self::of(Stored::Kept(stored), compute)
    }

    /// The same of a weight that may be read whenever it is used.
    pub(super) fn of(stored: Stored, compute: Kind) -> Self {
        Self { stored, compute, changes: Vec::new(), low_rank: None }
    }

    /// The same with what adapters add to it, and a LoRA in training.
    pub(super) fn with_adapters(self, changes: Vec<WeightedChange>, low_rank: Option<LowRank>) -> Self {
        Self { changes, low_rank: low_rank.map(Box::new), ..self }
    }

    /// The LoRA in training, which the layer adds to its output.
    pub(crate) fn low_rank(&self) -> Option<&LowRank> {
        self.low_rank.as_deref()
    }

    /// The weight as stored, without what adapters add.
    pub fn stored(&self) -> &Stored {
        &self.stored
    }

    /// The weight as stored, for one layer: read now where it is not kept.
    ///
    /// # Errors
    /// [`Error::Cancelled`](crate::Error::Cancelled) where nobody wants the result any more;
    /// [`Error::Io`](crate::Error::Io) where the file no longer has it.
    pub(crate) fn read(&self) -> Result<Tensor> {
        interrupt::check_layer()?;
        self.stored.tensor()
    }

    /// Calls `body` with the weight in the compute type. The tensor is gone when `body` returns: it must not
    /// be kept, nor any view of it.
    ///
    /// # Errors
    /// [`Error::Cancelled`](crate::Error::Cancelled) where nobody wants the result any more;
    /// [`Error::Io`](crate::Error::Io) where the weight is read now and its file no longer has it.
    pub fn with<R>(&self, body: impl FnOnce(&Tensor) -> Result<R>) -> Result<R> {
        self.with_whole(&self.read()?, body)
    }

    /// The same, of a weight that is read.
    pub(crate) fn with_whole<R>(
        &self,
        stored: &Tensor,
        body: impl FnOnce(&Tensor) -> Result<R>,
    ) -> Result<R> {
        if self.changes.is_empty() && stored.f_kind()? == self.compute {
            return body(stored);
        }
        // Under gradients the backward pass would read a scratch that other layers have overwritten since.
        let reusable = self.compute == Kind::Float && !grad_enabled();
        SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
            Ok(mut scratch) if reusable => body(&self.expand_into(&mut scratch, stored)?),
            // Another parameter is in the scratch, further up the stack.
            _ => body(&with_changes(stored.f_to_kind(self.compute)?, &self.changes)?),
        })
    }

    /// How many rows of a matrix [`with_rows`](Self::with_rows) should have at once; none where all of them are faster.
    ///
    /// A part that stays in the caches is not written to memory and read again. One that has few rows costs more than
    /// that in the product: with 5120 columns, 3 to 15 % were lost, where 640 and 1280 gained up to 23 %.
    pub(crate) fn rows_at_once(&self, stored: &Tensor) -> Result<Option<i64>> {
        let [rows, columns] = *stored.size().as_slice() else { return Ok(None) };
        let is_plain = self.changes.is_empty()
            && self.low_rank.is_none()
            && self.compute == Kind::Float
            && matches!(stored.f_kind()?, Kind::Half | Kind::BFloat16)
            && stored.device() == Device::Cpu
            && !grad_enabled();
        let at_once = PART * i64::from(tch::get_num_threads()) / columns.max(1);
        Ok((is_plain && columns <= MOST_COLUMNS && rows > at_once).then_some(at_once))
    }

    /// Calls `body` with so many rows of a matrix in the compute type after the other, and with the number of the first.
    /// Otherwise as [`with_whole`](Self::with_whole).
    pub(crate) fn with_rows(
        &self,
        stored: &Tensor,
        rows: i64,
        mut body: impl FnMut(i64, &Tensor) -> Result<()>,
    ) -> Result<()> {
        let all = stored.size().first().copied().unwrap_or(0);
        let mut scratch = SCRATCH.take();
        let result = (0..all).step_by(rows.max(1) as usize).try_for_each(|first| {
            let part = stored.f_narrow(0, first, rows.min(all - first))?;
            body(first, &self.expand_into(&mut scratch, &part)?)
        });
        SCRATCH.set(scratch);
        result
    }

    fn expand_into(&self, scratch: &mut Option<Tensor>, stored: &Tensor) -> Result<Tensor> {
        let count = stored.numel() as i64;
        let room = match scratch.take() {
            Some(room) if room.numel() as i64 >= count && room.device() == stored.device() => room,
            too_small => {
                drop(too_small);
                Tensor::f_empty([count], (Kind::Float, stored.device()))?
            }
        };
        let mut expanded = room.f_narrow(0, 0, count)?.f_view(stored.size().as_slice())?;
        *scratch = Some(room);
        expanded.f_copy_(stored)?;
        for WeightedChange { change, weight } in &self.changes {
            change.add_to(&expanded, stored, *weight)?;
        }
        Ok(expanded)
    }
}
