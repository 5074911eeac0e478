"""How sure a measured figure is: intervals for proportions, means and differences of means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import torch
from torch import Tensor

DRAWS = 10_000  # resamples of a bootstrap


def wilson_interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of a proportion, from independent trials (Wilson 1927).

    The proportions p for which the count seen is no surprise: |p̂ - p| ≤ z √(p (1 - p) / n). Other
    than p̂ ± z √(p̂ (1 - p̂) / n), it does not shrink to a point where all or none succeed.

    Args:
        successes, trials: counts, 0 ≤ successes ≤ trials, trials at least 1.
        confidence: of the interval, above 0 and below 1.

    Returns:
        (low, high), in [0, 1].

    Raises:
        ValueError: counts or a confidence outside these ranges.

    Example:
        >>> low, high = wilson_interval(10, 10)  # ten of ten leave 28 % open
        >>> f"{low:.3f} to {high:.3f}"
        '0.722 to 1.000'
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(
            f"{successes} successes in {trials} trials cannot be; give 0 to `trials` successes, "
            "and at least one trial."
        )
    z = NormalDist().inv_cdf((1 + _checked(confidence)) / 2)
    share = successes / trials
    centre = share + z**2 / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    scale = 1 + z**2 / trials
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def bootstrap_mean(
    values: Sequence[float] | Tensor, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """The interval of a mean, from independent values such as one per seed (Efron 1979).

    The values are drawn again with replacement, `DRAWS` times, and the interval holds the middle
    of the means. With five values it is somewhat too narrow: they show little of the tails.

    Args:
        values: two or more finite numbers.
        confidence: of the interval, above 0 and below 1.
        seed: of the resamples, which do not touch torch's own random numbers.

    Returns:
        (low, high), in the unit of the values.

    Raises:
        ValueError: fewer than two values, values that are not finite, or such a confidence.

    Example:
        >>> low, high = bootstrap_mean([0.91, 0.93, 0.94, 0.90, 0.92])
        >>> f"{low:.3f} to {high:.3f}"
        '0.908 to 0.932'
    """
    return _middle(_resampled_means(_values(values), seed), confidence)


def bootstrap_difference(
    first: Sequence[float] | Tensor,
    second: Sequence[float] | Tensor,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """The interval of mean(first) - mean(second), from two independent sets of values.

    Both are drawn again with replacement, each by itself, as in `bootstrap_mean`. An interval
    that contains 0 leaves open which of the two means is larger.

    Args:
        first, second: two or more finite numbers each; they need not be equally many.
        confidence: of the interval, above 0 and below 1.
        seed: of the resamples, which do not touch torch's own random numbers.

    Returns:
        (low, high), in the unit of the values.

    Raises:
        ValueError: fewer than two values in a set, values that are not finite, or such a
            confidence.

    Example:
        >>> low, high = bootstrap_difference([3.0, 3.2, 3.1], [1.0, 1.1, 0.9])
        >>> 1.9 < low < high < 2.3
        True
    """
    means = [_resampled_means(_values(some), seed + k) for k, some in enumerate((first, second))]
    return _middle(means[0] - means[1], confidence)


def _checked(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"The confidence is {confidence}; give one above 0 and below 1, as 0.95.")
    return confidence


def _values(some: Sequence[float] | Tensor) -> Tensor:
    values = torch.as_tensor(some).double().cpu()
    if values.dim() != 1 or len(values) < 2 or not values.isfinite().all():
        raise ValueError(
            f"A bootstrap takes one row of two or more finite values; these have the shape "
            f"{tuple(values.shape)}, and {int((~values.isfinite()).sum())} are not finite."
        )
    return values


def _resampled_means(values: Tensor, seed: int) -> Tensor:
    """(DRAWS,) means of as many values, drawn with replacement."""
    random = torch.Generator().manual_seed(seed)
    return values[torch.randint(len(values), (DRAWS, len(values)), generator=random)].mean(dim=1)


def _middle(means: Tensor, confidence: float) -> tuple[float, float]:
    outside = (1 - _checked(confidence)) / 2
    ends = torch.tensor([outside, 1 - outside], dtype=means.dtype)
    low, high = means.quantile(ends).tolist()
    return low, high
