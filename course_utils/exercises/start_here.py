"""Checks of the exercises of notebook 00, start here."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad

from .checking import random_tensor
from .exercise import Case, Exercise, combined

# 1. Bayes' rule


def _posterior(density: Tensor, priors: Tensor) -> Tensor:
    return density * priors / (density @ priors)[:, None]


def _densities(points: int, classes: int, seed: int) -> tuple[Tensor, Tensor]:
    """p(x|y) (points, classes) and p(y) (classes,)."""
    density = (2 * random_tensor(points, classes, seed=seed)).exp()
    return density, random_tensor(classes, seed=seed + 1).softmax(0)


POSTERIORS = [
    (_posterior, ""),
    (lambda density, priors: density * priors, "those are the joint densities p(x, y); divide each "
     "row by its sum, p(x), so that the probabilities of a point add up to 1."),
    # The priors cancel.
    (lambda density, priors: density / density.sum(0), "each *column* adds up to 1. It "
     "is the classes of one point that sum to 1, not the points of one class: sum over dim=1."),
    (lambda density, priors: density / density.sum(1, keepdim=True), "the priors are missing: how "
     "frequent each class is, p(y)."),
    (lambda density, priors: priors.expand_as(density), "those are the priors, without p(x|y)."),
    (lambda density, priors: density, "those are the densities p(x|y), of x given the class."),
    (lambda density, priors: (density * priors).softmax(1), "softmax takes logarithms; these are "
     "densities already. Divide by their sum."),
    (lambda density, priors: _posterior(density, 1 / priors), "the priors divide and should "
     "multiply: a frequent class is more likely, not less."),
    (lambda density, priors: density * priors / density.sum(1, keepdim=True), "p(x) is the sum of "
     "p(x|y) p(y), so the priors belong into the divisor, too."),
    (lambda density, priors: density * priors / (density @ priors).sum(), "divided by the sum over "
     "all points; each point has its own p(x)."),
]  # fmt: skip
SCALES = [
    (lambda posterior: posterior, ""),
    (torch.log, "that is the logarithm; return the probabilities, exp of it."),
]
check_posterior = Exercise(
    "Exercise 1, Bayes' rule",
    _posterior,
    cases=[Case(_densities(*sizes)) for sizes in ((5, 2, 1), (4, 3, 3), (3, 3, 5))],
    mistakes=combined(lambda scale, of: lambda *given: scale(of(*given)), SCALES, POSTERIORS),
    result="a probability a point and class",
    praise="right: weigh each density with its prior, then divide by their sum over the classes.",
)


# 2. The matrix of a convolution


def _matrix(kernel: Tensor, d: int, s: int, column: Callable = lambda row, s: row * s) -> Tensor:
    """Rows of the kernel between zeros, each beginning at its column."""
    f = len(kernel)
    columns = [column(row, s) for row in range((d - f) // s + 1)]
    return torch.stack([pad(kernel, (first, d - f - first)) for first in columns])


KERNELS = [
    (lambda kernel: kernel, ""),
    (lambda kernel: kernel.flip(0), "the kernel is flipped. The convolution of mathematics does "
     "that; what networks call a convolution (a cross-correlation) does not."),
]  # fmt: skip
COLUMNS = [
    (lambda row, s: row * s, ""),
    (lambda row, s: row, "row i starts at column i; with stride s it starts at column i · s."),
    (lambda row, s: row * s + 1, "every row is shifted by one: the first starts at column 0."),
]
LAYOUTS = [
    (lambda matrix: matrix, ""),
    (lambda matrix: matrix.flip(0), "the rows are in the wrong order."),
    (lambda matrix: matrix.T, "that is the matrix of the *transposed* convolution: return its .T."),
]


def _row_counts(kernel: Tensor, d: int, s: int) -> dict[tuple, str]:
    f, outputs = len(kernel), (d - len(kernel)) // s + 1
    hint = f"of {d} pixels a kernel of {f} at stride {s} makes {outputs} outputs, and the matrix "
    hint += "has {} rows: d' = (d - f) / s + 1, rounded down."
    return {(rows, d): hint.format(rows) for rows in range(2 * d) if rows != outputs}


SHAPES = ((3, 7, 2), (2, 6, 1), (3, 9, 3), (4, 9, 2), (1, 3, 1))
check_convolution_matrix = Exercise(
    "Exercise 2, a convolution as a matrix",
    _matrix,
    cases=[Case((random_tensor(f, seed=f), d, s)) for f, d, s in SHAPES],
    mistakes=combined(
        lambda turn, at, layout: lambda kernel, d, s: layout(_matrix(turn(kernel), d, s, at)),
        KERNELS, COLUMNS, LAYOUTS,
    ),
    result="(outputs, d), in each row the kernel at one of its places",
    shapes=_row_counts,
    crashes=dict.fromkeys(["out of bounds", "expanded size of the tensor"],
                          "is the number of rows (d - f) // s + 1, with the rest dropped?"),
    praise="right: each row is the kernel at one of its places, and zeros everywhere else.",
)  # fmt: skip


# 3. The receptive field

ADDED_WHOLE = "each layer adds f - 1 steps, not f: its first weight is counted already."
NO_STRIDES = "right without strides, but behind a stride of s, every step is s times as long."


def _field(layers: list, start: int = 1, overlap: int = 1, own: int = 0, strided: int = 1) -> int:
    """1 + Σ (f_l − 1) Π_{k<l} s_k (Araujo, Norris and Sim 2019), or what a mistake makes of it."""
    apart = [math.prod(s for _, s in layers[: place + own]) for place in range(len(layers))]
    return start + sum((f - overlap) * step**strided for (f, _), step in zip(layers, apart))


check_receptive_field = Exercise(
    "Exercise 3, the receptive field",
    _field,
    cases=[
        Case(([(5, 2), (3, 3), (4, 1), (2, 2)],)),  # tells all mistakes apart
        Case(([(3, 1), (3, 1)],)),
        Case(([(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)],)),
        Case(([(7, 2)],)),
        Case(([],), "with no layer at all, the receptive field is 1, and you say {found:g}."),
    ],
    mistakes=[
        (lambda layers: _field(layers, strided=0), NO_STRIDES),
        (lambda layers: _field(layers, own=1), "a layer's own stride does not widen its own "
         "receptive field, but those of the layers behind it. Multiply after adding."),
        (lambda layers: _field(layers[::-1]), "the strides that count are those of the layers "
         "*before*; you took those behind."),
        (lambda layers: _field(layers, start=0), "the pixel it stands on is missing."),
        (lambda layers: _field(layers, start=0, overlap=0), ADDED_WHOLE),
        (lambda layers: _field(layers, overlap=0), ADDED_WHOLE),
        (lambda layers: _field(layers, start=0, overlap=0, strided=0), f"{ADDED_WHOLE} And the "
         "strides are ignored."),
        (lambda layers: math.prod(f for f, _ in layers), "the kernel sizes are multiplied; two "
         "kernels of 3 cover 5 pixels and not 9: they overlap."),
        (lambda layers: _field(layers) ** 2, "that is the number of pixels in the square; return "
         "how many there are along one side."),
        (lambda layers: max(f for f, _ in layers), "that is the largest kernel; layers add up."),
        (lambda layers: math.prod(s for _, s in layers), "that is the product of the strides, how "
         "far two neighbouring outputs are apart; their receptive fields are wider."),
    ],
    result="the pixels along one side, as a number",
    praise="right: each layer adds f - 1 steps, as long as the strides before it made them.",
)  # fmt: skip
