//! Runs of diffusers' pipelines: their parameters (`tests/golden/*.json`) as requests, and the comparison.

use std::fs;

use sdxl::pipeline::RequestBuilder;
use sdxl::scheduler::{SchedulerName, Spacing};
use sdxl::{Conditioning, Crop, Guidance, Latents, Pipeline, Request, Sampling, Scheduler, Size};
use serde_json::{Map, Value};

use super::{Golden, relative_error, repository};

/// One run.
pub(crate) struct Case(pub(crate) Value);

/// The runs of a file.
pub(crate) fn cases(file: &str) -> Vec<Case> {
    let text = fs::read_to_string(repository("tests/golden").join(file)).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    all["cases"].as_array().unwrap().iter().cloned().map(Case).collect()
}

impl Case {
    pub(crate) fn name(&self) -> &str {
        self.0["name"].as_str().unwrap()
    }

    pub(crate) fn seeds(&self) -> Vec<u64> {
        self.0["seeds"].as_array().unwrap().iter().map(|seed| seed.as_u64().unwrap()).collect()
    }

    /// `Class.from_config(pipe.scheduler.config, **overrides)`; by its name on the command line where the case has
    /// one, which then implies some of the overrides.
    pub(crate) fn scheduler(&self) -> Scheduler {
        let path = repository("tests/models/base/scheduler/scheduler_config.json");
        let mut config: Map<String, Value> =
            serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        config.extend(self.0["scheduler"]["overrides"].as_object().unwrap().clone());
        // A list of seeds is one for each picture, which is what a batch has here anyway.
        if config.get("noise_sampler_seed").is_some_and(Value::is_array) {
            config.remove("noise_sampler_seed");
        }
        let eta = self.0["call"]["eta"].as_f64().unwrap_or(0.);
        let scheduler = match self.0["scheduler"]["name"].as_str() {
            Some(name) => {
                let name: SchedulerName = name.parse().unwrap();
                let scheduler = Scheduler::from_config(&Value::Object(config).to_string()).unwrap();
                scheduler.with_name(name).unwrap()
            }
            None => {
                config.insert("_class_name".into(), self.0["scheduler"]["class"].clone());
                Scheduler::from_config(&Value::Object(config).to_string()).unwrap()
            }
        };
        // Align Your Steps, whose sigmas diffusers' call is given.
        let scheduler = match self.0["call"]["sigmas"].as_array() {
            Some(sigmas) => {
                let sigmas = sigmas.iter().map(|sigma| sigma.as_f64().unwrap()).collect();
                scheduler.to_builder().spacing(Spacing::Sigmas(sigmas)).build().unwrap()
            }
            None => scheduler,
        };
        if eta == 0. { scheduler } else { scheduler.with_eta(eta).unwrap() }
    }

    /// The parameters of the call.
    pub(crate) fn request(&self) -> RequestBuilder {
        let call = &self.0["call"];
        let text = |name: &str| call[name].as_str();
        let pair = |name: &str| Some((call[name][0].as_i64()?, call[name][1].as_i64()?));
        let size = |name: &str| pair(name).map(|(height, width)| Size::new(width, height));
        let crop = |name: &str| pair(name).map(|(top, left)| Crop::new(left, top)).unwrap_or_default();

        let mut conditioning = Conditioning::builder(text("prompt").unwrap());
        if let Some(prompt) = text("prompt_2") {
            conditioning = conditioning.prompt_2(prompt);
        }
        if let Some(prompt) = text("negative_prompt") {
            conditioning = conditioning.negative_prompt(prompt);
        }
        if let Some(prompt) = text("negative_prompt_2") {
            conditioning = conditioning.negative_prompt_2(prompt);
        }
        if let Some(layers) = call["clip_skip"].as_u64() {
            conditioning = conditioning.clip_skip(layers as usize);
        }
        if let Some(size) = size("original_size") {
            conditioning = conditioning.original_size(size);
        }
        if let Some(size) = size("target_size") {
            conditioning = conditioning.target_size(size);
        }
        conditioning = conditioning.crop(crop("crops_coords_top_left"));
        // Text to image uses the negative sizes only where both are given; the others each alone.
        let negative = (size("negative_original_size"), size("negative_target_size"));
        let is_text_to_image = call.get("strength").is_none();
        if !is_text_to_image || (negative.0.is_some() && negative.1.is_some()) {
            conditioning = conditioning.negative_crop(crop("negative_crops_coords_top_left"));
            if let Some(size) = negative.0 {
                conditioning = conditioning.negative_original_size(size);
            }
            if let Some(size) = negative.1 {
                conditioning = conditioning.negative_target_size(size);
            }
        }
        if let Some(score) = call["aesthetic_score"].as_f64() {
            conditioning = conditioning.aesthetic_score(score);
        }
        if let Some(score) = call["negative_aesthetic_score"].as_f64() {
            conditioning = conditioning.negative_aesthetic_score(score);
        }
        let guidance = Guidance::new(call["guidance_scale"].as_f64().unwrap())
            .and_then(|guidance| guidance.rescale(call["guidance_rescale"].as_f64().unwrap_or(0.)))
            .unwrap();
        let mut request = Request::builder(conditioning.build().unwrap())
            .steps(call["num_inference_steps"].as_u64().unwrap() as usize)
            .guidance(guidance)
            .seeds(&self.seeds())
            .scheduler(self.scheduler());
        if let (Some(height), Some(width)) = (call["height"].as_i64(), call["width"].as_i64()) {
            request = request.size(Size::new(width, height));
        }
        request
    }

    /// Runs the case and compares the latents after every step, and at the end.
    pub(crate) fn compare(&self, pipeline: &Pipeline, golden: &Golden, tolerance: f64) -> Latents {
        self.compare_request(self.request(), (pipeline, golden), tolerance)
    }

    pub(crate) fn compare_request(
        &self,
        request: RequestBuilder,
        models: (&Pipeline, &Golden),
        tolerance: f64,
    ) -> Latents {
        self.finish(request, models, tolerance).latents().unwrap()
    }

    /// The same, with the run at its end. Where it draws fewer pictures than the golden, those are the first.
    pub(crate) fn finish(
        &self,
        request: RequestBuilder,
        (pipeline, golden): (&Pipeline, &Golden),
        tolerance: f64,
    ) -> Sampling {
        let name = self.name();
        let mut sampling = pipeline.sample(&request.build().unwrap()).unwrap();
        // diffusers counts calls of the network: solvers with two in a step have latents in between.
        let pictures = sampling.latents().unwrap().tensor().unwrap().size()[0];
        let steps = golden.get(&format!("{name}.steps")).narrow(1, 0, pictures);
        let count = steps.size()[0];
        let mut taken = 0;
        let mut worst: f64 = 0.;
        while let Some(progress) = sampling.next() {
            let progress = progress.unwrap();
            taken += 1;
            if count == progress.of as i64 {
                let error =
                    relative_error(sampling.latents().unwrap().tensor().unwrap(), &steps.get(taken - 1));
                assert!(error <= tolerance, "{name}, step {taken}: relative error {error:.2e}");
                worst = worst.max(error);
            }
        }
        let latents = sampling.latents().unwrap();
        let expected = golden.get(&format!("{name}.latents")).narrow(0, 0, pictures);
        let error = relative_error(latents.tensor().unwrap(), &expected);
        eprintln!("{name}: {taken} steps {worst:.1e}, final latents {error:.1e}");
        assert!(error <= tolerance, "{name}: final latents {error:.2e}");
        sampling
    }
}
