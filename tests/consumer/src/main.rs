//! Draws noise, since there is no model to draw pictures with.

use half::f16;
use ndarray::Array1;

fn main() -> sdxl::Result<()> {
    sdxl::Device::Cpu.check()?;
    let latents = sdxl::NoiseSource::new(&[0])?.normal(&[4, 8, 8])?;
    let shape = Array1::from(latents.size()).mapv(|side| f16::from_f64(side as f64));
    println!("{shape}");
    Ok(())
}
