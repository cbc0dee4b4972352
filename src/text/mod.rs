//! From a prompt to what the models are told of it: tokenizers and CLIP text encoders.

mod chunks;
mod clip;
mod encoders;
mod prompt;
mod special;
mod tokenizer;
mod vocabulary;

pub use chunks::{Chunk, Chunks};
pub use clip::{ClipLayer, ClipTextModel, ClipTextOutput, Projection};
pub use encoders::{Emphasis, EncodedPrompt, PromptChunks, TextEncoder, TextEncoders};
pub use prompt::{WeightedPrompt, WeightedText};
pub(crate) use tokenizer::check_length;
pub use tokenizer::{Padding, Tokenizer, Tokens};
