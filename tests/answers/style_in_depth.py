"""Answers to the exercises of lesson 01b that no table of mistakes has."""

import torch

from course_utils import losses
from course_utils.exercises.style_in_depth import (
    _covariance,
    check_sliced_wasserstein,
    check_total_variation,
)

total_variation = check_total_variation.reference
sliced = check_sliced_wasserstein.reference


def by_einsum(features):
    centred = features - features.mean((2, 3), keepdim=True)
    return torch.einsum("nahw,nbhw->nab", centred, centred) / features[0, 0].numel()


def difference(features):
    mean = features.mean((2, 3))
    return losses.gram_matrix(features) - mean[:, :, None] * mean[:, None, :]


def by_pads(x):
    down = torch.nn.functional.pad(x.diff(dim=2), (0, 0, 0, 1))
    across = torch.nn.functional.pad(x.diff(dim=3), (0, 1))
    return torch.hypot(down, across).sum((1, 2, 3))


def one_by_one(x, y, theta):
    """A direction after the other."""
    found = [((x @ one).sort().values - (y @ one).sort().values).square().mean() for one in theta]
    return torch.stack(found).mean()


RIGHT = {
    "covariance": [
        by_einsum,
        difference,
        lambda f: torch.stack([one.flatten(1).cov(correction=0) for one in f]),
    ],
    "total_variation": [by_pads],
    "sliced_wasserstein": [
        one_by_one,
        lambda x, y, theta: ((x @ theta.T).sort(0)[0] - (y @ theta.T).sort(0)[0]).pow(2).mean(),
    ],
}
WRONG = {
    "covariance": [
        (lambda f: _covariance(f) + 1, "instead of"),
        (lambda f: f.var((2, 3), correction=0), "variances alone"),
        (lambda f: _covariance(f).mean(0), "one for each image"),
        (lambda f: f @ f.mT, "shape"),
    ],
    "total_variation": [
        (lambda x: total_variation(x) + 1, "instead of"),
        (lambda x: total_variation(x).sum(), "one number for the batch"),
    ],
    "sliced_wasserstein": [
        (lambda x, y, theta: sliced(x, y, theta) + 1, "instead of"),
        (lambda x, y, theta: (theta @ (x - y).T).square().mean(1), "one number a direction"),
        (lambda x, y, theta: x @ theta, "(k, d)"),
    ],
}
