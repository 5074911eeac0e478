"""What a run over the pixels of an image leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor


class Diverged(FloatingPointError):
    """The loss became NaN or infinite; `run` holds the best image and the history until then."""

    def __init__(self, message: str, run: PixelRun):
        super().__init__(message)
        self.run = run


@dataclass
class PixelRun:
    """What `optimise` leaves.

    Attributes:
        name: what the line of progress called it.
        image: (N, C, H, W) in [0, 1], the best image of the last scale by the whole loss.
        history: term -> (steps,) float32 tensor on the CPU, its mean over the images at every
            step, one scale after the other; "loss" is the sum of the terms.
        frames: (step, image) pairs on the CPU, each of the size it had at that step.
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
        """(frames, C, H, W): the first image of every frame, all of the size of the result."""
        size = self.image.shape[-2:]
        return torch.cat([_interpolated(frame[:1], size) for _, frame in self.frames])


def resized(image: Tensor, size: int) -> Tensor:
    """(N, C, H, W) -> the same with a longer side of `size` pixels, smoothed where it shrinks."""
    height, width = image.shape[-2:]
    scale = size / max(height, width)
    return _interpolated(image, (max(1, round(height * scale)), max(1, round(width * scale))))


def _interpolated(image: Tensor, size: Sequence[int]) -> Tensor:
    if tuple(image.shape[-2:]) == tuple(size):
        return image
    return F.interpolate(image, size, mode="bilinear", antialias=True)
