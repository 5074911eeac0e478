"""Checks of the exercises of notebook 03, the latent space of a VAE."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..losses import gaussian_kl
from .checking import ask_tensor, check, near, random_tensor
from .exercise import Case, Exercise, refuse, slope_of

MU, LOGVAR = random_tensor(5, 3, seed=3), random_tensor(5, 3, seed=4)
check_kl = Exercise(
    "Exercise 1, the KL term",
    gaussian_kl,
    [
        Case((MU, LOGVAR)),
        Case((2 * MU, LOGVAR), but="right for one set of posteriors and wrong for another."),
    ],
    [
        (lambda m, v: -gaussian_kl(m, v), "the sign is turned round: a KL is never negative."),
        (lambda m, v: 2 * gaussian_kl(m, v), "twice too large: look for the ½."),
        (lambda m, v: gaussian_kl(m, v) / 3, "the dimensions are averaged; the slide sums them."),
        (lambda m, v: (v - v.abs().log() - 1 + m**2).sum(1) / 2, "V(z) is the variance, so it is "
         "exp(logvar), not logvar itself."),
        (lambda m, v: gaussian_kl(m, v / 2), "logvar is a log of the variance; do not halve it."),
        (lambda m, v: gaussian_kl(m, v) + (m - m**2).sum(1) / 2, "the mean is squared: E(z)²."),
        (lambda m, v: gaussian_kl(m, v) + 3 / 2, "the -1 is missing: of the prior it must be 0."),
    ],
    result="one number an image, 0 at the prior; compare term by term with section 4",
    shapes=lambda mu, logvar: {
        (): "that is one number for the whole batch; keep one for each image.",
        mu.shape: "that is one a dimension of each image; sum over the latent dimensions, dim=1.",
    },
    praise="right: 0 for the prior, and never negative.",
)  # fmt: skip


def check_reparameterise(answer) -> None:
    """Exercise 2: `reparameterise(mu, logvar) -> z`, differentiable."""
    check("Exercise 2, the reparameterization", answer, _examine_reparameterise)


@torch.random.fork_rng(devices=[])
def _examine_reparameterise(answer) -> str:
    torch.manual_seed(0)
    sigma = torch.tensor([2.0, 0.5])
    mu = torch.tensor([[1.0, -2.0]]).repeat(20_000, 1).requires_grad_()
    logvar = (2 * sigma.log()).repeat(20_000, 1).requires_grad_()
    z, again = (
        ask_tensor(
            answer,
            mu,
            logvar,
            shape=(20_000, 2),
            meaning="one latent code an image",
            names=("mu", "logvar"),
        )  # fmt: skip
        for _ in range(2)
    )
    noise = (z - mu).detach() / sigma
    of_all, of_one = noise[:1].expand_as(noise), noise[:, :1].expand_as(noise)
    one_each = "; draw one number for each entry of mu, torch.randn_like(mu)."
    refuse(
        (torch.equal(z, again), "two calls give the same code; draw new noise each time."),
        (near(noise, of_all), "every image gets the same noise" + one_each),
        (near(noise, of_one), "all dimensions of a code get the same noise" + one_each),
        (z.grad_fn is None, "no gradient can flow back from z; leave out no_grad and .detach."),
    )
    to_mu, to_logvar = (slope_of(z.sum(), leaf) for leaf in (mu, logvar))
    mean, std = z.detach().mean(0), z.detach().std(0)
    tail = (noise.abs() > 2).float().mean()  # 0.046 of a normal distribution
    refuse(
        (not to_mu.any(), "no gradient reaches mu; compute z from it: μ + σ·ε."),
        (not to_logvar.any(), "no gradient reaches logvar; compute z from it: μ + σ·ε."),
        (not near(mean, mu[0], 0.04), f"the mean is {mean[0]:.2f} where mu is 1; that of ε is 0."),
        (near(std, sigma**2, 0.05), "the spread is the variance; multiply ε by exp(½ logvar)."),
        (near(std, sigma / math.sqrt(12), 0.05), "the noise is uniform; it must be normal, randn."),
        (not near(std, sigma, 0.03), f"for σ = 2 and ½ the codes have standard deviations "
         f"{std[0]:.2f} and {std[1]:.2f}; σ = exp(½ logvar)."),
        (not 0.03 < tail < 0.06, "mean and spread are right, but ε is not normal; use randn_like."),
    )  # fmt: skip
    return "right: the mean, the spread and the way back for the gradient."


def _between(start: Tensor, end: Tensor, weights: Tensor) -> Tensor:
    return torch.lerp(start, end, weights[:, None])


check_interpolate = Exercise(
    "Exercise 3, interpolation",
    lambda start, end, steps: _between(start, end, torch.linspace(0, 1, steps)),
    [
        Case((torch.tensor([0.0, 2.0, -1.0]), torch.tensor([4.0, -2.0, 1.0]), 5)),
        Case((random_tensor(2, seed=1), random_tensor(2, seed=2), 4)),
    ],
    [
        (lambda a, b, n: _between(b, a, torch.linspace(0, 1, n)), "it runs from the end to the "
         "start; at weight 0 there is `start`."),
        (lambda a, b, n: _between(a, b, torch.arange(n) / n), "the last row is `end`, both are "
         "included: n codes have n - 1 intervals between them."),
    ],
    result="one row a step, one column a latent dimension",
    explain=lambda *given: "the first row must be `start`, the last `end`, and all steps equal, so "
    "that the middle is half of each: torch.linspace(0, 1, steps).",
    praise="right: both ends, equal steps.",
)  # fmt: skip
