//! Weights: safetensors files and folders as named, shape-checked tensors.
//!
//! A model is loaded in two passes over the same `load` code: the first lists the tensors that it needs
//! ([`tensors_of`]) and compares them with the headers, so that everything that is wrong is reported at
//! once; the second reads the data, straight into the tensors' memory.

mod checkpoint;
mod header;
mod lora;
mod parameter;
mod random;
mod recognise;
mod rename;
mod report;
mod safetensors;
mod source;
mod stored;
mod textual_inversion;

pub use checkpoint::Checkpoint;
pub(crate) use checkpoint::{Keeping, SingleFile};
pub(crate) use lora::{Changed, Changes, ComponentChanges, Fit, LoraByPath};
pub use lora::{Lora, LoraError, LowRank, WeightedChange, WeightedLora};
pub use parameter::Parameter;
pub(crate) use parameter::release_memory;
pub use random::RandomWeights;
pub(crate) use random::{fnv1a, splitmix64};
pub use rename::Component;
pub use report::{CheckpointError, ShapeMismatch};
pub(crate) use safetensors::{read_held, save_held, write_safetensors};
pub use safetensors::{read_safetensors, save_safetensors};
pub(crate) use source::LoadedTensors;
pub use source::{TensorSource, TensorSpec, Weights, tensors_of};
pub use stored::{Stored, Streamed};
pub(crate) use textual_inversion::InversionByPath;
pub use textual_inversion::TextualInversion;
