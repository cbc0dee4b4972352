//! Prompt to (context, pooled): tokenizers and CLIP text encoders.

mod clip;

pub use clip::{ClipTextModel, ClipTextOutput, Projection};
