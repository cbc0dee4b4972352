//! [`Stages`]: a model, and perhaps a second one that refines what it draws.

use std::path::Path;

use sdxl::pipeline::RequestBuilder;
use sdxl::{Image, Pipeline, Request, Result, Sampling};

/// The paper's two stages, or the first alone.
pub struct Stages {
    pub base: Pipeline,
    pub refiner: Option<Pipeline>,
    /// At which part of the steps the refiner takes over.
    pub switch_at: f64,
}

impl Stages {
    /// Opens the models; the refiner takes the last fifth.
    pub fn open(model: &Path, refiner: Option<&Path>) -> Result<Self> {
        let base = Pipeline::builder(model).build()?;
        let refiner = refiner.map(|path| Pipeline::builder(path).build()).transpose()?;
        Ok(Self { base, refiner, switch_at: 0.8 })
    }

    /// The first picture of a request.
    pub fn draw(&self, request: RequestBuilder) -> Result<Image> {
        let Some(refiner) = &self.refiner else {
            return Ok(self.base.generate(&request.build()?)?.remove(0));
        };
        let first = run(&self.base, &request.clone().end_at(self.switch_at).build()?)?;
        let second = request.resume(first.latents()?, self.switch_at).skip_draws(first.draws());
        Ok(run(refiner, &second.build()?)?.images()?.remove(0))
    }
}

fn run(pipeline: &Pipeline, request: &Request) -> Result<Sampling> {
    let mut sampling = pipeline.sample(request)?;
    for progress in &mut sampling {
        progress?;
    }
    Ok(sampling)
}
