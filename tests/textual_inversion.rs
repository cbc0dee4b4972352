//! Textual inversions against diffusers on a tiny model (`tests/golden/embeddings.py`): words of one and of several
//! vectors; their places in weighted and long prompts; files.
//!
//! Tolerance: 1e-5 relative, where diffusers' own rounding is 3e-6.

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::headers::scratch;
use common::{Golden, final_latents, relative_error, repository, save};
use sdxl::pipeline::write_random_model;
use sdxl::text::{Chunks, Padding, Tokenizer, WeightedPrompt};
use sdxl::weights::RandomWeights;
use sdxl::{Conditioning, Error, Guidance, Pipeline, Precision, PromptSyntax, Request, TextualInversion};
use tch::{Kind, Tensor};

const TOLERANCE: f64 = 1e-5;
const SECOND: (&str, i64) = ("<glass-owl>", 3);

fn model(test: &str) -> (PathBuf, Pipeline) {
    let folder = scratch(&format!("inversion-{test}"));
    write_random_model(repository("tests/models/base"), &folder, 0, Precision::F32).unwrap();
    let pipeline = Pipeline::builder(&folder).build().unwrap();
    (folder, pipeline)
}

/// The vectors of a word, as the reference makes them.
fn vectors(word: &str, component: &str, count: i64) -> Tensor {
    let width = if component == "text_encoder" { 32 } else { 40 };
    let numbers = count * width;
    // The values of three columns are r itself.
    let r =
        RandomWeights::new(0, "embedding").values(&format!("{word}/{component}"), &[(numbers + 2) / 3, 3]);
    Tensor::from_slice(&r).narrow(0, 0, numbers).reshape([count, width]) * 0.3
}

fn write(path: &Path, keys: (&str, &str), (word, count): (&str, i64)) {
    let tensor = |component| vectors(word, component, count).to_kind(Kind::Float);
    save(path, &[(keys.0.into(), tensor("text_encoder")), (keys.1.into(), tensor("text_encoder_2"))]);
}

/// Both words of the reference: one by its file's name, one by another.
fn embeddings(folder: &Path) -> [TextualInversion; 2] {
    let (first, second) = (folder.join("mossy.safetensors"), folder.join("owl.safetensors"));
    write(&first, ("clip_l", "clip_g"), ("mossy", 1));
    write(&second, ("text_encoders_0", "text_encoders_1"), SECOND);
    let first = TextualInversion::open(first).unwrap();
    assert_eq!(first.words(), ["mossy"]);
    let second = TextualInversion::open(second).unwrap();
    assert_eq!(second.words(), ["<s0>", "<s1>", "<s2>"]);
    [first, second.named(&[SECOND.0]).unwrap()]
}

fn latents(pipeline: &Pipeline, conditioning: Conditioning) -> Tensor {
    let guidance = Guidance::new(5.).unwrap();
    let request = Request::builder(conditioning).steps(2).guidance(guidance).seed(0).build().unwrap();
    final_latents(pipeline, &request)
}

#[test]
fn words_equal_those_of_diffusers() {
    let golden = Golden::open("embeddings.safetensors");
    let (folder, pipeline) = model("golden");
    let pipeline = pipeline.with_embeddings(&embeddings(&folder)).unwrap();
    let description = fs::read_to_string(repository("tests/golden/embeddings.json")).unwrap();
    let description: serde_json::Value = serde_json::from_str(&description).unwrap();
    let cases = description["cases"].as_object().unwrap();
    assert_eq!(cases.len(), 3);
    for (name, prompts) in cases {
        let mut conditioning = Conditioning::builder(prompts["prompt"].as_str().unwrap())
            .negative_prompt(prompts["negative_prompt"].as_str().unwrap());
        if let Some(prompt) = prompts["prompt_2"].as_str() {
            conditioning = conditioning.prompt_2(prompt);
        }
        let found = latents(&pipeline, conditioning.build().unwrap());
        let error = relative_error(&found, &golden.get(&format!("{name}.latents")));
        eprintln!("{name}: {error:.1e}");
        assert!(error <= TOLERANCE, "{name}: {error:.2e}");
    }
}

/// A file for one encoder, under its own name: the refiner's.
#[test]
fn emb_params_equal_those_of_diffusers() {
    let golden = Golden::open("embeddings.safetensors");
    let folder = scratch("inversion-refiner");
    write_random_model(repository("tests/models/refiner"), &folder, 0, Precision::F32).unwrap();
    let path = folder.join("lantern-fish.safetensors");
    let numbers = vectors("lantern-fish", "text_encoder_2", 2).to_kind(Kind::Float);
    save(&path, &[("emb_params".into(), numbers.shallow_clone())]);
    let pipeline = Pipeline::builder(&folder).embedding(&path).build().unwrap();
    assert_eq!(pipeline.embeddings()[0].words(), ["lantern-fish"]);
    let conditioning = Conditioning::builder("a photo of a lantern-fish at night").build().unwrap();
    let encode = |pipeline: &Pipeline| pipeline.encode(&conditioning).unwrap().positive;
    let found = encode(&pipeline);
    let context = Tensor::from_slice(found.context::<f32>().unwrap().as_slice().unwrap());
    let pooled = Tensor::from_slice(found.pooled::<f32>().unwrap().as_slice().unwrap());
    for (what, found) in [("context", context), ("pooled", pooled)] {
        let expected = golden.get(&format!("refiner.{what}"));
        let error = relative_error(&found.reshape(expected.size()), &expected);
        eprintln!("refiner {what}: {error:.1e}");
        assert!(error <= TOLERANCE, "{what}: {error:.2e}");
    }
    // The same under the key that diffusers writes: the word itself.
    save(&path, &[("lantern-fish".into(), numbers)]);
    let again = Pipeline::builder(&folder).embedding(&path).build().unwrap();
    assert_eq!(encode(&again).context::<f32>().unwrap(), encode(&pipeline).context::<f32>().unwrap());
}

/// Each vector has the weight of its word.
#[test]
fn words_in_weights() {
    let (folder, pipeline) = model("weights");
    let pipeline = pipeline.with_embeddings(&embeddings(&folder)).unwrap();
    let context = |prompt: &str, syntax| {
        let conditioning = Conditioning::builder(prompt).prompt_syntax(syntax).build().unwrap();
        let context = pipeline.encode(&conditioning).unwrap().positive.context::<f32>().unwrap();
        Tensor::from_slice(context.as_slice().unwrap()).reshape([1, 77, 72])
    };
    let plain = context("a <glass-owl> cat", PromptSyntax::Plain);
    let weighted = context("a (<glass-owl>:1.5) cat", PromptSyntax::A1111NoNorm);
    let mut weights = vec![1f32; 77];
    // Start, `a`, three vectors.
    weights[2..5].fill(1.5);
    let expected = plain * Tensor::from_slice(&weights).reshape([1, 77, 1]);
    assert!(relative_error(&weighted, &expected) < 1e-6);
}

#[test]
fn ids_of_words() {
    let plain = Tokenizer::builtin(Padding::EndOfText).unwrap();
    let tokenizer = plain.with_words(50_000, [("mossy", 2), ("<owl>", 3), ("mossy-hut", 1)]).unwrap();
    let ids = |text: &str| tokenizer.ids(text).unwrap();
    let (a, cat) = (plain.ids("a").unwrap()[0], plain.ids("cat").unwrap()[0]);
    assert_eq!(ids("a mossy cat"), [a, 50_000, 50_001, cat]);
    assert_eq!(ids("a MOSSY cat"), ids("a mossy cat"));
    assert_eq!(ids("a mossy-hut"), [a, 50_005]);
    assert_eq!(ids("a<owl><OWL>cat"), [a, 50_002, 50_003, 50_004, 50_002, 50_003, 50_004, cat]);
    // Within a word it is none.
    assert_eq!(ids("amossy mossyness"), plain.ids("amossy mossyness").unwrap());
    // What is cut off is named by its words.
    let prompt = format!("{}mossy cat", "a ".repeat(74));
    let tokens = tokenizer.encode(&prompt).unwrap();
    assert_eq!(tokens.ids[75..], [50_000, tokenizer.end_id()]);
    assert!(tokens.cut.unwrap().contains("cat"));

    for (words, wrong) in [(vec![("cat", 1)], "cat"), (vec![("Owl!x", 1), ("owl!X", 1)], "case")] {
        let error = plain.with_words(50_000, words).err().unwrap().to_string();
        assert!(error.contains(wrong), "{error}");
    }
}

/// A word of several vectors is not divided between two chunks.
#[test]
fn words_stay_in_one_chunk() {
    let tokenizer = Tokenizer::builtin(Padding::EndOfText).unwrap();
    let tokenizer = tokenizer.with_words(50_000, [("<owl>", 3)]).unwrap();
    let chunks = |before: usize| {
        let prompt = format!("{}<owl>", "a ".repeat(before));
        let chunks = Chunks::weighted(&tokenizer, &WeightedPrompt::parse(&prompt).unwrap()).unwrap();
        chunks.chunks().iter().map(|chunk| chunk.ids.clone()).collect::<Vec<_>>()
    };
    assert_eq!(chunks(72).len(), 1);
    for before in [73, 74, 75] {
        let chunks = chunks(before);
        assert_eq!(chunks.len(), 2);
        assert_eq!(chunks[0][before], tokenizer.ids("a").unwrap()[0]);
        assert_eq!(chunks[0][before + 1], tokenizer.end_id());
        assert_eq!(chunks[1][1..5], [50_000, 50_001, 50_002, tokenizer.end_id()]);
    }
}

#[test]
fn files_that_do_not_fit_are_refused() {
    let (folder, pipeline) = model("refused");
    let path = folder.join("broken.safetensors");
    let ones = |shape: &[i64]| Tensor::ones(shape, (Kind::Float, tch::Device::Cpu));
    for (tensors, wrong) in [
        (vec![("clip_l", ones(&[1, 32]))], "needs vectors of 32 and 40"),
        (vec![("clip_l", ones(&[1, 31])), ("clip_g", ones(&[1, 40]))], "needs vectors of 32 and 40"),
        (vec![("clip_l", ones(&[2, 32])), ("clip_g", ones(&[1, 40]))], "2 and 1 vectors"),
        (vec![("clip_l", ones(&[0, 32])), ("clip_g", ones(&[0, 40]))], "clip_l has shape [0, 32]"),
        (vec![("clip_l", ones(&[1, 32]) * f64::NAN), ("clip_g", ones(&[1, 40]))], "clip_l"),
        (vec![("clip_l", ones(&[1, 1, 32])), ("clip_g", ones(&[1, 40]))], "clip_l has shape"),
        (
            vec![("clip_l", ones(&[1, 32]).to_kind(Kind::Int64)), ("clip_g", ones(&[1, 40]))],
            "clip_l has type",
        ),
        (vec![("clip_l", ones(&[1, 32])), ("clip_g", ones(&[1, 40])), ("t5", ones(&[1, 8]))], "t5"),
        (vec![("clip_l", ones(&[76, 32])), ("clip_g", ones(&[76, 40]))], "at most 75"),
        (vec![("emb_params", ones(&[5, 768]))], "Stable Diffusion 1"),
        (vec![("emb_params", ones(&[5, 1024]))], "Stable Diffusion 2"),
        (vec![("<cat>", ones(&[768]))], "Stable Diffusion 1"),
        (vec![("x.lora_A.weight", ones(&[2, 3])), ("x.lora_B.weight", ones(&[3, 2]))], "looks like a LoRA"),
    ] {
        save(&path, &tensors.into_iter().map(|(key, tensor)| (key.to_owned(), tensor)).collect::<Vec<_>>());
        let error =
            TextualInversion::open(&path).and_then(|embedding| pipeline.with_embeddings(&[embedding]));
        let error = error.err().unwrap_or_else(|| panic!("{wrong} is accepted")).to_string();
        assert!(error.contains(wrong), "{wrong}: {error}");
    }
    let [mossy, owl] = embeddings(&folder);
    assert!(matches!(owl.named(&["a", "b"]), Err(Error::Invalid { field: "words", .. })));
    for word in ["", "two words", "cat"] {
        let named = mossy.named(&[word]).unwrap();
        assert!(matches!(pipeline.with_embeddings(&[named]), Err(Error::Invalid { .. })), "{word:?}");
    }
    assert!(matches!(pipeline.with_embeddings(&[mossy.clone(), mossy]), Err(Error::Invalid { .. })));
}

/// Without them the pipeline is what it was; with a LoRA beside them both stay.
#[test]
fn embeddings_come_and_go() {
    let (folder, pipeline) = model("removed");
    let prompt = || Conditioning::builder("a mossy <glass-owl>").build().unwrap();
    let without = latents(&pipeline, prompt());
    let both = pipeline.with_embeddings(&embeddings(&folder)).unwrap();
    assert_eq!(both.embeddings().len(), 2);
    let with = latents(&both, prompt());
    assert_ne!(with, without);
    assert_eq!(latents(&both.with_loras(&[]).unwrap(), prompt()), with);
    assert_eq!(latents(&both.with_embeddings(&[]).unwrap(), prompt()), without);
    assert_eq!(latents(&pipeline, prompt()), without);
    let loaded = Pipeline::builder(&folder).embedding(folder.join("mossy.safetensors")).build().unwrap();
    let mossy = pipeline.with_embeddings(&embeddings(&folder)[..1]).unwrap();
    assert_eq!(latents(&loaded, prompt()), latents(&mossy, prompt()));
}
