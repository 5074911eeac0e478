"""Checks of the exercises of notebook 00b, learning curves and convolutions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import conv_transpose1d

from .checking import random_tensor
from .exercise import Case, Exercise, listed

# 1. A paired interval


def _interval(
    first: Tensor,
    second: Tensor,
    spread: Callable = lambda first, second: (first - second).std(),
    root: float = 0.5,
    wide: float = 1.96,
) -> Tensor:
    """mean difference ± wide · spread / n ** root."""
    mean = (first - second).mean()
    half = wide * spread(first, second) / len(first) ** root
    return torch.stack([mean - half, mean + half])


def _error_rates(sets: int, seed: int) -> tuple[Tensor, Tensor]:
    """Error rates of two classifiers on the same training sets, which are hard for both."""
    common, first, second = random_tensor(3, sets, seed=seed)
    return 0.15 + 0.03 * common + 0.01 * first, 0.16 + 0.03 * common + 0.01 * second


SPREADS = [
    (lambda first, second: (first.var() + second.var()).sqrt(), "that is the interval of two "
     "*independent* groups. Both classifiers saw the same training sets: take the difference for "
     "each set first, and then its standard deviation."),
    (lambda first, second: (first - second).std(correction=0), "the standard deviation is divided "
     "by n; of a sample divide by n - 1, as .std() does."),
    (lambda first, second: (first - second).var(), "that is the variance; take its root."),
]  # fmt: skip
ROOTS = [
    (0.0, "that is where a single difference lies. The mean of n is surer by a factor of √n."),
    (1.0, "divided by n: the standard error of a mean falls with √n."),
]
check_paired_interval = Exercise(
    "Exercise 1, a paired interval",
    _interval,
    cases=[Case(_error_rates(*given)) for given in ((12, 1), (30, 2), (5, 3))],
    mistakes=[
        *((partial(_interval, spread=spread), hint) for spread, hint in SPREADS),
        *((partial(_interval, root=root), hint) for root, hint in ROOTS),
        (partial(_interval, wide=1.0), "one standard error covers 68 %; for 95 % take 1.96 of "
         "them."),
        (lambda first, second: -_interval(first, second).flip(0), "the sign is turned: first minus "
         "second."),
        (lambda first, second: _interval(first, second).flip(0), "the lower end comes first."),
        (lambda first, second: _interval(first, second).diff() / 2, "that is half the width; "
         "return both ends."),
        (lambda first, second: _interval(first, second).mean(), "that is the mean difference; "
         "return both ends of its interval."),
        (lambda first, second: _interval(first, second) - _interval(first, second).mean(), "the "
         "interval lies around the mean difference, not around 0."),
        (lambda first, second: (first - second).quantile(torch.tensor([0.025, 0.975])), "between "
         "these lie the single differences, not their mean."),
    ],
    result="two numbers, the ends of the interval",
    read=listed,
    praise="right: what is hard for both classifiers cancels in the difference.",
)  # fmt: skip


# 2. A transposed convolution by contributions


def _transposed(x: Tensor, kernel: Tensor, s: int, p: int) -> Tensor:
    whole = conv_transpose1d(x[None, None], kernel[None, None], stride=s)[0, 0]
    return whole[p : len(whole) - p]


def _overwritten(x: Tensor, kernel: Tensor, s: int, p: int) -> Tensor:
    """The last contribution replaces those before."""
    whole = torch.zeros((len(x) - 1) * s + len(kernel))
    for place, value in enumerate(x):
        whole[place * s : place * s + len(kernel)] = value * kernel
    return whole[p : len(whole) - p]


def _counts(x: Tensor, kernel: Tensor, s: int, p: int) -> Tensor:
    return _transposed(torch.ones_like(x), torch.ones_like(kernel), s, p).clamp(min=1)


def _sizes(x: Tensor, kernel: Tensor, s: int, p: int) -> dict[tuple, str]:
    d, f = len(x), len(kernel)
    right = (d - 1) * s + f - 2 * p
    said = {
        (right + 2 * p,): f"the border is still there: cut p = {p} off at both ends.",
        (right + p,): f"p = {p} is cut off at one end only; cut it off at both.",
        (right + 4 * p,): f"p = {p} is added at both ends; of a transposed convolution it is cut "
        "off.",
        (d + f - 1 - 2 * p,): f"neighbouring contributions lie s = {s} apart; in yours they lie "
        "1 apart.",
        (d * s,): f"the size is (d - 1) s - 2 p + f, here {right}, not d s.",
    }  # fmt: skip
    return {shape: hint for shape, hint in said.items() if shape != (right,)}


ONCE = "where two contributions overlap, the later replaces the earlier; add them (+=)."
check_transposed = Exercise(
    "Exercise 2, a transposed convolution by contributions",
    _transposed,
    cases=[
        Case((random_tensor(d, seed=d), random_tensor(f, seed=f + 20), s, p))
        for d, f, s, p in ((5, 4, 2, 1), (4, 3, 1, 0), (4, 5, 3, 2), (3, 2, 2, 0), (3, 2, 3, 0))
    ],
    mistakes=[
        (lambda x, kernel, s, p: _transposed(x, kernel.flip(0), s, p), "the kernel is flipped; "
         "each input pixel adds it as it is. (It is flipped in the view as a convolution with "
         "zeros between the pixels.)"),
        (_overwritten, ONCE),
        (lambda x, kernel, s, p: _transposed(x, kernel, s, p) / _counts(x, kernel, s, p), "where "
         "contributions overlap, they are summed, not averaged."),
        (lambda x, kernel, s, p: _transposed(torch.ones_like(x), kernel, s, p), "each contribution "
         "is the kernel *times the value* of its pixel."),
        (lambda x, kernel, s, p: _transposed(x, torch.ones_like(kernel), s, p), "each pixel adds "
         "its value times the kernel; yours adds the value alone."),
        (lambda x, kernel, s, p: _transposed(x.flip(0), kernel, s, p), "the first pixel's "
         "contribution is the first, at place 0."),
    ],
    result="((d - 1) s - 2 p + f,), the sum of the contributions without the border",
    shapes=_sizes,
    crashes={"expanded size of the tensor": "is the sum (d - 1) s + f long, before p is cut off?",
             "must match the size": "is the sum (d - 1) s + f long, before p is cut off?"},
    praise="right: each pixel adds the kernel times its value, s apart; then p is cut off.",
)  # fmt: skip
