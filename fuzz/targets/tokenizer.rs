//! One file of a tokenizer's folder; what is accepted encodes texts.
#![no_main]

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

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

/// The file that is not as it should be.
static CHANGED: AtomicUsize = AtomicUsize::new(0);

fn put(index: usize) {
    let Some((name, sound)) = FILES.get(index) else { return };
    if sound.is_empty() {
        let _ = std::fs::remove_file(folder().join(name));
    } else {
        file(name, sound.as_bytes());
    }
}

fuzz_target!(init: (0..FILES.len()).for_each(put), |data: &[u8]| {
    let Some((chosen, content)) = data.split_first() else { return };
    let chosen = usize::from(*chosen) % FILES.len();
    let changed = CHANGED.swap(chosen, Relaxed);
    if changed != chosen {
        put(changed);
    }
    file(FILES[chosen].0, content);
    let Ok(tokenizer) = Tokenizer::from_folder(folder()) else { return };
    for text in ["ab <cat>! a", &String::from_utf8_lossy(content)] {
        if let Ok(tokens) = tokenizer.encode(text) {
            assert_eq!(tokens.ids.len(), tokenizer.context_length());
        }
    }
});
