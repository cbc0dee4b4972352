//! Prompt weights and long prompts: the grammar, the division into chunks and the embeddings of
//! AUTOMATIC1111's web interface.
//!
//! `tests/golden/prompts.py` computes the same from a description of that convention. Tolerance: 1e-5 relative
//! on embeddings; the largest error measured is 2e-7.

#![cfg(test)]
#![allow(clippy::disallowed_methods, reason = "tests may panic")]

mod chunks;
#[path = "../common/mod.rs"]
mod common;
mod embeddings;
mod grammar;

use serde::Deserialize;

/// Sections between `BREAK`s, each of texts and their weights.
type Sections = Vec<Vec<(String, f64)>>;

#[derive(Deserialize)]
struct GoldenTables {
    /// Prompts and how they are read; `None` where a weight is no number.
    grammar: Vec<(String, Option<Sections>)>,
    /// Prompts and the chunks of both tokenizers, ids and weights without their repeated ends.
    chunks: Vec<(String, GoldenChunks, GoldenChunks)>,
    cases: Vec<Case>,
}

type GoldenChunks = Vec<(Vec<i64>, Vec<f64>)>;

#[derive(Deserialize)]
struct Case {
    name: String,
    prompt: String,
    prompt_2: Option<String>,
    negative: Option<String>,
}

fn golden() -> GoldenTables {
    serde_json::from_str(include_str!("../golden/prompts.json")).unwrap()
}
