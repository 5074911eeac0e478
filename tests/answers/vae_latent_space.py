"""Answers to the exercises of notebook 03 that no table of mistakes has."""

import torch
from torch.distributions import Normal, kl_divergence

from course_utils.exercises.vae_latent_space import LOGVAR, MU, check_kl


def normal(mu, logvar):
    return Normal(mu, (0.5 * logvar).exp())


def drawn(noise, spread=lambda logvar: (0.5 * logvar).exp()):
    """A reparameterisation with another noise, or another spread."""
    return lambda mu, logvar: mu + spread(logvar) * noise(mu)


RIGHT = {
    "kl": [lambda mu, logvar: kl_divergence(normal(mu, logvar), Normal(0, 1)).sum(1)],
    "reparameterise": [lambda mu, logvar: normal(mu, logvar).rsample()],
    "interpolate": [lambda a, b, n: torch.stack([a + i / (n - 1) * (b - a) for i in range(n)])],
    "active_units": [lambda mu: sum(column.std() > 0.1 for column in mu.T)],
    "importance_weighted": [lambda w: (w - w.amax()).exp().mean(1).log() + w.amax()],
}
WRONG = {
    "kl": [
        (lambda mu, logvar: check_kl.reference(mu, logvar).sum(), "whole batch"),
        (lambda mu, logvar: mu**2 - logvar, "sum over the latent numbers"),
        (lambda mu, logvar: (mu**2).sum(1), "term by term"),
        (lambda mu, logvar: mu.sum(0), "shape"),
        (lambda mu, logvar: (mu / 0).sum(1), "finite"),
        (lambda mu, logvar: mu @ logvar, "RuntimeError"),
        (lambda mu, logvar: check_kl.reference(MU, LOGVAR), "wrong for another"),
    ],
    "reparameterise": [
        (lambda mu, logvar: mu, "same code"),
        (lambda mu, logvar: mu + torch.randn_like(mu), "logvar"),
        (drawn(torch.randn_like, torch.exp), "spread is the variance"),
        (drawn(torch.randn_like, lambda logvar: logvar), "σ = exp"),
        (drawn(lambda mu: torch.rand_like(mu) - 0.5), "uniform"),
        (drawn(torch.rand_like), "mean"),
        (drawn(lambda mu: torch.randn(1, 2)), "every image gets the same noise"),
        (drawn(lambda mu: torch.randn(len(mu), 1)), "all numbers of a code get the same noise"),
        (drawn(lambda mu: torch.randn_like(mu).sign()), "not normal"),
        (lambda mu, logvar: drawn(torch.randn_like)(mu, logvar).detach(), "no gradient"),
        (
            lambda mu, logvar: torch.normal(mu, (0.5 * logvar).exp()),
            "no gradient reaches mu",
        ),
    ],
    "interpolate": [
        (lambda a, b, n: a.lerp(b, torch.linspace(0, 1, n)[:, None] ** 2), "half of each"),
        (lambda a, b, n: a.lerp(b, torch.linspace(0, 1, n)[:, None]).T, "one row a step"),
    ],
    "active_units": [
        (lambda mu: mu.var(0) > 0.01, "not a tensor of shape"),
        (lambda mu: 100, "100 units of 7"),
        (lambda mu: 3, "3 are counted instead of 1"),
    ],
    "importance_weighted": [
        (lambda w: w.exp().mean(1).log(), "logsumexp"),
        (lambda w: w.amax(1), "log of the mean"),
        (lambda w: w.logsumexp(0), "shape"),
    ],
}
