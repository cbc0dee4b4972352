//! Prompt to (context, pooled): tokenizers and CLIP text encoders.

mod clip;

pub use clip::{ClipLayer, ClipTextModel, ClipTextOutput, Projection};
