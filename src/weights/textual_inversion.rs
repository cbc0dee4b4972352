//! [`TextualInversion`]: words of which a file has the vectors (arXiv 2208.01618).

use std::fmt;
use std::path::{Path, PathBuf};

use safetensors::tensor::TensorInfo;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::checkpoint::is_float;
use super::lora::recognise;
use super::safetensors::{SafetensorsFile, kind};
use crate::error::{Error, Result};
use crate::host::{Held, Plain};
use crate::runtime::{ReadOnly, Shared};

/// The longest name in bytes.
const NAME_LIMIT: usize = 128;

/// The keys of both encoders' vectors, in each layout.
const PAIRS: [(&str, &str); 2] = [("clip_l", "clip_g"), ("text_encoders_0", "text_encoders_1")];

/// A textual inversion: new words for prompts, with the vectors that the text encoders are given for them.
///
/// | keys | words |
/// |---|---|
/// | `clip_l` and `clip_g` (kohya, A1111, `ComfyUI`) | one, the file's name, with all vectors |
/// | `text_encoders_0` and `text_encoders_1` (pivotal tuning) | `<s0>`, `<s1>`…, with a vector each |
/// | `emb_params`, for one encoder | one, the file's name; the refiner's, as SDXL base has two encoders |
/// | any other single key, for one encoder (diffusers) | one, the key |
///
/// [`named`](Self::named) gives other words. A clone is cheap and shares the vectors.
#[derive(Clone)]
pub struct TextualInversion {
    path: PathBuf,
    words: Vec<String>,
    vectors: Shared<Vectors>,
}

/// A [`TextualInversion`] for another process, which reads the file again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InversionByPath {
    path: PathBuf,
    words: Vec<String>,
}

impl From<&TextualInversion> for InversionByPath {
    fn from(inversion: &TextualInversion) -> Self {
        Self { path: inversion.path.clone(), words: inversion.words.clone() }
    }
}

impl InversionByPath {
    pub(crate) fn open(&self) -> Result<TextualInversion> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        TextualInversion::open(&self.path)?.named(&words)
    }
}

/// The vectors of all words together, `(count, width)` each.
struct Vectors {
    first: Option<Held>,
    second: Option<Held>,
    count: i64,
}

#[expect(unsafe_code, reason = "says that vectors are only read")]
// SAFETY: no method writes into the tensors; that they are made when they are first asked for is behind a lock.
unsafe impl ReadOnly for Vectors {}

impl TextualInversion {
    /// Reads a file, whatever its name ends in (pivotal tuning writes `.pti`).
    ///
    /// # Errors
    /// [`Error::File`] where the file is no safetensors file, no textual inversion, or has vectors that are no
    /// numbers.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = SafetensorsFile::open(path)?;
        let fail = |reason: String| Error::file(path, reason);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let keys: Vec<&String> = file.tensors.keys().collect();
        let is_vectors = |info: &TensorInfo| matches!(info.shape.as_slice(), &[_] | &[_, _]);
        let pair =
            PAIRS.into_iter().find(|(first, second)| keys.iter().any(|key| key == first || key == second));
        let (first, second, words) = match (pair, keys.as_slice()) {
            (Some((first, second)), _) => {
                if let Some(key) = keys.iter().find(|key| **key != first && **key != second) {
                    return Err(fail(format!("a textual inversion with a tensor {key}, which none has")));
                }
                let read = |key| file.tensors.contains_key(key).then(|| vectors(&file, key)).transpose();
                let words = if first == "clip_l" { vec![stem] } else { Vec::new() };
                (read(first)?, read(second)?, words)
            }
            (None, [key]) if file.tensors.get(*key).is_some_and(is_vectors) => {
                let word = if *key == "emb_params" { stem } else { (*key).clone() };
                (None, Some(vectors(&file, key)?), vec![word])
            }
            _ => {
                let looks_like = recognise(&file.tensors);
                return Err(fail(format!("no textual inversion: it looks like {looks_like}")));
            }
        };
        let rows = |held: &Option<Held>| held.as_ref().and_then(|held| held.shape().first().copied());
        let (one, two) = (rows(&first), rows(&second));
        let count = one.or(two).unwrap_or(0);
        if one.zip(two).is_some_and(|(one, two)| one != two) || count == 0 {
            let counts = format!("{} and {}", one.unwrap_or(0), two.unwrap_or(0));
            return Err(fail(format!("a textual inversion with {counts} vectors for the text encoders")));
        }
        let words =
            if words.is_empty() { (0..count).map(|index| format!("<s{index}>")).collect() } else { words };
        let vectors = Shared::new(Vectors { first, second, count });
        Ok(Self { path: path.to_owned(), words, vectors })
    }

    /// The same under other words: one for all vectors, or one for each of them.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another number of words, and for one that is empty, over 128 bytes, or has spaces.
    pub fn named(&self, words: &[&str]) -> Result<Self> {
        let count = self.vectors.count;
        if words.len() != 1 && words.len() as i64 != count {
            let expected = format!("1, or {count}: one for each vector");
            return Err(Error::invalid("words", words.len(), expected));
        }
        Ok(Self { words: words.iter().map(|&word| word.to_owned()).collect(), ..self.clone() })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The words that prompts may use.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The words, and how many vectors each has.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = (&str, i64)> {
        let each = if self.words.len() == 1 { self.vectors.count } else { 1 };
        self.words.iter().map(move |word| (word.as_str(), each))
    }

    /// The vectors for the first text encoder, and for the second.
    pub(crate) fn vectors(&self) -> Result<(Option<&Tensor>, Option<&Tensor>)> {
        let Vectors { first, second, .. } = &*self.vectors;
        Ok((first.as_ref().map(Held::tensor).transpose()?, second.as_ref().map(Held::tensor).transpose()?))
    }

    /// Refuses vectors that are not of these widths, and words that no prompt can have. The first width is `None`
    /// where the model has no first encoder.
    pub(crate) fn check(&self, first: Option<i64>, second: i64, room: usize) -> Result<()> {
        let width = |held: &Option<Held>| held.as_ref().and_then(|held| held.shape().last().copied());
        let found = (width(&self.vectors.first), width(&self.vectors.second));
        if (first.is_some() && found.0 != first) || found.1 != Some(second) {
            return Err(Error::file(&self.path, misfit(found, (first, second))));
        }
        for (word, count) in self.tokens() {
            if word.is_empty() || word.len() > NAME_LIMIT || word.contains(char::is_whitespace) {
                let expected = format!("1 to {NAME_LIMIT} bytes without spaces");
                return Err(Error::invalid("embedding", format!("the word {word:?}"), expected));
            }
            if count > room as i64 {
                let found = format!("{count} vectors of {word}");
                return Err(Error::invalid(
                    "embedding",
                    found,
                    format!("at most {room}, the room of a prompt"),
                ));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for TextualInversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, words, vectors } = self;
        f.debug_struct("TextualInversion")
            .field("path", path)
            .field("words", words)
            .field("vectors", &vectors.count)
            .finish()
    }
}

/// Why vectors of the widths `found` are none for encoders of the widths `expected`.
fn misfit(found: (Option<i64>, Option<i64>), expected: (Option<i64>, i64)) -> String {
    let widths = |first: Option<i64>, second: Option<i64>| match (first, second) {
        (Some(first), Some(second)) => format!("vectors of {first} and {second} numbers"),
        (Some(one), None) | (None, Some(one)) => format!("vectors of {one} numbers for one text encoder"),
        (None, None) => "no vectors".into(),
    };
    let looks_like = match found {
        (None, Some(768)) => ": a textual inversion for Stable Diffusion 1",
        (None, Some(1024)) => ": a textual inversion for Stable Diffusion 2",
        (Some(768), Some(1280)) => ": a textual inversion for SDXL base",
        _ => "",
    };
    format!(
        "has {}{looks_like}; this model needs {}",
        widths(found.0, found.1),
        widths(expected.0, Some(expected.1))
    )
}

/// The vectors of a key as `(count, width)`.
fn vectors(file: &SafetensorsFile, key: &str) -> Result<Held> {
    let fail = |what: String| Err(Error::file(file.path(), format!("{key} {what}")));
    let is_other = |info: &&TensorInfo| kind(info.dtype).is_some_and(|kind| !is_float(kind));
    if let Some(info) = file.tensors.get(key).filter(is_other) {
        return fail(format!("has type {:?}, expected a float type", info.dtype));
    }
    let plain = file.read_plain(key)?;
    let shape = match plain.shape.as_slice() {
        &[width] => vec![1, width],
        shape => shape.to_vec(),
    };
    if shape.len() != 2 || shape.contains(&0) {
        return fail(format!("has shape {shape:?}, expected (vectors, width)"));
    }
    if !plain.values()?.into_iter().all(f32::is_finite) {
        return fail("has values that are not finite".into());
    }
    Ok(Plain { shape, ..plain }.into())
}
