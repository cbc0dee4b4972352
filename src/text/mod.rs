//! From a prompt to what the models are told of it: tokenizers and CLIP text encoders.

mod clip;
mod encoders;
mod special;
mod tokenizer;
mod vocabulary;

pub use clip::{ClipLayer, ClipTextModel, ClipTextOutput, Projection};
pub use encoders::{EncodedPrompt, TextEncoder, TextEncoders};
pub use tokenizer::{Padding, Tokenizer, Tokens};
