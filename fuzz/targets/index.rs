//! The index of a component in shards.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sdxl::weights::{Checkpoint, Component};
use sdxl_fuzz::{file, folder, safetensors};

fuzz_target!(init: {
    let tensor = |name| format!(r#"{{"{name}":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}}"#);
    file("a.safetensors", &safetensors(&tensor("conv_in.weight"), 4));
    file("b.safetensors", &safetensors(&tensor("conv_out.weight"), 4));
}, |data: &[u8]| {
    file("diffusion_pytorch_model.safetensors.index.json", data);
    if let Ok(checkpoint) = Checkpoint::from_folder(Component::Unet, folder(), "") {
        assert!(checkpoint.names().all(|name| name.starts_with("conv_")), "a shard from elsewhere");
    }
});
