"""The exercises of notebook 08b, diffusion in depth."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .checking import Wrong
from .exercise import Case, Exercise

# 1. One level of a pyramid


def _random_images(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def _half(images: Tensor) -> Tensor:
    return F.avg_pool2d(images, 2)


def _twice(images: Tensor, mode: str = "bilinear", **options) -> Tensor:
    return F.interpolate(images, scale_factor=2, mode=mode, **options)


def _level(images: Tensor) -> Tensor:
    """What both parts are, one after the other, as one row of numbers."""
    coarse = _half(images)
    return _row(coarse, images - _twice(coarse))


def _row(coarse: Tensor, details: Tensor) -> Tensor:
    return torch.cat([coarse.flatten(), details.flatten()])


def _both(found: Any) -> Tensor:
    if isinstance(found, Tensor) and found.dim() == 1:
        return found
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        raise Wrong("return two tensors: the coarse images, and the details.")
    for name, part in zip(("coarse images", "details"), found):
        if not isinstance(part, Tensor) or part.dim() != 4:
            what = tuple(part.shape) if isinstance(part, Tensor) else type(part).__name__
            raise Wrong(f"the {name} are a tensor (N, C, H, W); this is {what}.")
    coarse, details = found
    if coarse.shape[-1] > details.shape[-1]:
        raise Wrong("the coarse images come first, then the details.")
    return _row(coarse, details)


LEVEL_MISTAKES = [
    (lambda x: _row(_half(x), x - _twice(_half(x), "nearest")),
     "the details are those beyond *bilinear* enlargement; `nearest` repeats each pixel."),
    (lambda x: _row(_half(x), x - _twice(_half(x), align_corners=True)),
     "leave `align_corners` at False: with True the enlarged grid does not lie over the old one."),
    (lambda x: _row(_half(x), x - _twice(_half(x), "bicubic")),
     "enlarge bilinearly, not bicubically."),
    (lambda x: _row(_half(x), _twice(_half(x)) - x),
     "the sign: details are the image minus the enlarged one, so that they are *added* back."),
    (lambda x: _row(_half(x), _twice(_half(x))),
     "that is the enlarged image; the details are what it lacks."),
    (lambda x: _row(x[..., ::2, ::2], x - _twice(x[..., ::2, ::2])),
     "every second pixel is taken; the coarse image holds means of 2 × 2 pixels (without a mean, "
     "fine stripes turn into coarse ones)."),
    (lambda x: _row(F.max_pool2d(x, 2), x - _twice(F.max_pool2d(x, 2))),
     "take the mean of 2 × 2 pixels, not the largest."),
    (lambda x: _row(4 * _half(x), x - _twice(4 * _half(x))),
     "that is the sum of 2 × 2 pixels; take their mean."),
    (lambda x: _row(_half(x), x - _half(_twice(x))),
     "the image is enlarged first and then halved; the details compare it with the *coarse* image "
     "enlarged."),
    (lambda x: _row(_half(x), x), "the details still hold the whole image."),
]  # fmt: skip


def _say_level(found: Tensor, right: Tensor, images: Tensor) -> str:
    count, found = images.numel() // 4, found.to(right)
    part = "details" if torch.allclose(found[:count], right[:count], atol=1e-5) else "coarse images"
    return (
        f"the {part} of images {tuple(images.shape)} differ. Test it yourself: `coarse` enlarged "
        "bilinearly plus `details` must be the images again."
    )


check_level = Exercise(
    "Exercise 1, a level of the pyramid",
    _level,
    [
        Case((_random_images(2, 1, 8, 8),)),
        Case((_random_images(1, 3, 4, 8, seed=1),),
             "right for one colour and a square, not for images of three colours, 4 × 8 pixels."),
    ],
    LEVEL_MISTAKES,
    result="coarse images and details",
    read=_both,
    explain=_say_level,
    tolerance=1e-5,
    praise="right: nothing is lost, and the details are numbers around 0.",
)  # fmt: skip

# 2. What the student is trained to predict


def _broadcast(sigma: Tensor, x: Tensor) -> Tensor:
    return sigma.view(*sigma.shape, *[1] * (x.dim() - sigma.dim()))


def _target(x: Tensor, end: Tensor, sigma: Tensor, lower: Tensor) -> Tensor:
    ratio = _broadcast(lower / sigma, x)
    return (end - ratio * x) / (1 - ratio)


TARGET_MISTAKES = [
    (lambda x, e, s, w: e, "that is where the step ends, a point that still holds noise of the "
     "lower level; the student predicts x̂₀, and its step must end there."),
    (lambda x, e, s, w: e - _broadcast(w / s, x) * x, "divide by what x̂₀ is multiplied with, "
     "1 − lower / sigma."),
    (lambda x, e, s, w: (e + _broadcast(w / s, x) * x) / (1 - _broadcast(w / s, x)),
     "a sign: solve end = x̂₀ + r (x − x̂₀) for x̂₀; r x goes to the other side."),
    (lambda x, e, s, w: (e - _broadcast(w / s, x) * x) / (1 + _broadcast(w / s, x)),
     "a sign: x̂₀ − r x̂₀ is (1 − r) x̂₀."),
    (lambda x, e, s, w: _target(x, e, w, s), "sigma and lower are exchanged (or x and end): "
     "end = x̂₀ + r (x − x̂₀) with r = lower / sigma, below 1."),
    (lambda x, e, s, w: (e - _broadcast((w / s) ** 2, x) * x) / (1 - _broadcast((w / s) ** 2, x)),
     "the ratio of the levels, not of their squares: x − x̂₀ is σ ε."),
    (lambda x, e, s, w: (e - _broadcast(w, x) * x) / (1 - _broadcast(w, x)),
     "x − x̂₀ shrinks by lower / sigma, not by lower."),
    (lambda x, e, s, w: (x - e) / _broadcast(s - w, x), "that is the noise ε of the step; the "
     "student predicts x̂₀ = x − σ ε."),
    (lambda x, e, s, w: x - (x - e) / _broadcast(s - w, x), "multiply the noise by sigma: "
     "x̂₀ = x − σ ε."),
    (lambda x, e, s, w: 2 * e - x, "that holds only where lower is half of sigma."),
]  # fmt: skip


def _case(shape: tuple[int, ...], levels: list[float], lower: list[float], but: str = "") -> Case:
    x, end = _random_images(*shape, seed=2), _random_images(*shape, seed=3)
    return Case((x, end, torch.tensor(levels), torch.tensor(lower)), but)


check_target = Exercise(
    "Exercise 2, the target of distillation",
    _target,
    [
        _case((3, 2), [2.0, 0.5, 0.1], [0.4, 0.2, 0.03]),
        _case((2, 2), [2.0, 0.5], [0.0, 0.0], "right so far, but not for the last step, which goes "
              "down to 0: there the target is where the teacher ends."),
        _case((2, 1, 3, 3), [2.0, 0.5], [0.4, 0.2], "right for points, not for images (N, C, H, W):"
              " sigma has shape (N,), and needs three more dimensions of length 1."),
    ],
    TARGET_MISTAKES,
    result="x̂₀ for each example, like x",
    shapes=lambda x, end, sigma, lower: {
        (len(x), *x.shape[:1], *x.shape[1:]): "sigma (N,) is broadcast along the wrong dimension.",
        tuple(sigma.shape): "a prediction like x is needed, not one number an example.",
    },
    crashes={"must match the size": "sigma has shape (N,), and x more dimensions: add some of "
             "length 1 at the end."},
    not_finite="look at the division; lower may be 0.",
    praise="right: one step of the student to this target ends where the teacher's two end.",
)  # fmt: skip
