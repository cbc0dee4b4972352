//! [`Engine`]: a pipeline in this process or in one of its own, as the C interface sees it.

use std::path::Path;

use super::isolated::Isolated;
use super::protocol::{Adapters, Applied, Task};
use crate::conditioning::Conditioning;
use crate::config::ModelConfig;
use crate::error::Result;
use crate::image::Image;
use crate::noise::NoiseSource;
use crate::pipeline::{AppliedLora, Encoded, JobBuilder, Latents, Pipeline, PipelineBuilder, Request};
use crate::runtime::Device;
use crate::scheduler::Scheduler;
use crate::weights::{InversionByPath, LoraByPath, TextualInversion, WeightedLora};

/// A pipeline, wherever it is. Its methods are those of [`Pipeline`].
#[derive(Clone)]
pub(crate) enum Engine {
    /// In this process.
    Here(Box<Pipeline>),
    /// In a process of its own.
    Apart(Isolated),
}

impl Engine {
    /// Reads a model, where the builder says.
    pub(crate) fn load(builder: PipelineBuilder) -> Result<Self> {
        match builder.isolation.is_on {
            true => Isolated::load(builder).map(Self::Apart),
            false => Ok(Self::Here(Box::new(builder.build()?))),
        }
    }

    /// Checks a model without reading its weights.
    pub(crate) fn check(builder: PipelineBuilder) -> Result<ModelConfig> {
        if builder.isolation.is_on { Isolated::check(builder) } else { builder.check() }
    }

    pub(crate) fn config(&self) -> &ModelConfig {
        match self {
            Self::Here(pipeline) => pipeline.config(),
            Self::Apart(isolated) => &isolated.model().config,
        }
    }

    pub(crate) fn scheduler(&self) -> &Scheduler {
        match self {
            Self::Here(pipeline) => pipeline.scheduler(),
            Self::Apart(isolated) => &isolated.model().scheduler,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Here(pipeline) => pipeline.path(),
            Self::Apart(isolated) => isolated.builder().path(),
        }
    }

    pub(crate) fn device(&self) -> Device {
        match self {
            Self::Here(pipeline) => pipeline.device(),
            Self::Apart(isolated) => isolated.builder().chosen_device(),
        }
    }

    pub(crate) fn job(&self, request: &Request) -> JobBuilder<'_> {
        match self {
            Self::Here(pipeline) => pipeline.job(request),
            Self::Apart(isolated) => isolated.job(request),
        }
    }

    pub(crate) fn encode(&self, conditioning: &Conditioning) -> Result<Encoded> {
        match self {
            Self::Here(pipeline) => pipeline.encode(conditioning),
            Self::Apart(isolated) => isolated.call(Task::Encode(conditioning.clone())),
        }
    }

    pub(crate) fn cut(&self, conditioning: &Conditioning) -> Result<Vec<String>> {
        match self {
            Self::Here(pipeline) => pipeline.cut(conditioning),
            Self::Apart(isolated) => isolated.call(Task::Cut(conditioning.clone())),
        }
    }

    pub(crate) fn encode_images(&self, images: &[Image], seeds: &[u64]) -> Result<Latents> {
        match self {
            Self::Here(pipeline) => pipeline.encode_images(images, &mut NoiseSource::new(seeds)?),
            Self::Apart(isolated) => isolated.call(Task::EncodeImages(images.to_vec(), seeds.to_vec())),
        }
    }

    pub(crate) fn decode(&self, latents: &Latents) -> Result<Vec<Image>> {
        match self {
            Self::Here(pipeline) => pipeline.decode(latents),
            Self::Apart(isolated) => isolated.call(Task::Decode(latents.clone())),
        }
    }

    /// How many numbers [`decode_values`](Self::decode_values) gives.
    pub(crate) fn decoded_count(&self, latents: &Latents) -> usize {
        let factor = self.config().vae.factor();
        let [pictures, _, height, width] = latents.shape();
        (pictures * 3 * height * factor * width * factor) as usize
    }

    /// The pictures as numbers, row by row.
    pub(crate) fn decode_values(&self, latents: &Latents) -> Result<Vec<f32>> {
        let pictures = match self {
            Self::Here(pipeline) => Latents::new(pipeline.decode_tensor(latents)?)?,
            Self::Apart(isolated) => isolated.call(Task::DecodeValues(latents.clone()))?,
        };
        Ok(pictures.to_array::<f32>()?.into_raw_vec_and_offset().0)
    }

    pub(crate) fn with_loras(&self, loras: &[WeightedLora]) -> Result<Self> {
        match self {
            Self::Here(pipeline) => Ok(Self::Here(Box::new(pipeline.with_loras(loras)?))),
            Self::Apart(isolated) => isolated.adapted(Adapters::Loras(by_path(loras))).map(Self::Apart),
        }
    }

    pub(crate) fn with_merged_loras(&self, loras: &[WeightedLora]) -> Result<Self> {
        match self {
            Self::Here(pipeline) => Ok(Self::Here(Box::new(pipeline.with_merged_loras(loras)?))),
            Self::Apart(isolated) => isolated.adapted(Adapters::MergedLoras(by_path(loras))).map(Self::Apart),
        }
    }

    pub(crate) fn with_embeddings(&self, all: &[TextualInversion]) -> Result<Self> {
        match self {
            Self::Here(pipeline) => Ok(Self::Here(Box::new(pipeline.with_embeddings(all)?))),
            Self::Apart(isolated) => {
                let all = all.iter().map(InversionByPath::from).collect();
                isolated.adapted(Adapters::TextualInversions(all)).map(Self::Apart)
            }
        }
    }

    pub(crate) fn loras(&self) -> Result<Vec<AppliedLora>> {
        match self {
            Self::Here(pipeline) => Ok(pipeline.loras().cloned().collect()),
            Self::Apart(isolated) => {
                isolated.call::<Vec<Applied>>(Task::Loras)?.into_iter().map(Applied::open).collect()
            }
        }
    }

    pub(crate) fn embeddings(&self) -> Result<Vec<TextualInversion>> {
        match self {
            Self::Here(pipeline) => Ok(pipeline.embeddings().to_vec()),
            Self::Apart(isolated) => {
                let all: Vec<InversionByPath> = isolated.call(Task::TextualInversions)?;
                all.iter().map(InversionByPath::open).collect()
            }
        }
    }
}

fn by_path(loras: &[WeightedLora]) -> Vec<LoraByPath> {
    loras.iter().map(LoraByPath::from).collect()
}
