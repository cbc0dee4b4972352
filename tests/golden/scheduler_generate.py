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
import torch
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


def run(scheduler, steps, strength=None, start=None, end=None, eta=None, timesteps=None, sigmas=None):
    """The loop of the text-to-image and image-to-image pipelines."""
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


def case(class_name, steps, config, tolerance=None, **options):
    """Runs and records one case. The configuration is what the file of a checkpoint would hold."""
    scheduler = getattr(diffusers, class_name).from_config(config)
    told, sigmas, samples = run(scheduler, steps, **options)
    if not samples:
        return  # a range between two timesteps: diffusers does nothing, we say so
    stacked = torch.stack(samples)
    assert torch.isfinite(stacked).all(), (class_name, steps, config, options)
    flat = [torch.tensor(told), torch.tensor(sigmas), stacked.flatten()]
    cases.append(
        {
            "config": {"_class_name": class_name, **config},
            "steps": steps,
            "options": options,
            "told": len(told),
            "sigmas": len(sigmas),
            "samples": len(samples),
        }
    )
    values.extend(part.to(torch.float32) for part in flat)


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


if __name__ == "__main__":
    euler()
    ddim()
    dpm_solver()
    save_file({"values": torch.cat(values)}, "scheduler.safetensors")
    with open("scheduler.json", "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    print(len(cases), "cases,", sum(len(part) for part in values), "values")
