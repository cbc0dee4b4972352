"""Text to image with every scheduler that the command line names, on the tiny `base` and `lcm` models."""

import functools
import importlib.util
import sys
import warnings
from types import ModuleType

import numpy
import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline
from diffusers.schedulers import AysSchedules

import pipelines
from runs import (
    VAE_FACTOR,
    Steps,
    build_scheduler,
    count_draws,
    draw,
    load_pipeline,
    noise_in_single_precision,
    prefixed,
    scheduler,
    start_generators,
)

DEFAULTS = pipelines.DEFAULTS | {"num_inference_steps": 5, "sigmas": None}

MULTISTEP = "DPMSolverMultistepScheduler"
SCHEDULERS = {
    "euler": ("EulerDiscreteScheduler", {}),
    "euler_a": ("EulerAncestralDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "dpm2": ("KDPM2DiscreteScheduler", {}),
    "dpm2_a": ("KDPM2AncestralDiscreteScheduler", {}),
    "dpmpp_2m": (MULTISTEP, {"algorithm_type": "dpmsolver++", "solver_order": 2}),
    "dpmpp_2m_sde": (MULTISTEP, {"algorithm_type": "sde-dpmsolver++", "solver_order": 2}),
    "dpmpp_3m_sde": (MULTISTEP, {"algorithm_type": "sde-dpmsolver++", "solver_order": 3}),
    # Without a seed the Brownian motion would be that of the global generator.
    "dpmpp_sde": ("DPMSolverSDEScheduler", {"noise_sampler_seed": 0}),
    # Not in diffusers: k-diffusion's sample_dpmpp_2s_ancestral at the noise levels of this class.
    "dpmpp_2s_a": ("EulerDiscreteScheduler", {}),
    "lms": ("LMSDiscreteScheduler", {}),
    "ddim": ("DDIMScheduler", {}),
    "ddpm": ("DDPMScheduler", {}),
    "pndm": ("PNDMScheduler", {}),
    "unipc": ("UniPCMultistepScheduler", {}),
    "deis": ("DEISMultistepScheduler", {}),
    "lcm": ("LCMScheduler", {}),
    "tcd": ("TCDScheduler", {}),
    "edm_euler": ("EDMEulerScheduler", {}),
    "edm_dpmpp_2m": ("EDMDPMSolverMultistepScheduler", {}),
}

# Interval ends that are equal but for rounding.
warnings.filterwarnings("ignore", module="torchsde")

TRAILING = {"timestep_spacing": "trailing"}
LINSPACE = {"timestep_spacing": "linspace"}
KARRAS = {"use_karras_sigmas": True}
EXPONENTIAL = {"use_exponential_sigmas": True}
BETA = {"use_beta_sigmas": True}


def named_scheduler(name, overrides=None):
    class_name, of_the_name = SCHEDULERS[name]
    return scheduler(name, class_name, of_the_name | (overrides or {}))


def case(name, scheduler_name, overrides=None, seeds=(0,), variant="base", **call):
    """One run. The scheduler is `class.from_config(the model's scheduler config, **overrides)`."""
    assert call.keys() <= DEFAULTS.keys(), call.keys() - DEFAULTS.keys()
    return {
        "name": name,
        "variant": variant,
        "seeds": list(seeds),
        "scheduler": named_scheduler(scheduler_name, overrides),
        "call": DEFAULTS | call,
    }


CASES = [
    *(case(name, name) for name in SCHEDULERS),
    # Spacings.
    case("euler_exponential", "euler", EXPONENTIAL),
    case("euler_beta", "euler", BETA),
    case("euler_ays", "euler", num_inference_steps=10, sigmas=AysSchedules["StableDiffusionXLSigmas"]),
    case("euler_a_trailing", "euler_a", TRAILING),
    case("heun_karras", "heun", KARRAS),
    case("dpm2_karras", "dpm2", KARRAS),
    case("dpm2_a_trailing", "dpm2_a", TRAILING),
    case("dpmpp_2m_trailing", "dpmpp_2m", TRAILING),
    case("dpmpp_2m_linspace", "dpmpp_2m", LINSPACE),
    case("dpmpp_2m_exponential", "dpmpp_2m", EXPONENTIAL),
    case("dpmpp_2m_beta", "dpmpp_2m", BETA),
    case("dpmpp_2m_sde_karras", "dpmpp_2m_sde", KARRAS),
    case("dpmpp_3m_sde_exponential", "dpmpp_3m_sde", EXPONENTIAL),
    case("dpmpp_sde_karras", "dpmpp_sde", KARRAS),
    case("dpmpp_2s_a_karras", "dpmpp_2s_a", KARRAS),
    case("lms_karras", "lms", KARRAS),
    case("ddim_trailing", "ddim", TRAILING),
    case("unipc_karras", "unipc", KARRAS),
    case("unipc_beta", "unipc", BETA),
    case("deis_trailing", "deis", TRAILING),
    # Options of the call and of the class.
    case("ddim_eta", "ddim", eta=0.5),
    case("tcd_eta", "tcd", eta=0.3),
    case("dpmpp_2m_v", "dpmpp_2m", {"prediction_type": "v_prediction"}),
    case("edm_euler_v", "edm_euler", {"prediction_type": "v_prediction"}),
    case("edm_dpmpp_2m_v", "edm_dpmpp_2m", {"prediction_type": "v_prediction"}),
    # The guidance scale is an input of this model; there is no negative prompt.
    case("lcm_embedded_guidance", "lcm", variant="lcm", num_inference_steps=4, guidance_scale=8.0),
    # Batches, where random numbers are drawn during the run.
    case("euler_a_batch", "euler_a", seeds=[7, 11]),
    case("dpm2_a_batch", "dpm2_a", seeds=[7, 11]),
    case("dpmpp_2m_sde_batch", "dpmpp_2m_sde", seeds=[7, 11]),
    case("dpmpp_sde_batch", "dpmpp_sde", {"noise_sampler_seed": [7, 11]}, seeds=[7, 11]),
    case("dpmpp_2s_a_batch", "dpmpp_2s_a", seeds=[7, 11]),
    case("lcm_batch", "lcm", seeds=[7, 11], variant="lcm", guidance_scale=8.0),
]


@functools.cache
def load_k_diffusion():
    """`k_diffusion.sampling` without the rest of that package, which is for training and needs torchvision and more."""
    found = importlib.util.find_spec("k_diffusion")
    if found is None:
        sys.exit("no k-diffusion; schedulers needs it: pip install --no-deps k-diffusion==0.1.1.post1")
    package = ModuleType("k_diffusion")
    package.__path__ = found.submodule_search_locations
    # Only named in an import there; nothing of it is called.
    transforms = ModuleType("torchvision.transforms")
    transforms.functional = None
    stand_ins = {"torchvision": ModuleType("torchvision"), "torchvision.transforms": transforms}
    sys.modules |= {"k_diffusion": package} | stand_ins
    sampling = importlib.import_module("k_diffusion.sampling")
    for name in stand_ins:
        del sys.modules[name]
    return sampling


def denoiser(pipeline, description):
    """What k-diffusion calls a model, made of the parts of StableDiffusionXLPipeline."""
    call, count = description["call"], len(description["seeds"])
    embeddings, negative, pooled, negative_pooled = pipeline.encode_prompt(
        call["prompt"], num_images_per_prompt=count, do_classifier_free_guidance=True
    )
    side = pipeline.default_sample_size * VAE_FACTOR
    time_ids = pipeline._get_add_time_ids(
        (side, side), (0, 0), (side, side), embeddings.dtype, pipeline.text_encoder_2.config.projection_dim
    )
    context = torch.cat([negative, embeddings])
    conditioning = {"text_embeds": torch.cat([negative_pooled, pooled]), "time_ids": time_ids.repeat(2 * count, 1)}

    # The timesteps of the levels in the list are those of diffusers' class; others lie between.
    known = dict(zip(pipeline.scheduler.sigmas.tolist(), pipeline.scheduler.timesteps.tolist()))
    log_sigmas = numpy.log(((1 - pipeline.scheduler.alphas_cumprod) / pipeline.scheduler.alphas_cumprod).sqrt().numpy())

    def denoise(x, sigma):
        level = sigma[0]
        timestep = known.get(level.item())
        if timestep is None:
            timestep = float(pipeline.scheduler._sigma_to_t(numpy.float64(level), log_sigmas))
        scaled = torch.cat([x / (level**2 + 1) ** 0.5] * 2)
        output = pipeline.unet(
            scaled, torch.tensor(timestep), encoder_hidden_states=context, added_cond_kwargs=conditioning
        ).sample
        unconditional, conditional = output.chunk(2)
        return x - level * (unconditional + call["guidance_scale"] * (conditional - unconditional))

    return denoise


def run_k_diffusion(pipeline, description, generators, shape, dtype):
    """The latents after each step of sample_dpmpp_2s_ancestral."""
    sampling = load_k_diffusion()
    pipeline.scheduler.set_timesteps(description["call"]["num_inference_steps"])
    sigmas, model = pipeline.scheduler.sigmas, denoiser(pipeline, description)
    start = draw(generators, shape).to(dtype) * pipeline.scheduler.init_noise_sigma

    check_denoiser(pipeline, description, sampling.sample_euler(model, start, sigmas, disable=True), start)

    steps = []
    last = sampling.sample_dpmpp_2s_ancestral(
        model,
        start,
        sigmas,
        callback=lambda progress: steps.append(progress["x"]),
        disable=True,
        noise_sampler=lambda sigma, sigma_next: draw(generators, shape).to(dtype),
    )
    return torch.stack(steps[1:] + [last])


def check_denoiser(pipeline, description, found, start):
    """With this denoiser, k-diffusion's sample_euler gives what diffusers' pipeline gives with its Euler's method."""
    call = description["call"]
    expected = pipeline(
        call["prompt"],
        num_inference_steps=call["num_inference_steps"],
        guidance_scale=call["guidance_scale"],
        num_images_per_prompt=len(description["seeds"]),
        latents=start / pipeline.scheduler.init_noise_sigma,
        output_type="latent",
    ).images
    error = (found - expected).norm() / expected.norm()
    assert error < 1e-5, error
    # The check has moved the scheduler on.
    pipeline.scheduler.set_timesteps(call["num_inference_steps"])


def run(pipeline, description, dtype):
    """The tensors of one case, and how many tensors were drawn from each generator."""
    seeds, call = description["seeds"], description["call"]
    pipeline.scheduler = build_scheduler(description["variant"], description["scheduler"])
    side = pipeline.default_sample_size
    shape = (4, side, side)
    generators = start_generators(seeds)
    if description["scheduler"]["name"] == "dpmpp_2s_a":
        steps = run_k_diffusion(pipeline, description, generators, shape, dtype)
    else:
        keep = Steps()
        pipeline(
            **call,
            num_images_per_prompt=len(seeds),
            generator=generators,
            callback_on_step_end=keep,
            output_type="latent",
        )
        steps = keep.stacked()
    noise = draw(start_generators(seeds), shape)
    if dtype == torch.float32:
        pipelines.check_noise(pipeline, seeds, noise, (side * VAE_FACTOR, side * VAE_FACTOR))
    return {"noise": noise, "steps": steps, "latents": steps[-1]}, count_draws(generators, seeds, shape)


def schedulers(tokenizers, dtype=torch.float32):
    """The tensors of schedulers.safetensors and what schedulers.json says."""
    loaded = {
        variant: load_pipeline(StableDiffusionXLPipeline, variant, tokenizers, dtype) for variant in ["base", "lcm"]
    }
    tensors, cases = {}, []
    with noise_in_single_precision():
        for description in CASES:
            outputs, draws = run(loaded[description["variant"]], description, dtype)
            tensors |= prefixed(description["name"], outputs)
            cases.append(description | {"draws": draws})
    return tensors, {"cases": cases}
