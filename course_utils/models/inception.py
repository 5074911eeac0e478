"""Inception v3: convolutions of several sizes side by side (Szegedy et al. 2016).

Each `grid…` and `reduce…` function is one of the paper's figures as a table: a line is a branch,
read from left to right. `InceptionBlock` builds the block that such a table describes, and
`InceptionV3` is the sequence of blocks of the paper's table 1, in the form of the authors'
published code. The parameters have torchvision's names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .resnet import convolution
from .sizes import check_sizes

Convolution = tuple[str, int]
"""("1x7", 192) is a kernel of height 1 and width 7 that makes 192 channels of the same size;
("3x3/2", 192) has stride 2 and no padding, so that n pixels a side become (n - 1) / 2."""

Step = str | Convolution | list[Convolution]
"""A convolution; several of them side by side; or "mean" and "max/2", which pool 3 × 3 pixels
with stride 1 and 2."""


class ConvolutionUnit(nn.Module):
    """Convolution, batch normalisation, ReLU.

    Args:
        before: channels that come in.
        kernel: "3x3" keeps the size, "3x3/2" has stride 2 and no padding.
        after: channels that go out.
        padded: False for no padding, with stride 1 as well.

    Raises:
        ValueError: a kernel that is not written like those above, or a size that is not a whole
            number of at least 1.
    """

    def __init__(self, before: int, kernel: str, after: int, padded: bool = True):
        super().__init__()
        check_sizes(before=before, after=after)
        parts = re.fullmatch(r"(\d*[13579])x(\d*[13579])(/2)?", kernel)
        if parts is None:
            raise ValueError(
                f"Write a kernel as '3x3', '1x7' or '3x3/2', with odd sizes: {kernel!r}."
            )
        size, stride = (int(parts[1]), int(parts[2])), 2 if parts[3] else 1
        padding = None if padded and stride == 1 else 0
        self.conv = convolution(before, after, size, stride, padding)
        self.bn = nn.BatchNorm2d(after, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """(N, after, h, w), not negative, for (N, before, H, W)."""
        return F.relu(self.bn(self.conv(x)))


class InceptionBlock(nn.Module):
    """Parallel branches that all start at x; their outputs are concatenated.

    Args:
        before: channels of x.
        branches: the steps of each branch, by its name. A single convolution has the name of its
            branch, several are NAME_1, NAME_2, …, and those side by side NAME_2a, NAME_2b.

    Raises:
        ValueError: no branches, or a step that cannot be read.
    """

    def __init__(self, before: int, branches: dict[str, list[Step]]):
        super().__init__()
        check_sizes(before=before, branches=len(branches))
        self.branches: dict[str, list[list[str]]] = {}
        self.channels = 0  # of the output
        for branch, steps in branches.items():
            width, self.branches[branch] = before, []
            for step in _named(branch, steps):
                for name, what in step.items():
                    self.add_module(name, _layer(width, what))
                self.branches[branch].append(list(step))
                width = sum(width if isinstance(what, str) else what[1] for what in step.values())
            self.channels += width

    def branch(self, name: str, x: Tensor) -> Tensor:
        """The output of one branch, by its name, for x (N, before, H, W)."""
        for step in self.branches[name]:
            x = torch.cat([self.get_submodule(layer)(x) for layer in step], dim=1)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) for x (N, before, H, W)."""
        return torch.cat([self.branch(name, x) for name in self.branches], dim=1)


def grid35(pooled: int) -> dict[str, list[Step]]:
    """A block on 35 × 35 pixels (figure 5).

    Two kernels of 3 × 3 have the receptive field of one of 5 × 5. As in the authors' code, one
    branch keeps its 5 × 5.

    Args:
        pooled: channels of the branch that pools.

    Returns:
        the branches, for `InceptionBlock`.
    """
    return {
        "branch1x1": [("1x1", 64)],
        "branch5x5": [("1x1", 48), ("5x5", 64)],
        "branch3x3dbl": [("1x1", 64), ("3x3", 96), ("3x3", 96)],
        "branch_pool": ["mean", ("1x1", pooled)],
    }


def reduce35() -> dict[str, list[Step]]:
    """From 35 × 35 to 17 × 17 pixels: pooling and strides side by side (figure 10)."""
    return {
        "branch3x3": [("3x3/2", 384)],
        "branch3x3dbl": [("1x1", 64), ("3x3", 96), ("3x3/2", 96)],
        "branch_pool": ["max/2"],
    }


def grid17(width: int) -> dict[str, list[Step]]:
    """A block on 17 × 17 pixels (figure 6): 1 × 7 and 7 × 1 in place of 7 × 7.

    Args:
        width: channels between the long kernels.

    Returns:
        the branches, for `InceptionBlock`.

    Example:
        >>> grid17(width=128)["branch7x7"]  # kernel and channels, step by step
        [('1x1', 128), ('1x7', 128), ('7x1', 192)]
    """
    return {
        "branch1x1": [("1x1", 192)],
        "branch7x7": [("1x1", width), ("1x7", width), ("7x1", 192)],
        "branch7x7dbl": [
            ("1x1", width),
            *[("7x1", width), ("1x7", width)],
            *[("7x1", width), ("1x7", 192)],
        ],
        "branch_pool": ["mean", ("1x1", 192)],
    }


def reduce17() -> dict[str, list[Step]]:
    """From 17 × 17 to 8 × 8 pixels (figure 10)."""
    return {
        "branch3x3": [("1x1", 192), ("3x3/2", 320)],
        "branch7x7x3": [("1x1", 192), ("1x7", 192), ("7x1", 192), ("3x3/2", 192)],
        "branch_pool": ["max/2"],
    }


def grid8() -> dict[str, list[Step]]:
    """A block on 8 × 8 pixels (figure 7), whose branches divide again, for many channels."""
    return {
        "branch1x1": [("1x1", 320)],
        "branch3x3": [("1x1", 384), [("1x3", 384), ("3x1", 384)]],
        "branch3x3dbl": [("1x1", 448), ("3x3", 384), [("1x3", 384), ("3x1", 384)]],
        "branch_pool": ["mean", ("1x1", 192)],
    }


class AuxiliaryClassifier(nn.Module):
    """Logits from the middle of the network, whose loss is added to the last one's in training.

    So the layers below get a gradient that has not passed through the layers above. Szegedy et
    al. (2016, figure 8) found that it acts as a regularizer rather than speed up early training.

    Args:
        before: channels of its input, a grid of at least 17 × 17 pixels.
        classes: how many logits come out.

    Raises:
        ValueError: a size that is not a whole number of at least 1.
    """

    def __init__(self, before: int, classes: int):
        super().__init__()
        check_sizes(before=before, classes=classes)
        self.conv0 = ConvolutionUnit(before, "1x1", 128)
        self.conv1 = ConvolutionUnit(128, "5x5", 768, padded=False)
        self.fc = nn.Linear(768, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, classes) logits for (N, before, H, W).

        Raises:
            ValueError: a grid below 17 × 17 pixels.
        """
        if min(x.shape[2:]) < 17:
            raise ValueError(
                "The auxiliary classifier needs a grid of at least 17 × 17, which takes images "
                f"of 299 × 299; this grid is {x.shape[2]} × {x.shape[3]}."
            )
        x = F.avg_pool2d(x, kernel_size=5, stride=3)
        return self.fc(self.conv1(self.conv0(x)).mean(dim=(2, 3)))


class InceptionV3(nn.Module):
    """Inception v3 for images of 299 × 299, with the auxiliary classifier: 27.2 M parameters.

    Szegedy et al. 2016, table 1. The rows have torchvision's names; the comments give the size of
    their outputs for an image of 299 × 299.

    Args:
        channels: colours of an image.
        classes: how many logits come out.
        dropout: rate before the last layer.

    Raises:
        ValueError: a size that is not a whole number of at least 1.

    Example:
        >>> net = InceptionV3(classes=10).eval()
        >>> net(torch.rand(1, 3, 75, 75)).shape
        torch.Size([1, 10])
    """

    def __init__(self, channels: int = 3, classes: int = 1000, dropout: float = 0.5):
        super().__init__()
        check_sizes(channels=channels, classes=classes)
        self.channels = channels
        rows = {
            "Conv2d_1a_3x3": ConvolutionUnit(channels, "3x3/2", 32),  # 149 × 149 × 32
            "Conv2d_2a_3x3": ConvolutionUnit(32, "3x3", 32, padded=False),  # 147 × 147 × 32
            "Conv2d_2b_3x3": ConvolutionUnit(32, "3x3", 64),  # 147 × 147 × 64
            "maxpool1": nn.MaxPool2d(3, 2),  # 73 × 73 × 64
            "Conv2d_3b_1x1": ConvolutionUnit(64, "1x1", 80),  # 73 × 73 × 80
            "Conv2d_4a_3x3": ConvolutionUnit(80, "3x3", 192, padded=False),  # 71 × 71 × 192
            "maxpool2": nn.MaxPool2d(3, 2),  # 35 × 35 × 192
            "Mixed_5b": InceptionBlock(192, grid35(pooled=32)),  # 35 × 35 × 256
            "Mixed_5c": InceptionBlock(256, grid35(pooled=64)),  # 35 × 35 × 288
            "Mixed_5d": InceptionBlock(288, grid35(pooled=64)),  # 35 × 35 × 288
            "Mixed_6a": InceptionBlock(288, reduce35()),  # 17 × 17 × 768
            "Mixed_6b": InceptionBlock(768, grid17(width=128)),  # 17 × 17 × 768
            "Mixed_6c": InceptionBlock(768, grid17(width=160)),  # 17 × 17 × 768
            "Mixed_6d": InceptionBlock(768, grid17(width=160)),  # 17 × 17 × 768
            "Mixed_6e": InceptionBlock(768, grid17(width=192)),  # 17 × 17 × 768
            "Mixed_7a": InceptionBlock(768, reduce17()),  # 8 × 8 × 1280
            "Mixed_7b": InceptionBlock(1280, grid8()),  # 8 × 8 × 2048
            "Mixed_7c": InceptionBlock(2048, grid8()),  # 8 × 8 × 2048
        }
        self.names = list(rows)
        for name, row in rows.items():
            self.add_module(name, row)
        self.AuxLogits = AuxiliaryClassifier(768, classes)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(2048, classes)

    def walk(self, x: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Each row's name and its output (N, C, H, W), one after the other.

        Raises:
            ValueError: other channels, or images too small to be halved five times.
        """
        if x.dim() != 4 or x.shape[1] != self.channels or min(x.shape[2:]) < 75:
            raise ValueError(
                f"This network takes (N, {self.channels}, H, W) of at least 75 pixels a side; "
                f"these are {tuple(x.shape)}."
            )
        for name in self.names:
            x = self.get_submodule(name)(x)
            yield name, x

    def classify(self, x: Tensor) -> Tensor:
        """Logits (N, classes) of the output x of the last block."""
        return self.fc(self.dropout(x.mean(dim=(2, 3))))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes) for images (N, channels, H, W) of at least 75 pixels a side."""
        for _, state in self.walk(x):
            x = state
        return self.classify(x)

    def with_auxiliary(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (N, classes) of the last layer and of the auxiliary classifier, for training.

        Raises:
            ValueError: images below 299 × 299.
        """
        for name, state in self.walk(x):
            if name == "Mixed_6e":
                auxiliary = self.AuxLogits(state)
            x = state
        return self.classify(x), auxiliary


def _named(branch: str, steps: list[Step]) -> list[dict[str, str | Convolution]]:
    """The parallel layers of each step of a branch, by name."""
    several = sum(not isinstance(step, str) for step in steps) > 1
    named, number = [], 0
    for step in steps:
        if isinstance(step, str):
            named.append({f"{branch}_pooling": step})
            continue
        number += 1
        name = f"{branch}_{number}" if several else branch
        beside = zip("abcdefgh", step) if isinstance(step, list) else [("", step)]
        named.append({name + letter: one for letter, one in beside})
    return named


def _layer(before: int, what: str | Convolution) -> nn.Module:
    if what == "mean":
        return nn.AvgPool2d(3, stride=1, padding=1)
    if what == "max/2":
        return nn.MaxPool2d(3, stride=2)
    if isinstance(what, str):
        raise ValueError(f"A branch pools by 'mean' or 'max/2', not {what!r}.")
    return ConvolutionUnit(before, *what)
