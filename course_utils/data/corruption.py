"""Ways to damage an image, for denoising autoencoders and for measuring what survives.

Each function takes images (N, C, H, W) in [0, 1] and a strength, and uses torch's random numbers.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..session.arguments import real


def mask(images: Tensor, share: float) -> Tensor:
    """Set a random share of the pixels to zero, all colours of a pixel together (lecture 1).

    Args:
        images: (N, C, H, W) in [0, 1].
        share: from 0 to 1; lectures 1 and 5 use 0.3 to 0.5. At 1 every pixel is black.

    Returns:
        (N, C, H, W) in [0, 1].

    Raises:
        ValueError: `share` is not in [0, 1].

    Example:
        >>> mask(torch.ones(1, 1, 100, 100), share=0.3).mean().round(decimals=1)
        tensor(0.7000)
    """
    share = _checked(share)
    return images * (torch.rand_like(images[:, :1]) >= share)


def gaussian(images: Tensor, sigma: float) -> Tensor:
    """Add Gaussian noise of standard deviation `sigma`.

    Args:
        images: (N, C, H, W) in [0, 1].
        sigma: at least 0.

    Returns:
        (N, C, H, W), not clipped to [0, 1].

    Raises:
        ValueError: `sigma` is negative or not finite.

    Example:
        >>> gaussian(torch.zeros(1, 1, 100, 100), sigma=0.5).std().round(decimals=1)
        tensor(0.5000)
    """
    sigma = real(sigma, "The strength of the noise", "0 or more", lambda n: 0 <= n < math.inf)
    return images + sigma * torch.randn_like(images)


def salt_and_pepper(images: Tensor, share: float) -> Tensor:
    """Set a random share of the pixels to black or white, half each.

    Args:
        images: (N, C, H, W) in [0, 1].
        share: from 0 to 1. At 1 every pixel is black or white.

    Returns:
        (N, C, H, W) in [0, 1].

    Raises:
        ValueError: `share` is not in [0, 1].

    Example:
        >>> noisy = salt_and_pepper(torch.full((1, 1, 100, 100), 0.5), share=0.2)
        >>> (noisy != 0.5).float().mean().round(decimals=1)
        tensor(0.2000)
    """
    share = _checked(share)
    number = torch.rand_like(images[:, :1])
    hit = torch.rand_like(images[:, :1]) < share
    return torch.where(hit, (number < 0.5).to(images.dtype), images)


def cutout(images: Tensor, share: float) -> Tensor:
    """Set a square of `share` of the area to black, at a random position in each image.

    Its sides are whole pixels, and in an image that is not square it has the image's
    proportions. The method of DeVries and Taylor (2017).

    Args:
        images: (N, C, H, W) in [0, 1].
        share: from 0 to 1. At 1 every pixel is black.

    Returns:
        (N, C, H, W) in [0, 1].

    Raises:
        ValueError: `share` is not in [0, 1].

    Example:
        >>> cutout(torch.ones(1, 1, 32, 32), share=0.25).sum()  # ¾ of 1024 pixels
        tensor(768.)
    """
    share = _checked(share)
    count, _, height, width = images.shape
    tall, wide = round(height * share**0.5), round(width * share**0.5)
    top = (torch.rand(count, 1, 1, 1) * (height - tall + 1)).long().to(images.device)
    left = (torch.rand(count, 1, 1, 1) * (width - wide + 1)).long().to(images.device)
    y = torch.arange(height, device=images.device).view(-1, 1)
    x = torch.arange(width, device=images.device)
    inside = (y >= top) & (y < top + tall) & (x >= left) & (x < left + wide)
    return images * ~inside


KINDS = {"mask": mask, "gaussian": gaussian, "salt and pepper": salt_and_pepper, "block": cutout}


def _checked(share: float) -> float:
    wanted = "a number from 0 to 1"
    return real(share, "The share of damaged pixels", wanted, lambda part: 0 <= part <= 1)
