//! Learns the vocabulary of the small model from the captions of its scenes, and writes both tokenizers:
//!
//! ```text
//! scripts/sprites
//! cargo run --example train_tokenizer -- models/nano
//! ```
//!
//! The same sprite pack gives the same bytes.
#![allow(clippy::print_stdout, reason = "a program talks to its user")]

#[path = "nano/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared by several examples")]
mod nano;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Parser;
use nano::caption::Wording;
use nano::composer::{Composer, Split};
use nano::noun::Noun;
use nano::random::Random;
use nano::sprites::{Sprites, default_folder};
use nano::vocabulary::{Vocabulary, words};
use sdxl::Result;
use sdxl::text::Tokenizer;

/// How many captions are read: enough that each of their usual words is among them.
const CAPTIONS: u64 = 20_000;

#[derive(Parser)]
struct Arguments {
    /// A model's folder, which gets `tokenizer` and `tokenizer_2`.
    folder: PathBuf,
    /// The most symbols of the vocabulary.
    #[arg(long, default_value_t = 4096)]
    size: usize,
    /// The ids of a prompt, with its start and end.
    #[arg(long, default_value_t = 32)]
    context_length: usize,
    /// The sprite pack, if it is not where `scripts/sprites` puts it.
    #[arg(long)]
    pack: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let sprites = Sprites::open(&arguments.pack.clone().unwrap_or_else(default_folder), |_, _| true)?;
    let composer = Composer::new(&sprites, 0, Split::Training);
    let caption = |index| {
        let scene = composer.scene(index)?;
        Some(scene.caption(Wording::random(&mut Random::new(1, index))))
    };
    let captions: Vec<String> = (0..CAPTIONS).filter_map(caption).collect();
    // Each name once more, since some are seldom drawn.
    let nouns = sprites.objects().iter().map(|object| Noun::new(&object.name));
    let names: Vec<String> = nouns.flat_map(|noun| [Some(noun.one()), noun.many()]).flatten().collect();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for word in captions.iter().chain(&names).flat_map(|text| words(text)) {
        *counts.entry(word).or_default() += 1;
    }

    let vocabulary = Vocabulary::learn(&counts, arguments.size);
    for (folder, padding) in Vocabulary::PADDING {
        let folder = arguments.folder.join(folder);
        vocabulary.write(&folder, padding, arguments.context_length)?;
        let tokenizer = Tokenizer::from_folder(&folder)?;
        let count = |text: &String| tokenizer.ids(text).map(|ids| ids.len());
        let of_words: Vec<usize> = counts.keys().map(count).collect::<Result<_>>()?;
        let of_captions: Vec<usize> = captions.iter().map(count).collect::<Result<_>>()?;
        let longest = |counts: &[usize]| counts.iter().copied().max().unwrap_or(0);
        println!(
            "{}: {} symbols; {} words of 1 to {} symbols; captions of up to {}",
            folder.display(),
            vocabulary.len(),
            of_words.len(),
            longest(&of_words),
            longest(&of_captions),
        );
    }
    Ok(())
}
