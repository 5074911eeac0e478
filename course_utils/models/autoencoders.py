"""Autoencoders: fully connected, with tied weights, and convolutional in three constructions.

All have `encode(x) -> h` and `decode(h) -> x̂`, and return logits when called: sigmoid(logits) is
the image in [0, 1], which `decode` gives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..session.arguments import as_whole


class Autoencoder(nn.Module):
    """Encoder f: x -> h and decoder g: h -> x̂ of fully connected layers (lectures 1 and 4).

    Args:
        code: the dimension of the code h.
        hidden: units of the layers between image and code; the decoder has them in reverse.
        shape: (C, H, W) of an image.
        activation: makes the non-linearity after every hidden layer.
        code_activation: makes the non-linearity of the code; none by default.
        normalise: whether the hidden layers are batch-normalised (Ioffe and Szegedy 2015), which
            a deep autoencoder needs to train fast.

    Raises:
        ValueError: `code` is not a whole number of at least 1.

    Example:
        >>> net = Autoencoder(code=10, hidden=(128,))
        >>> images = torch.rand(4, 1, 28, 28)
        >>> net.encode(images).shape, net(images).shape
        (torch.Size([4, 10]), torch.Size([4, 1, 28, 28]))
    """

    def __init__(
        self,
        code: int,
        hidden: Sequence[int] = (),
        shape: tuple[int, int, int] = (1, 28, 28),
        activation: type[nn.Module] = nn.SiLU,
        code_activation: type[nn.Module] = nn.Identity,
        normalise: bool = False,
    ):
        super().__init__()
        check_code(code)
        self.code, self.shape = code, tuple(shape)
        pixels = math.prod(shape)

        def layers(widths: list[int]) -> list[nn.Module]:
            made: list[nn.Module] = []
            for before, after in zip(widths, widths[1:-1]):
                made += [nn.Linear(before, after)]
                made += [nn.BatchNorm1d(after)] if normalise else []
                made += [activation()]
            return [*made, nn.Linear(*widths[-2:])]

        down, up = [pixels, *hidden, code], [code, *reversed(hidden), pixels]
        self.encoder = nn.Sequential(nn.Flatten(), *layers(down), code_activation())
        self.decoder = nn.Sequential(*layers(up), nn.Unflatten(1, self.shape))

    def encode(self, x: Tensor) -> Tensor:
        """Codes (N, code) of images (N, C, H, W) in [0, 1]."""
        return self.encoder(x)

    def decode(self, h: Tensor) -> Tensor:
        """Images (N, C, H, W) in [0, 1] of codes (N, code)."""
        return self.decoder(h).sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, C, H, W) of the reconstruction."""
        return self.decoder(self.encode(x))


class TiedAutoencoder(nn.Module):
    """One layer each with tied weights: the decoder's matrix is the encoder's, transposed.

    h = σ(W x + b_h) and x̂ = σ(Wᵀ h + b_x), with W (code, pixels): lecture 4.

    Args:
        code: the dimension of the code h.
        shape: (C, H, W) of an image.

    Raises:
        ValueError: `code` is not a whole number of at least 1.

    Example:
        >>> net = TiedAutoencoder(code=10)
        >>> sum(p.numel() for p in net.parameters())  # W 10 · 784, b_h 10, b_x 784
        8634
    """

    def __init__(self, code: int, shape: tuple[int, int, int] = (1, 28, 28)):
        super().__init__()
        check_code(code)
        self.code, self.shape = code, tuple(shape)
        layer = nn.Linear(math.prod(shape), code)
        self.weight, self.bias_h = layer.weight, layer.bias
        self.bias_x = nn.Parameter(torch.zeros(math.prod(shape)))

    def encode(self, x: Tensor) -> Tensor:
        """Codes (N, code) in (0, 1) of images (N, C, H, W)."""
        return F.linear(x.flatten(1), self.weight, self.bias_h).sigmoid()

    def decoder(self, h: Tensor) -> Tensor:
        """Logits (N, C, H, W) of codes (N, code)."""
        return F.linear(h, self.weight.T, self.bias_x).unflatten(1, self.shape)

    def decode(self, h: Tensor) -> Tensor:
        """Images (N, C, H, W) in [0, 1] of codes (N, code)."""
        return self.decoder(h).sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, C, H, W) of the reconstruction."""
        return self.decoder(self.encode(x))


class ConvolutionalAutoencoder(nn.Module):
    """Convolutions that halve the size twice and double it twice (lecture 3).

    The code is a small grid of feature maps, flattened.

    Args:
        channels: of the code's grid, so that the code has channels · H/4 · W/4 dimensions.
        width: channels of the first convolution; the second has twice as many.
        resize: how the size changes. "stride": strided convolutions and transposed ones.
            "pool": max-pooling and nearest-neighbour upsampling. "switches": max-pooling that
            remembers the positions of the maxima, and unpooling that puts the values back
            there; the decoder then gets the code and the positions.
        shape: (C, H, W) of an image; H and W must be multiples of 4.
        code_activation: makes the non-linearity of the code; none by default.

    Raises:
        ValueError: images that cannot be halved twice, no channels, or another `resize`.

    Example:
        >>> net = ConvolutionalAutoencoder(channels=4)
        >>> net.encode(torch.rand(2, 1, 28, 28)).shape  # 4 · 7 · 7
        torch.Size([2, 196])
    """

    RESIZES = ("stride", "pool", "switches")

    def __init__(
        self,
        channels: int = 16,
        width: int = 16,
        resize: str = "stride",
        shape: tuple[int, int, int] = (1, 28, 28),
        code_activation: type[nn.Module] = nn.Identity,
    ):
        super().__init__()
        colours, height, across = shape
        check_code(channels)
        if height % 4 or across % 4:
            raise ValueError(
                f"Images of {height}×{across} cannot be halved twice; "
                "crop or resize them to a multiple of 4."
            )
        if resize not in self.RESIZES:
            raise ValueError(f"resize is {resize!r}; use one of {', '.join(self.RESIZES)}.")
        self.shape, self.resize = tuple(shape), resize
        self.grid = (channels, height // 4, across // 4)
        self.code = math.prod(self.grid)
        stride = 2 if resize == "stride" else 1
        self.down = nn.ModuleList(
            [
                nn.Conv2d(colours, width, 3, stride, padding=1),
                nn.Conv2d(width, 2 * width, 3, stride, padding=1),
            ]
        )
        self.to_code = nn.Conv2d(2 * width, channels, 1)
        self.from_code = nn.Conv2d(channels, 2 * width, 1)
        if resize == "stride":
            up = [
                nn.ConvTranspose2d(2 * width, width, 4, 2, padding=1),
                nn.ConvTranspose2d(width, colours, 4, 2, padding=1),
            ]
        else:
            up = [
                nn.Conv2d(2 * width, width, 3, padding=1),
                nn.Conv2d(width, colours, 3, padding=1),
            ]
        self.up = nn.ModuleList(up)
        self.code_activation = code_activation()
        # Few channels: on a CPU, pooling and convolving them pixel by pixel is a third faster.
        self.to(memory_format=torch.channels_last)

    def encode(self, x: Tensor) -> Tensor:
        """Codes (N, code) of images (N, C, H, W) in [0, 1]."""
        return self.encode_with_switches(x)[0]

    def encode_with_switches(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Codes (N, code), and the positions of the maxima of each pooling (none with strides)."""
        switches = []
        for layer in self.down:
            x = F.silu(layer(x))
            if self.resize != "stride":
                x, positions = F.max_pool2d(x, 2, return_indices=True)
                switches.append(positions)
        return self.code_activation(self.to_code(x)).flatten(1), switches

    def decoder(self, h: Tensor, switches: Sequence[Tensor] = ()) -> Tensor:
        """Logits (N, C, H, W) of codes (N, code).

        Args:
            h: (N, code).
            switches: the positions of the maxima, as from `encode_with_switches`.

        Raises:
            ValueError: the construction needs switches and there are none.
        """
        if self.resize == "switches" and not switches:
            raise ValueError(
                "This decoder unpools, so it needs the positions of the maxima too: "
                "h, switches = net.encode_with_switches(x); net.decode(h, switches)."
            )
        x = F.silu(self.from_code(h.unflatten(1, self.grid)))
        for number, layer in enumerate(self.up):
            if self.resize == "switches":
                x = F.max_unpool2d(x, switches[-1 - number], 2)
            elif self.resize == "pool":
                x = F.interpolate(x, scale_factor=2)
            x = layer(x)
            if number == 0:
                x = F.silu(x)
        return x

    def decode(self, h: Tensor, switches: Sequence[Tensor] = ()) -> Tensor:
        """Images (N, C, H, W) in [0, 1] of codes (N, code)."""
        return self.decoder(h, switches).sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, C, H, W) of the reconstruction."""
        return self.decoder(*self.encode_with_switches(x))


def check_code(dimensions: int) -> None:
    """Refuse a code that cannot have this many dimensions.

    Raises:
        ValueError: not a whole number of at least 1.
    """
    if (as_whole(dimensions) or 0) < 1:
        raise ValueError(
            f"The dimension of a code is a whole number of at least 1; this is {dimensions!r}."
        )
