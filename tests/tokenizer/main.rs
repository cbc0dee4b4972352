//! `sdxl::text::Tokenizer` against transformers' `CLIPTokenizer`, and against broken files.
//!
//! tests/golden/tokenizer.json holds one hash for each block of random strings, which [`Random`] and
//! [`text`] generate as tests/golden/tokenizer.py does.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "the helpers of a test may panic and print"
)]

mod files;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use files::Folder;
use sdxl::Error;
use sdxl::text::{Padding, Tokenizer};
use serde::Deserialize;
use serde_json::{Value, json};

const MERGES: &str = include_str!("../../src/text/clip_merges.txt");
const BOTH: [Padding; 2] = [Padding::EndOfText, Padding::Exclamation];

#[derive(Deserialize)]
struct Golden {
    /// Hashes of 100 000 random strings in blocks of 1000, for both tokenizers.
    random: [Vec<String>; 2],
    /// Hashes of 5000 captions in blocks of 1000.
    captions: [Vec<String>; 2],
    /// Hashes of each character twice after a letter, in blocks of 4096; first tokenizer.
    characters: Vec<String>,
    /// A prompt and what both tokenizers cut off.
    cut: Vec<(String, Option<String>, Option<String>)>,
    /// What the small folders encode.
    texts: Vec<String>,
    folders: Vec<SmallFolder>,
}

#[derive(Deserialize)]
struct SmallFolder {
    name: String,
    files: BTreeMap<String, String>,
    ids: Vec<Vec<i64>>,
    context: Vec<Vec<i64>>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../golden/tokenizer.json")).unwrap()
}

/// A file of the assets folder, or `None` with a note where there is none.
fn asset(name: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/assets")).join(name);
    if !path.exists() {
        println!("skipped: the assets folder has no {name}");
        return None;
    }
    Some(path)
}

// The random strings: change tests/golden/tokenizer.py with them.

const CONTRACTIONS: [&str; 14] =
    ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'LL", "\u{2019}s", " 's", "n't", "''d", "'x"];
const PUNCTUATION: &[u8] = br##"!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"##;
#[rustfmt::skip]
const SPECIAL: [&str; 19] = [
    "<|startoftext|>", "<|endoftext|>", "<|ENDOFTEXT|>", "<|StartOfText|>", "<|endoftext", "endoftext|>", "<|", "|>",
    "</w>", "a</w>", "!", "!!", " ! ", "wow!", "?!", "&amp;", "(a:1.2)", "[b]", "BREAK",
];
#[rustfmt::skip]
const WHITESPACE: [&str; 22] = [
    " ", "  ", "\t", "\n", "\r\n", "\u{b}", "\u{c}", "\u{85}", "\u{a0}", "\u{1680}", "\u{2003}", "\u{2028}", "\u{2029}",
    "\u{202f}", "\u{205f}", "\u{3000}", "\u{180e}", "\u{200b}", "\u{feff}", "\u{1c}", "\u{1f}", " \t \n ",
];
#[rustfmt::skip]
const RANGES: [(u32, u32); 31] = [
    (0x0, 0x1F), (0x7F, 0xA0), (0xA1, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x590, 0x5FF),
    (0x600, 0x6FF), (0x900, 0x97F), (0xE00, 0xE7F), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1E00, 0x1FFF),
    (0x200B, 0x206F), (0x2070, 0x209F), (0x2150, 0x218F), (0x2460, 0x24FF), (0x3040, 0x30FF), (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3), (0xE000, 0xE0FF), (0xFB00, 0xFDFF), (0xFE00, 0xFE0F), (0xFF00, 0xFFEF), (0x10400, 0x1044F),
    (0x1D400, 0x1D7FF), (0x1F1E6, 0x1F1FF), (0x1F300, 0x1FAFF), (0x1F3FB, 0x1F3FF), (0xE0000, 0xE007F),
    (0x2F800, 0x2FA1F),
];

/// SplitMix64.
struct Random {
    state: u64,
}

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = self.state;
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 33) as usize % limit
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    fn any_code_point(&mut self) -> char {
        let code = self.below(0x110000 - 0x800) as u32;
        char::from_u32(if code < 0xD800 { code } else { code + 0x800 }).unwrap()
    }

    fn code_point_of_a_block(&mut self) -> char {
        let (first, last) = self.pick(&RANGES);
        char::from_u32(first + self.below((last - first + 1) as usize) as u32).unwrap()
    }
}

fn piece(random: &mut Random, words: &[String]) -> String {
    let word = |random: &mut Random| words[random.below(words.len())].clone();
    match random.below(16) {
        0..5 => word(random),
        5 => word(random).to_ascii_uppercase(),
        6 => word(random) + random.pick(&CONTRACTIONS),
        7 => random.below(100_000).to_string(),
        8 => (0..1 + random.below(4)).map(|_| char::from(random.pick(PUNCTUATION))).collect(),
        9 => random.pick(&SPECIAL).to_owned(),
        10 => (0..1 + random.below(4)).map(|_| random.any_code_point()).collect(),
        11..13 => (0..1 + random.below(6)).map(|_| random.code_point_of_a_block()).collect(),
        13 => random.pick(&WHITESPACE).to_owned(),
        14 => {
            let mut text = char::from(b'a' + random.below(26) as u8).to_string();
            let marks = 1 + random.below(3);
            text.extend((0..marks).map(|_| char::from_u32(0x300 + random.below(0x70) as u32).unwrap()));
            text
        }
        _ => "!".repeat(1 + random.below(3)),
    }
}

/// Up to 16 pieces, in every sixteenth string up to 160, which is more than fits.
fn text(index: u64, words: &[String]) -> String {
    let mut random = Random { state: index };
    let pieces = if index % 16 == 15 { 40 + random.below(120) } else { 1 + random.below(16) };
    let mut text = String::new();
    for _ in 0..pieces {
        text += &piece(&mut random, words);
        match random.below(8) {
            0..5 => text += " ",
            5 => text += random.pick(&WHITESPACE),
            _ => {}
        }
    }
    text
}

fn words() -> Vec<String> {
    let joined = MERGES.lines().skip(1).map(|line| line.replace(' ', ""));
    joined.map(|word| word.strip_suffix("</w>").unwrap_or(&word).to_owned()).collect()
}

/// The number of ids of a text and its ids; of one that is too long also what is left of it.
fn numbers(tokenizer: &Tokenizer, text: &str) -> Vec<i64> {
    let ids = tokenizer.ids(text).unwrap();
    let rest = if ids.len() > 75 { tokenizer.encode(text).unwrap().ids } else { Vec::new() };
    [vec![ids.len() as i64], ids, rest].concat()
}

/// FNV-1a with 64 bits, fed with whole numbers in place of bytes.
fn hash(numbers: impl IntoIterator<Item = i64>) -> String {
    let start = 0xCBF2_9CE4_8422_2325_u64;
    let add = |state: u64, number| (state ^ number as u64).wrapping_mul(0x100_0000_01B3);
    format!("{:016x}", numbers.into_iter().fold(start, add))
}

fn random_strings(padding: Padding, expected: &[String]) {
    let (tokenizer, words) = (Tokenizer::builtin(padding).unwrap(), words());
    assert_eq!(expected.len(), 100);
    for (block, expected) in (0_u64..).zip(expected) {
        let range = block * 1000..block * 1000 + 1000;
        let found = hash(range.clone().flat_map(|index| numbers(&tokenizer, &text(index, &words))));
        assert_eq!(found, *expected, "{padding:?}, strings {range:?}");
    }
}

#[test]
fn random_strings_have_the_ids_of_the_first_tokenizer() {
    random_strings(Padding::EndOfText, &golden().random[0]);
}

#[test]
fn random_strings_have_the_ids_of_the_second_tokenizer() {
    random_strings(Padding::Exclamation, &golden().random[1]);
}

#[test]
fn every_character_has_its_ids() {
    let tokenizer = Tokenizer::builtin(Padding::EndOfText).unwrap();
    let characters: Vec<char> = ('\0'..=char::MAX).collect();
    let expected = golden().characters;
    assert_eq!(characters.len().div_ceil(4096), expected.len());
    for (block, expected) in characters.chunks(4096).zip(expected) {
        let found = hash(block.iter().flat_map(|c| numbers(&tokenizer, &format!("a{c}{c}"))));
        // The standard library decides what is lower case; the reference was built with Unicode 17.
        let unicode = char::UNICODE_VERSION;
        assert_eq!(found, expected, "from U+{:04X}, with Unicode {unicode:?}", u32::from(block[0]));
    }
}

#[test]
fn captions_have_their_ids() {
    let Some(path) = asset("prompts/mlperf_coco2014_5000_captions.txt") else { return };
    let captions: Vec<String> = fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect();
    for (padding, expected) in BOTH.into_iter().zip(golden().captions) {
        let tokenizer = Tokenizer::builtin(padding).unwrap();
        let block = |block: &[String]| hash(block.iter().flat_map(|caption| numbers(&tokenizer, caption)));
        let found: Vec<_> = captions.chunks(1000).map(block).collect();
        assert_eq!(found, expected, "{padding:?}");
    }
}

#[test]
fn known_prompts_have_their_ids() {
    let Some(path) = asset("tokenizer/cases.json") else { return };
    // The prompt, the ids of transformers' old slow tokenizer, the ids of the fast one.
    let cases: Vec<(String, Vec<i64>, Vec<i64>)> =
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let tokenizer = Tokenizer::builtin(Padding::EndOfText).unwrap();
    assert_eq!(cases.len(), 18);
    for (prompt, _, ids) in cases {
        let found = tokenizer.ids(&prompt).unwrap();
        assert_eq!([vec![49406], found, vec![49407]].concat(), ids, "{prompt:?}");
    }
}

#[test]
fn every_source_gives_the_same_tokenizer() {
    let words = words();
    for (padding, name) in BOTH.into_iter().zip(["tokenizer", "tokenizer_2"]) {
        let Some(source) = asset("sdxl-configs/sdxl-base-1.0").map(|folder| folder.join(name)) else {
            return;
        };
        let read = |file: &str| fs::read_to_string(source.join(file)).unwrap();
        assert!(MERGES == read("merges.txt"), "the merges compiled in are not those of {name}");

        let vocab: Value = serde_json::from_str(&read("vocab.json")).unwrap();
        let merges: Vec<&str> = MERGES.lines().skip(1).collect();
        let single = json!({ "model": { "type": "BPE", "vocab": vocab, "merges": merges } });
        let single = Folder::new([
            ("tokenizer.json", single.to_string()),
            ("tokenizer_config.json", read("tokenizer_config.json")),
            ("special_tokens_map.json", read("special_tokens_map.json")),
        ]);
        let builtin = Tokenizer::builtin(padding).unwrap();
        for other in [Tokenizer::from_folder(&source).unwrap(), Tokenizer::from_folder(&single.path).unwrap()]
        {
            assert_eq!(other.start_id(), 49406);
            assert_eq!(other.end_id(), 49407);
            assert_eq!(other.padding_id(), builtin.padding_id());
            assert_eq!(other.context_length(), 77);
            for text in (0..2000).map(|index| text(index, &words)) {
                assert_eq!(other.encode(&text).unwrap(), builtin.encode(&text).unwrap(), "{text:?}");
            }
            // Every symbol once.
            for word in &words {
                assert_eq!(other.ids(word).unwrap(), builtin.ids(word).unwrap(), "{word:?}");
            }
        }
    }
}

#[test]
fn small_folders_follow_transformers() {
    let golden = golden();
    assert_eq!(golden.folders.len(), 7);
    for SmallFolder { name, files, ids, context } in golden.folders {
        let folder = Folder::new(files);
        let tokenizer = Tokenizer::from_folder(&folder.path).unwrap();
        for (index, text) in golden.texts.iter().enumerate() {
            assert_eq!(tokenizer.ids(text).unwrap(), ids[index], "{name}, {text:?}");
            assert_eq!(tokenizer.encode(text).unwrap().ids, context[index], "{name}, {text:?}");
        }
        assert_eq!(tokenizer.context_length(), context[0].len(), "{name}");
    }
}

#[test]
fn short_prompts_are_padded() {
    for (padding, id) in BOTH.into_iter().zip([49407, 0]) {
        let tokenizer = Tokenizer::builtin(padding).unwrap();
        let tokens = tokenizer.encode("").unwrap();
        assert_eq!(tokens.ids, [&[49406, 49407][..], &[id; 75]].concat());
        assert_eq!(tokens.cut, None);
        let tokens = tokenizer.encode("A photo of a cat").unwrap();
        assert_eq!(tokens.ids, [&[49406, 320, 1125, 539, 320, 2368, 49407][..], &[id; 70]].concat());
    }
}

#[test]
fn long_prompts_are_cut_aloud() {
    let mut cut = 0;
    for (prompt, first, second) in golden().cut {
        for (padding, expected) in BOTH.into_iter().zip([first, second]) {
            let tokenizer = Tokenizer::builtin(padding).unwrap();
            let (tokens, ids) = (tokenizer.encode(&prompt).unwrap(), tokenizer.ids(&prompt).unwrap());
            assert_eq!(tokens.cut, expected, "{padding:?}, {prompt:?}");
            let shown = ids.len().min(75);
            assert_eq!(tokens.ids[1..=shown], ids[..shown], "{padding:?}, {prompt:?}");
            assert_eq!(tokens.ids[shown + 1], 49407, "{padding:?}, {prompt:?}");
            cut += usize::from(tokens.cut.is_some());
        }
    }
    assert_eq!(cut, 9, "prompts that are too long");
}

#[test]
fn an_exclamation_mark_is_the_second_padding_token() {
    let [first, second] = BOTH.map(|padding| Tokenizer::builtin(padding).unwrap());
    assert_eq!(first.ids("wow!!").unwrap(), [2781, 748]);
    assert_eq!(second.ids("wow!!").unwrap(), [2781, 0, 0]);
}

#[test]
fn huge_prompts_are_refused_and_large_ones_are_not() {
    let tokenizer = Tokenizer::builtin(Padding::Exclamation).unwrap();
    for piece in ["a", " ", "! ", "1", "e\u{301}", "\u{301}", "<|endoftext|>", "\u{1F600}", "'s", "\0"] {
        let prompt = piece.repeat(65536 / piece.len());
        assert_eq!(tokenizer.encode(&prompt).unwrap().ids.len(), 77, "{piece:?}");
        let error = tokenizer.encode(&(prompt + "0123456789ab")).unwrap_err();
        assert!(matches!(error, Error::Invalid { field: "prompt", .. }), "{error}");
    }
}

#[test]
fn a_tokenizer_serves_several_threads() {
    let tokenizer = Tokenizer::builtin(Padding::EndOfText).unwrap();
    let threads = [(); 3].map(|()| {
        let tokenizer = tokenizer.clone();
        std::thread::spawn(move || {
            let words = words();
            (0..500).map(|index| tokenizer.encode(&text(index, &words)).unwrap()).collect::<Vec<_>>()
        })
    });
    let [first, second, third] = threads.map(|thread| thread.join().unwrap());
    assert!(first == second && second == third);
}
