//! [`AutoencoderTiny`]: TAESD.

use tch::{Kind, Tensor};

use super::tiling::{Reach, Slice, Strips};
use crate::config::AutoencoderTinyConfig;
use crate::error::Result;
use crate::nn::{Conv2d, upsample_nearest};
use crate::runtime::Numbers;
use crate::weights::Weights;

/// The tiny autoencoder TAESD, for SDXL's latents TAESDXL: fast previews and decoding on small machines.
///
/// It works on latents as the UNet sees them, and gives the latents themselves, not a distribution.
#[derive(Debug)]
pub struct AutoencoderTiny {
    config: AutoencoderTinyConfig,
    encoder: Vec<Layer>,
    decoder: Vec<Layer>,
    kind: Kind,
}

#[derive(Debug)]
enum Layer {
    Conv(Conv2d),
    Relu,
    Block([Conv2d; 3]),
    Double,
}

impl AutoencoderTiny {
    /// Reads an autoencoder of that shape, under diffusers' names (`encoder.layers.0.weight`).
    pub fn load(weights: &Weights, config: &AutoencoderTinyConfig) -> Result<Self> {
        config.check()?;
        Ok(Self {
            encoder: load_encoder(&weights.at("encoder.layers"), config)?,
            decoder: load_decoder(&weights.at("decoder.layers"), config)?,
            config: config.clone(),
            kind: weights.kind(),
        })
    }

    /// The shape of the network.
    pub fn config(&self) -> &AutoencoderTinyConfig {
        &self.config
    }

    /// A picture to latents, scaled as the UNet sees them.
    ///
    /// # Shapes
    /// `(B, 3, H, W)` in [-1, 1] to `(B, 4, H/8, W/8)`, in f32.
    pub fn encode(&self, image: &Tensor) -> Result<Tensor> {
        self.encode_by(forward, image)
    }

    /// The same strip by strip, in less memory.
    pub fn encode_tiled(&self, image: &Tensor) -> Result<Tensor> {
        self.encode_by(forward_strips, image)
    }

    fn encode_by(&self, forward: Forward, image: &Tensor) -> Result<Tensor> {
        // The network works on [0, 1].
        let image = image.f_add_number(1.)?.f_div_number(2.)?;
        let latents = forward(&self.encoder, &image.f_to_kind(self.kind)?)?;
        Ok(latents.f_to_kind(Kind::Float)?.f_mul_number(self.config.scaling_factor)?)
    }

    /// Latents to a picture.
    ///
    /// # Shapes
    /// `(B, 4, h, w)` to `(B, 3, 8h, 8w)` in about [-1, 1], in f32.
    pub fn decode(&self, latents: &Tensor) -> Result<Tensor> {
        self.decode_by(forward, latents)
    }

    /// The same strip by strip, in less memory.
    pub fn decode_tiled(&self, latents: &Tensor) -> Result<Tensor> {
        self.decode_by(forward_strips, latents)
    }

    fn decode_by(&self, forward: Forward, latents: &Tensor) -> Result<Tensor> {
        let latents = latents.f_div_number(self.config.scaling_factor)?;
        // A soft clamp to ±3.
        let latents = latents.f_div_number(3.)?.f_tanh()?.f_mul_number(3.)?;
        let image = forward(&self.decoder, &latents.f_to_kind(self.kind)?)?;
        Ok(image.f_to_kind(Kind::Float)?.f_mul_number(2.)?.f_add_number(-1.)?)
    }
}

/// All layers, whole or strip by strip.
type Forward = fn(&[Layer], &Tensor) -> Result<Tensor>;

fn load_encoder(weights: &Weights, config: &AutoencoderTinyConfig) -> Result<Vec<Layer>> {
    let mut layers = Vec::new();
    let mut channels = config.in_channels;
    for (stage, (&width, &blocks)) in
        config.encoder_block_out_channels.iter().zip(&config.num_encoder_blocks).enumerate()
    {
        let at = weights.at(layers.len());
        layers.push(Layer::Conv(if stage == 0 {
            Conv2d::load(&at, channels, width, 3)?
        } else {
            Conv2d::load_unbiased(&at, channels, width)?.stride(2)
        }));
        for _ in 0..blocks {
            layers.push(load_block(&weights.at(layers.len()), width)?);
        }
        channels = width;
    }
    layers.push(Layer::Conv(Conv2d::load(&weights.at(layers.len()), channels, config.latent_channels, 3)?));
    Ok(layers)
}

fn load_decoder(weights: &Weights, config: &AutoencoderTinyConfig) -> Result<Vec<Layer>> {
    let first = config.decoder_block_out_channels.first().copied().unwrap_or(0);
    let mut layers =
        vec![Layer::Conv(Conv2d::load(&weights.at(0), config.latent_channels, first, 3)?), Layer::Relu];
    let stages = config.decoder_block_out_channels.len();
    for (stage, (&width, &blocks)) in
        config.decoder_block_out_channels.iter().zip(&config.num_decoder_blocks).enumerate()
    {
        for _ in 0..blocks {
            layers.push(load_block(&weights.at(layers.len()), width)?);
        }
        if stage + 1 < stages {
            layers.push(Layer::Double);
            layers.push(Layer::Conv(Conv2d::load_unbiased(&weights.at(layers.len()), width, width)?));
        } else {
            layers.push(Layer::Conv(Conv2d::load(&weights.at(layers.len()), width, config.out_channels, 3)?));
        }
    }
    Ok(layers)
}

fn load_block(weights: &Weights, width: i64) -> Result<Layer> {
    let conv = |index: usize| Conv2d::load(&weights.at("conv").at(index), width, width, 3);
    Ok(Layer::Block([conv(0)?, conv(2)?, conv(4)?]))
}

fn forward(layers: &[Layer], x: &Tensor) -> Result<Tensor> {
    layers.iter().try_fold(x.shallow_clone(), |x, layer| match layer {
        Layer::Conv(conv) => conv.forward(&x),
        Layer::Relu => Ok(x.f_relu()?),
        Layer::Block([first, second, third]) => {
            let h = first.forward(&x)?.f_relu()?;
            let h = second.forward(&h)?.f_relu()?;
            Ok(third.forward(&h)?.f_add(&x)?.f_relu()?)
        }
        Layer::Double => {
            let (_, _, height, width) = x.size4()?;
            upsample_nearest(&x, [2 * height, 2 * width])
        }
    })
}

/// The same strip by strip.
fn forward_strips(layers: &[Layer], x: &Tensor) -> Result<Tensor> {
    let mut doubled = false;
    let strips = layers.iter().try_fold(Strips::of(x)?, |x, layer| match layer {
        Layer::Conv(conv) => {
            let reach = match (std::mem::take(&mut doubled), conv.step()) {
                (true, _) => Reach::Doubled,
                (_, 2) => Reach::Halved(1),
                _ => Reach::Around(1),
            };
            x.layer(reach, conv.channels(), &|rows| rows.conv(conv))
        }
        Layer::Relu => x.map(|rows| Ok(rows.f_relu()?)),
        Layer::Block([first, second, third]) => x.layer(Reach::Around(3), third.channels(), &|rows| {
            let relu = |rows: Slice| rows.map(|rows| Ok(rows.f_relu()?));
            let h = relu(rows.conv(first)?)?;
            let h = relu(h.conv(second)?)?;
            relu(h.conv(third)?.plus(rows)?)
        }),
        // A convolution comes next.
        Layer::Double => {
            doubled = true;
            Ok(x)
        }
    })?;
    strips.into_whole()
}
