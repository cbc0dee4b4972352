//! Draws a picture and says how bright it is: `consumer MODEL PICTURE.png`.

use std::env;
use std::error::Error;

use half::f16;
use ndarray::Array4;
use sdxl::{Conditioning, Pipeline, Request};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [model, picture] = arguments.as_slice() else {
        return Err("usage: consumer MODEL PICTURE.png".into());
    };
    let pipeline = Pipeline::builder(model).build()?;
    let conditioning = Conditioning::builder("a lighthouse in a storm").build()?;
    let request = Request::builder(conditioning).width(64).height(64).steps(2).build()?;

    let mut sampling = pipeline.sample(&request)?;
    for progress in &mut sampling {
        progress?;
    }
    let latents: Array4<f16> = sampling.latents()?.to_array()?;
    println!("latents {:?}", latents.shape());
    for image in sampling.images()? {
        image.save_png(picture)?;
        println!(
            "{} x {}, brightness {}",
            image.width(),
            image.height(),
            image.pixels().mapv(f64::from).mean().unwrap_or(0.)
        );
    }
    Ok(())
}
