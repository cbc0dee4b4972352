//! Tokenizers from files: a small folder of them, and files that are broken.

use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use sdxl::Error;
use sdxl::text::Tokenizer;
use serde_json::json;

/// A folder of files, removed in the end.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
}

impl Folder {
    pub(crate) fn new<N: AsRef<str>, C: AsRef<[u8]>>(files: impl IntoIterator<Item = (N, C)>) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("sdxl-tokenizer-{}-{count}", process::id()));
        fs::create_dir(&path).unwrap();
        for (name, content) in files {
            fs::write(path.join(name.as_ref()), content).unwrap();
        }
        Self { path }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

const VOCAB: &str = r#"{"a": 0, "b": 1, "a</w>": 2, "ab": 3, "<|startoftext|>": 4, "<|endoftext|>": 5}"#;
const LINES: &str = "#version: 0.2\na b\n";

/// The error of a folder with these files, besides a sound vocabulary.
fn refused(files: &[(&str, &str)]) -> Error {
    let sound = [("vocab.json", VOCAB), ("merges.txt", LINES)];
    let folder = Folder::new(sound.iter().chain(files).map(|&(name, content)| (name, content)));
    match Tokenizer::from_folder(&folder.path) {
        Ok(_) => panic!("accepted {files:?}"),
        Err(error) => error,
    }
}

#[test]
fn broken_files_are_named() {
    let model = |vocab: &str, merges: &str| {
        format!(r#"{{"model": {{"type": "BPE", "vocab": {vocab}, "merges": {merges}}}}}"#)
    };
    let extra =
        |tokens: &str| model(VOCAB, "[]").replacen('{', &format!(r#"{{"added_tokens": {tokens}, "#), 1);
    #[rustfmt::skip]
    let cases = [
        ("vocab.json", "", "EOF"),
        ("vocab.json", "[]", "invalid type: sequence"),
        ("vocab.json", "{\"a\": -1}", "-1"),
        ("vocab.json", "{\"a\": 99999999999}", "99999999999"),
        ("vocab.json", "{\"a\": 0.5}", "0.5"),
        ("vocab.json", "{\"a\": 4294967295}", "the symbol \"a\" has id 4294967295"),
        ("vocab.json", "{\"a\": 0, \"b\": 2}", "the symbol \"b\" has id 2, expected less than 2"),
        ("vocab.json", "{\"a\": 0, \"b\": 0}", "the same id 0"),
        ("merges.txt", &"a b\n".repeat((1 << 17) + 1), "line 131073: expected at most 131072 merges"),
        ("vocab.json", "{\"<|endoftext|>\": 0}", "merges.txt: line 2: the symbol \"a\""),
        ("vocab.json", "{\"a\": 0, \"b\": 1, \"ab\": 2, \"<|startoftext|>\": 3}", "\"<|endoftext|>\" is not in the vocabulary"),
        ("vocab.json", "{\"a\": 0, \"b\": 1, \"ab\": 2, \"<|endoftext|>\": 3}", "\"<|startoftext|>\" is not in the vocabulary"),
        ("merges.txt", "a b\nab\n", "line 2: expected two symbols"),
        ("merges.txt", "a b c\n", "line 1: expected two symbols"),
        ("merges.txt", "a b\n\n", "line 2: expected two symbols"),
        ("merges.txt", "#version: 0.2\na z\n", "line 2: the symbol \"z\""),
        ("merges.txt", "b a</w>\n", "line 1: the symbol \"ba</w>\""),
        ("tokenizer.json", "{", "EOF"),
        ("tokenizer.json", "{}", "missing field `model`"),
        ("tokenizer.json", "{\"model\": {\"type\": \"WordPiece\", \"vocab\": {}, \"merges\": []}}", "WordPiece"),
        ("tokenizer.json", &model("{}", "[]"), "\"<|endoftext|>\" is not in the vocabulary"),
        ("tokenizer.json", &model(VOCAB, "[\"a b\", \"a\"]"), "merge 2: expected two symbols"),
        ("tokenizer.json", &model(VOCAB, "[[\"a\", \"a</w>\"]]"), "merge 1: the symbol \"aa</w>\""),
        ("tokenizer.json", &model(VOCAB, "[[\"a\"]]"), "did not match"),
        ("tokenizer.json", &extra("[{\"id\": 9, \"content\": \"<cat>\"}]"), "listed with id 9, but its id is 6"),
        ("tokenizer.json", &extra("[{\"id\": 6, \"content\": \"a\"}]"), "listed with id 6, but its id is 0"),
        ("tokenizer.json", &extra("[{\"id\": 6, \"content\": \"\"}]"), "\"\" has no id"),
        ("tokenizer.json", &extra("[{\"id\": -6, \"content\": \"<cat>\"}]"), "-6"),
        ("tokenizer_config.json", "{\"pad_token\": \"<pad>\"}", "vocab.json: the special token \"<pad>\""),
        ("tokenizer_config.json", "{\"unk_token\": {\"content\": \"<unk>\"}}", "vocab.json: the special token \"<unk>\""),
        ("tokenizer_config.json", "{\"mask_token\": \"<mask>\"}", "vocab.json: the special token \"<mask>\""),
        ("tokenizer_config.json", "{\"bos_token\": \"\"}", "vocab.json: the special token \"\""),
        ("tokenizer_config.json", "{\"bos_token\": 3}", "did not match"),
        ("tokenizer_config.json", "{\"model_max_length\": 1}", "model_max_length is 1"),
        ("tokenizer_config.json", "{\"model_max_length\": -77}", "model_max_length is -77"),
        ("tokenizer_config.json", "{\"model_max_length\": 76.5}", "model_max_length is 76.5"),
        ("tokenizer_config.json", "{\"model_max_length\": \"77\"}", "invalid type: string"),
        ("tokenizer_config.json", "{\"padding_side\": \"left\"}", "padding_side is \"left\""),
        ("tokenizer_config.json", "{\"truncation_side\": \"left\"}", "truncation_side is \"left\""),
        ("tokenizer_config.json", "{\"added_tokens_decoder\": {\"x\": {\"content\": \"a\"}}}", "x"),
        ("tokenizer_config.json", "7", "invalid type: integer"),
        ("special_tokens_map.json", "[1]", "invalid type: sequence"),
        ("added_tokens.json", "{\"<cat>\": 7}", "listed with id 7, but its id is 6"),
        ("added_tokens.json", "{\"<cat>\": 4294967295}", "listed with id 4294967295, but its id is 6"),
        // Two tokens that are the same in lower case.
        ("added_tokens.json", "{\"Cat\": 6, \"cat\": 7}", "\"cat\""),
    ];
    for (name, content, reason) in cases {
        let error = refused(&[(name, content)]);
        let message = error.to_string();
        assert!(matches!(error, Error::File { .. }), "{message}");
        assert!(message.contains(reason), "{name}: {message}, expected {reason}");
    }
}

#[test]
fn bytes_that_are_no_text_and_missing_files_are_named() {
    let folder = Folder::new([("vocab.json", &b"{\"\xff\": 0}"[..]), ("merges.txt", b"")]);
    let error = Tokenizer::from_folder(&folder.path).err().unwrap();
    assert!(error.to_string().contains("vocab.json: is not UTF-8 text"), "{error}");

    let folder = Folder::new([("vocab.json", VOCAB)]);
    let error = Tokenizer::from_folder(&folder.path).err().unwrap();
    assert!(matches!(&error, Error::Io { path, .. } if path.ends_with("merges.txt")), "{error}");

    let error = Tokenizer::from_folder(folder.path.join("absent")).err().unwrap();
    assert!(matches!(&error, Error::Io { path, .. } if path.ends_with("absent/vocab.json")), "{error}");
}

#[test]
fn huge_files_are_refused() {
    for (name, limit) in [("vocab.json", 8 << 20), ("merges.txt", 8 << 20), ("tokenizer.json", 16 << 20)] {
        let folder = Folder::new([("vocab.json", VOCAB), ("merges.txt", LINES)]);
        // Sparse: takes no room on the disk.
        fs::File::create(folder.path.join(name)).unwrap().set_len(limit + 1).unwrap();
        let error = Tokenizer::from_folder(&folder.path).err().unwrap();
        assert!(error.to_string().contains(&format!("{name}: is larger than {limit} bytes")), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn files_of_any_content_are_read_or_refused(
        name in "vocab\\.json|merges\\.txt|tokenizer\\.json|tokenizer_config\\.json|added_tokens\\.json",
        content in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let folder = Folder::new([("vocab.json", VOCAB.as_bytes()), ("merges.txt", LINES.as_bytes())]);
        fs::write(folder.path.join(name), content).unwrap();
        if let Ok(tokenizer) = Tokenizer::from_folder(&folder.path) {
            prop_assert_eq!(tokenizer.encode("ab <cat>!").unwrap().ids.len(), tokenizer.context_length());
        }
    }

    #[test]
    fn added_tokens_of_any_kind_are_found_or_refused(
        contents in proptest::collection::vec(" ?[aAbé! ]{1,3} ?", 1..6),
        flags in proptest::collection::vec(any::<bool>(), 24),
        prompt in "[aAbé! \n]{0,20}",
    ) {
        let flag = |token: usize, flag: usize| flags[(token * 4 + flag) % flags.len()];
        let tokens: serde_json::Map<_, _> = contents.iter().enumerate().map(|(i, content)| {
            let token = json!({
                "content": content, "lstrip": flag(i, 0), "rstrip": flag(i, 1),
                "single_word": flag(i, 2), "normalized": flag(i, 3),
            });
            ((6 + i).to_string(), token)
        }).collect();
        let config = json!({ "added_tokens_decoder": tokens }).to_string();
        let folder =
            Folder::new([("vocab.json", VOCAB), ("merges.txt", LINES), ("tokenizer_config.json", &config)]);
        if let Ok(tokenizer) = Tokenizer::from_folder(&folder.path) {
            prop_assert_eq!(tokenizer.encode(&prompt).unwrap().ids.len(), 77);
        }
    }
}
