#!/usr/bin/env python3
"""This crate and others in turn on the same weights, sizes and threads: ratios of time, FLOP/s and peak memory.

    python benches/peers/compare.py MODEL_FOLDER [--stage unet|vae|picture]... [--peer NAME]... [--latent-size 64]
        [--threads 1] [--rounds 2]

Each runs in a fresh process, A B C A B C, one at a time. The model folder is a diffusers one, for instance with random
weights (`cargo run --example random_model`). What the others need is made in `target/peers` on the first run. It also
says how far apart the outputs are.
"""

import argparse
import shlex
import statistics
import subprocess
import tempfile
from pathlib import Path

from peers import PEERS, Work, diffusers_python, run

# Parts that are compared, on their side and on ours; of the UNet a forward that is not the first of its process, and
# a step of a run, which has the keys and values of the text already.
PAIRS = {
    "unet": [
        ("unet load", "unet load"),
        ("unet forward, again", "unet forward, again"),
        ("unet forward, again", "unet step of a run"),
    ],
    "vae": [("vae load", "vae load"), ("vae decode", "vae decode")],
    "picture": [(part, part) for part in ["load", "encode", "steps", "decode", "total"]],
}
# The part of which operations per second are told, and peak memory.
MAIN = {"unet": "unet forward, again", "vae": "vae decode", "picture": "total"}

# Operations of one evaluation, counted on tensors without data.
COUNT = """
import sys, torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch.utils.flop_counter import FlopCounterMode
folder, stage, side, batch = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
model_class = {"unet": UNet2DConditionModel, "vae": AutoencoderKL}[stage]
with torch.device("meta"):
    model = model_class.from_config(model_class.load_config(f"{folder}/{stage}"))
    config = model.config
    with FlopCounterMode(display=False) as counter:
        if stage == "vae":
            model.decode(torch.empty(1, config.latent_channels, side, side))
        else:
            pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
            added = {"text_embeds": torch.empty(batch, pooled), "time_ids": torch.empty(batch, 6)}
            context = torch.empty(batch, 77, config.cross_attention_dim)
            sample = torch.empty(batch, config.in_channels, side, side)
            model(sample, torch.empty(1), context, added_cond_kwargs=added)
print(counter.get_total_flops())
"""


def operations(work):
    """Those of one evaluation, or None of a whole picture."""
    if work.stage == "picture":
        return None
    arguments = [work.model, work.stage, str(work.latent_size), str(work.batch_size)]
    command = [*work.prefix, diffusers_python(work), "-c", COUNT, *arguments]
    return int(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout.split()[-1])


def compare(names, work, rounds):
    count = operations(work)
    size = f"latents {work.latent_size} x {work.latent_size}"
    print(f"{work.stage}, {size}" + (f": {count / 1e12:.3f} TFLOP" if count else ""), flush=True)
    found = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            parts, remarks = run(name, work)
            found[name].append(parts)
            report(name, parts, remarks)
    for name, runs in found.items():
        seconds, peak = zip(*(parts[MAIN[work.stage]] for parts in runs))
        speed = f"{count / statistics.median(seconds) / 1e9:7.1f} GFLOP/s, " if count else ""
        print(f"  {name:10} {speed}peak memory {max(peak) / 1e9:.2f} GB")
    for name, runs in found.items():
        for theirs, ours in PAIRS[work.stage] if name != "sdxl" else []:
            ratios = [a[theirs][0] / b[ours][0] for a, b in zip(runs, found["sdxl"])]
            listed = ", ".join(f"{ratio:.2f}" for ratio in ratios)
            print(f"  {theirs} of {name} / {ours} of sdxl: {listed}")


def report(name, parts, remarks):
    """One process; its times are there for the ratios, which mean more."""
    times = ", ".join(f"{part} {seconds:.2f} s {peak / 1e9:.2f} GB" for part, (seconds, peak) in parts.items())
    print(f"    {name}: {times}")
    for remark in remarks:
        print(f"    {name}: {remark}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model_folder")
    parser.add_argument("--stage", action="append", choices=PEERS, help="may be repeated (default: all)")
    everyone = sorted({name for peers in PEERS.values() for name in peers} - {"sdxl"})
    parser.add_argument("--peer", action="append", choices=everyone, help="may be repeated (default: all of a stage)")
    parser.add_argument("--latent-size", type=int, default=64, help="an eighth of the picture (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--steps", type=int, default=2, help="of a whole picture (default: %(default)s)")
    parser.add_argument("--python", type=Path, help="one with diffusers")
    parser.add_argument("--with", default="", dest="prefix", help='starts each process, for instance "taskset -c 1"')
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for stage in arguments.stage or PEERS:
            # Whoever makes the reference takes part, and this crate.
            first = next(iter(PEERS[stage]))
            wanted = {first, "sdxl", *(arguments.peer or PEERS[stage])}
            work = Work(
                model=Path(arguments.model_folder).resolve(),
                stage=stage,
                folder=Path(folder),
                latent_size=arguments.latent_size,
                threads=arguments.threads,
                steps=arguments.steps,
                prefix=tuple(shlex.split(arguments.prefix)),
                python=arguments.python and arguments.python.absolute(),
            )
            compare([name for name in PEERS[stage] if name in wanted], work, arguments.rounds)


if __name__ == "__main__":
    main()
