//! `--lora`: files and their weights.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use sdxl::pipeline::PipelineBuilder;
use sdxl::{Lora, Result, WeightedLora};

#[derive(Args)]
pub(crate) struct Loras {
    /// A LoRA and its weight, 1 unless given; several add up (not in the refiner). More after colons: te=W, the weight
    /// in the text encoders; mid_block=F, up_blocks.0.attentions.1=F, factors of blocks; lbw=…, 12 or 20 factors as
    /// A1111's
    #[arg(long = "lora", value_name = "FILE[:WEIGHT][:BLOCK=F]")]
    loras: Vec<LoraFile>,
    /// Merge the LoRAs into the weights in the place of keeping them beside: faster steps, rounded once more
    #[arg(long, requires = "loras")]
    merge_loras: bool,
    /// Leave out what of a LoRA fits no layer, with a warning
    #[arg(long, requires = "loras")]
    ignore_unmatched: bool,
}

impl Loras {
    pub(crate) fn apply(&self, mut builder: PipelineBuilder) -> Result<PipelineBuilder> {
        for lora in &self.loras {
            let lora = lora.open()?;
            let lora = if self.ignore_unmatched { lora.ignore_unmatched() } else { lora };
            builder = builder.weighted_lora(lora);
        }
        Ok(if self.merge_loras { builder.merge_loras() } else { builder })
    }
}

/// A LoRA on the command line: `FILE[:WEIGHT][:te=WEIGHT][:lbw=LIST][:BLOCK=FACTOR]…`.
#[derive(Clone)]
struct LoraFile {
    path: PathBuf,
    weight: f64,
    text_encoders: Option<f64>,
    /// Those of all blocks, in the order of A1111's lists.
    block_weights: Option<Vec<f64>>,
    blocks: Vec<(String, f64)>,
}

impl LoraFile {
    fn open(&self) -> Result<WeightedLora> {
        let mut lora = Lora::open(&self.path)?.weight(self.weight)?;
        if let Some(weight) = self.text_encoders {
            lora = lora.text_encoders(weight)?;
        }
        if let Some(weights) = &self.block_weights {
            lora = lora.block_weights(weights)?;
        }
        for (block, factor) in &self.blocks {
            lora = lora.block(block, *factor)?;
        }
        Ok(lora)
    }

    /// Takes in what one colon stands before; `false` where it is part of the file's name.
    fn set(&mut self, part: &str) -> Result<bool, String> {
        let Some((name, value)) = part.split_once('=') else {
            let Ok(weight) = part.parse() else { return Ok(false) };
            self.weight = checked(weight)?;
            return Ok(true);
        };
        let numbers = value.split(',').map(|number| number.trim().parse().map_err(|_| expected()));
        let numbers: Vec<f64> = numbers.collect::<Result<_, _>>()?;
        match (name, numbers.as_slice()) {
            ("lbw", _) if [12, 20].contains(&numbers.len()) => {
                numbers.iter().try_for_each(|number| checked(*number).map(drop))?;
                self.block_weights = Some(numbers);
            }
            ("lbw", _) => return Err(format!("lbw has {} numbers, expected 12 or 20", numbers.len())),
            ("te", [weight]) => self.text_encoders = Some(checked(*weight)?),
            (block, [factor]) => self.blocks.push((block.to_owned(), checked(*factor)?)),
            _ => return Err(expected()),
        }
        Ok(true)
    }
}

impl FromStr for LoraFile {
    type Err = String;

    /// Read from the end, since a file's name may have colons too.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut lora = Self {
            path: PathBuf::new(),
            weight: 1.,
            text_encoders: None,
            block_weights: None,
            blocks: Vec::new(),
        };
        let mut rest = text;
        while let Some((before, part)) = rest.rsplit_once(':') {
            if !lora.set(part)? {
                break;
            }
            rest = before;
        }
        if rest.is_empty() {
            return Err(expected());
        }
        lora.path = rest.into();
        Ok(lora)
    }
}

fn checked(weight: f64) -> Result<f64, String> {
    if weight.abs() <= 100. { Ok(weight) } else { Err(expected()) }
}

fn expected() -> String {
    "expected a file and weights from -100 to 100, as in style.safetensors:0.8:te=0.5:mid_block=0".into()
}
