//! The tensors of a LoRA: a line for each, with its key and its sizes, and `h` before it for 16 bits.
#![no_main]

use std::fmt::Write;

use libfuzzer_sys::fuzz_target;
use sdxl::Lora;
use sdxl_fuzz::{file, safetensors};

/// Bytes of the data.
const LIMIT: usize = 1 << 16;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (mut header, mut end) = (String::from("{"), 0usize);
    for (index, line) in text.lines().take(64).enumerate() {
        let (dtype, width, line) = match line.strip_prefix('h') {
            Some(rest) => ("F16", 2, rest),
            None => ("F32", 4, line),
        };
        let mut words = line.split_whitespace();
        let key = words.next().unwrap_or_default();
        let shape: Vec<usize> = words.filter_map(|word| word.parse().ok()).collect();
        let count = shape.iter().try_fold(width, |product: usize, &size| product.checked_mul(size));
        let Some(start) = count.and_then(|bytes| end.checked_add(bytes)).filter(|&end| end <= LIMIT) else {
            return;
        };
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(
            header,
            r#"{comma}{key:?}:{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{end},{start}]}}"#
        );
        end = start;
    }
    header.push('}');
    if let Ok(lora) = Lora::open(file("lora.safetensors", &safetensors(&header, end))) {
        assert!(lora.weight(1.).is_ok() && !lora.looks_like().is_empty());
    }
});
