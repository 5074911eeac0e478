"""Answers to the exercises of lesson 00b."""

import torch
from torch.nn.functional import conv1d, conv_transpose1d, pad


def interval(first, second):
    difference = first - second
    half = 1.96 * difference.std() / len(difference) ** 0.5
    return difference.mean() - half, difference.mean() + half


def interval_by_covariance(first, second):
    """Var(a - b) = Var a + Var b - 2 Cov(a, b)."""
    matrix = torch.stack([first, second]).cov()
    spread = (matrix.trace() - 2 * matrix[0, 1]) / len(first)
    return (first - second).mean() + 1.96 * spread.sqrt() * torch.tensor([-1.0, 1.0])


def transposed(x, kernel, s, p):
    result = torch.zeros((len(x) - 1) * s + len(kernel))
    for place, value in enumerate(x):
        result[place * s : place * s + len(kernel)] += value * kernel
    return result[p : len(result) - p]


def transposed_as_convolution(x, kernel, s, p):
    spread = torch.zeros((len(x) - 1) * s + 1)
    spread[::s] = x
    around = len(kernel) - 1 - p
    return conv1d(pad(spread, (around, around))[None, None], kernel.flip(0)[None, None])[0, 0]


RIGHT = {
    "paired_interval": [interval, interval_by_covariance],
    "transposed": [
        transposed, transposed_as_convolution,
        lambda x, k, *sp: conv_transpose1d(x[None, None], k[None, None], None, *sp)[0, 0],
    ],
}  # fmt: skip
WRONG = {
    "paired_interval": [
        (lambda first, second: (first - second).mean(), "return both ends"),
        (lambda first, second: torch.stack(interval(first, second)) * 100, "instead of"),
        (lambda first, second: first - second, "the ends of the interval"),
    ],
    "transposed": [
        (lambda x, k, s, p: transposed(x, k, s, 0), "cut p = 1 off at both ends"),
        (lambda x, k, s, p: transposed(x, k, s, 0)[p:], "at one end only"),
        (lambda x, k, s, p: pad(transposed(x, k, s, 0), (p, p)), "is cut off"),
        (lambda x, k, s, p: transposed(x, k, 1, p), "in yours they lie 1 apart"),
        (lambda x, k, s, p: 2 * transposed(x, k, s, p), "instead of"),
    ],
}
