//! [`Tokenizer`]: CLIP's byte-pair encoding, with the ids of transformers' `CLIPTokenizer`.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use tokenizers::decoders::byte_level::ByteLevel;
use tokenizers::models::bpe::BPE;
use tokenizers::normalizers::replace::ReplacePattern;
use tokenizers::normalizers::{self, Lowercase, NFC, Replace};
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{
    AddedToken, NormalizedString, Normalizer, SplitDelimiterBehavior, TokenizerImpl, pre_tokenizers,
};

use super::special::{ListedToken, SpecialTokens};
use super::vocabulary::{END, END_OF_WORD, Model, TOKENIZER_FILE_LIMIT, Vocabulary, json};
use crate::error::{Error, Result};
use crate::runtime::files::{exists, read_text};

/// The longest prompt in bytes: about two hundred times what the text encoders see.
const PROMPT_LIMIT: usize = 64 << 10;

/// What is a word: contractions, letters, single digits, and runs of anything else but whitespace.
const WORD: &str =
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// The crate's pipeline: normalise, split into words, encode each word. Nothing processes the ids
/// afterwards; the type has to be named all the same.
type Engine =
    TokenizerImpl<BPE, normalizers::Sequence, pre_tokenizers::sequence::Sequence, ByteLevel, ByteLevel>;

/// Turns prompts into token ids: one tokenizer for each text encoder.
///
/// The ids are those of transformers' `CLIPTokenizer`, which diffusers uses: a prompt is composed
/// (NFC), its whitespace collapsed and its letters made lower case; words become the symbols of a
/// byte-pair encoding, so that every text has ids. HTML entities and broken encodings are left as
/// they are, unlike in OpenAI's own code.
///
/// A clone is cheap and shares the vocabulary.
#[derive(Clone)]
pub struct Tokenizer {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Engine,
    start: u32,
    end: u32,
    padding: u32,
    context_length: usize,
    /// Words that stand for several ids in a row: what the engine has for them, and the ids.
    words: HashMap<u32, Range<i64>>,
}

/// The padding token, which is what SDXL's two tokenizers differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// `<|endoftext|>`, id 49407: the tokenizer of the first text encoder (CLIP ViT-L).
    EndOfText,
    /// `!`, id 0: the tokenizer of the second text encoder (OpenCLIP ViT-bigG). As in diffusers, each
    /// `!` of a prompt becomes this token too, instead of a word of its own.
    Exclamation,
}

/// The ids of a prompt as a text encoder expects them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Start of text, the prompt, end of text, then padding: always
    /// [`context_length`](Tokenizer::context_length) ids.
    pub ids: Vec<i64>,
    /// The end of the prompt that had no room, in lower case and with a space after each word, as
    /// diffusers' warning shows it; `None` when the whole prompt is in `ids`.
    pub cut: Option<String>,
}

impl Tokenizer {
    /// A tokenizer of SDXL with the vocabulary that is compiled in, for models that come without one. It is made once
    /// for all of them.
    ///
    /// # Errors
    /// None in practice.
    pub fn builtin(padding: Padding) -> Result<Self> {
        static MADE: [OnceLock<Tokenizer>; 2] = [const { OnceLock::new() }; 2];
        let [first, second] = &MADE;
        let (made, padding) = match padding {
            Padding::EndOfText => (first, END),
            Padding::Exclamation => (second, "!"),
        };
        if let Some(tokenizer) = made.get() {
            return Ok(tokenizer.clone());
        }
        let tokenizer = Vocabulary::clip()
            .and_then(|vocabulary| Self::new(vocabulary, SpecialTokens::clip(padding)))
            .map_err(|reason| Error::file("the built-in vocabulary", reason))?;
        Ok(made.get_or_init(|| tokenizer).clone())
    }

    /// Reads a `tokenizer` folder of a diffusers model: `tokenizer.json`, or else `vocab.json` and
    /// `merges.txt`.
    ///
    /// Of `tokenizer.json` the vocabulary, the merges and the added tokens are read; how text is
    /// split is CLIP's, whatever the file says, as in transformers. `tokenizer_config.json`,
    /// `special_tokens_map.json` and `added_tokens.json` decide the special tokens and the context
    /// length (CLIP's without them).
    ///
    /// # Errors
    /// [`Error::Io`] when a file cannot be read, [`Error::File`] when it is larger than 8 MiB (16 MiB
    /// for `tokenizer.json`), malformed, or lacks a special token.
    pub fn from_folder(path: impl AsRef<Path>) -> Result<Self> {
        let folder = path.as_ref();
        let file = folder.join("tokenizer.json");
        if exists(&file) {
            let text = read_text(&file, TOKENIZER_FILE_LIMIT)?;
            let content: TokenizerFile = json(&file, &text)?;
            let special = SpecialTokens::from_folder(folder, content.added_tokens)?;
            Vocabulary::from_model(content.model)
                .and_then(|vocabulary| Self::new(vocabulary, special))
                .map_err(|reason| Error::file(file, reason))
        } else {
            let file = folder.join("vocab.json");
            let vocabulary = Vocabulary::from_files(&file, &folder.join("merges.txt"))?;
            let special = SpecialTokens::from_folder(folder, Vec::new())?;
            Self::new(vocabulary, special).map_err(|reason| Error::file(file, reason))
        }
    }

    fn new(vocabulary: Vocabulary, special: SpecialTokens) -> Result<Self, String> {
        special.check(&vocabulary)?;
        let mut engine = Engine::new(vocabulary.into_bpe(special.unknown.content.clone())?);
        engine
            .with_normalizer(Some(normalizer()?))
            .map_err(|error| error.to_string())?
            .with_pre_tokenizer(Some(pre_tokenizer()?))
            .with_decoder(Some(ByteLevel::default()));
        engine.add_special_tokens(special.matched()).map_err(|error| error.to_string())?;
        refuse_equal_forms(&engine)?;

        let id = |token: &AddedToken| {
            engine
                .token_to_id(&token.content)
                .ok_or_else(|| format!("the token {:?} has no id", token.content))
        };
        for (&listed, token) in &special.added {
            let found = id(token)?;
            if found != listed {
                let token = &token.content;
                return Err(format!(
                    "the added token {token:?} is listed with id {listed}, but its id is {found}"
                ));
            }
        }
        let (start, end, padding) = (id(&special.start)?, id(&special.end)?, id(&special.padding)?);
        let context_length = special.context_length;
        let words = HashMap::new();
        Ok(Self { shared: Arc::new(Shared { engine, start, end, padding, context_length, words }) })
    }

    /// The same with more words, each of which becomes as many ids in a row as is said; the first word's begin at
    /// `first`, the size of the text encoder's vocabulary.
    ///
    /// A word is found in upper and lower case. One of letters and digits is found where it stands alone, any other
    /// (`<s0>`) everywhere; of two that begin alike, the longer one.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a word that the vocabulary has, or that is there twice.
    pub fn with_words<'a>(
        &self,
        first: i64,
        words: impl IntoIterator<Item = (&'a str, i64)>,
    ) -> Result<Self> {
        let mut engine = self.shared.engine.clone();
        let mut known = self.shared.words.clone();
        let refuse = |word: &str, expected: &str| {
            Err(Error::invalid("embedding", format!("the word {word}"), expected))
        };
        let mut next = first;
        for (word, count) in words {
            if engine.token_to_id(word).is_some() {
                return refuse(word, "one that the tokenizer does not have: give it another name");
            }
            let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            let alone = is_word(word.chars().next()) && is_word(word.chars().next_back());
            let token = AddedToken::from(word, false).single_word(alone);
            engine.add_tokens([token]).map_err(untranslatable)?;
            let Some(id) = engine.token_to_id(word) else {
                return refuse(word, "one that the tokenizer can take in");
            };
            known.insert(id, next..next + count);
            next += count;
        }
        refuse_equal_forms(&engine)
            .map_err(|reason| Error::invalid("embedding", reason, "words that differ in more than case"))?;
        let Shared { start, end, padding, context_length, .. } = *self.shared;
        Ok(Self { shared: Arc::new(Shared { engine, start, end, padding, context_length, words: known }) })
    }

    /// The ids of a prompt between start and end of text, padded to the context length.
    ///
    /// What has no room is left out and reported in [`Tokens::cut`]; the empty prompt is fine.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the prompt is longer than 64 KiB.
    pub fn encode(&self, prompt: &str) -> Result<Tokens> {
        let engine_ids = self.engine_ids(prompt)?;
        let mut ids = self.expand(&engine_ids);
        let room = self.shared.context_length.saturating_sub(2);
        let cut = if ids.len() > room { Some(self.text_behind(&engine_ids, room)?) } else { None };
        ids.truncate(room);
        ids.insert(0, self.start_id());
        ids.push(self.end_id());
        ids.resize(self.shared.context_length, self.padding_id());
        Ok(Tokens { ids, cut })
    }

    /// The ids of a piece of text alone: no start, end or padding, and nothing is cut.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the text is longer than 64 KiB.
    pub fn ids(&self, text: &str) -> Result<Vec<i64>> {
        Ok(self.expand(&self.engine_ids(text)?))
    }

    /// The same with the ids of each added word together; those of other words are each by themselves.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the text is longer than 64 KiB.
    pub fn words(&self, text: &str) -> Result<Vec<Range<i64>>> {
        Ok(self.engine_ids(text)?.into_iter().map(|id| self.word(id)).collect())
    }

    fn engine_ids(&self, text: &str) -> Result<Vec<u32>> {
        check_length(text)?;
        let encoding = self.shared.engine.encode_fast(text, false).map_err(untranslatable)?;
        Ok(encoding.get_ids().to_vec())
    }

    fn expand(&self, ids: &[u32]) -> Vec<i64> {
        ids.iter().flat_map(|&id| self.word(id)).collect()
    }

    fn word(&self, id: u32) -> Range<i64> {
        let own = i64::from(id);
        self.shared.words.get(&id).cloned().unwrap_or(own..own + 1)
    }

    /// The text of what lies behind the first `room` ids, with a space after each word.
    fn text_behind(&self, ids: &[u32], room: usize) -> Result<String> {
        let mut end = 0;
        let is_behind = |&&id: &&u32| {
            end += self.word(id).count();
            end > room
        };
        let ids: Vec<u32> = ids.iter().filter(is_behind).copied().collect();
        let text = self.shared.engine.decode(&ids, false).map_err(untranslatable)?;
        Ok(text.replace(END_OF_WORD, " ").trim().to_owned())
    }

    /// The id before a prompt, `<|startoftext|>`.
    pub fn start_id(&self) -> i64 {
        self.shared.start.into()
    }

    /// The id after a prompt, `<|endoftext|>`.
    pub fn end_id(&self) -> i64 {
        self.shared.end.into()
    }

    /// The id that fills the context after the end of a prompt.
    pub fn padding_id(&self) -> i64 {
        self.shared.padding.into()
    }

    /// The number of ids that a text encoder takes at once: 77 for CLIP.
    pub fn context_length(&self) -> usize {
        self.shared.context_length
    }
}

/// Refuses a prompt that is too long to be one.
pub(crate) fn check_length(text: &str) -> Result<()> {
    if text.len() > PROMPT_LIMIT {
        let length = format!("a text of {} bytes", text.len());
        return Err(Error::invalid("prompt", length, format!("at most {PROMPT_LIMIT} bytes")));
    }
    Ok(())
}

/// Composed characters, single spaces, lower case.
fn normalizer() -> Result<normalizers::Sequence, String> {
    let spaces =
        Replace::new(ReplacePattern::Regex(r"\s+".to_owned()), " ").map_err(|error| error.to_string())?;
    Ok(normalizers::Sequence::new(vec![NFC.into(), spaces.into(), Lowercase.into()]))
}

/// Words, each written in the printable stand-ins of its bytes.
fn pre_tokenizer() -> Result<pre_tokenizers::sequence::Sequence, String> {
    let words = Split::new(SplitPattern::Regex(WORD.to_owned()), SplitDelimiterBehavior::Removed, true)
        .map_err(|error| error.to_string())?;
    let bytes = ByteLevel::default().add_prefix_space(false);
    Ok(pre_tokenizers::sequence::Sequence::new(vec![words.into(), bytes.into()]))
}

/// Refuses tokens that the normalizer makes equal: which of them is found would be chance.
fn refuse_equal_forms(engine: &Engine) -> Result<(), String> {
    let mut forms = HashMap::new();
    for token in engine.get_added_tokens_decoder().into_values().filter(|token| token.normalized) {
        let mut form = NormalizedString::from(token.content.as_str());
        if let Some(normalizer) = engine.get_normalizer() {
            normalizer.normalize(&mut form).map_err(|error| error.to_string())?;
        }
        if let Some(other) = forms.insert(form.get().to_owned(), token.content.clone()) {
            let found = form.get();
            return Err(format!("the tokens {other:?} and {:?} are both found as {found:?}", token.content));
        }
    }
    Ok(())
}

/// For the crate's errors that no text is known to cause.
fn untranslatable(error: tokenizers::Error) -> Error {
    Error::invalid("prompt", format!("a text that cannot be encoded ({error})"), "any other text")
}

/// The parts of a `tokenizer.json` that matter.
#[derive(Deserialize)]
struct TokenizerFile {
    model: Model,
    #[serde(default)]
    added_tokens: Vec<ListedToken>,
}
