//! The blocks of SDXL's UNet, as lists of block weights have them.

use super::{WeightedLora, checked};
use crate::error::{Error, Result};

/// A block in Stability's order, whether it has attention, and its layers by diffusers' names.
type Block = (&'static str, bool, &'static [&'static str]);

const BLOCKS: [Block; 19] = [
    ("IN00", false, &["conv_in"]),
    ("IN01", false, &["down_blocks.0.resnets.0"]),
    ("IN02", false, &["down_blocks.0.resnets.1"]),
    ("IN03", false, &["down_blocks.0.downsamplers"]),
    ("IN04", true, &["down_blocks.1.resnets.0", "down_blocks.1.attentions.0"]),
    ("IN05", true, &["down_blocks.1.resnets.1", "down_blocks.1.attentions.1"]),
    ("IN06", false, &["down_blocks.1.downsamplers"]),
    ("IN07", true, &["down_blocks.2.resnets.0", "down_blocks.2.attentions.0"]),
    ("IN08", true, &["down_blocks.2.resnets.1", "down_blocks.2.attentions.1"]),
    ("M00", true, &["mid_block"]),
    ("OUT00", true, &["up_blocks.0.resnets.0", "up_blocks.0.attentions.0"]),
    ("OUT01", true, &["up_blocks.0.resnets.1", "up_blocks.0.attentions.1"]),
    ("OUT02", true, &["up_blocks.0.resnets.2", "up_blocks.0.attentions.2", "up_blocks.0.upsamplers"]),
    ("OUT03", true, &["up_blocks.1.resnets.0", "up_blocks.1.attentions.0"]),
    ("OUT04", true, &["up_blocks.1.resnets.1", "up_blocks.1.attentions.1"]),
    ("OUT05", true, &["up_blocks.1.resnets.2", "up_blocks.1.attentions.2", "up_blocks.1.upsamplers"]),
    ("OUT06", false, &["up_blocks.2.resnets.0"]),
    ("OUT07", false, &["up_blocks.2.resnets.1"]),
    ("OUT08", false, &["up_blocks.2.resnets.2"]),
];

impl WeightedLora {
    /// Block weights as A1111's extension LoRA Block Weight has them (`lbw=`): factors for the text encoders (`BASE`)
    /// and for the blocks of SDXL's UNet, of which a list of 12 has those with attention, one of 20 all:
    ///
    /// - 12: `BASE`, `IN04`, `IN05`, `IN07`, `IN08`, `M00`, `OUT00` to `OUT05`; the other blocks are 0;
    /// - 20: `BASE`, `IN00` to `IN08`, `M00`, `OUT00` to `OUT08`.
    ///
    /// Layers of no block, the embeddings of time and size and the last convolution, keep the weight. The factor of the
    /// text encoders multiplies the weight that they have by now.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another number of factors, and unless each is -100 to 100.
    pub fn block_weights(mut self, factors: &[f64]) -> Result<Self> {
        let with_attention = BLOCKS.iter().filter(|(_, has_attention, _)| *has_attention).count();
        let is_short = factors.len() == with_attention + 1;
        let Some((base, mut rest)) =
            factors.split_first().filter(|(_, rest)| is_short || rest.len() == BLOCKS.len())
        else {
            let expected = format!("{}, or {}: BASE and the blocks", with_attention + 1, BLOCKS.len() + 1);
            return Err(Error::invalid("block_weights", format!("{} numbers", factors.len()), expected));
        };
        for (_, has_attention, layers) in BLOCKS {
            let mut factor = 0.;
            if let (true, Some((first, others))) = (has_attention || !is_short, rest.split_first()) {
                (factor, rest) = (*first, others);
            }
            for layer in layers {
                self = self.block(*layer, factor)?;
            }
        }
        let weight = self.text_encoders_weight() * checked("block_weights", *base)?;
        self.text_encoders(weight)
    }
}
