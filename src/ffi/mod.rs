//! The C interface, which `include/sdxl.h` documents; Rust programs use the rest of the crate.
//!
//! No logic: a function here checks its arguments, makes one call and hands over what that returned. Every body is
//! inside `error::guard`, which makes a status of errors and panics. Handles are looked up in `table`, raw
//! pointers are touched in `arguments` alone.
//!
//! One file for each object, or two for large ones; `build.rs` has their order in the header. The text above a function
//! is its documentation there.
#![allow(unsafe_code, reason = "C passes pointers, and finds functions by their unmangled names")]
#![allow(non_camel_case_types, reason = "types are spelled as in C")]
#![allow(
    clippy::missing_safety_doc,
    reason = "the header's first comment says it once, for C: valid or NULL"
)]
#![allow(clippy::too_many_arguments, reason = "C has no struct literals to name them with")]

mod adapters;
mod arguments;
mod conditioning;
mod embeddings;
mod error;
mod image;
mod image_edit;
mod job;
mod latents;
mod lora;
mod names;
mod pipeline;
mod pipeline_options;
mod request;
mod request_beginning;
mod scheduler;
mod scheduler_levels;
mod table;
mod textual_inversion;
mod version;

pub use adapters::*;
pub use conditioning::*;
pub use embeddings::*;
pub use error::*;
pub use image::*;
pub use image_edit::*;
pub use job::*;
pub use latents::*;
pub use lora::*;
pub use names::*;
pub use pipeline::*;
pub use pipeline_options::*;
pub use request::*;
pub use request_beginning::*;
pub use scheduler::*;
pub use scheduler_levels::*;
pub use textual_inversion::*;
pub use version::*;
