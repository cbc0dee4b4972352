"""Random weights that both sides of the comparison compute from a tensor's name, so that no weights are stored.

As a command, writes a model folder in diffusers' layout with such weights:

    python random_weights.py CONFIG_FOLDER OUT_FOLDER [--dtype f16] [--max-shard-bytes N] [--variant fp16] [--seed N]
"""

import argparse
import importlib
import json
import math
import shutil
import sys
from pathlib import Path

import numpy as np
import torch

TOKENIZERS = Path(__file__).resolve().parents[2] / "../shared/assets/sdxl-configs/sdxl-base-1.0"

# Elements computed at a time: the temporaries stay in the processor's cache.
CHUNK = 1 << 16


def fnv1a(text):
    """The 64-bit FNV-1a hash of the text's UTF-8 bytes."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return np.uint64(value)


def uniform(name, first, count, seed=0):
    """Elements `first` to `first + count` of the stream called `name`: float32 in [-1, 1), multiples of 2^-23."""
    # SplitMix64, started at the hash of the name and read at any place.
    x = np.arange(first + 1, first + count + 1, dtype=np.uint64)
    x *= np.uint64(0x9E3779B97F4A7C15)
    x += fnv1a(f"{seed}/{name}")
    x ^= x >> np.uint64(30)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    x >>= np.uint64(40)
    values = x.astype(np.float32)
    values *= np.float32(2**-23)
    values -= np.float32(1)
    return values


def random_tensor(name, shape, seed=0):
    """A float32 tensor of the stream called `name`, for the inputs of a test."""
    return torch.from_numpy(uniform(name, 0, math.prod(shape), seed)).reshape(shape)


def scale_and_offset(key, shape):
    """The range of a weight: values are `offset + scale * r` with r uniform in [-1, 1)."""
    if len(shape) == 1 and key.endswith("weight"):
        return np.float32(0.1), np.float32(1)
    if len(shape) <= 1 or key.endswith("embedding.weight"):
        return np.float32(0.1), None
    # Keeps the variance of the activations: that of r is 1/3.
    return np.float32(math.sqrt(3 / math.prod(shape[1:]))), None


def fill_(module, component, seed=0):
    """Fills every parameter and persistent float buffer of the module; 16-bit ones are rounded from float32."""
    for key, tensor in module.state_dict().items():
        if not tensor.is_floating_point():
            continue
        scale, offset = scale_and_offset(key, tensor.shape)
        name = f"{component}/{key.removeprefix('text_model.')}"
        flat = tensor.view(-1)
        for first in range(0, len(flat), CHUNK):
            chunk = flat[first : first + CHUNK]
            values = uniform(name, first, len(chunk), seed)
            values *= scale
            if offset is not None:
                values += offset
            chunk.copy_(torch.from_numpy(values))
    return module


def component_classes(folder):
    """The models of a folder in diffusers' layout: component name -> (class, its folder)."""
    folder = Path(folder)
    index_file = folder / "model_index.json"
    if not index_file.exists():
        name = json.loads((folder / "config.json").read_text())["_class_name"]
        component = {"AutoencoderTiny": "taesd", "AutoencoderKL": "vae", "UNet2DConditionModel": "unet"}[name]
        return {component: (getattr(importlib.import_module("diffusers"), name), folder)}
    index = json.loads(index_file.read_text())
    classes = {}
    for component in ["text_encoder", "text_encoder_2", "unet", "vae"]:
        library, name = index.get(component) or (None, None)
        if name is not None:
            classes[component] = (getattr(importlib.import_module(library), name), folder / component)
    return classes


def build(folder, component, dtype=torch.float32, seed=0):
    """The component that the folder's configuration describes, with the random weights, ready for inference."""
    model_class, config_folder = component_classes(folder)[component]
    # Without the libraries' own initialisation, which is slow at full size.
    with torch.device("meta"):
        if hasattr(model_class, "load_config"):
            module = model_class.from_config(model_class.load_config(config_folder))
        else:
            module = model_class(model_class.config_class.from_pretrained(config_folder))
    module = torch.nn.Module.to(module, dtype).to_empty(device="cpu").requires_grad_(False).eval()
    for name, buffer in module.named_buffers():
        if name.endswith("position_ids"):
            buffer.copy_(torch.arange(buffer.shape[-1]))
    return fill_(module, component, seed)


def copy_files(source, target):
    """Copies the files of a folder, without their permissions: the source may be read-only."""
    target.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        shutil.copyfile(file, target / file.name)


def write_folder(config_folder, out_folder, arguments):
    """Writes the whole model folder, one component in memory at a time."""
    config_folder, out_folder = Path(config_folder), Path(out_folder)
    dtype = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}[arguments.dtype]
    options = {"max_shard_size": arguments.max_shard_bytes} if arguments.max_shard_bytes else {}
    whole = (config_folder / "model_index.json").exists()
    for component in component_classes(config_folder):
        module = build(config_folder, component, dtype, arguments.seed)
        target = out_folder / component if whole else out_folder
        module.save_pretrained(target, safe_serialization=True, variant=arguments.variant, **options)
        print(f"{component}: {module.num_parameters():,} parameters", flush=True)
        del module
    if not whole:
        return
    index = json.loads((config_folder / "model_index.json").read_text())
    shutil.copyfile(config_folder / "model_index.json", out_folder / "model_index.json")
    copy_files(config_folder / "scheduler", out_folder / "scheduler")
    for name in ["tokenizer", "tokenizer_2"]:
        if not (index.get(name) or [None])[0]:
            continue
        sources = [parent / name for parent in [config_folder, Path(arguments.tokenizers)]]
        found = next((source for source in sources if source.is_dir()), None)
        if found:
            copy_files(found, out_folder / name)
        else:
            print(f"no {name}: neither {sources[0]} nor {sources[1]} exists; give --tokenizers", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config_folder", help="a folder in diffusers' layout, or one with a single config.json")
    parser.add_argument("out_folder")
    parser.add_argument("--dtype", choices=["f16", "f32", "bf16"], default="f16")
    parser.add_argument("--max-shard-bytes", type=int, help="default: that of the libraries")
    parser.add_argument("--variant", help="put into the file names, as in diffusion_pytorch_model.fp16.safetensors")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tokenizers", default=TOKENIZERS, help="holds tokenizer/ and tokenizer_2/ (%(default)s)")
    arguments = parser.parse_args()
    # A chunk is too small to share among threads.
    torch.set_num_threads(1)
    write_folder(arguments.config_folder, arguments.out_folder, arguments)


if __name__ == "__main__":
    main()
