//! [`Vocabulary`]: the symbols of a byte-pair encoding, their ids, and the merges that build them.

use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use tokenizers::models::bpe::{BPE, Merges, Vocab};

use crate::error::{Error, Result};
use crate::runtime::files::read_text;

/// The token before a prompt and the one after it.
pub(super) const START: &str = "<|startoftext|>";
pub(super) const END: &str = "<|endoftext|>";
/// What CLIP appends to the last symbol of a word.
pub(super) const END_OF_WORD: &str = "</w>";

/// CLIP's merges, in the format of `merges.txt`; the whole vocabulary follows from them.
const CLIP_MERGES: &str = include_str!("clip_merges.txt");

/// The largest vocabulary, merges or configuration file read; CLIP's are a megabyte or less.
pub(super) const FILE_LIMIT: u64 = 8 << 20;
/// The largest `tokenizer.json` read; CLIP's is 4 MB.
pub(super) const TOKENIZER_FILE_LIMIT: u64 = 16 << 20;

/// The most symbols, and the most merges, of a vocabulary; CLIP has 49 408 and 48 894.
const COUNT_LIMIT: usize = 1 << 17;

/// Symbols with ids from 0 without gaps, and merges of two known symbols into a known one.
///
/// The methods that build one report what is wrong as text: the caller knows the file and the line.
pub(super) struct Vocabulary {
    ids: Vocab,
    merges: Merges,
}

impl Vocabulary {
    fn new(ids: Vocab) -> Result<Self, String> {
        let mut owners = vec![None; ids.len()];
        for (symbol, &id) in &ids {
            let owner = usize::try_from(id).ok().and_then(|id| owners.get_mut(id));
            match owner {
                Some(owner @ None) => *owner = Some(symbol),
                Some(Some(other)) => {
                    return Err(format!("the symbols {other:?} and {symbol:?} have the same id {id}"));
                }
                None => {
                    let count = ids.len();
                    return Err(format!(
                        "the symbol {symbol:?} has id {id}, expected less than {count}, the number of symbols"
                    ));
                }
            }
        }
        Ok(Self { ids, merges: Merges::new() })
    }

    /// CLIP's own: the 256 bytes, the same at the end of a word, the merges, the two special tokens.
    pub(super) fn clip() -> Result<Self, String> {
        let ends = byte_symbols().map(|symbol| symbol + END_OF_WORD);
        let merged = CLIP_MERGES.lines().skip(1).map(|line| line.replace(' ', ""));
        let special = [START, END].map(str::to_owned);
        let symbols = byte_symbols().chain(ends).chain(merged).chain(special);

        let mut vocabulary = Self::new(symbols.zip(0..).collect())?;
        vocabulary.add_merges(CLIP_MERGES)?;
        Ok(vocabulary)
    }

    /// Reads `vocab.json` and `merges.txt`.
    pub(super) fn from_files(vocab: &Path, merges: &Path) -> Result<Self> {
        let Symbols(ids) = json(vocab, &read_text(vocab, FILE_LIMIT)?)?;
        let mut vocabulary = Self::new(ids).map_err(|reason| Error::file(vocab, reason))?;
        let lines = read_text(merges, FILE_LIMIT)?;
        vocabulary.add_merges(&lines).map_err(|reason| Error::file(merges, reason))?;
        Ok(vocabulary)
    }

    /// Takes over the `model` section of a `tokenizer.json`.
    pub(super) fn from_model(model: Model) -> Result<Self, String> {
        if model.kind.as_deref().is_some_and(|kind| kind != "BPE") {
            return Err(format!("the model is {:?}, expected \"BPE\"", model.kind.unwrap_or_default()));
        }
        let mut vocabulary = Self::new(model.vocab.0)?;
        for (index, merge) in model.merges.into_iter().enumerate() {
            let added = match merge {
                Merge::Pair(first, second) => vocabulary.add_merge(first, second),
                Merge::Line(line) => vocabulary.add_merge_line(&line),
            };
            added.map_err(|reason| format!("merge {}: {reason}", index + 1))?;
        }
        Ok(vocabulary)
    }

    fn add_merges(&mut self, text: &str) -> Result<(), String> {
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.starts_with("#version")) {
            self.add_merge_line(line).map_err(|reason| format!("line {}: {reason}", index + 1))?;
        }
        Ok(())
    }

    fn add_merge_line(&mut self, line: &str) -> Result<(), String> {
        let mut symbols = line.split(' ');
        match (symbols.next(), symbols.next(), symbols.next()) {
            (Some(first), Some(second), None) => self.add_merge(first.to_owned(), second.to_owned()),
            _ => Err(format!("expected two symbols with a space between them, found {:?}", start(line))),
        }
    }

    fn add_merge(&mut self, first: String, second: String) -> Result<(), String> {
        let merged = [first.as_str(), &second].concat();
        for symbol in [&first, &second, &merged] {
            if !self.contains(symbol) {
                return Err(format!("the symbol {:?} is not in the vocabulary", start(symbol)));
            }
        }
        if self.merges.len() == COUNT_LIMIT {
            return Err(format!("expected at most {COUNT_LIMIT} merges"));
        }
        self.merges.push((first, second));
        Ok(())
    }

    pub(super) fn contains(&self, symbol: &str) -> bool {
        self.ids.contains_key(symbol)
    }

    /// The encoding of single words; `unknown`, a symbol of the vocabulary, stands for what has none.
    pub(super) fn into_bpe(self, unknown: String) -> Result<BPE, String> {
        BPE::builder()
            .vocab_and_merges(self.ids, self.merges)
            .unk_token(unknown)
            .end_of_word_suffix(END_OF_WORD.to_owned())
            // The cache lives as long as the thread, not as long as the tokenizer.
            .cache_capacity(0)
            .build()
            .map_err(|error| error.to_string())
    }
}

/// The `model` section of a `tokenizer.json`.
#[derive(Deserialize)]
pub(super) struct Model {
    #[serde(rename = "type")]
    kind: Option<String>,
    vocab: Symbols,
    merges: Vec<Merge>,
}

/// Symbols with their ids; refused while they are read where there are too many.
struct Symbols(Vocab);

impl<'de> Deserialize<'de> for Symbols {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SymbolsVisitor;
        impl<'de> Visitor<'de> for SymbolsVisitor {
            type Value = Symbols;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object of symbols with their ids")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Symbols, A::Error> {
                let mut ids = Vocab::default();
                while let Some((symbol, id)) = map.next_entry()? {
                    if ids.len() == COUNT_LIMIT {
                        let reason = format!("has more than {COUNT_LIMIT} symbols");
                        return Err(serde::de::Error::custom(reason));
                    }
                    ids.insert(symbol, id);
                }
                Ok(Symbols(ids))
            }
        }
        deserializer.deserialize_map(SymbolsVisitor)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Pair(String, String),
    Line(String),
}

/// The printable stand-ins of the 256 bytes in the order of CLIP's ids: first the bytes that are
/// printable in Latin-1 as themselves, then the others as the characters from U+0100.
fn byte_symbols() -> impl Iterator<Item = String> {
    let printable = ('!'..='~').chain('¡'..='¬').chain('®'..='ÿ');
    printable.chain('\u{100}'..='\u{143}').map(String::from)
}

/// Enough of a broken line to recognise it.
fn start(text: &str) -> String {
    text.chars().take(40).collect()
}

pub(super) fn json<'a, T: Deserialize<'a>>(path: &Path, text: &'a str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::file(path, error.to_string()))
}
