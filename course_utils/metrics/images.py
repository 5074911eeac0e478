"""How far images are from their ground truth, and how sharp they are."""

from __future__ import annotations

import torch
from torch import Tensor

from ..losses import of_dimensions, of_examples, same_shape, squared_variation
from ..session.arguments import real, whole


def sharpness(images: Tensor) -> Tensor:
    """Mean squared difference of neighbouring pixels of each image, horizontal plus vertical.

    Edges make it large and blur makes it small; it needs no ground truth. As a loss it is
    `losses.squared_variation`.

    Args:
        images: (N, C, H, W) with sides of two pixels or more.

    Returns:
        (N,) at least 0.

    Raises:
        ValueError: images of another number of dimensions, or without neighbours.

    Example:
        >>> stripes = torch.tensor([[0.0, 1.0], [0.0, 1.0]]).view(1, 1, 2, 2)
        >>> sharpness(stripes), sharpness(stripes * 0 + 0.5)
        (tensor([1.]), tensor([0.]))
    """
    of_dimensions(4, "(N, C, H, W)", images=images)
    if min(images.shape[2:]) < 2:
        raise ValueError(f"Pixels of images {tuple(images.shape)} have no neighbours to compare.")
    return squared_variation(images)


def squared_error(reconstruction: Tensor, images: Tensor) -> float:
    """Squared error Σ (x - x̂)² over the pixels of an image, averaged over the images.

    The measure of Hinton and Salakhutdinov (2006): without the ½ of the loss, and not divided by
    the number of pixels.

    Args:
        reconstruction, images: (N, ...) each, of the same shape.

    Returns:
        a number, at least 0.

    Raises:
        ValueError: the two have different shapes.

    Example:
        >>> squared_error(torch.ones(5, 1, 2, 2), torch.zeros(5, 1, 2, 2))  # 4 pixels
        4.0
    """
    same_shape(reconstruction=reconstruction, images=images)
    of_examples(images=images)
    return (reconstruction - images).square().flatten(1).sum(1).mean().item()


def psnr(images: Tensor, truth: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each image in [0, 1], -10 log₁₀ of its mean squared error.

    Args:
        images, truth: (N, C, H, W) each, in [0, 1].

    Returns:
        (N,) dB; 10 dB more mean a tenth of the squared error. Equal images give infinity.

    Raises:
        ValueError: the two have different shapes, or are not images.

    Example:
        >>> truth = torch.zeros(1, 1, 4, 4)
        >>> psnr(truth + 0.1, truth)  # mean squared error 0.01
        tensor([20.])
    """
    same_shape(images=images, truth=truth)
    of_dimensions(4, "(N, C, H, W)", images=images)
    return -10 * (images - truth).square().flatten(1).mean(1).log10()


def ssim(images: Tensor, truth: Tensor, window: int = 11, sigma: float = 1.5) -> Tensor:
    """Structural similarity of each image in [0, 1] to the truth (Wang et al. 2004).

    In every window, with Gaussian weights, the means m, the variances s² and the covariance v of
    the two are compared,

        (2 m m' + c) / (m² + m'² + c) · (2 v + d) / (s² + s'² + d),

    with c = 0.01² and d = 0.03². The result is averaged over all positions where the whole window
    lies in the image, and over the channels.

    Args:
        images, truth: (N, C, H, W) each, in [0, 1].
        window: its side in pixels, odd.
        sigma: standard deviation of the weights in pixels.

    Returns:
        (N,) at most 1, which only equal images reach.

    Raises:
        ValueError: two different shapes, images smaller than the window, or a window or sigma
            that cannot be used.

    Example:
        >>> images = torch.rand(2, 3, 16, 16)
        >>> ssim(images, images)
        tensor([1., 1.])
    """
    same_shape(images=images, truth=truth)
    of_dimensions(4, "(N, C, H, W)", images=images)
    window = whole(window, "window")
    sigma = real(sigma, "sigma", "a number above 0", lambda width: 0 < width < float("inf"))
    if min(images.shape[2:]) < window:
        raise ValueError(
            f"A window of {window} pixels does not fit into images of {images.shape[2]} by "
            f"{images.shape[3]}."
        )
    # In double precision where there is any: variances are small differences of large numbers.
    kind = torch.float32 if images.device.type == "mps" else torch.float64
    x, y = images.to(kind), truth.to(kind)
    down, across = (_gaussian_windows(size, window, sigma).to(x) for size in x.shape[2:])

    def blurred(some: Tensor) -> Tensor:
        return down @ some @ across.T

    mean_x, mean_y = blurred(x), blurred(y)
    spread = blurred(x * x) + blurred(y * y) - mean_x**2 - mean_y**2
    together = blurred(x * y) - mean_x * mean_y
    c, d = 0.01**2, 0.03**2
    light = (2 * mean_x * mean_y + c) / (mean_x**2 + mean_y**2 + c)
    structure = (2 * together + d) / (spread + d)
    return (light * structure).flatten(1).mean(1).float()


def _gaussian_windows(size: int, window: int, sigma: float) -> Tensor:
    """(size - window + 1, size): one row of Gaussian weights for each place of a window."""
    places = torch.arange(window, dtype=torch.float64) - (window - 1) / 2
    weights = (-(places**2) / (2 * sigma**2)).exp()
    rows = torch.zeros(size - window + 1, size, dtype=torch.float64)
    for start, row in enumerate(rows):
        row[start : start + window] = weights / weights.sum()
    return rows
