"""The Laplacian pyramid of an image, and the networks that generate one of its levels.

A level is what an image has beyond its enlarged half-size version (Burt and Adelson 1983). A chain
of generators, one a level, draws an image from coarse to fine: LAPGAN (Denton et al. 2015) with
GANs, a cascade (Ho et al. 2022) with diffusion models. Here both have the same networks.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..session.arguments import shown, whole
from .sizes import check_sizes


def halved(images: Tensor) -> Tensor:
    """Images of half the side: each pixel is the mean of 2 × 2.

    Args:
        images: (N, C, H, W), H and W even.

    Raises:
        ValueError: images of another shape.

    Example:
        >>> halved(torch.tensor([[[[0.0, 1.0], [1.0, 0.0]]]]))
        tensor([[[[0.5000]]]])
    """
    _check_images(images, even=True)
    return F.avg_pool2d(images, 2)


def enlarged(images: Tensor) -> Tensor:
    """Images of twice the side, interpolated bilinearly: (N, C, H, W) -> (N, C, 2 H, 2 W).

    Example:
        >>> enlarged(torch.ones(5, 1, 4, 4)).shape
        torch.Size([5, 1, 8, 8])
    """
    _check_images(images)
    return F.interpolate(images, scale_factor=2, mode="bilinear", align_corners=False)


def laplacian_pyramid(images: Tensor, levels: int) -> list[Tensor]:
    """The details of an image at each size, the finest first, and what is left at the end.

        h_k = I_k - u(I_{k+1}),    I_{k+1} = d(I_k),    I_0 the image

    with d `halved` and u `enlarged`.

    Args:
        images: (N, C, H, W), H and W divisible by 2^levels.
        levels: how often the images are halved, 1 or more.

    Returns:
        [h_0, …, h_{levels-1}, I_levels], `levels` + 1 tensors.

    Raises:
        ValueError: images that cannot be halved so often.

    Example:
        >>> [part.shape[-1] for part in laplacian_pyramid(torch.rand(5, 1, 32, 32), levels=2)]
        [32, 16, 8]
    """
    details = []
    for _ in range(whole(levels, "levels")):
        coarse = halved(images)
        details.append(images - enlarged(coarse))
        images = coarse
    return [*details, images]


def from_pyramid(parts: Sequence[Tensor]) -> Tensor:
    """The images of a pyramid, exactly up to rounding: `laplacian_pyramid` backwards.

    Args:
        parts: [h_0, …, I_K], as `laplacian_pyramid` returns them.

    Example:
        >>> images = torch.rand(5, 1, 32, 32)
        >>> torch.allclose(from_pyramid(laplacian_pyramid(images, 2)), images, atol=1e-6)
        True
    """
    images = parts[-1]
    for detail in reversed(parts[:-1]):
        images = enlarged(images) + detail
    return images


class LevelNetwork(nn.Module):
    """Convolutions on the grid of the coarse image -> maps on the fine one.

    The inputs of the fine size are folded, 2 × 2 pixels into four channels, so that all
    convolutions run on the coarse grid, where they cost a quarter and their receptive field is
    twice as wide; the last layer unfolds. With noise as `fine` it is a generator of details, with
    noised details a denoising network.

    Args:
        coarse: channels of what comes in at the coarse size.
        fine: channels of what comes in at the fine size.
        outputs: channels that go out at the fine size.
        width: channels of the three hidden convolutions.

    Example:
        >>> net = LevelNetwork(coarse=1, fine=1)
        >>> net(torch.rand(5, 1, 16, 16), torch.randn(5, 1, 32, 32)).shape
        torch.Size([5, 1, 32, 32])
    """

    def __init__(self, coarse: int = 1, fine: int = 1, outputs: int = 1, width: int = 32):
        super().__init__()
        check_sizes(coarse=coarse, fine=fine, outputs=outputs, width=width)
        self.layers = nn.Sequential(
            nn.Conv2d(coarse + 4 * fine, width, 3, padding=1), nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1), nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1), nn.SiLU(),
            nn.Conv2d(width, 4 * outputs, 3, padding=1), nn.PixelShuffle(2),
        )  # fmt: skip

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """(N, outputs, 2 H, 2 W) for coarse (N, coarse, H, W) and fine (N, fine, 2 H, 2 W)."""
        return self.layers(torch.cat([coarse, F.pixel_unshuffle(fine, 2)], dim=1))


class LevelDiscriminator(nn.Module):
    """Details h and the coarse image they belong to -> one logit.

    Args:
        channels: colours of an image.
        width: channels after the first convolution; each halving doubles them.
        side: of the coarse image, a multiple of 4.

    Example:
        >>> LevelDiscriminator(side=16)(torch.rand(5, 1, 16, 16), torch.randn(5, 1, 32, 32)).shape
        torch.Size([5])
    """

    def __init__(self, channels: int = 1, width: int = 24, side: int = 16):
        super().__init__()
        check_sizes(channels=channels, width=width, side=side)
        self.layers = nn.Sequential(
            nn.Conv2d(5 * channels, width, 3, padding=1), nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, 2, padding=1), nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 4 * width, 4, 2, padding=1), nn.LeakyReLU(0.2),
            nn.Flatten(), nn.Linear(4 * width * (side // 4) ** 2, 1), nn.Flatten(0),
        )  # fmt: skip

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """(N,) logits for coarse images (N, C, H, W) and details (N, C, 2 H, 2 W)."""
        return self.layers(torch.cat([coarse, F.pixel_unshuffle(fine, 2)], dim=1))


def _check_images(images: Tensor, even: bool = False) -> None:
    sides = images.shape[2:] if isinstance(images, Tensor) and images.dim() == 4 else ()
    if not sides or (even and any(side % 2 for side in sides)):
        wanted = "(N, C, H, W)" + (", H and W even" if even else "")
        raise ValueError(f"The images are {shown(images)}; give {wanted}.")
