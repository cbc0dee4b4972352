//! [`Engine`]: a pipeline in this process or in one of its own, as the C interface sees it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::isolated::Isolated;
use super::protocol::Order;
use crate::conditioning::Conditioning;
use crate::config::PipelineKind;
use crate::error::Result;
use crate::image::Image;
use crate::pipeline::{Encoded, JobBuilder, Latents, Pipeline, PipelineBuilder, Request};
use crate::scheduler::Scheduler;

/// A pipeline, wherever it is.
#[derive(Clone)]
pub(crate) enum Engine {
    /// In this process.
    Here(Box<Pipeline>),
    /// In a process of its own.
    Apart(Isolated),
}

/// What a pipeline is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Info {
    pub(crate) kind: PipelineKind,
    pub(crate) default_size: i64,
    pub(crate) latent_channels: i64,
    pub(crate) latent_factor: i64,
    pub(crate) context_width: i64,
    pub(crate) pooled_width: i64,
    pub(crate) scheduler: Scheduler,
}

impl Info {
    pub(super) fn of(pipeline: &Pipeline) -> Self {
        let config = pipeline.config();
        Self {
            kind: pipeline.kind(),
            default_size: config.default_size(),
            latent_channels: config.vae.latent_channels,
            latent_factor: config.vae.factor(),
            context_width: config.unet.cross_attention_dim,
            pooled_width: config.text_encoder_2.projection_dim,
            scheduler: pipeline.scheduler().clone(),
        }
    }
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
    pub(crate) fn check(builder: PipelineBuilder) -> Result<()> {
        if builder.isolation.is_on { Isolated::check(builder) } else { builder.check().map(drop) }
    }

    pub(crate) fn info(&self) -> Info {
        match self {
            Self::Here(pipeline) => Info::of(pipeline),
            Self::Apart(isolated) => isolated.info().clone(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Here(pipeline) => pipeline.path(),
            Self::Apart(isolated) => isolated.path(),
        }
    }

    pub(crate) fn job(&self, request: &Request) -> JobBuilder<'_> {
        match self {
            Self::Here(pipeline) => pipeline.job(request),
            Self::Apart(isolated) => isolated.job(request),
        }
    }

    pub(crate) fn encode(&self, conditioning: Conditioning) -> Result<Encoded> {
        match self {
            Self::Here(pipeline) => pipeline.encode(&conditioning),
            Self::Apart(isolated) => isolated.call(&Order::Encode(conditioning)),
        }
    }

    pub(crate) fn decode(&self, latents: Latents) -> Result<Vec<Image>> {
        match self {
            Self::Here(pipeline) => pipeline.decode(&latents),
            Self::Apart(isolated) => isolated.call(&Order::Decode(latents)),
        }
    }
}
