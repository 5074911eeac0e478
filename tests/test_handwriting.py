"""The drawn handwriting: reproducible, balanced, and with factors that are true."""

from __future__ import annotations

import pytest
import torch

from course_utils.data import handwriting
from course_utils.data.handwriting import FACTORS, NOISE_SIZE, SIDE
from course_utils.data.handwriting_styles import STYLES

# Of 1000 correlations between independent columns, all but a few lie within this many standard
# errors of 0.
STANDARD_ERRORS = 4.0


@pytest.fixture(scope="module")
def digits():
    return handwriting.draw(5000, seed=3)


def correlation(a, b):
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (a.norm() * b.norm()))


def rank_correlation(a, b):
    return correlation(a.argsort().argsort().double(), b.argsort().argsort().double())


def still(digit, name, values, seed=0):
    """Pictures of one digit by one hand, alike in all but one factor."""
    count = len(values)
    middle = {key: torch.full((count,), (low + high) / 2) for key, (low, high) in FACTORS.items()}
    noise = handwriting.sample_noise(1, seed).expand(count, -1)
    labels = torch.full((count,), digit)
    return handwriting.render(labels, {**middle, name: values}, noise)


def moments(images):
    """Of each picture: ink, centre of mass (x, y) and variances xx, xy, yy, in pixels."""
    pixels = torch.arange(SIDE) - (SIDE - 1) / 2
    ink = images.sum(dim=(1, 2, 3))
    weight = images[:, 0] / ink[:, None, None]
    x = (weight * pixels).sum(dim=(1, 2))
    y = (weight * pixels[:, None]).sum(dim=(1, 2))
    dx, dy = pixels - x[:, None, None], pixels[:, None] - y[:, None, None]
    xx, xy, yy = ((weight * d).sum(dim=(1, 2)) for d in (dx * dx, dx * dy, dy * dy))
    return ink, x, y, xx, xy, yy


def longer_side(images):
    """Pixels between the first and last row, or column, that the ink's edge (half grey) crosses."""

    def side(profile):  # brightest pixel of each row or column
        return profile.sum(dim=1) - (profile - 0.5).clamp(max=0).add(0.5).sum(dim=1) * 0

    rows, columns = images[:, 0].amax(dim=2), images[:, 0].amax(dim=1)
    return torch.maximum((rows > 0.5).sum(dim=1), (columns > 0.5).sum(dim=1)).float()
