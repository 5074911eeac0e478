"""Other images of the same label: moved and mirrored, a whole batch at a time.

Images that lie on a device as one tensor need no loader that reads and changes them one by one.
Each function takes images (N, C, H, W), returns new ones of that shape on the same device, and
leaves the given ones alone. Random numbers come from the device's own generator of torch, or from
the one given, which must live on that device.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def random_crop(images: Tensor, padding: int, generator: torch.Generator | None = None) -> Tensor:
    """Move each image by up to `padding` pixels, down or up and left or right.

    A frame of zeros is laid around each image, and a window of its old size is cut out at a
    place of its own, all (2 · padding + 1)² being equally likely (He et al. 2015, section 4.2, has
    4 pixels for images of 32). Zeros are black only where black is 0: crop first
    and normalise then, or the frame is of another colour.

    Args:
        images: (N, C, H, W), of any range and type.
        padding: pixels of the frame on each side, 0 or more.
        generator: where the places come from.

    Raises:
        ValueError: no batch of images, or a padding that is no whole number of at least 0.
    """
    _check(images, padding)
    places = (2, len(images))
    top, left = torch.randint(2 * padding + 1, places, generator=generator, device=images.device)
    return crop(images, padding, top, left)


def crop(images: Tensor, padding: int, top: Tensor, left: Tensor) -> Tensor:
    """The windows of `random_crop` at given places.

    Args:
        images: (N, C, H, W), of any range and type.
        padding: pixels of the frame of zeros on each side.
        top, left: (N,) whole numbers from 0 to 2 · padding: where each window begins in its
            framed image. `padding` itself leaves the image where it was.

    Raises:
        ValueError: as `random_crop`.
        IndexError: not one place for each image, or one beyond 2 · padding.
    """
    _check(images, padding)
    height, width = images.shape[2:]
    framed = F.pad(images, [padding] * 4)
    # All windows of all images as a view, (N, C, 2 padding + 1, 2 padding + 1, H, W).
    windows = framed.unfold(2, height, 1).unfold(3, width, 1)
    return windows[torch.arange(len(images), device=images.device), :, top, left]


def random_flip(
    images: Tensor, probability: float = 0.5, generator: torch.Generator | None = None
) -> Tensor:
    """Exchange left and right in each image with the given probability.

    Args:
        images: (N, C, H, W), of any range and type.
        probability: from 0 (never) to 1 (all of them).
        generator: where the decisions come from.

    Raises:
        ValueError: no batch of images, or a probability outside [0, 1].
    """
    _check(images)
    if not 0 <= probability <= 1:
        raise ValueError(f"The probability of a flip is {probability!r}; give one from 0 to 1.")
    dice = torch.rand(len(images), 1, 1, 1, generator=generator, device=images.device)
    return torch.where(dice < probability, images.flip(3), images)


def normalised(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """(images - mean) / std, colour by colour.

    Args:
        images: (N, C, H, W) float, in [0, 1] for the usual means.
        mean, std: C numbers each, a sequence or a tensor; see `colour_statistics`.

    Raises:
        ValueError: no batch of images, not C numbers, or a standard deviation that is not
            above 0.
    """
    _check(images)
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
    """Mean and standard deviation of each colour over all pixels, of images (N, C, H, W).

    Raises:
        ValueError: no batch of images.
    """
    _check(images)
    std, mean = torch.std_mean(images, dim=(0, 2, 3))
    return mean.tolist(), std.tolist()


def _check(images: Tensor, padding: int = 0) -> None:
    if images.dim() != 4:
        raise ValueError(f"Give a batch of images (N, C, H, W); this is {tuple(images.shape)}.")
    if isinstance(padding, bool) or not isinstance(padding, int) or padding < 0:
        raise ValueError(f"The padding is {padding!r}; give a whole number of pixels from 0 up.")
