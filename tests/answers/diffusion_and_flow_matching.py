"""Answers to the exercises of lesson 08."""

import math

import torch


def noised(x0, noise, beta, t):
    kept = (1 - beta).cumprod(0)
    kept = torch.cat([torch.ones(1), kept])[t]
    return kept.sqrt() * x0 + (1 - kept).sqrt() * noise


def step_by_step(x0, noise, beta, t):
    """The factor of x_0 and the variance of the noise, carried through t steps."""
    factor, variance = 1.0, 0.0
    for each in beta[:t].tolist():
        factor *= math.sqrt(1 - each)
        variance = (1 - each) * variance + each
    return factor * x0 + math.sqrt(variance) * noise


def ddim_step(x_t, noise, kept_t, kept_s):
    """In one line: x_t, rescaled, and the noise that is too much."""
    ratio = (kept_s / kept_t).sqrt()
    return ratio * x_t + ((1 - kept_s).sqrt() - ratio * (1 - kept_t).sqrt()) * noise


RIGHT = {
    "noised": [
        noised,
        step_by_step,
        lambda x0, e, b, t: noised(x0.double(), e.double(), b, t),
    ],
    "ddim_step": [
        ddim_step,
        lambda x, e, t, s: s.sqrt() * (x - (1 - t).sqrt() * e) / t.sqrt() + (1 - s).sqrt() * e,
    ],
    "estimate_from_velocity": [
        lambda v, x, t: x - t.unsqueeze(1) * v,
        lambda v, x, t: x - (t * v.T).T,
        lambda v, x, t: torch.lerp(x, x - v, t[:, None]),
    ],
}
WRONG = {
    "noised": [
        (lambda x0, e, b, t: noised(x0, e, b, t) + 1, "instead of"),
        (lambda x0, e, b, t: noised(x0, e, b, max(t, 1)), "for t = 0 there is no noise yet"),
    ],
    "ddim_step": [
        (lambda x, e, t, s: ddim_step(x, e, t, s) * 2, "instead of"),
        (lambda x, e, t, s: ddim_step(x, e, t, s.clamp(max=0.99)), "at the last step"),
    ],
    "estimate_from_velocity": [
        (lambda v, x, t: x - t * v, "one number for each row"),
        (lambda v, x, t: x - 2 * t[:, None] * v, "instead of"),
        (
            lambda v, x, t: x - (t if x.shape[0] == x.shape[1] else t[:, None]) * v,
            "with as many rows as columns",
        ),
    ],
}
