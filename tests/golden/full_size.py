"""The reference of the one comparison at full size: diffusers on a model folder, in float32 on the CPU.

    python full_size.py MODEL_FOLDER OUTPUT.safetensors [--stage text|unet|vae]... [--variant fp16] [--threads N]

The model folder is one that random_weights.py has written (its sizes decide, so a tiny one works as well). One
component is in memory at a time; for figures of memory run each stage in a process of its own. Stages that are run
later add their tensors to the output file.
"""

import argparse
import time
from pathlib import Path

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from random_weights import random_tensor

# "a photo of a cat" in both tokenizers; what follows is padding.
IDS = [49406, 320, 1125, 539, 320, 2368, 49407]
PADDING = {"text_encoder": 49407, "text_encoder_2": 0}
TIME_IDS = [[512.0, 768.0, 16.0, 48.0, 512.0, 512.0]]


def peak_memory():
    """The most resident memory that this process has had, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmHWM in /proc/self/status")


class Stopwatch:
    """Prints the time of each part of a stage."""

    def __init__(self):
        self.start = time.perf_counter()

    def lap(self, what):
        now = time.perf_counter()
        print(f"{what}: {now - self.start:.2f} s, peak memory {peak_memory() / 1e9:.2f} GB", flush=True)
        self.start = now


def load(model_class, arguments, component, **options):
    model = model_class.from_pretrained(
        Path(arguments.model_folder) / component, variant=arguments.variant, use_safetensors=True, **options
    )
    return model.requires_grad_(False).eval()


def text(arguments):
    """Both encoders on fixed ids: what goes into the UNet."""
    tensors = {}
    for component, model_class in [("text_encoder", CLIPTextModel), ("text_encoder_2", CLIPTextModelWithProjection)]:
        stopwatch = Stopwatch()
        model = load(model_class, arguments, component, dtype=torch.float32)
        stopwatch.lap(f"{component} load")
        ids = torch.tensor([IDS + [PADDING[component]] * (77 - len(IDS))])
        output = model(ids, output_hidden_states=True)
        stopwatch.lap(f"{component} forward")
        tensors[f"{component}.ids"] = ids
        tensors[f"{component}.hidden_state"] = output.hidden_states[-2]
        if component == "text_encoder_2":
            tensors[f"{component}.text_embeds"] = output.text_embeds
        del model, output
    return tensors


def unet(arguments):
    """One forward pass, t = 981."""
    stopwatch = Stopwatch()
    model = load(UNet2DConditionModel, arguments, "unet", torch_dtype=torch.float32)
    stopwatch.lap("unet load")
    config = model.config
    pooled_width = config.projection_class_embeddings_input_dim - len(TIME_IDS[0]) * config.addition_time_embed_dim
    side, batch = arguments.latent_size, arguments.batch_size
    inputs = {
        "sample": random_tensor("input/full_size/sample", (batch, config.in_channels, side, side)),
        "timestep": torch.tensor(981.0),
        "context": random_tensor("input/full_size/context", (batch, 77, config.cross_attention_dim)),
        "pooled": random_tensor("input/full_size/pooled", (batch, pooled_width)),
        "time_ids": torch.tensor(TIME_IDS * batch),
    }
    # The second time is without the page faults of the first one.
    for what in ["unet forward"] + ["unet forward, again"] * arguments.again:
        output = model(
            inputs["sample"],
            inputs["timestep"],
            inputs["context"],
            added_cond_kwargs={"text_embeds": inputs["pooled"], "time_ids": inputs["time_ids"]},
        ).sample
        stopwatch.lap(what)
    return {f"unet.{name}": tensor for name, tensor in (inputs | {"output": output}).items()}


def vae(arguments):
    """The decoding of one picture."""
    stopwatch = Stopwatch()
    model = load(AutoencoderKL, arguments, "vae", torch_dtype=torch.float32)
    stopwatch.lap("vae load")
    side = arguments.latent_size
    latents = random_tensor("input/full_size/latents", (1, model.config.latent_channels, side, side))
    image = model.decode(latents).sample
    stopwatch.lap("vae decode")
    return {"vae.latents": latents, "vae.image": image}


STAGES = {"text": text, "unet": unet, "vae": vae}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model_folder")
    parser.add_argument("output")
    parser.add_argument("--stage", action="append", choices=STAGES, help="may be repeated (default: all)")
    parser.add_argument("--latent-size", type=int, default=64, help="height and width (default: %(default)s)")
    parser.add_argument("--batch-size", type=int, default=1, help="of the UNet (default: %(default)s)")
    parser.add_argument("--again", type=int, default=1, help="of the UNet, after the first (default: %(default)s)")
    parser.add_argument("--variant", help="that the model folder was written with")
    parser.add_argument("--threads", type=int, help="default: libtorch's")
    arguments = parser.parse_args()
    diffusers.logging.set_verbosity_error()
    transformers.logging.set_verbosity_error()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)

    output = Path(arguments.output)
    tensors = load_file(output) if output.exists() else {}
    for stage in arguments.stage or STAGES:
        with torch.inference_mode():
            tensors |= STAGES[stage](arguments)
    output.write_bytes(save({key: tensor.contiguous() for key, tensor in sorted(tensors.items())}))


if __name__ == "__main__":
    main()
