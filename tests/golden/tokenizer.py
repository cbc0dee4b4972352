"""Writes tokenizer.json: what transformers' CLIPTokenizer makes of random text, as a hash for each block.

    python tests/golden/tokenizer.py ../shared/assets

needs transformers 5.23.0. The argument is the folder with `sdxl-configs` (the tokenizer folders of
SDXL base 1.0) and `prompts` (captions). The random strings come from a generator that
tests/tokenizer/main.rs repeats step by step: change both or none.
"""

import json
import sys
import tempfile
from pathlib import Path

import transformers
from transformers import CLIPTokenizer

GOLDEN = Path(__file__).parent
MASK = (1 << 64) - 1
STRINGS = 100_000
BLOCK = 1000
CHARACTERS = 4096

MERGES = (GOLDEN / "../../src/text/clip_merges.txt").read_text(encoding="utf-8").splitlines()[1:]
WORDS = [line.replace(" ", "").removesuffix("</w>") for line in MERGES]
CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'LL", "\u2019s", " 's", "n't", "''d", "'x"]
PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
SPECIAL = [
    "<|startoftext|>", "<|endoftext|>", "<|ENDOFTEXT|>", "<|StartOfText|>", "<|endoftext", "endoftext|>", "<|", "|>",
    "</w>", "a</w>", "!", "!!", " ! ", "wow!", "?!", "&amp;", "(a:1.2)", "[b]", "BREAK",
]  # fmt: skip
WHITESPACE = [
    " ", "  ", "\t", "\n", "\r\n", "\x0b", "\x0c", "\x85", "\xa0", "\u1680", "\u2003", "\u2028", "\u2029", "\u202f",
    "\u205f", "\u3000", "\u180e", "\u200b", "\ufeff", "\x1c", "\x1f", " \t \n ",
]  # fmt: skip
# Controls, Latin with marks, Greek, Cyrillic, Hebrew, Arabic, Devanagari, Thai, Georgian, Hangul jamo, joiners,
# super- and subscripts, number forms, enclosed, kana, CJK, Hangul, private use, presentation forms, variation
# selectors, full width, Deseret, mathematical letters, flags, emoji, skin tones, tags, and CJK compatibility.
RANGES = [
    (0x0, 0x1F), (0x7F, 0xA0), (0xA1, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x590, 0x5FF),
    (0x600, 0x6FF), (0x900, 0x97F), (0xE00, 0xE7F), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1E00, 0x1FFF),
    (0x200B, 0x206F), (0x2070, 0x209F), (0x2150, 0x218F), (0x2460, 0x24FF), (0x3040, 0x30FF), (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3), (0xE000, 0xE0FF), (0xFB00, 0xFDFF), (0xFE00, 0xFE0F), (0xFF00, 0xFFEF), (0x10400, 0x1044F),
    (0x1D400, 0x1D7FF), (0x1F1E6, 0x1F1FF), (0x1F300, 0x1FAFF), (0x1F3FB, 0x1F3FF), (0xE0000, 0xE007F),
    (0x2F800, 0x2FA1F),
]  # fmt: skip


class Random:
    """SplitMix64."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        mixed = self.state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & MASK
        return ((mixed ^ (mixed >> 31)) >> 33) % limit

    def pick(self, items):
        return items[self.below(len(items))]


def upper(word):
    """ASCII letters only, so that both generators agree."""
    return "".join(chr(ord(c) - 32) if "a" <= c <= "z" else c for c in word)


def any_code_point(random):
    code = random.below(0x110000 - 0x800)
    return chr(code if code < 0xD800 else code + 0x800)


def code_point_of_a_block(random):
    first, last = random.pick(RANGES)
    return chr(first + random.below(last - first + 1))


def piece(random):
    kind = random.below(16)
    if kind < 5:
        return random.pick(WORDS)
    if kind == 5:
        return upper(random.pick(WORDS))
    if kind == 6:
        return random.pick(WORDS) + random.pick(CONTRACTIONS)
    if kind == 7:
        return str(random.below(100_000))
    if kind == 8:
        return "".join(random.pick(PUNCTUATION) for _ in range(1 + random.below(4)))
    if kind == 9:
        return random.pick(SPECIAL)
    if kind == 10:
        return "".join(any_code_point(random) for _ in range(1 + random.below(4)))
    if kind < 13:
        return "".join(code_point_of_a_block(random) for _ in range(1 + random.below(6)))
    if kind == 13:
        return random.pick(WHITESPACE)
    if kind == 14:
        letter = chr(ord("a") + random.below(26))
        return letter + "".join(chr(0x300 + random.below(0x70)) for _ in range(1 + random.below(3)))
    return "!" * (1 + random.below(3))


def text(index):
    """Up to 16 pieces, in every sixteenth string up to 160, which is more than fits."""
    random = Random(index)
    pieces = 40 + random.below(120) if index % 16 == 15 else 1 + random.below(16)
    parts = []
    for _ in range(pieces):
        parts.append(piece(random))
        space = random.below(8)
        if space < 5:
            parts.append(" ")
        elif space == 5:
            parts.append(random.pick(WHITESPACE))
    return "".join(parts)


def fnv(numbers):
    """FNV-1a with 64 bits, fed with whole numbers in place of bytes."""
    state = 0xCBF29CE484222325
    for number in numbers:
        state = ((state ^ number) * 0x100000001B3) & MASK
    return f"{state:016x}"


def blocks(texts, size):
    return (texts[start : start + size] for start in range(0, len(texts), size))


def hashes(tokenizer, texts):
    """One hash for each block of texts: of each text the number of its ids and its ids; of those that
    are too long also what is left of them."""
    result = []
    for block in blocks(texts, BLOCK):
        whole = tokenizer(block, add_special_tokens=False).input_ids
        padded = tokenizer(block, padding="max_length", max_length=77, truncation=True).input_ids
        numbers = []
        for ids, context in zip(whole, padded):
            assert len(context) == 77
            numbers += [len(ids), *ids, *(context if len(ids) > 75 else [])]
        result.append(fnv(numbers))
    return result


def character_hashes(tokenizer):
    """The same of each character twice after a letter: that tells letters, digits, whitespace and
    other characters from each other."""
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    result = []
    for block in blocks(characters, CHARACTERS):
        whole = tokenizer([f"a{c}{c}" for c in block], add_special_tokens=False).input_ids
        result.append(fnv(n for ids in whole for n in (len(ids), *ids)))
    return result


def cut(tokenizer, prompt):
    """What diffusers' warning about a long prompt shows."""
    context = tokenizer(prompt, padding="max_length", max_length=77, truncation=True).input_ids
    whole = tokenizer(prompt).input_ids
    return None if len(whole) < 77 or whole == context else tokenizer.decode(whole[76:-1])


SYMBOLS = ["!", "a", "b", "c", "!</w>", "a</w>", "b</w>", "c</w>", "ab", "abc</w>"]
LINES = ["a b", "ab c</w>"]
TEXTS = [
    "", "abc", "ab c", "abcabc ABC", "!", "a!b", "a !! c", "<|endoftext|>abc", "<|ENDOFTEXT|>abc", "</s>a", "</S>a",
    "a<s>b<S>c", "c <cat> b", "c <CAT>b", "c<cat>  b", "a two words c", "a Two  Words c", "two wordsc", "xabc", "a1é b",
    "<pad>a", "a<mask>b", "<unk>", "abc abc abc abc abc abc abc",
]  # fmt: skip


def vocab(*special):
    return {symbol: index for index, symbol in enumerate([*SYMBOLS, *special])}


def token(content, **flags):
    default = {"lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
    return {"content": content, **default, **flags}


def folders():
    """Small tokenizer folders, file name to content: each tests one rule of what decides a special token."""
    clip = vocab("<|startoftext|>", "<|endoftext|>")
    own = vocab("<s>", "</s>", "<unk>", "<pad>", "<mask>")
    added = {"special": False, "normalized": False}
    yield "nothing but the vocabulary", {"vocab.json": clip, "merges.txt": LINES}
    yield "own tokens, as text and as objects", {
        "vocab.json": own,
        "merges.txt": LINES,
        "tokenizer_config.json": {
            "bos_token": {"__type": "AddedToken", **token("<s>")},
            "eos_token": "</s>",
            "unk_token": "<unk>",
            "pad_token": token("<pad>", __type="AddedToken", normalized=False),
            "mask_token": {"__type": "AddedToken", **token("<mask>", lstrip=True)},
            "model_max_length": 9,
        },
    }
    yield "the map wins over the configuration", {
        "vocab.json": own,
        "merges.txt": LINES,
        "tokenizer_config.json": {
            "bos_token": "<s>",
            "eos_token": "</s>",
            "unk_token": "<unk>",
            "pad_token": "!",
            "model_max_length": 10**30,
        },
        "special_tokens_map.json": {"eos_token": token("</s>"), "pad_token": "<pad>"},
    }
    yield "a complete configuration wins over the map", {
        "vocab.json": clip,
        "merges.txt": LINES,
        "tokenizer_config.json": {
            "added_tokens_decoder": {
                "10": token("<|startoftext|>", special=True),
                "11": token("<|endoftext|>", special=True, normalized=False),
                "12": token("<cat>", **added, lstrip=True, rstrip=True),
            },
            "pad_token": "!",
            "model_max_length": 12,
        },
        "special_tokens_map.json": {"pad_token": "b"},
        "added_tokens.json": {"<dog>": 12},
    }
    yield "added tokens of old", {
        "vocab.json": clip,
        "merges.txt": LINES,
        "added_tokens.json": {"two words": 13, "<cat>": 12},
        "tokenizer_config.json": {"pad_token": "<cat>"},
    }
    yield "tokenizer.json wins, its pipeline does not", {
        "vocab.json": {"a": 0},
        "merges.txt": [],
        "tokenizer.json": {
            "version": "1.0",
            "truncation": {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0},
            "padding": None,
            "added_tokens": [
                {"id": 10, **token("<|startoftext|>", special=True)},
                {"id": 11, **token("<|endoftext|>", special=True, normalized=False)},
                {"id": 12, **token("two words", special=False, single_word=True)},
            ],
            "normalizer": None,
            "pre_tokenizer": None,
            "post_processor": None,
            "decoder": None,
            "model": {"type": "BPE", "unk_token": None, "vocab": clip, "merges": LINES},
        },
        "tokenizer_config.json": {"pad_token": "!", "eos_token": "<|endoftext|>", "model_max_length": 77},
    }
    yield "merges as pairs", {
        "tokenizer.json": {
            "added_tokens": [],
            "model": {"type": "BPE", "vocab": clip, "merges": [line.split(" ") for line in LINES]},
        },
    }


def small_folders():
    result = []
    for name, files in folders():
        contents = {
            file: "\n".join(["#version: 0.2", *content]) + "\n" if file == "merges.txt" else json.dumps(content)
            for file, content in files.items()
        }
        with tempfile.TemporaryDirectory() as folder:
            for file, content in contents.items():
                (Path(folder) / file).write_text(content, encoding="utf-8")
            tokenizer = CLIPTokenizer.from_pretrained(folder)
        length = tokenizer.model_max_length if tokenizer.model_max_length < 10**9 else 77
        whole = tokenizer(TEXTS, add_special_tokens=False, truncation=False).input_ids
        padded = tokenizer(TEXTS, padding="max_length", max_length=length, truncation=True).input_ids
        result.append({"name": name, "files": contents, "ids": whole, "context": padded})
    return result


def layout(golden):
    """JSON with a line for each part."""
    lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(assets):
    assert transformers.__version__ == "5.23.0", transformers.__version__
    folder = assets / "sdxl-configs" / "sdxl-base-1.0"
    tokenizers = [CLIPTokenizer.from_pretrained(folder / name) for name in ["tokenizer", "tokenizer_2"]]
    random = [text(index) for index in range(STRINGS)]
    captions = (assets / "prompts" / "mlperf_coco2014_5000_captions.txt").read_text(encoding="utf-8").splitlines()
    prompts = [
        "a cat, " * 20,
        "word " * 75,
        "word " * 76,
        "Ünder the 日本 sea! " * 9 + "don't <|endoftext|> 100% Stop!",
        "<|endoftext|>" * 80,
        "!" * 80,
        "\u65e5" * 100,
    ]
    golden = {
        "made with": "tests/golden/tokenizer.py, transformers 5.23.0",
        "random": [hashes(tokenizer, random) for tokenizer in tokenizers],
        "captions": [hashes(tokenizer, captions) for tokenizer in tokenizers],
        "characters": character_hashes(tokenizers[0]),
        "cut": [[prompt, *(cut(tokenizer, prompt) for tokenizer in tokenizers)] for prompt in prompts],
        "texts": TEXTS,
        "folders": small_folders(),
    }
    (GOLDEN / "tokenizer.json").write_text(layout(golden), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
