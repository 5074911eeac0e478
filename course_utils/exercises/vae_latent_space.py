"""Checks of the exercises of notebook 03, the latent space of a VAE."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..losses import gaussian_kl
from ..metrics import active_units
from .checking import (
    Wrong,
    as_count,
    ask,
    ask_tensor,
    check,
    explanation,
    near,
)

EXAMPLES, NUMBERS = 5, 3


def _posteriors() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    mu = torch.randn(EXAMPLES, NUMBERS, generator=generator)
    logvar = torch.randn(EXAMPLES, NUMBERS, generator=generator)
    return mu, logvar


def check_kl(answer) -> None:
    """Exercise 1: `kl(mu, logvar) -> (N,)`."""
    check("Exercise 1, the KL term", answer, _examine_kl)


def _examine_kl(answer) -> str:
    mu, logvar = _posteriors()
    right = gaussian_kl(mu, logvar)
    per_number = 0.5 * (logvar.exp() - logvar - 1 + mu.square())
    kl = ask(answer, mu, logvar)
    if isinstance(kl, Tensor) and kl.shape == (EXAMPLES, NUMBERS):
        raise Wrong("that is one number a latent number; sum over the latent numbers, dim=1.")
    if isinstance(kl, Tensor) and kl.dim() == 0:
        raise Wrong("that is one number for the whole batch; keep one for each image.")
    kl = ask_tensor(answer, mu, logvar, shape=(EXAMPLES,), meaning="one number an image")
    mistakes = {
        "the sign is turned round: a KL is never negative.": -right,
        "twice too large: look for the ½.": 2 * right,
        "the latent numbers are averaged; the slide sums them.": per_number.mean(1),
        "V(z) is the variance, so it is exp(logvar), not logvar itself.": 0.5
        * (logvar - torch.log(logvar.abs()) - 1 + mu.square()).sum(1),
        "logvar is the log of the variance already; do not halve it inside exp.": 0.5
        * ((0.5 * logvar).exp() - 0.5 * logvar - 1 + mu.square()).sum(1),
        "the mean enters as E(z)², squared.": 0.5 * (logvar.exp() - logvar - 1 + mu).sum(1),
        "the -1 is missing: the KL of the prior with itself must be 0.": 0.5
        * (logvar.exp() - logvar + mu.square()).sum(1),
    }
    if near(kl, right):
        once_more = ask_tensor(answer, 2 * mu, logvar, shape=(EXAMPLES,), meaning="one an image")
        if not near(once_more, gaussian_kl(2 * mu, logvar)):
            raise Wrong("right for one set of posteriors and wrong for another.")
        return "right: 0 for the prior, and never negative."
    if hint := explanation(kl, mistakes.items()):
        raise Wrong(hint)
    zero = ask_tensor(
        answer, torch.zeros(1, 2), torch.zeros(1, 2), shape=(1,), meaning="one number per image"
    )
    if not near(zero, torch.zeros(1)):
        raise Wrong(f"for μ = 0 and σ = 1 it gives {zero.item():.3g}; it must be 0 there.")
    raise Wrong(
        f"0 at the prior, but for μ = {mu[0, 0]:.2f} … it gives {kl[0]:.3f} instead of "
        f"{right[0]:.3f}; compare term by term with the formula of section 3."
    )


def check_reparameterise(answer) -> None:
    """Exercise 2: `reparameterise(mu, logvar) -> z`, differentiable."""
    check("Exercise 2, the reparameterisation trick", answer, _examine_reparameterise)


def _examine_reparameterise(answer) -> str:
    count = 20_000
    mu = torch.tensor([[1.0, -2.0]]).repeat(count, 1).requires_grad_()
    logvar = torch.tensor([[math.log(4.0), math.log(0.25)]]).repeat(count, 1).requires_grad_()
    z = ask_tensor(answer, mu, logvar, shape=(count, 2), meaning="one code an image")
    again = ask_tensor(answer, mu, logvar, shape=(count, 2), meaning="one code an image")
    if torch.equal(z, again):
        raise Wrong("two calls give the same code; draw new noise each time, torch.randn_like.")
    noise = (z.detach() - mu.detach()) / (0.5 * logvar.detach()).exp()
    # All are compared: two of them may well agree by chance where ε has few values, like a sign.
    if near(noise, noise[:1].expand_as(noise)):
        raise Wrong("every image gets the same noise; draw one number for each entry of mu.")
    if near(noise, noise[:, :1].expand_as(noise)):
        raise Wrong("all numbers of a code get the same noise; draw one for each entry of mu, "
                    "torch.randn_like(mu).")  # fmt: skip
    if z.grad_fn is None:
        raise Wrong("no gradient can flow back from z; keep torch.no_grad and .detach out of it.")
    for what, tensor in {"mu": mu, "logvar": logvar}.items():
        gradient = torch.autograd.grad(z.sum(), tensor, retain_graph=True, allow_unused=True)[0]
        if gradient is None or not gradient.any():
            raise Wrong(f"no gradient reaches {what}; z must be computed from it: μ + σ·ε.")
    mean, spread = z.detach().mean(0), z.detach().std(0)
    if not torch.allclose(mean, torch.tensor([1.0, -2.0]), atol=0.08):
        raise Wrong(f"the codes have mean {mean[0]:.2f} where mu is 1; ε must have mean 0.")
    if torch.allclose(spread, torch.tensor([4.0, 0.25]), rtol=0.1):
        raise Wrong("the spread is the variance; the noise is multiplied by σ = exp(½ logvar).")
    if torch.allclose(spread, torch.tensor([2.0, 0.5]) / math.sqrt(12), rtol=0.1):
        raise Wrong("the noise is uniform (torch.rand); it must be normal, torch.randn.")
    if torch.allclose(spread, torch.tensor([2.0, 0.5]), rtol=0.05):
        tail = (noise.abs() > 2).float().mean()
        if not 0.03 < tail < 0.06:
            raise Wrong("mean and spread are right, but ε is not normal; use torch.randn_like.")
    else:
        raise Wrong(
            f"for σ = 2 and ½ the codes have standard deviations {spread[0]:.2f} and "
            f"{spread[1]:.2f}; σ = exp(½ logvar)."
        )
    return "right: the mean, the spread and the way back for the gradient."


def check_interpolate(answer) -> None:
    """Exercise 3: `interpolate(start, end, steps) -> (steps, d)`."""
    check("Exercise 3, a walk between two codes", answer, _examine_interpolate)


def _examine_interpolate(answer) -> str:
    start, end = torch.tensor([0.0, 2.0, -1.0]), torch.tensor([4.0, -2.0, 1.0])
    walk = ask_tensor(
        answer, start, end, 5, shape=(5, 3), meaning="one row a step, one column a latent number"
    )
    if near(walk[0], end) and near(walk[-1], start):
        raise Wrong("it walks from the end to the start; at weight 0 there is `start`.")
    if not near(walk[0], start) or not near(walk[-1], end):
        raise Wrong("the first row must be `start` and the last row `end`, both included.")
    if not near(walk[2], (start + end) / 2):
        raise Wrong("the middle row must be half of each; are the steps equal?")
    if not near(walk.diff(dim=0), (end - start).expand(4, 3) / 4):
        raise Wrong("the steps must all be equal: torch.linspace(0, 1, steps).")
    return "right: both ends, equal steps."


def check_active_units(answer) -> None:
    """Exercise 4: `count_active(mu) -> int`."""
    check("Exercise 4, active units", answer, _examine_active_units)


def _examine_active_units(answer) -> str:
    scales = [[1.0, 0.5, 0.05, 0.02, 0.0, 0.2, 0.03], [0.0, 0.3, 0.02, 0.03, 0.01]]
    for seed, scale in enumerate(scales):
        generator = torch.Generator().manual_seed(seed)
        offset = torch.tensor([1.0, 3.0, 2.0, 1.0, 5.0, 1.0, 1.0])[: len(scale)]
        mu = torch.randn(500, len(scale), generator=generator) * torch.tensor(scale) + offset
        _compare_active_units(answer, mu)
    return "right: a unit is active when its mean moves with the image."


def _compare_active_units(answer, mu: Tensor) -> None:
    right = int(active_units(mu).sum())
    count = as_count(ask(answer, mu))
    if count == right:
        return
    mistakes = {  # where two give the same number, the later one is said
        mu.shape[1] - right: "that is the number of units that are asleep.",
        int((mu.std(0) > 0.01).sum()): "the threshold is on the variance, not the deviation.",
        int((mu.mean(0).abs() > 0.01).sum()): "a large mean is not activity: take the variance "
        "over images, dim=0.",
        int((mu.var(1) > 0.01).sum()): "the variance is over images (dim=0), not over units.",
    }
    raise Wrong(
        mistakes.get(
            count,
            f"{count} units of {mu.shape[1]} is not the number of latent numbers whose mean has "
            "a variance above 0.01 over the images.",
        )
    )


def check_importance_weighted(answer) -> None:
    """Exercise 5: `importance_weighted(log_weights) -> (N,)` from (N, k) log weights."""
    check("Exercise 5, a tighter bound", answer, _examine_importance_weighted)


def _examine_importance_weighted(answer) -> str:
    draws = 64
    log_weights = torch.randn(EXAMPLES, draws, generator=torch.Generator().manual_seed(5)) * 2
    right = log_weights.logsumexp(1) - math.log(draws)
    bound = ask_tensor(
        answer, log_weights, shape=(EXAMPLES,), meaning="one bound an image, over its draws"
    )
    mistakes = {
        "that is the plain bound, the mean of the logs; the mean goes inside the log.": (
            log_weights.mean(1)
        ),
        "the 1/k is missing: subtract log k.": log_weights.logsumexp(1),
        "the sign is turned round: it must lie above the plain bound.": -right,
    }
    if not near(bound, right):
        raise Wrong(
            explanation(bound, mistakes.items())
            or f"{bound[0]:.3f} instead of {right[0]:.3f} for the first image: "
            "log of the mean over the draws of exp(log weight)."
        )
    small = ask(answer, log_weights - 500)
    if not isinstance(small, Tensor) or not small.isfinite().all():
        raise Wrong(
            "right for small numbers, but real log weights are near -500 and exp of that is 0; "
            "use torch.logsumexp, which takes the largest out first."
        )
    return "right, also where exp alone would underflow."
