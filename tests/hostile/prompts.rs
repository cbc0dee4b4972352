//! Prompts: too long, nested too deeply, weights beyond all measure. Most texts are fine, whatever they are.

use super::case::{Case, Open};

pub(crate) fn cases() -> Vec<Case> {
    let limit = 64 << 10;
    let refused: Vec<(&str, Open, String, &'static str)> = vec![
        ("a prompt too long", Open::Plain, "x".repeat(limit + 1), "a text of 65537 bytes"),
        ("a prompt of 10 MB", Open::Plain, "x ".repeat(5 << 20), "a text of 10485760 bytes"),
        ("a weighted prompt of 10 MB", Open::Weighted, "(x)".repeat(4 << 20), "bytes"),
        ("brackets nested deeply", Open::Weighted, format!("{}x", "(".repeat(30_000)), "weight of inf"),
        (
            "brackets of both kinds",
            Open::Weighted,
            format!("{}{}x", "(".repeat(30_000), "[".repeat(30_000)),
            "with a weight of",
        ),
        (
            "a weight of 309 digits",
            Open::Weighted,
            format!("(x:1{})", "0".repeat(308)),
            "with a weight of 1e308",
        ),
        ("a weight of 60 000 digits", Open::Weighted, format!("(x:{})", "9".repeat(60_000)), "weight of inf"),
        ("a weight of two numbers", Open::Weighted, "(x:1.2.3)".into(), "a number as the weight"),
        (
            "weights that multiply",
            Open::Weighted,
            format!("{}x{}", "(".repeat(9), ":9)".repeat(9)),
            "weight of 387420489",
        ),
        ("too many chunks", Open::Weighted, "x BREAK ".repeat(101), "at most 100 chunks"),
        ("a prompt of tokens without end", Open::Weighted, "x ".repeat(32_000), "at most 100 chunks"),
    ];
    let fine: Vec<(&str, Open, String)> = vec![
        ("a prompt of nothing", Open::Weighted, String::new()),
        ("a word as long as may be", Open::Plain, "x".repeat(limit)),
        ("a word of different letters", Open::Plain, ('a'..='z').cycle().take(limit).collect()),
        ("a word of marks", Open::Plain, format!("e{}", "\u{301}".repeat(30_000))),
        ("a prompt of spaces", Open::Plain, " ".repeat(limit)),
        ("a prompt of emoji", Open::Plain, "\u{1f469}\u{200d}\u{1f680}".repeat(5000)),
        ("a prompt of NULs and controls", Open::Plain, "\0\u{1b}[31m\u{202e}\u{feff}".repeat(5000)),
        ("exponents are no weights", Open::Weighted, "(x:1e308)".into()),
        ("brackets that close nothing", Open::Weighted, ")]".repeat(2000)),
        ("brackets around nothing", Open::Weighted, "()".repeat(limit / 2)),
        ("nothing but colons", Open::Weighted, ":".repeat(1000)),
        ("nothing but backslashes", Open::Weighted, "\\".repeat(1000)),
        ("colons before digits", Open::Weighted, format!("({}", ":1".repeat(3000))),
    ];
    let refused = refused.into_iter().map(|(name, open, text, says)| Case::file(name, open, says, text));
    refused
        .chain(fine.into_iter().map(|(name, open, text)| Case::file(name, open, "", text).valid()))
        .collect()
}
