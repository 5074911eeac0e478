"""The result of a run over the pixels of an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from ..session.arguments import shown, whole

LARGEST = 8192  # pixels a side


class Diverged(FloatingPointError):
    """The loss became NaN or infinite; `run` holds the best image and the history until then."""

    def __init__(self, message: str, run: PixelRun):
        super().__init__(message)
        self.run = run


@dataclass
class PixelRun:
    """The result of `optimise`.

    Attributes:
        name: of the run, in the line of progress.
        image: (N, C, H, W) in [0, 1], the image of the last scale with the smallest total loss.
        history: term -> (steps,) float32 tensor on the CPU, its mean over the images at every
            step, one scale after the other; "loss" is the sum of the terms.
        frames: (step, image) pairs on the CPU, each with the size of that step.
        seconds: how long it took.
        stopped: whether the stop button ended it early.
    """

    name: str
    image: Tensor
    history: dict[str, Tensor] = field(default_factory=dict)
    frames: list[tuple[int, Tensor]] = field(default_factory=list)
    seconds: float = 0.0
    stopped: bool = False

    def animation(self) -> Tensor:
        """The first image of every frame, (frames, C, H, W), all with the size of the result."""
        size = self.image.shape[-2:]
        return torch.cat([_interpolated(frame[:1], size) for _, frame in self.frames])


def resized(image: Tensor, size: int) -> Tensor:
    """The image with a longer side of `size` pixels; it is antialiased where it is reduced.

    Args:
        image: (N, C, H, W).
        size: of the longer side of the result, in pixels.

    Returns:
        (N, C, h, w).

    Raises:
        ValueError: no images (N, C, H, W), or a size that is no whole number from 1 to 8192.

    Example:
        >>> resized(torch.rand(1, 3, 32, 64), size=16).shape
        torch.Size([1, 3, 8, 16])
    """
    if not isinstance(image, Tensor) or image.dim() != 4 or 0 in image.shape:
        raise ValueError(f"The image is {shown(image)}; give images (N, C, H, W).")
    size = whole(size, "size", most=LARGEST)
    height, width = image.shape[-2:]
    scale = size / max(height, width)
    return _interpolated(image, (max(1, round(height * scale)), max(1, round(width * scale))))


def _interpolated(image: Tensor, size: Sequence[int]) -> Tensor:
    if tuple(image.shape[-2:]) == tuple(size):
        return image
    return F.interpolate(image, size, mode="bilinear", antialias=True)
