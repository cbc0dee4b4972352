"""Runs of StableDiffusionXLInpaintPipeline on the tiny `base` and `refiner` (4 channels) and `inpaint` (9 channels)."""

import torch
from diffusers import StableDiffusionXLInpaintPipeline
from diffusers.image_processor import VaeImageProcessor

import image_to_image
from pictures import from_pixels, mask_pixels, pixels, to_tensor
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
from schedulers import named_scheduler

# Every parameter of the call that a case may set. None is "not given".
DEFAULTS = image_to_image.DEFAULTS | {
    "strength": 0.9999,
    "guidance_scale": 7.5,
    "height": None,
    "width": None,
    "padding_mask_crop": None,
}

# Size of picture and mask, and the mask's rectangle: first row, end of rows, first column, end of columns. Sizes of the
# result as `height` and `width`; without them it is that of the model, 64 x 64.
INPUTS = {
    "square": {"size": (64, 64), "mask": (13, 51, 21, 60)},
    "non_square": {"size": (72, 104), "mask": (5, 60, 40, 99), "height": 72, "width": 104},
    # Both are resized.
    "resized": {"size": (70, 100), "mask": (10, 50, 33, 81), "height": 64, "width": 96},
    "blurred": {"size": (64, 64), "mask": (16, 49, 18, 63), "blur": 4},
    "two": {"size": (64, 64), "mask": (13, 51, 21, 60), "second_mask": (2, 40, 30, 63)},
    # Of these only the surroundings of the mask are redrawn, enlarged. The second one has to be moved off the edge.
    "cropped": {"size": (96, 128), "mask": (30, 59, 50, 87), "padding_mask_crop": 8, "height": 64, "width": 64},
    "cropped_wide": {"size": (96, 128), "mask": (57, 91, 5, 30), "padding_mask_crop": 8, "height": 64, "width": 96},
}


def case(name, variant, input="square", seeds=(0,), scheduler=EULER, **call):
    """One run on the picture and mask of an input."""
    assert call.keys() <= DEFAULTS.keys(), call.keys() - DEFAULTS.keys()
    of_the_input = {key: INPUTS[input].get(key) for key in ["height", "width", "padding_mask_crop"]}
    return {
        "name": f"{variant}_{name}",
        "variant": variant,
        "input": input,
        "seeds": list(seeds),
        "scheduler": scheduler,
        "call": DEFAULTS | of_the_input | call,
    }


def both(name, **options):
    return [case(name, variant, **options) for variant in ["base", "inpaint"]]


CASES = [
    *both("default"),
    *both("strength_1", strength=1.0),
    *both("strength_0_5", strength=0.5),
    *both("negative", strength=0.5, negative_prompt="blurry, low quality"),
    *both("guidance_off", strength=0.5, guidance_scale=1.0),
    *both("euler_a", scheduler=named_scheduler("euler_a")),
    *both("euler_a_strength_1", scheduler=named_scheduler("euler_a"), strength=1.0),
    *both("dpmpp_2m", scheduler=named_scheduler("dpmpp_2m")),
    *both("dpmpp_2m_strength_0_5", scheduler=named_scheduler("dpmpp_2m"), strength=0.5),
    *both("ddim", scheduler=named_scheduler("ddim"), strength=0.5),
    *both("heun", scheduler=named_scheduler("heun"), strength=0.5),
    *both("non_square", input="non_square", strength=0.5),
    *both("resized", input="resized", strength=0.5),
    # One picture for both seeds, and a picture for each.
    *both("batch", seeds=[7, 11], strength=0.5),
    *both("batch_of_pictures", input="two", seeds=[7, 11], strength=0.5),
    *both("batch_strength_1", seeds=[7, 11], strength=1.0),
    case("blurred", "base", input="blurred", strength=0.5),
    case("cropped", "base", input="cropped", strength=0.5),
    case("cropped_wide", "inpaint", input="cropped_wide"),
    case("default", "refiner"),
]
# Of these the decoded picture is kept too.
WITH_PICTURE = {
    "base_default",
    "base_batch_of_pictures",
    "base_blurred",
    "base_cropped",
    "inpaint_default",
    "inpaint_cropped_wide",
}


class Input:
    """The pictures and masks of an input, and what the pipeline makes of them."""

    def __init__(self, name):
        self.settings = settings = INPUTS[name]
        height, width = settings["size"]
        masks = [settings[key] for key in ["mask", "second_mask"] if key in settings]
        names = [f"inpaint_{height}x{width}", "inpaint_second"][: len(masks)]
        self.pictures = [from_pixels(pixels(name, height, width)) for name in names]
        self.sharp_masks = [from_pixels(mask_pixels(height, width, *mask)) for mask in masks]
        blur = settings.get("blur")
        self.masks = [VaeImageProcessor.blur(mask, blur) for mask in self.sharp_masks] if blur else self.sharp_masks

    def crop_region(self):
        """(left, top, right, bottom) of what is redrawn, or None."""
        padding = self.settings.get("padding_mask_crop")
        if padding is None:
            return None
        size = self.settings["width"], self.settings["height"]
        return VaeImageProcessor.get_crop_region(self.masks[0], *size, pad=padding)

    def arguments(self):
        """`image` and `mask_image` of the call, which cropping takes single only."""
        if len(self.pictures) == 1:
            return {"image": self.pictures[0], "mask_image": self.masks[0]}
        return {"image": self.pictures, "mask_image": self.masks}

    def tensors(self, pipeline):
        """The 8-bit input, and what comes of it before the encoder."""
        region = self.crop_region()
        options = {
            "height": self.settings.get("height", 64),
            "width": self.settings.get("width", 64),
            "crops_coords": region,
            "resize_mode": "fill" if region else "default",
        }
        values = pipeline.image_processor.preprocess(self.pictures, **options)
        mask = pipeline.mask_processor.preprocess(self.masks, **options)
        tensors = {
            "pixels": torch.stack([to_tensor(picture) for picture in self.pictures]),
            "mask_pixels": torch.stack([to_tensor(mask) for mask in self.masks]),
            # Between -1 and 1, as the encoder gets them.
            "values": values,
            "mask": mask,
            "masked_values": values * (mask < 0.5),
        }
        if "blur" in self.settings:
            tensors["sharp_mask_pixels"] = torch.stack([to_tensor(mask) for mask in self.sharp_masks])
        return tensors


def run(pipeline, description, source, dtype):
    """The tensors of one case, and how many tensors were drawn from each generator."""
    seeds, call = description["seeds"], description["call"]
    pipeline.scheduler = build_scheduler(description["variant"], description["scheduler"])
    generators, keep = start_generators(seeds), Steps()
    is_cropped = call["padding_mask_crop"] is not None
    with (
        recorded(pipeline, "prepare_latents") as starts,
        recorded(pipeline, "prepare_mask_latents") as mask_latents,
        recorded(pipeline.scheduler, "add_noise") as noisings,
    ):
        result = pipeline(
            **call,
            **source.arguments(),
            num_images_per_prompt=len(seeds),
            generator=generators,
            callback_on_step_end=keep,
            output_type="pil" if is_cropped else "pt",
        ).images
    steps = keep.stacked()
    [(_, (start, noise, *_))] = starts
    [(_, (mask, masked_image_latents))] = mask_latents
    tensors = {
        "noise": noise,
        "start": start,
        # Twice in the batch with guidance.
        "latent_mask": mask[: len(seeds)],
        "masked_image_latents": masked_image_latents[: len(seeds)],
        "steps": steps,
        "latents": steps[-1],
    }
    if noisings:
        tensors["image_latents"] = noisings[0][0][0]
    if description["name"] in WITH_PICTURE:
        # Where the pipeline pastes, it does not give what it pastes.
        tensors["picture"] = decode(pipeline, steps[-1]) if is_cropped else result
    if is_cropped:
        tensors["overlay"] = to_tensor(result[0])
    elif "blur" in source.settings:
        tensors["overlay"] = overlay(pipeline, source, result)
    check_order_of_draws(pipeline, description, source.tensors(pipeline), tensors)
    return tensors, count_draws(generators, seeds, start.shape[1:])


def decode(pipeline, latents):
    """The picture in [0, 1]."""
    image = pipeline.vae.decode(latents / pipeline.vae.config.scaling_factor).sample
    return pipeline.image_processor.postprocess(image, output_type="pt")


def overlay(pipeline, source, picture):
    """The original picture where the mask is 0, the new one where it is 255."""
    drawn = VaeImageProcessor.numpy_to_pil(VaeImageProcessor.pt_to_numpy(picture))[0]
    return to_tensor(pipeline.image_processor.apply_overlay(source.masks[0], source.pictures[0], drawn))


def check_order_of_draws(pipeline, description, source, tensors):
    """The sample of the picture, where it is encoded at all, then the noise, then the sample of the masked picture."""
    dtype, shape, count = tensors["start"].dtype, tensors["start"].shape[1:], len(description["seeds"])
    generators = start_generators(description["seeds"])

    def encode(values):
        """One picture takes its numbers from the first generator only, however many pictures are made of it."""
        posterior = pipeline.vae.encode(values.to(dtype)).latent_dist
        sample = posterior.mean + posterior.std * draw(generators[: len(values)], shape).to(dtype)
        return (sample * pipeline.vae.config.scaling_factor).repeat(count // len(values), 1, 1, 1)

    if pipeline.unet.config.in_channels == 4 or description["call"]["strength"] < 1:
        torch.testing.assert_close(tensors["image_latents"], encode(source["values"]), rtol=1e-5, atol=1e-5)
    else:
        assert "image_latents" not in tensors
    assert torch.equal(tensors["noise"], draw(generators, shape).to(dtype))
    torch.testing.assert_close(tensors["masked_image_latents"], encode(source["masked_values"]), rtol=1e-5, atol=1e-5)


def inpaint(tokenizers, dtype=torch.float32):
    """The tensors of inpaint.safetensors and what inpaint.json says."""
    loaded = {
        variant: load_pipeline(StableDiffusionXLInpaintPipeline, variant, tokenizers, dtype)
        for variant in ["base", "inpaint", "refiner"]
    }
    sources = {name: Input(name) for name in INPUTS}
    tensors, cases = {}, []
    for name, source in sources.items():
        tensors |= prefixed(name, source.tensors(loaded["base"]))
    with noise_in_single_precision():
        for description in CASES:
            source = sources[description["input"]]
            outputs, draws = run(loaded[description["variant"]], description, source, dtype)
            tensors |= prefixed(description["name"], outputs)
            cases.append(description | {"draws": draws})
    inputs = {
        name: {"blur": source.settings.get("blur"), "crop_region": source.crop_region()}
        for name, source in sources.items()
    }
    return tensors, {"inputs": inputs, "cases": cases}
