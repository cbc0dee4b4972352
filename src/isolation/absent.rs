//! [`Isolated`] where there is no such thing: none can be made.

use serde::de::DeserializeOwned;

use super::protocol::{Adapters, Model, Task};
use crate::config::ModelConfig;
use crate::error::{Error, Result};
use crate::pipeline::{JobBuilder, PipelineBuilder, Request};

#[derive(Clone)]
pub(crate) enum Isolated {}

fn refused<T>() -> Result<T> {
    Err(Error::Worker {
        reason: "needs Linux: on this system pipelines are in the host's own process".into(),
    })
}

impl Isolated {
    pub(super) fn load(_: PipelineBuilder) -> Result<Self> {
        refused()
    }

    pub(super) fn check(_: PipelineBuilder) -> Result<ModelConfig> {
        refused()
    }

    pub(super) fn adapted(&self, _: Adapters) -> Result<Self> {
        match *self {}
    }

    pub(super) fn model(&self) -> &Model {
        match *self {}
    }

    pub(super) fn builder(&self) -> &PipelineBuilder {
        match *self {}
    }

    pub(super) fn job(&self, _: &Request) -> JobBuilder<'_> {
        match *self {}
    }

    pub(super) fn call<T: DeserializeOwned>(&self, _: Task) -> Result<T> {
        match *self {}
    }
}
