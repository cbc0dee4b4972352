//! From a prompt to what the models are told of it.

mod special;
mod tokenizer;
mod vocabulary;

pub use tokenizer::{Padding, Tokenizer, Tokens};
