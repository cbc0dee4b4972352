//! The header of a safetensors file, with as much data behind it as its first two bytes say.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sdxl::weights::{Checkpoint, Component};
use sdxl_fuzz::{file, safetensors};

fuzz_target!(|data: &[u8]| {
    let Some((size, header)) = data.split_first_chunk::<2>() else { return };
    let Ok(header) = std::str::from_utf8(header) else { return };
    let path = file("header.safetensors", &safetensors(header, usize::from(u16::from_le_bytes(*size))));
    for component in [Component::Unet, Component::TextEncoder2] {
        let Ok(checkpoint) = Checkpoint::from_file(component, &path) else { return };
        for name in checkpoint.names() {
            let _ = checkpoint.shape(name);
        }
    }
});
