"""LoRAs and their relatives on the tiny `base` model: text-to-image runs with each layout and each kind.

What diffusers reads (with PEFT) is loaded by it. The kinds that it does not read are LyCORIS' own functions, whose
results are added to the weights here.
"""

import json
from pathlib import Path

import torch
from diffusers import StableDiffusionXLPipeline
from lycoris.functional import locon, loha, lokr
from lycoris.functional.general import weight_decompose
from safetensors.torch import load_file

from random_weights import random_tensor
from runs import EULER, Steps, build_scheduler, load_pipeline, start_generators

VARIANT = "base"
CALL = {
    "prompt": "a photo of a cat",
    "negative_prompt": "blurry, low quality",
    "num_inference_steps": 2,
    "guidance_scale": 5.0,
}
SEED = 0
# Written by this crate's trainer.
TRAINED = Path(__file__).resolve().parent / "trained_lora.safetensors"

UNET_ATTENTION = [
    "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q",
    "down_blocks.1.attentions.1.transformer_blocks.0.attn2.to_k",
    "down_blocks.2.attentions.0.transformer_blocks.1.attn2.to_v",
    "mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0",
    "up_blocks.0.attentions.2.transformer_blocks.1.attn1.to_k",
    "up_blocks.1.attentions.1.transformer_blocks.0.attn2.to_out.0",
]
UNET_LINEAR = UNET_ATTENTION + [
    "down_blocks.2.attentions.1.proj_in",
    "mid_block.attentions.0.transformer_blocks.1.ff.net.0.proj",
    "up_blocks.0.attentions.0.transformer_blocks.0.ff.net.2",
    "up_blocks.1.attentions.2.proj_out",
]
UNET_CONV = [
    "down_blocks.0.resnets.1.conv1",
    "down_blocks.0.downsamplers.0.conv",
    "mid_block.resnets.1.conv2",
    "up_blocks.0.upsamplers.0.conv",
    "up_blocks.2.resnets.0.conv_shortcut",
]
TEXT = [
    "encoder.layers.0.self_attn.q_proj",
    "encoder.layers.1.self_attn.out_proj",
    "encoder.layers.2.mlp.fc1",
    "encoder.layers.2.mlp.fc2",
]
TEXT_ATTENTION = TEXT[:2]


class Files:
    """The tensors of a LoRA, and where in the model each layer is."""

    def __init__(self, name, pipeline):
        self.name, self.pipeline = name, pipeline
        self.tensors, self.rows, self.metadata = {}, [], None

    def add(self, key, shape, offset=0.0, scale=1.0):
        """A tensor of random numbers: `offset + scale * r`, with r of the stream of the key."""
        values = random_tensor(f"lora/{self.name}/{key}", shape) * scale + offset
        self.tensors[key] = values
        self.rows.append([key, list(shape), offset, scale])
        return values

    def constant(self, key, value):
        return self.add(key, [], offset=value, scale=0.0)

    def alpha(self, key, rank):
        """Another one for each rank."""
        alpha = [0.5, 1.0, 3.0][rank % 3]
        self.constant(f"{key}.alpha", alpha)
        return alpha

    def weight(self, component, layer):
        return self.module(component, layer).weight

    def module(self, component, layer):
        return getattr(self.pipeline, component).get_submodule(own_name(component, layer))

    def low_rank(self, component, layer, rank, keys):
        """The two halves of a LoRA, named by `keys`."""
        shape = self.weight(component, layer).shape
        kernel = list(shape[2:])
        down = self.add(keys[0], [rank, shape[1], *kernel], scale=shape[1:].numel() ** -0.5)
        up = self.add(keys[1], [shape[0], rank, *[1 for _ in kernel]])
        return down, up

    def description(self):
        return {"tensors": self.rows, "metadata": self.metadata}


def own_name(component, layer):
    """The layer's name in transformers 5, whose first encoder has lost the level `text_model`."""
    return f"text_model.{layer}" if component == "text_encoder_2" else layer


def layers(text=TEXT, unet=UNET_LINEAR):
    """Each layer with its component and a rank of its own."""
    both = [("text_encoder", layer) for layer in text] + [("text_encoder_2", layer) for layer in text]
    everything = [("unet", layer) for layer in unet] + both
    return [(component, layer, 2 + index % 3) for index, (component, layer) in enumerate(everything)]


def stability(layer):
    """The name of a UNet's layer in Stability's layout."""
    simple = {
        "conv_in": "input_blocks.0.0",
        "conv_out": "out.2",
        "time_embedding.linear_1": "time_embed.0",
        "add_embedding.linear_2": "label_emb.0.2",
    }
    if layer in simple:
        return simple[layer]
    block, *rest = layer.split(".")
    level = 0 if block == "mid_block" else int(rest.pop(0))
    kind, index, *rest = rest
    index = int(index)
    inner = {
        "conv1": "in_layers.2",
        "conv2": "out_layers.3",
        "time_emb_proj": "emb_layers.1",
        "conv_shortcut": "skip_connection",
    }
    rest = [inner.get(rest[0], rest[0]), *rest[1:]] if kind == "resnets" else rest
    if block == "mid_block":
        place = f"middle_block.{1 if kind == 'attentions' else 2 * index}"
    elif kind == "downsamplers":
        place, rest = f"input_blocks.{3 * level + 3}.0", ["op"]
    elif kind == "upsamplers":
        place, rest = f"output_blocks.{3 * level + 2}.2", ["conv"]
    else:
        blocks = f"input_blocks.{3 * level + index + 1}" if block == "down_blocks" else f"output_blocks.{3 * level + index}"
        place = f"{blocks}.{1 if kind == 'attentions' else 0}"
    return ".".join([place, *rest])


def kohya(component, layer, names=lambda layer: layer):
    prefix = {"unet": "lora_unet_", "text_encoder": "lora_te1_text_model_", "text_encoder_2": "lora_te2_text_model_"}
    layer = names(layer) if component == "unet" else layer
    return prefix[component] + layer.replace(".", "_")


def kohya_file(file, names=lambda layer: layer, unet=UNET_LINEAR):
    for component, layer, rank in layers(unet=unet):
        key = kohya(component, layer, names)
        file.low_rank(component, layer, rank, [f"{key}.lora_down.weight", f"{key}.lora_up.weight"])
        # One for all layers: of several, diffusers ignores those of the UNet's attention.
        file.constant(f"{key}.alpha", 1.5)


def dotted_file(file, down, up, chosen=None):
    """`down` and `up` are what follows the layer's name."""
    for component, layer, rank in chosen or layers():
        name = own_name(component, layer)
        file.low_rank(component, layer, rank, [f"{component}.{name}{down}", f"{component}.{name}{up}"])


def processors_file(file):
    """diffusers' attention processors."""
    for component, layer, rank in layers(text=TEXT_ATTENTION, unet=UNET_ATTENTION):
        owner, name = layer.rsplit(".to_", 1) if component == "unet" else layer.rsplit(".", 1)
        if component == "unet":
            prefix = f"unet.{owner}.processor.to_{name.removesuffix('.0')}_lora"
        else:
            prefix = f"{component}.{own_name(component, owner)}.to_{name.removesuffix('_proj')}_lora"
        file.low_rank(component, layer, rank, [f"{prefix}.down.weight", f"{prefix}.up.weight"])


def metadata_file(file):
    """PEFT's configuration beside the tensors: one rank and alpha, but for some layers."""
    chosen = [(component, layer, 4) for component, layer, _ in layers()]
    odd = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
    chosen = [(component, layer, 2 if layer == odd else rank) for component, layer, rank in chosen]
    dotted_file(file, ".lora_A.weight", ".lora_B.weight", chosen)
    config = {}
    for component in ["unet", "text_encoder", "text_encoder_2"]:
        targets = [own_name(owner, layer) for owner, layer, _ in chosen if owner == component]
        config |= {
            f"{component}.{name}": value
            for name, value in {
                "r": 4,
                "lora_alpha": 2 if component == "unet" else 6,
                "rank_pattern": {odd: 2} if component == "unet" else {},
                "alpha_pattern": {odd: 3, "up_blocks.1.attentions.2.proj_out": 5} if component == "unet" else {},
                "use_rslora": component == "text_encoder_2",
                "target_modules": targets,
            }.items()
        }
    file.metadata = {"lora_adapter_metadata": json.dumps(config)}


def peft_dora_file(file):
    for component, layer, rank in layers(unet=UNET_LINEAR + UNET_CONV[:1]):
        prefix = f"{component}.{own_name(component, layer)}"
        file.low_rank(component, layer, rank, [f"{prefix}.lora_A.weight", f"{prefix}.lora_B.weight"])
        weight = file.weight(component, layer)
        shape = [weight.shape[0]] if weight.dim() == 2 else [1, weight.shape[0], 1, 1]
        file.add(f"{prefix}.lora_magnitude_vector", shape, offset=1.0, scale=0.5)


def load(pipeline, files, weights):
    """Loads with diffusers."""
    for index, file in enumerate(files):
        metadata = json.loads(file.metadata["lora_adapter_metadata"]) if file.metadata else None
        if metadata is None:
            pipeline.load_lora_weights(dict(file.tensors), adapter_name=f"a{index}")
        else:
            # From a dictionary of tensors diffusers takes no metadata.
            options = {"network_alphas": None, "adapter_name": f"a{index}", "metadata": metadata, "_pipeline": pipeline}
            pipeline.load_lora_into_unet(file.tensors, unet=pipeline.unet, **options)
            for component in ["text_encoder", "text_encoder_2"]:
                encoder = getattr(pipeline, component)
                pipeline.load_lora_into_text_encoder(file.tensors, text_encoder=encoder, prefix=component, **options)
        # These diffusers loses, and PEFT goes on with the weights' own norms.
        for key, tensor in file.tensors.items():
            component, _, layer = key.removesuffix(".lora_magnitude_vector").partition(".")
            if component.startswith("text_encoder") and key.endswith("lora_magnitude_vector"):
                module = getattr(pipeline, component).get_submodule(layer)
                module.lora_magnitude_vector[f"a{index}"].weight.data = tensor
    pipeline.set_adapters([f"a{index}" for index in range(len(files))], weights)


def load_trained(pipeline):
    """Loads the trainer's file as users do, and checks that each of its tensors has arrived."""
    pipeline.load_lora_weights(str(TRAINED), adapter_name="trained")
    for key, tensor in load_file(TRAINED).items():
        component, name = key.split(".", 1)
        layer, half = name.removesuffix(".weight").rsplit(".", 1)
        if component == "text_encoder":
            layer = layer.removeprefix("text_model.")
        module = getattr(pipeline, component).get_submodule(layer)
        assert torch.equal(getattr(module, half)["trained"].weight.float(), tensor), f"{key} was not loaded"


# The kinds of LyCORIS. Each adds the tensors of a layer to the file and returns what it adds to the weight.


def factor_sides(size):
    """The divisor next to the square root, and the other one."""
    small = max(side for side in range(1, size + 1) if size % side == 0 and side * side <= size)
    return small, size // small


def add_locon_core(file, key, weight, rank):
    out, inner, *kernel = weight.shape
    down = file.add(f"{key}.lora_down.weight", [rank, inner, 1, 1], scale=inner**-0.5)
    up = file.add(f"{key}.lora_up.weight", [out, rank, 1, 1])
    mid = file.add(f"{key}.lora_mid.weight", [rank, rank, *kernel], scale=0.3)
    alpha = file.alpha(key, rank)
    return locon.diff_weight(down, up, mid, gamma=alpha / rank)


def add_loha(file, key, weight, rank, core=False):
    out, inner, *kernel = weight.shape
    scale = inner**-0.25
    if core:
        shapes = [[rank, out], [rank, inner]]
        cores = [file.add(f"{key}.hada_t{n}", [rank, rank, *kernel], scale=0.5) for n in [1, 2]]
    else:
        shapes = [[out, rank], [rank, weight[0].numel()]]
        cores = [None, None]
    w1u, w1d, w2u, w2d = (
        file.add(f"{key}.hada_{name}", shape, scale=scale)
        for name, shape in zip(["w1_a", "w1_b", "w2_a", "w2_b"], shapes * 2)
    )
    return loha.diff_weight(w1d, w1u, w2d, w2u, *cores, gamma=file.alpha(key, rank) / rank)


def add_lokr(file, key, weight, rank, split=("w2",), core=False):
    out, inner, *kernel = weight.shape
    (a, c), (b, d) = factor_sides(out), factor_sides(inner)
    parts = dict.fromkeys(["w1", "w1_a", "w1_b", "w2", "w2_a", "w2_b", "t2"])
    shapes = {"w1": [a, b]} if "w1" not in split else {"w1_a": [a, rank], "w1_b": [rank, b]}
    if "w2" not in split:
        shapes |= {"w2": [c, d, *kernel]}
    elif core:
        shapes |= {"t2": [rank, rank, *kernel], "w2_a": [rank, c], "w2_b": [rank, d]}
    else:
        shapes |= {"w2_a": [c, rank], "w2_b": [rank, d, *kernel]}
    for name, shape in shapes.items():
        parts[name] = file.add(f"{key}.lokr_{name}", shape, scale=0.5)
    alpha = file.alpha(key, rank)
    w1 = parts["w1"] if parts["w1"] is not None else parts["w1_a"] @ parts["w1_b"]
    # LyCORIS divides by the columns of w2_a, which with a core are not the rank: it is divided here.
    gamma = 1.0 if parts["w2_a"] is None else parts["w2_a"].shape[1]
    w2 = [parts[name] for name in ["w2", "w2_a", "w2_b", "t2"]]
    # Two whole matrices have no rank, and no scale.
    return lokr.diff_weight(w1, None, None, *w2, gamma=gamma) * (alpha / rank if split else 1)


def add_difference(file, key, weight, module=None):
    difference = file.add(f"{key}.diff", list(weight.shape), scale=0.5 * weight[0].numel() ** -0.5)
    if module.bias is not None:
        module.bias += file.add(f"{key}.diff_b", list(module.bias.shape), scale=0.2)
    return difference


def add_dora(file, key, weight, rank, on_outputs):
    out, inner, *kernel = weight.shape
    keys = [f"{key}.lora_down.weight", f"{key}.lora_up.weight"]
    down = file.add(keys[0], [rank, inner, *kernel], scale=weight[0].numel() ** -0.5)
    up = file.add(keys[1], [out, rank, *[1 for _ in kernel]], scale=0.5)
    alpha = file.alpha(key, rank)
    ones = [1 for _ in kernel]
    shape = [out, 1, *ones] if on_outputs else [1, inner, *ones]
    scale = file.add(f"{key}.dora_scale", shape, offset=1.0, scale=0.5)
    changed = weight + locon.diff_weight(down, up, None, gamma=alpha / rank)
    return weight_decompose(changed, scale, 1, on_outputs) - weight


def lycoris_file(file, kind, factor):
    """Adds the layers of a kind to the file, and `factor` times what they add to the weights of the model."""
    for index, (component, layer, rank) in enumerate(layers(unet=UNET_LINEAR + UNET_CONV)):
        module = file.module(component, layer)
        weight, key = module.weight.data, kohya(component, layer, stability)
        is_conv = weight.dim() == 4 and weight.shape[-1] > 1
        with torch.no_grad():
            if kind == "locon_core":
                if not is_conv:
                    continue
                added = add_locon_core(file, key, weight, rank)
            elif kind == "loha":
                added = add_loha(file, key, weight, rank, core=is_conv and index % 2 == 0)
            elif kind == "lokr":
                split = [("w2",), ("w1", "w2"), ()][index % 3]
                added = add_lokr(file, key, weight, rank, split, core=is_conv and index % 2 == 0)
            elif kind == "difference":
                added = add_difference(file, key, weight, module)
            else:
                added = add_dora(file, key, weight, rank, kind == "dora_outputs")
            module.weight += factor * added.reshape(weight.shape)
    if kind == "difference":
        norm = file.pipeline.unet.get_submodule("mid_block.resnets.0.norm1")
        with torch.no_grad():
            key = kohya("unet", "mid_block.resnets.0.norm1")
            norm.weight += file.add(f"{key}.w_norm", list(norm.weight.shape), scale=0.3)
            norm.bias += file.add(f"{key}.b_norm", list(norm.bias.shape), scale=0.3)


def run(pipeline):
    pipeline.scheduler = build_scheduler(VARIANT, EULER)
    keep = Steps()
    pipeline(**CALL, generator=start_generators([SEED]), callback_on_step_end=keep, output_type="latent")
    return keep.latents[-1]


def cases():
    """Name, what makes the files, the weights; of diffusers' calls also the part of each component or block."""

    def dotted(down, up, **options):
        return lambda file: dotted_file(file, down, up, **options)

    peft = dotted(".lora_A.weight", ".lora_B.weight")
    return [
        ("kohya_stability", [lambda file: kohya_file(file, stability)], [0.8]),
        ("kohya_diffusers", [kohya_file], [1.0]),
        ("locon", [lambda file: kohya_file(file, stability, UNET_LINEAR + UNET_CONV)], [0.7]),
        ("peft", [peft], [0.6]),
        ("peft_metadata", [metadata_file], [1.0]),
        ("peft_dora", [peft_dora_file], [1.0]),
        ("processors", [processors_file], [1.0]),
        (
            "diffusers",
            [dotted(".lora.down.weight", ".lora.up.weight", chosen=layers(text=[]))],
            [1.0],
        ),
        (
            "diffusers_text",
            [
                dotted(
                    ".lora_linear_layer.down.weight",
                    ".lora_linear_layer.up.weight",
                    chosen=layers(unet=[]),
                )
            ],
            [1.0],
        ),
        ("two", [peft, lambda file: kohya_file(file, stability)], [0.7, -0.4]),
        ("text_encoders", [peft], [{"unet": 0.9, "text_encoder": 0.25, "text_encoder_2": 0.25}]),
        ("blocks", [dotted(".lora_A.weight", ".lora_B.weight", chosen=layers(text=[]))],
         [{"unet": {"down": {"block_1": [0.5, 1.5], "block_2": 0.0}, "mid": 1.0, "up": 2.0}}]),
        ("locon_core", "locon_core", [0.8]),
        ("loha", "loha", [0.7]),
        ("lokr", "lokr", [0.3]),
        ("difference", "difference", [1.0]),
        ("dora_outputs", "dora_outputs", [0.5]),
        ("dora_inputs", "dora_inputs", [1.0]),
    ]


def loras(tokenizers, dtype=torch.float32):
    """The tensors of loras.safetensors and what loras.json says."""
    fresh = lambda: load_pipeline(StableDiffusionXLPipeline, VARIANT, tokenizers, dtype)
    tensors, descriptions = {"without.latents": run(fresh())}, []
    for name, makers, weights in cases():
        pipeline = fresh()
        if isinstance(makers, str):
            files = [Files(f"{name}/0", pipeline)]
            lycoris_file(files[0], makers, weights[0])
        else:
            files = [Files(f"{name}/{index}", pipeline) for index in range(len(makers))]
            for make, file in zip(makers, files):
                make(file)
            load(pipeline, files, weights)
        tensors[f"{name}.latents"] = run(pipeline)
        effect = (tensors[f"{name}.latents"] - tensors["without.latents"]).norm() / tensors["without.latents"].norm()
        print(f"{name}: effect {effect:.2f}")
        descriptions.append({"name": name, "files": [file.description() for file in files], "weights": weights})
    pipeline = fresh()
    load_trained(pipeline)
    tensors["trained.latents"] = run(pipeline)
    return tensors, {"variant": VARIANT, "call": CALL, "seed": SEED, "cases": descriptions}
