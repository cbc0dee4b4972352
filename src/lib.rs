//! Stable Diffusion XL (arXiv 2307.01952) on libtorch: pictures from text, without Python.
//!
//! ```no_run
//! use sdxl::{Conditioning, Guidance, Pipeline, Request, Size};
//!
//! # fn main() -> sdxl::Result<()> {
//! let pipeline = Pipeline::builder("stable-diffusion-xl-base-1.0").build()?;
//! let conditioning = Conditioning::builder("a lighthouse in a storm, oil painting")
//!     .negative_prompt("blurry")
//!     .original_size(Size::new(1536, 1024))
//!     .build()?;
//! let request = Request::builder(conditioning)
//!     .size(Size::new(1216, 832))
//!     .steps(30)
//!     .guidance(Guidance::new(6.0)?)
//!     .seed(42)
//!     .build()?;
//! for (index, image) in pipeline.generate(&request)?.iter().enumerate() {
//!     image.save_png(format!("lighthouse-{index}.png"))?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # From a request to pictures
//!
//! 1. [`Pipeline`] holds the models; a clone shares their weights. [`Request`] and [`Conditioning`] say what
//!    to draw and belong to no model.
//! 2. [`text`]: the prompts become a context and a pooled embedding, through both CLIP encoders.
//! 3. [`conditioning`]: with the micro-conditioning (original size, crop, target size) they are what the UNet
//!    is told.
//! 4. [`scheduler`]: the noise levels to visit, and how to get from one to the next.
//! 5. [`unet`]: predicts the noise at each level; [`Guidance`] combines prompt and negative prompt.
//! 6. [`vae`]: decodes the latents to an [`Image`].
//!
//! [`Sampling`] is the loop over the steps, as an iterator: progress and cancelling are the caller's business. A
//! [`Job`] takes the same steps on a thread of the pipeline, and is watched and cancelled from any other.
//!
//! # Promises
//!
//! - Everything that can be wrong with a request is found when it is built, everything that can be wrong with
//!   a checkpoint before its weights are read; an [`Error`] names what was expected, what was found and where.
//! - The same request gives the same bytes, on a clone and in another thread too.
//! - Noise is that of `torch.randn` with a CPU generator of the same seed, so pictures are those of diffusers.

pub mod conditioning;
pub mod config;
mod error;
pub mod ffi;
mod host;
mod image;
pub mod isolation;
pub mod nn;
mod noise;
pub mod pipeline;
mod runtime;
pub mod scheduler;
pub mod text;
pub mod training;
pub mod unet;
pub mod vae;
pub mod weights;

pub use conditioning::{
    Conditioning, Crop, Guidance, PerturbedAttention, PromptSyntax, Size, TextEmbeddings,
};
pub use error::{Error, ErrorKind, Result};
pub use host::Element;
pub use image::{Image, Margins, Mask, PixelFormat, PixelLayout, Rectangle, RowOrder};
pub use noise::NoiseSource;
pub use pipeline::{Hires, Job, Latents, Pipeline, Progress, Request, Sampling, Upscaler};
pub use runtime::{Device, MemoryFile, Precision, set_threads};
pub use scheduler::Scheduler;
/// The version of tch that tensors in this crate's interfaces are of.
pub use tch;
pub use unet::FreeU;
pub use weights::{Lora, TextualInversion, WeightedLora};
