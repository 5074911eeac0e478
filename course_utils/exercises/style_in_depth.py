"""Exercises of lesson 01b, style transfer in depth."""

import torch
from torch import Tensor

from .checking import random_tensor
from .exercise import Case, Exercise

# 1. The covariance of feature maps


def _covariance(features: Tensor) -> Tensor:
    flat = features.flatten(2)
    flat = flat - flat.mean(2, keepdim=True)
    return flat @ flat.mT / flat.shape[2]


def _centred(features, mean, count=None):
    flat = features.flatten(2) - mean
    return flat @ flat.mT / (count or flat.shape[2])


SHIFTED = random_tensor(2, 3, 4, 5, seed=1) + torch.tensor([1.0, -0.5, 2.0])[:, None, None]
check_covariance = Exercise(
    "Exercise 1, covariance of feature maps",
    _covariance,
    [Case((SHIFTED,)), Case((SHIFTED[:1, :2, :1],)), Case((SHIFTED[..., :3].abs() + 1,))],
    [
        (lambda f: _centred(f, 0), "that is the Gram matrix; subtract the mean of every channel "
         "first."),
        (lambda f: _centred(f, f.flatten(2).mean(1, keepdim=True)), "the mean over the channels "
         "is subtracted; each channel has its own mean, over its positions."),
        (lambda f: _centred(f, f.mean((0, 2, 3))[:, None]), "the images of the batch share their "
         "means; average over the positions alone, dim=(2, 3)."),
        (lambda f: _centred(f, f.mean((1, 2, 3))[:, None, None]), "all channels share one mean; "
         "each has its own, over its positions."),
        (lambda f: _centred(f, f.flatten(2).mean(2, keepdim=True), 1), "it is summed over the "
         "positions; divide by their number M."),
        (lambda f: _centred(f, f.flatten(2).mean(2, keepdim=True), f[0, 0].numel() - 1), "divided "
         "by M - 1; G and m mᵀ are divided by M, so C is as well."),
        (lambda f: _centred(f, f.flatten(2).mean(2, keepdim=True), f[0].numel()), "divided by the "
         "channels as well; only the positions are averaged."),
        (lambda f: _centred(f, 0) - f.flatten(2).mean(2, keepdim=True), "the mean is subtracted "
         "from G; what is subtracted is m mᵀ, the product of the means of two channels."),
        (lambda f: 2 * _centred(f, 0) - _covariance(f), "m mᵀ is added; C is G - m mᵀ."),
        (lambda f: f.flatten(2).mean(2, keepdim=True) @ f.flatten(2).mean(2, keepdim=True).mT,
         "that is m mᵀ alone; subtract it from the Gram matrix."),
    ],
    result="C_ij, one (C, C) matrix an image",
    shapes=lambda f: {
        f.shape[:2]: "those are the variances alone; keep the products of two channels, too.",
        (f.shape[1], f.shape[1]): "that is one matrix for the batch; return one for each image.",
    },
    crashes={"RuntimeError": "features is (N, C, h, w); flatten the positions first"},
    praise="right: which channels vary together, whatever their means.",
)  # fmt: skip

# 2. The total variation


def _steps(x: Tensor) -> tuple[Tensor, Tensor]:
    """Differences to the next pixel below and to the right, 0 at the last row and column."""
    down, across = torch.zeros_like(x), torch.zeros_like(x)
    down[:, :, :-1], across[..., :-1] = x.diff(dim=2), x.diff(dim=3)
    return down, across


def _length(x: Tensor) -> Tensor:
    down, across = _steps(x)
    return (down.square() + across.square()).sqrt()


def _total_variation(x: Tensor) -> Tensor:
    return _length(x).flatten(1).sum(1)


def _around(x: Tensor) -> Tensor:
    down, across = x.roll(-1, 2) - x, x.roll(-1, 3) - x
    return (down.square() + across.square()).sqrt().flatten(1).sum(1)


IMAGES = random_tensor(2, 3, 4, 5, seed=3).sigmoid()
check_total_variation = Exercise(
    "Exercise 2, the total variation",
    _total_variation,
    [Case((IMAGES,)), Case((IMAGES[:1, :1, :, :3],))],
    [
        (lambda x: _length(x).square().flatten(1).sum(1), "that is the squared variation; take the "
         "root at every pixel, before the sum."),
        (lambda x: _length(x).square().flatten(1).sum(1).sqrt(), "the root is taken after the sum; "
         "take it at every pixel."),
        (lambda x: sum(step.abs().flatten(1).sum(1) for step in _steps(x)), "that is Σ |Δh| + "
         "|Δw|, which depends on the direction of an edge; the length is √(Δh² + Δw²)."),
        (lambda x: sum(_steps(x)).abs().flatten(1).sum(1), "the two differences are added before "
         "they are squared; square each."),
        (lambda x: _length(x).flatten(1).mean(1), "averaged; sum over channels and pixels."),
        (lambda x: _length(x).mean(1).flatten(1).sum(1), "averaged over the channels; sum over "
         "them."),
        (lambda x: _length(x)[..., :-1, :-1].flatten(1).sum(1), "the last row and column are left "
         "out; there one of the two differences is 0, and the other one counts."),
        (_around, "the last pixel is compared with the first one; its difference to the next pixel "
         "is 0."),
        (lambda x: _steps(x)[0].abs().flatten(1).sum(1), "only the vertical differences "
         "are there."),
        (lambda x: _steps(x)[1].abs().flatten(1).sum(1), "only the horizontal differences are "
         "there."),
        (lambda x: sum(step.square() for step in _steps(x)).sum(1).sqrt().flatten(1).sum(1),
         "the channels share one root; here each has its own."),
    ],
    result="one number an image, Σ √(Δh² + Δw²)",
    shapes=lambda x: {(): "that is one number for the batch; return one for each image."},
    praise="right: a step costs its height, whether it is one edge or a ramp.",
)  # fmt: skip

# 3. The sliced Wasserstein distance


def _sliced(x: Tensor, y: Tensor, theta: Tensor) -> Tensor:
    a, b = ((theta @ each.T).sort(dim=1).values for each in (x, y))
    return (a - b).square().mean()


def _by(order):
    """The comparison, of projections in another order."""

    def wrong(x, y, theta):
        a, b = (order(theta @ each.T) for each in (x, y))
        return (a - b).square().mean()

    return wrong


def _projected(x, y, theta):
    a, b = ((theta @ each.T).sort(dim=1).values for each in (x, y))
    return a - b


POINTS = random_tensor(7, 4, seed=5), 1.5 * random_tensor(7, 4, seed=6) + 0.3
DIRECTIONS = torch.nn.functional.normalize(random_tensor(5, 4, seed=7), dim=1)
check_sliced_wasserstein = Exercise(
    "Exercise 3, sliced Wasserstein distance",
    _sliced,
    [Case((*POINTS, DIRECTIONS)), Case((POINTS[0], POINTS[0].flip(0) + 1, DIRECTIONS[:2]))],
    [
        (_by(lambda a: a), "the projections are not sorted, so the order of the points counts."),
        (_by(lambda a: a.sort(dim=0).values), "sorted over the directions; sort the points, for "
         "each direction."),
        (lambda x, y, theta: (theta @ (x.sort(0).values - y.sort(0).values).T).square().mean(),
         "the coordinates are sorted before they are projected; project first."),
        (lambda x, y, theta: (theta @ x.T).sort(1).values.sub(theta @ y.T).square().mean(), "only "
         "the projections of x are sorted."),
        (lambda x, y, theta: (theta @ y.T).sort(1).values.sub(theta @ x.T).square().mean(), "only "
         "the projections of y are sorted."),
        (lambda *given: _projected(*given).square().sum(), "summed; take the mean."),
        (lambda *given: _projected(*given).square().mean().sqrt(), "the root is taken; the result "
         "is SW²."),
        (lambda *given: _projected(*given).square().sum(1).mean(), "summed over the points; take "
         "the mean."),
        (lambda *given: _projected(*given).square().sum(0).mean(), "summed over the directions; "
         "take the mean."),
        (lambda *given: _projected(*given).abs().mean(), "the differences are squared."),
        (lambda *given: _projected(*given).mean().square(), "square each difference, then take the "
         "mean."),
        (lambda x, y, theta: (theta @ (x - y).T).mean(1).square().mean(), "only the means are "
         "compared; sort the projections and compare them in order."),
    ],
    result="one number, the mean over directions and points of the squared differences",
    shapes=lambda x, y, theta: {
        (len(theta),): "that is one number a direction; take the mean over the directions.",
        (len(theta), len(x)): "those are the differences; square them and take the mean.",
    },
    crashes={"RuntimeError": "x and y are (n, d), theta (k, d): the projections are theta @ x.T"},
    praise="right: two sorted lists a direction, and no network.",
)  # fmt: skip
