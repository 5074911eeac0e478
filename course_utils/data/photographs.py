"""Photographs that come inside scikit-image and scikit-learn: `photograph("cat")`.

| name | what | source and terms |
|---|---|---|
| `cat` | Chelsea | scikit-image; Stéfan van der Walt, CC0 |
| `astronaut` | Eileen Collins, 1992 | scikit-image; NASA, public domain |
| `coffee` | a cup of espresso | scikit-image; Rachel Michetti for Pikolo Espresso Bar, CC0 |
| `rocket` | Falcon 9 with DSCOVR before launch, 2015 | scikit-image; SpaceX, public domain |
| `pagoda` | Tower of Buddhist Incense, Beijing | scikit-learn; danielbuechele, CC BY 2.0 |
| `flower` | a dahlia | scikit-learn; vultilion, CC BY 2.0 |

They are read from the installed packages: nothing is downloaded, and no copy is kept here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..session.arguments import whole


class Crop(NamedTuple):
    """The package and the name of a photograph, and the square around its subject, in pixels."""

    package: str
    called: str
    left: int
    top: int
    side: int


CROPS = {
    "cat": Crop("skimage", "chelsea", 85, 0, 300),
    "astronaut": Crop("skimage", "astronaut", 65, 0, 320),
    "coffee": Crop("skimage", "coffee", 75, 0, 400),
    "rocket": Crop("skimage", "rocket", 157, 105, 320),
    "pagoda": Crop("sklearn", "china.jpg", 10, 20, 400),
    "flower": Crop("sklearn", "flower.jpg", 135, 50, 340),
}
NAMES = tuple(CROPS)
LARGEST = 4096  # pixels a side


def photograph(name: str, size: int = 256, *, device="cpu") -> Tensor:
    """The photograph of that name, cropped to a square around its subject.

    The crops have 300 to 400 pixels per side; a larger size enlarges them.

    Args:
        name: one of `NAMES`.
        size: side in pixels.
        device: of the result.

    Returns:
        (1, 3, size, size) float32 in [0, 1] on `device`.

    Raises:
        ValueError: there is no photograph of that name, or `size` is not a whole number from 1 to
            4096.

    Example:
        >>> photograph("cat", size=64).shape
        torch.Size([1, 3, 64, 64])
    """
    from PIL import Image

    if name not in CROPS:
        raise ValueError(f"There is no photograph {name!r}; choose one of {', '.join(NAMES)}.")
    size, crop = whole(size, "size", most=LARGEST), CROPS[name]
    box = crop.left, crop.top, crop.left + crop.side, crop.top + crop.side
    uncut = Image.fromarray(_original(crop))
    pixels = np.asarray(uncut.resize((size, size), Image.Resampling.LANCZOS, box=box))
    image = torch.tensor(pixels, device=device).permute(2, 0, 1)[None]
    return image.float().div(255).contiguous()


def _original(crop: Crop) -> np.ndarray:
    """(H, W, 3) uint8: the whole photograph from its package."""
    if crop.package == "skimage":
        import skimage.data

        return getattr(skimage.data, crop.called)()
    from sklearn.datasets import load_sample_image

    return load_sample_image(crop.called)
