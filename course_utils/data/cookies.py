"""Cookies of two jars, on a plane of width and chocolate: data for classifiers (lecture 5).

The true distribution is known, and no Gaussian classifier's assumption holds in it exactly: the two
numbers are correlated within a jar, and the distribution of chocolate is skewed.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..session.arguments import real, whole

JARS = ("grandmother's", "the shop's")
CENTRES = ((6.5, 5.0), (9.0, 6.25))  # of each jar: width in cm, chocolate in g
CORRELATION, SKEW = 0.6, 0.4


def draw(
    each: int,
    *sets: int,
    correlation: float = CORRELATION,
    skew: float = SKEW,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Cookies, equally many of both jars, those of jar 0 first.

    Width and chocolate are standard normal around the jar's centre, with the given correlation;
    then chocolate c, measured from the centre, becomes (exp(skew · c) - 1) / skew.

    Args:
        each: cookies per jar.
        sets: shape of independent sets; none for a single one.
        correlation: of width and chocolate before skewing, above -1 and below 1.
        skew: 0 for Gaussian jars; otherwise the upper tail of chocolate is the longer one.
        generator: of the random numbers, on the CPU; torch's own by default.

    Returns:
        x (*sets, 2 · each, 2) of doubles, width in cm and chocolate in g, and y (*sets, 2 · each),
        the jars, 0 or 1.

    Raises:
        ValueError: a count, a correlation or a skew outside these ranges.

    Example:
        >>> x, y = draw(3, 10)  # ten sets of six cookies
        >>> x.shape, y[0].tolist()
        (torch.Size([10, 6, 2]), [0, 0, 0, 1, 1, 1])
    """
    each = whole(each, "The number of cookies per jar")
    sets = tuple(whole(count, "The number of sets", least=0) for count in sets)
    correlation = real(correlation, "The correlation", "one above -1 and below 1", _below_one)
    skew = real(skew, "The skew", "a number from 0 to 1", lambda value: 0 <= value <= 1)
    noise = torch.randn(*sets, 2, each, 2, dtype=torch.double, generator=generator)
    width, rest = noise.unbind(-1)
    chocolate = correlation * width + (1 - correlation**2) ** 0.5 * rest
    if skew:
        chocolate = torch.expm1(skew * chocolate) / skew
    centres = torch.tensor(CENTRES, dtype=torch.double)[:, None]  # (2, 1, 2)
    x = centres + torch.stack([width, chocolate], dim=-1)
    y = torch.arange(2).repeat_interleave(each).expand(*sets, -1)
    return x.flatten(-3, -2), y


def log_density(x: Tensor, *, correlation: float = CORRELATION, skew: float = SKEW) -> Tensor:
    """The true log p(x|y) of both jars.

    Args:
        x: (..., 2).
        correlation, skew: of the jars, see `draw`.

    Returns:
        (..., 2): one a jar; minus infinity where a jar has no cookies.

    Example:
        >>> log_density(torch.tensor([[6.5, 5.0]])).argmax(-1)  # the centre of jar 0
        tensor([0])
    """
    off = x[..., None, :] - torch.tensor(CENTRES).to(x)  # (..., 2, 2)
    width, chocolate = off.unbind(-1)
    stretch = 1 + skew * chocolate  # of chocolate by the skew, at this place
    before = stretch.log() / skew if skew else chocolate
    squared = (width**2 + before**2 - 2 * correlation * width * before) / (1 - correlation**2)
    normalizer = 2 * math.log(2 * math.pi) + math.log(1 - correlation**2)
    log_p = -(squared + normalizer) / 2 - stretch.log()
    return torch.where(stretch > 0, log_p, -torch.inf)


def _below_one(value: float) -> bool:
    return -1 < value < 1
