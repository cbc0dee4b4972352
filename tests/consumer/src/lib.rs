//! A shared library with sdxl in it, as a plugin of an engine is one.

/// How many bytes the picture of a prompt has; 0 where there is none.
#[unsafe(no_mangle)]
pub extern "C" fn plugin_draw() -> usize {
    let draw = || -> sdxl::Result<usize> {
        let request = sdxl::Request::builder(sdxl::Conditioning::builder("a fox").build()?).build()?;
        let images = sdxl::Pipeline::builder("model").build()?.generate(&request)?;
        Ok(images.iter().map(|image| image.pixels().len()).sum())
    };
    draw().unwrap_or(0)
}
