"""A style's brush strokes in the content's colours (Gatys et al. 2016, "Preserving color").

Brightness and colour are taken apart as in analogue television: Y is how bright a pixel looks,
I and Q say its colour. Style is transferred between greys, and the content's I and Q are put back.
"""

from __future__ import annotations

import torch
from torch import Tensor

# Rows Y, I, Q: what red, green and blue add to each (the American standard of 1953).
YIQ = ((0.299, 0.587, 0.114), (0.595716, -0.274453, -0.321263), (0.211456, -0.522591, 0.311135))


def luminance(images: Tensor) -> Tensor:
    """(N, 3, H, W) in [0, 1] -> (N, 1, H, W): how bright every pixel looks."""
    return _mixed(images, images.new_tensor(YIQ)[:1])


def matched_luminance(style: Tensor, content: Tensor) -> Tensor:
    """The style in greys whose mean and spread are those of the content's.

    So that a dark painting does not ask a bright photograph to become dark.

    Args:
        style: (1, 3, H, W) in [0, 1].
        content: (1, 3, h, w) in [0, 1].

    Returns:
        (1, 3, H, W) in [0, 1], three equal channels.
    """
    theirs, ours = luminance(style), luminance(content)
    gain = ours.std() / theirs.std().clamp_min(1e-6)
    grey = (theirs - theirs.mean()) * gain + ours.mean()
    return grey.clamp(0, 1).expand(-1, 3, -1, -1)


def with_colours_of(image: Tensor, content: Tensor) -> Tensor:
    """The brightness of one image with the colours of another of the same size.

    Colours that are out of reach at that brightness are clipped.

    Args:
        image: (N, 3, H, W) in [0, 1].
        content: (N, 3, H, W) or (1, 3, H, W) in [0, 1].

    Returns:
        (N, 3, H, W) in [0, 1].

    Raises:
        ValueError: the two differ in size.
    """
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
    return torch.einsum("rc,nchw->nrhw", matrix, images)
