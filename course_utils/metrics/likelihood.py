"""How likely a latent variable model finds an image: the ELBO and its relatives."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .. import losses


def binarise(images: Tensor, seed: int = 0) -> Tensor:
    """Draw each pixel black or white with its grey value as the probability.

    The stochastic binarisation of Salakhutdinov and Murray (2008), with a seed of its own so
    that a test set stays the same test set.
    """
    numbers = torch.rand(images.shape, generator=torch.Generator().manual_seed(seed))
    return (numbers.to(images.device) < images).to(images.dtype)


def log_joint(vae, x: Tensor, z: Tensor) -> Tensor:
    """log p(x, z) = log p(x|z) + log p(z) for k codes an image, in nats.

    Args:
        x: (N, C, H, W) binary images.
        z: (N, k, d) codes.

    Returns:
        (N, k).
    """
    count, draws, _ = z.shape
    logits = vae.decoder(z.flatten(0, 1))
    target = x.repeat_interleave(draws, dim=0)
    log_likelihood = -losses.binary_cross_entropy(logits, target).view(count, draws)
    return log_likelihood + losses.gaussian_log_density(z)


@torch.no_grad()
def log_weights(vae, x: Tensor, draws: int) -> Tensor:
    """log p(x, z) - log q(z|x) for `draws` codes from q(z|x), (N, draws).

    Their mean is the bound; the log of the mean of their exponentials is the
    importance-weighted bound (Burda et al. 2016).
    """
    mu, logvar = vae.encode(x)
    mu, logvar = mu[:, None], logvar[:, None]
    shape = (len(x), draws, mu.shape[-1])
    z = mu + (0.5 * logvar).exp() * torch.randn(shape, device=x.device)
    return log_joint(vae, x, z) - losses.gaussian_log_density(z, mu, logvar)


def elbo(vae, x: Tensor, draws: int = 8, batch_size: int = 4096) -> Tensor:
    """The evidence lower bound of every image, (N,) nats, from `draws` codes each.

    Args:
        x: (N, C, H, W) binary images.
        draws: codes per image.
        batch_size: decoded images held in memory at once.
    """
    parts = x.split(max(1, batch_size // draws))
    return torch.cat([log_weights(vae, part, draws).mean(1) for part in parts])


def importance_weighted_elbo(vae, x: Tensor, draws: int = 100, batch_size: int = 4096) -> Tensor:
    """log 1/k Σ p(x, z) / q(z|x), a tighter bound on log p(x) (Burda et al. 2016), (N,) nats.

    Args:
        x: (N, C, H, W) binary images.
        draws: codes an image, k; the bound rises towards log p(x) as k grows.
        batch_size: decoded images held in memory at once.
    """
    at_once = max(1, min(draws, batch_size))
    images = max(1, batch_size // at_once)
    bounds = []
    for part in x.split(images):
        weights = [
            log_weights(vae, part, min(at_once, draws - begin))
            for begin in range(0, draws, at_once)
        ]
        bounds.append(torch.cat(weights, dim=1).logsumexp(1) - math.log(draws))
    return torch.cat(bounds)


def code_grid(extent: float, steps: int) -> Tensor:
    """Points of a square grid over two latent numbers, (steps², 2), row by row."""
    line = torch.linspace(-extent, extent, steps)
    return torch.stack(torch.meshgrid(line, line, indexing="ij"), dim=-1).flatten(0, 1)


@torch.no_grad()
def log_joint_on_grid(
    vae, x: Tensor, extent: float = 6.0, steps: int = 601, batch_size: int = 16384
) -> tuple[Tensor, Tensor, float]:
    """log p(x, z) of every image at every point of a grid over two latent numbers.

    With two latent numbers the integral over z that no one can do in general is a sum over a
    fine grid: log p(x) = logsumexp over the grid + log cell.

    Args:
        x: (N, C, H, W) binary images.
        extent: the grid covers [-extent, extent]².
        steps: points a side.

    Returns:
        grid (steps², 2), log p(x, z) (N, steps²), and the log of a cell's area.
    """
    grid = code_grid(extent, steps).to(x.device)
    pixels = x.flatten(1)
    columns = []
    for z in grid.split(batch_size):
        logits = vae.decoder(z).flatten(1)
        # Σ x·logit - softplus(logit) is the Bernoulli log likelihood, as one matrix product.
        log_likelihood = pixels @ logits.T - F.softplus(logits).sum(1)
        columns.append(log_likelihood + losses.gaussian_log_density(z))
    log_cell = 2 * math.log(2 * extent / (steps - 1))
    return grid, torch.cat(columns, dim=1), log_cell
