"""The programs that are compared: how each is made on its first use, and how it is called."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MADE = ROOT / "target/peers"
SD_CPP = "stable-diffusion-cpp-python==0.4.7"
PROMPT = "a lighthouse in a storm"


@dataclass
class Work:
    """What every program is to do."""

    model: Path
    stage: str
    # Where the inputs, the reference's outputs and the pictures go.
    folder: Path
    latent_size: int = 64
    batch_size: int = 1
    threads: int = 1
    # Of a whole picture.
    steps: int = 2
    # Evaluations of the UNet after the first.
    again: int = 1
    # What every process is started by.
    prefix: tuple = ()
    # One with diffusers.
    python: Path | None = None

    @property
    def reference(self):
        return self.folder / "reference.safetensors"

    def picture(self, name):
        return self.folder / f"{name}.png"


def environment(name, *requirements, variables=None):
    """The Python of an environment, made on the first run."""
    folder = MADE / name
    done = folder / "made"
    python = folder / "bin/python"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        command = [python, "-m", "pip", "install", "--quiet", *requirements]
        subprocess.run(command, check=True, env=os.environ | (variables or {}))
        done.touch()
    return python


@cache
def example(name):
    subprocess.run(["cargo", "build", "--quiet", "--example", name], cwd=ROOT, check=True)
    return ROOT / "target/debug/examples" / name


def diffusers_python(work):
    return work.python or environment("diffusers", "-r", ROOT / "tests/golden/requirements.txt")


def diffusers(work):
    sizes = ["--latent-size", work.latent_size, "--batch-size", work.batch_size, "--again", work.again]
    program = [diffusers_python(work), ROOT / "tests/golden/full_size.py", work.model, work.reference]
    return [*program, "--stage", work.stage, "--threads", work.threads, *sizes]


def sdxl(work):
    if work.stage != "picture":
        program = [example("full_size"), work.model, work.reference, "--stage", work.stage]
        return [*program, "--threads", work.threads, "--again", work.again]
    size = ["--width", 8 * work.latent_size, "--height", 8 * work.latent_size, "--steps", work.steps]
    # stable-diffusion.cpp's timesteps of Euler's method.
    method = ["--scheduler", "euler", "--spacing", "linspace", "--guidance", 1]
    program = [example("txt2img"), "--model", work.model, "--prompt", PROMPT, "--output", work.picture("sdxl")]
    return [*program, *size, *method, "--threads", work.threads, "--json"]


@cache
def candle_program():
    folder = MADE / "candle"
    # As candle's own configuration has it.
    variables = {"CARGO_TARGET_DIR": str(folder), "RUSTFLAGS": "-C target-cpu=native"}
    command = ["cargo", "build", "--quiet", "--release"]
    subprocess.run(command, cwd=HERE / "candle", check=True, env=os.environ | variables)
    return folder / "release/candle-peer"


def candle(work, dtype="f32"):
    program = [candle_program(), work.model, work.reference, "--stage", work.stage]
    return [*program, "--dtype", dtype, "--again", work.again]


def candle_f16(work):
    return candle(work, "f16")


def sd_cpp(work):
    # For the processor at hand; what reads and writes videos is not needed.
    cmake = {"CMAKE_ARGS": "-DGGML_NATIVE=ON -DSD_WEBP=OFF -DSD_WEBM=OFF"}
    python = environment("sd-cpp", SD_CPP, variables=cmake)
    pictures = ["--output", work.picture("sd-cpp"), "--like", work.picture("sdxl")]
    size = ["--size", 8 * work.latent_size, "--steps", work.steps, "--threads", work.threads]
    program = [python, HERE / "sd_cpp.py", work.model, "--prompt", PROMPT]
    return [*program, *size, *pictures]


# The first of a stage makes what the others are compared with.
PEERS = {
    "unet": {"diffusers": diffusers, "sdxl": sdxl, "candle": candle, "candle-f16": candle_f16},
    "vae": {"diffusers": diffusers, "sdxl": sdxl, "candle": candle, "candle-f16": candle_f16},
    "picture": {"sdxl": sdxl, "sd-cpp": sd_cpp},
}
LINE = re.compile(r"^(?P<part>[\w ,]+): (?P<seconds>[\d.]+) s, peak memory (?P<peak>[\d.]+) ?(?P<unit>kB|GB)")


def run(name, work):
    """Seconds and peak bytes of each part that the program prints (the last of each), and its remarks."""
    command = [str(part) for part in [*work.prefix, *PEERS[work.stage][name](work)]]
    variables = os.environ | {"OMP_NUM_THREADS": str(work.threads), "RAYON_NUM_THREADS": str(work.threads)}
    log = work.folder / f"{name}.log"
    with log.open("w") as errors:
        process = subprocess.run(command, cwd=ROOT, env=variables, text=True, stdout=subprocess.PIPE, stderr=errors)
    if process.returncode:
        sys.exit(f"{' '.join(command)}\n{log.read_text()[-4000:]}\nfailed with status {process.returncode}")
    return read(process.stdout)


def read(output):
    parts, remarks = {}, []
    for line in output.splitlines():
        if match := LINE.match(line):
            unit = {"kB": 1024, "GB": 1e9}[match["unit"]]
            parts[match["part"]] = (float(match["seconds"]), float(match["peak"]) * unit)
        elif line.startswith("{"):
            stages = json.loads(line)
            for part, values in stages.items():
                parts[part] = (values.get("seconds_per_step", values["seconds"]), values["peak_mib"] * 2**20)
            seconds = sum(values["seconds"] for values in stages.values())
            parts["total"] = (seconds, max(peak for _, peak in parts.values()))
        elif "relative error" in line or "difference" in line:
            remarks.append(line)
    return parts, remarks
