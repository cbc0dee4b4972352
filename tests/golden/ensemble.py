"""Two models for one picture: `base` removes the noise down to a part of the schedule, `refiner` removes the rest."""

import torch
from diffusers import StableDiffusionXLImg2ImgPipeline, StableDiffusionXLPipeline

from models import SHORT_PROMPT
from runs import (
    EULER,
    VAE_FACTOR,
    Steps,
    build_scheduler,
    count_draws,
    draw,
    load_pipeline,
    noise_in_single_precision,
    prefixed,
    start_generators,
)
from schedulers import KARRAS, named_scheduler

# What both calls are given; sizes go to the base only.
DEFAULTS = {
    "prompt": SHORT_PROMPT,
    "negative_prompt": "blurry, low quality",
    "num_inference_steps": 10,
    "guidance_scale": 5.0,
}


def case(name, fraction, scheduler=EULER, seeds=(0,), size=(64, 64)):
    """One run. `fraction` is the base's denoising_end and the refiner's denoising_start; `size` is (height, width)."""
    return {
        "name": name,
        "fraction": fraction,
        "seeds": list(seeds),
        "scheduler": scheduler,
        "size": list(size),
        "call": DEFAULTS,
    }


def both_fractions(name, scheduler):
    return [case(f"{name}_0_8", 0.8, scheduler), case(f"{name}_0_5", 0.5, scheduler)]


CASES = [
    *both_fractions("euler", EULER),
    *both_fractions("dpmpp_2m", named_scheduler("dpmpp_2m")),
    *both_fractions("heun", named_scheduler("heun")),
    *both_fractions("ddim", named_scheduler("ddim")),
    case("euler_karras_0_8", 0.8, named_scheduler("euler", KARRAS)),
    case("euler_a_0_8", 0.8, named_scheduler("euler_a")),
    case("dpmpp_2m_batch_0_8", 0.8, named_scheduler("dpmpp_2m"), seeds=[7, 11]),
    case("euler_non_square_0_8", 0.8, size=(72, 104)),
]
# Of these the decoded picture is kept too.
WITH_PICTURE = {"euler_0_8"}


class TimestepsAndSteps(Steps):
    """Keeps the timestep of each call too."""

    def __init__(self):
        super().__init__()
        self.timesteps = []

    def __call__(self, pipeline, index, timestep, tensors):
        self.timesteps.append(float(timestep))
        return super().__call__(pipeline, index, timestep, tensors)


def run(base, refiner, description, dtype):
    """The tensors of one case, what was drawn from each generator, and the timesteps of both models."""
    seeds, fraction = description["seeds"], description["fraction"]
    height, width = description["size"]
    common = description["call"] | {"num_images_per_prompt": len(seeds)}
    # The refiner's pipeline goes on drawing where the base's has stopped.
    common["generator"] = generators = start_generators(seeds)

    base.scheduler = build_scheduler("base", description["scheduler"])
    base_steps, refiner_steps = TimestepsAndSteps(), TimestepsAndSteps()
    handed_over = base(
        **common,
        height=height,
        width=width,
        denoising_end=fraction,
        output_type="latent",
        callback_on_step_end=base_steps,
    ).images
    assert torch.equal(handed_over, base_steps.latents[-1])

    refiner.scheduler = build_scheduler("refiner", description["scheduler"])
    has_picture = description["name"] in WITH_PICTURE
    result = refiner(
        **common,
        image=handed_over,
        denoising_start=fraction,
        output_type="pt" if has_picture else "latent",
        callback_on_step_end=refiner_steps,
    ).images

    shape = (4, height // VAE_FACTOR, width // VAE_FACTOR)
    tensors = {
        "noise": draw(start_generators(seeds), shape),
        "base_steps": base_steps.stacked(),
        "refiner_steps": refiner_steps.stacked(),
        "latents": refiner_steps.latents[-1],
    }
    if has_picture:
        tensors["picture"] = result
    check_timesteps(base.scheduler, base_steps.timesteps, refiner_steps.timesteps)
    found = {
        "draws": count_draws(generators, seeds, shape),
        "base_timesteps": base_steps.timesteps,
        "refiner_timesteps": refiner_steps.timesteps,
    }
    return tensors, found


def check_timesteps(scheduler, base_timesteps, refiner_timesteps):
    """Together they are the whole schedule; cut within a step of Heun's method, one timestep is in both."""
    whole = [float(timestep) for timestep in scheduler.timesteps]
    if scheduler.order == 1:
        assert base_timesteps + refiner_timesteps == whole
    else:
        overlap = len(base_timesteps) + len(refiner_timesteps) - len(whole)
        assert overlap in [0, 1], overlap
        assert base_timesteps + refiner_timesteps[overlap:] == whole


def ensemble(tokenizers, dtype=torch.float32):
    """The tensors of ensemble.safetensors and what ensemble.json says."""
    base = load_pipeline(StableDiffusionXLPipeline, "base", tokenizers, dtype)
    refiner = load_pipeline(StableDiffusionXLImg2ImgPipeline, "refiner", tokenizers, dtype)
    tensors, cases = {}, []
    with noise_in_single_precision():
        for description in CASES:
            outputs, found = run(base, refiner, description, dtype)
            tensors |= prefixed(description["name"], outputs)
            cases.append(description | found)
    return tensors, {"base": "base", "refiner": "refiner", "cases": cases}
