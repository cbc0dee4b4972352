"""One training step as PyTorch and diffusers make it: losses, gradients, AdamW and the moving average."""

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler
from diffusers.training_utils import EMAModel, compute_snr

from models import TIME_IDS, load
from random_weights import random_tensor, scale_and_offset, uniform

TIMESTEPS = torch.tensor([7, 640])
OFFSET_NOISE = 0.05
GAMMA = 5.0
LEARNING_RATE = 1e-3
STEPS = 2

# Large, so that the first steps are not the mere signs of gradients, which rounding decides where they are near 0.
EPS = 1e-4

INPUTS = {
    name: random_tensor(f"training.{name}", shape)
    for name, shape in {
        "latents": (2, 4, 8, 8),
        "noise": (2, 4, 8, 8),
        "offset": (2, 4, 1, 1),
        "pictures": (2, 3, 32, 24),
        "vae_noise": (2, 4, 4, 3),
    }.items()
}

CASES = {
    "epsilon": {"prediction_type": "epsilon", "snr": False, "offset": False},
    "epsilon_min_snr_offset": {"prediction_type": "epsilon", "snr": True, "offset": True},
    "v_min_snr": {"prediction_type": "v_prediction", "snr": True, "offset": False},
    "v_offset": {"prediction_type": "v_prediction", "snr": False, "offset": True},
}


def projections(named):
    """For each tensor, in the order of names: its norm, and its products with two fixed random tensors."""
    rows = []
    for name in sorted(named):
        tensor = named[name].double()
        row = [tensor.norm()]
        for number in range(2):
            scale, offset = scale_and_offset(name, tensor.shape)
            values = uniform(f"projection{number}/{name}", 0, tensor.numel()) * scale
            if offset is not None:
                values += offset
            row.append((tensor.flatten() * torch.from_numpy(values).double()).sum())
        rows.append(torch.stack(row))
    return torch.stack(rows)


def named_parameters(components):
    return {
        f"{component}.{name.removeprefix('text_model.')}": parameter
        for component, module in components.items()
        for name, parameter in module.named_parameters()
    }


def gradients(parameters):
    """Zeros where the loss does not depend on a parameter."""
    return {
        name: torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        for name, parameter in parameters.items()
    }


def token_ids(dtype=torch.int64):
    ids = torch.full((2, 77), 49407, dtype=dtype)
    ids[:, 0] = 49406
    ids[0, 1:5] = torch.tensor([320, 1125, 539, 2368])
    ids[1, 1:4] = torch.tensor([736, 3293, 1929])
    return ids


def optimise(parameters, loss_of):
    """Tensors of the first loss and gradients, and of weights and average after the steps."""
    optimizer = torch.optim.AdamW(parameters.values(), lr=LEARNING_RATE, weight_decay=0.01, eps=EPS, foreach=False)
    average = EMAModel(parameters.values(), decay=0.9999)
    before = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    tensors = {}
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        if step == 0:
            tensors["loss"] = loss.detach()
            tensors["gradients"] = projections(gradients(parameters))
        norm = torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0)
        if step == 0:
            tensors["gradient_norm"] = norm
        optimizer.step()
        average.step(parameters.values())
    changes = {name: parameter.detach() - before[name] for name, parameter in parameters.items()}
    tensors["weights"] = projections(changes)
    shadow = zip(parameters, average.shadow_params, strict=True)
    tensors["average"] = projections({name: parameter - before[name] for name, parameter in shadow})
    return tensors


def diffusion(case, dtype):
    components = {name: load("base", name, dtype) for name in ["text_encoder", "text_encoder_2", "unet"]}
    parameters = named_parameters(components)
    for parameter in parameters.values():
        parameter.requires_grad_(True)
    scheduler = DDPMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type=case["prediction_type"]
    )
    latents, noise, offset = (INPUTS[name].to(dtype) for name in ["latents", "noise", "offset"])
    if case["offset"]:
        noise = noise + OFFSET_NOISE * offset
    noisy = scheduler.add_noise(latents, noise, TIMESTEPS)
    velocity = case["prediction_type"] == "v_prediction"
    target = scheduler.get_velocity(latents, noise, TIMESTEPS) if velocity else noise

    def loss():
        first = components["text_encoder"](token_ids(), output_hidden_states=True)
        second = components["text_encoder_2"](token_ids(), output_hidden_states=True)
        context = torch.cat([first.hidden_states[-2], second.hidden_states[-2]], dim=-1)
        conditions = {"text_embeds": second.text_embeds, "time_ids": TIME_IDS.to(dtype)}
        output = components["unet"](noisy, TIMESTEPS, context, added_cond_kwargs=conditions).sample
        if not case["snr"]:
            return F.mse_loss(output.float(), target.float())
        # As train_text_to_image_sdxl.py has it.
        snr = compute_snr(scheduler, TIMESTEPS)
        weights = torch.stack([snr, GAMMA * torch.ones_like(snr)], dim=1).min(dim=1)[0]
        weights = weights / (snr + 1) if velocity else weights / snr
        each = F.mse_loss(output.float(), target.float(), reduction="none").mean(dim=(1, 2, 3))
        return (each * weights).mean()

    return optimise(parameters, loss)


def autoencoder(dtype):
    vae = load("base", "vae", dtype)
    parameters = named_parameters({"vae": vae})
    for parameter in parameters.values():
        parameter.requires_grad_(True)
    pictures, noise = (INPUTS[name].to(dtype) for name in ["pictures", "vae_noise"])

    def edges(difference):
        vertical = difference[:, :, 1:] - difference[:, :, :-1]
        horizontal = difference[:, :, :, 1:] - difference[:, :, :, :-1]
        return vertical.abs().mean() + horizontal.abs().mean()

    def loss():
        posterior = vae.encode(pictures).latent_dist
        decoded = vae.decode(posterior.mean + posterior.std * noise).sample
        difference = decoded - pictures
        terms = (edges(F.avg_pool2d(difference, 2**scale)) if scale else edges(difference) for scale in range(3))
        return F.l1_loss(decoded, pictures) + sum(terms) / 6 + 1e-6 * posterior.kl().sum() / pictures.numel()

    return optimise(parameters, loss)


def adamw(dtype):
    """Five steps with the defaults on one parameter, whose gradient is the parameter times fixed factors."""
    parameter = torch.nn.Parameter(INPUTS["noise"].to(dtype).clone())
    optimizer = torch.optim.AdamW([parameter], lr=LEARNING_RATE, weight_decay=0.01)
    average = EMAModel([parameter], decay=0.9999)
    for _ in range(5):
        optimizer.zero_grad()
        (parameter.square() * INPUTS["latents"].to(dtype)).sum().backward()
        optimizer.step()
        average.step([parameter])
    return {"weights": parameter.detach(), "average": average.shadow_params[0]}


def training(dtype=torch.float32):
    """The tensors of training.safetensors."""
    with torch.enable_grad():
        tensors = {"adamw": adamw(dtype), "vae": autoencoder(dtype)} | {name: diffusion(case, dtype) for name, case in CASES.items()}
    return INPUTS | {f"{case}.{name}": tensor for case, of_case in tensors.items() for name, tensor in of_case.items()}
