//! From the prompts of a [`Conditioning`] to embeddings, each side of guidance in equally many chunks.

use std::sync::Mutex;

use tch::Tensor;

use super::{Encoded, Pipeline, is_finite};
use crate::conditioning::{Conditioning, PromptSyntax, Prompts, TextEmbeddings, TextSource};
use crate::error::{Error, Result};
use crate::runtime::locked;
use crate::text::{Emphasis, EncodedPrompt, PromptChunks, TextEncoders, WeightedPrompt, check_length};

/// A prompt with the name of the builder method that it was given to.
type Named<'a> = (&'static str, &'a str);

/// Refuses prompts that are too long to be any, and those whose weights are no weights.
pub(super) fn check(conditioning: &Conditioning) -> Result<()> {
    let TextSource::Prompts(prompts) = &conditioning.text else { return Ok(()) };
    for prompt in positive(prompts).into_iter().chain(negative(prompts)) {
        match prompts.syntax {
            PromptSyntax::Plain => check_length(prompt.1).map_err(|error| named(prompt.0, error))?,
            PromptSyntax::A1111 | PromptSyntax::A1111NoNorm => drop(parse(prompt)?),
        }
    }
    Ok(())
}

/// The prompts that were encoded last, with their `clip_skip`. Kept where the encoders' weights have to be read: the same
/// prompts with another seed need no encoder.
#[derive(Default)]
pub(super) struct LastPrompts(Mutex<Option<(Prompts, usize, Encoded)>>);

impl Pipeline {
    /// What of the prompts does not fit into 77 tokens, in a moment: no text is encoded. None of embeddings, and none
    /// where the syntax divides prompts into chunks.
    ///
    /// # Errors
    /// Those of [`encode`](Self::encode).
    pub fn cut(&self, conditioning: &Conditioning) -> Result<Vec<String>> {
        let TextSource::Prompts(prompts) = &conditioning.text else { return Ok(Vec::new()) };
        let (positive, negative) = self.chunks(prompts)?;
        Ok(positive.cut().into_iter().chain(negative.iter().flat_map(PromptChunks::cut)).collect())
    }

    /// The ids of both sides. Those of the negative prompt are `None` where zeros stand for it.
    fn chunks(&self, prompts: &Prompts) -> Result<(PromptChunks, Option<PromptChunks>)> {
        let text = self.text();
        let absent = prompts.negative_prompt.is_none() && prompts.negative_prompt_2.is_none();
        let zeros = absent && self.models.config.force_zeros_for_empty_prompt;
        let positive = chunks(text, positive(prompts), prompts.syntax)?;
        let negative = if zeros { None } else { Some(chunks(text, negative(prompts), prompts.syntax)?) };
        Ok((positive, negative))
    }

    pub(super) fn encode_prompts(&self, prompts: &Prompts, clip_skip: usize) -> Result<Encoded> {
        let Some(LastPrompts(last)) = self.last_prompts.as_deref() else {
            return self.encode_anew(prompts, clip_skip);
        };
        if let Some((there, skip, encoded)) = &*locked(last)
            && (there, *skip) == (prompts, clip_skip)
        {
            return Ok(encoded.clone());
        }
        let encoded = self.encode_anew(prompts, clip_skip)?;
        *locked(last) = Some((prompts.clone(), clip_skip, encoded.clone()));
        Ok(encoded)
    }

    fn encode_anew(&self, prompts: &Prompts, clip_skip: usize) -> Result<Encoded> {
        let text = self.text();
        let (mut positive, mut negative) = self.chunks(prompts)?;
        if let Some(negative) = &mut negative {
            let count = positive.count().max(negative.count());
            positive.pad(count);
            negative.pad(count);
        }
        let EncodedPrompt { context, pooled, mut cut } = text.encode(&positive, clip_skip)?;
        let positive = finite(context, pooled)?;
        let negative = match negative {
            None => positive.zeros_like()?,
            Some(negative) => {
                // Always from the usual layer: diffusers applies clip_skip to the prompt alone.
                let negative = text.encode(&negative, 0)?;
                cut.extend(negative.cut);
                finite(negative.context, negative.pooled)?
            }
        };
        Ok(Encoded { positive, negative, cut })
    }
}

/// Embeddings, whose numbers are numbers.
fn finite(context: Tensor, pooled: Tensor) -> Result<TextEmbeddings> {
    if is_finite(&context)? && is_finite(&pooled)? {
        return TextEmbeddings::new(context, pooled);
    }
    Err(Error::NonFinite { stage: "text encoder", step: None })
}

/// The ids of one side, for both encoders.
fn chunks(text: &TextEncoders, side: [Named; 2], syntax: PromptSyntax) -> Result<PromptChunks> {
    // The refiner's only encoder is the second one; as in diffusers, it reads the first prompt.
    let [first, second] = side;
    let side = [first, if text.first.is_some() { second } else { first }];
    let emphasis = match syntax {
        PromptSyntax::Plain => {
            let [(_, prompt), (_, prompt_2)] = side;
            return text.plain(prompt, prompt_2);
        }
        PromptSyntax::A1111 => Emphasis::Original,
        PromptSyntax::A1111NoNorm => Emphasis::NoNorm,
    };
    let [prompt, prompt_2] = side;
    text.weighted(&parse(prompt)?, &parse(prompt_2)?, emphasis)
}

fn positive(prompts: &Prompts) -> [Named<'_>; 2] {
    let prompt = ("prompt", prompts.prompt.as_str());
    [prompt, given(prompts.prompt_2.as_ref()).map_or(prompt, |prompt| ("prompt_2", prompt))]
}

fn negative(prompts: &Prompts) -> [Named<'_>; 2] {
    let negative = ("negative_prompt", prompts.negative_prompt.as_deref().unwrap_or(""));
    [
        negative,
        given(prompts.negative_prompt_2.as_ref()).map_or(negative, |prompt| ("negative_prompt_2", prompt)),
    ]
}

/// An empty prompt for the second encoder is none, as in diffusers.
fn given(prompt: Option<&String>) -> Option<&str> {
    prompt.map(String::as_str).filter(|prompt| !prompt.is_empty())
}

fn parse((field, prompt): Named) -> Result<WeightedPrompt> {
    WeightedPrompt::parse(prompt).map_err(|error| named(field, error))
}

/// The error with the builder method's name.
fn named(field: &'static str, error: Error) -> Error {
    match error {
        Error::Invalid { value, expected, .. } => Error::Invalid { field, value, expected },
        other => other,
    }
}
