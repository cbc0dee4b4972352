"""Single layers, taken out of the tiny `base` model so that their settings are those of SDXL."""

import torch
from diffusers import StableDiffusionXLPipeline
from diffusers.models.embeddings import get_timestep_embedding

from models import load
from random_weights import fill_, random_tensor

TIMESTEPS = torch.tensor([0.0, 1.0, 3.7, 500.0, 981.0, 999.0])
# What the pipeline embeds: guidance scale - 1.
GUIDANCE_SCALES = torch.tensor([0.0, 0.5, 4.0, 7.5])

# The amplitude of `x` in the cases called `…_faint`: only there does a wrong epsilon of a normalisation show.
FAINT = 0.01


def embeddings(dtype):
    """The sinusoids of the timestep and of the guidance scale, which have their own order and frequencies."""
    guidance_embedding = StableDiffusionXLPipeline.get_guidance_scale_embedding
    tensors = {}
    for width in [32, 320]:
        case = f"timestep_embedding_{width}"
        tensors[f"{case}.timesteps"] = TIMESTEPS
        tensors[f"{case}.output"] = get_timestep_embedding(
            TIMESTEPS, width, flip_sin_to_cos=True, downscale_freq_shift=0
        )
    for width in [16, 256]:
        case = f"guidance_embedding_{width}"
        tensors[f"{case}.scales"] = GUIDANCE_SCALES
        tensors[f"{case}.output"] = guidance_embedding(None, GUIDANCE_SCALES, embedding_dim=width)
    return {name: tensor.to(dtype) for name, tensor in tensors.items()}


def layer_cases(dtype):
    """Rows of: case, module, the shape of each input, the call."""
    unet, vae = load("base", "unet", dtype), load("base", "vae", dtype)
    quick_gelu_layer = load("base", "text_encoder", dtype).encoder.layers[0]
    gelu_layer = load("base", "text_encoder_2", dtype).text_model.encoder.layers[0]

    resnet, resnet_shortcut = unet.down_blocks[2].resnets[1], unet.down_blocks[1].resnets[0]
    transformer = unet.down_blocks[2].attentions[0]
    feed_forward = transformer.transformer_blocks[0].ff
    downsample, upsample = unet.down_blocks[1].downsamplers[0], unet.up_blocks[0].upsamplers[0]
    vae_resnet, vae_attention = vae.encoder.mid_block.resnets[0], vae.encoder.mid_block.attentions[0]
    vae_downsample = vae.encoder.down_blocks[1].downsamplers[0]

    def run(layer, x):
        return layer(x)

    def run_resnet(layer, x, temb=None):
        return layer(x, temb)

    def run_transformer(layer, x, context):
        return layer(x, context, return_dict=False)[0]

    def run_causal(layer, x):
        length = x.shape[1]
        mask = torch.full((length, length), float("-inf"), dtype=dtype).triu(1)
        return layer(x, mask[None, None])

    def run_to_9x13(layer, x):
        return layer(x, (9, 13))

    temb, context = {"temb": (2, 64)}, {"context": (2, 7, 72)}
    wide, narrow, odd = {"x": (2, 32, 6, 5)}, {"x": (2, 16, 6, 5)}, {"x": (1, 32, 9, 13)}
    return [
        ("resnet", resnet, wide | temb, run_resnet),
        ("resnet_faint", resnet, wide | temb, run_resnet),
        ("resnet_shortcut", resnet_shortcut, narrow | temb, run_resnet),
        ("transformer", transformer, wide | context, run_transformer),
        ("transformer_faint", transformer, wide | context, run_transformer),
        ("feed_forward", feed_forward, {"x": (2, 7, 32)}, run),
        ("downsample", downsample, wide, run),
        ("downsample_odd", downsample, odd, run),
        ("upsample", upsample, wide, run),
        ("upsample_odd", upsample, {"x": (1, 32, 5, 7)}, run_to_9x13),
        ("vae_resnet", vae_resnet, narrow, run_resnet),
        ("vae_resnet_faint", vae_resnet, narrow, run_resnet),
        ("vae_attention", vae_attention, narrow, run),
        ("vae_attention_faint", vae_attention, narrow, run),
        ("vae_downsample", vae_downsample, {"x": (2, 16, 6, 8)}, run),
        ("clip_layer_quick_gelu", quick_gelu_layer, {"x": (2, 11, 32)}, run_causal),
        ("clip_layer_gelu", gelu_layer, {"x": (2, 11, 40)}, run_causal),
        ("clip_layer_gelu_faint", gelu_layer, {"x": (2, 11, 40)}, run_causal),
    ]


def layers(dtype=torch.float32):
    """The tensors of layers.safetensors."""
    tensors = embeddings(dtype)
    for case, module, shapes, run in layer_cases(dtype):
        fill_(module, f"layer/{case}")
        inputs = {what: random_tensor(f"input/{case}/{what}", shape) for what, shape in shapes.items()}
        if case.endswith("_faint"):
            inputs["x"] *= FAINT
        inputs = {what: tensor.to(dtype) for what, tensor in inputs.items()}
        tensors |= {f"{case}.{what}": tensor for what, tensor in inputs.items()}
        tensors[f"{case}.output"] = run(module, *inputs.values())
    return tensors
