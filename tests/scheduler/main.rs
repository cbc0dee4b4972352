//! The schedulers: equal to diffusers, of the order that the papers say, and complete.

mod golden;
mod model;
