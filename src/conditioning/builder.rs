//! [`Conditioning`] and its builder.

use serde::{Deserialize, Serialize};

use super::embeddings::TextEmbeddings;
use super::micro::{AestheticScores, Crop, MicroConditioning, Size};
use super::syntax::PromptSyntax;
use crate::error::{Error, Result};

/// What a picture is to show, for both sides of guidance: text or its embeddings, and the
/// micro-conditioning. It belongs to no model and serves any number of requests.
///
/// ```
/// use sdxl::{Conditioning, Size};
///
/// let conditioning = Conditioning::builder("a lighthouse in a storm")
///     .negative_prompt("blurry")
///     .original_size(Size::new(1536, 1024))
///     .build()?;
/// # Ok::<(), sdxl::Error>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Conditioning {
    pub(crate) text: TextSource,
    pub(crate) clip_skip: usize,
    pub(crate) micro: MicroConditioning,
    pub(crate) negative_micro: MicroConditioning,
    pub(crate) aesthetic_scores: AestheticScores,
}

/// Where the text comes from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum TextSource {
    /// Prompts, to be encoded.
    Prompts(Prompts),
    /// Embeddings, used as they are.
    Embeddings {
        /// For the prompt.
        positive: TextEmbeddings,
        /// For the negative prompt; zeros, or those of `""` where the model asks for them, unless given.
        negative: Option<TextEmbeddings>,
    },
}

/// The prompts of the two text encoders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompts {
    /// For the first encoder, and the second unless `prompt_2` is given.
    pub prompt: String,
    /// For the second encoder, which also gives the pooled embedding.
    pub prompt_2: Option<String>,
    /// `None` is zeros or the encoded `""`, as the model asks; `Some("")` is encoded.
    pub negative_prompt: Option<String>,
    /// For the second encoder; `negative_prompt` unless given.
    pub negative_prompt_2: Option<String>,
    /// How all of them are read.
    pub syntax: PromptSyntax,
}

/// Builds a [`Conditioning`].
#[derive(Debug, Clone)]
#[must_use]
pub struct ConditioningBuilder {
    text: TextSource,
    clip_skip: usize,
    micro: MicroConditioning,
    negative_original_size: Option<Size>,
    negative_crop: Option<Crop>,
    negative_target_size: Option<Size>,
    aesthetic_scores: AestheticScores,
    /// What was given to the wrong kind of text.
    misplaced: Option<&'static str>,
}

impl Conditioning {
    /// Conditioning on a prompt.
    pub fn builder(prompt: impl Into<String>) -> ConditioningBuilder {
        ConditioningBuilder::new(TextSource::Prompts(Prompts {
            prompt: prompt.into(),
            prompt_2: None,
            negative_prompt: None,
            negative_prompt_2: None,
            syntax: PromptSyntax::default(),
        }))
    }

    /// Conditioning on embeddings made before.
    pub fn from_embeddings(positive: TextEmbeddings) -> ConditioningBuilder {
        ConditioningBuilder::new(TextSource::Embeddings { positive, negative: None })
    }

    /// The text.
    pub fn text(&self) -> &TextSource {
        &self.text
    }

    /// The micro-conditioning of the prompt.
    pub fn micro(&self) -> MicroConditioning {
        self.micro
    }

    /// The micro-conditioning of the negative prompt.
    pub fn negative_micro(&self) -> MicroConditioning {
        self.negative_micro
    }

    /// The aesthetic scores; only the refiner is told them.
    pub fn aesthetic_scores(&self) -> AestheticScores {
        self.aesthetic_scores
    }

    /// How many layers below the usual one the prompt's hidden states are taken from.
    pub fn clip_skip(&self) -> usize {
        self.clip_skip
    }

    /// The same without a negative prompt.
    pub(crate) fn without_negative(&self) -> Self {
        let mut conditioning = self.clone();
        match &mut conditioning.text {
            TextSource::Prompts(prompts) => {
                (prompts.negative_prompt, prompts.negative_prompt_2) = (None, None)
            }
            TextSource::Embeddings { negative, .. } => *negative = None,
        }
        conditioning
    }
}

impl ConditioningBuilder {
    fn new(text: TextSource) -> Self {
        Self {
            text,
            clip_skip: 0,
            micro: MicroConditioning::default(),
            negative_original_size: None,
            negative_crop: None,
            negative_target_size: None,
            aesthetic_scores: AestheticScores::default(),
            misplaced: None,
        }
    }

    fn prompts(mut self, change: impl FnOnce(&mut Prompts)) -> Self {
        match &mut self.text {
            TextSource::Prompts(prompts) => change(prompts),
            TextSource::Embeddings { .. } => self.misplaced = Some("prompts"),
        }
        self
    }

    /// Another prompt for the second text encoder. Default, also for `""`: the prompt. A refiner, which has one
    /// encoder, reads the prompt alone.
    pub fn prompt_2(self, prompt: impl Into<String>) -> Self {
        self.prompts(|prompts| prompts.prompt_2 = Some(prompt.into()))
    }

    /// What the picture is not to show; evaluated where guidance is on. Default: absent, which is not the
    /// same as empty: SDXL base takes zeros for an absent negative prompt, and encodes an empty one.
    pub fn negative_prompt(self, prompt: impl Into<String>) -> Self {
        self.prompts(|prompts| prompts.negative_prompt = Some(prompt.into()))
    }

    /// Another negative prompt for the second text encoder. Default, also for `""`: the negative prompt.
    pub fn negative_prompt_2(self, prompt: impl Into<String>) -> Self {
        self.prompts(|prompts| prompts.negative_prompt_2 = Some(prompt.into()))
    }

    /// How the prompts are read. Default [`PromptSyntax::Plain`]. Without effect on embeddings. Whether the
    /// prompts keep to the syntax is checked where a request is built of them, or where they are encoded.
    pub fn prompt_syntax(self, syntax: PromptSyntax) -> Self {
        self.prompts(|prompts| prompts.syntax = syntax)
    }

    /// Embeddings of the negative prompt, beside those of the prompt.
    pub fn negative_embeddings(mut self, embeddings: TextEmbeddings) -> Self {
        match &mut self.text {
            TextSource::Embeddings { negative, .. } => *negative = Some(embeddings),
            TextSource::Prompts(_) => self.misplaced = Some("negative_embeddings"),
        }
        self
    }

    /// Takes the prompt's hidden states from that many layers below the usual one, which is the last but
    /// one. Default 0. The negative prompt is always taken from the usual layer, as in diffusers.
    pub fn clip_skip(self, layers: usize) -> Self {
        Self { clip_skip: layers, ..self }
    }

    /// Size of the original picture. Default: the size of the picture drawn.
    pub fn original_size(mut self, size: Size) -> Self {
        self.micro.original_size = Some(size);
        self
    }

    /// Top-left corner of the crop. Default: (0, 0).
    pub fn crop(mut self, crop: Crop) -> Self {
        self.micro.crop = crop;
        self
    }

    /// Target size. Default: the size of the picture drawn.
    pub fn target_size(mut self, size: Size) -> Self {
        self.micro.target_size = Some(size);
        self
    }

    /// Original size for the negative prompt. Default: that of the prompt.
    pub fn negative_original_size(self, size: Size) -> Self {
        Self { negative_original_size: Some(size), ..self }
    }

    /// Crop for the negative prompt. Default: that of the prompt.
    pub fn negative_crop(self, crop: Crop) -> Self {
        Self { negative_crop: Some(crop), ..self }
    }

    /// Target size for the negative prompt. Default: that of the prompt.
    pub fn negative_target_size(self, size: Size) -> Self {
        Self { negative_target_size: Some(size), ..self }
    }

    /// The refiner's aesthetic score for the prompt. Default 6.
    pub fn aesthetic_score(mut self, score: f64) -> Self {
        self.aesthetic_scores.positive = score;
        self
    }

    /// The refiner's aesthetic score for the negative prompt. Default 2.5.
    pub fn negative_aesthetic_score(mut self, score: f64) -> Self {
        self.aesthetic_scores.negative = score;
        self
    }

    /// Checks everything that can be checked without a model.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the value that is out of range.
    pub fn build(self) -> Result<Conditioning> {
        if let Some(field) = self.misplaced {
            let expected = "prompts with prompts, and embeddings with embeddings";
            return Err(Error::invalid(field, "given beside the other kind", expected));
        }
        if self.clip_skip > 0 && matches!(self.text, TextSource::Embeddings { .. }) {
            return Err(Error::invalid(
                "clip_skip",
                self.clip_skip,
                "0 with embeddings, which are encoded already",
            ));
        }
        let negative_micro = MicroConditioning {
            original_size: self.negative_original_size.or(self.micro.original_size),
            crop: self.negative_crop.unwrap_or(self.micro.crop),
            target_size: self.negative_target_size.or(self.micro.target_size),
        };
        self.micro.validate(["original_size", "crop", "target_size"])?;
        negative_micro.validate(["negative_original_size", "negative_crop", "negative_target_size"])?;
        for (field, score) in [
            ("aesthetic_score", self.aesthetic_scores.positive),
            ("negative_aesthetic_score", self.aesthetic_scores.negative),
        ] {
            if !(0. ..=10.).contains(&score) {
                return Err(Error::invalid(field, score, "0 to 10"));
            }
        }
        Ok(Conditioning {
            text: self.text,
            clip_skip: self.clip_skip,
            micro: self.micro,
            negative_micro,
            aesthetic_scores: self.aesthetic_scores,
        })
    }
}
