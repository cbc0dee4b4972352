"""Whole models at tiny size: both text encoders, the UNet in every variant, both autoencoders."""

from pathlib import Path

import torch
from transformers import CLIPTextConfig, CLIPTokenizer

from random_weights import build, random_tensor

VARIANTS = Path(__file__).resolve().parents[1] / "models"

SHORT_PROMPT = "a photo of a cat"
# Longer than the 75 tokens that fit between begin and end: cut off.
LONG_PROMPT = (
    "a wide oil painting of an old lighthouse on a rocky island at dusk, waves breaking against the cliffs, "
    "a small wooden boat with two fishermen pulling a net, seagulls circling under heavy purple clouds, "
    "warm light in a single window, wet stones, long grass bent by the wind, a narrow path with iron railings, "
    "distant mountains covered with snow, visible brush strokes, muted colours, very fine detail in the foreground"
)

# The conditioning of two pictures: original size, crop, target size (base) or aesthetic score (refiner).
TIME_IDS = torch.tensor([[64.0, 96.0, 8.0, 16.0, 64.0, 64.0], [512.0, 768.0, 0.0, 4.0, 1024.0, 1024.0]])
REFINER_TIME_IDS = torch.tensor([[64.0, 96.0, 8.0, 16.0, 6.0], [512.0, 768.0, 0.0, 4.0, 2.5]])

# Of Playground v2.5's VAE.
LATENTS_MEAN = torch.tensor([-1.6574, 1.886, -1.383, 2.5155]).view(1, 4, 1, 1)
LATENTS_STD = torch.tensor([8.4927, 5.9022, 6.5498, 5.2299]).view(1, 4, 1, 1)
LATENTS_SCALING_FACTOR = 0.5


def load(variant, component, dtype=torch.float32):
    """A component of a tiny variant with its random weights."""
    return build(VARIANTS / variant, component, dtype)


def load_tokenizers(folder):
    """The tokenizers of both text encoders; `folder` holds `tokenizer/` and `tokenizer_2/`."""
    return [CLIPTokenizer.from_pretrained(Path(folder) / name) for name in ["tokenizer", "tokenizer_2"]]


def text_encoders(tokenizers, dtype=torch.float32):
    """The tensors of text_encoders.safetensors."""
    tensors = {}
    for component, tokenizer in zip(["text_encoder", "text_encoder_2"], tokenizers):
        assert len(tokenizer(LONG_PROMPT).input_ids) > 77
        ids = tokenizer(
            [SHORT_PROMPT, LONG_PROMPT], padding="max_length", max_length=77, truncation=True, return_tensors="pt"
        ).input_ids
        output = load("base", component, dtype)(ids, output_hidden_states=True)
        tensors[f"{component}.ids"] = ids
        for clip_skip in range(3):
            tensors[f"{component}.clip_skip_{clip_skip}"] = output.hidden_states[-(clip_skip + 2)]
        tensors[f"{component}.last_hidden_state"] = output.last_hidden_state
    tensors["text_encoder_2.text_embeds"] = output.text_embeds
    return tensors


def projection_dim(variant):
    """The width of the pooled text embedding: that of the second encoder's projection."""
    return CLIPTextConfig.from_pretrained(VARIANTS / variant / "text_encoder_2").projection_dim


def unet(dtype=torch.float32):
    """The tensors of unet.safetensors: two pictures at t = 981, one of odd size at t = 3.7, in every variant."""
    tensors = {}
    for variant in ["base", "refiner", "inpaint", "lcm", "ssd1b", "vega", "koala"]:
        model = load(variant, "unet", dtype)
        config = model.config
        time_ids = REFINER_TIME_IDS if variant == "refiner" else TIME_IDS
        for what, timestep, batch, size in [("even", 981.0, 2, (8, 8)), ("odd", 3.7, 1, (9, 13))]:
            case = f"{variant}.{what}"
            shapes = {
                "sample": (batch, config.in_channels, *size),
                "context": (batch, 77, config.cross_attention_dim),
                "pooled": (batch, projection_dim(variant)),
            }
            if config.time_cond_proj_dim is not None:
                shapes["timestep_cond"] = (batch, config.time_cond_proj_dim)
            inputs = {name: random_tensor(f"input/{case}/{name}", shape).to(dtype) for name, shape in shapes.items()}
            inputs["timestep"] = torch.tensor(timestep).to(dtype)
            inputs["time_ids"] = time_ids[:batch].to(dtype)
            tensors |= {f"{case}.{name}": tensor for name, tensor in inputs.items()}
            tensors[f"{case}.output"] = model(
                inputs["sample"],
                inputs["timestep"],
                inputs["context"],
                timestep_cond=inputs.get("timestep_cond"),
                added_cond_kwargs={"text_embeds": inputs["pooled"], "time_ids": inputs["time_ids"]},
            ).sample
    return tensors


def vae(dtype=torch.float32):
    """The tensors of vae.safetensors."""
    model = load("base", "vae", dtype)
    factor = model.config.scaling_factor
    image = random_tensor("input/vae/image", (1, 3, 64, 96)).to(dtype)
    latents = random_tensor("input/vae/latents", (2, 4, 8, 12)).to(dtype)
    posterior = model.encode(image).latent_dist
    mean, std = LATENTS_MEAN.to(dtype), LATENTS_STD.to(dtype)
    return {
        "encode.image": image,
        "encode.mean": posterior.mean,
        "encode.logvar": posterior.logvar,
        "encode.mode": posterior.mode(),
        "decode.latents": latents,
        "decode.image": model.decode(latents).sample,
        # What the pipelines do between autoencoder and UNet: without and with the statistics of the latents.
        "scaling.latents": latents,
        "scaling.to_unet": latents * factor,
        "scaling.from_unet": latents / factor,
        "scaling_statistics.latents": latents,
        "scaling_statistics.to_unet": (latents - mean) * LATENTS_SCALING_FACTOR / std,
        "scaling_statistics.from_unet": latents * std / LATENTS_SCALING_FACTOR + mean,
    }


def taesd(dtype=torch.float32):
    """The tensors of taesd.safetensors."""
    model = load("taesd", "taesd", dtype)
    image = random_tensor("input/taesd/image", (1, 3, 32, 48)).to(dtype)
    # Beyond the range of tanh's straight part.
    latents = 4 * random_tensor("input/taesd/latents", (2, 4, 4, 6)).to(dtype)
    return {
        "encode.image": image,
        "encode.latents": model.encode(image).latents,
        "decode.latents": latents,
        "decode.image": model.decode(latents).sample,
    }
