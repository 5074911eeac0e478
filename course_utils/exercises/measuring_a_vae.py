"""Checks of the exercises of notebook 03b, measuring a VAE."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..metrics import active_units
from .checking import random_tensor
from .exercise import Case, Exercise


def _means(*stds: float) -> tuple[Tensor]:
    """Posterior means (500, d) with these standard deviations, some far from 0."""
    noise = torch.tensor(stds) * random_tensor(500, len(stds), seed=0)
    return (torch.arange(1, 1 + len(stds)) + noise,)


check_active_units = Exercise(
    "Exercise 1, active units",
    lambda mu: int(active_units(mu).sum()),
    [
        Case(_means(1.0, 0.5, 0.05, 0.02, 0.0, 0.2, 0.03)),
        Case(_means(0.0, 0.3, 0.02, 0.03, 0.01), but="right for 7 units, 3 of them active, but of "
             "5 others {found:g} are counted instead of {right:g}."),
    ],
    [
        (lambda mu: (mu.var(0) <= 0.01).sum(), "that is the number of inactive units."),
        (lambda mu: (mu.std(0) > 0.01).sum(), "the threshold is on the variance, not on its root."),
        (lambda mu: (mu.mean(0).abs() > 0.01).sum(), "a large mean is not activity: take var(0)."),
        (lambda mu: (mu.var(1) > 0.01).sum(), "the variance is over images, dim=0."),
    ],
    result="how many units are active, as a number",
    explain=lambda found, right, mu: f"{found:g} units of {mu.shape[1]} is not how many have a "
    "mean whose variance over the images is above 0.01.",
    praise="right: a unit is active when its mean moves with the image.",
)  # fmt: skip


LOG_WEIGHTS = 2 * random_tensor(5, 64, seed=5)
check_importance_weighted = Exercise(
    "Exercise 2, importance weighting",
    lambda log_weights: log_weights.logsumexp(1) - math.log(log_weights.shape[1]),
    [
        Case((LOG_WEIGHTS,)),
        Case((LOG_WEIGHTS - 500,), but="right for small numbers, but log weights of images can be "
             "near -500, where exp is 0; use torch.logsumexp, which takes the largest out first."),
    ],
    [
        (lambda w: w.mean(1), "that is the plain ELBO; the mean goes inside the log."),
        (lambda w: w.logsumexp(1), "the 1/k is missing: subtract log k."),
        (lambda w: math.log(64) - w.logsumexp(1), "the sign is turned round: subtract log k."),
    ],
    result="one estimate an image, the log of the mean over the draws of exp(log weight)",
    praise="right, also where exp alone would underflow.",
)  # fmt: skip


def _information(log_q: Tensor) -> float:
    return (log_q.diagonal() - log_q.logsumexp(1)).mean().item() + math.log(len(log_q))


def _densities(images: int, apart: float, seed: int, offset: float = 0.0) -> tuple[Tensor]:
    """log q(zₘ|xₙ) (images, images) of unit Gaussians on a line, each with one draw of its own."""
    mu = apart * torch.arange(images)
    z = mu + random_tensor(images, seed=seed)
    constant = 0.5 * math.log(2 * math.pi) - offset
    return (-0.5 * (z[:, None] - mu).square() - constant,)


OWN = "is the code's own image: log_q.diagonal()."
check_information = Exercise(
    "Exercise 3, the information in the codes",
    _information,
    [
        Case(_densities(6, 1.5, seed=1)),
        Case(_densities(9, 1.0, seed=2), but="right for 6 images; for 9 it is {found:.3g} instead "
             "of {right:.3g}."),
        Case(_densities(6, 1.5, seed=1, offset=-900), but="right, but where all densities are "
             "tiny it is {found:.3g} instead of {right:.3g}: take the mean of q with logsumexp."),
    ],
    [
        (lambda w: (w.diagonal() - w.logsumexp(1)).mean(), "too small by log N: log q(z) is the "
         "log of the mean over the images, logsumexp minus log N."),
        (lambda w: (w.diagonal() - w.mean(1)).mean(), "log q(z) is the log of the mean of the "
         "densities, not the mean of their logs."),
        (lambda w: (w.diagonal() - w.logsumexp(0) + math.log(len(w))).mean(), "row m is code m, "
         "and q(z) averages over the images: along a row, dim=1."),
        (lambda w: -_information(w), "the sign is turned round: information is never negative on "
         "average."),
        (lambda w: _information(w) / math.log(2), "those are bits; keep to nats."),
        (lambda w: w.diagonal().mean(), f"log q(z) is missing. The other term {OWN}"),
        (lambda w: (w.logsumexp(1) - math.log(len(w))).mean(), "that is log q(z) alone; log "
         f"q(z|x) {OWN}"),
        (lambda w: (w - w.logsumexp(1, keepdim=True)).mean() + math.log(len(w)), "of each row only "
         f"one entry {OWN}"),
        (lambda w: math.log(len(w)), "log N is only what it cannot exceed."),
    ],
    result="the mutual information of image and code, as one number in nats",
    shapes=lambda log_q: {(len(log_q),): "that is one number for each code; average them."},
    praise="right: between 0, where no code tells its image, and log N, where every one does.",
)  # fmt: skip
