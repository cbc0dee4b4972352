//! [`Vocabulary`]: a byte-pair encoding in CLIP's form, learned from counted words, and the files it is kept in.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use sdxl::{Error, Result};
use serde_json::json;

const START: &str = "<|startoftext|>";
const END: &str = "<|endoftext|>";
const END_OF_WORD: &str = "</w>";

/// Symbols in the order of their ids, as CLIP's: the bytes, the bytes that end a word, what merges make, and the two
/// special tokens.
pub struct Vocabulary {
    symbols: Vec<String>,
    merges: Vec<(usize, usize)>,
}

impl Vocabulary {
    /// Merges the commonest neighbours of all words, again and again, until there are `size` symbols or no neighbours
    /// any more. Of equally common ones the pair with the lower ids comes first.
    pub fn learn(words: &BTreeMap<String, u64>, size: usize) -> Self {
        let bytes: Vec<(u8, String)> = byte_symbols().collect();
        let mut symbols: Vec<String> = bytes.iter().map(|(_, symbol)| symbol.clone()).collect();
        symbols.extend(bytes.iter().map(|(_, symbol)| format!("{symbol}{END_OF_WORD}")));
        let ids: HashMap<u8, usize> = bytes.iter().enumerate().map(|(id, (byte, _))| (*byte, id)).collect();
        let spell = |(word, count): (&String, &u64)| {
            let mut spelled: Vec<usize> = word.bytes().filter_map(|byte| ids.get(&byte).copied()).collect();
            spelled.iter_mut().last().into_iter().for_each(|last| *last += bytes.len());
            (spelled, *count)
        };
        let mut words: Vec<(Vec<usize>, u64)> = words.iter().map(spell).collect();

        let mut merges = Vec::new();
        while symbols.len() + 2 < size {
            let mut counts: HashMap<(usize, usize), u64> = HashMap::new();
            for (word, count) in &words {
                for pair in word.iter().copied().zip(word.iter().copied().skip(1)) {
                    *counts.entry(pair).or_default() += count;
                }
            }
            let best = counts.into_iter().max_by_key(|(pair, count)| (*count, std::cmp::Reverse(*pair)));
            let Some((pair, _)) = best else { break };
            let merged = symbols.len();
            let text = |id: usize| symbols.get(id).map(String::as_str).unwrap_or_default();
            symbols.push([text(pair.0), text(pair.1)].concat());
            merges.push(pair);
            words.iter_mut().for_each(|(word, _)| merge(word, pair, merged));
        }
        symbols.extend([START, END].map(str::to_owned));
        Self { symbols, merges }
    }

    pub fn len(&self) -> usize {
        self.symbols.len()
    }

    /// Writes a tokenizer folder in transformers' layout.
    ///
    /// # Errors
    /// [`Error::Io`] where the folder cannot be written.
    pub fn write(&self, folder: &Path, padding: &str, context_length: usize) -> Result<()> {
        let ids: BTreeMap<&str, usize> = self.symbols.iter().map(String::as_str).zip(0..).collect();
        let text = |id: &usize| self.symbols.get(*id).map(String::as_str).unwrap_or_default();
        let mut merges = String::from("#version: 0.2\n");
        for (first, second) in &self.merges {
            merges += &format!("{} {}\n", text(first), text(second));
        }
        let token = |content: &str| json!({ "content": content, "lstrip": false, "normalized": true, "rstrip": false, "single_word": false });
        let special = json!({
            "bos_token": token(START), "eos_token": token(END), "pad_token": padding, "unk_token": token(END),
        });
        let config = json!({
            "add_prefix_space": false,
            "bos_token": START,
            "clean_up_tokenization_spaces": true,
            "do_lower_case": true,
            "eos_token": END,
            "errors": "replace",
            "model_max_length": context_length,
            "pad_token": padding,
            "tokenizer_class": "CLIPTokenizer",
            "unk_token": END,
        });
        let failed = |source| Error::Io { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        for (name, content) in [
            ("vocab.json", json!(ids).to_string()),
            ("merges.txt", merges),
            ("special_tokens_map.json", format!("{special:#}\n")),
            ("tokenizer_config.json", format!("{config:#}\n")),
        ] {
            fs::write(folder.join(name), content).map_err(failed)?;
        }
        Ok(())
    }

    /// What pads the first encoder's prompts, and the second's.
    pub const PADDING: [(&'static str, &'static str); 2] = [("tokenizer", END), ("tokenizer_2", "!")];
}

/// Replaces a pair of neighbours wherever it stands.
fn merge(word: &mut Vec<usize>, pair: (usize, usize), merged: usize) {
    let mut result = Vec::with_capacity(word.len());
    let mut rest = word.iter().copied().peekable();
    while let Some(symbol) = rest.next() {
        if symbol == pair.0 && rest.next_if_eq(&pair.1).is_some() {
            result.push(merged);
        } else {
            result.push(symbol);
        }
    }
    *word = result;
}

/// The bytes and their printable stand-ins in the order of CLIP's ids.
fn byte_symbols() -> impl Iterator<Item = (u8, String)> {
    let printable = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let first = (0..=255).filter(printable).map(|byte| (byte, char::from(byte).to_string()));
    let others = (0..=255u8).filter(move |byte| !printable(byte));
    first.chain(others.zip('\u{100}'..).map(|(byte, stand_in)| (byte, stand_in.to_string())))
}

/// The words of a text, as CLIP's tokenizer divides it: letters, single digits, and runs of other characters.
pub fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let mut words: Vec<String> = Vec::new();
    let mut last = None;
    for character in text.chars() {
        let class = match character {
            c if c.is_whitespace() => 's',
            c if c.is_alphabetic() => 'a',
            c if c.is_numeric() => '1',
            _ => '.',
        };
        match words.last_mut() {
            Some(word) if class != 's' && class != '1' && last == Some(class) => word.push(character),
            // The end of "woman's".
            Some(word) if word == "'" && character == 's' => word.push(character),
            _ if class != 's' => words.push(character.to_string()),
            _ => {}
        }
        last = Some(class);
    }
    words
}
