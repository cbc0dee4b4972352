//! [`Recipe`]: how a picture was made, as texts that its file carries.

use std::path::Path;

use serde_json::{Value, json};

use super::request::{Inpaint, Origin, Variation};
use super::{AppliedLora, Pipeline, Request};
use crate::conditioning::{Conditioning, MicroConditioning, Prompts, Size, TextSource};
use crate::image::{DigitalSource, Image, XMP_KEYWORD};
use crate::scheduler::Scheduler;
use crate::unet::FreeU;
use crate::weights::{TextualInversion, WeightedLora};

/// Everything needed to make a picture again.
#[derive(Debug)]
pub(super) struct Recipe {
    size: Size,
    seeds: Vec<u64>,
    /// The settings that all pictures of the request share.
    shared: Value,
    prompts: Option<Prompts>,
    source: DigitalSource,
}

impl Recipe {
    pub(super) fn new(pipeline: &Pipeline, request: &Request, scheduler: &Scheduler, size: Size) -> Self {
        let conditioning = &request.conditioning;
        let (lowest, highest) = request.guidance.sigmas();
        // Everywhere is up to null.
        let sigmas = (lowest, highest.is_finite().then_some(highest));
        let shared = json!({
            "generator": concat!("sdxl ", env!("CARGO_PKG_VERSION")),
            "model": name_of(pipeline.path()),
            "unet": pipeline.models.replaced.unet.as_deref().map(name_of),
            "vae": pipeline.models.replaced.vae.as_deref().map(name_of),
            "autoencoder": pipeline.autoencoder(),
            "loras": loras(pipeline),
            "embeddings": pipeline.embeddings().iter().flat_map(TextualInversion::words).collect::<Vec<_>>(),
            "origin": origin(request),
            "end_at": request.end_at,
            "precision": pipeline.precision.to_string(),
            "size": size.to_string(),
            "steps": request.steps,
            "solver": format!("{:?}", scheduler.solver()),
            "scheduler": scheduler.config(),
            "guidance": request.guidance.scale(),
            "guidance_sigmas": sigmas,
            "guidance_rescale": request.guidance.rescale_fraction(),
            "freeu": request.freeu.map(|FreeU { s1, s2, b1, b2 }| json!({ "s1": s1, "s2": s2, "b1": b1, "b2": b2 })),
            "deep_cache": request.deep_cache,
            "perturbed_attention": request.perturbed_attention.as_ref().map(|perturbed| json!({
                "scale": perturbed.scale(),
                "adaptive_scale": perturbed.adaptive(),
                "layers": perturbed.layer_parts(),
            })),
            "initial_noise": if request.initial_noise.is_some() { "given" } else { "drawn from the seed" },
            "variation": request.variation.map(|Variation { seed, strength }| json!({ "seed": seed, "strength": strength })),
            "hires": request.hires.map(|hires| hires.describe()),
            "watermark": request.watermark,
            "conditioning": describe(conditioning),
        });
        let prompts = match &conditioning.text {
            TextSource::Prompts(prompts) => Some(prompts.clone()),
            TextSource::Embeddings { .. } => None,
        };
        Self { size, seeds: request.seeds.clone(), shared, prompts, source: source(request) }
    }

    /// The picture with three texts: `parameters`, the line that other programs read; `sdxl`, JSON with every setting;
    /// and an XMP packet, which says that a model made it.
    pub(super) fn describe(&self, image: Image, index: usize) -> Image {
        let seed = self.seeds.get(index).copied().unwrap_or(0);
        let mut all = self.shared.clone();
        if let Value::Object(fields) = &mut all {
            fields.insert("seed".into(), seed.into());
            if let Some(Value::Object(variation)) = fields.get_mut("variation") {
                let first = variation.get("seed").and_then(Value::as_u64).unwrap_or(0);
                variation.insert("seed".into(), first.wrapping_add(index as u64).into());
            }
        }
        image
            .with_text("parameters", self.parameters(seed, &all))
            .with_text("sdxl", all.to_string())
            .with_text(XMP_KEYWORD, self.source.xmp())
    }

    /// The convention of A1111's web interface: prompt, negative prompt, and a line of settings.
    fn parameters(&self, seed: u64, all: &Value) -> String {
        let setting = |name: &str| all.get(name).map(Value::to_string).unwrap_or_default();
        let plain = |name: &str| setting(name).trim_matches('"').to_owned();
        let mut text = String::new();
        if let Some(prompts) = &self.prompts {
            text.push_str(&prompts.prompt);
            if let Some(negative) = &prompts.negative_prompt {
                text.push_str(&format!("\nNegative prompt: {negative}"));
            }
            text.push('\n');
        }
        // A value with a comma, colon or line break stands in quotes there.
        text.push_str(&format!(
            "Steps: {}, Sampler: {}, CFG scale: {}, Seed: {seed}, Size: {}, Model: {}{}, RNG: CPU, Version: {}",
            setting("steps"),
            setting("solver"),
            setting("guidance"),
            self.size,
            setting("model"),
            optional(all),
            plain("generator"),
        ));
        text
    }
}

/// The name of a model or of a part of one: that of its file or folder, with the folder that it lies in where all such
/// files have the same name; or `organisation/name` in the Hugging Face cache, whose folders are named by revisions.
fn name_of(path: &Path) -> String {
    let part = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let repository = path.ancestors().filter_map(part).find(|name| name.starts_with("models--"));
    if let Some(repository) = repository {
        return repository.trim_start_matches("models--").replacen("--", "/", 1);
    }
    let says_little =
        |name: &str| ["unet", "vae"].contains(&name) || name.starts_with("diffusion_pytorch_model.");
    let mut folders = path.ancestors().filter_map(part);
    let Some(mut name) = folders.next() else { return path.to_string_lossy().into_owned() };
    for folder in folders {
        if !name.split('/').next().is_some_and(says_little) {
            break;
        }
        name = format!("{folder}/{name}");
    }
    name
}

/// The LoRAs, by the names of their files.
fn loras(pipeline: &Pipeline) -> Value {
    let name =
        |lora: &WeightedLora| lora.lora().path().file_stem().map(|name| name.to_string_lossy().into_owned());
    let describe = |AppliedLora { lora, .. }: &AppliedLora| {
        json!({
            "name": name(lora),
            "weight": lora.unet_weight(),
            "text_encoders_weight": lora.text_encoders_weight(),
            "blocks": lora.blocks(),
        })
    };
    pipeline.loras().map(describe).collect()
}

/// The settings of that line that are there only where they are used, by their names there.
fn optional(all: &Value) -> String {
    const NAMES: &[(&str, &str)] = &[
        ("/vae", "VAE"),
        ("/unet", "UNet"),
        ("/variation/seed", "Variation seed"),
        ("/variation/strength", "Variation seed strength"),
        ("/origin/strength", "Denoising strength"),
        ("/hires/strength", "Denoising strength"),
        ("/hires/scale", "Hires upscale"),
        ("/hires/steps", "Hires steps"),
        ("/hires/upscaler", "Hires upscaler"),
    ];
    let given = NAMES.iter().filter_map(|(path, name)| match all.pointer(path)? {
        Value::Null => None,
        Value::String(value) if !value.contains([',', ':', '\n']) => Some(format!(", {name}: {value}")),
        value => Some(format!(", {name}: {value}")),
    });
    given.collect()
}

/// What the run began with. Pictures and latents are not repeated in the file.
fn origin(request: &Request) -> Value {
    match &request.origin {
        Origin::Noise => json!("noise"),
        Origin::Images(_) => json!({ "image": "given", "strength": request.strength() }),
        Origin::Latents(_) => json!({ "latents": "given", "strength": request.strength() }),
        Origin::Inpaint(Inpaint { overlay, .. }) => json!({
            "image": "given",
            "mask": "given",
            "strength": request.strength(),
            "overlay": overlay,
            "padding_mask_crop": request.padding_mask_crop,
        }),
        Origin::Outpaint { margins, .. } => json!({ "image": "given", "outpaint": margins.to_string() }),
        Origin::Resume { at, .. } => {
            json!({ "latents": "of another run", "at": at, "skip_draws": request.skip_draws })
        }
    }
}

/// Latents are those of a picture, but for those that another run left: what that began with is not known here.
fn source(request: &Request) -> DigitalSource {
    match request.origin {
        Origin::Noise | Origin::Resume { .. } => DigitalSource::Generated,
        Origin::Images(_) | Origin::Latents(_) | Origin::Inpaint(_) | Origin::Outpaint { .. } => {
            DigitalSource::Edited
        }
    }
}

fn describe(conditioning: &Conditioning) -> Value {
    let micro = |micro: MicroConditioning| {
        json!({
            "original_size": micro.original_size.map(|size| size.to_string()),
            "crop": micro.crop.to_string(),
            "target_size": micro.target_size.map(|size| size.to_string()),
        })
    };
    let text = match &conditioning.text {
        TextSource::Prompts(prompts) => json!({
            "prompt": prompts.prompt,
            "prompt_2": prompts.prompt_2,
            "negative_prompt": prompts.negative_prompt,
            "negative_prompt_2": prompts.negative_prompt_2,
            "prompt_syntax": prompts.syntax.to_string(),
        }),
        TextSource::Embeddings { .. } => json!("embeddings"),
    };
    json!({
        "text": text,
        "clip_skip": conditioning.clip_skip,
        "aesthetic_score": conditioning.aesthetic_scores.positive,
        "negative_aesthetic_score": conditioning.aesthetic_scores.negative,
        "micro": micro(conditioning.micro),
        "negative_micro": micro(conditioning.negative_micro),
    })
}
