"""Whole text-to-image runs of StableDiffusionXLPipeline on the tiny `base` model."""

import torch
from diffusers import StableDiffusionXLPipeline

from models import LONG_PROMPT
from runs import build_scheduler, load_pipeline

VARIANT = "base"
PROMPT = "a photo of a cat"

# Every parameter of the call that a case may set. None is "not given"; sizes are (height, width), crops (top, left).
DEFAULTS = {
    "prompt": PROMPT,
    "prompt_2": None,
    "negative_prompt": None,
    "negative_prompt_2": None,
    "height": None,
    "width": None,
    "num_inference_steps": 4,
    "guidance_scale": 5.0,
    "guidance_rescale": 0.0,
    "clip_skip": None,
    "original_size": None,
    "crops_coords_top_left": (0, 0),
    "target_size": None,
    "negative_original_size": None,
    "negative_crops_coords_top_left": (0, 0),
    "negative_target_size": None,
    "eta": 0.0,
}


def case(name, seeds=(0,), scheduler="EulerDiscreteScheduler", overrides=None, **call):
    """One run. The scheduler is `scheduler.from_config(the model's scheduler config, **overrides)`."""
    assert call.keys() <= DEFAULTS.keys(), call.keys() - DEFAULTS.keys()
    return {
        "name": name,
        "seeds": list(seeds),
        "scheduler": {"class": scheduler, "overrides": overrides or {}},
        "call": DEFAULTS | call,
    }


def dpm(name, steps=10, **overrides):
    return case(name, scheduler="DPMSolverMultistepScheduler", overrides=overrides, num_inference_steps=steps)


CASES = [
    case("default"),
    case("one_step", num_inference_steps=1),
    case("ten_steps", num_inference_steps=10),
    # Prompts. Without a negative prompt the negative embeddings are zeros (force_zeros_for_empty_prompt).
    case("negative_empty", negative_prompt=""),
    case("negative", negative_prompt="blurry, low quality"),
    case(
        "prompts_2",
        prompt_2="a watercolour of the sea",
        negative_prompt="blurry, low quality",
        negative_prompt_2="people, text",
    ),
    case("long_prompt", prompt=LONG_PROMPT, negative_prompt="blurry, low quality"),
    case("clip_skip", clip_skip=1, negative_prompt="blurry, low quality"),
    # Guidance.
    case("guidance_off", guidance_scale=1.0, negative_prompt="blurry, low quality"),
    case("guidance_rescale", guidance_scale=7.5, guidance_rescale=0.7),
    # Sizes. 72 x 104 pixels are 9 x 13 latents, which no level of the UNet halves evenly.
    case("non_square", height=72, width=104),
    case(
        "micro_conditioning",
        original_size=(512, 768),
        crops_coords_top_left=(16, 48),
        target_size=(1024, 896),
        negative_original_size=(256, 192),
        negative_crops_coords_top_left=(32, 8),
        negative_target_size=(640, 704),
        height=64,
        width=96,
    ),
    # A batch, with one micro-conditioning for both halves of the guidance: with two, diffusers hands the rows of a
    # batch to the wrong halves.
    case("batch", seeds=[7, 11], negative_prompt="blurry, low quality"),
    # Schedulers.
    case("euler_trailing", overrides={"timestep_spacing": "trailing"}),
    case("euler_linspace", overrides={"timestep_spacing": "linspace"}),
    case("euler_karras", overrides={"use_karras_sigmas": True}),
    case(
        "euler_v_zero_snr",
        overrides={
            "prediction_type": "v_prediction",
            "rescale_betas_zero_snr": True,
            "timestep_spacing": "trailing",
        },
        guidance_rescale=0.7,
    ),
    case("ddim", scheduler="DDIMScheduler", num_inference_steps=10),
    case("ddim_eta_1", scheduler="DDIMScheduler", num_inference_steps=10, eta=1.0),
    case("ddim_eta_1_batch", seeds=[7, 11], scheduler="DDIMScheduler", eta=1.0),
    dpm("dpmpp_2m"),
    dpm("dpmpp_2m_20_steps", steps=20),
    dpm("dpmpp_2m_one_step", steps=1),
    dpm("dpmpp_2m_karras", use_karras_sigmas=True),
    # The last step is of first order when it goes to zero; to sigma_min, only with one of the two options.
    dpm("dpmpp_2m_sigma_min", steps=5, final_sigmas_type="sigma_min", lower_order_final=False),
    dpm("dpmpp_2m_lower_order_final", steps=5, final_sigmas_type="sigma_min"),
    dpm(
        "dpmpp_2m_euler_at_final",
        steps=5,
        final_sigmas_type="sigma_min",
        lower_order_final=False,
        euler_at_final=True,
    ),
    dpm("dpmpp_1", solver_order=1),
    dpm("dpmpp_3m", solver_order=3),
]


def run(pipeline, description, dtype):
    """The tensors of one case: noise, the latents after each step, the final latents, the picture."""
    seeds, call = description["seeds"], description["call"]
    pipeline.scheduler = build_scheduler(VARIANT, description["scheduler"])

    height, width = (call[side] or pipeline.default_sample_size * 8 for side in ["height", "width"])
    shape = (1, 4, height // 8, width // 8)
    generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
    noise = torch.cat([torch.randn(shape, generator=generator) for generator in generators])

    # In float32 the pipeline draws the same noise again; a run in float64 is given it, and goes on drawing after it.
    latents = noise.to(dtype)
    if dtype == torch.float32:
        generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
        latents = None

    steps = []

    def keep(pipeline, index, timestep, tensors):
        steps.append(tensors["latents"])
        return {}

    picture = pipeline(
        **call,
        num_images_per_prompt=len(seeds),
        generator=generators,
        latents=latents,
        callback_on_step_end=keep,
        output_type="pt",
    ).images
    check_noise(pipeline, seeds, noise, (height, width))
    return {"noise": noise, "steps": torch.stack(steps), "latents": steps[-1], "picture": picture}


def check_noise(pipeline, seeds, noise, size):
    """The noise is what the pipeline draws from these generators before its first step."""
    generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
    drawn = pipeline.prepare_latents(len(seeds), 4, *size, torch.float32, torch.device("cpu"), generators)
    assert torch.equal(drawn, noise * pipeline.scheduler.init_noise_sigma)


def pipelines(tokenizers, dtype=torch.float32):
    """The tensors of pipelines.safetensors and what pipelines.json says.

    In another type than float32 without the cases that draw during the run.
    """
    pipeline = load_pipeline(StableDiffusionXLPipeline, VARIANT, tokenizers, dtype)
    tensors = {}
    for description in CASES:
        if dtype != torch.float32 and description["call"]["eta"] > 0:
            continue
        outputs = run(pipeline, description, dtype)
        tensors |= {f"{description['name']}.{what}": tensor for what, tensor in outputs.items()}
    return tensors, {"variant": VARIANT, "cases": CASES}
