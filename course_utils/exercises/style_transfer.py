"""Checks of the exercises of lesson 01, style transfer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from .checking import ask, near, random_tensor
from .exercise import Case, Exercise, combined

# 1. Mean and standard deviation of another

NOT_DIVIDED = "the content's own standard deviation is still in it; divide by it first."
NOT_CENTRED = "the content's own mean is still in it; subtract it before anything else."
OVER_BATCH = "the images of the batch share statistics; average over the positions, dim=(2, 3)."
OVER_CHANNELS = "the channels share one mean; each has its own: average over dim=(2, 3) only."
FORMULAS = [  # of the content, its mean and standard deviation, and those of the style
    (lambda c, m, s, M, S: (c - m) / s * S + M, ""),
    (lambda c, m, s, M, S: (c - m) * S + M, NOT_DIVIDED),
    (lambda c, m, s, M, S: c / s * S + M, NOT_CENTRED),
    (lambda c, m, s, M, S: c * S + M, f"{NOT_CENTRED} And {NOT_DIVIDED}"),
    (lambda c, m, s, M, S: (c - m) / s, "mean 0 and standard deviation 1; now put on the style's."),
    (lambda c, m, s, M, S: (c - m) / s * S, "right, but the mean is 0; add the style's mean."),
    (lambda c, m, s, M, S: (c - m) / s * S + m, "the mean is the content's again; use the style."),
    (lambda c, m, s, M, S: c - m + M, "the standard deviation is still the content's."),
    (lambda c, m, s, M, S: (c - m) / s + M, "the mean is right, but the standard deviation is 1."),
    (lambda c, m, s, M, S: (c - m) / s**2 * S**2 + M, "you scale with variances; take the roots."),
    (lambda c, m, s, M, S: (c - m) / S * s + M, "upside down: divide by σ(F), multiply by σ(S)."),
    (lambda c, m, s, M, S: ((c - m) / s + M) * S, "μ(S) is added first, which stretches it too."),
    (lambda c, m, s, M, S: c, "that is the content as it was."),
]  # fmt: skip
POSITIONS = (2, 3)
# Content and style have as many positions, so it does not matter whether a standard deviation is
# divided by n or by n - 1.
SCALES = torch.tensor([[0.5, 1.0, 3.0], [2.0, 0.7, 1.4]])[..., None, None]
CONTENT = SCALES * (random_tensor(2, 3, 40, 60, seed=1) + 0.6)
STYLE = SCALES.flip(0, 1) * (random_tensor(2, 3, 50, 48, seed=2) - 1.1)
WITH_ZEROS = CONTENT * torch.tensor([1.0, 0.0, 1.0])[:, None, None]


def _statistics(features: Tensor, dim: Sequence[int] = POSITIONS) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation; of what is 0 everywhere, next to 0."""
    return features.mean(dim, keepdim=True), features.std(dim, keepdim=True) + 1e-8


def _restyled(content: Tensor, style: Tensor, formula: Callable = FORMULAS[0][0], dim=POSITIONS,
              of_style=POSITIONS) -> Tensor:  # fmt: skip
    """Adaptive instance normalisation (Huang and Belongie 2017), or what a mistake makes of it."""
    return formula(content, *_statistics(content, dim), *_statistics(style, of_style))


def _say_restyled(found: Tensor, right: Tensor, *given: Tensor) -> str:
    got, wanted = (torch.cat(_statistics(result), 1).flatten(1) for result in (found, right))
    if near(got, wanted, 0.03):
        return (
            "mean and standard deviation of every channel are right, but the content is not where "
            "it was: only shift and stretch it."
        )
    image, at = place = torch.unravel_index((got - wanted).abs().argmax(), got.shape)
    return (
        f"in image {image} channel {at % 3} has the {'standard deviation' if at > 2 else 'mean'} "
        f"{got[place]:.3f}; the style's is {wanted[place]:.3f}."
    )


check_restyled = Exercise(
    "Exercise 1, mean and standard deviation of another",
    _restyled,
    [
        Case((CONTENT, STYLE)),
        Case((CONTENT[:1], STYLE[1:])),
        Case((WITH_ZEROS, STYLE), "right, but not for a channel that is 0 everywhere, as many are "
             "behind a ReLU: there 0 / 0 is no number. Add something tiny to the divisor; the "
             "channel then has the style's mean everywhere."),
    ],
    [
        *combined(lambda formula: partial(_restyled, formula=formula), FORMULAS),
        (partial(_restyled, dim=(0, 2, 3), of_style=(0, 2, 3)), OVER_BATCH),
        (partial(_restyled, dim=(1, 2, 3), of_style=(1, 2, 3)), OVER_CHANNELS),
        (partial(_restyled, dim=(0, 1, 2, 3), of_style=(0, 1, 2, 3)),
         f"{OVER_BATCH} And {OVER_CHANNELS}"),
        (partial(_restyled, of_style=(0, 2, 3)), "each image has a style of its own; yours get the "
         "mean style of the batch."),
        (partial(_restyled, of_style=(1, 2, 3)), OVER_CHANNELS),
    ],
    result="the positions are those of the content, means and standard deviations the style's",
    crashes=dict.fromkeys(
        ("must match the size", "broadcast"), "statistics over dim=(2, 3) with keepdim=True have "
        "shape (N, C, 1, 1) and fit images of every size"
    ),
    explain=_say_restyled,
    tolerance=1e-3,
    praise="right: positions from the content; how active each channel is, from the style.",
)  # fmt: skip

# 2. Neighbours

ACTIVATIONS = random_tensor(2, 3, 5, 7, seed=0).relu()
NOT_FOR_ZERO = (
    "right where both shifts are positive, but not for {} (features[:, :, :-0] is empty; h - down "
    "as the end works for 0, too): "
)
MIXED = "the images of the batch are mixed; each has a matrix of its own: keep dimension 0."
OVER_ALL = "the sum is divided by all positions, not by the (h - down) · (w - across) pairs."
OVER_CHANNELS_TOO = "divided by the channels, too; the mean is over pairs of positions only."
DIVISORS = [
    (lambda features, pairs: pairs, ""),
    (lambda features, pairs: 1, "that is the sum over the pairs; return the mean."),
    (lambda features, pairs: pairs * features.shape[1], OVER_CHANNELS_TOO),
    (lambda features, pairs: features[0, 0].numel(), OVER_ALL),
    (lambda features, pairs: features[0].numel(), f"{OVER_CHANNELS_TOO} And {OVER_ALL}"),
]
MATRICES = [
    (lambda gram: gram, ""),
    (lambda gram: gram.mT, "that is the transpose: F_j stands before F_i. Entry (i, j) asks what "
     "channel *j* does where the shift leads to."),
    (lambda gram: (gram + gram.mT) / 2, "both directions are averaged; the given one counts."),
    (lambda gram: gram.mean(0).expand_as(gram), MIXED),
    (lambda gram: gram.sum(0).expand_as(gram), MIXED),
]  # fmt: skip


def _inside(features: Tensor, down: int, across: int) -> tuple[Tensor, Tensor]:
    """The activations here and at the shift, (N, C, pairs) each."""
    height, width = features.shape[2:]
    here = features[:, :, : height - down, : width - across].flatten(2)
    return here, features[:, :, down:, across:].flatten(2)


INSIDE = [
    (_inside, ""),
    (lambda features, down, across: _inside(features, across, down), "down and across are swapped; "
     "rows are dimension 2, columns dimension 3."),
    (lambda features, *shift: _inside(features - features.mean((2, 3), keepdim=True), *shift),
     "the means are subtracted first: a covariance. Gram takes the activations as they are."),
]  # fmt: skip
WRAPPED = [
    (lambda f, *shift: (f.flatten(2), f.roll([-by for by in shift], (2, 3)).flatten(2)), "what "
     "leaves the image on one side comes in again on the other (torch.roll does so); leave the "
     "pairs out that do not exist."),
]  # fmt: skip
UNSHIFTED = [(lambda f, *shift: _inside(f, 0, 0), "that is the Gram matrix without a shift.")]


def _shifted(pairs=_inside, divisor=DIVISORS[0][0], matrix=MATRICES[0][0]) -> Callable:
    """Gram at a shift (Berger and Memisevic 2017), or what a mistake makes of it."""

    def shifted(features: Tensor, down: int, across: int) -> Tensor:
        here, there = pairs(features, down, across)
        return matrix(here @ there.mT / divisor(features, here.shape[2]))

    return shifted


def _shapes_of_shifted(features: Tensor, down: int, across: int) -> dict[tuple, str]:
    n, c, h, w = features.shape
    pairs = (h - down) * (w - across)
    one = f"one matrix for the whole batch; {MIXED}"
    by_positions = "that is positions by positions; (N, C, pairs) @ (N, pairs, C) sums over them."
    return {
        **dict.fromkeys(((c, c), (1, c, c), (n * c, n * c)), one),
        **dict.fromkeys(((n, pairs, pairs), (n, h * w, h * w)), by_positions),
    }


check_shifted_gram = Exercise(
    "Exercise 2, neighbours",
    _shifted(),
    [
        Case((ACTIVATIONS, 1, 2)),
        Case((ACTIVATIONS, 2, 1)),
        Case((ACTIVATIONS, 0, 2), before=NOT_FOR_ZERO.format("down = 0")),
        Case((ACTIVATIONS, 3, 0), before=NOT_FOR_ZERO.format("across = 0")),
        Case((ACTIVATIONS, 0, 0), before=NOT_FOR_ZERO.format("down = 0 and across = 0")),
    ],
    [
        *combined(_shifted, INSIDE, DIVISORS, MATRICES),
        *combined(_shifted, WRAPPED, DIVISORS[:3], MATRICES),
        *combined(_shifted, UNSHIFTED, DIVISORS[:3], MATRICES[:1]),
    ],
    result="channels by channels, for each image",
    shapes=_shapes_of_shifted,
    crashes={
        "must match": "the two factors need the same positions: without the last rows and columns, "
        "and without the first",
        "Expected size for first two dimensions": "the product is (N, C, pairs) @ (N, pairs, C): "
        "flatten the positions, and transpose the second factor, .mT",
        "view size is not compatible": "use reshape or flatten(2) on what was sliced",
    },
    explain=lambda found, right, features, down, across: (
        f"for a shift of {down} down and {across} across, the mean of F_0(p) F_1(p + shift) is "
        f"{right[0, 0, 1]:.3f} in the first image, and entry (0, 1) says {found[0, 0, 1]:.3f}."
    ),
    praise="right: with the shift 0 it is the Gram matrix, with others it depends on neighbours.",
)  # fmt: skip

# 3. The gradient of a style

UNDIVIDED = "G = F Fᵀ / M, and in yours the 1/M is missing in front of F Fᵀ."
FACTORS = [
    (4, ""),
    (2, "half of it: F stands twice in G = F Fᵀ. (Squares bring a 2, the two places another.)"),
    (1, "a factor 4 is missing: 2 from the square, and 2 because F stands in G twice."),
    (8, "twice too much: 2 from the square and 2 from the two places of F make 4."),
]
POWERS_OF_M = [
    (1, ""),
    (0, "G has 1/M before the sum, and so has its slope: divide by M."),
    (2, "divided by M twice, and 1/M stands in G only once."),
]
SIGNS = [(1, ""), (-1, "the sign is wrong: that points downhill; a gradient points uphill.")]
OF_GATYS = "those are the factors of Gatys et al. (2016), whose loss has 1/(4 C² M²) in front."


def _gram(features: Tensor) -> Tensor:
    return features @ features.T / features.shape[1]


def _gradient_of_style(gram=_gram, factor=4, power=1, sign=1) -> Callable[[Tensor, Tensor], Tensor]:
    """4/M (G - A) F, or what a mistake makes of it."""
    return lambda features, wanted: (
        sign * factor / features.shape[1] ** power * (gram(features) - wanted) @ features
    )


def _style_case(channels: int, positions: int, seed: int) -> Case:
    wanted = _gram(random_tensor(channels, 2 * channels, seed=seed + 1))
    return Case((random_tensor(channels, positions, seed=seed), wanted))


def _say_slope(found: Tensor, right: Tensor, *given: Tensor) -> str:
    i, j = place = torch.unravel_index((found - right).abs().argmax(), found.shape)
    return (
        f"if F[{i}, {j}] grows by 0.0001, the loss changes by {1e-4 * right[place]:.6f}, so its "
        f"slope is {right[place]:.3f}, and you say {found[place]:.3f}."
    )


def _without_autograd(answer: Callable) -> None:
    with torch.no_grad():
        ask(answer, *check_style_gradient.cases[0].given, crashes=check_style_gradient.crashes)


check_style_gradient = Exercise(
    "Exercise 3, the gradient of a style",
    _gradient_of_style(),
    [_style_case(3, 7, seed=1), _style_case(4, 4, seed=3), _style_case(5, 2, seed=5)],
    [
        *combined(
            _gradient_of_style, [(_gram, ""), (lambda f: f @ f.T, UNDIVIDED)],
            FACTORS, POWERS_OF_M, SIGNS,
        ),
        (lambda f, a: (_gram(f) - a) @ f / f.numel() ** 2, OF_GATYS),
        (lambda f, a: (f @ f.T - a) @ f / f.numel() ** 2, OF_GATYS),
        (lambda f, a: 4 / f.shape[1] * _gram(f) @ f, "the wanted Gram matrix, A, does not occur."),
        (lambda f, a: 4 / f.shape[1] * (_gram(f) - a).square() @ f, "the square is still there; "
         "its slope is 2 (G - A)."),
    ],
    result="a slope for each activation",
    shapes=lambda features, wanted: {
        features.T.shape: "that is (M, C), the transpose; a gradient has the shape of what it is "
        "the gradient of, (C, M).",
        wanted.shape: "that is the slope by G, (C, C); go on to F, by which G changes.",
    },
    crashes={
        "does not require grad": "autograd is switched off here; derive the formula by hand",
        "must match": "F is (C, M), G and A are (C, C)",
        "cannot be multiplied": "F is (C, M) and G - A is (C, C), so (G - A) @ F fits",
    },
    explain=_say_slope,
    also=[_without_autograd],
    tolerance=1e-3,
    praise="right: one C × C matrix for the whole image, applied at every position alike.",
)  # fmt: skip
