//! [`TextEncoders`]: prompts to (context, pooled).

use tch::{Kind, Tensor};

use super::clip::ClipTextModel;
use super::tokenizer::Tokenizer;
use crate::error::{Error, Result};

/// A tokenizer and the encoder that reads its ids.
pub struct TextEncoder {
    /// Text to ids.
    pub tokenizer: Tokenizer,
    /// Ids to hidden states.
    pub model: ClipTextModel,
}

/// Both text encoders; the refiner has the second alone.
pub struct TextEncoders {
    /// CLIP ViT-L.
    pub first: Option<TextEncoder>,
    /// OpenCLIP ViT-bigG, which also gives the pooled embedding.
    pub second: TextEncoder,
}

/// An encoded prompt.
#[derive(Debug)]
pub struct EncodedPrompt {
    /// `(1, 77, cross_attention_dim)`: the hidden states of both encoders side by side.
    pub context: Tensor,
    /// `(1, projection_dim)`.
    pub pooled: Tensor,
    /// The ends of the prompts that did not fit into 77 tokens, for each encoder that cut one.
    pub cut: Vec<String>,
}

impl TextEncoders {
    /// Encodes a prompt for each encoder.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a prompt over 64 KiB or a `clip_skip` that leaves no layer;
    /// [`Error::NonFinite`] where the weights give no numbers.
    pub fn encode(&self, prompt: &str, prompt_2: &str, clip_skip: usize) -> Result<EncodedPrompt> {
        let mut contexts = Vec::with_capacity(2);
        let mut cut = Vec::new();
        if let Some(first) = &self.first {
            contexts.push(first.run(prompt, clip_skip, &mut cut)?.0);
        }
        let (context, pooled) = self.second.run(prompt_2, clip_skip, &mut cut)?;
        contexts.push(context);
        let pooled = pooled.ok_or_else(|| Error::Missing {
            part: "text projection",
            reason: "the second encoder gives the pooled embedding".into(),
        })?;
        let context = Tensor::f_cat(&contexts, -1)?;
        // Infinities and NaNs survive the sum; finite f32 states of these widths cannot overflow f64.
        let sum = |tensor: &Tensor| tensor.f_to_kind(Kind::Double)?.f_sum(Kind::Double)?.f_double_value(&[]);
        if !(sum(&context)? + sum(&pooled)?).is_finite() {
            return Err(Error::NonFinite { stage: "text encoder", step: None });
        }
        Ok(EncodedPrompt { context, pooled, cut })
    }
}

impl TextEncoder {
    fn run(&self, prompt: &str, clip_skip: usize, cut: &mut Vec<String>) -> Result<(Tensor, Option<Tensor>)> {
        let tokens = self.tokenizer.encode(prompt)?;
        let vocabulary = self.model.config().vocab_size;
        if let Some(id) = tokens.ids.iter().find(|id| !(0..vocabulary).contains(*id)) {
            // On a GPU an index out of range ends the process's use of it.
            let expected = format!("0 to {}, the vocabulary of the text encoder", vocabulary - 1);
            return Err(Error::invalid("token ids", id, expected));
        }
        cut.extend(tokens.cut);
        let ids = Tensor::f_from_slice(&tokens.ids)?.f_unsqueeze(0)?.f_to_device(self.model.device())?;
        let output = self.model.forward(&ids, clip_skip)?;
        Ok((output.hidden_states, output.pooled))
    }
}
