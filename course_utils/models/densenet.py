"""DenseNet-BC: every layer gets the feature maps of all layers before it (Huang et al. 2017)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .resnet import check_names, convolution
from .sizes import check_sizes


class DenseLayer(nn.Module):
    """y = [x, H(x)]: `growth` new channels are concatenated to x.

    H is normalisation, ReLU and a 1 × 1 convolution to 4 · growth channels, then normalisation,
    ReLU and a 3 × 3 convolution to `growth`: the B, for bottleneck, of DenseNet-BC.

    Args:
        before: channels of x.
        growth: k, the channels that the layer adds.

    Raises:
        ValueError: a size that is not a whole number of at least 1.

    Example:
        >>> DenseLayer(before=24, growth=12)(torch.rand(2, 24, 8, 8)).shape  # 24 + 12 channels
        torch.Size([2, 36, 8, 8])
    """

    def __init__(self, before: int, growth: int):
        super().__init__()
        check_sizes(before=before, growth=growth)
        self.growth = growth
        self.norm1 = nn.BatchNorm2d(before)
        self.conv1 = convolution(before, 4 * growth, 1)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = convolution(4 * growth, growth, 3)

    def new(self, x: Tensor) -> Tensor:
        """H(x), the new channels (N, growth, H, W), for x (N, before, H, W)."""
        x = self.conv1(F.relu(self.norm1(x)))
        return self.conv2(F.relu(self.norm2(x)))

    def forward(self, x: Tensor) -> Tensor:
        """(N, before + growth, H, W) for (N, before, H, W)."""
        return torch.cat([x, self.new(x)], dim=1)

    def bypass(self, x: Tensor) -> Tensor:
        """The output (N, before + growth, H, W) without the layer, for x (N, before, H, W).

        The channels that it would add are 0 for all later layers.
        """
        return F.pad(x, (0, 0, 0, 0, 0, self.growth))


class Transition(nn.Module):
    """Between two dense blocks: a 1 × 1 convolution to fewer channels, and 2 × 2 mean pooling.

    Args:
        before, after: channels that come in and go out.

    Raises:
        ValueError: a size that is not a whole number of at least 1.
    """

    def __init__(self, before: int, after: int):
        super().__init__()
        check_sizes(before=before, after=after)
        self.norm = nn.BatchNorm2d(before)
        self.conv = convolution(before, after, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, after, H / 2, W / 2), rounded down, for (N, before, H, W)."""
        return F.avg_pool2d(self.conv(F.relu(self.norm(x))), 2)


class DenseNet(nn.Module):
    """DenseNet-BC for small images: three dense blocks of (layers - 4) / 6 layers each.

    A 3 × 3 convolution to 2k channels; the blocks, with a transition after the first and the
    second; normalisation, ReLU, the mean over all pixels and a linear layer (Huang et al. 2017,
    section 3). With 100 layers and k = 12 it has .8 M parameters, less than half of a ResNet-110's.

    Args:
        layers: L: the convolutions on the longest path, and the linear layer.
        growth: k, the channels that each layer adds.
        compression: θ, the share of the channels that a transition keeps: the C of DenseNet-BC.
        channels: colours of an image.
        classes: how many logits come out.

    Raises:
        ValueError: sizes that are not whole numbers, layers that do not make three equal blocks,
            or a compression outside (0, 1].

    Example:
        >>> net = DenseNet(layers=40, growth=12)
        >>> net(torch.rand(2, 3, 32, 32)).shape, len(net.blocks())  # 3 blocks of (40 - 4) / 6
        (torch.Size([2, 10]), 18)
    """

    def __init__(
        self,
        layers: int = 100,
        growth: int = 12,
        compression: float = 0.5,
        channels: int = 3,
        classes: int = 10,
    ):
        super().__init__()
        check_sizes(layers=layers, growth=growth, channels=channels, classes=classes)
        _check_layers(layers)
        if not 0 < compression <= 1:
            raise ValueError(f"compression must be above 0 and at most 1; it is {compression}.")
        self.channels = channels
        each, width = (layers - 4) // 6, 2 * growth

        self.conv = convolution(channels, width, 3)
        self.names: list[str] = []
        for stage in (1, 2, 3):
            dense = [DenseLayer(width + place * growth, growth) for place in range(each)]
            width += each * growth
            setattr(self, f"block{stage}", nn.Sequential(*dense))
            self.names += [f"block{stage}.{place}" for place in range(each)]
            if stage < 3:
                kept = max(1, int(compression * width))
                setattr(self, f"transition{stage}", Transition(width, kept))
                self.names.append(f"transition{stage}")
                width = kept
        self.norm = nn.BatchNorm2d(width)
        self.fc = nn.Linear(width, classes)

    def blocks(self) -> dict[str, DenseLayer]:
        """The layers that can be deleted, in their order: "block1.0", "block1.1", …"""
        layers = {name: self.get_submodule(name) for name in self.names}
        return {name: layer for name, layer in layers.items() if isinstance(layer, DenseLayer)}

    def classify(self, x: Tensor) -> Tensor:
        """Logits (N, classes) of the output x of the last layer."""
        return self.fc(F.relu(self.norm(x)).mean(dim=(2, 3)))

    def walk(self, x: Tensor, without: Sequence[str] = ()) -> Iterator[tuple[str, Tensor]]:
        """("stem", x₀), then the name and the output of each layer and transition.

        The layers named in `without` are bypassed in this call only.

        Args:
            x: images (N, channels, H, W).
            without: names out of `blocks()`.

        Raises:
            ValueError: other channels, images too small to be halved twice, or a name that no
                dense layer has.
        """
        if x.dim() != 4 or x.shape[1] != self.channels or min(x.shape[2:]) < 4:
            raise ValueError(
                f"This network takes (N, {self.channels}, H, W) of at least 4 pixels a side; "
                f"these are {tuple(x.shape)}."
            )
        check_names(without, list(self.blocks()))
        x = self.conv(x)
        yield "stem", x
        for name in self.names:
            layer = self.get_submodule(name)
            x = layer.bypass(x) if name in without else layer(x)
            yield name, x

    def forward(self, x: Tensor, without: Sequence[str] = ()) -> Tensor:
        """Logits (N, classes) for images (N, channels, H, W), without the layers named."""
        for _, state in self.walk(x, without):
            x = state
        return self.classify(x)


def _check_layers(layers: int) -> None:
    if layers < 10 or (layers - 4) % 6:
        below = max(10, (layers - 4) // 6 * 6 + 4)
        raise ValueError(
            f"DenseNet-BC has 6n + 4 layers, and {layers} is no such number; take {below} or "
            f"{below + 6}."
        )
