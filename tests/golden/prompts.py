"""Writes prompts.json and prompts.safetensors: prompt weights and long prompts, as AUTOMATIC1111's web interface
encodes them, computed from the description of that convention with transformers' models and tokenizers.

    python prompts.py [--tokenizers FOLDER]
"""

import argparse
import json
import random
from pathlib import Path

import torch
import transformers
from safetensors.torch import save

from models import LONG_PROMPT, load, load_tokenizers
from random_weights import TOKENIZERS

HERE = Path(__file__).resolve().parent
ROOM = 75
REACH = 20

TAGS = (
    "masterpiece, best quality, (very detailed:1.2), an old lighthouse on a rocky island, waves breaking against the "
    "cliffs, a small wooden boat with two fishermen pulling a heavy net, [seagulls] circling under purple clouds, "
    "((warm light in a single window)), wet stones, long grass bent by the wind, a narrow path with iron railings, "
    "distant mountains covered with fresh snow, visible brush strokes, muted colours, fine detail in the foreground"
)

# name, prompt, prompt_2, negative prompt (None: not given)
CASES = [
    ("weights", "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).", None, "[blurry], (low quality:1.4)"),
    ("zeros", "a (red:1.5) cat", None, None),
    ("negative_weight", "a cat, (rain:-0.8), wow! (yes!)", None, "(people:0)"),
    ("two_prompts", "a (cat:1.2)", "a watercolour of the (sea:0.7)", "(text)"),
    ("commas", TAGS, None, "blurry"),
    ("no_commas", LONG_PROMPT.replace(",", "") + " (and a gull:1.3)", None, TAGS),
    ("breaks", "a (red:1.3) house BREAK a [blue] sky (BREAK green:0.9) grass", None, "rain, (fog:1.1)"),
    ("long_negative", "a (cat:1.1)", None, TAGS),
    ("empty_first_chunk", "BREAK a (cat:1.2) BREAK BREAK", None, None),
    ("end_of_text", "a cat <|endoftext|> and a (dog:1.3)", None, "blurry"),
]


class Text:
    """A prompt being read: its characters with their weights (None: a break), and where brackets were opened."""

    def __init__(self):
        self.items = []
        self.opened = {"(": [], "[": []}

    def close(self, kind, factor):
        start = self.opened[kind].pop()
        self.items[start:] = [item and (item[0], item[1] * factor) for item in self.items[start:]]

    def add(self, run):
        """Text without special characters."""
        rest = run
        while (at := find_break(rest)) is not None:
            self.items += [(c, 1.0) for c in rest[:at].rstrip()] + [None]
            rest = rest[at + 5 :].lstrip()
        self.items += [(c, 1.0) for c in rest]


def find_break(text):
    """Where BREAK is a word of its own."""
    for at in range(len(text)):
        if text.startswith("BREAK", at):
            neighbours = text[max(at - 1, 0) : at] + text[at + 5 : at + 6]
            if not any(c.isalnum() or c == "_" for c in neighbours):
                return at
    return None


def weight_at(prompt, at):
    """The factor of `:1.3)` at that place and its length; the factor is None where it is no number."""
    end = prompt.find(")", at)
    inside = prompt[at + 1 : end].strip() if end >= 0 else ""
    number = inside[1:] if inside[:1] in ("+", "-") else inside
    if not number or set(number) - set("0123456789."):
        return None
    try:
        return float(inside), end + 1 - at
    except ValueError:
        return None, end + 1 - at


def parse(prompt):
    """Sections between breaks, each a list of [text, weight]; None where a weight is no number."""
    text, at = Text(), 0
    while at < len(prompt):
        c, length = prompt[at], 1
        if c == "\\":
            # Without a special character behind it, it is an empty piece, which can part its neighbours.
            length = 2 if prompt[at + 1 : at + 2] in tuple("\\()[]") else 1
            text.items.append((prompt[at + 1 : at + length], 1.0))
        elif c in "([":
            text.opened[c].append(len(text.items))
        elif c == ")" and text.opened["("]:
            text.close("(", 1.1)
        elif c == "]" and text.opened["["]:
            text.close("[", 1 / 1.1)
        elif c == ":" and text.opened["("] and (found := weight_at(prompt, at)):
            factor, length = found
            if factor is None:
                return None
            text.close("(", factor)
        elif c in ":)]":
            text.items.append((c, 1.0))
        else:
            while at + length < len(prompt) and prompt[at + length] not in "\\()[]:":
                length += 1
            text.add(prompt[at : at + length])
        at += length
    # Brackets that stay open, the outermost first.
    for kind, factor in [("(", 1.1), ("[", 1 / 1.1)]:
        while text.opened[kind]:
            text.opened[kind].reverse()
            text.close(kind, factor)
            text.opened[kind].reverse()
    sections = [[]]
    for item in text.items:
        if item is None:
            sections.append([])
        elif sections[-1] and sections[-1][-1][1] == item[1]:
            sections[-1][-1][0] += item[0]
        else:
            sections[-1].append(list(item))
    return [[piece for piece in section if piece[0]] for section in sections]


def divide(tokenizer, sections):
    """Chunks of 77 (id, weight)."""
    bos, eos, pad = tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id
    comma = tokenizer.convert_tokens_to_ids(",</w>")
    chunks = []
    for section in sections:
        tokens = []
        for text, weight in section:
            tokens += [(i, weight) for i in tokenizer(text, add_special_tokens=False, truncation=False).input_ids]
        first = 0
        while True:
            end = min(first + ROOM, len(tokens))
            if end < len(tokens) and tokens[end][0] != comma:
                # A comma that was carried over to the start of a chunk is no place to break.
                carried = first > 0 and tokens[first][0] == comma
                commas = [i for i in range(first + carried, end) if tokens[i][0] == comma]
                if commas and end - commas[-1] <= REACH:
                    end = commas[-1] + 1
            chunks.append(tokens[first:end])
            first = end
            if first == len(tokens):
                break
    # Every break ends a chunk, but nothing begins one after the last.
    if len(chunks) > 1 and not chunks[-1]:
        chunks.pop()
    framed = []
    for chunk in chunks:
        ids = [bos, *(i for i, _ in chunk)] + [eos] * (76 - len(chunk))
        weights = [1.0, *(w for _, w in chunk)] + [1.0] * (76 - len(chunk))
        if pad != eos:
            end = ids.index(eos)
            ids[end + 1 :] = [pad] * (76 - end)
        framed.append(list(zip(ids, weights)))
    return framed


def encode(models, tokenizers, prompts, count, norm):
    """Context and pooled embedding of a prompt for each encoder, in that many chunks."""
    contexts, pooled = [], None
    for model, tokenizer, prompt in zip(models, tokenizers, prompts):
        chunks = divide(tokenizer, parse(prompt))
        chunks += divide(tokenizer, [[]]) * (count - len(chunks))
        rows = []
        for chunk in chunks:
            ids = torch.tensor([[i for i, _ in chunk]])
            weights = torch.tensor([[w for _, w in chunk]], dtype=torch.float32)
            output = model(ids, output_hidden_states=True)
            before = output.hidden_states[-2]
            after = before * weights.unsqueeze(-1)
            if norm:
                after = after * (before.double().mean() / after.double().mean()).float()
            if not rows and hasattr(output, "text_embeds"):
                pooled = output.text_embeds
            rows.append(after)
        contexts.append(torch.cat(rows, dim=1))
    return torch.cat(contexts, dim=-1), pooled


def chunk_count(tokenizers, prompts):
    return max(len(divide(tokenizer, parse(prompt))) for tokenizer, prompt in zip(tokenizers, prompts))


def embeddings(tokenizers):
    """The tensors of prompts.safetensors."""
    models = [load("base", component) for component in ["text_encoder", "text_encoder_2"]]
    tensors = {}
    for name, prompt, prompt_2, negative in CASES:
        positive = (prompt, prompt_2 or prompt)
        count = chunk_count(tokenizers, positive)
        if negative is not None:
            count = max(count, chunk_count(tokenizers, (negative, negative)))
        for emphasis, norm in [("a1111", True), ("a1111_no_norm", False)]:
            context, pooled = encode(models, tokenizers, positive, count, norm)
            tensors[f"{name}.{emphasis}.positive"] = context
            tensors[f"{name}.positive_pooled"] = pooled
            if negative is not None:
                context, pooled = encode(models, tokenizers, (negative, negative), count, norm)
                tensors[f"{name}.{emphasis}.negative"] = context
                tensors[f"{name}.negative_pooled"] = pooled
    return tensors


def random_prompts():
    """Prompts that hit every rule of the grammar often."""
    source = random.Random(0)
    pieces = ["a", "b ", " c", "d, ", "(", "(", "(", "[", "[", ")", ")", "]", ":", ":1.2)", ":0.5)", ": -2 )", ":+.5)"]
    pieces += ["\\", "\\(", "\\)", "\\[", "\\]", "\\\\", "BREAK", " BREAK ", "BREAKs", "_BREAK", ":1.2.3)", ":.)", "é夜"]
    pieces += [":1.1]", "\n", ":1e3)", "1", "."]
    return ["".join(source.choices(pieces, k=source.randint(1, 16))) for _ in range(600)]


def word_lists():
    """Prompts around the borders of chunks: words and commas of one token each."""
    yield from ["", "!", "a cat", ",", "BREAK", "BREAK BREAK", "a BREAK b", "BREAK a", "a BREAK", "(a BREAK b:1.5) c"]
    for words in [74, 75, 76, 149, 150, 151]:
        yield " ".join(["word"] * words)
    # A comma that many tokens before the end of the chunk; the last two as the 75th and 76th token.
    for before in [53, 54, 55, 56, 73, 74, 75]:
        yield " ".join(["word"] * before + [","] + ["word"] * 30)
    # The comma that was carried over is no place to break.
    yield " ".join(["word"] * 75 + [","] + ["word"] * 75)
    yield " ".join(["word"] * 75 + [","] + ["word"] * 10 + [","] + ["word"] * 80)
    yield " ".join(["word"] * 60 + [","] + ["(word:1.3)"] * 70 + [","] + ["[word]"] * 20)
    yield ", ".join(["word"] * 80)
    yield "word " * 60 + ", word <|endoftext|> word! " + "word " * 30


def compact(chunk):
    """A chunk as ids and weights without the repeated end: the last id stands for the rest, 1 for the weights."""
    ids, weights = [i for i, _ in chunk], [w for _, w in chunk]
    while len(ids) > 1 and ids[-1] == ids[-2]:
        ids.pop()
    while weights and weights[-1] == 1:
        weights.pop()
    return [ids, weights]


def tables(tokenizers):
    """The content of prompts.json."""
    return {
        "made with": f"tests/golden/prompts.py, transformers {transformers.__version__}",
        "grammar": [[prompt, parse(prompt)] for prompt in random_prompts()],
        "chunks": [
            [prompt, *([compact(chunk) for chunk in divide(tokenizer, parse(prompt))] for tokenizer in tokenizers)]
            for prompt in word_lists()
        ],
        "cases": [
            {"name": name, "prompt": prompt, "prompt_2": prompt_2, "negative": negative}
            for name, prompt, prompt_2, negative in CASES
        ],
    }


def layout(content):
    """JSON with a line for each prompt."""
    parts = []
    for key, value in content.items():
        if isinstance(value, list):
            lines = ",\n".join(json.dumps(item) for item in value)
            parts.append(f"{json.dumps(key)}: [\n{lines}\n]")
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizers", default=TOKENIZERS, help="holds tokenizer/ and tokenizer_2/ (%(default)s)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    transformers.logging.set_verbosity_error()

    tokenizers = load_tokenizers(arguments.tokenizers)
    (HERE / "prompts.json").write_text(layout(tables(tokenizers)), encoding="utf-8")
    tensors = embeddings(tokenizers)
    data = save({name: tensor.contiguous() for name, tensor in sorted(tensors.items())})
    (HERE / "prompts.safetensors").write_bytes(data)
    print(f"{len(tensors)} tensors, {len(data):,} bytes")


if __name__ == "__main__":
    main()
