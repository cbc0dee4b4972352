//! How prompts are divided into chunks.

use sdxl::text::{Chunk, Chunks, Padding, Tokenizer, WeightedPrompt};

use crate::common::headers::scratch;
use crate::golden;

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
        let folder = scratch(&format!("prompt-context-{length}"));
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
