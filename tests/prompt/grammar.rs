//! How prompts are read, and which are refused.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use sdxl::text::{WeightedPrompt, WeightedText};
use sdxl::{Conditioning, Error, PromptSyntax, Request};

use crate::{Sections, golden};

/// The sections as they are written down in a table.
type Written<'a> = &'a [&'a [(&'a str, f64)]];

fn parse(prompt: &str) -> Sections {
    let parsed = WeightedPrompt::parse(prompt).unwrap();
    let section =
        |pieces: &Vec<WeightedText>| pieces.iter().map(|piece| (piece.text.clone(), piece.weight)).collect();
    parsed.sections().iter().map(section).collect()
}

fn pairs(section: &[(&str, f64)]) -> Vec<(String, f64)> {
    section.iter().map(|&(text, weight)| (text.to_owned(), weight)).collect()
}

/// The examples of the web interface's own documentation, to the last digit.
#[test]
fn documented_examples() {
    let cases: [(&str, &[(&str, f64)]); 6] = [
        ("normal text", &[("normal text", 1.)]),
        ("an (important) word", &[("an ", 1.), ("important", 1.1), (" word", 1.)]),
        ("(unbalanced", &[("unbalanced", 1.1)]),
        (r"\(literal\]", &[("(literal]", 1.)]),
        ("(unnecessary)(parens)", &[("unnecessaryparens", 1.1)]),
        (
            "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
            &[
                ("a ", 1.),
                ("house", 1.5730000000000004),
                (" ", 1.1),
                ("on", 1.),
                (" a ", 1.1),
                ("hill", 0.55),
                (", sun, ", 1.1),
                ("sky", 1.4641000000000006),
                (".", 1.1),
            ],
        ),
    ];
    for (prompt, expected) in cases {
        assert_eq!(parse(prompt), [pairs(expected)], "{prompt}");
    }
}

#[test]
fn grammar() {
    let cases: &[(&str, &[(&str, f64)])] = &[
        ("", &[]),
        ("()[]((()))", &[]),
        ("[word]", &[("word", 1. / 1.1)]),
        ("[unbalanced", &[("unbalanced", 1. / 1.1)]),
        ("closed) by] nothing", &[("closed) by] nothing", 1.)]),
        ("(a))", &[("a", 1.1), (")", 1.)]),
        // Weights.
        ("(a:1)b", &[("ab", 1.)]),
        ("(a:0)", &[("a", 0.)]),
        ("(a:-1.5)", &[("a", -1.5)]),
        ("(a:+.5)", &[("a", 0.5)]),
        ("(a:2.)", &[("a", 2.)]),
        ("(a : 1.3 )", &[("a ", 1.3)]),
        ("(a:1000)", &[("a", 1000.)]),
        ("((a:1.5) b:2)", &[("a", 3.), (" b", 2.)]),
        ("((a):2)", &[("a", 2.2)]),
        // What is no weight is text: an exponent, no number, a square bracket, an escaped or missing end.
        ("(a:1e3)", &[("a:1e3", 1.1)]),
        ("(a:)", &[("a:", 1.1)]),
        ("(a:b:2)", &[("a:b", 2.)]),
        ("[a:1.3]", &[("a:1.3", 1. / 1.1)]),
        (r"(a:1.3\)", &[("a:1.3)", 1.1)]),
        ("(a:1.3", &[("a:1.3", 1.1)]),
        ("a:1.3)", &[("a:1.3)", 1.)]),
        ("a:1.2.3)", &[("a:1.2.3)", 1.)]),
        ("12:30", &[("12:30", 1.)]),
        // Round and square brackets do not know each other.
        ("(a [b) c] d", &[("a ", 1.1), ("b", 1.1 * (1. / 1.1)), (" c", 1. / 1.1), (" d", 1.)]),
        ("(a [b:2)", &[("a ", 2.), ("b", 2. * (1. / 1.1))]),
        // Escapes.
        (r"\\(a\)", &[("\\", 1.), ("a)", 1.1)]),
        (r"C:\temp\", &[("C:temp", 1.)]),
        (r"(a\:1.3)", &[("a", 1.3)]),
        // Neither scheduling nor networks are read.
        ("[a:b:0.5] <lora:x:1>", &[("a:b:0.5", 1. / 1.1), (" <lora:x:1>", 1.)]),
    ];
    for (prompt, expected) in cases {
        assert_eq!(parse(prompt), [pairs(expected)], "{prompt}");
    }
}

#[test]
fn breaks() {
    let one: &[(&str, f64)] = &[("a", 1.)];
    let cases: &[(&str, Written)] = &[
        ("a BREAK a", &[one, one]),
        ("a\n BREAK \n\na", &[one, one]),
        ("BREAK", &[&[], &[]]),
        ("BREAK BREAK a", &[&[], &[], one]),
        ("a,BREAK-a", &[&[("a,", 1.)], &[("-a", 1.)]]),
        ("(a BREAK b:2) c", &[&[("a", 2.)], &[("b", 2.), (" c", 1.)]]),
        ("(a)BREAK[b]", &[&[("a", 1.1)], &[("b", 1. / 1.1)]]),
        ("a (b) BREAK", &[&[("a ", 1.), ("b", 1.1)], &[]]),
        // Only as a word, in capital letters.
        ("aBREAK BREAKa BREAK_ break BREAK1 éBREAK", &[&[("aBREAK BREAKa BREAK_ break BREAK1 éBREAK", 1.)]]),
        (r"B\REAK", &[&[("BREAK", 1.)]]),
    ];
    for (prompt, expected) in cases {
        let expected: Sections = expected.iter().map(|section| pairs(section)).collect();
        assert_eq!(parse(prompt), expected, "{prompt}");
    }
}

/// Six hundred prompts of brackets, escapes and weights, character by character: where brackets multiply in
/// another order, the last digit of a weight may differ.
#[test]
fn random_prompts_are_read_alike() {
    let characters = |sections: &Sections| -> Vec<Vec<(char, f64)>> {
        let section = |pieces: &Vec<(String, f64)>| {
            pieces.iter().flat_map(|(text, weight)| text.chars().map(|c| (c, *weight))).collect()
        };
        sections.iter().map(section).collect()
    };
    let (mut read, mut refused) = (0, 0);
    for (prompt, expected) in golden().grammar {
        let Some(expected) = expected else {
            let error = WeightedPrompt::parse(&prompt).unwrap_err().to_string();
            assert!(error.contains("expected a number as the weight"), "{prompt:?}: {error}");
            refused += 1;
            continue;
        };
        let (found, expected) = (characters(&parse(&prompt)), characters(&expected));
        assert_eq!(found.len(), expected.len(), "{prompt:?}");
        for (found, expected) in found.iter().zip(&expected) {
            let equal = |(a, b): (&(char, f64), &(char, f64))| a.0 == b.0 && (a.1 / b.1 - 1.).abs() < 1e-14;
            assert!(
                found.len() == expected.len() && found.iter().zip(expected).all(equal),
                "{prompt:?}: {found:?}, expected {expected:?}"
            );
        }
        read += 1;
    }
    assert!(read > 400 && refused > 20, "{read} read, {refused} refused");
}

/// Writes what was read, so that reading it gives the same.
fn print(prompt: &WeightedPrompt) -> String {
    let escape = |text: &str| -> String {
        let text = text.chars().flat_map(|c| r"\()[]".contains(c).then_some('\\').into_iter().chain([c]));
        text.collect::<String>().replace("BREAK", r"B\REAK")
    };
    let sections = prompt.sections().iter().map(|section| -> String {
        // Neighbours of the same weight stay apart, which an empty piece of another weight does.
        let print = |piece: &WeightedText| {
            format!(r"({}:{})(\:{})", escape(&piece.text), piece.weight, piece.weight + 1.)
        };
        section.iter().map(print).collect()
    });
    sections.collect::<Vec<_>>().join(" BREAK ")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn what_was_read_can_be_written(prompt in r"([()\[\]\\:, a1.]|:1\.2\)|:-0\.7\)|BREAK| BREAK |é){0,24}") {
        if let Ok(parsed) = WeightedPrompt::parse(&prompt) {
            let printed = print(&parsed);
            prop_assert_eq!(WeightedPrompt::parse(&printed).unwrap(), parsed, "{}", printed);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(prompt in "\\PC{0,80}") {
        if let Ok(parsed) = WeightedPrompt::parse(&prompt) {
            prop_assert!(parsed.sections().iter().flatten().all(|piece| !piece.text.is_empty()));
        }
    }
}

#[test]
fn deep_nesting() {
    let started = Instant::now();
    let nested = |open: &str, close: &str| format!("{}a{}", open.repeat(30_000), close.repeat(30_000));
    for prompt in [nested("[", "]"), nested("[", "")] {
        let sections = parse(&prompt);
        assert!(sections[0][0].1 < 1e-300, "{sections:?}");
    }
    assert_eq!(parse(&"(".repeat(60_000)), [vec![]]);
    assert_eq!(parse(&")]".repeat(30_000)), [pairs(&[(&")]".repeat(30_000), 1.)])]);
    // A piece at every depth, and what could be taken for the start of something.
    for piece in ["a[b]c[", "a[", ": ", ":1", ":+", "BREAK ", "BREAK", "\\"] {
        assert!(WeightedPrompt::parse(&piece.repeat(65_536 / piece.len())).is_ok(), "{piece}");
    }
    for prompt in [nested("(", ")"), nested("(", ""), "([".repeat(20_000) + "a", "(".repeat(100_000)] {
        assert!(matches!(WeightedPrompt::parse(&prompt), Err(Error::Invalid { field: "prompt", .. })));
    }
    // In time proportional to the length; to its square it would be minutes.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn impossible_prompts_are_refused() {
    let cases = [
        ("a (cat:1.2.3) b", "prompt is `:1.2.3)`, expected a number as the weight, such as `:1.3)`"),
        ("(wait:...)", "prompt is `:...)`, expected a number"),
        ("(cat:1001)", "prompt is `cat` with a weight of 1001.0, expected weights from -1000 to 1000"),
        ("((cat:-600):2)", "prompt is `cat` with a weight of -1200.0"),
        ("(cat:9999999999999999999999999999999)", "`cat` with a weight of 1e31"),
        (&format!("({}:5000)", "long ".repeat(20)), "`long long long long long long long long …` with"),
        (&format!("(cat:{})", "9".repeat(400)), "`cat` with a weight of inf"),
        (&"a".repeat(70_000), "prompt is a text of 70000 bytes, expected at most 65536 bytes"),
    ];
    for (prompt, expected) in cases {
        let error = WeightedPrompt::parse(prompt).unwrap_err();
        assert!(matches!(error, Error::Invalid { field: "prompt", .. }), "{error:?}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

/// A request of bad prompts is refused before there is a model, and the error names which prompt it is.
#[test]
fn requests_name_the_prompt() {
    let bad = "(a:1.2.3)";
    let builder = || Conditioning::builder("a").prompt_syntax(PromptSyntax::A1111);
    let cases = [
        ("prompt", Conditioning::builder(bad).prompt_syntax(PromptSyntax::A1111NoNorm)),
        ("prompt_2", builder().prompt_2(bad)),
        ("negative_prompt", builder().negative_prompt(bad)),
        ("negative_prompt_2", builder().negative_prompt("a").negative_prompt_2(bad)),
    ];
    for (name, conditioning) in cases {
        let error = Request::builder(conditioning.build().unwrap()).build().unwrap_err();
        assert!(matches!(error, Error::Invalid { field, .. } if field == name), "{name}: {error}");
    }
    // Plain prompts have no weights.
    Request::builder(Conditioning::builder(bad).build().unwrap()).build().unwrap();
}

#[test]
fn syntaxes_have_names() {
    for &syntax in PromptSyntax::ALL {
        let name = match syntax {
            PromptSyntax::Plain => "plain",
            PromptSyntax::A1111 => "a1111",
            PromptSyntax::A1111NoNorm => "a1111_no_norm",
        };
        assert_eq!((syntax.to_string().as_str(), name.parse::<PromptSyntax>().unwrap()), (name, syntax));
    }
    assert_eq!(PromptSyntax::default(), PromptSyntax::Plain);
    let error = "compel".parse::<PromptSyntax>().unwrap_err().to_string();
    for syntax in PromptSyntax::ALL {
        assert!(error.contains(&syntax.to_string()), "{error}");
    }
}
