//! [`Pipeline`]: the models together, from a request to pictures.
//!
//! # Equal to diffusers
//!
//! Runs and pictures are those of diffusers 0.42.1, to rounding; pixels that are resized or blurred, to the byte. It
//! differs where diffusers does not do what one expects:
//! - A picture depends on its own seed alone. Of one picture that is inpainted with several seeds diffusers samples
//!   the latents once, with the first seed's numbers.
//! - Inpainting draws at the picture's size, not at the model's, unless a size is given.
//! - Each negative value of the micro-conditioning counts by itself, in every row of a batch.
//! - Where a mask is grey, an overlay is rounded once, not three times: a byte may differ by 1.
//! - In the names of perturbed self-attentions a number is a whole number: `blocks.1` is not in `blocks.10`.

mod adapters;
mod builder;
mod check;
mod denoiser;
mod files;
mod hires;
mod inpaint;
mod job;
mod latents;
mod origin;
mod prompts;
mod random;
mod recipe;
mod request;
mod sampling;
mod stage;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

pub use adapters::AppliedLora;
pub use builder::PipelineBuilder;
pub use hires::{Hires, Upscaler};
pub(crate) use job::{Event, Made, Watch};
pub use job::{Flow, Job, JobBuilder, JobProgress, JobState, Output};
pub use latents::Latents;
pub use random::write_random_model;
pub use request::{Request, RequestBuilder};
pub use sampling::{Progress, Sampling};

use crate::conditioning::{Conditioning, Size, TextEmbeddings, TextSource};
use crate::config::{ModelConfig, PipelineKind};
use crate::error::{Error, Result};
use crate::image::Image;
use crate::runtime::{Device, Precision, ReadOnly, Shared, Worker, no_grad};
use crate::scheduler::Scheduler;
use crate::text::TextEncoders;
use crate::unet::{Unet, UnetConditioning};
use crate::vae::Vae;
use crate::weights::release_memory;
use adapters::{Adapted, Loaded};
use check::MAX_SIDE;
use prompts::LastPrompts;
use request::{Inpaint, Origin};

/// A model ready to draw. A clone is cheap and shares the weights; several may draw at once.
#[derive(Clone)]
pub struct Pipeline {
    models: Shared<Models>,
    /// What takes the place of some of the models.
    adapted: Option<Shared<Adapted>>,
    scheduler: Scheduler,
    device: Device,
    precision: Precision,
    vae_tiling: bool,
    /// Where the text encoders' weights are not kept.
    last_prompts: Option<Arc<LastPrompts>>,
    /// Does the jobs of this pipeline, one after the other; a clone has its own.
    worker: Worker,
}

/// The weights: read once, changed never.
struct Models {
    config: ModelConfig,
    text: TextEncoders,
    unet: Unet,
    vae: Vae,
    path: PathBuf,
    replaced: Replaced,
    /// The tensors of UNet and text encoders, by name.
    loaded: Loaded,
    /// Those that were merged while the weights were read.
    loras: Vec<AppliedLora>,
}

/// Where the parts that are not the model's own were read from.
struct Replaced {
    unet: Option<PathBuf>,
    /// The autoencoder or the tiny one.
    vae: Option<PathBuf>,
}

#[expect(unsafe_code, reason = "says that weights are only read")]
// SAFETY: no `forward` writes into its parameters; all but tensors is Send and Sync.
unsafe impl ReadOnly for Models {}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { models, scheduler, device, precision, vae_tiling, .. } = self;
        f.debug_struct("Pipeline")
            .field("path", &models.path)
            .field("kind", &self.kind())
            .field("scheduler", scheduler.solver())
            .field("device", device)
            .field("precision", precision)
            .field("vae_tiling", vae_tiling)
            .finish_non_exhaustive()
    }
}

/// An encoded [`Conditioning`]: reusable, and what was cut off its prompts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Encoded {
    /// The prompt.
    pub positive: TextEmbeddings,
    /// The negative prompt.
    pub negative: TextEmbeddings,
    /// The ends of prompts that did not fit into 77 tokens; none where the syntax divides them into chunks.
    pub cut: Vec<String>,
}

impl Pipeline {
    /// Reads a model: a diffusers folder, a folder of the Hugging Face cache or the name of a repository in
    /// it, or a single-file checkpoint.
    pub fn builder(path: impl Into<PathBuf>) -> PipelineBuilder {
        PipelineBuilder::new(path.into())
    }

    /// Reads a model that lies in memory, such as in a game's pack: its files are added to the builder. `name` is
    /// what the model is called in pictures and messages.
    ///
    /// ```no_run
    /// use sdxl::{MemoryFile, Pipeline};
    ///
    /// # let (pack, offset, size) = (std::fs::read("game.pack").unwrap(), 0, 1);
    /// let weights = MemoryFile::new(pack[offset..][..size].to_vec());
    /// let pipeline = Pipeline::in_memory("painter").file("model.safetensors", weights)?.build()?;
    /// # Ok::<(), sdxl::Error>(())
    /// ```
    pub fn in_memory(name: impl Into<PathBuf>) -> PipelineBuilder {
        PipelineBuilder::in_memory(name.into())
    }

    /// The shape of the model.
    pub fn config(&self) -> &ModelConfig {
        &self.models.config
    }

    /// The file or folder that the model was read from.
    pub fn path(&self) -> &Path {
        &self.models.path
    }

    fn autoencoder(&self) -> &'static str {
        match self.models.vae {
            Vae::Kl(_) => "AutoencoderKL",
            Vae::Tiny(_) => "AutoencoderTiny",
        }
    }

    /// What the model was made for.
    pub fn kind(&self) -> PipelineKind {
        self.models.config.kind()
    }

    /// The scheduler of the checkpoint, which requests use unless they have their own.
    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// Where the models compute.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Draws the pictures of a request.
    ///
    /// # Errors
    /// Those of [`sample`](Self::sample) and of the steps; [`Error::NonFinite`] where the weights or the
    /// compute type give no numbers.
    pub fn generate(&self, request: &Request) -> Result<Vec<Image>> {
        let mut sampling = self.sample(request)?;
        for progress in &mut sampling {
            progress?;
        }
        sampling.images()
    }

    /// Starts a request: the returned iterator takes one step at a time. Leaving the loop is cancelling.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the request does not fit the model.
    pub fn sample(&self, request: &Request) -> Result<Sampling> {
        Sampling::start(self, request)
    }

    /// Encodes the prompts of a conditioning, to use them many times. Prompt and negative prompt have contexts
    /// of the same length.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a prompt over 64 KiB or of over 100 chunks, for one with an impossible weight, and
    /// for a `clip_skip` that leaves no layer.
    pub fn encode(&self, conditioning: &Conditioning) -> Result<Encoded> {
        let _guard = no_grad();
        match &conditioning.text {
            TextSource::Prompts(prompts) => self.encode_prompts(prompts, conditioning.clip_skip),
            TextSource::Embeddings { positive, negative } => Ok(Encoded {
                positive: positive.clone(),
                negative: match negative {
                    Some(negative) => negative.clone(),
                    None if self.models.config.force_zeros_for_empty_prompt => positive.zeros_like()?,
                    None => self.encode(&Conditioning::builder("").build()?)?.positive,
                },
                cut: Vec::new(),
            }),
        }
    }

    /// The prompts that a request uses: a negative prompt that is not must not make the context of the prompt
    /// longer.
    fn encode_used(&self, request: &Request) -> Result<Encoded> {
        let _guard = no_grad();
        let asked = &request.conditioning;
        let is_used = request.guidance.is_on() && self.unet().config().time_cond_proj_dim.is_none();
        if is_used { self.encode(asked) } else { self.encode(&asked.without_negative()) }
    }

    /// Latents to pictures.
    ///
    /// # Errors
    /// [`Error::NonFinite`] where the autoencoder gives no numbers.
    pub fn decode(&self, latents: &Latents) -> Result<Vec<Image>> {
        Image::from_tensor(&self.decode_tensor(latents)?)
    }

    /// Latents to pictures as numbers: `(B, 3, height, width)` in about [-1, 1], f32, on the pipeline's
    /// device.
    ///
    /// # Errors
    /// [`Error::NonFinite`] where the autoencoder gives no numbers.
    pub fn decode_tensor(&self, latents: &Latents) -> Result<Tensor> {
        let _guard = no_grad();
        let latents = latents.tensor()?.f_to_device(self.device.tch())?;
        // One by one, in the memory of one.
        let rows = (0..latents.size4()?.0).map(|row| self.decode_one(&latents.f_narrow(0, row, 1)?));
        let pictures = Tensor::f_cat(&rows.collect::<Result<Vec<_>>>()?, 0)?;
        release_memory();
        Ok(pictures)
    }

    /// The shape of [`decode_tensor`](Self::decode_tensor)'s result.
    pub fn decoded_shape(&self, latents: &Latents) -> [usize; 4] {
        let factor = self.models.config.vae.factor();
        let [pictures, _, height, width] = latents.shape();
        [pictures, 3, height * factor, width * factor].map(|side| side as usize)
    }

    fn decode_one(&self, latents: &Tensor) -> Result<Tensor> {
        let vae = &self.models.vae;
        let image = if self.vae_tiling { vae.decode_tiled(latents)? } else { vae.decode(latents)? };
        if !is_finite(&image)? {
            return Err(Error::NonFinite { stage: "vae decoder", step: None });
        }
        Ok(image)
    }

    /// What the UNet is told: rows of one side of guidance, one for each picture.
    fn unet_conditioning(&self, text: &TextEmbeddings, ids: &[f32], batch: i64) -> Result<UnetConditioning> {
        let config = &self.models.config;
        let (tch, kind) = (self.device.tch(), self.precision.kind());
        let (context, pooled) = (text.context.tensor()?, text.pooled.tensor()?);
        let widths = (context.size3()?.2, pooled.size2()?.1);
        let expected = (config.unet.cross_attention_dim, config.text_encoder_2.projection_dim);
        if widths != expected {
            return Err(Error::invalid(
                "embeddings",
                format!("widths {} and {}", widths.0, widths.1),
                format!("{} and {} for this model", expected.0, expected.1),
            ));
        }
        let rows = |tensor: &Tensor| -> Result<Tensor> {
            let mut shape = tensor.size();
            let found = shape.first().copied().unwrap_or(0);
            if found != 1 && found != batch {
                return Err(Error::invalid(
                    "embeddings",
                    format!("{found} rows"),
                    format!("1 or {batch} rows"),
                ));
            }
            if let Some(first) = shape.first_mut() {
                *first = batch;
            }
            Ok(tensor.f_to_device(tch)?.f_to_kind(kind)?.f_expand(&shape, false)?)
        };
        let ids = Tensor::f_from_slice(ids)?.f_unsqueeze(0)?.f_to_device(tch)?;
        let ids = ids.f_expand([batch, ids.size2()?.1], false)?;
        let conditioning = UnetConditioning::new(rows(context)?, rows(pooled)?, ids)?;
        Ok(conditioning)
    }

    /// The size of a request's pictures on this model.
    fn size_of(&self, request: &Request) -> Result<Size> {
        let factor = self.models.config.vae.factor();
        let (field, latents) = match (&request.origin, &request.initial_noise) {
            (Origin::Latents(latents) | Origin::Resume { latents, .. }, _) => ("latents", latents),
            (Origin::Noise, Some(noise)) => ("initial_noise", noise),
            (Origin::Images(images), _) if !images.is_empty() => {
                return self.size_of_picture(request, images.first());
            }
            (Origin::Inpaint(Inpaint { pictures, .. }), _) if request.padding_mask_crop.is_none() => {
                return self.size_of_picture(request, pictures.first().map(|(image, _)| image));
            }
            _ => {
                let side = self.models.config.default_size();
                return self.checked_size(request, Size::new(side, side));
            }
        };
        let [_, channels, height, width] = latents.shape();
        let size = Size::new(width * factor, height * factor);
        let expected = Size::new(request.width.unwrap_or(size.width), request.height.unwrap_or(size.height));
        let latent_channels = self.models.config.vae.latent_channels;
        if channels != latent_channels || size != expected {
            return Err(Error::invalid(
                field,
                format!("{channels} channels of {width}x{height}"),
                format!(
                    "{latent_channels} channels of {}x{} for pictures of {expected}",
                    expected.width / factor,
                    expected.height / factor
                ),
            ));
        }
        Ok(size)
    }
}

impl Pipeline {
    /// The size asked for, or that of a picture.
    fn size_of_picture(&self, request: &Request, image: Option<&Image>) -> Result<Size> {
        let factor = self.models.config.vae.factor();
        let whole = |side: usize| side as i64 / factor * factor;
        let natural =
            image.map_or(Size::new(0, 0), |image| Size::new(whole(image.width()), whole(image.height())));
        self.checked_size(request, natural)
    }

    /// The size asked for, or the natural one.
    fn checked_size(&self, request: &Request, natural: Size) -> Result<Size> {
        let factor = self.models.config.vae.factor();
        let size =
            Size::new(request.width.unwrap_or(natural.width), request.height.unwrap_or(natural.height));
        let fits = |side: i64| (factor..=MAX_SIDE).contains(&side) && side % factor == 0;
        if !fits(size.width) || !fits(size.height) {
            let expected = format!("multiples of {factor} up to {MAX_SIDE} for this model");
            return Err(Error::invalid("size", size, expected));
        }
        Ok(size)
    }
}

/// Whether all numbers are finite. On CUDA this waits for the device.
fn is_finite(tensor: &Tensor) -> Result<bool> {
    is_true(&tensor.f_isfinite()?.f_all()?)
}

fn is_true(flag: &Tensor) -> Result<bool> {
    Ok(flag.f_to_kind(Kind::Int64)?.f_int64_value(&[])? != 0)
}
