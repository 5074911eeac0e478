"""Answers to the exercises of notebook 03 that no table of mistakes has."""

import torch
from torch.distributions import Normal, kl_divergence

from course_utils.exercises.vae_latent_space import LOGVAR, MU, check_kl


def normal(mu, logvar):
    return Normal(mu, (0.5 * logvar).exp())


def drawn(noise, spread=lambda logvar: (0.5 * logvar).exp()):
    """A reparameterization with another noise, or another spread."""
    return lambda mu, logvar: mu + spread(logvar) * noise(mu)


RIGHT = {
    "kl": [lambda mu, logvar: kl_divergence(normal(mu, logvar), Normal(0, 1)).sum(1)],
    "reparameterise": [lambda mu, logvar: normal(mu, logvar).rsample()],
    "interpolate": [lambda a, b, n: torch.stack([a + i / (n - 1) * (b - a) for i in range(n)])],
}
WRONG = {
    "kl": [
        (lambda mu, logvar: check_kl.reference(mu, logvar).sum(), "whole batch"),
        (lambda mu, logvar: mu**2 - logvar, "sum over the latent dimensions"),
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
        (drawn(lambda mu: torch.randn(len(mu), 1)), "all dimensions of a code get the same noise"),
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
}
