//! [`SpecialTokens`]: which tokens begin, end and pad a prompt, and which are found before any word.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use tokenizers::AddedToken;

use super::vocabulary::{END, FILE_LIMIT, START, Vocabulary, json};
use crate::error::{Error, Result};
use crate::runtime::files::read_text;

/// The number of positions of CLIP's text models.
const CONTEXT_LENGTH: usize = 77;
/// A `model_max_length` above this is transformers' way to write that there is none.
const CONTEXT_LIMIT: f64 = 65536.;

/// What belongs to a tokenizer beside its vocabulary: `tokenizer_config.json` and its companions.
pub(super) struct SpecialTokens {
    pub(super) start: AddedToken,
    pub(super) end: AddedToken,
    pub(super) padding: AddedToken,
    pub(super) unknown: AddedToken,
    /// Separators and masks, which CLIP does not use but a file may name.
    others: Vec<AddedToken>,
    /// Tokens that were added to the vocabulary, with their ids.
    pub(super) added: BTreeMap<u32, AddedToken>,
    pub(super) context_length: usize,
}

impl SpecialTokens {
    /// CLIP's, with `padding` (found as it is written, unlike the others) after the end of a prompt.
    pub(super) fn clip(padding: &str) -> Self {
        let end = exact(END).normalized(true);
        Self {
            start: exact(START).normalized(true),
            unknown: end.clone(),
            end,
            padding: exact(padding),
            others: Vec::new(),
            added: BTreeMap::new(),
            context_length: CONTEXT_LENGTH,
        }
    }

    /// Reads what `folder` holds of `tokenizer_config.json`, `special_tokens_map.json` and
    /// `added_tokens.json`, with transformers' precedence; `listed` are those of a `tokenizer.json`.
    pub(super) fn from_folder(folder: &Path, listed: Vec<ListedToken>) -> Result<Self> {
        let mut fields: Map<String, Value> = optional(folder, "tokenizer_config.json")?;
        let complete = fields.contains_key("added_tokens_decoder");
        if !complete {
            fields.append(&mut optional(folder, "special_tokens_map.json")?);
        }
        let config: Config = serde_json::from_value(Value::Object(fields)).map_err(|error| {
            Error::file(folder, format!("tokenizer_config.json or special_tokens_map.json: {error}"))
        })?;
        let refuse = |field: &str, found: &dyn Debug, expected: &str| {
            Err(Error::file(folder, format!("{field} is {found:?}, expected {expected}")))
        };
        let sides = [("padding_side", &config.padding_side), ("truncation_side", &config.truncation_side)];
        for (field, side) in sides {
            if let Some(side) = side.as_ref().filter(|side| *side != "right") {
                return refuse(field, side, "\"right\"");
            }
        }
        let context_length = match config.model_max_length {
            None => CONTEXT_LENGTH,
            Some(length) if length > CONTEXT_LIMIT => CONTEXT_LENGTH,
            Some(length) if length >= 2. && length.fract() == 0. => length as usize,
            Some(length) => return refuse("model_max_length", &length, "a whole number from 2"),
        };

        let or = |written: Option<Written>, text| written.map_or_else(|| exact(text), Written::token);
        let others = [config.sep_token, config.cls_token, config.mask_token];
        let mut special = Self {
            start: or(config.bos_token, START),
            end: or(config.eos_token, END),
            padding: or(config.pad_token, END),
            unknown: or(config.unk_token, END),
            others: others.into_iter().flatten().map(Written::token).collect(),
            added: config.added_tokens_decoder.into_iter().map(|(id, token)| (id, token.token())).collect(),
            context_length,
        };
        if !complete {
            let legacy: HashMap<String, u32> = optional(folder, "added_tokens.json")?;
            for (text, id) in legacy {
                let named = special.named().any(|token| token.content == text);
                special.added.insert(id, AddedToken::from(text, named));
            }
            special.added.extend(listed.into_iter().map(|listed| (listed.id, listed.token.token())));
        }
        Ok(special)
    }

    /// Refuses special tokens that have no id.
    pub(super) fn check(&self, vocabulary: &Vocabulary) -> Result<(), String> {
        // The unknown token is a matter of the vocabulary alone.
        let missing = |token: &&AddedToken| !vocabulary.contains(&token.content) && !self.is_added(token);
        let unknown = Some(&self.unknown).filter(|token| !vocabulary.contains(&token.content));
        match unknown.or_else(|| self.named().find(missing)) {
            Some(token) => Err(format!("the special token {:?} is not in the vocabulary", token.content)),
            None => Ok(()),
        }
    }

    /// Everything that is found in a prompt before it is split into words. Of two tokens with the same
    /// text the later one counts: the padding token of SDXL's first encoder repeats the end of text as
    /// a token that is not normalised, which is why that encoder finds `<|endoftext|>` in lower case only.
    pub(super) fn matched(&self) -> Vec<AddedToken> {
        let mut matched: Vec<AddedToken> = self.added.values().cloned().collect();
        for token in self.named() {
            if !self.is_added(token) && !matched.contains(token) {
                matched.push(token.clone());
            }
        }
        matched
    }

    /// The tokens with a role, in the order in which transformers adds them.
    fn named(&self) -> impl Iterator<Item = &AddedToken> {
        [&self.start, &self.end, &self.unknown, &self.padding].into_iter().chain(&self.others)
    }

    fn is_added(&self, token: &AddedToken) -> bool {
        self.added.values().any(|added| added.content == token.content)
    }
}

/// The fields of `tokenizer_config.json` and `special_tokens_map.json` that matter.
#[derive(Deserialize)]
struct Config {
    bos_token: Option<Written>,
    eos_token: Option<Written>,
    unk_token: Option<Written>,
    sep_token: Option<Written>,
    pad_token: Option<Written>,
    cls_token: Option<Written>,
    mask_token: Option<Written>,
    #[serde(default)]
    added_tokens_decoder: BTreeMap<u32, TokenFields>,
    model_max_length: Option<f64>,
    padding_side: Option<String>,
    truncation_side: Option<String>,
}

/// A token as the files write it: its text, or its text and how it is found.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Token(TokenFields),
}

#[derive(Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the file format")]
struct TokenFields {
    content: String,
    #[serde(default)]
    single_word: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
    #[serde(default)]
    normalized: bool,
}

/// An entry of `added_tokens` in `tokenizer.json`.
#[derive(Deserialize)]
pub(super) struct ListedToken {
    id: u32,
    #[serde(flatten)]
    token: TokenFields,
}

impl Written {
    fn token(self) -> AddedToken {
        match self {
            Self::Text(text) => exact(&text),
            Self::Token(fields) => fields.token(),
        }
    }
}

impl TokenFields {
    fn token(self) -> AddedToken {
        exact(&self.content)
            .single_word(self.single_word)
            .lstrip(self.lstrip)
            .rstrip(self.rstrip)
            .normalized(self.normalized)
    }
}

/// A special token that is found as it is written, before the prompt becomes lower case.
fn exact(text: &str) -> AddedToken {
    AddedToken::from(text, true)
}

/// The content of a JSON file that may be absent.
fn optional<T: Default + for<'a> Deserialize<'a>>(folder: &Path, name: &str) -> Result<T> {
    let path = folder.join(name);
    match read_text(&path, FILE_LIMIT) {
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(T::default()),
        text => json(&path, &text?),
    }
}
