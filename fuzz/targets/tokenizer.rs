//! One file of a tokenizer's folder; what is accepted encodes texts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sdxl::text::Tokenizer;
use sdxl_fuzz::{file, folder};

const FILES: [(&str, &str); 6] = [
    ("vocab.json", r#"{"a":0,"b":1,"a</w>":2,"ab":3,"<|startoftext|>":4,"<|endoftext|>":5}"#),
    ("merges.txt", "#version: 0.2\na b\n"),
    ("tokenizer_config.json", "{}"),
    ("special_tokens_map.json", "{}"),
    ("added_tokens.json", "{}"),
    // Last, since it wins over the first two.
    ("tokenizer.json", ""),
];

fuzz_target!(|data: &[u8]| {
    let Some((chosen, content)) = data.split_first() else { return };
    let chosen = usize::from(*chosen) % FILES.len();
    for (index, (name, sound)) in FILES.iter().enumerate() {
        if index == chosen {
            file(name, content);
        } else if sound.is_empty() {
            let _ = std::fs::remove_file(folder().join(name));
        } else {
            file(name, sound.as_bytes());
        }
    }
    let Ok(tokenizer) = Tokenizer::from_folder(folder()) else { return };
    for text in ["ab <cat>! a", &String::from_utf8_lossy(content)] {
        if let Ok(tokens) = tokenizer.encode(text) {
            assert_eq!(tokens.ids.len(), tokenizer.context_length());
        }
    }
});
