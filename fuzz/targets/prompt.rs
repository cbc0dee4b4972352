//! The syntax of weighted prompts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sdxl::text::WeightedPrompt;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(prompt) = WeightedPrompt::parse(text) else { return };
    assert!(!prompt.sections().is_empty());
    let mut length = 0;
    for piece in prompt.sections().iter().flatten() {
        assert!(!piece.text.is_empty() && piece.weight.abs() <= 1000., "{piece:?}");
        length += piece.text.len();
    }
    assert!(length <= text.len(), "a prompt that grew");
});
