"""Networks by name for style transfer, with weights, frozen: what is trained are the pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ..data.download import fetch
from ..models.vgg import (
    RandomFilters,
    course_vgg,
    squeezenet1_1,
    vgg16,
    vgg19,
)
from ..session.files import replacing
from ..session.lab import data_folder
from . import weights


@dataclass(frozen=True)
class Published:
    """Weights of torchvision: the network they fit and the file they come in.

    The end of such a file's name is the beginning of its SHA-256 hash.
    """

    build: Callable[[], nn.Module]
    file: str
    url: str = "https://download.pytorch.org/models/"

    @property
    def checksum(self) -> str:
        """The beginning of the file's SHA-256 hash, as `fetch` wants it."""
        return "sha256:" + Path(self.file).stem.rpartition("-")[2]


PUBLISHED = {
    "vgg16": Published(vgg16, "vgg16-397923af.pth"),
    "vgg19": Published(vgg19, "vgg19-dcbb9e9d.pth"),
    "squeezenet1_1": Published(squeezenet1_1, "squeezenet1_1-b8a52dc0.pth"),
}
NAMES = ("course_vgg", "random_filters", *PUBLISHED)


def feature_network(name: str, device="cpu") -> nn.Module:
    """A network whose activations a style transfer compares, in evaluation mode and frozen.

    It answers `net(images, layers)` with layer -> activations for images (N, 3, H, W) in
    [0, 1], and its `layers`, `content_layer` and `style_layers` are names of layers.

    Args:
        name: "course_vgg", trained by this course and shipped with it; "random_filters", which
            nothing has trained; "vgg16", "vgg19" or "squeezenet1_1" with torchvision's weights,
            trained on ImageNet and downloaded when first asked for.
        device: where it shall live.

    Raises:
        ValueError: the name is unknown.
        DownloadError: the weights could not be downloaded; the message says what to do instead.
        WeightsRefused: the file of weights is damaged or of another network.
    """
    if name not in NAMES:
        raise ValueError(f"There is no network {name!r}; choose one of {', '.join(NAMES)}.")
    if name == "course_vgg":
        net = course_vgg()
        weights.load(name, net)
    elif name == "random_filters":
        net = RandomFilters()
    else:
        net = PUBLISHED[name].build()
        net.load_state_dict(published_weights(name, data_folder() / "torchvision"))
    return net.to(device).eval().requires_grad_(False)


def published_weights(name: str, folder: Path) -> dict[str, Tensor]:
    """The convolutions of a network of torchvision, as a state dictionary for ours.

    torchvision's file is fetched into `folder`; what is kept there are the convolutions alone, a
    ninth of VGG16's file, since nine tenths of it are the classifier.

    Raises:
        DownloadError: torchvision's file could not be downloaded.
        WeightsRefused: a file in `folder` is not what its name says.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load, save

    source = PUBLISHED[name]
    kept = folder / f"{name}_features.safetensors"
    if not kept.is_file():
        whole = fetch(
            [source.url + source.file],
            folder / source.file,
            source.checksum,
            instead=f'put that file into {folder} by hand, or use "course_vgg", which needs none',
        )
        features = _only_features(torch.load(whole, map_location="cpu", weights_only=True))
        with replacing(kept) as file:
            file.write(save(features))
        whole.unlink()
    try:
        return load(kept.read_bytes())
    except SafetensorError as error:
        raise weights.WeightsRefused(
            f"{kept} is damaged; delete it, and it is downloaded again."
        ) from error


def _only_features(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: value for key, value in state.items() if key.startswith("features.")}
