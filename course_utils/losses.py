"""The formulas of the slides as functions, one each.

Unless a docstring says otherwise, every function returns one number per example, shape (N,),
in nats or in squared units, summed over pixels or latent numbers and never averaged over the
batch: the step that uses it writes `.mean()` where the reader sees it.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def binary_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """-Σ x log x̂ + (1 - x) log(1 - x̂), with x̂ = sigmoid(logits), in nats an example.

    The reconstruction loss of lecture 4 for binary input; minus log p(x|z) of a Bernoulli
    decoder. Logits, because log(sigmoid) underflows where the loss is large.

    Args:
        logits: (N, ...) any real numbers.
        target: (N, ...) in [0, 1], of the same shape.
    """
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return loss.flatten(1).sum(1)


def squared_error(reconstruction: Tensor, target: Tensor) -> Tensor:
    """½ Σ (x - x̂)², the reconstruction loss of lecture 4 for real-valued input."""
    return 0.5 * (reconstruction - target).square().flatten(1).sum(1)


def gaussian_kl(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(μ, diag σ²) ‖ N(0, I)) = ½ Σ (σ² - log σ² - 1 + μ²), in nats an example.

    Lecture 4 writes V(z) for σ² and E(z) for μ. The closed form is in Kingma and Welling
    (2014), appendix B.

    Args:
        mu: (N, d) means.
        logvar: (N, d) log σ², natural logarithm.
    """
    return 0.5 * (logvar.exp() - logvar - 1 + mu.square()).sum(1)


def gaussian_kl_full(mu: Tensor, covariance: Tensor) -> Tensor:
    """KL(N(μ, Σ) ‖ N(0, I)) = ½ (tr Σ + μᵀμ - k - log det Σ), lecture 3.

    Args:
        mu: (N, k).
        covariance: (N, k, k), symmetric and positive definite.
    """
    trace = covariance.diagonal(dim1=-2, dim2=-1).sum(-1)
    return 0.5 * (trace + mu.square().sum(-1) - mu.shape[-1] - torch.logdet(covariance))


def gaussian_log_density(z: Tensor, mu: Tensor | float = 0.0, logvar: Tensor | float = 0.0):
    """log N(z; μ, diag σ²), summed over the last dimension, in nats.

    `z`, `mu` and `logvar` broadcast against each other; the defaults are the prior N(0, I).
    """
    logvar = torch.as_tensor(logvar, dtype=z.dtype, device=z.device)
    per_number = (z - mu).square() / logvar.exp() + logvar + math.log(2 * math.pi)
    return -0.5 * per_number.sum(-1)


def sparsity_kl(activations: Tensor, rho: float) -> Tensor:
    """Σ_j KL(ρ ‖ ρ̂_j) = Σ_j ρ log ρ/ρ̂_j + (1 - ρ) log (1 - ρ)/(1 - ρ̂_j), lecture 3.

    ρ̂_j is the average activation of unit j over the batch, so this is one number for the whole
    batch, in nats, and not one an example.

    Args:
        activations: (N, units) in (0, 1), after a sigmoid.
        rho: the average activation that is asked for, in (0, 1).

    Raises:
        ValueError: rho is not between 0 and 1.
    """
    if not 0 < rho < 1:
        raise ValueError(f"The sparsity parameter ρ is {rho!r}; give a number between 0 and 1.")
    # Kept away from 0 and 1, where a unit that is always off would make the logarithm infinite;
    # half precision would round 1 - 1e-6 to 1.
    dtype = torch.promote_types(activations.dtype, torch.float32)
    average = activations.mean(0, dtype=dtype).clamp(1e-6, 1 - 1e-6)
    on = rho * (math.log(rho) - average.log())
    off = (1 - rho) * (math.log(1 - rho) - (1 - average).log())
    return (on + off).sum()


def contractive_penalty(h: Tensor, weight: Tensor) -> Tensor:
    """‖∂h/∂x‖² of one sigmoid layer h = σ(W x + b), summed over all its entries (lecture 4).

    ∂h_j/∂x_i = h_j (1 - h_j) W_ji, so the sum of squares over i and j is
    Σ_j (h_j (1 - h_j))² Σ_i W_ji²: no Jacobian is built (Rifai et al. 2011).

    Args:
        h: (N, units) in (0, 1).
        weight: (units, pixels), the W of the layer.

    Returns:
        (N,).
    """
    slope = h * (1 - h)
    return slope.square() @ weight.square().sum(1)


def squared_slope(logits: Tensor, pictures: Tensor) -> Tensor:
    """‖∂D/∂x‖², the mean over a batch: half of it times γ is the price R1 (Mescheder et al. 2018).

    It can be differentiated again, so that a discriminator can be trained on it. Where D has batch
    normalisation a logit depends a little on the whole batch; the slope is that of their sum.

    Args:
        logits: (N,), or any shape whose sum is to be differentiated, computed from `pictures`.
        pictures: (N, ...) that require a gradient.

    Raises:
        RuntimeError: the logits were not computed from these pictures.
    """
    (slopes,) = torch.autograd.grad(logits.sum(), pictures, create_graph=True)
    return slopes.square().flatten(1).sum(1).mean()
