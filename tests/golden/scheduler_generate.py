"""Makes scheduler.json and scheduler.safetensors: diffusers' schedulers, step by step, on a fake model.

Needs diffusers 0.42.1, torch 2.11.0, scipy 1.17.1, torchsde 0.2.6. Run it in this folder.

Each case is a scheduler configuration, a number of steps and a part of the schedule, run as diffusers'
pipelines run it. Recorded are the timestep of each call of the model, the noise levels, and the latents
after each step. `values` of the safetensors file holds them one case after the other, in that order.
"""

import inspect
import itertools
import json
import warnings

import diffusers
import numpy
import torch
from diffusers.schedulers import AysSchedules
from diffusers.schedulers.scheduling_dpmsolver_sde import BrownianTreeNoiseSampler
from safetensors.torch import save_file

warnings.filterwarnings("ignore")
diffusers.utils.logging.set_verbosity_error()

SEEDS = [3, 4]
SHAPE = (4, 2, 2)
STEPS = [1, 2, 4, 5, 10, 25]
SDXL = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1)
SPACINGS = ["leading", "trailing", "linspace"]
PREDICTIONS = ["epsilon", "v_prediction", "sample"]
CURVES = [{}, {"use_karras_sigmas": True}, {"use_exponential_sigmas": True}, {"use_beta_sigmas": True}]

cases, values = [], []


def model(x, t):
    """Any smooth function of both will do; this one stays within bounds and keeps rounding errors small."""
    return 0.8 * x + 0.3 * torch.tanh(2.0 * x + float(t) / 500.0)


def normal(generators, shape=SHAPE):
    return torch.cat([torch.randn((1, *shape), generator=g) for g in generators])


def levels(scheduler, steps):
    """The noise levels, each once, where the class has a list of them."""
    if not isinstance(getattr(scheduler, "sigmas", None), torch.Tensor):
        return []
    sigmas = scheduler.sigmas.tolist()
    if scheduler.order == 2:
        sigmas = sigmas[:1] + sigmas[1::2]
    return sigmas[: steps + 1]


def run(
    scheduler,
    steps,
    strength=None,
    start=None,
    end=None,
    eta=None,
    timesteps=None,
    sigmas=None,
    seeds=None,
    double=False,
):
    """The loop of the text-to-image and image-to-image pipelines."""
    if seeds is not None:
        scheduler.noise_sampler_seed = seeds
    generators = [torch.Generator().manual_seed(seed) for seed in SEEDS]
    if timesteps is not None:
        scheduler.set_timesteps(timesteps=timesteps)
    elif sigmas is not None:
        scheduler.set_timesteps(sigmas=sigmas)
    else:
        scheduler.set_timesteps(steps)
    total = scheduler.config.num_train_timesteps
    all_timesteps, order = scheduler.timesteps, scheduler.order
    begin = 0
    if strength is not None:
        begin = (steps - min(int(steps * strength), steps)) * order
    elif start is not None:
        below = (all_timesteps < int(round(total - start * total))).sum().item()
        begin = len(all_timesteps) - (below + 1 if order == 2 and below % 2 == 0 else below)
    visited = all_timesteps[begin:]
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(begin)
    if end is not None:
        visited = visited[: len([t for t in visited if t >= int(round(total - end * total))])]

    if strength is not None:
        image = normal([torch.Generator().manual_seed(seed + 100) for seed in SEEDS])
        latents = scheduler.add_noise(image, normal(generators), visited[:1])
    elif start is not None:
        latents = normal(generators)
    else:
        latents = normal(generators) * scheduler.init_noise_sigma

    if double:
        latents, scheduler.sigmas = latents.double(), scheduler.sigmas.double()
    parameters = inspect.signature(scheduler.step).parameters
    extra = {"generator": generators} if "generator" in parameters else {}
    if "eta" in parameters:
        extra["eta"] = 0.0 if eta is None else eta
    told, samples = [], []
    for index, t in enumerate(visited):
        output = model(scheduler.scale_model_input(latents, t), t)
        latents = scheduler.step(output, t, latents, **extra).prev_sample
        told.append(float(t))
        is_whole = getattr(scheduler, "state_in_first_order", True)
        if is_whole or index + 1 == len(visited):
            samples.append(latents)
    return told, levels(scheduler, steps), samples


def case(class_name, steps, config, sampler=None, scheduler=None, **options):
    """Runs and records one case. The configuration is what the file of a checkpoint would hold."""
    scheduler = scheduler or getattr(diffusers, class_name).from_config(config)
    if sampler is None:
        told, sigmas, samples = run(scheduler, steps, **options)
        options.pop("seeds", None)
        options.pop("double", None)
    else:
        told, sigmas, samples = k_diffusion(scheduler, steps, sampler)
        options["sampler"] = sampler.__name__
    if not samples:
        return  # a range between two timesteps: diffusers does nothing, we say so
    stacked = torch.stack(samples)
    assert torch.isfinite(stacked).all(), (class_name, steps, config, options)
    flat = [torch.tensor(told), torch.tensor(sigmas), stacked.flatten()]
    cases.append(
        {
            "config": {**config, "_class_name": class_name},
            "steps": steps,
            "options": options,
            "told": len(told),
            "sigmas": len(sigmas),
            "samples": len(samples),
        }
    )
    values.extend(part.to(torch.float32) for part in flat)


def k_diffusion(scheduler, steps, sampler):
    """Samplers of k-diffusion that diffusers has not, at the levels of a class of diffusers."""
    generators = [torch.Generator().manual_seed(seed) for seed in SEEDS]
    scheduler.set_timesteps(steps)
    log_sigmas = numpy.log(numpy.array(((1 - scheduler.alphas_cumprod) / scheduler.alphas_cumprod) ** 0.5))
    known = dict(zip(scheduler.sigmas.tolist(), scheduler.timesteps.tolist()))
    told = []

    def denoise(x, sigma):
        t = known.get(float(sigma))
        if t is None:
            sigma_to_t = diffusers.EulerDiscreteScheduler._sigma_to_t
            t = float(sigma_to_t(scheduler, numpy.float64(sigma), log_sigmas))
        told.append(t)
        return x - sigma * model(x / (sigma**2 + 1) ** 0.5, t)

    sigmas = scheduler.sigmas
    is_unit_variance = scheduler.init_noise_sigma == 1
    scale = (sigmas[0] ** 2 + 1) ** 0.5 if is_unit_variance else scheduler.init_noise_sigma
    samples = sampler(denoise, normal(generators) * scale, sigmas, generators)
    if is_unit_variance:
        samples = [x / (sigma**2 + 1) ** 0.5 for x, sigma in zip(samples, sigmas[1:])]
    return told, levels(scheduler, steps), samples


def dpmpp_2s_a(denoise, x, sigmas, generators):
    """`sample_dpmpp_2s_ancestral` with eta 1, s_noise 1."""
    samples = []
    for sigma, sigma_next in itertools.pairwise(sigmas):
        denoised = denoise(x, sigma)
        up = min(sigma_next, (sigma_next**2 * (sigma**2 - sigma_next**2) / sigma**2) ** 0.5)
        down = (sigma_next**2 - up**2) ** 0.5
        if down == 0:
            x = x + (x - denoised) / sigma * (down - sigma)
        else:
            t, t_next = -sigma.log(), -down.log()
            h = t_next - t
            s = t + 0.5 * h
            x_2 = ((-s).exp() / (-t).exp()) * x - (-h * 0.5).expm1() * denoised
            denoised_2 = denoise(x_2, (-s).exp())
            x = ((-t_next).exp() / (-t).exp()) * x - (-h).expm1() * denoised_2
        if sigma_next > 0:
            x = x + normal(generators) * up
        samples.append(x)
    return samples


def dpmpp_2m_sde_brownian(denoise, x, sigmas, generators):
    """`sample_dpmpp_2m_sde` with eta 1, s_noise 1, solver_type "midpoint" and its default noise sampler."""
    noise_sampler = BrownianTreeNoiseSampler(x, sigmas[sigmas > 0].min(), sigmas.max(), seed=SEEDS)
    samples, old_denoised, h_last = [], None, None
    for sigma, sigma_next in itertools.pairwise(sigmas):
        denoised = denoise(x, sigma)
        if sigma_next == 0:
            x = denoised
        else:
            h = sigma.log() - sigma_next.log()
            x = sigma_next / sigma * (-h).exp() * x + (-2 * h).expm1().neg() * denoised
            if old_denoised is not None:
                x = x + 0.5 * (-2 * h).expm1().neg() * (h / h_last) * (denoised - old_denoised)
            x = x + noise_sampler(sigma, sigma_next) * sigma_next * (-2 * h).expm1().neg().sqrt()
            h_last = h
        old_denoised = denoised
        samples.append(x)
    return samples


def product(class_name, spacings, curves, predictions, **config):
    for spacing, curve, prediction, steps in itertools.product(spacings, curves, predictions, STEPS):
        spaced = {} if spacing is None else {"timestep_spacing": spacing}
        case(class_name, steps, {**SDXL, **spaced, **curve, "prediction_type": prediction, **config})


def few(class_name, config, options=({},), steps=(4, 10, 20)):
    """Options that need no product with the others."""
    for count, option in itertools.product(steps, options):
        case(class_name, count, {**SDXL, "timestep_spacing": "leading", **config}, **option)


RANGES = [
    {"strength": 0.6},
    {"strength": 0.3},
    {"end": 0.5},
    {"end": 0.8},
    {"start": 0.5},
    {"start": 0.8},
    {"start": 0.3, "end": 0.7},
]


def euler():
    product("EulerDiscreteScheduler", SPACINGS, CURVES, PREDICTIONS)
    few("EulerDiscreteScheduler", {}, RANGES)
    few("EulerDiscreteScheduler", {"use_karras_sigmas": True}, RANGES)
    few("EulerDiscreteScheduler", {"final_sigmas_type": "sigma_min"})
    zero = {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    few("EulerDiscreteScheduler", {**zero, "prediction_type": "v_prediction"})
    few("EulerDiscreteScheduler", zero)
    for schedule in ["linear", "squaredcos_cap_v2"]:
        few("EulerDiscreteScheduler", {"beta_schedule": schedule})
    few("EulerDiscreteScheduler", {"num_train_timesteps": 500})
    betas = torch.linspace(0.001, 0.015, 100).tolist()
    few("EulerDiscreteScheduler", {"num_train_timesteps": 100, "trained_betas": betas})


def ddim():
    config = {"clip_sample": False, "set_alpha_to_one": False}
    product("DDIMScheduler", SPACINGS, [{}], PREDICTIONS, **config)
    few("DDIMScheduler", config, [{"eta": 0.3}, {"eta": 1.0}, *RANGES])
    few("DDIMScheduler", {"clip_sample": False})
    few("DDIMScheduler", {}, [{}, {"eta": 0.5}])
    few("DDIMScheduler", {"thresholding": True, "dynamic_thresholding_ratio": 0.9, "sample_max_value": 1.5})
    zero = {**config, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    few("DDIMScheduler", {**zero, "prediction_type": "v_prediction"}, [{}, {"eta": 0.5}, {"strength": 1.0}])
    few("DDIMScheduler", {**zero, "prediction_type": "sample"})


def dpm_solver():
    name = "DPMSolverMultistepScheduler"
    product(name, SPACINGS, [{}], PREDICTIONS)
    product(name, ["leading"], [*CURVES[1:], {"use_lu_lambdas": True}], PREDICTIONS)
    few(name, {}, RANGES)
    few(name, {"solver_order": 3}, RANGES)
    for algorithm, order, kind in itertools.product(
        ["dpmsolver++", "dpmsolver", "sde-dpmsolver++", "sde-dpmsolver"], [1, 2, 3], ["midpoint", "heun"]
    ):
        config = {"algorithm_type": algorithm, "solver_order": order, "solver_type": kind}
        if (algorithm, order) != ("sde-dpmsolver", 3):
            few(name, {**config, "final_sigmas_type": "sigma_min"}, [{}, {"strength": 0.5}])
        if "++" in algorithm:
            few(name, {**config, "use_karras_sigmas": True})
    for lower, euler in itertools.product([True, False], [True, False]):
        ending = {"lower_order_final": lower, "euler_at_final": euler, "solver_order": 3}
        few(name, ending)
        few(name, {**ending, "final_sigmas_type": "sigma_min"})
    few(name, {"thresholding": True, "dynamic_thresholding_ratio": 0.87, "sample_max_value": 1.5})
    few(name, {"beta_schedule": "squaredcos_cap_v2", "lambda_min_clipped": -5.1})
    few(name, {"beta_schedule": "squaredcos_cap_v2", "lambda_min_clipped": -5.1, "timestep_spacing": "linspace"})
    few(name, {"beta_schedule": "squaredcos_cap_v2", "use_karras_sigmas": True})
    zero = {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing", "prediction_type": "v_prediction"}
    few(name, zero)


def euler_ancestral():
    name = "EulerAncestralDiscreteScheduler"
    product(name, SPACINGS, [{}], PREDICTIONS[:2])
    few(name, {}, RANGES)
    few(name, {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing", "prediction_type": "v_prediction"})


def heun():
    product("HeunDiscreteScheduler", SPACINGS, CURVES, PREDICTIONS)
    few("HeunDiscreteScheduler", {}, RANGES)
    few("HeunDiscreteScheduler", {"use_karras_sigmas": True}, RANGES)
    few("HeunDiscreteScheduler", {"clip_sample": True})
    few("HeunDiscreteScheduler", {"beta_schedule": "exp"})


def dpm2():
    for name in ["KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler"]:
        product(name, SPACINGS, CURVES, PREDICTIONS[:2])
        few(name, {}, RANGES)
        few(name, {"use_karras_sigmas": True}, RANGES)


def lms():
    product("LMSDiscreteScheduler", SPACINGS, CURVES, PREDICTIONS)
    few("LMSDiscreteScheduler", {}, RANGES)


def sde():
    for curve, prediction, steps in itertools.product(CURVES, PREDICTIONS[:2], STEPS):
        config = {**SDXL, **curve, "prediction_type": prediction, "timestep_spacing": "leading"}
        case("DPMSolverSDEScheduler", steps, config, seeds=SEEDS)
    few("DPMSolverSDEScheduler", {}, [{"seeds": SEEDS, **part} for part in RANGES])
    few("DPMSolverSDEScheduler", {"noise_sampler_seed": 7, "timestep_spacing": "trailing"})


def k_diffusion_only():
    for curve, steps in itertools.product(CURVES, STEPS):
        case("EulerDiscreteScheduler", steps, {**SDXL, **curve, "timestep_spacing": "leading"}, dpmpp_2s_a)
        config = {**SDXL, **curve, "timestep_spacing": "trailing", "algorithm_type": "sde-dpmsolver++"}
        case("DPMSolverMultistepScheduler", steps, config, dpmpp_2m_sde_brownian)


def ddpm():
    config = {"clip_sample": False}
    product("DDPMScheduler", SPACINGS, [{}], PREDICTIONS, **config)
    few("DDPMScheduler", config, RANGES)
    few("DDPMScheduler", {})
    few("DDPMScheduler", {**config, "variance_type": "fixed_small_log"})
    few("DDPMScheduler", {**config, "variance_type": "fixed_large"})
    for schedule in ["laplace", "sigmoid"]:
        few("DDPMScheduler", {**config, "beta_schedule": schedule})
    zero = {**config, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    few("DDPMScheduler", {**zero, "prediction_type": "v_prediction"})


def pndm():
    config = {"skip_prk_steps": True, "set_alpha_to_one": False}
    product("PNDMScheduler", SPACINGS, [{}], PREDICTIONS[:2], **config)
    few("PNDMScheduler", config, RANGES)
    few("PNDMScheduler", {**config, "set_alpha_to_one": True})
    few("PNDMScheduler", {}, [{}, {"end": 0.5}])
    few("PNDMScheduler", {"prediction_type": "v_prediction"})


def unipc():
    name = "UniPCMultistepScheduler"
    product(name, SPACINGS, [{}], PREDICTIONS)
    product(name, ["leading"], CURVES[1:], PREDICTIONS)
    few(name, {}, RANGES)
    few(name, {"solver_order": 3}, RANGES)
    for order, variant, data in itertools.product([1, 2, 3], ["bh1", "bh2"], [True, False]):
        config = {"solver_order": order, "solver_type": variant, "predict_x0": data}
        few(name, {**config, "final_sigmas_type": "sigma_min"})
        few(name, {**config, "final_sigmas_type": "sigma_min", "prediction_type": "v_prediction"})
    few(name, {"use_karras_sigmas": True, "final_sigmas_type": "sigma_min"})
    few(name, {"lower_order_final": False, "solver_order": 3, "final_sigmas_type": "sigma_min"})
    few(name, {"disable_corrector": [0, 2], "solver_order": 3})
    few(name, {"thresholding": True, "dynamic_thresholding_ratio": 0.87, "sample_max_value": 1.5})
    few(name, {"use_karras_sigmas": True, "sigma_min": 0.1, "sigma_max": 10.0})
    few(name, {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing", "prediction_type": "v_prediction"})


def deis():
    name = "DEISMultistepScheduler"
    product(name, SPACINGS, [{}], PREDICTIONS)
    product(name, ["leading"], CURVES[1:], PREDICTIONS)
    few(name, {}, RANGES)
    for order, lower in itertools.product([1, 2, 3], [True, False]):
        few(name, {"solver_order": order, "lower_order_final": lower})
    few(name, {"thresholding": True, "dynamic_thresholding_ratio": 0.87, "sample_max_value": 1.5})


def sa_solver():
    # f64 noise would be other noise.
    in_f32 = lambda shape, generator, device, dtype: normal(generator).to(dtype)
    diffusers.schedulers.scheduling_sasolver.randn_tensor = in_f32
    name = "SASolverScheduler"
    product(name, SPACINGS, [{}], PREDICTIONS)
    product(name, ["leading"], CURVES[1:], PREDICTIONS[:1])
    few(name, {}, RANGES)
    for predictor, corrector, kind in itertools.product(
        [1, 2, 3, 4], [1, 2, 3, 4], ["data_prediction", "noise_prediction"]
    ):
        # In f32 diffusers' fourth order is 3e-3 away from itself in f64 after 20 steps.
        option = {"double": True} if max(predictor, corrector) > 2 else {}
        config = {"predictor_order": predictor, "corrector_order": corrector, "algorithm_type": kind}
        few(name, config, [option])
    few(name, {"predictor_order": 3, "lower_order_final": False}, [{"double": True}])


def singlestep():
    name = "DPMSolverSinglestepScheduler"
    product(name, [None], CURVES, PREDICTIONS)
    few(name, {}, RANGES)
    for algorithm, order, kind, lower in itertools.product(
        ["dpmsolver++", "dpmsolver", "sde-dpmsolver++"], [1, 2, 3], ["midpoint", "heun"], [True, False]
    ):
        config = {"algorithm_type": algorithm, "solver_order": order, "solver_type": kind, "lower_order_final": lower}
        few(name, {**config, "final_sigmas_type": "sigma_min"}, steps=(1, 2, 3, 4, 5, 6, 7, 12))
        if "++" in algorithm:
            few(name, config, steps=(3, 4, 6, 7))


def consistency():
    for name, prediction, steps in itertools.product(["LCMScheduler", "TCDScheduler"], PREDICTIONS, STEPS):
        case(name, steps, {**SDXL, "prediction_type": prediction})
    few("LCMScheduler", {}, RANGES)
    few("TCDScheduler", {}, RANGES)
    few("TCDScheduler", {}, [{"eta": 0.3}, {"eta": 1.0}, {"eta": 0.3, "strength": 0.5}])
    few("LCMScheduler", {"original_inference_steps": 100})
    few("LCMScheduler", {"original_inference_steps": 30}, steps=(22, 26))
    few("LCMScheduler", {"clip_sample": True})
    few("LCMScheduler", {"timestep_scaling": 0.01})
    zero = {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}
    few("LCMScheduler", zero)
    few("TCDScheduler", zero, [{}, {"eta": 0.5}])


def edm():
    for name in ["EDMEulerScheduler", "EDMDPMSolverMultistepScheduler"]:
        for schedule, prediction, steps in itertools.product(["karras", "exponential"], PREDICTIONS[:2], STEPS):
            if schedule == "exponential" and steps == 1:
                continue  # diffusers begins at sigma_min then, with the noise of sigma_max
            case(name, steps, {"sigma_schedule": schedule, "prediction_type": prediction})
        for steps in [4, 20]:
            case(name, steps, {"sigma_max": 120.0, "sigma_data": 1.0, "rho": 5.0, "prediction_type": "v_prediction"})
            case(name, steps, {"final_sigmas_type": "sigma_min"})
            case(name, steps, {}, strength=0.5)
    for steps in [4, 20]:
        case("EDMDPMSolverMultistepScheduler", steps, {"algorithm_type": "sde-dpmsolver++"})
        case("EDMDPMSolverMultistepScheduler", steps, {"solver_order": 3, "solver_type": "heun"})
        continuous = {"timestep_type": "continuous", "prediction_type": "v_prediction"}
        case("EulerDiscreteScheduler", steps, {**SDXL, **continuous})
        ends = {"sigma_min": 0.002, "sigma_max": 120.0, "use_karras_sigmas": True}
        case("EulerDiscreteScheduler", steps, {**SDXL, **continuous, **ends})


def explicit():
    """Lists of timesteps or sigmas instead of a spacing."""
    ays = AysSchedules["StableDiffusionXLTimesteps"]
    few_step = [999, 749, 499, 249]
    for name in ["Euler", "Heun"]:
        config = {**SDXL, "timestep_spacing": "leading"}
        case(name + "DiscreteScheduler", 10, config, timesteps=ays)
        case(name + "DiscreteScheduler", 4, config, timesteps=few_step)
    for name in ["DPMSolverMultistep", "DPMSolverSinglestep", "LCM", "TCD", "DDPM"]:
        config = {**SDXL, "clip_sample": False}
        case(name + "Scheduler", 10, config, timesteps=ays)
        case(name + "Scheduler", 4, config, timesteps=few_step)
    case("LCMScheduler", 1, SDXL, timesteps=[800])
    config = {**SDXL, "timestep_spacing": "leading"}
    case("EulerDiscreteScheduler", 5, config, sigmas=[14.0, 7.5, 3.0, 1.0, 0.4, 0.0])
    case("EulerDiscreteScheduler", 3, config, sigmas=[9.0, 3.0, 1.0, 0.2])


def align_your_steps():
    """The published table, and its interpolation to other numbers of steps as its authors do it."""
    table = diffusers.EulerDiscreteScheduler.from_config(SDXL)
    alphas = table.alphas_cumprod[[*AysSchedules["StableDiffusionXLTimesteps"], 0]].double()
    known = ((1 - alphas) / alphas).sqrt().numpy()
    for steps in [3, 10, 17, 25]:
        positions = numpy.linspace(0, 1, steps + 1)
        sigmas = numpy.exp(numpy.interp(positions, numpy.linspace(0, 1, len(known)), numpy.log(known)))
        sigmas[-1] = 0.0
        config = {**SDXL, "timestep_spacing": "leading"}
        case("EulerDiscreteScheduler", steps, config, sigmas=sigmas.tolist())
        cases[-1]["options"] = {"spacing": "ays"}
    for name in ["HeunDiscreteScheduler", "DPMSolverMultistepScheduler", "LCMScheduler"]:
        config = {**SDXL, "timestep_spacing": "leading"}
        case(name, 10, config, timesteps=AysSchedules["StableDiffusionXLTimesteps"])
        cases[-1]["options"] = {"spacing": "ays"}


FILES = [
    # stabilityai/stable-diffusion-xl-base-1.0
    {
        "_class_name": "EulerDiscreteScheduler",
        "_diffusers_version": "0.19.0.dev0",
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "beta_start": 0.00085,
        "clip_sample": False,
        "interpolation_type": "linear",
        "num_train_timesteps": 1000,
        "prediction_type": "epsilon",
        "sample_max_value": 1.0,
        "set_alpha_to_one": False,
        "skip_prk_steps": True,
        "steps_offset": 1,
        "timestep_spacing": "leading",
        "trained_betas": None,
        "use_karras_sigmas": False,
    },
    # Velocity with zero terminal SNR.
    {
        "_class_name": "EulerAncestralDiscreteScheduler",
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "beta_start": 0.00085,
        "clip_sample": False,
        "prediction_type": "v_prediction",
        "rescale_betas_zero_snr": True,
        "set_alpha_to_one": True,
        "skip_prk_steps": True,
        "timestep_spacing": "trailing",
    },
    # Nothing but the class: all defaults.
    {"_class_name": "DDIMScheduler"},
    # As `save_pretrained` writes it, with every key of the class.
    {
        "_class_name": "DPMSolverMultistepScheduler",
        "algorithm_type": "sde-dpmsolver++",
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "beta_start": 0.00085,
        "dynamic_thresholding_ratio": 0.995,
        "euler_at_final": True,
        "final_sigmas_type": "sigma_min",
        "flow_shift": 1.0,
        "lower_order_final": False,
        "num_train_timesteps": 1000,
        "prediction_type": "epsilon",
        "rescale_betas_zero_snr": False,
        "sample_max_value": 1.0,
        "solver_order": 3,
        "solver_type": "heun",
        "steps_offset": 1,
        "thresholding": False,
        "timestep_spacing": "leading",
        "trained_betas": None,
        "use_beta_sigmas": False,
        "use_exponential_sigmas": False,
        "use_flow_sigmas": False,
        "use_karras_sigmas": True,
        "use_lu_lambdas": False,
        "variance_type": None,
    },
]

NAMES = {
    "euler": ("EulerDiscreteScheduler", {}),
    "euler_a": ("EulerAncestralDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "dpm2": ("KDPM2DiscreteScheduler", {}),
    "dpm2_a": ("KDPM2AncestralDiscreteScheduler", {}),
    "dpmpp_2m": ("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++", "solver_order": 2}),
    "dpmpp_2m_sde": ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++", "solver_order": 2}),
    "dpmpp_3m_sde": ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++", "solver_order": 3}),
    "dpmpp_sde": ("DPMSolverSDEScheduler", {}),
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

SPACING_NAMES = {
    "leading": {"timestep_spacing": "leading"},
    "trailing": {"timestep_spacing": "trailing"},
    "linspace": {"timestep_spacing": "linspace"},
    "sgm_uniform": {"timestep_spacing": "trailing"},
    "karras": {"use_karras_sigmas": True},
    "exponential": {"use_exponential_sigmas": True},
    "beta": {"use_beta_sigmas": True},
}


def named():
    """`Class.from_config(checkpoint.scheduler.config, …)`: what the file says, and else the class's defaults."""
    for file, name in itertools.product(FILES, NAMES):
        class_name, implied = NAMES[name]
        cls = getattr(diffusers, class_name)
        loaded = getattr(diffusers, file["_class_name"]).from_config(file)
        keys = cls._get_init_keys(cls)
        spacings = [None, *(s for s in SPACING_NAMES if file is FILES[0] and set(SPACING_NAMES[s]) <= keys)]
        predictions = [None, "v"] if file is FILES[0] else [None]
        for spacing, prediction in itertools.product(spacings, predictions):
            changes = {**implied, **SPACING_NAMES.get(spacing, {})}
            if prediction:
                changes["prediction_type"] = "v_prediction"
            try:
                scheduler = cls.from_config(loaded.config, **changes)
            except (NotImplementedError, ValueError):
                continue  # DEIS refuses the SDE forms of DPM-Solver; ours takes no notice of them
            options = {"seeds": SEEDS} if name == "dpmpp_sde" else {}
            if name in ["unipc", "edm_dpmpp_2m"] and file is FILES[3]:
                # UniPC's last two levels are equal and the order stays, so that diffusers divides by 0. EDM's
                # class has no third order of the SDE form.
                continue
            case(file["_class_name"], 6, file, scheduler=scheduler, **options)
            said = {"name": name, "spacing": spacing, "prediction": prediction}
            cases[-1]["options"] = {key: value for key, value in said.items() if value}


if __name__ == "__main__":
    euler()
    euler_ancestral()
    heun()
    dpm2()
    lms()
    sde()
    k_diffusion_only()
    ddim()
    ddpm()
    pndm()
    dpm_solver()
    singlestep()
    unipc()
    deis()
    sa_solver()
    consistency()
    edm()
    explicit()
    align_your_steps()
    named()
    save_file({"values": torch.cat(values)}, "scheduler.safetensors")
    with open("scheduler.json", "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n")
    print(len(cases), "cases,", sum(len(part) for part in values), "values")
