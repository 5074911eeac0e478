"""A network as the list of its layers, with its tensors in one file: what `nn.js` runs in a page.

`site/demos/shared/nn.js` knows the operations that are named here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from .. import models
from ..models import diffusion
from .notebooks import NotebookError

ACTIVATIONS = {
    nn.ReLU: "relu",
    nn.LeakyReLU: "leaky",
    nn.SiLU: "silu",
    nn.Sigmoid: "sigmoid",
    nn.Tanh: "tanh",
}


def layers_of(net: nn.Module, name: str = "") -> list[dict]:
    """The layers of a network as `nn.js` reads them.

    Args:
        net: an `nn.Sequential`, nested as one likes, of the layers that the course's generators and
            decoders consist of.
        name: its name in the state of the whole network, in front of the names of the layers.

    Returns:
        a description of each layer: {"op": ..., "name": ..., and its settings}.

    Raises:
        NotebookError: a layer that `nn.js` does not know.

    Example:
        >>> layers_of(nn.Sequential(nn.Linear(2, 3), nn.SiLU()), "decoder")
        [{'op': 'linear', 'name': 'decoder.0'}, {'op': 'activate', 'which': 'silu'}]
    """
    if isinstance(net, nn.Sequential):
        prefix = f"{name}." if name else ""
        return [
            each for key, part in net.named_children() for each in layers_of(part, prefix + key)
        ]
    if isinstance(net, nn.Linear):
        return [{"op": "linear", "name": name}]
    if isinstance(net, (nn.Conv2d, nn.ConvTranspose2d)):
        _refuse_unless(net.dilation == (1, 1) and net.groups == 1, net)
        op = "convolution" if isinstance(net, nn.Conv2d) else "transposed"
        return [{"op": op, "name": name, "stride": net.stride[0], "padding": net.padding[0]}]
    if isinstance(net, nn.BatchNorm2d):
        return [{"op": "normalise", "name": name, "epsilon": net.eps}]
    if isinstance(net, nn.InstanceNorm2d):
        _refuse_unless(not (net.affine or net.track_running_stats), net)
        return [{"op": "instance", "epsilon": net.eps}]
    if isinstance(net, nn.GroupNorm):
        _refuse_unless(net.num_groups == 1 and net.affine, net)
        return [{"op": "group", "name": name, "epsilon": net.eps}]
    if isinstance(net, nn.Identity):
        return []
    if isinstance(net, nn.PixelUnshuffle):
        return [{"op": "unshuffle", "side": net.downscale_factor}]
    if isinstance(net, nn.PixelShuffle):
        return [{"op": "shuffle", "side": net.upscale_factor}]
    if isinstance(net, nn.Upsample):
        _refuse_unless(net.mode == "nearest" and net.scale_factor == 2, net)
        return [{"op": "upsample", "side": 2}]
    if isinstance(net, nn.Unflatten):
        return [{"op": "view", "shape": list(net.unflattened_size)}]
    _refuse_unless(type(net) in ACTIVATIONS, net)
    _refuse_unless(getattr(net, "negative_slope", 0.2) == 0.2, net)
    return [{"op": "activate", "which": ACTIVATIONS[type(net)]}]


def _refuse_unless(known: bool, layer: nn.Module) -> None:
    if not known:
        raise NotebookError(f"site/demos/shared/nn.js does not know {layer}; teach it there.")


def write_network(
    path: Path,
    net: nn.Module,
    layers: list[dict],
    shape: list[int],
    more: Mapping[str, Tensor] | None = None,
    **about: str,
) -> None:
    """A network's tensors in half precision and the list of its layers, as one safetensors file.

    Args:
        path: of the file.
        net: whose state holds the tensors that `layers` name; others are left out.
        layers: as `layers_of` gives them.
        shape: of an input, without the batch.
        more: other tensors for the same file, written as they are.
        about: other sentences for its header.
    """
    named = tuple(f"{layer['name']}." for layer in layers if "name" in layer)
    tensors = {
        key: value.half().contiguous()
        for key, value in net.state_dict().items()
        if key.startswith(named) and value.is_floating_point()
    }
    about |= {"layers": json.dumps(layers), "input": json.dumps(shape)}
    write_tensors(path, tensors | dict(more or {}), **about)


def write_tensors(path: Path, tensors: dict[str, Tensor], **about: str) -> None:
    """A safetensors file with some sentences about it in its header."""
    from safetensors.torch import save

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(save({key: value.contiguous() for key, value in tensors.items()}, about))


def unet_layers(net: models.UNet) -> list[dict]:
    """The layers of a U-Net, with what is kept for its skip connections."""
    layers = [{"op": "keep", "as": "0"}]
    for number in range(3):
        layers += layers_of(net.down[number], f"down.{number}")
        layers += [{"op": "keep", "as": str(number + 1)}] if number < 2 else []
    for number in range(3):
        layers += [
            *layers_of(net.up[number], f"up.{number}"),
            {"op": "join", "as": str(2 - number)},
        ]
    return [*layers, *layers_of(net.leave, "leave")]


PHASES = (0.0, math.pi / 2)  # of a sine, and of a cosine as a sine


def point_denoiser_layers(net: models.PointDenoiser) -> list[dict]:
    """The layers of a denoiser of points; its input is x_t and t, one after the other."""
    return [
        {"op": "keep", "as": "input"},
        {"op": "part", "from": 2, "to": 3},
        time_waves(32),
        {"op": "keep", "as": "time"},
        {"op": "take", "as": "input"},
        {"op": "part", "from": 0, "to": 2},
        {"op": "keep", "as": "x"},
        {"op": "waves", "angles": [[2**k, phase] for k in range(net.octaves) for phase in PHASES]},
        {"op": "join", "as": "time"},
        {"op": "keep", "as": "waves"},
        {"op": "take", "as": "x"},
        {"op": "join", "as": "waves"},
        *layers_of(net.layers, "layers"),
    ]


def time_waves(count: int) -> dict:
    """`diffusion.time_features` as a layer."""
    frequencies = (100 ** torch.linspace(0, 1, count // 2)).tolist()
    return {"op": "waves", "angles": [[each, phase] for phase in PHASES for each in frequencies]}


def small_unet_layers(net: models.SmallUNet, side: int) -> list[dict]:
    """The layers of a denoiser of images; its input is x_t, t and y, one after the other."""
    pixels = net.channels * side**2
    layers = [
        {"op": "keep", "as": "input"},
        {"op": "part", "from": pixels, "to": pixels + 1},
        time_waves(net.time[0].in_features),
        *layers_of(net.time, "time"),
        {"op": "keep", "as": "time"},
        {"op": "take", "as": "input"},
        {"op": "part", "from": pixels + 1, "to": pixels + 1 + net.condition},
        *layers_of(net.label, "label"),
        {"op": "add", "as": "time"},
        *layers_of(net.describe, "describe"),
        {"op": "keep", "as": "embedding"},
        {"op": "take", "as": "input"},
        {"op": "part", "from": 0, "to": pixels},
        {"op": "view", "shape": [net.channels, side, side]},
        *layers_of(net.enter, "enter"),
    ]
    for number, block in enumerate(net.down):
        layers += [*block_layers(block, f"down.{number}"), {"op": "keep", "as": f"skip {number}"}]
    layers += layers_of(net.shrink, "shrink")
    for number, block in enumerate(net.coarse):
        layers += block_layers(block, f"coarse.{number}")
    layers += layers_of(net.enlarge, "enlarge")
    for number, block in enumerate(net.up):
        skip = {"op": "join", "as": f"skip {len(net.down) - 1 - number}"}
        layers += [skip, *block_layers(block, f"up.{number}")]
    return [*layers, *layers_of(net.leave, "leave")]


def block_layers(block: diffusion.ModulatedBlock, name: str) -> list[dict]:
    """The layers of a block that the embedding modulates, beside its shortcut."""
    return [
        {"op": "keep", "as": "before"},
        *layers_of(block.first, f"{name}.first"),
        *layers_of(block.norm, f"{name}.norm"),
        {"op": "modulate", "name": f"{name}.modulation", "by": "embedding"},
        {"op": "activate", "which": "silu"},
        *layers_of(block.second, f"{name}.second"),
        {"op": "keep", "as": "change"},
        {"op": "take", "as": "before"},
        *layers_of(block.shortcut, f"{name}.shortcut"),
        {"op": "add", "as": "change"},
    ]
