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


def squared_gradient_norm(logits: Tensor, images: Tensor) -> Tensor:
    """‖∂D/∂x‖², the mean over a batch: half of it times γ is the price R1 (Mescheder et al. 2018).

    It can be differentiated again, so that a discriminator can be trained on it. Where D has batch
    normalisation a logit depends a little on the whole batch; the slope is that of their sum.

    Args:
        logits: (N,), or any shape whose sum is to be differentiated, computed from `images`.
        images: (N, ...) that require a gradient.

    Raises:
        RuntimeError: the logits were not computed from these images.
    """
    (slopes,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return slopes.square().flatten(1).sum(1).mean()


def content_loss(features: Tensor, wanted: Tensor) -> Tensor:
    """½ Σ (F - P)² over channels and positions of one layer, lecture 1.

    Args:
        features: (N, C, h, w), the activations F of the image that is made.
        wanted: (N, C, h, w) or (1, C, h, w), the activations P of the content.
    """
    return squared_error(features, wanted)


def gram_matrix(features: Tensor) -> Tensor:
    """G_ij = 1/(h w) Σ_k F_ik F_jk: which channels are active together, wherever that is.

    Gatys et al. (2016) sum over positions; the mean makes images of different sizes comparable.

    Args:
        features: (N, C, h, w).

    Returns:
        (N, C, C), float32 even from half precision, whose sums over positions overflow.
    """
    flat = features.to(torch.promote_types(features.dtype, torch.float32)).flatten(2)
    with torch.autocast(features.device.type, enabled=False):
        return flat @ flat.mT / flat.shape[2]


def mean_and_variance(features: Tensor) -> Tensor:
    """The mean and the variance of every channel over positions, a smaller style than Gram's.

    Li et al. (2017) match these statistics; so does adaptive instance normalisation (Huang and
    Belongie 2017). Both use the root of the variance, whose gradient is infinite at 0, where
    channels are that never light up.

    Args:
        features: (N, C, h, w).

    Returns:
        (N, 2, C): means, then variances.
    """
    flat = features.to(torch.promote_types(features.dtype, torch.float32)).flatten(2)
    return torch.stack([flat.mean(2), flat.var(2, correction=0)], dim=1)


def style_loss(statistics: Tensor, wanted: Tensor) -> Tensor:
    """Σ (G - A)² / Σ A² of one layer: 0 is the style asked for, 1 as far from it as black.

    Gatys et al. (2016) divide by 4 C² instead. The two differ by a factor that is fixed once the
    style is chosen; this one gives all layers of all networks the same say.

    Args:
        statistics: (N, ...), Gram matrices or other statistics of the image that is made.
        wanted: (1, ...) or (N, ...), the same of the style.
    """
    error = (statistics - wanted).square().flatten(1).sum(1)
    size = wanted.square().flatten(1).sum(1)
    return error / size.clamp_min(torch.finfo(size.dtype).tiny)


def total_variation(images: Tensor) -> Tensor:
    """The mean squared difference of neighbouring pixels, down plus across: the price of speckle.

    The mean and not the sum, so that one weight suits images of all sizes. A side of one pixel
    has no neighbours and costs nothing.

    Args:
        images: (N, C, H, W).
    """
    down, across = images.diff(dim=2), images.diff(dim=3)
    return sum(
        steps.square().flatten(1).sum(1) / max(1, steps[0].numel()) for steps in (down, across)
    )
