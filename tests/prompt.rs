//! Prompt weights and long prompts: the grammar, the division into chunks and the embeddings of
//! AUTOMATIC1111's web interface.
//!
//! `tests/golden/prompts.py` computes the same from a description of that convention. Tolerance: 1e-5 relative
//! on embeddings, where f32 and f64 are 4e-7 apart.

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod common;

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use common::{Golden, assert_close, repository};
use proptest::prelude::*;
use sdxl::pipeline::{Encoded, write_random_model};
use sdxl::text::{Chunk, Chunks, Padding, Tokenizer, WeightedPrompt, WeightedText};
use sdxl::{Conditioning, Error, Guidance, Pipeline, Precision, PromptSyntax, Request, TextEmbeddings};
use serde::Deserialize;
use tch::Tensor;

/// Sections between `BREAK`s, each of texts and their weights.
type Sections = Vec<Vec<(String, f64)>>;

#[derive(Deserialize)]
struct GoldenTables {
    /// Prompts and how they are read; `None` where a weight is no number.
    grammar: Vec<(String, Option<Sections>)>,
    /// Prompts and the chunks of both tokenizers, ids and weights without their repeated ends.
    chunks: Vec<(String, GoldenChunks, GoldenChunks)>,
    cases: Vec<Case>,
}

type GoldenChunks = Vec<(Vec<i64>, Vec<f64>)>;

#[derive(Deserialize)]
struct Case {
    name: String,
    prompt: String,
    prompt_2: Option<String>,
    negative: Option<String>,
}

fn golden() -> GoldenTables {
    serde_json::from_str(include_str!("golden/prompts.json")).unwrap()
}

fn parse(prompt: &str) -> Sections {
    let parsed = WeightedPrompt::parse(prompt).unwrap();
    let section =
        |pieces: &Vec<WeightedText>| pieces.iter().map(|piece| (piece.text.clone(), piece.weight)).collect();
    parsed.sections().iter().map(section).collect()
}

fn pairs(section: &[(&str, f64)]) -> Vec<(String, f64)> {
    section.iter().map(|&(text, weight)| (text.to_owned(), weight)).collect()
}

/// The examples of the web interface's own documentation, to the last digit.
#[test]
fn documented_examples() {
    let cases: [(&str, &[(&str, f64)]); 6] = [
        ("normal text", &[("normal text", 1.)]),
        ("an (important) word", &[("an ", 1.), ("important", 1.1), (" word", 1.)]),
        ("(unbalanced", &[("unbalanced", 1.1)]),
        (r"\(literal\]", &[("(literal]", 1.)]),
        ("(unnecessary)(parens)", &[("unnecessaryparens", 1.1)]),
        (
            "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
            &[
                ("a ", 1.),
                ("house", 1.5730000000000004),
                (" ", 1.1),
                ("on", 1.),
                (" a ", 1.1),
                ("hill", 0.55),
                (", sun, ", 1.1),
                ("sky", 1.4641000000000006),
                (".", 1.1),
            ],
        ),
    ];
    for (prompt, expected) in cases {
        assert_eq!(parse(prompt), [pairs(expected)], "{prompt}");
    }
}

#[test]
fn grammar() {
    let cases: &[(&str, &[(&str, f64)])] = &[
        ("", &[]),
        ("()[]((()))", &[]),
        ("[word]", &[("word", 1. / 1.1)]),
        ("[unbalanced", &[("unbalanced", 1. / 1.1)]),
        ("closed) by] nothing", &[("closed) by] nothing", 1.)]),
        ("(a))", &[("a", 1.1), (")", 1.)]),
        // Weights.
        ("(a:1)b", &[("ab", 1.)]),
        ("(a:0)", &[("a", 0.)]),
        ("(a:-1.5)", &[("a", -1.5)]),
        ("(a:+.5)", &[("a", 0.5)]),
        ("(a:2.)", &[("a", 2.)]),
        ("(a : 1.3 )", &[("a ", 1.3)]),
        ("(a:1000)", &[("a", 1000.)]),
        ("((a:1.5) b:2)", &[("a", 3.), (" b", 2.)]),
        ("((a):2)", &[("a", 2.2)]),
        // What is no weight is text: an exponent, no number, a square bracket, an escaped or missing end.
        ("(a:1e3)", &[("a:1e3", 1.1)]),
        ("(a:)", &[("a:", 1.1)]),
        ("(a:b:2)", &[("a:b", 2.)]),
        ("[a:1.3]", &[("a:1.3", 1. / 1.1)]),
        (r"(a:1.3\)", &[("a:1.3)", 1.1)]),
        ("(a:1.3", &[("a:1.3", 1.1)]),
        ("a:1.3)", &[("a:1.3)", 1.)]),
        ("a:1.2.3)", &[("a:1.2.3)", 1.)]),
        ("12:30", &[("12:30", 1.)]),
        // Round and square brackets do not know each other.
        ("(a [b) c] d", &[("a ", 1.1), ("b", 1.1 * (1. / 1.1)), (" c", 1. / 1.1), (" d", 1.)]),
        ("(a [b:2)", &[("a ", 2.), ("b", 2. * (1. / 1.1))]),
        // Escapes.
        (r"\\(a\)", &[("\\", 1.), ("a)", 1.1)]),
        (r"C:\temp\", &[("C:temp", 1.)]),
        (r"(a\:1.3)", &[("a", 1.3)]),
        // Neither scheduling nor networks are read.
        ("[a:b:0.5] <lora:x:1>", &[("a:b:0.5", 1. / 1.1), (" <lora:x:1>", 1.)]),
    ];
    for (prompt, expected) in cases {
        assert_eq!(parse(prompt), [pairs(expected)], "{prompt}");
    }
}

#[test]
fn breaks() {
    let one: &[(&str, f64)] = &[("a", 1.)];
    let cases: &[(&str, &[&[(&str, f64)]])] = &[
        ("a BREAK a", &[one, one]),
        ("a\n BREAK \n\na", &[one, one]),
        ("BREAK", &[&[], &[]]),
        ("BREAK BREAK a", &[&[], &[], one]),
        ("a,BREAK-a", &[&[("a,", 1.)], &[("-a", 1.)]]),
        ("(a BREAK b:2) c", &[&[("a", 2.)], &[("b", 2.), (" c", 1.)]]),
        ("(a)BREAK[b]", &[&[("a", 1.1)], &[("b", 1. / 1.1)]]),
        ("a (b) BREAK", &[&[("a ", 1.), ("b", 1.1)], &[]]),
        // Only as a word, in capital letters.
        ("aBREAK BREAKa BREAK_ break BREAK1 éBREAK", &[&[("aBREAK BREAKa BREAK_ break BREAK1 éBREAK", 1.)]]),
        (r"B\REAK", &[&[("BREAK", 1.)]]),
    ];
    for (prompt, expected) in cases {
        let expected: Sections = expected.iter().map(|section| pairs(section)).collect();
        assert_eq!(parse(prompt), expected, "{prompt}");
    }
}

/// Six hundred prompts of brackets, escapes and weights, character by character: where brackets multiply in
/// another order, the last digit of a weight may differ.
#[test]
fn random_prompts_are_read_alike() {
    let characters = |sections: &Sections| -> Vec<Vec<(char, f64)>> {
        let section = |pieces: &Vec<(String, f64)>| {
            pieces.iter().flat_map(|(text, weight)| text.chars().map(|c| (c, *weight))).collect()
        };
        sections.iter().map(section).collect()
    };
    let (mut read, mut refused) = (0, 0);
    for (prompt, expected) in golden().grammar {
        let Some(expected) = expected else {
            let error = WeightedPrompt::parse(&prompt).unwrap_err().to_string();
            assert!(error.contains("expected a number as the weight"), "{prompt:?}: {error}");
            refused += 1;
            continue;
        };
        let (found, expected) = (characters(&parse(&prompt)), characters(&expected));
        assert_eq!(found.len(), expected.len(), "{prompt:?}");
        for (found, expected) in found.iter().zip(&expected) {
            let equal = |(a, b): (&(char, f64), &(char, f64))| a.0 == b.0 && (a.1 / b.1 - 1.).abs() < 1e-14;
            assert!(
                found.len() == expected.len() && found.iter().zip(expected).all(equal),
                "{prompt:?}: {found:?}, expected {expected:?}"
            );
        }
        read += 1;
    }
    assert!(read > 400 && refused > 20, "{read} read, {refused} refused");
}

/// Writes what was read, so that reading it gives the same.
fn print(prompt: &WeightedPrompt) -> String {
    let escape = |text: &str| -> String {
        let text = text.chars().flat_map(|c| r"\()[]".contains(c).then_some('\\').into_iter().chain([c]));
        text.collect::<String>().replace("BREAK", r"B\REAK")
    };
    let sections = prompt.sections().iter().map(|section| -> String {
        // Neighbours of the same weight stay apart, which an empty piece of another weight does.
        let print = |piece: &WeightedText| {
            format!(r"({}:{})(\:{})", escape(&piece.text), piece.weight, piece.weight + 1.)
        };
        section.iter().map(print).collect()
    });
    sections.collect::<Vec<_>>().join(" BREAK ")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn what_was_read_can_be_written(prompt in r"([()\[\]\\:, a1.]|:1\.2\)|:-0\.7\)|BREAK| BREAK |é){0,24}") {
        if let Ok(parsed) = WeightedPrompt::parse(&prompt) {
            let printed = print(&parsed);
            prop_assert_eq!(WeightedPrompt::parse(&printed).unwrap(), parsed, "{}", printed);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(prompt in "\\PC{0,80}") {
        if let Ok(parsed) = WeightedPrompt::parse(&prompt) {
            prop_assert!(parsed.sections().iter().flatten().all(|piece| !piece.text.is_empty()));
        }
    }
}

#[test]
fn deep_nesting() {
    let started = Instant::now();
    let nested = |open: &str, close: &str| format!("{}a{}", open.repeat(30_000), close.repeat(30_000));
    for prompt in [nested("[", "]"), nested("[", "")] {
        let sections = parse(&prompt);
        assert!(sections[0][0].1 < 1e-300, "{sections:?}");
    }
    assert_eq!(parse(&"(".repeat(60_000)), [vec![]]);
    assert_eq!(parse(&")]".repeat(30_000)), [pairs(&[(&")]".repeat(30_000), 1.)])]);
    // A piece at every depth, and what could be taken for the start of something.
    for piece in ["a[b]c[", "a[", ": ", ":1", ":+", "BREAK ", "BREAK", "\\"] {
        assert!(WeightedPrompt::parse(&piece.repeat(65_536 / piece.len())).is_ok(), "{piece}");
    }
    for prompt in [nested("(", ")"), nested("(", ""), "([".repeat(20_000) + "a", "(".repeat(100_000)] {
        assert!(matches!(WeightedPrompt::parse(&prompt), Err(Error::Invalid { field: "prompt", .. })));
    }
    // In time proportional to the length; to its square it would be minutes.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn impossible_prompts_are_refused() {
    let cases = [
        ("a (cat:1.2.3) b", "prompt is `:1.2.3)`, expected a number as the weight, such as `:1.3)`"),
        ("(wait:...)", "prompt is `:...)`, expected a number"),
        ("(cat:1001)", "prompt is `cat` with a weight of 1001.0, expected weights from -1000 to 1000"),
        ("((cat:-600):2)", "prompt is `cat` with a weight of -1200.0"),
        ("(cat:9999999999999999999999999999999)", "`cat` with a weight of 1e31"),
        (&format!("({}:5000)", "long ".repeat(20)), "`long long long long long long long long …` with"),
        (&format!("(cat:{})", "9".repeat(400)), "`cat` with a weight of inf"),
        (&"a".repeat(70_000), "prompt is a text of 70000 bytes, expected at most 65536 bytes"),
    ];
    for (prompt, expected) in cases {
        let error = WeightedPrompt::parse(prompt).unwrap_err();
        assert!(matches!(error, Error::Invalid { field: "prompt", .. }), "{error:?}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

/// A request of bad prompts is refused before there is a model, and the error names which prompt it is.
#[test]
fn requests_name_the_prompt() {
    let bad = "(a:1.2.3)";
    let builder = || Conditioning::builder("a").prompt_syntax(PromptSyntax::A1111);
    let cases = [
        ("prompt", Conditioning::builder(bad).prompt_syntax(PromptSyntax::A1111NoNorm)),
        ("prompt_2", builder().prompt_2(bad)),
        ("negative_prompt", builder().negative_prompt(bad)),
        ("negative_prompt_2", builder().negative_prompt("a").negative_prompt_2(bad)),
    ];
    for (name, conditioning) in cases {
        let error = Request::builder(conditioning.build().unwrap()).build().unwrap_err();
        assert!(matches!(error, Error::Invalid { field, .. } if field == name), "{name}: {error}");
    }
    // Plain prompts have no weights.
    Request::builder(Conditioning::builder(bad).build().unwrap()).build().unwrap();
}

#[test]
fn syntaxes_have_names() {
    for &syntax in PromptSyntax::ALL {
        let name = match syntax {
            PromptSyntax::Plain => "plain",
            PromptSyntax::A1111 => "a1111",
            PromptSyntax::A1111NoNorm => "a1111_no_norm",
        };
        assert_eq!((syntax.to_string().as_str(), name.parse::<PromptSyntax>().unwrap()), (name, syntax));
    }
    assert_eq!(PromptSyntax::default(), PromptSyntax::Plain);
    let error = "compel".parse::<PromptSyntax>().unwrap_err().to_string();
    for syntax in PromptSyntax::ALL {
        assert!(error.contains(&syntax.to_string()), "{error}");
    }
}

fn divide(tokenizer: &Tokenizer, prompt: &str) -> Chunks {
    Chunks::weighted(tokenizer, &WeightedPrompt::parse(prompt).unwrap()).unwrap()
}

#[test]
fn chunks_have_the_ids_of_the_convention() {
    let tokenizers =
        [Padding::EndOfText, Padding::Exclamation].map(|padding| Tokenizer::builtin(padding).unwrap());
    for (prompt, first, second) in golden().chunks {
        for (tokenizer, expected) in tokenizers.iter().zip([first, second]) {
            let found = divide(tokenizer, &prompt);
            let expected: Vec<Chunk> = expected
                .into_iter()
                .map(|(mut ids, weights)| {
                    ids.resize(77, ids.last().copied().unwrap());
                    let mut weights: Vec<f32> = weights.into_iter().map(|weight| weight as f32).collect();
                    weights.resize(77, 1.);
                    Chunk { ids, weights }
                })
                .collect();
            assert_eq!(found.chunks(), expected, "{prompt:?}");
            assert_eq!(found.cut(), None);
        }
    }
}

/// The same rules to read: how many tokens each chunk has.
#[test]
fn chunks_end_at_commas_and_breaks() {
    let tokenizer = Tokenizer::builtin(Padding::EndOfText).unwrap();
    let lengths = |prompt: &str| -> Vec<usize> {
        let length = |chunk: &Chunk| chunk.ids.iter().position(|&id| id == tokenizer.end_id()).unwrap() - 1;
        divide(&tokenizer, prompt).chunks().iter().map(length).collect()
    };
    let words = |count: usize| "word ".repeat(count);
    let with_comma = |before: usize| format!("{}, {}", words(before), words(90 - before));
    let cases: &[(String, &[usize])] = &[
        (String::new(), &[0]),
        (words(75), &[75]),
        (words(76), &[75, 1]),
        (words(150), &[75, 75]),
        (words(151), &[75, 75, 1]),
        // The comma is token 55 of 75, counted from 0: 20 before the end, the farthest that counts.
        (with_comma(54), &[75, 16]),
        (with_comma(55), &[56, 35]),
        (with_comma(74), &[75, 16]),
        // A comma without room begins the next chunk.
        (with_comma(75), &[75, 16]),
        // The end of the prompt needs no comma.
        (format!("{}, {}", words(60), words(14)), &[75]),
        ("a BREAK b c".to_owned(), &[1, 2]),
        ("BREAK a".to_owned(), &[0, 1]),
        ("a BREAK BREAK a".to_owned(), &[1, 0, 1]),
        ("a BREAK".to_owned(), &[1]),
        ("BREAK BREAK".to_owned(), &[0, 0]),
        (format!("{} BREAK a", words(75)), &[75, 1]),
        (format!("({}:1.3) BREAK [{}]", words(80), words(10)), &[75, 5, 10]),
    ];
    for (prompt, expected) in cases {
        assert_eq!(lengths(prompt), *expected, "{prompt:?}");
    }
}

#[test]
fn chunks_are_padded_and_limited() {
    let tokenizer = Tokenizer::builtin(Padding::Exclamation).unwrap();
    let mut chunks = divide(&tokenizer, "(a:2)");
    chunks.pad(3);
    let empty = divide(&tokenizer, "");
    assert_eq!(chunks.chunks().len(), 3);
    assert_eq!(chunks.chunks()[1..], [empty.chunks()[0].clone(), empty.chunks()[0].clone()]);
    assert_eq!(empty.chunks()[0].ids[..3], [49406, 49407, 0]);
    chunks.pad(1);
    assert_eq!(chunks.chunks().len(), 3);

    let breaks = |count: usize| WeightedPrompt::parse(&"a BREAK ".repeat(count)).unwrap();
    assert_eq!(Chunks::weighted(&tokenizer, &breaks(100)).unwrap().chunks().len(), 100);
    let error = Chunks::weighted(&tokenizer, &breaks(101)).unwrap_err().to_string();
    assert_eq!(error, "prompt is 101 chunks of tokens, expected at most 100 chunks");
}

/// Tokenizers of other context lengths: the comma may be closer to the start than its reach.
#[test]
fn short_contexts() {
    let tokenizer = |length: usize| {
        let folder = common::headers::scratch(&format!("prompt-context-{length}"));
        let vocabulary =
            r#"{"a": 0, ",": 1, "a</w>": 2, ",</w>": 3, "<|startoftext|>": 4, "<|endoftext|>": 5}"#;
        std::fs::write(folder.join("vocab.json"), vocabulary).unwrap();
        std::fs::write(folder.join("merges.txt"), "").unwrap();
        let config = format!(r#"{{"model_max_length": {length}}}"#);
        std::fs::write(folder.join("tokenizer_config.json"), config).unwrap();
        Tokenizer::from_folder(folder).unwrap()
    };
    let ids = |length: usize, prompt: &str| -> Vec<Vec<i64>> {
        divide(&tokenizer(length), prompt).chunks().iter().map(|chunk| chunk.ids.clone()).collect()
    };
    assert_eq!(ids(3, "a, a"), [[4, 2, 5], [4, 3, 5], [4, 2, 5]]);
    assert_eq!(ids(5, "a, a a a"), [[4, 2, 3, 5, 5], [4, 2, 2, 2, 5]]);
    let error = Chunks::weighted(&tokenizer(2), &WeightedPrompt::parse("a").unwrap()).unwrap_err();
    assert!(error.to_string().contains("a context of 2"), "{error}");
}

/// A tiny model as a pipeline; the folders are written once.
fn pipeline(variant: &str) -> Pipeline {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = common::headers::scratch("prompt-models");
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
    let length = |conditioning: sdxl::conditioning::ConditioningBuilder| {
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
