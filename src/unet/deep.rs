//! [`DeepCache`]: what the deep levels gave, used for several evaluations.

use std::cell::RefCell;

use tch::Tensor;

use crate::error::{Error, Result};

/// Reuses what the deep levels of the UNet gave (DeepCache, Ma et al., arXiv 2312.00858): between two steps they change
/// little, and they are most of the work.
///
/// Of `every` evaluations the first is whole; the others take only the first level down and the last level up, with
/// what the whole one had between them. One of these belongs to one run.
#[derive(Debug)]
pub struct DeepCache {
    every: usize,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Evaluations since the whole one, which counts.
    age: usize,
    /// What goes into the last level of the way up, `(B, channels, H, W)`.
    features: Option<Tensor>,
}

impl DeepCache {
    /// One whole evaluation in so many; 1 is all.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless it is 1 to 100.
    pub fn new(every: usize) -> Result<Self> {
        match every {
            1..=100 => Ok(Self { every, state: RefCell::default() }),
            _ => Err(Error::invalid("deep_cache", every, "1 to 100")),
        }
    }

    /// What this evaluation is to reuse; none where it is to be whole. Another number of rows, as where guidance ends,
    /// needs a whole one.
    pub(super) fn reused(&self, rows: i64) -> Option<Tensor> {
        let mut state = self.state.borrow_mut();
        let fits = state.features.as_ref().is_some_and(|features| features.size().first() == Some(&rows));
        if !fits || state.age >= self.every {
            *state = State::default();
        }
        state.age += 1;
        state.features.as_ref().map(Tensor::shallow_clone)
    }

    /// Takes what a whole evaluation gave.
    pub(super) fn keep(&self, features: &Tensor) {
        if self.every > 1 {
            self.state.borrow_mut().features = Some(features.shallow_clone());
        }
    }
}
