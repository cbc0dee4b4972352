//! [`Chunks`]: a prompt as the ids of one text encoder, as many at once as it has positions.

use std::ops::Range;

use super::prompt::WeightedPrompt;
use super::tokenizer::{Tokenizer, Tokens};
use crate::error::{Error, Result};

/// A chunk that is full ends after its last comma, where no more than this many tokens follow the comma.
const COMMA_REACH: usize = 20;
/// The most chunks of a prompt: 7500 tokens, more than anyone writes, and still little memory.
const CHUNK_LIMIT: usize = 100;

/// What a text encoder sees at once: start of text, tokens, end of text, padding.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// As many ids as the tokenizer's context is long.
    pub ids: Vec<i64>,
    /// What the hidden state of each id is multiplied by.
    pub weights: Vec<f32>,
}

/// The chunks of a prompt for one text encoder: at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunks {
    chunks: Vec<Chunk>,
    empty: Chunk,
    cut: Option<String>,
}

impl Chunks {
    /// One chunk, as diffusers makes it: brackets are characters, and what has no room is cut.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a prompt over 64 KiB.
    pub fn plain(tokenizer: &Tokenizer, prompt: &str) -> Result<Self> {
        let Tokens { ids, cut } = tokenizer.encode(prompt)?;
        let weights = vec![1.; ids.len()];
        Ok(Self { chunks: vec![Chunk { ids, weights }], empty: frame(tokenizer, &[]), cut })
    }

    /// As many chunks as the prompt needs, as AUTOMATIC1111's web interface divides it: a chunk ends at a
    /// `BREAK`, after 75 tokens, or after the last comma among the last 20 of them.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a prompt of over 100 chunks.
    pub fn weighted(tokenizer: &Tokenizer, prompt: &WeightedPrompt) -> Result<Self> {
        let mut division = Division::new(tokenizer)?;
        for (index, section) in prompt.sections().iter().enumerate() {
            if index > 0 {
                division.end_chunk();
            }
            for piece in section {
                for ids in tokenizer.words(&piece.text)? {
                    division.push(ids, piece.weight as f32);
                }
            }
        }
        let chunks = division.finish();
        if chunks.len() > CHUNK_LIMIT {
            let found = format!("{} chunks of tokens", chunks.len());
            return Err(Error::invalid("prompt", found, format!("at most {CHUNK_LIMIT} chunks")));
        }
        Ok(Self { chunks, empty: frame(tokenizer, &[]), cut: None })
    }

    /// The chunks.
    pub fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    /// The end of the prompt that had no room; always `None` where the prompt was divided.
    pub fn cut(&self) -> Option<&str> {
        self.cut.as_deref()
    }

    /// Appends empty chunks until there are `count`.
    pub fn pad(&mut self, count: usize) {
        if count > self.chunks.len() {
            self.chunks.resize(count, self.empty.clone());
        }
    }
}

#[derive(Clone, Copy)]
struct Token {
    id: i64,
    weight: f32,
}

/// Tokens on their way into chunks.
struct Division<'a> {
    tokenizer: &'a Tokenizer,
    comma: Option<i64>,
    room: usize,
    /// The chunk that is being filled, and where its last comma is.
    tokens: Vec<Token>,
    last_comma: Option<usize>,
    chunks: Vec<Chunk>,
}

impl<'a> Division<'a> {
    fn new(tokenizer: &'a Tokenizer) -> Result<Self> {
        let length = tokenizer.context_length();
        let room = length.saturating_sub(2);
        if room == 0 {
            let found = format!("a tokenizer with a context of {length}");
            return Err(Error::invalid("prompt_syntax", found, "room for a token between start and end"));
        }
        let comma = match tokenizer.ids(",")?.as_slice() {
            &[comma] => Some(comma),
            _ => None,
        };
        Ok(Self { tokenizer, comma, room, tokens: Vec::new(), last_comma: None, chunks: Vec::new() })
    }

    /// Takes in a token, or all of a word of several vectors, which stay together.
    fn push(&mut self, ids: Range<i64>, weight: f32) {
        if Some(ids.start) == self.comma {
            self.last_comma = Some(self.tokens.len());
        } else if let (true, Some(comma)) = (self.tokens.len() == self.room, self.last_comma)
            && self.room - comma <= COMMA_REACH
        {
            let moved = self.tokens.split_off(comma + 1);
            self.end_chunk();
            self.tokens = moved;
        }
        // A comma that has no room itself begins the next chunk, and is no place to end that.
        let count = usize::try_from(ids.end - ids.start).unwrap_or(0);
        if self.tokens.len() + count > self.room && !self.tokens.is_empty() {
            self.end_chunk();
        }
        self.tokens.extend(ids.map(|id| Token { id, weight }));
    }

    fn end_chunk(&mut self) {
        self.chunks.push(frame(self.tokenizer, &self.tokens));
        self.tokens.clear();
        self.last_comma = None;
    }

    fn finish(mut self) -> Vec<Chunk> {
        if !self.tokens.is_empty() || self.chunks.is_empty() {
            self.end_chunk();
        }
        self.chunks
    }
}

/// Tokens between start and end of text, padded to the context.
fn frame(tokenizer: &Tokenizer, tokens: &[Token]) -> Chunk {
    let (end, padding) = (tokenizer.end_id(), tokenizer.padding_id());
    let mut ids: Vec<i64> =
        [tokenizer.start_id()].into_iter().chain(tokens.iter().map(|token| token.id)).collect();
    let mut weights: Vec<f32> = [1.].into_iter().chain(tokens.iter().map(|token| token.weight)).collect();
    ids.resize(tokenizer.context_length(), end);
    weights.resize(tokenizer.context_length(), 1.);
    // The encoder takes its pooled output at the first end of text; the second one was trained with zeros
    // behind that.
    if padding != end {
        ids.iter_mut().skip_while(|id| **id != end).skip(1).for_each(|id| *id = padding);
    }
    Chunk { ids, weights }
}
