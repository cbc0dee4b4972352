"""What the files of whole runs have in common: pipelines on the tiny models, and what is recorded of a run."""

import contextlib
import json

import diffusers
import torch

from models import VARIANTS, load

# Pixels along a side for each latent.
VAE_FACTOR = 8


def read_json(variant, file):
    return json.loads((VARIANTS / variant / file).read_text())


def load_pipeline(pipeline_class, variant, tokenizers, dtype, **options):
    """A tiny variant as a pipeline, with the settings of its model_index.json."""
    index = read_json(variant, "model_index.json")
    components = {
        name: load(variant, name, dtype) if index[name][0] else None
        for name in ["text_encoder", "text_encoder_2", "unet", "vae"]
    }
    components |= {
        name: tokenizer if index[name][0] else None for name, tokenizer in zip(["tokenizer", "tokenizer_2"], tokenizers)
    }
    settings = ["force_zeros_for_empty_prompt", "requires_aesthetics_score"]
    pipeline = pipeline_class(
        **components,
        **{name: index[name] for name in settings if name in index},
        scheduler=diffusers.EulerDiscreteScheduler.from_config(read_json(variant, "scheduler/scheduler_config.json")),
        add_watermarker=False,
        **options,
    )
    pipeline.set_progress_bar_config(disable=True)
    if dtype == torch.float64:
        # Otherwise the encoder computes in float32.
        pipeline.vae.register_to_config(force_upcast=False)
    return pipeline


def scheduler(name, class_name, overrides=None):
    """How a case says which scheduler it has: by the name of the command line and by diffusers' class."""
    return {"name": name, "class": class_name, "overrides": overrides or {}}


EULER = scheduler("euler", "EulerDiscreteScheduler")


def build_scheduler(variant, description):
    """`Class.from_config(the model's scheduler_config.json, **overrides)`."""
    scheduler_class = getattr(diffusers, description["class"])
    return scheduler_class.from_config(
        read_json(variant, "scheduler/scheduler_config.json"), **description["overrides"]
    )


def start_generators(seeds):
    return [torch.Generator("cpu").manual_seed(seed) for seed in seeds]


def draw(generators, shape):
    """One tensor of the shape from each generator, as a batch."""
    return torch.cat([torch.randn((1, *shape), generator=generator) for generator in generators])


def count_draws(generators, seeds, shape):
    """How many tensors of the shape were drawn from each generator since it was seeded."""
    return [count_draws_of_one(generator, seed, shape) for generator, seed in zip(generators, seeds)]


def count_draws_of_one(generator, seed, shape):
    replayed = torch.Generator("cpu").manual_seed(seed)
    for count in range(1000):
        if torch.equal(replayed.get_state(), generator.get_state()):
            return count
        torch.randn((1, *shape), generator=replayed)
    raise AssertionError(f"something else than {shape} was drawn")


@contextlib.contextmanager
def noise_in_single_precision():
    """Inside, torch.randn draws float32 also where float64 is asked for: the same noise in either type."""
    randn = torch.randn

    def draw_single(*size, dtype=None, **options):
        if dtype != torch.float64:
            return randn(*size, dtype=dtype, **options)
        return randn(*size, dtype=torch.float32, **options).to(dtype)

    torch.randn = draw_single
    try:
        yield
    finally:
        torch.randn = randn


class Steps:
    """Keeps the latents after each whole step, as a pipeline's `callback_on_step_end`.

    A second-order scheduler makes a step in two calls; what it has after the first of them is no result, unless the
    run ends there.
    """

    def __init__(self):
        self.latents = []

    def __call__(self, pipeline, index, timestep, tensors):
        is_whole = getattr(pipeline.scheduler, "state_in_first_order", True)
        if is_whole or index + 1 == pipeline.num_timesteps:
            self.latents.append(tensors["latents"])
        return {}

    def stacked(self):
        return torch.stack(self.latents)


@contextlib.contextmanager
def recorded(owner, method):
    """Inside, every call of the method is appended to the list that this yields, as (arguments, result)."""
    calls, original = [], getattr(owner, method)

    def record(*arguments, **options):
        result = original(*arguments, **options)
        calls.append((arguments, result))
        return result

    setattr(owner, method, record)
    try:
        yield calls
    finally:
        delattr(owner, method)


def prefixed(name, tensors):
    """The tensors of a case under the names that they have in the file."""
    return {f"{name}.{what}": tensor for what, tensor in tensors.items()}
