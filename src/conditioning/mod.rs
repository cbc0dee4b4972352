//! What a picture is conditioned on: text or its embeddings, the micro-conditioning, and guidance.

mod buckets;
mod builder;
mod embeddings;
mod guidance;
mod micro;
mod perturbed;
mod syntax;

pub use buckets::{BUCKETS, nearest_bucket};
pub use builder::{Conditioning, ConditioningBuilder, Prompts, TextSource};
pub use embeddings::TextEmbeddings;
pub use guidance::{Guidance, Predictions};
pub use micro::{AestheticScores, Crop, MicroConditioning, Size};
pub use perturbed::PerturbedAttention;
pub use syntax::PromptSyntax;
