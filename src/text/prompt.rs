//! [`WeightedPrompt`]: the prompt syntax of AUTOMATIC1111's web interface, read.

use super::tokenizer::check_length;
use crate::error::{Error, Result};

/// What a round bracket without a number multiplies by; a square one divides by it.
const BRACKET: f64 = 1.1;
/// The largest weight, of either sign. People write 0 to 2.
const WEIGHT_LIMIT: f64 = 1000.;
/// The characters with a meaning.
const SPECIAL: [char; 6] = ['\\', '(', ')', '[', ']', ':'];
/// Starts a new chunk where it stands as a word.
const BREAK: &str = "BREAK";

/// A piece of a prompt and how much it counts.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedText {
    /// The text, never empty; brackets in it were escaped or closed nothing.
    pub text: String,
    /// What its tokens are multiplied by: 1 is as usual, -1000 to 1000.
    pub weight: f64,
}

/// A prompt in the syntax of AUTOMATIC1111's web interface, read:
///
/// | written | is |
/// |---|---|
/// | `(word)` | `word` with 1.1 times the weight |
/// | `[word]` | `word` with the weight divided by 1.1 |
/// | `(word:1.3)` | `word` with 1.3 times the weight; a decimal number, also negative, without exponent |
/// | `((word))`, `(a [b])` | brackets multiply; round and square ones do not know each other |
/// | `\(`, `\)`, `\[`, `\]`, `\\` | the character itself; a `\` before anything else is dropped |
/// | `BREAK` | what follows starts a new chunk of tokens; the spaces around it do not count |
///
/// A bracket that is not closed reaches to the end; one that closes nothing is text. Neighbours of the same
/// weight are one piece: `(un)(do)` is the word `undo`.
///
/// `BREAK` works within brackets too, where the web interface reads it as a word of negative weight. Its
/// prompt editing (`[a:b:0.5]`, `[a|b]`), `AND` and `<lora:…>` are no part of this syntax: they are text.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedPrompt {
    sections: Vec<Vec<WeightedText>>,
}

impl WeightedPrompt {
    /// Reads a prompt, in time proportional to its length.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a prompt over 64 KiB, a weight that is no number (`(word:1.2.3)`) and a
    /// product of weights beyond ±1000.
    pub fn parse(prompt: &str) -> Result<Self> {
        check_length(prompt)?;
        let (mut round, mut square) = (Products::default(), Products::default());
        let (mut sections, mut section) = (Vec::new(), Vec::new());
        for mark in marks(prompt)? {
            match mark {
                Mark::Open(Bracket::Round, factor) => round.push(factor),
                Mark::Open(Bracket::Square, factor) => square.push(factor),
                Mark::Close(Bracket::Round) => round.pop(),
                Mark::Close(Bracket::Square) => square.pop(),
                Mark::Text(text) => push(&mut section, text, round.last() * square.last())?,
                Mark::Break => sections.push(std::mem::take(&mut section)),
            }
        }
        sections.push(section);
        sections.iter_mut().for_each(|section| section.retain(|piece| !piece.text.is_empty()));
        Ok(Self { sections })
    }

    /// The pieces between the `BREAK`s: at least one section, which may be empty.
    pub fn sections(&self) -> &[Vec<WeightedText>] {
        &self.sections
    }
}

/// Appends a text to a section, or to the piece before it where the weight is the same.
fn push(section: &mut Vec<WeightedText>, text: &str, weight: f64) -> Result<()> {
    // Not a number where so many brackets meet that one product is infinite and the other zero.
    if !text.is_empty() && (weight.is_nan() || weight.abs() > WEIGHT_LIMIT) {
        let value = format!("{} with a weight of {weight:?}", quote(text));
        return Err(Error::invalid(
            "prompt",
            value,
            format!("weights from -{WEIGHT_LIMIT} to {WEIGHT_LIMIT}"),
        ));
    }
    match section.last_mut() {
        Some(last) if last.weight == weight => last.text.push_str(text),
        _ => section.push(WeightedText { text: text.to_owned(), weight }),
    }
    Ok(())
}

/// The factors of the open brackets of one kind, multiplied up.
#[derive(Default)]
struct Products(Vec<f64>);

impl Products {
    fn last(&self) -> f64 {
        self.0.last().copied().unwrap_or(1.)
    }

    fn push(&mut self, factor: f64) {
        self.0.push(self.last() * factor);
    }

    fn pop(&mut self) {
        self.0.pop();
    }
}

#[derive(Clone, Copy)]
enum Bracket {
    Round,
    Square,
}

/// What a prompt consists of.
enum Mark<'a> {
    Text(&'a str),
    Break,
    /// With its factor, which for a round bracket only its end tells.
    Open(Bracket, f64),
    Close(Bracket),
}

/// The marks of a prompt; a bracket that closes nothing is text.
fn marks(prompt: &str) -> Result<Vec<Mark<'_>>> {
    let mut marks = Vec::new();
    // Where in `marks` the open brackets are.
    let (mut round, mut square) = (Vec::new(), Vec::new());
    let mut rest = prompt;
    while let Some(first) = rest.chars().next() {
        let mut length = first.len_utf8();
        match first {
            '(' => {
                round.push(marks.len());
                marks.push(Mark::Open(Bracket::Round, BRACKET));
            }
            '[' => {
                square.push(marks.len());
                marks.push(Mark::Open(Bracket::Square, 1. / BRACKET));
            }
            ')' if round.pop().is_some() => marks.push(Mark::Close(Bracket::Round)),
            ']' if square.pop().is_some() => marks.push(Mark::Close(Bracket::Square)),
            '\\' => {
                let escaped = rest.get(length..).unwrap_or_default();
                // Before anything else it is an empty piece, which can part its neighbours.
                let escapes = usize::from(escaped.starts_with(['\\', '(', ')', '[', ']']));
                marks.push(Mark::Text(escaped.get(..escapes).unwrap_or_default()));
                length += escapes;
            }
            ':' => match weight(rest) {
                Some((number, whole)) if !round.is_empty() => {
                    let factor = number.parse().map_err(|_| {
                        Error::invalid("prompt", quote(whole), "a number as the weight, such as `:1.3)`")
                    })?;
                    if let Some(open) = round.pop().and_then(|open| marks.get_mut(open)) {
                        *open = Mark::Open(Bracket::Round, factor);
                    }
                    marks.push(Mark::Close(Bracket::Round));
                    length = whole.len();
                }
                _ => marks.push(Mark::Text(":")),
            },
            _ => {
                length = rest.find(SPECIAL).unwrap_or(rest.len()).max(length);
                push_words(&mut marks, rest.get(..length).unwrap_or_default());
            }
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(marks)
}

/// The number of `:1.3)` at the start of a text, and all of that; the number may turn out to be none.
fn weight(text: &str) -> Option<(&str, &str)> {
    let start = text.strip_prefix(':')?.trim_start();
    let digits = start.strip_prefix(['+', '-']).unwrap_or(start);
    let end = digits.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let after = end.trim_start().strip_prefix(')')?;
    let number = start.get(..start.len() - end.len())?;
    (end.len() < digits.len()).then_some((number, text.get(..text.len() - after.len())?))
}

/// Text without special characters, which `BREAK` may divide.
fn push_words<'a>(marks: &mut Vec<Mark<'a>>, text: &'a str) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut start = 0;
    for (at, _) in text.match_indices(BREAK) {
        let end = at + BREAK.len();
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(end..).unwrap_or_default();
        if before.ends_with(is_word) || after.starts_with(is_word) {
            continue;
        }
        marks.push(Mark::Text(text.get(start..at).unwrap_or_default().trim_end()));
        marks.push(Mark::Break);
        start = text.len() - after.trim_start().len();
    }
    marks.push(Mark::Text(text.get(start..).unwrap_or_default()));
}

/// A text for an error message: its beginning.
fn quote(text: &str) -> String {
    const LENGTH: usize = 40;
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("`{}…`", text.get(..end).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}
