"""Writes the golden files: what diffusers and transformers compute on the tiny models of tests/models.

    python generate.py [FILE...] [--tokenizers FOLDER]     writes all files, or those named (unet, vae, ...)
    python generate.py [FILE...] --rounding                writes nothing; prints how far float32 is from float64
"""

import argparse
import json
import sys
from pathlib import Path

import diffusers
import torch
import transformers
from safetensors.torch import save

import embeddings
import ensemble
import guidance
import image_to_image
import inpaint
import layers
import loras
import models
import pipelines
import schedulers
import training
from random_weights import TOKENIZERS

HERE = Path(__file__).resolve().parent

# Each makes the tensors of its file in the given type, and for runs of pipelines what the .json file beside it says.
FILES = {
    "layers": lambda tokenizers, dtype: layers.layers(dtype),
    "text_encoders": models.text_encoders,
    "unet": lambda tokenizers, dtype: models.unet(dtype),
    "vae": lambda tokenizers, dtype: models.vae(dtype),
    "taesd": lambda tokenizers, dtype: models.taesd(dtype),
    "training": lambda tokenizers, dtype: training.training(dtype),
    "pipelines": pipelines.pipelines,
    "schedulers": schedulers.schedulers,
    "image_to_image": image_to_image.image_to_image,
    "ensemble": ensemble.ensemble,
    "inpaint": inpaint.inpaint,
    "guidance": guidance.guidance,
    "loras": loras.loras,
    "embeddings": embeddings.embeddings,
}
NEED_TOKENIZERS = FILES.keys() - {"layers", "unet", "vae", "taesd"}


def make(name, tokenizers, dtype):
    """The tensors of a file, and the description of its cases where it has one."""
    made = FILES[name](tokenizers, dtype)
    return made if isinstance(made, tuple) else (made, None)


def write(name, tensors, description):
    """Writes one golden file; equal tensors make equal bytes."""
    for key, tensor in tensors.items():
        assert torch.isfinite(tensor).all(), f"{name}: {key} is not finite"
    path = HERE / f"{name}.safetensors"
    path.write_bytes(save({key: tensor.clone().contiguous() for key, tensor in sorted(tensors.items())}))
    print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size:,} bytes")
    if description:
        (HERE / f"{name}.json").write_text(json.dumps(description, indent=2) + "\n")


def print_rounding(name, single, double):
    """The tensors that float32 computes least exactly, by relative distance (2-norm) from float64."""
    distances = {
        key: ((single[key].double() - exact.double()).norm() / exact.double().norm()).item()
        for key, exact in double.items()
    }
    worst = max(distances, key=distances.get)
    print(f"{name}: {distances[worst]:.1e} ({worst})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="FILE", help=f"of {', '.join(FILES)}")
    parser.add_argument("--tokenizers", default=TOKENIZERS, help="holds tokenizer/ and tokenizer_2/ (%(default)s)")
    parser.add_argument("--rounding", action="store_true")
    arguments = parser.parse_args()
    names = arguments.files or list(FILES)
    if unknown := set(names) - FILES.keys():
        parser.error(f"no such file: {', '.join(sorted(unknown))}; there are {', '.join(FILES)}")

    # One thread: sums keep their order.
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    diffusers.logging.set_verbosity_error()
    transformers.logging.set_verbosity_error()

    tokenizers = None
    if NEED_TOKENIZERS & set(names):
        if not (Path(arguments.tokenizers) / "tokenizer").is_dir():
            sys.exit(f"no tokenizers in {arguments.tokenizers}; {' and '.join(sorted(NEED_TOKENIZERS))} need them")
        tokenizers = models.load_tokenizers(arguments.tokenizers)

    for name in names:
        tensors, description = make(name, tokenizers, torch.float32)
        if arguments.rounding:
            print_rounding(name, tensors, make(name, tokenizers, torch.float64)[0])
        else:
            write(name, tensors, description)


if __name__ == "__main__":
    main()
