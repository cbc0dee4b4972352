//! The schedulers: equal to diffusers, of the order that the papers say, and complete.
#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod convergence;
mod golden;
mod model;
mod published;
