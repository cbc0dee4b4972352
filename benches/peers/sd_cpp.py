"""One picture by stable-diffusion.cpp, and what each stage of it takes: compare.py calls it.

    python sd_cpp.py MODEL_FOLDER --size 512 --steps 2 --threads 1 --output PICTURE.png [--like OTHER.png]

Prints one line of JSON as `txt2img --json` does. Everything is the library's default, but for what makes its picture
the one that this crate draws: the start noise of torch's generator on the CPU, Euler's method, no guidance.
"""

import argparse
import ctypes
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import stable_diffusion_cpp as sd
from PIL import Image, ImageChops, ImageStat
from stable_diffusion_cpp.stable_diffusion_cpp import _lib as library  # Has functions that the package leaves out.

# A part of the line that the library logs at the end of a stage.
ENDS = {"get_learned_condition completed": "encode", "sampling completed": "steps", "latent 1 decoded": "decode"}


class Report:
    """Seconds and peak memory of each stage."""

    def __init__(self):
        self.stages = {}
        self.begin()

    def begin(self):
        Path("/proc/self/clear_refs").write_text("5")  # The peak is from here on.
        self.start = time.perf_counter()

    def end(self, stage):
        status = Path("/proc/self/status").read_text().splitlines()
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
        self.stages[stage] = {"seconds": time.perf_counter() - self.start, "peak_mib": peak / 1024}
        self.begin()


def readable(model, folder):
    """Makes of the model what the library reads: the second text encoder beside the folder, as it is taken for a part of
    the first one otherwise, and the names of both as released files have them."""
    for part in ["unet", "vae"]:
        (folder / part).symlink_to(model / part)
    for source, target in [("text_encoder", "text_encoder/model"), ("text_encoder_2", "clip_g")]:
        target = folder / f"{target}.safetensors"
        target.parent.mkdir(exist_ok=True)
        with (model / source / "model.safetensors").open("rb") as old, target.open("wb") as new:
            header = json.loads(old.read(int.from_bytes(old.read(8), "little")))
            header.pop("__metadata__", None)
            header = json.dumps({released(name): tensor for name, tensor in header.items()}).encode()
            new.write(len(header).to_bytes(8, "little") + header)
            shutil.copyfileobj(old, new, 1 << 24)
    return folder, target


def released(name):
    return name if name.startswith("text_") else f"text_model.{name}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model_folder")
    parser.add_argument("--prompt", default="a lighthouse in a storm")
    parser.add_argument("--size", type=int, default=512, help="width and height (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--output", required=True, help="the picture")
    parser.add_argument("--like", help="a picture that this one is compared with")
    arguments = parser.parse_args()

    report = Report()

    @sd.sd_log_callback
    def logged(level, text, data):
        for part, stage in ENDS.items():
            if part in text.decode(errors="replace"):
                report.end(stage)
        sys.stderr.write(text.decode(errors="replace"))

    @sd.sd_progress_callback
    def progress(step, steps, seconds, data):
        pass  # Otherwise a bar is drawn on the standard output.

    sd.sd_set_log_callback(logged, None)
    sd.sd_set_progress_callback(progress, None)
    sys.stderr.write(sd.sd_get_system_info().decode() + "\n")

    options = sd.sd_ctx_params_t()
    library.sd_ctx_params_init(ctypes.byref(options))
    folder = tempfile.TemporaryDirectory()
    files = readable(Path(arguments.model_folder).resolve(), Path(folder.name))
    options.model_path, options.clip_g_path = map(os.fsencode, files)
    options.n_threads = arguments.threads
    options.rng_type = sd.RNGType.CPU_RNG
    report.begin()
    model = sd.new_sd_ctx(ctypes.byref(options))
    if not model:
        sys.exit("stable-diffusion.cpp does not read the model")
    report.end("load")

    request = sd.sd_img_gen_params_t()
    library.sd_img_gen_params_init(ctypes.byref(request))
    request.prompt, request.negative_prompt = arguments.prompt.encode(), b""
    request.width = request.height = arguments.size
    request.seed = 0
    request.sample_params.sample_steps = arguments.steps
    request.sample_params.sample_method = sd.SampleMethod.EULER_SAMPLE_METHOD
    request.sample_params.scheduler = sd.Scheduler.DISCRETE_SCHEDULER
    request.sample_params.guidance.txt_cfg = 1.0
    images = sd.generate_image(model, ctypes.byref(request))
    if not images:
        sys.exit("stable-diffusion.cpp draws no picture")
    image = images[0]
    pixels = ctypes.string_at(image.data, image.width * image.height * image.channel)
    picture = Image.frombytes("RGB", (image.width, image.height), pixels)
    picture.save(arguments.output)

    report.stages["steps"]["seconds_per_step"] = report.stages["steps"]["seconds"] / arguments.steps
    print(json.dumps(report.stages))
    if arguments.like:
        difference = ImageChops.difference(picture, Image.open(arguments.like).convert("RGB"))
        squares = [rms**2 for rms in ImageStat.Stat(difference).rms]
        error = (sum(squares) / len(squares)) ** 0.5
        deviation = sum(ImageStat.Stat(picture).stddev) / len(squares)
        print(f"picture: difference {error:.2f} of 255 (root mean square; the picture's deviation: {deviation:.0f})")


if __name__ == "__main__":
    main()
