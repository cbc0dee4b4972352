#!/usr/bin/env python3
"""This crate and diffusers in turn on the same weights, sizes and threads: ratios of time, FLOP/s and peak memory.

    python benches/peers/compare.py MODEL_FOLDER [--stage unet|vae]... [--latent-size 64] [--threads 1] [--rounds 2]

Each part runs in a fresh process, A B A B, one at a time. The model folder is a diffusers one, for instance with random
weights (`cargo run --example random_model`). diffusers comes from the environment of `--python`, or from one that this
script makes in `target/peers` on its first run. It also says how far apart the outputs are.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FULL_SIZE = ROOT / "tests/golden/full_size.py"
# The line of each stage that counts, on either side: of the UNet, what a step takes that is not the first.
PARTS = {
    "unet": {"diffusers": "unet forward, again", "sdxl": "unet step of a run"},
    "vae": {"diffusers": "vae decode", "sdxl": "vae decode"},
}
LINE = re.compile(r"^(?P<part>[\w ,]+): (?P<seconds>[\d.]+) s, peak memory (?P<peak>[\d.]+) (?P<unit>kB|GB)")

# Operations of one evaluation, counted on tensors without data.
COUNT = """
import sys, torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch.utils.flop_counter import FlopCounterMode
folder, stage, side = sys.argv[1], sys.argv[2], int(sys.argv[3])
model_class = {"unet": UNet2DConditionModel, "vae": AutoencoderKL}[stage]
with torch.device("meta"):
    model = model_class.from_config(model_class.load_config(f"{folder}/{stage}"))
    config = model.config
    with FlopCounterMode(display=False) as counter:
        if stage == "vae":
            model.decode(torch.empty(1, config.latent_channels, side, side))
        else:
            pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
            added = {"text_embeds": torch.empty(1, pooled), "time_ids": torch.empty(1, 6)}
            context = torch.empty(1, 77, config.cross_attention_dim)
            sample = torch.empty(1, config.in_channels, side, side)
            model(sample, torch.empty(1), context, added_cond_kwargs=added)
print(counter.get_total_flops())
"""


def peers_python():
    """A Python with diffusers, made on the first run."""
    folder = ROOT / "target/peers"
    python = folder / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        requirements = ROOT / "tests/golden/requirements.txt"
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
    return python


def run(command, threads):
    """Seconds and peak bytes of each part that the command prints, and how far its outputs are off."""
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    output = subprocess.run(
        [str(part) for part in command], cwd=ROOT, env=environment, check=True, text=True, stdout=subprocess.PIPE
    ).stdout
    parts, errors = {}, []
    for line in output.splitlines():
        if match := LINE.match(line):
            unit = {"kB": 1024, "GB": 1e9}[match["unit"]]
            parts[match["part"]] = (float(match["seconds"]), float(match["peak"]) * unit)
        elif "relative error" in line:
            errors.append(line)
    return parts, errors


def compare(stage, python, reference, arguments):
    model, threads = Path(arguments.model_folder).resolve(), ["--threads", arguments.threads]
    sizes = ["--latent-size", arguments.latent_size]
    commands = {
        "diffusers": [python, FULL_SIZE, model, reference, "--stage", stage, *sizes, *threads],
        "sdxl": [ROOT / "target/debug/examples/full_size", model, reference, "--stage", stage, *threads],
    }
    count = subprocess.run(
        [python, "-c", COUNT, model, stage, str(arguments.latent_size)], check=True, text=True, stdout=subprocess.PIPE
    )
    operations = int(count.stdout.split()[-1])

    seconds, peaks = {name: [] for name in commands}, {}
    for _ in range(arguments.rounds):
        for name, command in commands.items():
            parts, errors = run(command, arguments.threads)
            time, peaks[name] = parts[PARTS[stage][name]]
            seconds[name].append(time)
    print(f"{stage}, latents {arguments.latent_size} x {arguments.latent_size}: {operations / 1e12:.3f} TFLOP")
    for name, times in seconds.items():
        speed = operations / statistics.median(times) / 1e9
        print(f"  {name:9} {speed:7.1f} GFLOP/s, peak memory {peaks[name] / 1e9:.2f} GB")
    ratios = [theirs / ours for theirs, ours in zip(seconds["diffusers"], seconds["sdxl"])]
    print("  time of diffusers / time of sdxl:", ", ".join(f"{ratio:.2f}" for ratio in ratios))
    for error in errors:
        print(" ", error)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model_folder")
    parser.add_argument("--stage", action="append", choices=PARTS, help="may be repeated (default: all)")
    parser.add_argument("--latent-size", type=int, default=64, help="an eighth of the picture (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--python", type=Path, help="one with diffusers")
    arguments = parser.parse_args()
    python = arguments.python.absolute() if arguments.python else peers_python()
    subprocess.run(["cargo", "build", "--quiet", "--example", "full_size"], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as folder:
        for stage in arguments.stage or PARTS:
            compare(stage, python, Path(folder) / "reference.safetensors", arguments)


if __name__ == "__main__":
    main()
