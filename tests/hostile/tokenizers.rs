//! Tokenizer folders as large or as strange as they may be. `tests/tokenizer/files.rs` has those that are merely wrong.

use std::fs;
use std::path::{Path, PathBuf};

use super::case::{Case, Open};

const VOCAB: &str = r#"{"a": 0, "b": 1, "a</w>": 2, "ab": 3, "<|startoftext|>": 4, "<|endoftext|>": 5}"#;

fn folder(files: &[(&str, Vec<u8>)]) -> impl Fn(&Path) -> PathBuf + Sync + 'static {
    let sound = [("vocab.json", VOCAB.as_bytes().to_vec()), ("merges.txt", b"#version: 0.2\na b\n".to_vec())];
    let files: Vec<(String, Vec<u8>)> =
        sound.iter().chain(files).map(|(name, content)| ((*name).to_owned(), content.clone())).collect();
    move |folder| {
        let path = folder.join("tokenizer");
        fs::create_dir_all(&path).unwrap();
        for (name, content) in &files {
            fs::write(path.join(name), content).unwrap();
        }
        path
    }
}

/// A vocabulary of so many symbols.
fn symbols(count: usize) -> String {
    let symbols: Vec<String> = (0..count).map(|id| format!("\"{id:x}\":{id}")).collect();
    format!("{{{}}}", symbols.join(","))
}

/// Symbols of one letter, of two, of three…, and merges that make each of the one before it.
fn staircase(height: usize) -> (String, String) {
    let symbol = |length: usize| "a".repeat(length);
    let mut vocab: Vec<String> =
        (1..=height).map(|length| format!("\"{}\":{}", symbol(length), length - 1)).collect();
    for (offset, special) in ["<|startoftext|>", "<|endoftext|>"].iter().enumerate() {
        vocab.push(format!("\"{special}\":{}", height + offset));
    }
    let merges: Vec<String> = (1..height).map(|length| format!("{} a", symbol(length))).collect();
    (format!("{{{}}}", vocab.join(",")), merges.join("\n"))
}

fn added(count: usize, content: impl Fn(usize) -> String) -> Vec<u8> {
    let tokens: Vec<String> = (0..count).map(|i| format!("\"{}\":{}", content(i), 6 + i)).collect();
    format!("{{{}}}", tokens.join(",")).into_bytes()
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |name: &str, files: &[(&str, Vec<u8>)], says: &'static str| {
        let size = files.iter().map(|(_, content)| content.len() as u64).sum();
        Case::new(format!("tokenizer: {name}"), Open::TokenizerFolder, says, folder(files)).reading(size)
    };
    let text = |text: &str| text.as_bytes().to_vec();
    let (vocab, merges) = staircase(2000);
    vec![
        case("a vocabulary of 9 MB", &[("vocab.json", vec![b' '; 9 << 20])], "is larger than 8388608 bytes"),
        case("a tokenizer.json of 17 MB", &[("tokenizer.json", vec![b' '; 17 << 20])], "is larger than"),
        case("500 000 symbols", &[("vocab.json", symbols(500_000).into_bytes())], "more than 131072 symbols"),
        case(
            "500 000 symbols in tokenizer.json",
            &[(
                "tokenizer.json",
                format!(r#"{{"model":{{"vocab":{},"merges":[]}}}}"#, symbols(500_000)).into_bytes(),
            )],
            "more than 131072 symbols",
        ),
        case(
            "2 000 000 merges",
            &[("merges.txt", text(&"a b\n".repeat(2_000_000)))],
            "at most 131072 merges",
        ),
        case(
            "merges of nothing",
            &[("merges.txt", text(&"\n".repeat(2_000_000)))],
            "line 1: expected two symbols",
        ),
        case(
            "merges of spaces",
            &[("merges.txt", text(&" ".repeat(8 << 20)))],
            "line 1: expected two symbols",
        ),
        case(
            "one merge of 8 MB",
            &[("merges.txt", text(&"x".repeat(8 << 20)))],
            "line 1: expected two symbols",
        ),
        case(
            "a symbol of 8 MB",
            &[("vocab.json", text(&format!("{{\"{}\":9}}", "x".repeat((8 << 20) - 8))))],
            "vocab.json: the symbol",
        ),
        case("ids that end at 2^32", &[("vocab.json", text(r#"{"a":4294967296}"#))], "4294967296"),
        case("nested deeply", &[("tokenizer.json", text(&"[".repeat(1 << 20)))], "invalid type"),
        case("no text", &[("vocab.json", vec![0xff; 100])], "not UTF-8"),
        case("nothing but NULs", &[("vocab.json", vec![0; 100])], "expected value"),
        case("a token without text", &[("added_tokens.json", text(r#"{"":6}"#))], "has no id"),
        case("10 000 added tokens", &[("added_tokens.json", added(10_000, |i| format!("<{i}>")))], "")
            .valid(),
        case(
            "added tokens of one form",
            &[("added_tokens.json", added(2, |i| ["Cat", "cat"][i].into()))],
            "are both found",
        ),
        case(
            "a context without end",
            &[("tokenizer_config.json", text(r#"{"model_max_length": 1e308}"#))],
            "",
        )
        .valid(),
        case(
            "a context of one",
            &[("tokenizer_config.json", text(r#"{"model_max_length": 1}"#))],
            "model_max_length is 1",
        ),
        case(
            "merges that build on each other",
            &[("vocab.json", vocab.into_bytes()), ("merges.txt", merges.into_bytes())],
            "",
        )
        .valid(),
        case(
            "a cycle of merges",
            &[("merges.txt", text("a b\na b\nb a\n"))],
            "\"ba\" is not in the vocabulary",
        ),
        case("the same merge again and again", &[("merges.txt", text(&"a b\n".repeat(100_000)))], "").valid(),
    ]
}
