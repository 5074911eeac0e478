"""Feature networks, whose activations represent the content and the style of an image.

All of them take images in [0, 1], and `net(images, layers)` returns the activations of the layers
with these names. The VGG (Simonyan and Zisserman 2015) is the one of lecture 1; its `features`
are numbered like torchvision's, so that torchvision's weights fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .sizes import check_sizes

VGG16_BLOCKS = (2, 2, 3, 3, 3)  # convolutions in each block
VGG19_BLOCKS = (2, 2, 4, 4, 4)
VGG_WIDTHS = (64, 128, 256, 512, 512)  # channels in each block
COURSE_WIDTHS = (32, 64, 96, 128, 160)

# The mean and the standard deviation of ImageNet's pixels, which torchvision's weights expect.
PIXEL_MEAN = (0.485, 0.456, 0.406)
PIXEL_SPREAD = (0.229, 0.224, 0.225)


class FeatureNetwork(nn.Module):
    """A sequence of layers, `features`, some of which have names.

    Attributes:
        layers: the names in order, first layer first.
        content_layer: the layer that represents the content, unless one chooses another.
        style_layers: the layers whose Gram matrices represent the style.

    Args:
        features: the layers.
        positions: name -> position in `features`, in ascending order.
    """

    content_layer: str
    style_layers: tuple[str, ...]

    def __init__(self, features: Iterable[nn.Module], positions: dict[str, int]):
        super().__init__()
        self.features = nn.Sequential(*features)
        self.layers = tuple(positions)
        self._positions = positions
        for name, value in (("mean", PIXEL_MEAN), ("spread", PIXEL_SPREAD)):
            self.register_buffer(name, torch.tensor(value)[:, None, None], persistent=False)

    def forward(self, images: Tensor, layers: Iterable[str] | None = None) -> dict[str, Tensor]:
        """layer -> its activations (N, C, h, w) after the ReLU.

        Nothing is computed beyond the last of the wanted layers.

        Args:
            images: (N, 3, H, W) in [0, 1].
            layers: names out of `self.layers`; all of them unless given.

        Raises:
            ValueError: a layer's name is unknown, or the images are too small for it.
        """
        wanted = check_layers(layers, self.layers)
        last = max((self._positions[layer] for layer in wanted), default=-1)
        names = {self._positions[layer]: layer for layer in wanted}
        found = {}
        x = (images - self.mean) / self.spread
        for position, module in enumerate(self.features[: last + 1]):
            if isinstance(module, nn.AvgPool2d | nn.MaxPool2d) and min(x.shape[-2:]) < 2:
                height, width = images.shape[-2:]
                raise ValueError(
                    f"Images of {height} × {width} pixels are too small for {wanted[-1]}; "
                    "enlarge them, or use earlier layers."
                )
            x = module(x)
            if position in names:
                found[names[position]] = x
        return {layer: found[layer] for layer in wanted}


def check_layers(layers: Iterable[str] | None, known: Sequence[str]) -> list[str]:
    """The wanted names, each once and in the order of `known`.

    Args:
        layers: the wanted names, or one name; None for all.
        known: all names of the network.

    Raises:
        ValueError: a name is not among `known`.
    """
    wanted = set(known if layers is None else [layers] if isinstance(layers, str) else layers)
    unknown = sorted(wanted - set(known))
    if unknown:
        raise ValueError(f"There is no layer {unknown[0]!r}; it has {', '.join(known)}.")
    return [layer for layer in known if layer in wanted]


class _ReflectedConv2d(nn.Conv2d):
    """A 3 × 3 convolution that reflects the border, so that no image gets a frame.

    Zeros beyond the border are an edge that no image has. A map too small for a reflection, with
    a side of one number, repeats its edge instead. The weights are those of `nn.Conv2d`.

    Args:
        channels: channels that come in.
        width: channels that go out.
        bias: whether there is one.

    Example:
        >>> mean = _ReflectedConv2d(1, 1, bias=False)
        >>> _ = nn.init.constant_(mean.weight, 1 / 9)
        >>> mean(torch.ones(1, 1, 2, 2)).round(decimals=2).unique()  # zeros would darken it
        tensor([1.], grad_fn=<Unique2Backward0>)
    """

    def __init__(self, channels: int, width: int, bias: bool = True):
        super().__init__(channels, width, 3, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, h, w) for (N, channels, h, w)."""
        mode = "reflect" if min(x.shape[-2:]) > 1 else "replicate"
        return super().forward(F.pad(x, (1, 1, 1, 1), mode))


class VGG(FeatureNetwork):
    """Blocks of 3 × 3 convolutions, each with a ReLU; a pooling halves the grid between blocks.

    The name of a layer has the number of its block and of the layer in it: block1_conv1,
    block1_conv2, block2_conv1 and so on, as in the lecture.

    Args:
        widths: channels of each block.
        blocks: how many convolutions each block has.
        pooling: "max" as published, or "average", which Gatys et al. (2016) found to give
            better images.
        borders: "zeros" as published, or "reflect".
        normalized: whether batch normalization follows every convolution, while the network is
            trained; `folded` takes it away again.

    Raises:
        ValueError: another pooling or border, not one width per block, or a size that is not a
            whole number of at least 1.

    Example:
        >>> net = VGG((4, 8), (1, 2), borders="reflect")
        >>> {layer: tuple(found.shape) for layer, found in net(torch.rand(1, 3, 8, 8)).items()}
        {'block1_conv1': (1, 4, 8, 8), 'block2_conv1': (1, 8, 4, 4), 'block2_conv2': (1, 8, 4, 4)}
    """

    content_layer = "block2_conv2"
    style_layers = (
        "block1_conv2",
        "block2_conv2",
        "block3_conv3",
        "block4_conv3",
        "block5_conv3",
    )

    def __init__(
        self,
        widths: Sequence[int] = VGG_WIDTHS,
        blocks: Sequence[int] = VGG16_BLOCKS,
        pooling: str = "max",
        borders: str = "zeros",
        normalized: bool = False,
    ):
        poolings = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}
        if pooling not in poolings:
            raise ValueError(f"The pooling is {pooling!r}; choose one of {', '.join(poolings)}.")
        if borders not in ("zeros", "reflect"):
            raise ValueError(f"The borders are {borders!r}; choose one of zeros, reflect.")
        if len(widths) != len(blocks):
            raise ValueError(f"{len(blocks)} blocks need as many widths, not {len(widths)}.")
        features, positions, channels = [], {}, 3
        for block, (width, convolutions) in enumerate(zip(widths, blocks), start=1):
            check_sizes(width=width, convolutions=convolutions)
            for place in range(1, convolutions + 1):
                if borders == "reflect":
                    features.append(_ReflectedConv2d(channels, width, bias=not normalized))
                else:
                    same = {"padding": 1, "bias": not normalized}
                    features.append(nn.Conv2d(channels, width, 3, **same))
                features += [nn.BatchNorm2d(width)] if normalized else []
                features.append(nn.ReLU(inplace=True))
                positions[f"block{block}_conv{place}"] = len(features) - 1
                channels = width
            features.append(poolings[pooling](2))
        super().__init__(features, positions)
        self._layout = {
            "widths": widths, "blocks": blocks, "pooling": pooling, "borders": borders,
        }  # fmt: skip

    def convolutions(self) -> list[nn.Conv2d]:
        """The convolutions in the order of `layers`."""
        return [module for module in self.features if isinstance(module, nn.Conv2d)]

    @torch.no_grad()
    def folded(self) -> VGG:
        """The same network in evaluation mode with its batch normalization inside the convolutions.

        With the running mean m and variance v of a channel, its gain g and shift s, the layer is
        g (w x - m) / √(v + ε) + s, which is a convolution with the weights w g / √(v + ε) and the
        bias s - m g / √(v + ε).

        Returns:
            a new network without batch normalization; this one is not changed.

        Example:
            >>> net = VGG((4, 8), (1, 1), normalized=True).eval()
            >>> image = torch.rand(1, 3, 8, 8)
            >>> torch.allclose(net(image)["block2_conv1"], net.folded()(image)["block2_conv1"],
            ...                atol=1e-5)
            True
        """
        plain = VGG(**self._layout).to(self.mean.device).eval()
        norms = [module for module in self.features if isinstance(module, nn.BatchNorm2d)]
        if not norms:
            plain.load_state_dict(self.state_dict())
        for ours, norm, theirs in zip(self.convolutions(), norms, plain.convolutions()):
            gain = norm.weight / (norm.running_var + norm.eps).sqrt()
            theirs.weight.copy_(ours.weight * gain[:, None, None, None])
            theirs.bias.copy_(norm.bias - norm.running_mean * gain)
        return plain

    @torch.no_grad()
    def equalise(self, images: Tensor) -> VGG:
        """Rescale every layer so that its mean activation over `images` is 1; returns itself.

        The weights of a layer are divided by a factor, and those of the next layer multiplied by
        it. ReLU and pooling commute with positive factors, so every layer computes what it did
        before, up to its factor. Gatys et al. (2016) rescale VGG19 filter by filter; in a small
        network the few filters that are hardly ever active would then dominate all others.

        Args:
            images: (N, 3, H, W) in [0, 1].
        """
        scales = [found.mean() for found in self(images).values()]
        for convolution, scale, before in zip(self.convolutions(), scales, [1.0, *scales]):
            convolution.weight *= before / scale
            convolution.bias /= scale
        return self


def vgg16() -> VGG:
    """The 13 convolutions of VGG16, in torchvision's order (its configuration D)."""
    return VGG(VGG_WIDTHS, VGG16_BLOCKS)


def vgg19() -> VGG:
    """The 16 convolutions of VGG19, in torchvision's order (its configuration E)."""
    return VGG(VGG_WIDTHS, VGG19_BLOCKS)


def course_vgg(normalized: bool = False) -> VGG:
    """VGG16's blocks and names, half of its channels or fewer, average pooling, reflected borders.

    The first layer must not be narrower. A 3 × 3 patch has 27 numbers: fewer filters would leave
    directions of pixel space without a gradient, which the optimisation of pixels fills with noise.

    Args:
        normalized: with batch normalization, as it was trained.

    Example:
        >>> net = course_vgg()
        >>> net(torch.rand(1, 3, 64, 64), ["block2_conv2"])["block2_conv2"].shape
        torch.Size([1, 64, 32, 32])
    """
    return VGG(COURSE_WIDTHS, VGG16_BLOCKS, "average", "reflect", normalized)


class Fire(nn.Module):
    """A 1 × 1 convolution to fewer channels, then a 1 × 1 and a 3 × 3 one to more (Iandola 2016).

    Args:
        channels: channels that come in.
        squeezed: channels after the first convolution.
        expanded: channels of each of the two others, whose outputs are concatenated.
    """

    def __init__(self, channels: int, squeezed: int, expanded: int):
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 2 · expanded, h, w) for (N, channels, h, w)."""
        x = self.squeeze(x).relu()
        return torch.cat([self.expand1x1(x), self.expand3x3(x)], 1).relu()


class SqueezeNet(FeatureNetwork):
    """SqueezeNet 1.1 (Iandola et al. 2016), in torchvision's order: 5 MB instead of VGG16's 528.

    Its layers are conv1 and fire2 to fire9, as in the paper.
    """

    content_layer = "fire2"
    style_layers = ("conv1", "fire3", "fire5", "fire7", "fire9")

    def __init__(self):
        def halve():
            return nn.MaxPool2d(3, stride=2, ceil_mode=True)

        features = [nn.Conv2d(3, 64, 3, stride=2), nn.ReLU(inplace=True), halve()]
        features += [Fire(64, 16, 64), Fire(128, 16, 64), halve()]
        features += [Fire(128, 32, 128), Fire(256, 32, 128), halve()]
        features += [Fire(256, 48, 192), Fire(384, 48, 192)]
        features += [Fire(384, 64, 256), Fire(512, 64, 256)]
        fires = [place for place, module in enumerate(features) if isinstance(module, Fire)]
        positions = {"conv1": 1} | {f"fire{n}": place for n, place in enumerate(fires, start=2)}
        super().__init__(features, positions)


def squeezenet1_1() -> SqueezeNet:
    """SqueezeNet 1.1 without its classifier."""
    return SqueezeNet()


class RandomFilters(nn.Module):
    """One layer of random orthogonal filters of several sizes, without any training.

    Ustyuzhaninov et al. (2016) found that the statistics of such filters suffice to synthesise a
    texture. A layer is called after the size of its filters: 3x3, 5x5 and so on.

    Args:
        sizes: odd widths of the filters.
        filters: how many of each size.
        seed: of the filters; torch's own generator is left alone.

    Raises:
        ValueError: `filters` is not a whole number of at least 1.
    """

    content_layer = "3x3"

    def __init__(
        self, sizes: Sequence[int] = (3, 5, 7, 11, 17, 23), filters: int = 24, seed: int = 0
    ):
        super().__init__()
        check_sizes(filters=filters)
        self.layers = self.style_layers = tuple(f"{size}x{size}" for size in sizes)
        self.filters = nn.ModuleDict()
        for layer, size in zip(self.layers, sizes):
            around = {"padding": size // 2, "padding_mode": "replicate"}
            self.filters[layer] = nn.utils.skip_init(nn.Conv2d, 3, filters, size, **around)
        generator = torch.Generator().manual_seed(seed)
        for convolution in self.filters.values():
            nn.init.orthogonal_(convolution.weight, gain=3.0, generator=generator)
            nn.init.uniform_(convolution.bias, -0.5, 0.5, generator=generator)
        for name, value in (("mean", PIXEL_MEAN), ("spread", PIXEL_SPREAD)):
            self.register_buffer(name, torch.tensor(value)[:, None, None], persistent=False)

    def forward(self, images: Tensor, layers: Iterable[str] | None = None) -> dict[str, Tensor]:
        """layer -> its activations (N, filters, H, W) after the ReLU, for images (N, 3, H, W).

        Raises:
            ValueError: a layer's name is unknown.
        """
        x = (images - self.mean) / self.spread
        return {layer: self.filters[layer](x).relu() for layer in check_layers(layers, self.layers)}
