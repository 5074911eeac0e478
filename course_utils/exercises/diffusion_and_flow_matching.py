"""Checks of the exercises of notebook 08, diffusion and flow matching."""

from __future__ import annotations

import torch
from torch import Tensor

from .checking import random_tensor
from .exercise import Case, Exercise

# 1. Noised


def _mixed(kept: Tensor, x0: Tensor, noise: Tensor) -> Tensor:
    return kept.sqrt() * x0 + (1 - kept).sqrt() * noise


def _kept(beta: Tensor, t: int) -> Tensor:
    """ᾱ_t, where β_1 is beta[0]."""
    return (1 - beta[:t]).prod()


def _points(t: int, seed: int) -> tuple[Tensor, Tensor, Tensor, int]:
    """x0 (5, 2), noise (5, 2), beta (6,) and t."""
    beta = torch.tensor([0.05, 0.1, 0.15, 0.3, 0.2, 0.4])
    return random_tensor(5, 2, seed=seed), random_tensor(5, 2, seed=seed + 9), beta, t


check_noised = Exercise(
    "Exercise 1, noised",
    lambda x0, noise, beta, t: _mixed(_kept(beta, t), x0, noise),
    cases=[
        Case(_points(4, seed=1)),
        Case(_points(6, seed=2)),
        Case(_points(0, seed=3), "for t = 0 there is no noise yet, and x_0 itself comes back; the "
             "product over no steps is 1."),
    ],
    mistakes=[
        (lambda x0, e, b, t: _mixed(1 - b[t - 1], x0, e), "that is a single step, with α_t; ᾱ_t is "
         "the product of α_1 to α_t."),
        (lambda x0, e, b, t: _mixed(_kept(b, t - 1), x0, e), "a step is missing: β_1 is beta[0], "
         "so the first t are beta[:t]."),
        (lambda x0, e, b, t: _mixed(_kept(b, t + 1), x0, e), "a step too many: β_1 is beta[0], so "
         "the first t are beta[:t]."),
        (lambda x0, e, b, t: _mixed(_kept(b, len(b)), x0, e), "that is x_T, the product over all "
         "steps; take the first t."),
        (lambda x0, e, b, t: _mixed(1 - b[:t].sum(), x0, e), "that is 1 minus the sum of β; the "
         "parts that are left multiply: the product of 1 - β."),
        (lambda x0, e, b, t: _mixed(b[:t].prod(), x0, e), "that is the product of β; α is 1 - β."),
        (lambda x0, e, b, t: _kept(b, t) * x0 + (1 - _kept(b, t)) * e, "ᾱ and 1 - ᾱ are parts of "
         "the variance; the factors are their roots."),
        (lambda x0, e, b, t: _kept(b, t).sqrt() * x0 + (1 - _kept(b, t)) * e, "1 - ᾱ is the "
         "variance of the noise; its factor is the root."),
        (lambda x0, e, b, t: _kept(b, t) * x0 + (1 - _kept(b, t)).sqrt() * e, "the factor of x_0 "
         "is the root of ᾱ."),
        (lambda x0, e, b, t: _mixed(1 - _kept(b, t), x0, e), "the factors are swapped: √ᾱ belongs "
         "to x_0, which is nearly whole at first."),
        (lambda x0, e, b, t: x0 + (1 - _kept(b, t)).sqrt() * e, "x_0 has to shrink by √ᾱ, or the "
         "variance would grow beyond 1."),
        (lambda x0, e, b, t: _kept(b, t).sqrt() * x0, "the noise is missing."),
    ],
    result="one point for each row of x0",
    praise="right: t steps in one, with the product of what each step keeps.",
)  # fmt: skip


# 2. A step of DDIM


def _estimate(x_t: Tensor, noise: Tensor, kept: Tensor) -> Tensor:
    return (x_t - (1 - kept).sqrt() * noise) / kept.sqrt()


def _step(seed: int, kept: float, next_kept: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x_t and noise (4, 3), ᾱ_t and ᾱ_s."""
    points = random_tensor(4, 3, seed=seed), random_tensor(4, 3, seed=seed + 9)
    return *points, torch.tensor(kept), torch.tensor(next_kept)


check_ddim_step = Exercise(
    "Exercise 2, a step of DDIM",
    lambda x_t, noise, kept_t, kept_s: _mixed(kept_s, _estimate(x_t, noise, kept_t), noise),
    cases=[
        Case(_step(1, 0.3, 0.6)),
        Case(_step(2, 0.01, 0.9)),
        Case(_step(3, 0.9, 1.0), "at the last step ᾱ_s is 1 and x_s is the estimate of x_0."),
    ],
    mistakes=[
        (lambda x, e, t, s: _estimate(x, e, t), "that is the estimate of x_0; put as much noise "
         "back as time s has."),
        (lambda x, e, t, s: s.sqrt() * _estimate(x, e, t), "the noise of time s is missing: "
         "√(1 - ᾱ_s) times the same ε."),
        (lambda x, e, t, s: s.sqrt() * _estimate(x, e, t) + (1 - t).sqrt() * e, "the noise that is "
         "put back is that of time t; x_s has √(1 - ᾱ_s) of it."),
        (lambda x, e, t, s: t.sqrt() * _estimate(x, e, t) + (1 - s).sqrt() * e, "the estimate "
         "shrinks by √ᾱ_s, not by √ᾱ_t."),
        (lambda x, e, t, s: _mixed(t, _estimate(x, e, s), e), "t and s are swapped: ᾱ_t belongs to "
         "x_t, where the step begins."),
        (lambda x, e, t, s: _mixed(s, x - (1 - t).sqrt() * e, e), "the estimate of x_0 is not "
         "divided by √ᾱ_t: x_t held x_0 shrunk by it."),
        (lambda x, e, t, s: _mixed(s, (x - (1 - t).sqrt() * e) / t, e), "the estimate is divided "
         "by ᾱ_t; x_0 was shrunk by its root."),
        (lambda x, e, t, s: _mixed(s, (x - (1 - t) * e) / t.sqrt(), e), "1 - ᾱ_t is the variance "
         "of the noise; subtract its root times ε."),
        (lambda x, e, t, s: _mixed(s, (x + (1 - t).sqrt() * e) / t.sqrt(), e), "the noise has to "
         "be subtracted from x_t."),
        (lambda x, e, t, s: _mixed(s, x, e), "that adds noise to x_t; estimate x_0 from it first."),
        (lambda x, e, t, s: x, "x_t came back unchanged."),
    ],
    result="one row for each of x_t",
    praise="right: to the estimate of x_0 and back to time s, with the same ε. No noise is drawn.",
)  # fmt: skip


# 3. The end of a straight path


def _velocities(n: int, d: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """v and x_t (n, d), t (n,)."""
    t = 0.1 + 0.8 * torch.arange(n) / n
    return random_tensor(n, d, seed=seed), random_tensor(n, d, seed=seed + 9), t


ONE_A_ROW = "t is one number for each row: t[:, None]."
check_estimate_from_velocity = Exercise(
    "Exercise 3, the end of a straight path",
    lambda v, x_t, t: x_t - t[:, None] * v,
    cases=[
        Case(_velocities(5, 2, seed=1)),
        Case(_velocities(3, 3, seed=2), "with as many rows as columns it is wrong: " + ONE_A_ROW),
        Case((*_velocities(2, 3, seed=3)[:2], torch.tensor([0.0, 1.0]))),
    ],
    mistakes=[
        (lambda v, x, t: x + t[:, None] * v, "the velocity points from the data to the noise; the "
         "data lie the other way."),
        (lambda v, x, t: x - (1 - t[:, None]) * v, "at time t the way back to the data is t long, "
         "not 1 - t."),
        (lambda v, x, t: x + (1 - t[:, None]) * v, "that is the other end of the path, the noise."),
        (lambda v, x, t: x - v, "that goes back a whole unit of time; only t has gone by."),
        (lambda v, x, t: (x - t[:, None] * v) / (1 - t[:, None]), "no division: x_t - t v is x_0 "
         "already."),
        (lambda v, x, t: (1 - t[:, None]) * x - t[:, None] * v, "x_t itself is not weighted: what "
         "is left when t v is taken away is x_0."),
        (lambda v, x, t: x - t[:, None].sqrt() * v, "no root: x_t moves along a line at constant "
         "velocity."),
        (lambda v, x, t: -t[:, None] * v, "that is the way back; begin it at x_t."),
        (lambda v, x, t: x, "x_t came back unchanged."),
    ],
    crashes={"must match the size": ONE_A_ROW},
    result="one point for each row of x_t",
    praise="right: back along the line for a time t.",
)  # fmt: skip
