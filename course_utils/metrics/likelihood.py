"""The likelihood of an image under a latent variable model: the ELBO and tighter estimates."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .. import losses
from ..session.arguments import real, whole


def binarise(images: Tensor, seed: int = 0) -> Tensor:
    """Draw each pixel as 0 or 1, with its grey value as the probability of 1.

    The stochastic binarisation of Salakhutdinov and Murray (2008). It has a seed of its own, so
    that a test set is the same in every run.

    Args:
        images: (N, C, H, W) in [0, 1].
        seed: of the random numbers; torch's own generator is left alone.

    Returns:
        (N, C, H, W) of zeros and ones.

    Raises:
        ValueError: grey values beyond [0, 1], or a seed that is no whole number.

    Example:
        >>> binarise(torch.tensor([0.0, 1.0]))  # black and white stay as they are
        tensor([0., 1.])
        >>> binarise(torch.full((100, 100), 0.3)).mean().round(decimals=1)
        tensor(0.3000)
    """
    seed = whole(seed, "seed", least=0, most=2**63 - 1)
    if not images.is_floating_point() or not ((images >= 0) & (images <= 1)).all():
        raise ValueError("The grey values must be probabilities of white: floats in [0, 1].")
    numbers = torch.rand(images.shape, generator=torch.Generator().manual_seed(seed))
    return (numbers.to(images.device) < images).to(images.dtype)


def log_joint(vae, x: Tensor, z: Tensor) -> Tensor:
    """log p(x, z) = log p(x|z) + log p(z) for k codes per image, in nats.

    Args:
        vae: a network with `decoder(z) -> logits`.
        x: (N, C, H, W) binary images.
        z: (N, k, d) codes.

    Returns:
        (N, k).

    Raises:
        ValueError: the images are not in [0, 1], or the decoder generates another number of pixels.

    Example:
        >>> from course_utils import models
        >>> vae, x = models.VariationalAutoencoder(2), torch.ones(3, 1, 28, 28)
        >>> log_joint(vae, x, torch.zeros(3, 5, 2)).shape
        torch.Size([3, 5])
    """
    if not ((x >= 0) & (x <= 1)).all():
        raise ValueError("A Bernoulli decoder needs images in [0, 1].")
    count, draws, _ = z.shape
    pixels = x.flatten(1)
    logits = vae.decoder(z.flatten(0, 1)).reshape(count, draws, -1)
    if logits.shape[2] != pixels.shape[1]:
        raise ValueError(
            f"The images {tuple(x.shape)} have {pixels.shape[1]} pixels, and the decoder generates "
            f"{logits.shape[2]}; give images of the shape that it was trained on."
        )
    # Σ x·logit - softplus(logit) is the Bernoulli log likelihood, the first as a matrix product.
    at_ones = torch.bmm(logits, pixels[:, :, None]).squeeze(2)
    return at_ones - F.softplus(logits).sum(2) + losses.gaussian_log_density(z)


@torch.no_grad()
def log_weights(vae, x: Tensor, draws: int) -> Tensor:
    """log p(x, z) - log q(z|x) for `draws` codes from q(z|x), in nats.

    Their mean estimates the ELBO; the logarithm of the mean of their exponentials is the
    importance-weighted ELBO (Burda et al. 2016).

    Args:
        vae: a network with `encode(x) -> (mu, logvar)` and `decoder(z) -> logits`.
        x: (N, C, H, W) binary images.
        draws: codes per image, drawn with torch's random numbers.

    Returns:
        (N, draws).

    Raises:
        ValueError: `draws` is no whole number of at least 1, or the images are not in [0, 1].

    Example:
        >>> from course_utils import models
        >>> log_weights(models.VariationalAutoencoder(2), torch.zeros(5, 1, 28, 28), draws=3).shape
        torch.Size([5, 3])
    """
    draws = whole(draws, "draws")
    mu, logvar = vae.encode(x)
    mu, logvar = mu[:, None], logvar[:, None]
    shape = (len(x), draws, mu.shape[-1])
    z = mu + (0.5 * logvar).exp() * torch.randn(shape, device=x.device)
    return log_joint(vae, x, z) - losses.gaussian_log_density(z, mu, logvar)


def elbo(vae, x: Tensor, draws: int = 8, batch_size: int = 4096) -> Tensor:
    """The ELBO (evidence lower bound) of every image, estimated from `draws` codes each.

    Args:
        vae: a network with `encode(x) -> (mu, logvar)` and `decoder(z) -> logits`.
        x: (N, C, H, W) binary images.
        draws: codes per image, drawn with torch's random numbers.
        batch_size: decoded images held in memory at once.

    Returns:
        (N,) nats.

    Raises:
        ValueError: as `log_weights`.

    Example:
        >>> from course_utils import models
        >>> elbo(models.VariationalAutoencoder(2), torch.zeros(5, 1, 28, 28)).shape
        torch.Size([5])
    """
    draws, batch_size = whole(draws, "draws"), whole(batch_size, "batch_size")
    parts = x.split(max(1, batch_size // draws))
    return torch.cat([log_weights(vae, part, draws).mean(1) for part in parts])


def importance_weighted_elbo(vae, x: Tensor, draws: int = 100, batch_size: int = 4096) -> Tensor:
    """log 1/k Σ p(x, z) / q(z|x), closer to log p(x) than the ELBO (Burda et al. 2016).

    Args:
        vae: a network with `encode(x) -> (mu, logvar)` and `decoder(z) -> logits`.
        x: (N, C, H, W) binary images.
        draws: k, codes per image; the expected value rises towards log p(x) as k grows.
        batch_size: decoded images held in memory at once.

    Returns:
        (N,) nats.

    Raises:
        ValueError: as `log_weights`.

    Example:
        >>> from course_utils import models
        >>> vae, x = models.VariationalAutoencoder(2), torch.zeros(5, 1, 28, 28)
        >>> bool(importance_weighted_elbo(vae, x).mean() > elbo(vae, x).mean())
        True
    """
    draws, batch_size = whole(draws, "draws"), whole(batch_size, "batch_size")
    at_once = min(draws, batch_size)
    images = max(1, batch_size // at_once)
    estimates = []
    for part in x.split(images):
        weights = [
            log_weights(vae, part, min(at_once, draws - begin))
            for begin in range(0, draws, at_once)
        ]
        estimates.append(torch.cat(weights, dim=1).logsumexp(1) - math.log(draws))
    return torch.cat(estimates)


def code_grid(extent: float, steps: int) -> Tensor:
    """Points of a square grid over two latent dimensions, (steps², 2), row by row.

    Args:
        extent: the grid covers [-extent, extent]².
        steps: points per side, two or more.

    Raises:
        ValueError: a number cannot be used.
    """
    extent = real(extent, "extent", "a number above 0", lambda far: 0 < far < math.inf)
    steps = whole(steps, "steps", least=2, most=10_000)  # their square is held in memory
    line = torch.linspace(-extent, extent, steps)
    return torch.stack(torch.meshgrid(line, line, indexing="ij"), dim=-1).flatten(0, 1)


@torch.no_grad()
def log_joint_on_grid(
    vae, x: Tensor, extent: float = 6.0, steps: int = 601, batch_size: int = 16384
) -> tuple[Tensor, Tensor, float]:
    """log p(x, z) of every image at every point of a grid over two latent dimensions.

    The integral of p(x, z) over z is intractable in general. With two latent dimensions it is a
    sum over a fine grid: log p(x) = logsumexp over the grid + log cell.

    Args:
        vae: a network with two latent dimensions and `decoder(z) -> logits`.
        x: (N, C, H, W) binary images.
        extent: the grid covers [-extent, extent]².
        steps: points per side.
        batch_size: points of the grid that are decoded at once.

    Returns:
        grid (steps², 2), log p(x, z) (N, steps²), and the logarithm of the area of a cell.

    Raises:
        ValueError: a number cannot be used.

    Example:
        >>> from course_utils import models
        >>> vae, x = models.VariationalAutoencoder(2), torch.zeros(5, 1, 28, 28)
        >>> grid, log_p, log_cell = log_joint_on_grid(vae, x, steps=21)
        >>> grid.shape, log_p.shape
        (torch.Size([441, 2]), torch.Size([5, 441]))
    """
    batch_size = whole(batch_size, "batch_size")
    grid = code_grid(extent, steps).to(x.device)
    losses.of_dimensions(4, "(N, C, H, W)", x=x)
    pixels = x.flatten(1)
    columns = []
    for z in grid.split(batch_size):
        logits = vae.decoder(z).flatten(1)
        if logits.shape[1] != pixels.shape[1]:
            raise ValueError(
                f"The images {tuple(x.shape)} have {pixels.shape[1]} pixels, and the decoder gives "
                f"{logits.shape[1]}; give images of the shape that it was trained on."
            )
        # Σ x·logit - softplus(logit) is the Bernoulli log likelihood, as one matrix product.
        log_likelihood = pixels @ logits.T - F.softplus(logits).sum(1)
        columns.append(log_likelihood + losses.gaussian_log_density(z))
    log_cell = 2 * math.log(2 * extent / (steps - 1))
    return grid, torch.cat(columns, dim=1), log_cell
