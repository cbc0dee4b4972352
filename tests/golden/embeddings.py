"""Textual inversions on the tiny `base` model: text-to-image runs with words of one and of several vectors."""

import copy

import torch
from diffusers import StableDiffusionXLPipeline

from random_weights import random_tensor
from runs import EULER, Steps, build_scheduler, load_pipeline, start_generators

VARIANT = "base"
CALL = {"num_inference_steps": 2, "guidance_scale": 5.0}
SEED = 0
# Words and how many vectors they have.
WORDS = {"mossy": 1, "<glass-owl>": 3}
WIDTHS = {"text_encoder": 32, "text_encoder_2": 40}

CASES = {
    "one": {"prompt": "a photo of a mossy cat", "negative_prompt": "blurry"},
    "several": {"prompt": "a photo of <glass-owl>, oil", "negative_prompt": "mossy, blurry"},
    "both": {"prompt": "<glass-owl> and mossy", "prompt_2": "a cat", "negative_prompt": "<glass-owl>"},
}


def vectors(word, component):
    return random_tensor(f"embedding/{word}/{component}", [WORDS[word], WIDTHS[component]]) * 0.3


def load(pipeline):
    for word in WORDS:
        for component, tokenizer in [("text_encoder", "tokenizer"), ("text_encoder_2", "tokenizer_2")]:
            pipeline.load_textual_inversion(
                vectors(word, component),
                token=word,
                text_encoder=getattr(pipeline, component),
                tokenizer=getattr(pipeline, tokenizer),
            )
    # The largest id is then no longer the end of the text, which transformers would take for it.
    pipeline.text_encoder_2.text_model.eos_token_id = 49407


def embeddings(tokenizers, dtype=torch.float32):
    """The tensors of embeddings.safetensors and what embeddings.json says."""
    # Words are added to them.
    pipeline = load_pipeline(StableDiffusionXLPipeline, VARIANT, copy.deepcopy(tokenizers), dtype)
    pipeline.scheduler = build_scheduler(VARIANT, EULER)
    load(pipeline)
    tensors = {}
    for name, prompts in CASES.items():
        keep = Steps()
        pipeline(**CALL, **prompts, generator=start_generators([SEED]), callback_on_step_end=keep, output_type="latent")
        tensors[f"{name}.latents"] = keep.latents[-1]
        ids = pipeline.tokenizer(pipeline.maybe_convert_prompt(prompts["prompt"], pipeline.tokenizer)).input_ids
        tensors[f"{name}.ids"] = torch.tensor(ids)
    return tensors, {"variant": VARIANT, "words": WORDS, "call": CALL, "seed": SEED, "cases": CASES}
