"""Style transfer that keeps the content's colours (Gatys et al. 2016, "Preserving color").

Colours are converted to YIQ, as in analogue television: Y is the luminance, I and Q the colour.
Style is transferred between the luminances, and the result gets the content's I and Q.
"""

from __future__ import annotations

import torch
from torch import Tensor

# Rows Y, I, Q: the weights of red, green and blue (the American standard NTSC of 1953).
YIQ = ((0.299, 0.587, 0.114), (0.595716, -0.274453, -0.321263), (0.211456, -0.522591, 0.311135))


def luminance(images: Tensor) -> Tensor:
    """The luminance Y of every pixel, 0.299 R + 0.587 G + 0.114 B.

    Args:
        images: (N, 3, H, W) in [0, 1].

    Returns:
        (N, 1, H, W) in [0, 1].

    Example:
        >>> luminance(torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1))  # pure red
        tensor([[[[0.2990]]]])
    """
    return _mixed(images, images.new_tensor(YIQ)[:1])


def matched_luminance(style: Tensor, content: Tensor) -> Tensor:
    """The luminance of the style, with the mean and standard deviation of the content's.

    Without this a dark style image would darken a bright content image.

    Args:
        style: (1, 3, H, W) in [0, 1].
        content: (1, 3, h, w) in [0, 1].

    Returns:
        (1, 3, H, W) in [0, 1], three equal channels.

    Example:
        >>> style, content = torch.rand(1, 3, 8, 8), torch.full((1, 3, 4, 4), 0.7)
        >>> matched_luminance(style, content).mean().round(decimals=2)
        tensor(0.7000)
    """
    given, wanted = luminance(style), luminance(content)
    gain = wanted.std() / given.std().clamp_min(1e-6)
    grey = (given - given.mean()) * gain + wanted.mean()
    return grey.clamp(0, 1).expand(-1, 3, -1, -1)


def with_colours_of(image: Tensor, content: Tensor) -> Tensor:
    """The luminance of one image with the colours of another of the same size.

    Values beyond [0, 1] are clipped.

    Args:
        image: (N, 3, H, W) in [0, 1].
        content: (N, 3, H, W) or (1, 3, H, W) in [0, 1].

    Returns:
        (N, 3, H, W) in [0, 1].

    Raises:
        ValueError: the two differ in size.

    Example:
        >>> grey = torch.full((1, 3, 1, 1), 0.5)
        >>> reddish = torch.tensor([0.6, 0.4, 0.4]).view(1, 3, 1, 1)  # luminance 0.46
        >>> with_colours_of(grey, reddish).flatten().round(decimals=2)
        tensor([0.6400, 0.4400, 0.4400])
    """
    if len(content) not in (1, len(image)):
        raise ValueError(
            f"There are {len(image)} images and {len(content)} with colours; give one, or one each."
        )
    if image.shape[-2:] != content.shape[-2:]:
        sizes = " and ".join(f"{x.shape[-2]} × {x.shape[-1]}" for x in (image, content))
        raise ValueError(f"The images have {sizes} pixels; bring them to one size first.")
    to_yiq = image.new_tensor(YIQ)
    brightness = _mixed(image, to_yiq[:1])
    colour = _mixed(content, to_yiq[1:]).expand(len(image), -1, -1, -1)
    back = torch.linalg.inv(to_yiq.double()).to(image.dtype)
    return _mixed(torch.cat([brightness, colour], 1), back).clamp(0, 1)


def _mixed(images: Tensor, matrix: Tensor) -> Tensor:
    """Every pixel's channels times a matrix (rows, channels)."""
    if images.dim() != 4 or images.shape[1] != matrix.shape[1]:
        wanted = f"(N, {matrix.shape[1]}, H, W)"
        raise ValueError(f"The images have the shape {tuple(images.shape)}; give {wanted}.")
    return torch.einsum("rc,nchw->nrhw", matrix, images)
