//! [`default_model`]: where `models/nano` is.

use std::path::{Path, PathBuf};

use sdxl::{Error, Result};

/// That of `SDXL_NANO`, or `models/nano` above the program's folder, which is where a checkout has it, or in the current
/// one.
///
/// # Errors
/// [`Error::Missing`] where none of them has a trained UNet.
pub fn default_model() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("SDXL_NANO").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let program = std::env::current_exe().unwrap_or_default();
    let folders = program.ancestors().skip(1).chain([Path::new("")]);
    let whole = |model: &PathBuf| model.join("unet/diffusion_pytorch_model.safetensors").is_file();
    folders.map(|folder| folder.join("models/nano")).find(whole).ok_or_else(|| Error::Missing {
        part: "model",
        reason: "models/nano is not here: give a model with --model, or where it is in SDXL_NANO".into(),
    })
}
