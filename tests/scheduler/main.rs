//! The schedulers: equal to diffusers, of the order that the papers say, and complete.

mod convergence;
mod golden;
mod model;
mod published;
