"""Checks of the exercises of notebook 00, start here."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Real

import torch
from torch import Tensor
from torch.nn.functional import conv1d

from .checking import (
    Wrong,
    as_count,
    ask,
    ask_tensor,
    check,
    explanation,
    near,
    random_tensor,
    tried,
)

# 1. Bayes' rule

JOINT = (
    "those are the joint densities p(x, y); divide each row by its sum, which is p(x), so that "
    "the probabilities of a point add up to 1."
)
OVER_POINTS = (
    "each *column* adds up to 1. The classes compete for a point, not the points for a class: sum "
    "over dim=1."
)
WITHOUT_PRIORS = (
    "the priors are missing. Bayes' rule weighs each class with how frequent it is, p(y)."
)
PRIOR_ONLY = "those are the priors; what x says, p(x|y), is missing."
LIKELIHOOD = "those are the densities p(x|y), of x given the class; Bayes' rule turns them round."
LOGARITHM = "that is the logarithm; return the probabilities, exp of it."
BAYES_MISTAKES = [
    (lambda density, priors: density * priors, JOINT),
    (lambda density, priors: density / density.sum(0), OVER_POINTS),  # priors cancel here
    (lambda density, priors: density / density.sum(1, keepdim=True), WITHOUT_PRIORS),
    (lambda density, priors: priors.expand_as(density), PRIOR_ONLY),
    (lambda density, priors: density, LIKELIHOOD),
    (lambda density, priors: _posterior(density, priors).log(), LOGARITHM),
    (lambda density, priors: (density * priors).log(), f"{LOGARITHM} And {JOINT}"),
    (
        lambda density, priors: (density * priors).softmax(1),
        "softmax takes logarithms; these are densities already. Divide by their sum.",
    ),
    (
        lambda density, priors: density / priors / (density / priors).sum(1, keepdim=True),
        "the priors divide and should multiply: a frequent class is more likely, not less.",
    ),
    (
        lambda density, priors: density * priors / density.sum(1, keepdim=True),
        "p(x) is the sum of p(x|y) p(y), so the priors belong into the divisor, too.",
    ),
    (
        lambda density, priors: density * priors / (density @ priors).sum(),
        "divided by the sum over all points; each point has its own p(x).",
    ),
]


def check_posterior(answer) -> None:
    """Exercise 1: `posterior(density, priors)` -> p(y|x), (N, K)."""
    check("Exercise 1, Bayes' rule", answer, _examine_posterior)


def _posterior(density: Tensor, priors: Tensor) -> Tensor:
    joint = density * priors
    return joint / joint.sum(1, keepdim=True)


def _densities(points: int, classes: int, seed: int) -> tuple[Tensor, Tensor]:
    """p(x|y) (points, classes) and p(y) (classes,)."""
    density = (2 * random_tensor(points, classes, seed=seed)).exp()
    return density, random_tensor(classes, seed=seed + 1).softmax(0)


def _examine_posterior(answer) -> str:
    for points, classes, seed in ((5, 2, 1), (4, 3, 3), (3, 3, 5)):
        density, priors = _densities(points, classes, seed)
        given = density.clone(), priors.clone()
        found = ask_tensor(
            answer, *given, shape=(points, classes), meaning="a probability a point and class"
        )
        if not (torch.equal(given[0], density) and torch.equal(given[1], priors)):
            raise Wrong("your function changes what it was given; make new tensors instead.")
        right = _posterior(density, priors)
        if not near(found, right):
            raise Wrong(
                explanation(found, tried(BAYES_MISTAKES, density, priors))
                or f"for densities {_listed(density[0])} and priors {_listed(priors)} the "
                f"probabilities are {_listed(right[0])}, and you say {_listed(found[0])}."
            )
    return "right: weigh each density with its prior, then divide by what all of them say together."


def _listed(numbers: Tensor) -> str:
    return "(" + ", ".join(f"{number:.3f}" for number in numbers.tolist()) + ")"


# 2. The matrix of a convolution

FLIPPED = (
    "the kernel is turned round. Mathematicians' convolution does that; what networks call a "
    "convolution does not: the first weight meets the first pixel."
)
TRANSPOSED = (
    "that is the transpose, the matrix of the *transposed* convolution. One row is one output: "
    "(outputs, d)."
)
DENSE_STEPS = "row i starts at column i; with stride s it starts at column i · s."
REVERSED_ROWS = "the rows are in the wrong order: the first row is the first place of the kernel."
SHIFTED = "every row is shifted by one: the first starts at column 0."
MATRIX_CRASHES = {
    "out of bounds": "is the number of rows (d - f) // s + 1, with the rest dropped?",
    "expanded size of the tensor": "is the number of rows (d - f) // s + 1, with the rest dropped?",
}


def check_convolution_matrix(answer) -> None:
    """Exercise 2: `convolution_matrix(kernel, d, s)` -> (outputs, d)."""
    check("Exercise 2, a convolution as a matrix", answer, _examine_matrix)


def _matrix(kernel: Tensor, d: int, s: int, flip: bool = False, steps: int | None = None,
            start: int = 0, reverse: bool = False) -> Tensor:  # fmt: skip
    """Rows of shifted copies of the kernel, or what a mistake makes of them."""
    f, steps = len(kernel), s if steps is None else steps
    matrix = torch.zeros((d - f) // s + 1, d + start)
    for row in range(len(matrix)):
        first = start + row * steps
        matrix[row, first : first + f] = kernel.flip(0) if flip else kernel
    matrix = matrix[:, :d]
    return matrix.flip(0) if reverse else matrix


MATRIX_MISTAKES = [
    ({"flip": True}, FLIPPED),
    ({"steps": 1}, DENSE_STEPS),
    ({"flip": True, "steps": 1}, f"{FLIPPED} And {DENSE_STEPS}"),
    ({"reverse": True}, REVERSED_ROWS),
    ({"start": 1}, SHIFTED),
]


def _examine_matrix(answer) -> str:
    for f, d, s, seed in ((3, 7, 2, 1), (2, 6, 1, 2), (3, 9, 3, 3), (4, 9, 2, 4), (1, 3, 1, 5)):
        _compare_matrix(answer, random_tensor(f, seed=seed), d, s)
    return "right: each row is the kernel at one of its places, and zeros everywhere else."


def _compare_matrix(answer, kernel: Tensor, d: int, s: int) -> None:
    right = _matrix(kernel, d, s)
    found = ask(answer, kernel.clone(), d, s, crashes=MATRIX_CRASHES)
    _judge_rows(found, right, len(kernel), d, s)
    found = ask_tensor(lambda: found, shape=tuple(right.shape), meaning="(outputs, d)")
    if not near(found, right):
        mistakes = ((hint, _matrix(kernel, d, s, **given)) for given, hint in MATRIX_MISTAKES)
        raise Wrong(explanation(found, mistakes) or _say_output(found, kernel, d, s))


def _judge_rows(found, right: Tensor, f: int, d: int, s: int) -> None:
    if not isinstance(found, Tensor) or found.dim() != 2 or found.shape == right.shape:
        return
    outputs = len(right)
    if tuple(found.shape) == (d, outputs) and near(found.T, right):
        raise Wrong(TRANSPOSED)
    if found.shape[1] == d:
        raise Wrong(
            f"of {d} pixels a kernel of {f} at stride {s} makes {outputs} "
            f"output{'s' if outputs > 1 else ''}, and the matrix has {len(found)} rows: "
            "d' = (d - f) / s + 1, rounded down."
        )


def _say_output(found: Tensor, kernel: Tensor, d: int, s: int) -> str:
    x = torch.arange(1.0, d + 1)
    wanted = conv1d(x[None, None], kernel[None, None], stride=s)[0, 0]
    return (
        f"multiplied with x = 1, 2, ..., {d} it gives {_listed(found.float() @ x)}; the "
        f"convolution with kernel {_listed(kernel)} and stride {s} gives {_listed(wanted)}."
    )


# 3. How far one number sees

STRIDES_IGNORED = (
    "right without strides. But behind a layer of stride s, neighbours are s pixels of the "
    "image apart, so every later kernel reaches s times as far."
)
OWN_STRIDE = (
    "a layer's own stride does not widen what *it* sees; only the layers behind it see further. "
    "Multiply after adding."
)
BACKWARDS = "the strides that count are those of the layers *before*; you took those behind."
WITHOUT_FIRST = "the pixel it stands on is missing: with no layer at all, one number sees 1 pixel."
ADDED_WHOLE = "each layer adds f - 1 steps, not f: its first weight stands on what was seen before."
MULTIPLIED = (
    "the kernel sizes are multiplied; two kernels of 3 see 5 pixels and not 9: they overlap."
)
AREA = "that is the number of pixels in the square; return how many there are along one side."
LARGEST_KERNEL = "that is the largest kernel; layers add up."
TOTAL_STRIDE = (
    "that is the product of the strides, how far two neighbouring outputs are apart; they see more."
)


def check_receptive_field(answer) -> None:
    """Exercise 3: `receptive_field(layers)` -> pixels along one side, for [(f, s), ...]."""
    check("Exercise 3, how far one number sees", answer, _examine_field)


def _field(layers: Sequence[tuple[int, int]], one: int = 1, own: bool = False,
           added: int = 1, strides: bool = True) -> int:  # fmt: skip
    """1 + Σ (f_l − 1) Π_{k<l} s_k (Araujo, Norris and Sim 2019), or what a mistake makes of it."""
    seen, apart = one, 1
    for f, s in layers:
        reach = apart * s if own else apart
        seen += (f - added) * (reach if strides else 1)
        apart *= s
    return seen


FIELD_MISTAKES: list[tuple[Callable[[list], Real], str]] = [
    (lambda layers: _field(layers, strides=False), STRIDES_IGNORED),
    (lambda layers: _field(layers, own=True), OWN_STRIDE),
    (lambda layers: _field(layers[::-1]), BACKWARDS),
    (lambda layers: _field(layers, one=0), WITHOUT_FIRST),
    (lambda layers: _field(layers, one=0, added=0), ADDED_WHOLE),
    (lambda layers: _field(layers, one=1, added=0), ADDED_WHOLE),
    (lambda layers: _field(layers, one=0, added=0, strides=False), f"{ADDED_WHOLE} And the "
     "strides are ignored."),
    (lambda layers: math.prod(f for f, _ in layers), MULTIPLIED),
    (lambda layers: _field(layers) ** 2, AREA),
    (lambda layers: max(f for f, _ in layers), LARGEST_KERNEL),
    (lambda layers: math.prod(s for _, s in layers), TOTAL_STRIDE),
]  # fmt: skip
# The first stack tells all mistakes apart; the others are for formulas that fit it by chance.
STACKS = (
    [(5, 2), (3, 3), (4, 1), (2, 2)],
    [(3, 1), (3, 1)],
    [(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)],
    [(7, 2)],
)


def _examine_field(answer) -> str:
    for layers in STACKS:
        found = as_count(ask(answer, list(layers)))
        right = _field(layers)
        if found != right:
            hints = [hint for mistake, hint in FIELD_MISTAKES if mistake(layers) == found]
            raise Wrong(hints[0] if hints else f"for the layers {layers} it is {right}, and you "
                        f"say {found:g}.")  # fmt: skip
    if as_count(ask(answer, [])) != 1:
        raise Wrong("with no layer at all, a number sees itself: 1. You say something else.")
    return "right: each layer adds f - 1 steps, as long as the strides before it made them."
