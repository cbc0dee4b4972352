//! safetensors files: every rule of the format broken, and what is no safetensors file.

use super::case::{Case, Open};

/// A file of that header and so many zeros.
pub(crate) fn file(header: impl AsRef<[u8]>, data: usize) -> Vec<u8> {
    let header = header.as_ref();
    [&(header.len() as u64).to_le_bytes(), header, &vec![0; data]].concat()
}

/// An entry of a header.
pub(crate) fn row(name: &str, dtype: &str, shape: &str, offsets: &str) -> String {
    format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}"#)
}

fn tensor(name: &str, shape: &str, offsets: &str) -> String {
    row(name, "F32", shape, offsets)
}

fn object(rows: &[String]) -> String {
    format!("{{{}}}", rows.join(","))
}

/// As many empty tensors as make a header of about that many bytes.
fn empty_tensors(bytes: usize) -> String {
    let count = bytes / 58;
    object(&(0..count).map(|i| row(&format!("t{i:07}"), "U8", "[0]", "[0,0]")).collect::<Vec<_>>())
}

pub(crate) fn cases() -> Vec<Case> {
    let good = file(object(&[tensor("a", "[2,3]", "[0,24]")]), 24);
    let one = |shape: &str, offsets: &str| file(object(&[tensor("a", shape, offsets)]), 4);
    let ones = |count: usize| format!("[{}]", vec!["1"; count].join(","));
    let huge = 32 << 20;
    let cap = (32u64 << 20) + 1;
    let texts = |count: usize| {
        let texts: Vec<String> = (0..count).map(|i| format!("\"{i}\":\"\"")).collect();
        format!(r#"{{"__metadata__":{{{}}}}}"#, texts.join(","))
    };
    let mut cases: Vec<(&str, Vec<u8>, &'static str)> = vec![
        ("empty", vec![], "too short"),
        ("short", vec![1, 2, 3], "too short"),
        ("zip", [b"PK\x03\x04".as_slice(), &[7; 100]].concat(), "zip archive"),
        ("pickle", [b"\x80\x02}q".as_slice(), &[1; 100]].concat(), "pickle"),
        ("pickle of protocol 4", [b"\x80\x04\x95".as_slice(), &[1; 100]].concat(), "pickle"),
        ("gguf", [b"GGUF".as_slice(), &[3; 100]].concat(), "GGUF"),
        ("web page", b"<!DOCTYPE html><html><body>404</body></html>".to_vec(), "web page"),
        (
            "LFS pointer",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n".to_vec(),
            "Git LFS pointer",
        ),
        ("JSON alone", b"{\"a\": 1, \"b\": 2, \"c\": 3}".to_vec(), "JSON"),
        ("length bomb", [&u64::MAX.to_le_bytes()[..], &[0; 32]].concat(), "at most"),
        ("length of half of all addresses", [&(1u64 << 63).to_le_bytes()[..], &[0; 32]].concat(), "at most"),
        ("header longer than the file", [&100u64.to_le_bytes()[..], &[b' '; 99]].concat(), "truncated"),
        ("header over the cap", [&cap.to_le_bytes()[..], &vec![b' '; cap as usize]].concat(), "at most"),
        ("header of no bytes", file("", 0), "invalid safetensors header"),
        ("header of NULs", file(vec![0; huge], 0), "invalid safetensors header"),
        ("header of spaces", file(vec![b' '; huge], 0), "invalid safetensors header"),
        ("header of brackets", file(vec![b'['; huge], 0), "invalid safetensors header"),
        ("header nested deeply", file(r#"{"a":"#.repeat(huge / 5), 0), "invalid safetensors header"),
        (
            "a shape nested deeply",
            file(format!(r#"{{"a":{{"shape":{}"#, "[".repeat(huge / 2)), 0),
            "tensor \"a\"",
        ),
        (
            "header of one text",
            file([b"\"".as_slice(), &vec![b'a'; huge - 1]].concat(), 0),
            "invalid safetensors header",
        ),
        ("header that is no UTF-8", file(b"{\"\xff\xfe\":1}", 0), "invalid safetensors header"),
        ("a list", file("[1, 2]", 0), "invalid safetensors header"),
        ("no JSON", file("nonsense", 0), "invalid safetensors header"),
        ("truncated JSON", file(r#"{"a":{"dtype":"F32","#, 0), "EOF"),
        ("trailing JSON", file("{} {}", 0), "trailing"),
        ("truncated data", good[..good.len() - 1].to_vec(), "truncated"),
        ("truncated header", good[..40].to_vec(), "truncated"),
        ("trailing data", [&good[..], &[0]].concat(), "behind the last tensor"),
        (
            "the same name twice",
            file(object(&[tensor("a", "[0]", "[0,0]"), tensor("a", "[0]", "[0,0]")]), 0),
            "twice",
        ),
        (
            "the same field twice",
            file(r#"{"a":{"dtype":"F32","dtype":"F16","shape":[],"data_offsets":[0,4]}}"#, 4),
            "duplicate",
        ),
        ("metadata twice", file(r#"{"__metadata__":{},"__metadata__":{}}"#, 0), "twice"),
        (
            "a field too many",
            file(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}"#, 4),
            "unknown field",
        ),
        ("a field too few", file(r#"{"a":{"dtype":"F32","shape":[1]}}"#, 4), "missing field"),
        ("rank 9", one(&ones(9), "[0,4]"), "more than 8 dimensions"),
        ("rank 1000000", one(&ones(1_000_000), "[0,4]"), "more than 8 dimensions"),
        ("rank 16000000", one(&ones(16_000_000), "[0,4]"), "more than 8 dimensions"),
        ("10^6 empty tensors", file(empty_tensors(58_000_000), 0), "at most"),
        ("500 000 empty tensors", file(empty_tensors(29_000_000), 0), "more than 32768 tensors"),
        ("a tensor too many", file(empty_tensors(32_769 * 58), 0), "more than 32768 tensors"),
        ("metadata of 2 000 000 texts", file(texts(2_000_000), 0), "more than 4096 texts"),
        ("metadata of numbers", file(r#"{"__metadata__":{"a":1}}"#, 0), "invalid type"),
        ("metadata that is a list", file(r#"{"__metadata__":[]}"#, 0), "invalid type"),
        ("name of 513 bytes", file(object(&[tensor(&"n".repeat(513), "[0]", "[0,0]")]), 0), "513 bytes"),
        (
            "name of 30 MB",
            file(object(&[tensor(&"n".repeat(30_000_000), "[0]", "[0,0]")]), 0),
            "30000000 bytes",
        ),
        ("hole", file(object(&[tensor("a", "[1]", "[4,8]")]), 8), "hole"),
        (
            "hole between",
            file(object(&[tensor("a", "[1]", "[0,4]"), tensor("b", "[1]", "[8,12]")]), 12),
            "hole",
        ),
        (
            "overlap",
            file(object(&[tensor("a", "[2]", "[0,8]"), tensor("b", "[2]", "[4,12]")]), 12),
            "overlaps",
        ),
        (
            "the same data twice",
            file(object(&[tensor("a", "[2]", "[0,8]"), tensor("b", "[2]", "[0,8]")]), 8),
            "overlaps",
        ),
        ("offsets backwards", one("[1]", "[4,0]"), "hole"),
        ("offsets of one place", one("[1]", "[0,0]"), "does not fill"),
        ("offsets beyond the file", one("[1000]", "[0,4000]"), "truncated"),
        ("offsets beyond 64 bits", one("[1]", "[0,18446744073709551616]"), "invalid"),
        ("offsets at the end of 64 bits", one("[1]", "[18446744073709551612,18446744073709551615]"), "hole"),
        ("negative offsets", one("[1]", "[-4,0]"), "invalid"),
        ("three offsets", one("[1]", "[0,4,8]"), "trailing characters"),
        ("one offset", one("[1]", "[0]"), "tuple of size 2"),
        ("fractional shape", one("[1.5]", "[0,4]"), "invalid type"),
        ("exponential shape", one("[1e30]", "[0,4]"), "invalid"),
        ("negative shape", one("[-1]", "[0,4]"), "invalid"),
        ("shape that overflows", one("[4294967296,4294967296]", "[0,4]"), "does not fill"),
        ("shape that overflows to what fits", one("[4611686018427387905]", "[0,4]"), "does not fill"),
        ("nothing times a huge size", one("[0,9223372036854775808]", "[0,0]"), "does not fill"),
        (
            "a huge size times nothing",
            file(object(&[tensor("a", "[4294967296,4294967296,0]", "[0,0]")]), 0),
            "does not fill",
        ),
        (
            "nothing times sizes that overflow",
            file(object(&[tensor("a", "[0,4611686018427387904,4]", "[0,0]")]), 0),
            "does not fill",
        ),
        ("unknown type", file(object(&[row("a", "F33", "[1]", "[0,4]")]), 4), "unknown variant"),
        (
            "type that is a number",
            file(r#"{"a":{"dtype":7,"shape":[1],"data_offsets":[0,4]}}"#, 4),
            "invalid",
        ),
        ("type of half a byte", file(object(&[row("a", "F4", "[1]", "[0,1]")]), 1), "does not fill"),
        (
            "type that nothing computes with",
            file(object(&[row("a", "BOOL", "[4]", "[0,4]")]), 4),
            "not supported",
        ),
        ("escape sequences in a name", file(object(&[tensor("\\u001b[31mred", "[1]", "[4,8]")]), 8), "hole"),
    ];
    let strange = [
        ("nothing times a large size", file(object(&[tensor("a", "[0,4611686018427387904]", "[0,0]")]), 0)),
        ("many empty tensors", file(empty_tensors(30_000 * 58), 0)),
        ("names of strange characters", file(object(&[tensor("\\u0000 \u{202e}", "[1]", "[0,4]")]), 4)),
    ];
    let strange = strange.map(|(name, bytes)| Case::file(name, Open::Tensors, "", bytes).valid());
    let refused = cases.drain(..).map(|(name, bytes, says)| Case::file(name, Open::Tensors, says, bytes));

    // The same files in the places of others: what opens them looks at the same header.
    let rest = [
        ("a model of one tensor", Open::Model, good.clone(), "not the unet of this model"),
        ("a model of NULs", Open::Model, vec![0; 4096], "invalid safetensors header"),
        ("latents without latents", Open::LatentsFile, good.clone(), "has no tensor `latents`"),
        (
            "latents of rank 2",
            Open::LatentsFile,
            file(object(&[tensor("latents", "[2,3]", "[0,24]")]), 24),
            "latents is shape [2, 3]",
        ),
        (
            "latents of nothing",
            Open::LatentsFile,
            file(object(&[tensor("latents", "[0,4,8,8]", "[0,0]")]), 0),
            "latents is shape [0, 4, 8, 8]",
        ),
        ("embeddings without a context", Open::EmbeddingsFile, good.clone(), "has no tensor `context`"),
        (
            "embeddings of other rows",
            Open::EmbeddingsFile,
            file(object(&[tensor("context", "[1,2,3]", "[0,24]"), tensor("pooled", "[2,1]", "[24,32]")]), 32),
            "embeddings is shapes",
        ),
    ];
    let rest = rest.map(|(name, open, bytes, says)| Case::file(name, open, says, bytes));
    refused.chain(strange).chain(rest).collect()
}
