"""Checks of the exercises of notebook 05b, text and attributes."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.functional import normalize, one_hot

from .checking import random_tensor
from .exercise import Case, Exercise, combined

# 1. Zero-shot classification


def _cosine(images: Tensor, prompts: Tensor) -> Tensor:
    return normalize(images, dim=1) @ normalize(prompts, dim=1).T


def _zero_shot(similarity: Callable, scale: Callable, shares: Callable) -> Callable:
    """Probabilities from a similarity, scaled by the temperature, and made to shares."""
    return lambda images, prompts, temperature: shares(
        scale(similarity(images, prompts), temperature)
    )


def _embeddings(count: int, classes: int, width: int, seed: int) -> tuple[Tensor, Tensor]:
    """Images (count, width) and prompts (classes, width), of different norms."""
    images, prompts = (
        normalize(random_tensor(n, width, seed=seed + n), dim=1)
        * (0.5 + torch.arange(n)[:, None] / n)
        for n in (count, classes)
    )
    return images, 1.5 * prompts


FEW, SQUARE = _embeddings(6, 3, 5, seed=1), _embeddings(4, 4, 8, seed=40)
NORMS = "divide the vectors by their norms: the cosine does not depend on how long they are."
LOGITS = "those are the logits; the softmax over the classes makes them probabilities."

check_zero_shot = Exercise(
    "Exercise 1, zero-shot classification",
    _zero_shot(_cosine, lambda s, t: s / t, lambda s: s.softmax(1)),
    [
        Case((*FEW, 0.2)),
        Case((*SQUARE, 0.5)),
        Case((*FEW, 0.005), before="right at a high temperature, but at 0.005: "),
        Case((FEW[0], FEW[1][:1], 0.2), "with a single class every image has probability 1 for "
             "it; it is {found:.3g} here: the softmax goes over the classes, dim=1."),
    ],
    [
        *combined(
            _zero_shot,
            [
                (_cosine, ""),
                (lambda x, t: x @ t.T, f"that is the inner product; {NORMS}"),
                (lambda x, t: normalize(x, dim=1) @ t.T, f"the prompts keep their norms; {NORMS}"),
                (lambda x, t: x @ normalize(t, dim=1).T, f"the images keep their norms; {NORMS}"),
                (lambda x, t: normalize(x, dim=0) @ normalize(t, dim=0).T, "each dimension is "
                 "normalized over the batch; take the norm of each vector, dim=1."),
                (lambda x, t: -torch.cdist(x, t), "that is the negative distance, not the cosine."),
            ],
            [
                (lambda s, t: s / t, ""),
                (lambda s, t: s * t, "the temperature multiplies; it divides the logits."),
                (lambda s, t: s, "the temperature does not occur."),
                (lambda s, t: s / t**0.5, "that divides by the root of the temperature."),
            ],
            [
                (lambda s: s.softmax(1), ""),
                (lambda s: s.softmax(0), "the softmax goes over the images; each image has its own "
                 "distribution over the classes, dim=1."),
                (lambda s: s.flatten().softmax(0).view_as(s), "that is one distribution over all "
                 "pairs; each image has its own, dim=1."),
                (lambda s: s.sigmoid(), "a sigmoid treats each class by itself; the classes "
                 "exclude each other: softmax."),
                (lambda s: s, LOGITS),
                (lambda s: s.log_softmax(1), "those are log-probabilities: .exp(), or softmax."),
                (lambda s: s.exp(), "the exponentials are not divided by their sum."),
            ],
        ),
        (lambda x, t, tau: one_hot(_cosine(x, t).argmax(1), len(t)).float(), "that is the decision "
         "alone; return how probable each class is."),
    ],
    result="one row an image, one column a class; the probabilities of an image sum to 1",
    shapes=lambda images, prompts, temperature: {
        (len(images),): "that is the class alone; return the probability of each class.",
        (len(prompts), len(images)): "that is one row a class; one row an image is asked for.",
    },
    crashes={
        "mat1 and mat2": "images is (N, k) and prompts (C, k): images @ prompts.T",
        "must match the size": "images is (N, k) and prompts (C, k): images @ prompts.T",
    },
    not_finite="exp of a large logit overflows; softmax subtracts the largest one first.",
    praise="right: cosines, sharpened by the temperature, and one distribution an image.",
)  # fmt: skip


# 2. Equal steps on the sphere


UNCHANGED = (lambda given: given), ""


def _angle(first: Tensor, second: Tensor) -> Tensor:
    """Between vectors, (N, 1), and at least 0.001, so that one can divide by its sine."""
    return F.cosine_similarity(first, second).clamp(-1, 1).acos().clamp(min=1e-3)[:, None]


def _slerp(first: Tensor, second: Tensor, share: Tensor, angle: Tensor | None = None) -> Tensor:
    """Spherical linear interpolation (Shoemake 1985)."""
    angle, share = _angle(first, second) if angle is None else angle, share[:, None]
    return (((1 - share) * angle).sin() * first + (share * angle).sin() * second) / angle.sin()


def _line(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    return first.lerp(second, share[:, None])


def _of_root_k(vectors: Tensor) -> Tensor:
    return vectors.shape[1] ** 0.5 * normalize(vectors, dim=1)


def _explain_halfway(found: Tensor, right: Tensor, first: Tensor, second: Tensor, share) -> str:
    at = int((found - right).norm(dim=1).argmax())
    whole, way = (_angle(first, end)[at].rad2deg().item() for end in (second, found))
    return (
        f"{share[at]:.2f} of an angle of {whole:.0f}° is {share[at] * whole:.0f}°, and the vector "
        f"there has length {right[at].norm():.2f}; yours stands at {way:.0f}° from the first and "
        f"has length {found[at].norm():.2f}."
    )


SHARES = torch.tensor([0.9, 0.15, 0.7, 0.3, 0.8, 0.2])
LONG, SHORT = ([_of_root_k(random_tensor(6, k, seed=seed)) for seed in (1, 2)] for k in (24, 3))
SAME = _of_root_k(torch.cat([torch.ones(1, 16), random_tensor(40, 16, seed=3)]))

check_halfway = Exercise(
    "Exercise 2, halfway",
    _slerp,
    [
        Case((*LONG, SHARES)),
        Case((*SHORT, SHARES)),
        Case((*SHORT, SHARES.round()), before="right on the way, but at its ends: "),
        Case((SAME, SAME, torch.linspace(0.1, 0.9, 41)), "right for different sentences, but two "
             "equal ones give {found:.3g} instead of {right:.3g}: their angle is 0, where sin 0 / "
             "sin 0 has no value, or their cosine is rounded to more than 1: .clamp(-1, 1)."),
    ],
    [
        *combined(
            lambda length, path, share: lambda a, b, s: length(path(a, b, share(s))),
            [
                UNCHANGED,
                (lambda x: x / x.shape[1] ** 0.5, "the vectors have length 1; it should be √k."),
                (lambda x: x * x.shape[1] ** 0.5, "the vectors have length k; it should be √k."),
            ],
            [
                (_slerp, ""),
                (_line, "a straight line cuts through the sphere, with vectors shorter than √k."),
                (lambda *given: _of_root_k(_line(*given)), "a straight line, set to length √k, is "
                 "right only half way and at the two ends: `share` is a share of the angle."),
                (lambda a, b, s: _slerp(a, b, s, _angle(a.reshape(1, -1), b.reshape(1, -1))),
                 "one angle is taken for the whole batch; each pair has its own (dim=1)."),
            ],
            [UNCHANGED, (lambda share: 1 - share, "`share` is taken from the wrong end.")],
        ),
        (lambda a, b, s: _slerp(a, b, s) * _angle(a, b).sin(), "the two sines are not divided by "
         "the sine of the whole angle, sin Ω."),
        (lambda a, b, s: _of_root_k(a + b), "that is half way, whatever `share` says."),
        (lambda a, b, s: a, "that is the first vector, whatever `share` says."),
        (lambda a, b, s: b, "that is the second vector, whatever `share` says."),
    ],
    result="one vector a pair",
    crashes={
        "must match the size": "share is (N,); as a column, share[:, None], it goes with (N, k)",
        "mat1 and mat2": "the angle of a pair is a sum over dim=1, not a product of matrices",
    },
    not_finite="acos takes a cosine: first · second divided by both lengths, that is by k.",
    explain=_explain_halfway,
    tolerance=1e-3,
    praise="right: equal shares are equal angles, and every step has the length of a sentence.",
)  # fmt: skip


def _hot(labels: Tensor, classes: int) -> Tensor:
    return one_hot(labels, classes).float()


# 3. An age between two stages


def _away(age: Tensor, stages: int) -> Tensor:
    """How far each age is from each stage, (N, stages)."""
    return (age[:, None] - torch.arange(stages)).abs()


BETWEEN = torch.tensor([0.1, 0.35, 0.8, 1.3, 1.65, 1.9])
WHOLE = "right between two stages, but a whole age must be one-hot, the last one, too."
FAR = "far stages get {}: a stage gets 0 where it is a step or more away, .clamp(min=0)"
WIDE = "the shares reach too far and do not sum to 1: a stage one whole step away gets 0."
SHARE_SQUARED = "the {} squared, so the shares do not sum to 1 between stages; share linearly."
SOFTMAX = "every stage gets a share, however far away; only the two neighbours share the 1."
AGE_SHARES = [
    (lambda away: 1 - away, f"{FAR.format('negative numbers')}."),
    (lambda away: (1 - away).abs(), f"{FAR.format('shares, too')}, not .abs()."),
    (lambda away: away * (away < 1), "wrong way round: the nearer stage gets the larger share."),
    (lambda away: (away < 1) / 2, "both neighbours get half; the nearer one gets more."),
    (lambda away: (away < 1).float(), "both neighbours get 1; they share it."),
    (lambda away: away, "those are the distances to the stages; near stages get more, not less."),
    (lambda away: (1 - away).clamp(min=0).square(), SHARE_SQUARED.format("shares are")),
    (lambda away: (1 - away.square()).clamp(min=0), SHARE_SQUARED.format("distance is")),
    (lambda away: (1 - away / 2).clamp(min=0), WIDE),
    (lambda away: 1 - away / away.shape[1], WIDE),
    (lambda away: (-away).softmax(1), SOFTMAX),
    (lambda away: (-away.square()).softmax(1), SOFTMAX),
    (lambda away: (-away.square()).exp(), SOFTMAX),
    (lambda away: (-away).exp(), SOFTMAX),
    (lambda away: (1 - away).clamp(min=0).softmax(1), SOFTMAX),
    (lambda away: 1 / (1 + away), SOFTMAX),
    (lambda away: (torch.pi / 2 * away.clamp(max=1)).cos().square(), "the shares sum to 1, but not "
     "linearly: a quarter of the way is ¾ and ¼."),
]  # fmt: skip
ROUNDED = "the age is {}, without a share for the other neighbour."
THERMOMETER = "that is a thermometer, filled up to the age; in training a whole age was one-hot."
check_soft_one_hot = Exercise(
    "Exercise 3, between two ages",
    lambda age, stages: (1 - _away(age, stages)).clamp(min=0),
    cases=[
        Case((BETWEEN, 3)), Case((torch.arange(3.0), 3), WHOLE),
        Case((BETWEEN + 2, 5)), Case((torch.arange(5.0), 5), WHOLE),
    ],
    mistakes=[
        (lambda age, n: _hot(age.round().long(), n), ROUNDED.format("rounded to a stage")),
        (lambda age, n: _hot(age.floor().long(), n), ROUNDED.format("cut off to the stage below")),
        (lambda age, n: _hot(age.ceil().long(), n), ROUNDED.format("moved to the stage above")),
        (lambda age, n: (age[:, None] - torch.arange(n)).clamp(0, 1), THERMOMETER),
        (lambda age, n: (age[:, None] - torch.arange(n) + 1).clamp(0, 1), THERMOMETER),
        *combined(lambda share: lambda age, n: share(_away(age, n)), AGE_SHARES),
    ],
    result="one row an age, one column a stage; the shares of an age sum to 1",
    shapes=lambda age, n: dict.fromkeys([(len(age),), (len(age), 1)], "that is one number an age; "
                                        "give each stage a place of its own: (N, stages)."),
    crashes={
        "Class values must be smaller": "at the last stage there is none above",
        "out of bounds": "at the last stage there is none above",
        "only applicable to index": "one_hot takes whole numbers only",
    },
    praise="right: a whole age is one-hot, and in between two stages share the 1.",
)  # fmt: skip
