"""Answers to the exercises of lesson 02c that no table of mistakes has."""

import torch
import torch.nn.functional as F

from course_utils import losses
from course_utils.exercises.autoencoder_variants import check_tied

tied = check_tied.reference


def jacobian(h, weight):
    return (h * (1 - h))[:, :, None] * weight


def by_torch(d, f, s):
    return F.conv_transpose1d(torch.ones(1, 1, d), torch.ones(1, 1, f), stride=s)[0, 0]


def covered(d, f, s):
    """Which kernel lies on which place, (d, places)."""
    starts, places = torch.arange(d) * s, torch.arange((d - 1) * s + f)
    return (starts[:, None] <= places) & (places < starts[:, None] + f)


RIGHT = {
    "tied": [
        lambda x, w, h, b: F.linear(F.linear(x, w, h).sigmoid(), w.T, b),
        lambda x, w, h, b: (w.T @ (w @ x.T + h[:, None]).sigmoid()).T + b,
    ],
    "contractive": [
        losses.contractive_penalty,
        lambda h, w: jacobian(h, w).flatten(1).norm(dim=1) ** 2,
    ],
    "kernel_contributions": [
        by_torch,
        lambda d, f, s: list(covered(d, f, s).sum(0)),
        lambda d, f, s: tuple(by_torch(d, f, s).tolist()),
    ],
}
WRONG = {
    "tied": [
        (lambda x, w, h, b: tied(x, w, h, b) + 1, "instead of"),
        (lambda x, w, h, b: w @ x + h, "weight (code, pixels)"),
        (lambda x, w, h, b: tied(x, w, h, b).detach(), "no gradient"),
        (lambda x, w, h, b: (x @ w.T + h).sigmoid() @ w.detach() + b, "for `weight`"),
    ],
    "contractive": [
        (lambda h, w: jacobian(h, w).square().sum(), "one number an image"),
        (lambda h, w: jacobian(h, w).square().sum(2), "sum over the units, too"),
        (lambda h, w: jacobian(h, w).square().sum(1), "sum over the pixels, too"),
        (jacobian, "entries of the Jacobian"),
    ],
    "kernel_contributions": [
        (lambda d, f, s: by_torch(d, f, s)[: d * s], "shape (14,) and should have (17,)"),
        (lambda d, f, s: [f] * d, "one number an input"),
        (covered, "sum over the kernels, dim=0"),
        (lambda d, f, s: covered(d, f, s).T.tolist(), "sum over the kernels, dim=1"),
        (lambda d, f, s: by_torch(d, f, s) / 2, "on place 0, counted from 0, you say 0.5"),
        (lambda d, f, s: by_torch(d, max(f, s), s), "for d = 5, f = 2 and s = 4"),
    ],
}
