"""Networks by name for style transfer, with weights, frozen: what is trained are the pixels.

torchvision's files come through `torch.hub`. Measured with torch 2.15, it leaves no file under its
final name when a server sends another one, breaks off or the process is killed; but it reads what
lies there already unchecked, and still waited after 90 s for a server that said nothing. So what
lies there is checked here first, and the wait is limited.
"""

from __future__ import annotations

import http.client
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ..data.download import DownloadError, damage, has_checksum, impatient, write_checked
from ..models.vgg import (
    RandomFilters,
    course_vgg,
    squeezenet1_1,
    vgg16,
    vgg19,
)
from ..session.filling import misfit
from ..session.lab import data_folder
from . import cards, imagenet, weights


@dataclass(frozen=True)
class Published:
    """Weights of torchvision: the network they fit, and their address.

    The end of such a file's name is the beginning of its SHA-256 hash.
    """

    build: Callable[[], nn.Module]
    url: str

    @property
    def file(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def checksum(self) -> str:
        """The beginning of the file's SHA-256 hash, as `has_checksum` wants it."""
        return "sha256:" + Path(self.file).stem.rpartition("-")[2]


PUBLISHED = {
    "vgg16": Published(vgg16, "https://download.pytorch.org/models/vgg16-397923af.pth"),
    "vgg19": Published(vgg19, "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"),
    "squeezenet1_1": Published(
        squeezenet1_1, "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth"
    ),
}
NAMES = ("course_vgg", "random_filters", "efficientnet_lite0", *PUBLISHED)


def feature_network(name: str, device="cpu") -> nn.Module:
    """A network whose activations a style transfer compares, in evaluation mode and frozen.

    It answers `net(images, layers)` with layer -> activations for images (N, 3, H, W) in
    [0, 1], and its `layers`, `content_layer` and `style_layers` are names of layers.

    Args:
        name: "course_vgg", trained by this course and shipped with it; "random_filters", which
            nothing has trained; "efficientnet_lite0", trained on ImageNet, whose weights come in an
            optional package (see `imagenet`); "vgg16", "vgg19" or "squeezenet1_1" with
            torchvision's weights, trained on ImageNet and downloaded when first asked for.
        device: where it shall live.

    Raises:
        ValueError: the name is unknown.
        DownloadError: the weights could not be downloaded; the message says what to do instead.
        NotInstalled: the package with the weights is not there; the message has the command.
        Refused: the file of weights is damaged or of another network.

    Example:
        >>> import torch
        >>> net = feature_network("course_vgg")
        >>> net(torch.zeros(1, 3, 64, 64), ["block2_conv2"])["block2_conv2"].shape
        torch.Size([1, 64, 32, 32])
    """
    if name not in NAMES:
        raise ValueError(f"There is no network {name!r}; choose one of {', '.join(NAMES)}.")
    if name == "course_vgg":
        net = course_vgg()
        weights.load(name, net)
    elif name == "random_filters":
        net = RandomFilters()
    elif name == "efficientnet_lite0":
        net = imagenet.efficientnet_lite0()
    else:
        net = PUBLISHED[name].build()
        folder = data_folder() / "torchvision"
        state = published_weights(name, folder)
        if wrong := misfit(net, state):
            file = kept_file(name, folder)
            raise cards.Refused(
                f"{file} is of another network ({wrong}); delete it, and it is downloaded again."
            )
        net.load_state_dict(state)
    return net.to(device).eval().requires_grad_(False)


def is_here(name: str) -> bool:
    """Whether `feature_network(name)` needs neither a download nor a package that is missing.

    Args:
        name: of a network, one of `NAMES`.

    Raises:
        ValueError: the name is unknown.

    Example:
        >>> is_here("course_vgg")
        True
    """
    if name not in NAMES:
        raise ValueError(f"There is no network {name!r}; choose one of {', '.join(NAMES)}.")
    if name == "efficientnet_lite0":
        return imagenet.package_folder() is not None
    return name not in PUBLISHED or kept_file(name, data_folder() / "torchvision").is_file()


def published_weights(name: str, folder: Path) -> dict[str, Tensor]:
    """The convolutions of a network of torchvision, as a state dictionary for ours.

    torchvision's file is fetched into `folder`; what is kept there are the convolutions alone, a
    ninth of VGG16's file, since nine tenths of it are the classifier.

    Raises:
        DownloadError: torchvision's file could not be downloaded.
        Refused: a file in `folder` is not what its name says.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load, save

    source = PUBLISHED[name]
    kept = kept_file(name, folder)
    if not kept.is_file():
        state = _downloaded(source, folder)
        features = {key: value for key, value in state.items() if key.startswith("features.")}
        write_checked(io.BytesIO(save(features)), kept)
        (folder / source.file).unlink()
    content = kept.read_bytes()
    wrong = damage(kept, content)
    try:
        if not wrong:
            return load(content)
    except SafetensorError:
        wrong = "is damaged"
    raise cards.Refused(f"{kept} {wrong}; delete it, and it is downloaded again.")


def kept_file(name: str, folder: Path) -> Path:
    """Where the convolutions of a network of torchvision are kept."""
    return folder / f"{name}_features.safetensors"


def _downloaded(source: Published, folder: Path) -> dict[str, Tensor]:
    """torchvision's whole state dictionary, whose file is fetched into `folder` if need be."""
    file = folder / source.file
    try:
        if not has_checksum(file, source.checksum):
            file.unlink(missing_ok=True)
        with impatient():
            return torch.hub.load_state_dict_from_url(
                source.url,
                folder,
                map_location="cpu",
                progress=False,
                check_hash=True,
                weights_only=True,
            )
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        raise DownloadError(
            f"{source.file} could not be fetched ({error}); put that file into {folder} by hand, "
            f'or use "course_vgg", which needs none.'
        ) from error
