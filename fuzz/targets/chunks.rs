//! Prompts as chunks of tokens, with the vocabulary that is compiled in.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use sdxl::text::{Chunks, Padding, Tokenizer, WeightedPrompt};

fn tokenizer() -> &'static Tokenizer {
    static TOKENIZER: OnceLock<Tokenizer> = OnceLock::new();
    TOKENIZER.get_or_init(|| Tokenizer::builtin(Padding::Exclamation).expect("the built-in vocabulary"))
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let prompts = [
        Chunks::plain(tokenizer(), text),
        WeightedPrompt::parse(text).and_then(|prompt| Chunks::weighted(tokenizer(), &prompt)),
    ];
    for chunk in prompts.iter().flatten().flat_map(Chunks::chunks) {
        assert_eq!((chunk.ids.len(), chunk.weights.len()), (77, 77));
        assert!(chunk.ids.iter().all(|id| (0..49408).contains(id)), "{:?}", chunk.ids);
        assert!(chunk.weights.iter().all(|weight| weight.is_finite()));
    }
});
