//! The flags that steer the picture beside the prompt.

use std::str::FromStr;

use clap::Args;
use sdxl::pipeline::RequestBuilder;
use sdxl::{FreeU, Guidance, PerturbedAttention, Result};

#[derive(Args)]
pub(crate) struct Guiding {
    /// Guidance scale; 1 or less is off.
    #[arg(long, default_value_t = 5., allow_negative_numbers = true)]
    guidance: f64,
    /// Fraction by which guidance is pulled back to the prediction's deviation.
    #[arg(long, default_value_t = 0., allow_negative_numbers = true)]
    guidance_rescale: f64,
    /// Noise levels (sigma) between which guidance acts; the other steps cost half [default: all]
    #[arg(long, value_name = "LOWEST,HIGHEST", allow_hyphen_values = true)]
    guidance_interval: Option<Interval>,
    /// Evaluate the UNet's deep levels once in N steps and reuse them: faster, and another picture; 2 or 3 are usual.
    #[arg(long, value_name = "N")]
    deep_cache: Option<usize>,
    /// Perturbed-attention guidance of that scale; 3 is usual.
    #[arg(long, value_name = "F", allow_negative_numbers = true)]
    pag_scale: Option<f64>,
    /// What is taken off that scale for each timestep below 1000.
    #[arg(
        long,
        default_value_t = 0.,
        value_name = "F",
        requires = "pag_scale",
        allow_negative_numbers = true
    )]
    pag_adaptive_scale: f64,
    /// The self-attentions that are perturbed, by parts of their names [default: mid]
    #[arg(long, value_name = "NAME,...", requires = "pag_scale", value_delimiter = ',')]
    pag_layers: Option<Vec<String>>,
    /// FreeU: damps the skip connections (S) and amplifies the rest (B) in the first two levels of the UNet's
    /// way up; 0.9,0.2,1.3,1.4 is advised.
    #[arg(long, value_name = "S1,S2,B1,B2", allow_hyphen_values = true)]
    freeu: Option<Factors>,
}

impl Guiding {
    pub(crate) fn apply(&self, mut request: RequestBuilder) -> Result<RequestBuilder> {
        let mut guidance = Guidance::new(self.guidance)?.rescale(self.guidance_rescale)?;
        if let Some(Interval(lowest, highest)) = self.guidance_interval {
            guidance = guidance.interval(lowest, highest)?;
        }
        request = request.guidance(guidance);
        if let Some(every) = self.deep_cache {
            request = request.deep_cache(every);
        }
        if let Some(scale) = self.pag_scale {
            let mut perturbed = PerturbedAttention::new(scale)?.adaptive_scale(self.pag_adaptive_scale)?;
            if let Some(layers) = &self.pag_layers {
                perturbed = perturbed.layers(layers)?;
            }
            request = request.perturbed_attention(perturbed);
        }
        if let Some(Factors(freeu)) = self.freeu {
            request = request.freeu(freeu);
        }
        Ok(request)
    }
}

/// FreeU as four numbers.
#[derive(Clone, Copy)]
struct Factors(FreeU);

impl FromStr for Factors {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match numbers(text).as_deref() {
            Some(&[s1, s2, b1, b2]) => Ok(Self(FreeU { s1, s2, b1, b2 })),
            _ => Err("expected four numbers: S1,S2,B1,B2".into()),
        }
    }
}

/// The lowest and the highest noise level.
#[derive(Clone, Copy)]
struct Interval(f64, f64);

impl FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match numbers(text).as_deref() {
            Some(&[lowest, highest]) => Ok(Self(lowest, highest)),
            _ => Err("expected two numbers: LOWEST,HIGHEST".into()),
        }
    }
}

fn numbers(text: &str) -> Option<Vec<f64>> {
    text.split(',').map(|number| number.trim().parse().ok()).collect()
}
