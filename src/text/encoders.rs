//! [`TextEncoders`]: prompts to (context, pooled).

use tch::{Kind, Tensor};

use super::chunks::Chunks;
use super::clip::ClipTextModel;
use super::prompt::WeightedPrompt;
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

/// How weights act on hidden states: each state is multiplied by the weight of its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emphasis {
    /// Then the states of each chunk are scaled so that their mean is what it was: "Original" in
    /// AUTOMATIC1111's web interface.
    Original,
    /// Nothing else: "No norm" there.
    NoNorm,
}

/// A prompt as the ids of both encoders, in equally many chunks.
#[derive(Debug, Clone)]
pub struct PromptChunks {
    first: Option<Chunks>,
    second: Chunks,
    emphasis: Emphasis,
}

/// An encoded prompt.
#[derive(Debug)]
pub struct EncodedPrompt {
    /// `(1, 77 · chunks, cross_attention_dim)`: the hidden states of both encoders side by side.
    pub context: Tensor,
    /// `(1, projection_dim)`: of the first chunk, without weights.
    pub pooled: Tensor,
    /// The ends of the prompts that did not fit into 77 tokens, for each encoder that cut one.
    pub cut: Vec<String>,
}

impl TextEncoders {
    /// A prompt for each encoder, as one chunk without weights; what has no room is cut.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a prompt over 64 KiB.
    pub fn plain(&self, prompt: &str, prompt_2: &str) -> Result<PromptChunks> {
        let first = self.first.as_ref().map(|first| Chunks::plain(&first.tokenizer, prompt)).transpose()?;
        let second = Chunks::plain(&self.second.tokenizer, prompt_2)?;
        // Without weights there is nothing to emphasise.
        Ok(PromptChunks { first, second, emphasis: Emphasis::NoNorm })
    }

    /// A prompt with weights for each encoder, in as many chunks as the longer one needs.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a prompt of over 100 chunks.
    pub fn weighted(
        &self,
        prompt: &WeightedPrompt,
        prompt_2: &WeightedPrompt,
        emphasis: Emphasis,
    ) -> Result<PromptChunks> {
        let first =
            self.first.as_ref().map(|first| Chunks::weighted(&first.tokenizer, prompt)).transpose()?;
        let second = Chunks::weighted(&self.second.tokenizer, prompt_2)?;
        let mut chunks = PromptChunks { first, second, emphasis };
        chunks.pad(chunks.count());
        Ok(chunks)
    }

    /// Encodes a prompt, every chunk by itself.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a `clip_skip` that leaves no layer; [`Error::NonFinite`] where the weights
    /// give no numbers.
    pub fn encode(&self, prompt: &PromptChunks, clip_skip: usize) -> Result<EncodedPrompt> {
        let mut contexts = Vec::with_capacity(2);
        if let (Some(first), Some(chunks)) = (&self.first, &prompt.first) {
            contexts.push(first.run(chunks, prompt.emphasis, clip_skip)?.0);
        }
        let (context, pooled) = self.second.run(&prompt.second, prompt.emphasis, clip_skip)?;
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
        Ok(EncodedPrompt { context, pooled, cut: prompt.cut() })
    }
}

impl PromptChunks {
    /// The number of chunks: 77 rows of the context each.
    pub fn count(&self) -> usize {
        self.both().map(|chunks| chunks.chunks().len()).max().unwrap_or(0)
    }

    /// Appends empty chunks until there are `count`: prompt and negative prompt must have equally many to be
    /// evaluated in one batch.
    pub fn pad(&mut self, count: usize) {
        self.first.iter_mut().chain([&mut self.second]).for_each(|chunks| chunks.pad(count));
    }

    /// The ends of the prompts that did not fit into 77 tokens, for each encoder that cut one.
    pub fn cut(&self) -> Vec<String> {
        self.both().filter_map(Chunks::cut).map(str::to_owned).collect()
    }

    fn both(&self) -> impl Iterator<Item = &Chunks> {
        self.first.iter().chain([&self.second])
    }
}

impl TextEncoder {
    /// The weighted hidden states, `(1, 77 · chunks, hidden_size)`, and the pooled output.
    fn run(&self, chunks: &Chunks, emphasis: Emphasis, clip_skip: usize) -> Result<(Tensor, Option<Tensor>)> {
        let device = self.model.device();
        let rows = chunks.chunks().len() as i64;
        let ids: Vec<i64> = chunks.chunks().iter().flat_map(|chunk| &chunk.ids).copied().collect();
        let vocabulary = self.model.tokens();
        if let Some(id) = ids.iter().find(|id| !(0..vocabulary).contains(*id)) {
            // On a GPU an index out of range ends the process's use of it.
            let expected = format!("0 to {}, the vocabulary of the text encoder", vocabulary - 1);
            return Err(Error::invalid("token ids", id, expected));
        }
        let ids = Tensor::f_from_slice(&ids)?.f_view([rows, -1])?.f_to_device(device)?;
        let output = self.model.forward(&ids, clip_skip)?;

        let mut states = output.hidden_states;
        let weights: Vec<f32> = chunks.chunks().iter().flat_map(|chunk| &chunk.weights).copied().collect();
        if weights.iter().any(|&weight| weight != 1.) {
            let weights = Tensor::f_from_slice(&weights)?.f_view([rows, -1, 1])?.f_to_device(device)?;
            states = emphasis.apply(&states, &weights)?;
        }
        let (_, _, width) = states.size3()?;
        let pooled = output.pooled.map(|pooled| pooled.f_narrow(0, 0, 1)).transpose()?;
        Ok((states.f_reshape([1, -1, width])?, pooled))
    }
}

impl Emphasis {
    /// Computes in f32, whatever the type of the states.
    ///
    /// # Shapes
    /// `states` `(chunks, 77, width)`, kept; `weights` `(chunks, 77, 1)`.
    fn apply(self, states: &Tensor, weights: &Tensor) -> Result<Tensor> {
        let kind = states.kind();
        let states = states.f_to_kind(Kind::Float)?;
        let mut weighted = states.f_mul(weights)?;
        if self == Self::Original {
            let mean = |x: &Tensor| x.f_mean_dim([1, 2].as_slice(), true, Kind::Double);
            let factor = mean(&states)?.f_div(&mean(&weighted)?)?.f_to_kind(Kind::Float)?;
            weighted = weighted.f_mul(&factor)?;
        }
        Ok(weighted.f_to_kind(kind)?)
    }
}
