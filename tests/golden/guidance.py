"""Text to image on the tiny `base` model with perturbed-attention guidance and with FreeU."""

import torch
from diffusers import StableDiffusionXLPAGPipeline, StableDiffusionXLPipeline

import pipelines
from runs import (
    EULER,
    VAE_FACTOR,
    Steps,
    build_scheduler,
    draw,
    load_pipeline,
    noise_in_single_precision,
    prefixed,
    start_generators,
)
from schedulers import named_scheduler

VARIANT = "base"
DEFAULTS = pipelines.DEFAULTS | {"negative_prompt": "blurry, low quality", "height": 64, "width": 64}


def case(name, guidance, seeds=(0,), scheduler=EULER, **call):
    assert call.keys() <= DEFAULTS.keys(), call.keys() - DEFAULTS.keys()
    return {
        "name": name,
        "seeds": list(seeds),
        "scheduler": scheduler,
        **guidance,
        "call": DEFAULTS | call,
    }


def pag(scale=3.0, adaptive_scale=0.0, layers=("mid",)):
    return {"pag": {"scale": scale, "adaptive_scale": adaptive_scale, "layers": list(layers)}}


# What diffusers advises for SDXL.
FREEU = {"freeu": {"s1": 0.9, "s2": 0.2, "b1": 1.3, "b2": 1.4}}

CASES = [
    case("pag", pag()),
    case("pag_adaptive", pag(adaptive_scale=0.001)),
    # Ends at 0 before the last steps.
    case("pag_adaptive_to_zero", pag(adaptive_scale=0.005)),
    case("pag_guidance_off", pag(), guidance_scale=1.0),
    case("pag_rescale", pag(), guidance_rescale=0.7),
    case("pag_layers", pag(layers=["down_blocks.2", "up_blocks.0.attentions.1"])),
    case("pag_everywhere", pag(scale=1.0, layers=["down", "mid", "up"])),
    case("pag_batch", pag(), seeds=[7, 11]),
    case("pag_dpmpp_2m", pag(), scheduler=named_scheduler("dpmpp_2m")),
    case("pag_non_square", pag(), height=72, width=104),
    # At 64 x 64 the first level of the way up is 2 x 2: the filter scales all of it.
    case("freeu", FREEU),
    case("freeu_large", FREEU, height=128, width=128),
    # Sides of 3 and 4, 5 and 7.
    case("freeu_non_square", FREEU, height=72, width=104),
    case("freeu_batch", FREEU, seeds=[7, 11], height=128, width=128, num_inference_steps=2),
    case("freeu_filter_only", {"freeu": {"s1": 0.5, "s2": 1.5, "b1": 1.0, "b2": 1.0}}, height=72, width=104),
]


def run(plain, perturbed, description):
    """The tensors of one case."""
    seeds, call = description["seeds"], description["call"]
    options, pipeline = {}, plain
    if "pag" in description:
        pipeline, settings = perturbed, description["pag"]
        pipeline.set_pag_applied_layers(settings["layers"])
        options = {"pag_scale": settings["scale"], "pag_adaptive_scale": settings["adaptive_scale"]}
    else:
        pipeline.enable_freeu(**description["freeu"])
    pipeline.scheduler = build_scheduler(VARIANT, description["scheduler"])
    keep = Steps()
    pipeline(
        **call,
        **options,
        num_images_per_prompt=len(seeds),
        generator=start_generators(seeds),
        callback_on_step_end=keep,
        output_type="latent",
    )
    plain.disable_freeu()
    steps = keep.stacked()
    noise = draw(start_generators(seeds), (4, call["height"] // VAE_FACTOR, call["width"] // VAE_FACTOR))
    return {"noise": noise, "steps": steps, "latents": steps[-1]}


def guidance(tokenizers, dtype=torch.float32):
    """The tensors of guidance.safetensors and what guidance.json says."""
    plain = load_pipeline(StableDiffusionXLPipeline, VARIANT, tokenizers, dtype)
    perturbed = load_pipeline(StableDiffusionXLPAGPipeline, VARIANT, tokenizers, dtype)
    tensors = {}
    with noise_in_single_precision():
        for description in CASES:
            tensors |= prefixed(description["name"], run(plain, perturbed, description))
    return tensors, {"variant": VARIANT, "cases": CASES}
