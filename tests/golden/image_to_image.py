"""Runs of StableDiffusionXLImg2ImgPipeline on the tiny `base`, `refiner` and `lcm` models."""

import torch
from diffusers import StableDiffusionXLImg2ImgPipeline
from diffusers.image_processor import VaeImageProcessor

from models import SHORT_PROMPT
from pictures import from_pixels, pixels, to_tensor
from random_weights import random_tensor
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
    recorded,
    start_generators,
)
from schedulers import KARRAS, named_scheduler

# Every parameter of the call that a case may set. None is "not given"; sizes are (height, width), crops (top, left).
DEFAULTS = {
    "prompt": SHORT_PROMPT,
    "prompt_2": None,
    "negative_prompt": None,
    "negative_prompt_2": None,
    "strength": 0.3,
    "num_inference_steps": 10,
    "denoising_start": None,
    "denoising_end": None,
    "guidance_scale": 5.0,
    "guidance_rescale": 0.0,
    "clip_skip": None,
    "original_size": None,
    "crops_coords_top_left": (0, 0),
    "target_size": None,
    "negative_original_size": None,
    "negative_crops_coords_top_left": (0, 0),
    "negative_target_size": None,
    "aesthetic_score": 6.0,
    "negative_aesthetic_score": 2.5,
    "eta": 0.0,
}

# (height, width). The last is not a multiple of 8: it becomes 64 x 96.
PICTURES = {"picture_64x64": (64, 64), "picture_72x104": (72, 104), "picture_70x100": (70, 100)}
LATENTS = {"latents_8x8": (1, 4, 8, 8), "latents_9x13": (1, 4, 9, 13)}


def case(name, variant="base", image="picture_64x64", seeds=(0,), scheduler=EULER, **call):
    """One run, from a picture or from latents."""
    assert call.keys() <= DEFAULTS.keys(), call.keys() - DEFAULTS.keys()
    return {
        "name": name,
        "variant": variant,
        "image": image,
        "seeds": list(seeds),
        "scheduler": scheduler,
        "call": DEFAULTS | call,
    }


def refiner(name, image="picture_64x64", **options):
    return case(name, variant="refiner", image=image, **options)


SIZES = {"original_size": (512, 768), "target_size": (1024, 896)}
NEGATIVE_SIZES = {"negative_original_size": (256, 192), "negative_target_size": (640, 704)}
NEGATIVE = {"negative_prompt": "blurry, low quality"}

CASES = [
    case("default"),
    case("strength_0_6", strength=0.6),
    case("strength_1", strength=1.0),
    # 50 * 0.58 is less than 29 in binary: 28 steps.
    case("strength_rounding", strength=0.58, num_inference_steps=50),
    case("negative", strength=0.6, **NEGATIVE),
    case("prompts_2", prompt_2="a watercolour of the sea", negative_prompt_2="people, text", **NEGATIVE),
    case("guidance_off", guidance_scale=1.0),
    case("guidance_rescale", guidance_scale=7.5, guidance_rescale=0.7),
    # Sizes come from the picture.
    case("non_square", image="picture_72x104", strength=0.6),
    case("resized", image="picture_70x100"),
    case("batch", seeds=[7, 11], strength=0.6),
    case("latents", image="latents_8x8", strength=0.6),
    case("latents_batch", image="latents_8x8", strength=0.6, seeds=[7, 11]),
    # The negative crop is the positive one here, as diffusers takes it in any case without an aesthetic score.
    case(
        "micro_conditioning",
        image="picture_72x104",
        seeds=[7, 11],
        crops_coords_top_left=(16, 48),
        negative_crops_coords_top_left=(16, 48),
        **SIZES,
        **NEGATIVE_SIZES,
    ),
    case("negative_original_size", negative_original_size=(256, 192)),
    # Schedulers.
    *(
        case(name, scheduler=named_scheduler(name), strength=0.6)
        for name in ["euler_a", "heun", "dpm2_a", "dpmpp_2m", "dpmpp_2m_sde", "dpmpp_sde", "ddim", "pndm", "unipc"]
    ),
    case("heun_strength_1", scheduler=named_scheduler("heun"), strength=1.0),
    case("dpmpp_2m_karras", scheduler=named_scheduler("dpmpp_2m", KARRAS), strength=0.6),
    case("euler_a_batch", scheduler=named_scheduler("euler_a"), seeds=[7, 11], strength=0.6),
    case("lcm", variant="lcm", scheduler=named_scheduler("lcm"), strength=0.6, guidance_scale=8.0),
    # Part of the schedule.
    case("denoising_end", strength=0.6, denoising_end=0.8),
    case("denoising_start_picture", denoising_start=0.7),
    case("denoising_start", image="latents_8x8", denoising_start=0.7),
    # The refiner.
    refiner("refiner"),
    refiner("refiner_non_square", image="picture_72x104", strength=0.6),
    refiner("refiner_aesthetic_scores", aesthetic_score=7.5, negative_aesthetic_score=1.0),
    refiner("refiner_batch", seeds=[7, 11], **NEGATIVE),
    refiner(
        "refiner_micro_conditioning",
        seeds=[7, 11],
        crops_coords_top_left=(16, 48),
        negative_crops_coords_top_left=(32, 8),
        original_size=(512, 768),
        negative_original_size=(256, 192),
    ),
    refiner("refiner_denoising_start", image="latents_8x8", denoising_start=0.7),
    refiner(
        "refiner_denoising_start_heun",
        image="latents_8x8",
        denoising_start=0.7,
        scheduler=named_scheduler("heun"),
    ),
    refiner("refiner_denoising_start_end", image="latents_9x13", denoising_start=0.3, denoising_end=0.7),
]
# Of these the decoded picture is kept too.
WITH_PICTURE = {"default", "non_square", "batch", "refiner"}


def inputs():
    """What the cases begin with: name -> what the pipeline is given, and the tensors of the file."""
    images, tensors = {}, {}
    unnormalised = VaeImageProcessor(vae_scale_factor=VAE_FACTOR, do_normalize=False)
    for name, size in PICTURES.items():
        images[name] = from_pixels(pixels(name, *size))
        tensors[f"{name}.pixels"] = to_tensor(images[name])
        tensors[f"{name}.values"] = unnormalised.preprocess(images[name])
    for name, shape in LATENTS.items():
        # Of variance 1 / 3.
        images[name] = random_tensor(f"input/{name}", shape)
        tensors[f"{name}.values"] = images[name]
    return images, tensors


def run(pipeline, description, image, dtype):
    """The tensors of one case, and how many tensors were drawn from each generator."""
    seeds, call = description["seeds"], description["call"]
    pipeline.scheduler = build_scheduler(description["variant"], description["scheduler"])
    generators, keep = start_generators(seeds), Steps()
    has_picture = description["name"] in WITH_PICTURE
    with recorded(pipeline, "prepare_latents") as starts, recorded(pipeline.scheduler, "add_noise") as noisings:
        result = pipeline(
            **call,
            image=image.to(dtype) if torch.is_tensor(image) else image,
            num_images_per_prompt=len(seeds),
            generator=generators,
            callback_on_step_end=keep,
            output_type="pt" if has_picture else "latent",
        ).images
    steps = keep.stacked()
    [(_, start)] = starts
    tensors = {"start": start, "steps": steps, "latents": steps[-1]}
    if has_picture:
        tensors["picture"] = result
    # Without noise (denoising_start) the run starts with the picture itself.
    tensors["image_latents"] = start
    if noisings:
        [((image_latents, noise, _), _)] = noisings
        tensors |= {"image_latents": image_latents, "noise": noise}
    check_order_of_draws(pipeline, description, image, tensors)
    return tensors, count_draws(generators, seeds, start.shape[1:])


def check_order_of_draws(pipeline, description, image, tensors):
    """Each generator gives the sample of the encoded picture first, then the noise."""
    generators = start_generators(description["seeds"])
    shape, dtype = tensors["start"].shape[1:], tensors["start"].dtype
    if torch.is_tensor(image):
        expected = image.to(dtype).expand_as(tensors["start"])
    else:
        posterior = pipeline.vae.encode(pipeline.image_processor.preprocess(image).to(dtype)).latent_dist
        sample = posterior.mean + posterior.std * draw(generators, shape).to(dtype)
        expected = sample * pipeline.vae.config.scaling_factor
    torch.testing.assert_close(tensors["image_latents"], expected, rtol=1e-5, atol=1e-5)
    if "noise" in tensors:
        assert torch.equal(tensors["noise"], draw(generators, shape).to(dtype))


def image_to_image(tokenizers, dtype=torch.float32):
    """The tensors of image_to_image.safetensors and what image_to_image.json says."""
    loaded = {
        variant: load_pipeline(StableDiffusionXLImg2ImgPipeline, variant, tokenizers, dtype)
        for variant in ["base", "refiner", "lcm"]
    }
    images, tensors = inputs()
    cases = []
    with noise_in_single_precision():
        for description in CASES:
            outputs, draws = run(loaded[description["variant"]], description, images[description["image"]], dtype)
            tensors |= prefixed(description["name"], outputs)
            cases.append(description | {"draws": draws})
    return tensors, {"cases": cases}
