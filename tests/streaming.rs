//! Text encoders that are read whenever a prompt is encoded: the same pictures, to the last bit, with all adapters; and
//! files that change meanwhile.

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::headers::scratch;
use common::{final_latents, repository, save};
use sdxl::pipeline::{PipelineBuilder, write_random_model};
use sdxl::{
    Conditioning, Error, Guidance, Lora, MemoryFile, Pipeline, Precision, Request, TextualInversion,
    WeightedLora,
};
use tch::Tensor;

fn model(test: &str, precision: Precision) -> PathBuf {
    let folder = scratch(&format!("streaming-{test}"));
    write_random_model(repository("tests/models/base"), &folder, 0, precision).unwrap();
    folder
}

fn normal(shape: &[i64], scale: f64) -> Tensor {
    let count = shape.iter().product::<i64>();
    (Tensor::arange(count, (tch::Kind::Float, tch::Device::Cpu)) * 0.7).sin().reshape(shape) * scale
}

/// A LoRA of both text encoders and the UNet.
fn lora(folder: &Path) -> WeightedLora {
    let path = folder.join("lora.safetensors");
    let pair = |layer: &str, rows: i64, columns: i64| {
        [
            (format!("{layer}.lora_down.weight"), normal(&[2, columns], 0.5)),
            (format!("{layer}.lora_up.weight"), normal(&[rows, 2], 0.5)),
        ]
    };
    let tensors: Vec<_> = [
        pair("lora_te1_text_model_encoder_layers_0_mlp_fc1", 64, 32),
        pair("lora_te2_text_model_encoder_layers_1_self_attn_q_proj", 40, 40),
        pair("lora_unet_mid_block_attentions_0_proj_in", 32, 32),
    ]
    .into_iter()
    .flatten()
    .collect();
    save(&path, &tensors);
    Lora::open(path).unwrap().weight(0.8).unwrap()
}

/// A textual inversion for both encoders.
fn inversion(folder: &Path) -> TextualInversion {
    let path = folder.join("mossy.safetensors");
    save(&path, &[("clip_l".into(), normal(&[2, 32], 0.3)), ("clip_g".into(), normal(&[2, 40], 0.3))]);
    TextualInversion::open(path).unwrap()
}

const PROMPTS: [&str; 3] = ["a photo of a cat", "a mossy stone", "a photo of a cat"];

fn request(prompt: &str, seed: u64) -> Request {
    let conditioning = Conditioning::builder(prompt).negative_prompt("blurry").build().unwrap();
    let guidance = Guidance::new(5.).unwrap();
    Request::builder(conditioning).steps(1).guidance(guidance).seed(seed).build().unwrap()
}

/// Latents of several prompts in turn.
fn latents(pipeline: &Pipeline) -> Vec<Tensor> {
    let drawn = PROMPTS.iter().zip([0, 0, 1]);
    drawn.map(|(prompt, seed)| final_latents(pipeline, &request(prompt, seed))).collect()
}

#[test]
fn pictures_are_the_same_with_every_adapter() {
    // In f16 sums that were rounded at another place would show.
    for precision in [Precision::F16, Precision::F32] {
        let folder = model("adapters", precision);
        let (lora, inversion) = (lora(&folder), inversion(&folder));
        let build = |change: &dyn Fn(PipelineBuilder) -> PipelineBuilder| {
            [false, true].map(|stream| {
                change(Pipeline::builder(&folder)).stream_text_encoders(stream).build().unwrap()
            })
        };
        let [kept, streamed] = build(&|builder| builder);
        let [kept_merged, streamed_merged] =
            build(&|builder| builder.weighted_lora(lora.clone()).merge_loras());
        let loras = std::slice::from_ref(&lora);
        let inversions = std::slice::from_ref(&inversion);
        type Adapt<'a> = &'a dyn Fn(&Pipeline) -> Pipeline;
        let ways: [(&str, Adapt); 5] = [
            ("nothing", &|pipeline| pipeline.clone()),
            ("beside", &|pipeline| pipeline.with_loras(loras).unwrap()),
            ("merged", &|pipeline| pipeline.with_merged_loras(loras).unwrap()),
            ("words", &|pipeline| pipeline.with_embeddings(inversions).unwrap()),
            ("both", &|pipeline| pipeline.with_loras(loras).unwrap().with_embeddings(inversions).unwrap()),
        ];
        for (base, [kept, streamed]) in
            [("plain", [&kept, &streamed]), ("merged at load", [&kept_merged, &streamed_merged])]
        {
            let without = latents(kept);
            for (way, adapt) in ways {
                let expected = latents(&adapt(kept));
                assert_eq!(latents(&adapt(streamed)), expected, "{precision:?}, {base}, {way}");
                assert_eq!(expected != without, way != "nothing", "{base}, {way}");
            }
        }
        // What was encoded last with an adapter is not used without it, and the reverse.
        let adapted = streamed.with_loras(loras).unwrap();
        let first = final_latents(&streamed, &request(PROMPTS[0], 0));
        assert_ne!(final_latents(&adapted, &request(PROMPTS[0], 0)), first);
        let without = adapted.with_loras(&[]).unwrap();
        assert_eq!(final_latents(&without, &request(PROMPTS[0], 0)), first);
    }
}

/// Nothing of the encoders is kept but what the last prompts gave, and files that change meanwhile are an error.
#[test]
fn weights_are_read_again_for_another_prompt() {
    let folder = model("again", Precision::F16);
    let kept = Pipeline::builder(&folder).build().unwrap();
    let streamed = Pipeline::builder(&folder).stream_text_encoders(true).build().unwrap();
    let drawn = final_latents(&streamed, &request(PROMPTS[0], 0));
    let expected = latents(&kept);
    assert_eq!(drawn, expected[0]);

    let file =
        fs::OpenOptions::new().write(true).open(folder.join("text_encoder/model.safetensors")).unwrap();
    let size = file.metadata().unwrap().len();
    file.set_len(size / 2).unwrap();
    // The same prompts with another seed need no encoder.
    assert_eq!(final_latents(&streamed, &request(PROMPTS[2], 1)), expected[2]);
    match streamed.sample(&request(PROMPTS[1], 0)) {
        Err(Error::Io { path, .. }) => assert!(path.ends_with("text_encoder/model.safetensors")),
        other => panic!("{other:?}"),
    }
    assert_eq!(latents(&kept), expected);
    // Its name may go: it stays open.
    let folder = model("gone", Precision::F16);
    let streamed = Pipeline::builder(&folder).stream_text_encoders(true).build().unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(latents(&streamed), expected);
}

#[test]
fn a_model_in_memory_is_kept_for_it() {
    let folder = model("memory", Precision::F16);
    let expected = latents(&Pipeline::builder(&folder).build().unwrap());
    let mut builder = Pipeline::in_memory("painter").stream_text_encoders(true);
    let files = [
        "model_index.json",
        "scheduler/scheduler_config.json",
        "text_encoder/config.json",
        "text_encoder/model.safetensors",
        "text_encoder_2/config.json",
        "text_encoder_2/model.safetensors",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
    ];
    for file in files {
        builder = builder.file(file, MemoryFile::new(fs::read(folder.join(file)).unwrap())).unwrap();
    }
    let pipeline = builder.build().unwrap();
    drop(builder);
    assert_eq!(latents(&pipeline), expected);
}
