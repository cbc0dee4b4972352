//! The schedulers: equal to diffusers, of the order that the papers say, and complete.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod convergence;
mod errors;
mod golden;
mod model;
mod options;
mod presets;
mod published;
mod ranges;
