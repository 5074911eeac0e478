"""Paintings that are computed, each in a style of its own: `paint("mosaic")`.

They are the style images of the lesson on style transfer: each has a composition, a palette and
textures at several scales. Open the file of a painting for its composition, `strokes` for brush
and pen strokes and `canvas` for noise, palettes and light. Nothing is read from a file.
"""

from __future__ import annotations

from importlib import import_module

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...session.arguments import whole

NAMES = (
    "starry_night",
    "sunset",
    "pointillism",
    "mosaic",
    "stained_glass",
    "colour_circles",
    "ink_hatching",
    "woodcut_wave",
)
LARGEST = 4096  # pixels a side
SMALLEST_SIDE = 128  # pixels of the canvas; below, the brushes would be finer than a pixel


def paint(name: str, size: int = 256, seed: int = 0, *, device="cpu") -> Tensor:
    """Compute one painting.

    It is computed at twice its size and then reduced, which makes its edges smooth. The same seed
    gives the same composition at every size.

    Args:
        name: one of `NAMES`.
        size: side of the square image in pixels.
        seed: 0 or more; another seed varies the painting without changing its style.
        device: of the result.

    Returns:
        (1, 3, size, size) float32 in [0, 1] on `device`.

    Raises:
        ValueError: there is no painting of that name, or `size` or `seed` is not a whole number
            in its range.

    Example:
        >>> paint("colour_circles", size=64).shape
        torch.Size([1, 3, 64, 64])
    """
    if name not in NAMES:
        raise ValueError(f"There is no painting {name!r}; choose one of {', '.join(NAMES)}.")
    size = whole(size, "size", most=LARGEST)
    seed = whole(seed, "seed", least=0)
    painter = import_module(f".{name}", __name__)
    side = max(2 * size, SMALLEST_SIDE)
    image = painter.paint(side, np.random.default_rng(seed)).clip(0, 1)
    image = torch.from_numpy(np.ascontiguousarray(image, np.float32))
    image = F.interpolate(image.permute(2, 0, 1)[None], (size, size), mode="area")
    return image.contiguous().to(device)
