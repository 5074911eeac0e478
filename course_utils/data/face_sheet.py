"""A sheet of faces that shows the effect of each factor, one row per factor."""

from __future__ import annotations

import torch
from torch import Tensor

from ..session.arguments import whole
from . import faces

# A face in which every factor is visible: not bald, and without glasses and beard.
PLAIN = {
    "smile": 0.0,
    "eye_openness": 0.7,
    "gaze": 0.0,
    "head_turn": 0.0,
    "tilt": 0.0,
    "face_width": 0.5,
    "skin_tone": 0.3,
    "background": 0.55,
    "hair_style": 1,
    "hair_colour": 1,
    "glasses": 0,
    "beard": 0,
    "age": 1,
}


def factor_sheet(steps: int = 8, resolution: int = 32) -> dict[str, Tensor]:
    """The same face with one factor after the other taking all its values.

    Args:
        steps: images per continuous factor, from one end of its range to the other. A discrete
            factor has one image per choice.
        resolution: height and width in pixels, 16 to 128.

    Returns:
        caption -> (images, 3, resolution, resolution), as `plots.image_rows` takes it.

    Raises:
        ValueError: `steps` is no whole number from 2, or `resolution` is not between 16 and 128.

    Example:
        >>> sheet = factor_sheet(steps=5)
        >>> sheet["smile: -1 to 1"].shape
        torch.Size([5, 3, 32, 32])
    """
    steps = whole(steps, "steps", least=2, most=1000)
    sheet = {}
    for name in faces.FACTORS:
        if name in faces.RANGES:
            low, high = faces.RANGES[name]
            values = torch.linspace(low, high, steps)
            caption = f"{name.replace('_', ' ')}: {low:g} to {high:g}"
        else:
            words = list(faces.CHOICES[name])
            values = torch.arange(len(words))
            caption = f"{name.replace('_', ' ')}: {', '.join(words)}"
        factors = {key: torch.full((len(values),), start) for key, start in PLAIN.items()}
        sheet[caption] = faces.render(factors | {name: values}, resolution=resolution)
    return sheet
