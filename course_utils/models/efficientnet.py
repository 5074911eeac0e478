"""EfficientNet-Lite0, which recognises the 1,000 classes of ImageNet with 4.7 million weights.

Tan and Le (2019) scale one network up to a family; its Lite variant (Google, 2020) leaves out what
small devices cannot compute: no squeeze-and-excitation, and ReLU6 instead of Swish. The parameters
have the names of the weights that `shipped.imagenet` reads, so that these fit as they are.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch.nn.functional as F
from torch import Tensor, nn

from .sizes import check_sizes
from .vgg import check_layers

# Of each stage: expansion, channels, blocks, stride of the first, kernel (Tan and Le, table 1).
STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
# Bytes are scaled to (byte - 127) / 128 before they come in.
PIXEL_MEAN, PIXEL_SPREAD = 127 / 255, 128 / 255
SEEN = 224  # pixels a side of the images that it was trained with


def convolve(x: Tensor, convolution: nn.Conv2d, borders: str) -> Tensor:
    """(N, C, h, w) becomes (N, C', h / stride, w / stride), rounded up, as TensorFlow pads.

    Where the number of added rows is odd, the last side gets one more; nn.Conv2d, which adds as
    many on both sides, would shift every map of stride 2 by half a pixel.

    Args:
        borders: "zeros", or "reflect"; a map too small for a reflection repeats its edge instead.
    """
    (size, _), (stride, _) = convolution.kernel_size, convolution.stride
    sides = []
    for length in (x.shape[-1], x.shape[-2]):
        added = max((-(-length // stride) - 1) * stride + size - length, 0)
        sides += [added // 2, added - added // 2]
    fits = max(sides) < min(x.shape[-2:])
    mode = "constant" if borders == "zeros" else "reflect" if fits else "replicate"
    return convolution(F.pad(x, sides, mode))


class InvertedBlock(nn.Module):
    """1 × 1 to more channels, one filter a channel, 1 × 1 to fewer (Sandler et al. 2018).

    The result is added to the input where both have the same shape.

    Args:
        before, after: channels that come in and go out.
        expansion: how many times `before` channels there are in between.
        kernel, stride: of the filters in between.

    Raises:
        ValueError: a size that is not a whole number of at least 1.

    Example:
        >>> import torch
        >>> y, between = InvertedBlock(16, 24, stride=2)(torch.rand(2, 16, 8, 8))
        >>> y.shape, between.shape
        (torch.Size([2, 24, 4, 4]), torch.Size([2, 96, 4, 4]))
    """

    def __init__(
        self, before: int, after: int, expansion: int = 6, kernel: int = 3, stride: int = 1
    ):
        super().__init__()
        check_sizes(before=before, after=after, expansion=expansion, kernel=kernel, stride=stride)
        width = before * expansion
        self.adds = stride == 1 and before == after
        self.expands = expansion > 1
        if self.expands:
            self._expand_conv = nn.Conv2d(before, width, 1, bias=False)
            self._bn0 = _normalization(width)
        self._depthwise_conv = nn.Conv2d(width, width, kernel, stride, groups=width, bias=False)
        self._bn1 = _normalization(width)
        self._project_conv = nn.Conv2d(width, after, 1, bias=False)
        self._bn2 = _normalization(after)

    def forward(self, x: Tensor, borders: str = "zeros") -> tuple[Tensor, Tensor]:
        """The output (N, after, h, w) and the activations (N, width, h, w) of the filters between.

        Args:
            x: (N, before, H, W); h and w are H and W over the stride, rounded up.
            borders: as in `convolve`.
        """
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        between = F.relu6(self._bn1(convolve(y, self._depthwise_conv, borders)))
        y = self._bn2(self._project_conv(between))
        return (x + y if self.adds else y), between


class EfficientNetLite0(nn.Module):
    """A stem, 16 inverted blocks and a classifier; takes images in [0, 1].

    `net(images, layers)` answers like the networks of `vgg`, with the activations in [0, 6] of the
    stem and of the filters in the middle of each block: "stem", "block0" to "block15". There the
    borders are reflected, so that an image whose activations are compared gets no frame;
    `net.logits(images)` pads with zeros, as in training. Both have the same weights.

    Attributes:
        layers: the names in order, first layer first.
        content_layer, style_layers: as in `vgg.FeatureNetwork`.

    Example:
        >>> import torch
        >>> net = EfficientNetLite0().eval()
        >>> net(torch.rand(1, 3, 64, 64), ["block2"])["block2"].shape
        torch.Size([1, 144, 16, 16])
        >>> net.logits(torch.rand(2, 3, 64, 64)).shape
        torch.Size([2, 1000])
    """

    content_layer = "block2"
    style_layers = ("stem", "block0", "block1", "block3", "block5", "block8")

    def __init__(self):
        super().__init__()
        self._conv_stem = nn.Conv2d(3, 32, 3, 2, bias=False)
        self._bn0 = _normalization(32)
        blocks, before = [], 32
        for expansion, channels, count, stride, kernel in STAGES:
            for place in range(count):
                step = 1 if place else stride
                blocks.append(InvertedBlock(before, channels, expansion, kernel, step))
                before = channels
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = nn.Conv2d(before, 1280, 1, bias=False)
        self._bn1 = _normalization(1280)
        self._fc = nn.Linear(1280, 1000)
        self.layers = ("stem", *(f"block{number}" for number in range(len(blocks))))

    def forward(self, images: Tensor, layers: Iterable[str] | None = None) -> dict[str, Tensor]:
        """layer -> its activations (N, C, h, w) after the ReLU6, with reflected borders.

        Nothing is computed beyond the last of the wanted layers.

        Args:
            images: (N, 3, H, W) in [0, 1]; of any size.
            layers: names out of `self.layers`; all of them unless given.

        Raises:
            ValueError: a layer's name is unknown.
        """
        wanted = check_layers(layers, self.layers)
        if not wanted:
            return {}
        x = self._stem(images, "reflect")
        found = {"stem": x}
        for name, block in zip(self.layers[1 : self.layers.index(wanted[-1]) + 1], self._blocks):
            x, found[name] = block(x, "reflect")
        return {layer: found[layer] for layer in wanted}

    def logits(self, images: Tensor) -> Tensor:
        """(N, 1000) of ImageNet's classes for images (N, 3, H, W) in [0, 1], best at 224 × 224."""
        x = self._stem(images, "zeros")
        for block in self._blocks:
            x, _ = block(x)
        return self._fc(F.relu6(self._bn1(self._conv_head(x))).mean((2, 3)))

    def _stem(self, images: Tensor, borders: str) -> Tensor:
        x = convolve((images - PIXEL_MEAN) / PIXEL_SPREAD, self._conv_stem, borders)
        return F.relu6(self._bn0(x))


def _normalization(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)  # as TensorFlow's weights expect
