"""Textual inversions: text-to-image runs on the tiny `base` model with words of one and of several vectors; what the
`refiner`'s text encoder makes of a file for one encoder."""

import copy

import torch
from diffusers import StableDiffusionXLImg2ImgPipeline, StableDiffusionXLPipeline

from random_weights import random_tensor
from runs import EULER, Steps, build_scheduler, load_pipeline, start_generators

VARIANT = "base"
CALL = {"num_inference_steps": 2, "guidance_scale": 5.0}
SEED = 0
# Words and how many vectors they have.
WORDS = {"mossy": 1, "<glass-owl>": 3}
# The refiner's.
LANTERN = ("lantern-fish", 2)
REFINER_PROMPT = "a photo of a lantern-fish at night"
WIDTHS = {"text_encoder": 32, "text_encoder_2": 40}

CASES = {
    "one": {"prompt": "a photo of a mossy cat", "negative_prompt": "blurry"},
    "several": {"prompt": "a photo of <glass-owl>, oil", "negative_prompt": "mossy, blurry"},
    "both": {"prompt": "<glass-owl> and mossy", "prompt_2": "a cat", "negative_prompt": "<glass-owl>"},
}


def vectors(word, component):
    count = (WORDS | dict([LANTERN]))[word]
    return random_tensor(f"embedding/{word}/{component}", [count, WIDTHS[component]]) * 0.3


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


def refiner(tokenizers, dtype):
    """The context and the pooled embedding of a prompt with a word of `emb_params`."""
    pipeline = load_pipeline(StableDiffusionXLImg2ImgPipeline, "refiner", copy.deepcopy(tokenizers), dtype)
    pipeline.load_textual_inversion(
        vectors(LANTERN[0], "text_encoder_2"),
        token=LANTERN[0],
        text_encoder=pipeline.text_encoder_2,
        tokenizer=pipeline.tokenizer_2,
    )
    pipeline.text_encoder_2.text_model.eos_token_id = 49407
    with torch.no_grad():
        context, _, pooled, _ = pipeline.encode_prompt(REFINER_PROMPT, do_classifier_free_guidance=False)
    return {"refiner.context": context, "refiner.pooled": pooled}


def embeddings(tokenizers, dtype=torch.float32):
    """The tensors of embeddings.safetensors and what embeddings.json says."""
    # Words are added to them.
    pipeline = load_pipeline(StableDiffusionXLPipeline, VARIANT, copy.deepcopy(tokenizers), dtype)
    pipeline.scheduler = build_scheduler(VARIANT, EULER)
    load(pipeline)
    tensors = refiner(tokenizers, dtype)
    for name, prompts in CASES.items():
        keep = Steps()
        pipeline(**CALL, **prompts, generator=start_generators([SEED]), callback_on_step_end=keep, output_type="latent")
        tensors[f"{name}.latents"] = keep.latents[-1]
        ids = pipeline.tokenizer(pipeline.maybe_convert_prompt(prompts["prompt"], pipeline.tokenizer)).input_ids
        tensors[f"{name}.ids"] = torch.tensor(ids)
    return tensors, {
        "variant": VARIANT,
        "words": WORDS,
        "call": CALL,
        "seed": SEED,
        "cases": CASES,
        "refiner": {"word": LANTERN[0], "prompt": REFINER_PROMPT},
    }
