"""Plain and residual networks (He, Zhang, Ren and Sun 2015, 2016), from the shortcut upwards.

A block computes y = shortcut(x, F(x)). `Shortcut` adds the two; the other shortcuts of this file
are those that the authors tried instead of the identity, and `NoShortcut` makes a plain network.
The four kinds of block differ in F, `ResNet` puts blocks in a sequence, and the functions at the
end are rows of the papers' tables.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..session.arguments import as_whole
from .sizes import check_sizes


class Shortcut(nn.Module):
    """The identity shortcut: y = x + F(x).

    Args:
        channels: of x and of F(x).

    Raises:
        ValueError: `channels` is not a whole number of at least 1.

    Example:
        >>> import torch
        >>> x = torch.ones(1, 2, 1, 1)
        >>> Shortcut(channels=2)(x, 3 * x).flatten()  # 1 + 3
        tensor([4., 4.])
    """

    def __init__(self, channels: int):
        super().__init__()
        check_sizes(channels=channels)
        self.channels = channels

    def carry(self, x: Tensor) -> Tensor:
        """The output of the shortcut for x (N, channels, H, W): all that is left without F."""
        return x

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        """y (N, channels, H, W) of x and F(x), both of that shape."""
        return self.carry(x) + residual


class NoShortcut(Shortcut):
    """A plain network: y = F(x). If the block is deleted, x takes the place of y.

    Example:
        >>> import torch
        >>> x = torch.ones(1, 2, 1, 1)
        >>> NoShortcut(channels=2)(x, 3 * x).flatten()
        tensor([3., 3.])
    """

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        return residual


class ScaledShortcut(Shortcut):
    """Both paths times a constant: y = λ x + μ F(x) (He et al. 2016, section 3.1).

    Over L blocks the shortcuts multiply to λ**L, forwards and backwards.

    Args:
        channels: of x and of F(x).
        weight: λ; 1 is the identity, and 0 a plain network (if F's weight is 1).
        residual_weight: μ. The authors tried 1 and 1/2, both with λ = 1/2.

    Raises:
        ValueError: a weight that is not finite.

    Example:
        >>> import torch
        >>> x = torch.ones(1, 2, 1, 1)
        >>> ScaledShortcut(channels=2, weight=0.5)(x, 3 * x).flatten()  # 0.5 + 3
        tensor([3.5000, 3.5000])
    """

    def __init__(self, channels: int, weight: float = 0.5, residual_weight: float = 1.0):
        super().__init__(channels)
        if not (math.isfinite(weight) and math.isfinite(residual_weight)):
            raise ValueError(f"Weights must be numbers; these are {weight}, {residual_weight}.")
        self.weight, self.residual_weight = weight, residual_weight

    def carry(self, x: Tensor) -> Tensor:
        return self.weight * x

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        return self.carry(x) + self.residual_weight * residual


class ShortcutGate(Shortcut):
    """A gate on the shortcut only: y = (1 - g(x)) x + F(x), g(x) = σ(W x + b) of a 1 × 1 kernel.

    He et al. 2016, section 3.1. With b far below 0 it is the identity shortcut.

    Args:
        channels: of x and of F(x).
        bias: the initial value of b; -6 was the best that the authors found.

    Example:
        >>> import torch
        >>> x = torch.ones(1, 2, 1, 1)
        >>> ShortcutGate(channels=2, bias=-99.0)(x, 3 * x).flatten().tolist()  # g(x) = 0
        [4.0, 4.0]
    """

    def __init__(self, channels: int, bias: float = -6.0):
        super().__init__(channels)
        self.to_gate = convolution(channels, channels, 1, bias=True)
        nn.init.constant_(self.to_gate.bias, bias)

    def gate(self, x: Tensor) -> Tensor:
        """g(x) in (0, 1), one number per channel and pixel: (N, channels, H, W)."""
        return self.to_gate(x).sigmoid()

    def carry(self, x: Tensor) -> Tensor:
        return (1 - self.gate(x)) * x


class ExclusiveGate(ShortcutGate):
    """One gate for both paths: y = (1 - g(x)) x + g(x) F(x), as in highway networks.

    Srivastava, Greff and Schmidhuber 2015; He et al. 2016, section 3.1. It is like an LSTM whose
    forget and input gates always sum to 1.

    Example:
        >>> import torch
        >>> x = torch.ones(1, 2, 1, 1)
        >>> ExclusiveGate(channels=2, bias=99.0)(x, 3 * x).flatten().tolist()  # g(x) = 1
        [3.0, 3.0]
    """

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        gate = self.gate(x)
        return (1 - gate) * x + gate * residual


class ConvolutionalShortcut(Shortcut):
    """A 1 × 1 convolution in every shortcut: y = W x + F(x) (He et al. 2016, section 3.1).

    Args:
        channels: of x and of F(x).

    Example:
        >>> import torch
        >>> shortcut, zeros = ConvolutionalShortcut(channels=2), torch.zeros(1, 2, 8, 8)
        >>> shortcut.mix.weight.shape, shortcut(zeros, zeros).shape
        (torch.Size([2, 2, 1, 1]), torch.Size([1, 2, 8, 8]))
    """

    def __init__(self, channels: int):
        super().__init__(channels)
        self.mix = convolution(channels, channels, 1)

    def carry(self, x: Tensor) -> Tensor:
        return self.mix(x)


class DropoutShortcut(Shortcut):
    """Dropout on the shortcut: y = dropout(x) + F(x) (He et al. 2016, section 3.1).

    Args:
        channels: of x and of F(x).
        rate: the probability that a number of x is dropped while training, 1/2 in the paper.

    Raises:
        ValueError: a rate outside [0, 1).

    Example:
        >>> import torch
        >>> x = torch.ones(1, 2, 1, 1)
        >>> DropoutShortcut(channels=2).eval()(x, 3 * x).flatten()  # the identity after training
        tensor([4., 4.])
    """

    def __init__(self, channels: int, rate: float = 0.5):
        super().__init__(channels)
        if not 0 <= rate < 1:
            raise ValueError(f"The dropout rate must be at least 0 and below 1; it is {rate}.")
        self.rate = rate

    def carry(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.rate, self.training)


class ZeroPadding(nn.Module):
    """Fits x to F(x) without parameters: every stride-th pixel, and new channels full of zeros.

    Option A of He et al. 2015, section 4.1.

    Args:
        more: how many channels of zeros are appended to those of x.
        stride: of the pixels that are kept.

    Raises:
        ValueError: `more` is negative.
    """

    def __init__(self, more: int, stride: int):
        super().__init__()
        if more < 0:
            raise ValueError(
                f"Padding cannot take {-more} channels away; make the block with project=True."
            )
        self.more, self.stride = more, stride

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels + more, H / stride, W / stride), rounded up, for (N, channels, H, W)."""
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))


class ResidualBlock(nn.Module):
    """y = shortcut(fit(x), F(x)): what the four kinds of block below have in common.

    `fit` is the identity where x and F(x) have the same shape. It is called `downsample`, and the
    layers of F `conv1`, `bn1`, …, as in torchvision, so that torchvision's weights can be loaded.

    Args:
        before: channels of x.
        width: channels inside the block; y has `expansion` times as many.
        stride: of F's first 3 × 3 convolution.
        shortcut: channels -> the module that combines x and F(x), `Shortcut` or another.
        project: where the shape changes, fit x with a 1 × 1 convolution (option B of He et al.
            2015) and not by padding (option A).
        normalise: batch normalisation after each convolution, or before it in the pre-activation
            blocks; without it the convolutions have biases.

    Raises:
        ValueError: sizes that are not whole numbers of at least 1, or fewer channels without
            `project`.
    """

    expansion = 1  # channels of y for each of `width`
    convolutions = 2  # how many F has: what the papers count as layers
    activated_first = False  # whether F starts with the activation, and nothing follows the sum

    def __init__(
        self,
        before: int,
        width: int,
        stride: int = 1,
        shortcut: Callable[[int], Shortcut] = Shortcut,
        project: bool = False,
        normalise: bool = True,
    ):
        super().__init__()
        check_sizes(before=before, width=width, stride=stride)
        after = self.expansion * width
        self.same_shape = stride == 1 and before == after
        self.shortcut = shortcut(after)
        self.downsample: nn.Module = nn.Identity()
        if not self.same_shape and shortcut is not NoShortcut:
            self.downsample = (
                _projection(before, after, stride, normalise)
                if project
                else ZeroPadding(after - before, stride)
            )

    def residual(self, x: Tensor) -> Tensor:
        """F(x)."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """y (N, expansion · width, H / stride, W / stride) for x (N, before, H, W)."""
        y = self.shortcut(self.downsample(x), self.residual(x))
        return y if self.activated_first else F.relu(y)

    def bypass(self, x: Tensor) -> Tensor:
        """y without F: the block is deleted, its shortcut stays (Veit, Wilber, Belongie 2016).

        Args:
            x: (N, before, H, W).

        Raises:
            ValueError: a plain block whose x has another shape than y.
        """
        if isinstance(self.shortcut, NoShortcut) and not self.same_shape:
            raise ValueError(
                "This block has no shortcut and changes the shape, so it cannot be deleted; "
                "delete one that keeps the shape."
            )
        y = self.shortcut.carry(self.downsample(x))
        return y if self.activated_first else F.relu(y)


class BasicBlock(ResidualBlock):
    """F(x) = N(conv(relu(N(conv(x))))), y = relu(x + F(x)), two 3 × 3 (He et al. 2015, fig. 5).

    Args:
        before, width, stride, normalise, options: as in `ResidualBlock`.

    Example:
        >>> import torch
        >>> BasicBlock(before=16, width=32, stride=2)(torch.rand(2, 16, 8, 8)).shape
        torch.Size([2, 32, 4, 4])
    """

    def __init__(self, before: int, width: int, stride=1, normalise=True, **options):
        super().__init__(before, width, stride, normalise=normalise, **options)
        self.conv1 = convolution(before, width, 3, stride, bias=not normalise)
        self.bn1 = _norm(width, normalise)
        self.conv2 = convolution(width, width, 3, bias=not normalise)
        self.bn2 = _norm(width, normalise)

    def residual(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        return self.bn2(self.conv2(x))


class Bottleneck(ResidualBlock):
    """1 × 1 to `width` channels, 3 × 3, and 1 × 1 to 4 · width channels (He et al. 2015, fig. 5).

    The stride is in the 3 × 3 convolution, as in torchvision; the paper has it in the first.

    Args:
        before, width, stride, normalise, options: as in `ResidualBlock`.

    Example:
        >>> import torch
        >>> Bottleneck(before=64, width=16)(torch.rand(2, 64, 8, 8)).shape  # 4 · 16 channels
        torch.Size([2, 64, 8, 8])
    """

    expansion, convolutions = 4, 3

    def __init__(self, before: int, width: int, stride=1, normalise=True, **options):
        super().__init__(before, width, stride, normalise=normalise, **options)
        self.conv1 = convolution(before, width, 1, bias=not normalise)
        self.bn1 = _norm(width, normalise)
        self.conv2 = convolution(width, width, 3, stride, bias=not normalise)
        self.bn2 = _norm(width, normalise)
        self.conv3 = convolution(width, 4 * width, 1, bias=not normalise)
        self.bn3 = _norm(4 * width, normalise)

    def residual(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return self.bn3(self.conv3(x))


class PreActivationBlock(ResidualBlock):
    """F(x) = conv(relu(N(conv(relu(N(x)))))), y = x + F(x) (He et al. 2016, fig. 4e).

    Nothing follows the sum, so that x reaches every later block unchanged. (Where a block changes
    the shape, the authors' code applies the activation to the shortcut as well; here it starts
    at x.)

    Args:
        before, width, stride, normalise, options: as in `ResidualBlock`.

    Example:
        >>> import torch
        >>> block, x = PreActivationBlock(before=16, width=16), torch.rand(2, 16, 8, 8)
        >>> torch.equal(block(x), x + block.residual(x))  # no ReLU after the sum
        True
    """

    activated_first = True

    def __init__(self, before: int, width: int, stride=1, normalise=True, **options):
        super().__init__(before, width, stride, normalise=normalise, **options)
        self.bn1 = _norm(before, normalise)
        self.conv1 = convolution(before, width, 3, stride, bias=not normalise)
        self.bn2 = _norm(width, normalise)
        self.conv2 = convolution(width, width, 3, bias=not normalise)

    def residual(self, x: Tensor) -> Tensor:
        x = self.conv1(F.relu(self.bn1(x)))
        return self.conv2(F.relu(self.bn2(x)))


class PreActivationBottleneck(ResidualBlock):
    """The `Bottleneck`, each convolution after its normalisation and ReLU (He et al. 2016).

    Args:
        before, width, stride, normalise, options: as in `ResidualBlock`.
    """

    expansion, convolutions, activated_first = 4, 3, True

    def __init__(self, before: int, width: int, stride=1, normalise=True, **options):
        super().__init__(before, width, stride, normalise=normalise, **options)
        self.bn1 = _norm(before, normalise)
        self.conv1 = convolution(before, width, 1, bias=not normalise)
        self.bn2 = _norm(width, normalise)
        self.conv2 = convolution(width, width, 3, stride, bias=not normalise)
        self.bn3 = _norm(width, normalise)
        self.conv3 = convolution(width, 4 * width, 1, bias=not normalise)

    def residual(self, x: Tensor) -> Tensor:
        x = self.conv1(F.relu(self.bn1(x)))
        x = self.conv2(F.relu(self.bn2(x)))
        return self.conv3(F.relu(self.bn3(x)))


class ResNet(nn.Module):
    """A first convolution, stages of blocks, the mean over all pixels, and a linear layer.

    Each stage but the first starts with a block of stride 2. The parameters have torchvision's
    names.

    Args:
        block: the kind of block.
        counts: how many blocks each stage has.
        widths: channels inside the blocks of each stage.
        shortcut, project, normalise: of every block, see `ResidualBlock`.
        large: True for images of 224 pixels and more: the first convolution has a 7 × 7 kernel
            and stride 2, and max-pooling with stride 2 follows. Otherwise it has a 3 × 3 kernel
            and stride 1, without pooling.
        channels: colours of an image.
        classes: how many logits come out.

    Raises:
        ValueError: sizes that are not whole numbers of at least 1, or not one width for every
            count.

    Example:
        >>> import torch
        >>> net = ResNet(BasicBlock, counts=[2, 1], widths=[8, 16])
        >>> net(torch.rand(4, 3, 32, 32)).shape, list(net.blocks())
        (torch.Size([4, 10]), ['layer1.0', 'layer1.1', 'layer2.0'])
    """

    def __init__(
        self,
        block: type[ResidualBlock],
        counts: Sequence[int],
        widths: Sequence[int],
        shortcut: Callable[[int], Shortcut] = Shortcut,
        project: bool = False,
        normalise: bool = True,
        large: bool = False,
        channels: int = 3,
        classes: int = 10,
    ):
        super().__init__()
        check_sizes(channels=channels, classes=classes, stages=len(counts))
        if len(counts) != len(widths):
            raise ValueError(f"{len(counts)} counts of blocks need as many widths: {widths}.")
        for blocks, width in zip(counts, widths):
            check_sizes(blocks=blocks, width=width)
        self.channels, self.activated_first = channels, block.activated_first
        make = partial(block, shortcut=shortcut, project=project, normalise=normalise)
        kernel, stride = (7, 2) if large else (3, 1)

        self.conv1 = convolution(channels, widths[0], kernel, stride, bias=not normalise)
        self.bn1 = _norm(widths[0], normalise and not block.activated_first)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1) if large else nn.Identity()
        before, self.names = widths[0], []
        for stage, (count, width) in enumerate(zip(counts, widths), start=1):
            blocks = [make(before, width, stride=1 if stage == 1 else 2)]
            before = block.expansion * width
            blocks += [make(before, width) for _ in range(count - 1)]
            setattr(self, f"layer{stage}", nn.Sequential(*blocks))
            self.names += [f"layer{stage}.{place}" for place in range(count)]
        self.last_bn = _norm(before, normalise and block.activated_first)
        self.fc = nn.Linear(before, classes)

    def blocks(self) -> dict[str, ResidualBlock]:
        """The blocks in their order, by name: "layer1.0", "layer1.1", …"""
        return {name: self.get_submodule(name) for name in self.names}

    def stem(self, x: Tensor) -> Tensor:
        """The input of the first block, for images (N, channels, H, W)."""
        x = self.conv1(x)
        return self.maxpool(x if self.activated_first else F.relu(self.bn1(x)))

    def classify(self, x: Tensor) -> Tensor:
        """Logits (N, classes) of the output x of the last block."""
        x = F.relu(self.last_bn(x)) if self.activated_first else x
        return self.fc(x.mean(dim=(2, 3)))

    def walk(self, x: Tensor, without: Sequence[str] = ()) -> Iterator[tuple[str, Tensor]]:
        """("stem", x₀), then each block's name and its output, one after the other.

        `dict(net.walk(x))` holds them all. The blocks named in `without` are bypassed in this call
        only.

        Args:
            x: images (N, channels, H, W).
            without: names out of `blocks()`.

        Raises:
            ValueError: other channels, or a name that no block has.
        """
        if x.dim() != 4 or x.shape[1] != self.channels:
            raise ValueError(
                f"This network takes (N, {self.channels}, H, W) images; these are {tuple(x.shape)}."
            )
        check_names(without, self.names)
        x = self.stem(x)
        yield "stem", x
        for name, block in self.blocks().items():
            x = block.bypass(x) if name in without else block(x)
            yield name, x

    def forward(self, x: Tensor, without: Sequence[str] = ()) -> Tensor:
        """Logits (N, classes) for images (N, channels, H, W), without the blocks named."""
        for _, state in self.walk(x, without):
            x = state
        return self.classify(x)


def cifar_resnet(
    layers: int = 20, block: type[ResidualBlock] = BasicBlock, width: int = 16, **options
) -> ResNet:
    """The networks for CIFAR's images of 32 × 32 (He et al. 2015, section 4.2).

    Three stages of n blocks, of 16, 32 and 64 channels on 32, 16 and 8 pixels a side; n follows
    from the layers: 6n + 2 with two convolutions a block, 9n + 2 in a bottleneck. Shortcuts have
    no parameters. ResNet-20, 32, 44, 56 and 110 have .27, .46, .66, .85 and 1.7 M.

    Args:
        layers: the convolutions on the longest path, and the linear layer.
        block: the kind of block.
        width: channels of the first stage.
        options: of `ResNet`; shortcut=NoShortcut makes the plain counterpart.

    Raises:
        ValueError: a number of layers that does not give three equal stages.

    Example:
        >>> net = cifar_resnet(layers=20)
        >>> sum(p.numel() for p in net.parameters())
        269722
    """
    step = 3 * block.convolutions
    if (as_whole(layers) or 0) < step + 2:
        raise ValueError(f"layers must be a whole number of at least {step + 2}: {layers!r}.")
    if (layers - 2) % step:
        below = (layers - 2) // step * step + 2
        raise ValueError(
            f"{block.__name__}s make networks of {step}n + 2 layers, and {layers} is not one of "
            f"these numbers; take {below} or {below + step}."
        )
    counts = [(layers - 2) // step] * 3
    return ResNet(block, counts, [width, 2 * width, 4 * width], **options)


def resnet18(**options) -> ResNet:
    """18 layers for ImageNet's images of 224 × 224: 11.7 M parameters (He et al. 2015, table 1).

    Args:
        options: of `ResNet`.

    Example:
        >>> import torch
        >>> resnet18()(torch.rand(2, 3, 64, 64)).shape
        torch.Size([2, 1000])
    """
    return _imagenet_resnet(BasicBlock, [2, 2, 2, 2], **options)


def resnet34(**options) -> ResNet:
    """34 layers for ImageNet's images of 224 × 224: 21.8 M parameters (He et al. 2015, table 1).

    Args:
        options: of `ResNet`.

    Example:
        >>> net = resnet34()
        >>> len(net.blocks()), sum(p.numel() for p in net.parameters())
        (16, 21797672)
    """
    return _imagenet_resnet(BasicBlock, [3, 4, 6, 3], **options)


def resnet50(**options) -> ResNet:
    """50 layers for ImageNet's images of 224 × 224: 25.6 M parameters (He et al. 2015, table 1).

    Args:
        options: of `ResNet`.

    Example:
        >>> net = resnet50()
        >>> len(net.blocks()), sum(p.numel() for p in net.parameters())
        (16, 25557032)
    """
    return _imagenet_resnet(Bottleneck, [3, 4, 6, 3], **options)


def resnet101(**options) -> ResNet:
    """101 layers for ImageNet's images of 224 × 224: 44.5 M parameters (He et al. 2015, table 1).

    Args:
        options: of `ResNet`.

    Example:
        >>> import torch
        >>> with torch.device("meta"):  # shapes without numbers are enough to count
        ...     net = resnet101()
        >>> len(net.blocks()), sum(p.numel() for p in net.parameters())
        (33, 44549160)
    """
    return _imagenet_resnet(Bottleneck, [3, 4, 23, 3], **options)


def resnet152(**options) -> ResNet:
    """152 layers for ImageNet's images of 224 × 224: 60.2 M parameters (He et al. 2015, table 1).

    Args:
        options: of `ResNet`.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     net = resnet152()
        >>> len(net.blocks()), sum(p.numel() for p in net.parameters())
        (50, 60192808)
    """
    return _imagenet_resnet(Bottleneck, [3, 8, 36, 3], **options)


def count_costs(net: nn.Module, side: int) -> tuple[int, int]:
    """Parameters of a network, and multiply-adds for one square image of 3 colours.

    A convolution uses each of its weights once for every pixel that comes out. One use is one
    multiplication and one addition, a multiply-add, which most papers on networks call a FLOP.
    Biases, normalisation and pooling are left out of them.

    Args:
        net: on the meta device, where tensors have shapes and no numbers; it is put into
            evaluation mode.
        side: of the image, in pixels.

    Raises:
        ValueError: the network is not on the meta device, or `side` is not a whole number of at
            least 1.

    Example:
        >>> import torch
        >>> with torch.device("meta"):
        ...     net = resnet18()
        >>> count_costs(net, side=224)
        (11689512, 1814073344)
    """
    check_sizes(side=side)
    if any(weights.device.type != "meta" for weights in net.parameters()):
        raise ValueError('Make the network within torch.device("meta"), where counting is free.')
    uses = []

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        uses.append(output[0].numel() * layer.weight[0].numel())

    hooks = [
        layer.register_forward_hook(count)
        for layer in net.modules()
        if isinstance(layer, (nn.Conv2d, nn.Linear))
    ]
    net.eval()(torch.empty(1, 3, side, side, device="meta"))
    for hook in hooks:
        hook.remove()
    return sum(weights.numel() for weights in net.parameters()), sum(uses)


def _imagenet_resnet(block: type[ResidualBlock], counts: Sequence[int], **options) -> ResNet:
    settings = {"large": True, "project": True, "classes": 1000, **options}
    return ResNet(block, counts, [64, 128, 256, 512], **settings)


def convolution(
    before: int,
    after: int,
    kernel: int | tuple[int, int],
    stride: int = 1,
    padding: int | tuple[int, int] | None = None,
    bias: bool = False,
) -> nn.Conv2d:
    """A convolution that keeps the size (if its stride is 1), with He initialisation.

    Weights come from N(0, 2 / n), n = kernel height · width · `after`, so that the gradients
    neither grow nor shrink through the ReLUs (He et al. 2015, Delving deep into rectifiers, eq.
    14). Biases start at 0.

    Args:
        before, after: channels that come in and go out.
        kernel: height and width, one number if they are equal; odd.
        stride: of the pixels.
        padding: zeros at each border; by default as many as keep the size.
        bias: whether each output channel has one.

    Example:
        >>> import torch
        >>> convolution(3, 16, kernel=3, stride=2)(torch.rand(1, 3, 32, 32)).shape
        torch.Size([1, 16, 16, 16])
    """
    height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = (height // 2, width // 2) if padding is None else padding
    layer = nn.Conv2d(before, after, (height, width), stride, padding, bias=bias)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


def check_names(asked: Sequence[str], names: Sequence[str]) -> None:
    """Refuse a name that is not one of the network's blocks.

    Args:
        asked: the wanted names.
        names: the names of all blocks.

    Raises:
        ValueError: a name that no block has, or a single name instead of a list.
    """
    if isinstance(asked, str):
        raise ValueError(f"Give the names of blocks in a list: [{asked!r}].")
    for name in asked:
        if name not in names:
            raise ValueError(
                f"No block is called {name!r}; they go from {names[0]!r} to {names[-1]!r}, "
                "see net.blocks()."
            )


def _norm(channels: int, normalise: bool) -> nn.Module:
    return nn.BatchNorm2d(channels) if normalise else nn.Identity()


def _projection(before: int, after: int, stride: int, normalise: bool) -> nn.Sequential:
    return nn.Sequential(
        convolution(before, after, 1, stride, bias=not normalise), _norm(after, normalise)
    )
