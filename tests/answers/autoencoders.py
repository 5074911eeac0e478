"""Answers to the exercises of lesson 02 that no table of mistakes has."""

import math

import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, kl_divergence

from course_utils import losses
from course_utils.data import corruption
from course_utils.exercises.autoencoders import check_tied

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
    "sparsity": [
        losses.sparsity_kl,
        lambda h, rho: kl_divergence(Bernoulli(torch.tensor(rho)), Bernoulli(h.mean(0))).sum(),
    ],
    "mask": [
        corruption.mask,
        lambda x, share: x.masked_fill(torch.rand_like(x[:, :1]) < share, 0),
    ],
    "contractive": [
        losses.contractive_penalty,
        lambda h, w: jacobian(h, w).flatten(1).norm(dim=1) ** 2,
    ],
    "stamps": [
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
    "sparsity": [
        (lambda h, rho: h.mean(0) - rho, "one number a unit; sum"),
        (lambda h, rho: h.mean(1), "one number for the whole batch"),
        (lambda h, rho: losses.sparsity_kl(h, rho).item(), "without .item()"),
        (lambda h, rho: (h.mean(0) - rho).square().sum(), "term by term"),
        (lambda h, rho: h.mean() * 0 + math.inf, "finite"),
    ],
    "mask": [
        (lambda x, share: corruption.mask(x, 1 - share), "is kept; it should be dropped"),
        (lambda x, share: torch.manual_seed(0) and corruption.mask(x, share), "two calls"),
        (lambda x, share: x * (torch.rand(1, 1, *x.shape[2:]) >= share), "every image loses"),
        (lambda x, share: x * (torch.rand_like(x) >= share), "dropped separately"),
        (lambda x, share: x * (torch.rand_like(x[:, :1, :1]) >= share), "whole rows"),
        (lambda x, share: x * (torch.rand_like(x[:, :1, :, :1]) >= share), "whole rows"),
        (F.dropout, "scaled up"),
        (lambda x, share: x.mul_(torch.rand_like(x[:, :1]) >= share), "changes `x` itself"),
        (corruption.salt_and_pepper, "must become 0"),
        (corruption.gaussian, "add nothing"),
        (lambda x, share: x, "no pixel is 0"),
        (lambda x, share: x * 0, "every pixel is 0"),
        (lambda x, share: corruption.mask(x, 0.3), "for share = 0.8 it drops 30 %"),
        (lambda x, share: torch.rand_like(x[:, :1]) >= share, "that is the mask"),
        (lambda x, share: x.flatten(1), "return images of the same shape"),
    ],
    "contractive": [
        (lambda h, w: jacobian(h, w).square().sum(), "one number an image"),
        (lambda h, w: jacobian(h, w).square().sum(2), "sum over the units, too"),
        (lambda h, w: jacobian(h, w).square().sum(1), "sum over the pixels, too"),
        (jacobian, "entries of the Jacobian"),
    ],
    "stamps": [
        (lambda d, f, s: by_torch(d, f, s)[: d * s], "shape (14,) and should have (17,)"),
        (lambda d, f, s: [f] * d, "one number an input"),
        (covered, "sum over the kernels, dim=0"),
        (lambda d, f, s: covered(d, f, s).T.tolist(), "sum over the kernels, dim=1"),
        (lambda d, f, s: by_torch(d, f, s) / 2, "on place 0, counted from 0, you say 0.5"),
        (lambda d, f, s: by_torch(d, max(f, s), s), "for d = 5, f = 2 and s = 4"),
    ],
}
