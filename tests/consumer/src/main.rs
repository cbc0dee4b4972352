//! Draws a picture and says how bright it is: `consumer MODEL PICTURE.png`. Text embeddings, latents and pixels pass
//! through arrays of 16-bit floats on their way.

use std::env;
use std::error::Error;

use half::{bf16, f16};
use ndarray::{Array2, Array3, Array4};
use sdxl::{Conditioning, Image, Latents, Pipeline, Request, TextEmbeddings};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [model, picture] = arguments.as_slice() else {
        return Err("usage: consumer MODEL PICTURE.png".into());
    };
    let pipeline = Pipeline::builder(model).build()?;

    let encoded = pipeline.encode(&Conditioning::builder("a lighthouse in a storm").build()?)?;
    let context: Array3<f16> = encoded.positive.context()?;
    let pooled: Array2<f16> = encoded.positive.pooled()?;
    println!("embeddings {:?} and {:?}", context.shape(), pooled.shape());
    let embeddings = TextEmbeddings::from_arrays(context.view(), pooled.view())?;

    let conditioning = Conditioning::from_embeddings(embeddings).build()?;
    let noise =
        Array4::from_shape_fn((1, 4, 8, 8), |(_, c, y, x)| bf16::from_f64(((c + x * y) as f64).sin()));
    let request =
        Request::builder(conditioning).initial_noise(Latents::from_array(noise.view())?).steps(2).build()?;
    let mut sampling = pipeline.sample(&request)?;
    for progress in &mut sampling {
        progress?;
    }
    let latents: Array4<f32> = sampling.latents()?.to_array()?;
    println!("latents {:?}", latents.shape());
    let latents = Latents::from_array(latents.mapv(f16::from_f32).view())?;

    for image in pipeline.decode(&latents)? {
        let mirrored = image.pixels();
        let mirrored = mirrored.slice(ndarray::s![.., ..;-1, ..]);
        Image::from_pixels(mirrored)?.save_png(picture)?;
        let pixels: Array3<f16> = image.to_array()?;
        let brightness = pixels.mapv(f64::from).mean().unwrap_or(0.);
        println!("{} x {}, brightness {brightness:.3}", image.width(), image.height());
    }
    Ok(())
}
