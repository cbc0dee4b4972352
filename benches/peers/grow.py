#!/usr/bin/env python3
"""How time and memory grow with the picture and with the batch, for this crate and diffusers in turn.

    python benches/peers/grow.py MODEL_FOLDER [--threads 1] [--rounds 1] [--python venv/bin/python]

Each point is the first evaluation of a fresh process. Points go to `docs/measured/growth.csv`, where those of an
earlier run are kept (remove the file to begin again); `docs/measured/growth.png` shows them, and a table is printed.
"""

import argparse
import csv
import shlex
import statistics
import subprocess
import tempfile
from pathlib import Path

from peers import HERE, ROOT, Work, environment, run

# Stage, side of the latents, batch; the cheap ones first.
POINTS = [
    *[("unet", 32, 1), ("vae", 32, 1), ("unet", 32, 2), ("vae", 64, 1), ("unet", 64, 1), ("unet", 32, 4)],
    *[("unet", 32, 8), ("vae", 96, 1), ("unet", 96, 1), ("vae", 128, 1), ("unet", 128, 1)],
]
PARTS = {"unet": "unet forward", "vae": "vae decode"}
NAMES = ["diffusers", "sdxl"]
COLUMNS = ["stage", "pixels", "batch", "round", "program", "seconds", "peak_gb"]
FOLDER = ROOT / "docs/measured"


def read(file):
    if not file.exists():
        return []
    with file.open() as lines:
        return list(csv.DictReader(lines))


def measure(file, arguments):
    rows = read(file)
    for round_ in range(1, arguments.rounds + 1):
        for stage, side, batch in POINTS:
            key = [stage, str(8 * side), str(batch), str(round_)]
            if any([row[column] for column in COLUMNS[:4]] == key for row in rows):
                continue
            with tempfile.TemporaryDirectory() as folder:
                work = Work(
                    model=Path(arguments.model_folder).resolve(),
                    stage=stage,
                    folder=Path(folder),
                    latent_size=side,
                    batch_size=batch,
                    threads=arguments.threads,
                    again=0,
                    prefix=tuple(shlex.split(arguments.prefix)),
                    python=arguments.python and arguments.python.absolute(),
                )
                # Both or neither: a time means nothing without the other's.
                both = [(name, *run(name, work)) for name in NAMES]
            for name, parts, remarks in both:
                seconds, peak = parts[PARTS[stage]]
                rows.append(dict(zip(COLUMNS, [*key, name, f"{seconds:.2f}", f"{peak / 1e9:.2f}"])))
                print(*rows[-1].values(), *remarks, flush=True)
            with file.open("w", newline="") as lines:
                writer = csv.DictWriter(lines, COLUMNS, lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
    return rows


def table(rows):
    """Medians over the rounds, as Markdown."""
    print("| stage | picture | batch | diffusers | here | diffusers / here | peak memory, diffusers | here |")
    print("|---|---|---|---|---|---|---|---|")
    points = {(row["stage"], int(row["pixels"]), int(row["batch"])): None for row in rows}
    for stage, pixels, batch in sorted(points):
        key = (stage, str(pixels), str(batch))
        of_point = [row for row in rows if (row["stage"], row["pixels"], row["batch"]) == key]
        of = {name: [row for row in of_point if row["program"] == name] for name in NAMES}
        seconds = {name: [float(row["seconds"]) for row in of[name]] for name in NAMES}
        peaks = {name: max(float(row["peak_gb"]) for row in of[name]) for name in NAMES}
        ratios = ", ".join(f"{a / b:.2f}" for a, b in zip(seconds["diffusers"], seconds["sdxl"]))
        theirs, ours = (f"{statistics.median(seconds[name]):.1f} s" for name in NAMES)
        cells = [stage, f"{pixels} x {pixels}", batch, theirs, ours, ratios]
        print(f"| {' | '.join(map(str, cells))} | {peaks['diffusers']:.2f} GB | {peaks['sdxl']:.2f} GB |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model_folder")
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--python", type=Path, help="one with diffusers")
    parser.add_argument("--with", default="", dest="prefix", help='starts each process, for instance "taskset -c 1"')
    arguments = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / "growth.csv"
    rows = measure(file, arguments)
    python = environment("plot", "matplotlib==3.11.2")
    subprocess.run([python, HERE / "plot_growth.py", file, file.with_suffix(".png")], check=True)
    table(rows)


if __name__ == "__main__":
    main()
