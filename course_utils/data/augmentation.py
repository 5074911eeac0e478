"""Data augmentation: random crops, flips, affine transformations and normalisation of a batch.

The images are one tensor on a device, so no loader need read and change them one by one. Each
function takes images (N, C, H, W), returns new ones of that shape on the same device, and leaves
the given ones unchanged. Random numbers come from torch's generator of that device, or from the
given one, which must be on that device.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..session.arguments import real, shown, whole


def random_crop(images: Tensor, padding: int, generator: torch.Generator | None = None) -> Tensor:
    """Shift each image by up to `padding` pixels, up or down and left or right.

    Each image is padded with zeros, and a window of its old size is cut out at a random position,
    all (2 · padding + 1)² positions being equally likely (He et al. 2015, section 4.2, pad images
    of 32 by 4 pixels). Crop before you normalise, because afterwards 0 is no longer black.

    Args:
        images: (N, C, H, W), of any range and type.
        padding: pixels of zeros on each side, 0 or more.
        generator: of the random numbers.

    Returns:
        (N, C, H, W).

    Raises:
        ValueError: no batch of images, or a padding that is not a whole number of at least 0.

    Example:
        >>> random_crop(torch.rand(8, 3, 32, 32), padding=4).shape
        torch.Size([8, 3, 32, 32])
    """
    padding = _checked(images, padding)
    places = (2, len(images))
    top, left = torch.randint(2 * padding + 1, places, generator=generator, device=images.device)
    return crop(images, padding, top, left)


def crop(images: Tensor, padding: int, top: Tensor, left: Tensor) -> Tensor:
    """The windows of `random_crop` at given positions.

    Args:
        images: (N, C, H, W), of any range and type.
        padding: pixels of zeros on each side.
        top, left: (N,) whole numbers from 0 to 2 · padding: where each window begins in its
            padded image. `padding` itself leaves the image where it was.

    Returns:
        (N, C, H, W).

    Raises:
        ValueError: as `random_crop`.
        IndexError: not one position for each image, or one beyond 2 · padding.
    """
    padding = _checked(images, padding)
    height, width = images.shape[2:]
    padded = F.pad(images, [padding] * 4)
    # All windows of all images as a view, (N, C, 2 padding + 1, 2 padding + 1, H, W).
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)
    return windows[torch.arange(len(images), device=images.device), :, top, left]


def random_affine(
    images: Tensor,
    shift: float = 0.0,
    degrees: float = 0.0,
    scale: float = 0.0,
    shear: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Shift, turn, scale and slant each image at random, by at most the given amounts.

    Every amount is drawn uniformly from -amount to amount, for each image by itself. What comes in
    from beyond the border is black.

    Args:
        images: (N, C, H, W) float.
        shift: across and down, as a share of half the width and height.
        degrees: of a rotation about the middle.
        scale: natural logarithm of the factor: 0.2 is from 82 % to 122 % of the size.
        shear: how far a line one pixel higher is moved sideways, in pixels.
        generator: of the random numbers.

    Returns:
        (N, C, H, W) float.

    Raises:
        ValueError: no batch of images, or an amount that is negative or not finite.

    Example:
        >>> images = torch.rand(8, 1, 28, 28)
        >>> random_affine(images, shift=0.1, degrees=10, scale=0.1, shear=0.2).shape
        torch.Size([8, 1, 28, 28])
    """
    _checked(images)
    amounts = {"shift": shift, "degrees": degrees, "scale": scale, "shear": shear}
    for name, amount in amounts.items():
        amounts[name] = real(amount, name, "0 or more", lambda n: 0 <= n < math.inf)
    numbers = torch.rand(5, len(images), generator=generator, device=images.device)
    across, down, turn, grow, slant = (2 * numbers - 1).to(images.dtype)
    angle = math.radians(amounts["degrees"]) * turn
    inverse_scale = (-amounts["scale"] * grow).exp()
    slant = amounts["shear"] * slant
    cos, sin = angle.cos(), angle.sin()
    # Where each pixel of the result comes from: a rotation times a shear, over the scale.
    height, width = images.shape[2:]
    rows = [
        torch.stack([cos, (cos * slant - sin) * height / width, amounts["shift"] * across]),
        torch.stack([sin * width / height, sin * slant + cos, amounts["shift"] * down]),
    ]
    matrix = torch.stack(rows).permute(2, 0, 1)  # (N, 2, 3)
    matrix = torch.cat([matrix[..., :2] * inverse_scale[:, None, None], matrix[..., 2:]], dim=2)
    return _resampled(images, matrix)


def deskewed(images: Tensor, size: float = 0.36) -> Tensor:
    """Images of one bright shape each, centred, upright and of one height, by their moments.

    The brightness is taken as a mass. Its mean goes to the middle of the image; the shear
    cov(x, y) / var(y) is undone; and both axes are scaled so that the standard deviation in y is
    `size`. Shearing by the second moments is the "deslanting" of LeCun et al. (1998, section
    III.A). It needs neither labels nor training, and it does not undo a rotation.

    Args:
        images: (N, C, H, W) float, 0 or more, with one bright shape on black.
        size: the standard deviation in y, as a share of half the height.

    Returns:
        (N, C, H, W) float. An image that is black everywhere stays so.

    Raises:
        ValueError: no batch of images, or a size that is not above 0.

    Example:
        >>> stroke = torch.zeros(1, 1, 9, 9)
        >>> stroke[0, 0, range(6), range(6)] = 1.0  # a diagonal in the upper left corner
        >>> upright = deskewed(stroke)
        >>> upright.amax(2).flatten().argmax().item()  # now in the middle column
        4
    """
    _checked(images)
    size = real(size, "size", "a number above 0", lambda n: 0 < n < math.inf)
    height, width = images.shape[2:]
    mass = images.sum(1)
    mass = mass / mass.sum((1, 2), keepdim=True).clamp(min=1e-6)
    y = _places(height, images)[:, None]
    x = _places(width, images)
    mean_x, mean_y = ((mass * each).sum((1, 2)) for each in (x, y))
    x, y = x - mean_x[:, None, None], y - mean_y[:, None, None]
    variance = (mass * y.square()).sum((1, 2)).clamp(min=1e-6)
    shear = (mass * x * y).sum((1, 2)) / variance
    scale, zero = variance.sqrt() / size, torch.zeros_like(mean_x)
    rows = [torch.stack([scale, shear * scale, mean_x]), torch.stack([zero, scale, mean_y])]
    return _resampled(images, torch.stack(rows).permute(2, 0, 1))


def _places(count: int, like: Tensor) -> Tensor:
    """The middles of `count` pixels on [-1, 1], as `grid_sample` places them."""
    return (torch.arange(count, device=like.device, dtype=like.dtype) + 0.5) * 2 / count - 1


def _resampled(images: Tensor, matrix: Tensor) -> Tensor:
    """Images whose pixels come from where an affine matrix (N, 2, 3) says, bilinearly."""
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def random_flip(
    images: Tensor, probability: float = 0.5, generator: torch.Generator | None = None
) -> Tensor:
    """Flip each image horizontally with the given probability.

    Args:
        images: (N, C, H, W), of any range and type.
        probability: from 0 (no image) to 1 (all of them).
        generator: of the random numbers.

    Returns:
        (N, C, H, W).

    Raises:
        ValueError: no batch of images, or a probability outside [0, 1].

    Example:
        >>> random_flip(torch.tensor([[[[1.0, 2.0, 3.0]]]]), probability=1.0)
        tensor([[[[3., 2., 1.]]]])
    """
    _checked(images)
    probability = real(
        probability, "The probability of a flip", "one from 0 to 1", lambda share: 0 <= share <= 1
    )
    numbers = torch.rand(len(images), 1, 1, 1, generator=generator, device=images.device)
    return torch.where(numbers < probability, images.flip(3), images)


def normalised(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """(images - mean) / std, colour by colour.

    Args:
        images: (N, C, H, W) float, in [0, 1] for the usual means.
        mean, std: C numbers each, a sequence or a tensor; see `colour_statistics`.

    Returns:
        (N, C, H, W) float.

    Raises:
        ValueError: no batch of images, not C numbers, or a standard deviation that is not
            above 0.
    """
    _checked(images)
    mean, std = (torch.as_tensor(part, dtype=images.dtype) for part in (mean, std))
    for name, numbers in {"mean": mean, "std": std}.items():
        if numbers.shape != images.shape[1:2]:
            raise ValueError(
                f"Images of {images.shape[1]} colours need as many numbers in {name}; it has "
                f"the shape {tuple(numbers.shape)}."
            )
    if not (std > 0).all():
        raise ValueError(f"Every standard deviation must be above 0; these are {std.tolist()}.")
    return (images - mean.view(-1, 1, 1).to(images.device)) / std.view(-1, 1, 1).to(images.device)


def colour_statistics(images: Tensor) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each colour over all pixels and images.

    Args:
        images: (N, C, H, W) float.

    Returns:
        two lists of C numbers.

    Raises:
        ValueError: no batch of images.
    """
    _checked(images)
    std, mean = torch.std_mean(images, dim=(0, 2, 3))
    return mean.tolist(), std.tolist()


def _checked(images: Tensor, padding: int = 0) -> int:
    """The padding as Python's whole number, after a check of both."""
    if not isinstance(images, Tensor) or images.dim() != 4:
        raise ValueError(f"Give a batch of images (N, C, H, W); this is {shown(images)}.")
    return whole(padding, "The padding", least=0)
