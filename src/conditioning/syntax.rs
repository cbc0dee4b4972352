//! [`PromptSyntax`]: how prompts are read.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How brackets in prompts, and prompts of more than 75 tokens, are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum PromptSyntax {
    /// `plain`: as diffusers does. Brackets are characters, and what has no room is cut and reported. The
    /// default.
    #[default]
    Plain,
    /// `a1111`: as AUTOMATIC1111's web interface and its forks do with the settings that they come with.
    /// `(word:1.3)`, `[word]`, `BREAK` and escapes have a meaning
    /// ([`WeightedPrompt`](crate::text::WeightedPrompt) has the grammar), and a prompt of any length is
    /// encoded in chunks of 75 tokens. Weights keep the mean of the embeddings ("Original" in its settings).
    ///
    /// The shorter of prompt and negative prompt is filled up with empty chunks, as with its setting "Pad
    /// prompt/negative prompt"; without that setting it evaluates prompts of different lengths one after the
    /// other.
    A1111,
    /// `a1111_no_norm`: the same, but weights do not keep the mean: "No norm" in its settings, which says that
    /// this works better for SDXL. Where the mean is close to zero, keeping it can scale a chunk out of all
    /// proportion.
    A1111NoNorm,
}

impl PromptSyntax {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Plain, Self::A1111, Self::A1111NoNorm];
}

impl fmt::Display for PromptSyntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::A1111 => "a1111",
            Self::A1111NoNorm => "a1111_no_norm",
        })
    }
}

impl FromStr for PromptSyntax {
    type Err = Error;

    /// # Errors
    /// [`Error::Invalid`] lists the names.
    fn from_str(text: &str) -> Result<Self> {
        let named = Self::ALL.iter().find(|syntax| syntax.to_string() == text);
        named.copied().ok_or_else(|| {
            Error::invalid("prompt_syntax", format!("`{text}`"), "one of plain a1111 a1111_no_norm")
        })
    }
}
