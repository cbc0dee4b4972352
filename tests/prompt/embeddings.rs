//! What prompts become: embeddings and pictures.

use std::path::PathBuf;
use std::sync::OnceLock;

use sdxl::conditioning::ConditioningBuilder;
use sdxl::pipeline::{Encoded, write_random_model};
use sdxl::{Conditioning, Guidance, Pipeline, Precision, PromptSyntax, Request, TextEmbeddings};
use tch::Tensor;

use crate::common::headers::scratch;
use crate::common::{Golden, assert_close, repository};
use crate::{Case, golden};

/// A tiny model as a pipeline; the folders are written once.
fn pipeline(variant: &str) -> Pipeline {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = scratch("prompt-models");
        for variant in ["base", "refiner"] {
            let configs = repository("tests/models").join(variant);
            write_random_model(configs, folder.join(variant), 0, Precision::F32).unwrap();
        }
        folder
    });
    Pipeline::builder(folder.join(variant)).build().unwrap()
}

fn context(embeddings: &TextEmbeddings) -> Tensor {
    let array = embeddings.context::<f32>().unwrap();
    let shape: Vec<i64> = array.shape().iter().map(|&side| side as i64).collect();
    Tensor::from_slice(array.as_slice().unwrap()).view(shape.as_slice())
}

fn pooled(embeddings: &TextEmbeddings) -> Tensor {
    let array = embeddings.pooled::<f32>().unwrap();
    Tensor::from_slice(array.as_slice().unwrap()).view([1, -1])
}

fn encode(pipeline: &Pipeline, case: &Case, syntax: PromptSyntax) -> Encoded {
    let mut conditioning = Conditioning::builder(&case.prompt).prompt_syntax(syntax);
    if let Some(prompt) = &case.prompt_2 {
        conditioning = conditioning.prompt_2(prompt);
    }
    if let Some(prompt) = &case.negative {
        conditioning = conditioning.negative_prompt(prompt);
    }
    pipeline.encode(&conditioning.build().unwrap()).unwrap()
}

#[test]
fn embeddings_equal_the_convention() {
    let (pipeline, golden_tensors) = (pipeline("base"), Golden::open("prompts.safetensors"));
    let cases = golden().cases;
    assert_eq!(cases.len(), 10);
    for case in &cases {
        for syntax in [PromptSyntax::A1111, PromptSyntax::A1111NoNorm] {
            let name = &case.name;
            let encoded = encode(&pipeline, case, syntax);
            assert!(encoded.cut.is_empty(), "{name}");
            let check = |what: &str, found: &Tensor| {
                assert_close(
                    &format!("{name}.{what}"),
                    found,
                    &golden_tensors.get(&format!("{name}.{what}")),
                    1e-5,
                );
            };
            check(&format!("{syntax}.positive"), &context(&encoded.positive));
            check("positive_pooled", &pooled(&encoded.positive));
            let negative = context(&encoded.negative);
            assert_eq!(negative.size(), context(&encoded.positive).size(), "{name}");
            if case.negative.is_some() {
                check(&format!("{syntax}.negative"), &negative);
                check("negative_pooled", &pooled(&encoded.negative));
            } else {
                assert_eq!(negative.abs().max().double_value(&[]), 0., "{name}");
            }
        }
    }
}

/// Without brackets a short prompt is the same in every syntax, to the last bit; with them in none.
#[test]
fn short_prompts_without_brackets_are_plain() {
    let pipeline = pipeline("base");
    let encoded = |prompt: &str| {
        [PromptSyntax::Plain, PromptSyntax::A1111, PromptSyntax::A1111NoNorm].map(|syntax| {
            let conditioning = Conditioning::builder(prompt).negative_prompt("wow!").prompt_syntax(syntax);
            let encoded = pipeline.encode(&conditioning.build().unwrap()).unwrap();
            let sides = [&encoded.positive, &encoded.negative];
            sides.map(|side| (side.context::<f32>().unwrap(), side.pooled::<f32>().unwrap()))
        })
    };
    let [plain, a1111, no_norm] = encoded("a photo of a cat");
    assert_eq!(plain, a1111);
    assert_eq!(plain, no_norm);
    let [[plain, _], [a1111, _], [no_norm, _]] = encoded("a photo of a (cat:1.2)");
    assert_ne!(a1111.0, no_norm.0);
    assert_ne!(plain.0, a1111.0);
    // The pooled embedding has no weights, but no brackets either.
    assert_ne!(plain.1, a1111.1);
    assert_eq!(a1111.1, no_norm.1);
}

/// The refiner has the second encoder alone.
#[test]
fn refiner() {
    let (both, second) = (pipeline("base"), pipeline("refiner"));
    for case in golden().cases {
        let found = encode(&second, &case, PromptSyntax::A1111);
        let shape = |embeddings: &TextEmbeddings| context(embeddings).size()[1];
        // Where the two encoders have a prompt of their own, the longer one counts.
        assert_eq!(shape(&found.positive), shape(&found.negative), "{}", case.name);
        assert_eq!(shape(&found.positive), shape(&encode(&both, &case, PromptSyntax::A1111).positive));
    }
}

#[test]
fn the_longer_prompt_decides() {
    let pipeline = pipeline("base");
    let long = "a very long prompt, ".repeat(40);
    let length = |conditioning: ConditioningBuilder| {
        let conditioning = conditioning.prompt_syntax(PromptSyntax::A1111).build().unwrap();
        let encoded = pipeline.encode(&conditioning).unwrap();
        assert_eq!(context(&encoded.positive).size(), context(&encoded.negative).size());
        context(&encoded.positive).size()[1] / 77
    };
    assert_eq!(length(Conditioning::builder("a")), 1);
    assert_eq!(length(Conditioning::builder(&long)), 3);
    assert_eq!(length(Conditioning::builder("a").prompt_2(&long)), 3);
    assert_eq!(length(Conditioning::builder(&long).prompt_2("a")), 3);
    assert_eq!(length(Conditioning::builder("a").negative_prompt(&long)), 3);
    assert_eq!(length(Conditioning::builder("a").negative_prompt("a").negative_prompt_2(&long)), 3);
}

#[test]
fn pictures_of_long_prompts() {
    let pipeline = pipeline("base");
    let long = "a (very:1.1) long prompt, ".repeat(40);
    let draw = |negative: &str, guidance: Guidance, syntax| {
        let conditioning = Conditioning::builder(&long).negative_prompt(negative).prompt_syntax(syntax);
        let request = Request::builder(conditioning.build().unwrap()).steps(2).guidance(guidance);
        let mut sampling = pipeline.sample(&request.build().unwrap()).unwrap();
        let cut = sampling.cut().len();
        for progress in &mut sampling {
            progress.unwrap();
        }
        let image = sampling.images().unwrap().remove(0);
        assert!(image.text("sdxl").unwrap().contains(&format!("\"prompt_syntax\":\"{syntax}\"")));
        (image.pixels().to_owned(), cut)
    };
    let on = Guidance::default();
    let (plain, cut) = draw("blurry", on, PromptSyntax::Plain);
    assert_eq!(cut, 2);
    let (a1111, cut) = draw("blurry", on, PromptSyntax::A1111);
    assert_eq!(cut, 0);
    assert_ne!(plain, a1111);
    assert_ne!(a1111, draw("blurry", on, PromptSyntax::A1111NoNorm).0);
    // Without guidance the negative prompt has no effect, however long it is.
    let off = |negative| draw(negative, Guidance::OFF, PromptSyntax::A1111);
    assert_eq!(off("blurry"), off(&long.repeat(3)));
}
