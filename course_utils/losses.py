"""The formulas of the slides as functions, one each.

Unless a docstring says otherwise, every function returns one number per example, shape (N,),
in nats or in squared units, summed over pixels or latent dimensions. None averages over the
batch: a training step writes `.mean()` itself.

Tensors that belong together have one shape, and others are refused: torch would broadcast (N, H, W)
against (N, 1, H, W) without a word, and compare every image with all others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

ROUNDING = 1e-3  # how far beyond [0, 1] rounding may bring a target: resized, in half precision


def same_shape(**tensors: Tensor) -> None:
    """Refuse tensors of different shapes, which would be broadcast against each other.

    Args:
        tensors: name -> tensor; the names are for the sentence.

    Raises:
        TypeError: one is no tensor.
        ValueError: the shapes differ.

    Example:
        >>> same_shape(images=torch.zeros(2, 1, 4, 4), truth=torch.zeros(2, 4, 4))
        Traceback (most recent call last):
        ValueError: images has the shape (2, 1, 4, 4) and truth (2, 4, 4); give both the same shape.
    """
    (name, first), *others = tensors.items()
    _tensors(**tensors)
    for other, second in others:
        if second.shape != first.shape:
            _refuse_shapes(name, first, other, second, "give both the same shape")


def same_but_for_ones(**tensors: Tensor) -> None:
    """Refuse two tensors unless each dimension is as long in both, or of length 1 in one of them.

    So one style image serves N generated ones, and a mean over positions all positions; but torch
    may not add a dimension.

    Args:
        tensors: name -> tensor, two of them.

    Raises:
        TypeError: one is no tensor.
        ValueError: the shapes do not agree.

    Example:
        >>> same_but_for_ones(statistics=torch.zeros(4, 3, 3), wanted=torch.zeros(1, 3, 3))
    """
    (name, first), (other, second) = tensors.items()
    _tensors(**tensors)
    pairs = zip(first.shape, second.shape)
    if first.dim() != second.dim() or any(a != b and 1 not in (a, b) for a, b in pairs):
        wanted = "give both as many dimensions, each as long in both or of length 1"
        _refuse_shapes(name, first, other, second, wanted)


def _tensors(**values) -> None:
    for name, value in values.items():
        if not isinstance(value, Tensor):
            raise TypeError(f"{name} is of the type {type(value).__name__}; give a tensor.")


def _refuse_shapes(name: str, first: Tensor, other: str, second: Tensor, wanted: str) -> None:
    shapes = f"{name} has the shape {tuple(first.shape)} and {other} {tuple(second.shape)}"
    raise ValueError(f"{shapes}; {wanted}.")


def _broadcasts(shape: Sequence[int], against: Sequence[int]) -> bool:
    """Whether the two go together, and the last dimension is that of the second."""
    pairs = list(zip(reversed(shape), reversed(against)))
    return all(a == b or 1 in (a, b) for a, b in pairs) and all(a in (1, b) for a, b in pairs[:1])


def of_dimensions(count: int, meaning: str, **tensors: Tensor) -> None:
    """Refuse tensors of another number of dimensions.

    Args:
        count: how many there must be.
        meaning: what they are, as in "(N, C, H, W)".
        tensors: name -> tensor; the names are for the sentence.

    Raises:
        TypeError: one is no tensor.
        ValueError: one has more or fewer dimensions.

    Example:
        >>> of_dimensions(2, "(N, d)", mu=torch.zeros(5, 3))
    """
    _tensors(**tensors)
    for name, tensor in tensors.items():
        if tensor.dim() != count:
            raise ValueError(f"{name} has the shape {tuple(tensor.shape)}; give it as {meaning}.")


def of_examples(**tensors: Tensor) -> None:
    """Refuse tensors without a dimension beside that of the examples.

    Args:
        tensors: name -> tensor (N, ...); the names are for the sentence.

    Raises:
        ValueError: one is (N,), or a single number.

    Example:
        >>> of_examples(target=torch.zeros(5, 1))
    """
    for name, tensor in tensors.items():
        if tensor.dim() < 2:
            raise ValueError(
                f"{name} has the shape {tuple(tensor.shape)}; give (N, ...): [None] makes a "
                "batch of one example, and [:, None] gives each of N one number."
            )


def binary_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """-Σ x log x̂ + (1 - x) log(1 - x̂), with x̂ = sigmoid(logits), in nats per example.

    The reconstruction loss of lecture 4 for binary input; minus log p(x|z) of a Bernoulli
    decoder. It takes logits, because log(sigmoid) underflows where the loss is large.

    A target outside [0, 1] has no cross-entropy: the sum would fall without end. On a processor it
    is refused. To ask an accelerator, each step would have to wait for it; there, the result is
    NaN, which `fit` finds and reports.

    Args:
        logits: (N, ...) any real numbers.
        target: (N, ...) in [0, 1], of the same shape.

    Returns:
        (N,) at least 0.

    Raises:
        ValueError: the two have different shapes, or the target is not in [0, 1].

    Example:
        >>> logits = torch.zeros(1, 3)  # x̂ = ½ at all three pixels: 3 log 2 nats
        >>> binary_cross_entropy(logits, torch.tensor([[0.0, 1.0, 1.0]]))
        tensor([2.0794])
    """
    same_shape(logits=logits, target=target)
    of_examples(logits=logits)
    if not target.is_floating_point():
        raise ValueError(f"The target is {target.dtype}; give numbers in [0, 1], target.float().")
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none").flatten(1).sum(1)
    if not target.numel():
        return loss
    low, high = target.aminmax()
    inside = (low >= -ROUNDING) & (high <= 1 + ROUNDING)  # False for NaN
    if target.device.type != "cpu":
        return torch.where(inside, loss, torch.nan)
    if not inside:
        raise ValueError(
            f"The target of a binary cross-entropy must lie in [0, 1], and this one goes from "
            f"{low:.3g} to {high:.3g}; rescale it, or take squared_error for real numbers."
        )
    return loss


def squared_error(reconstruction: Tensor, target: Tensor) -> Tensor:
    """½ Σ (x - x̂)², the reconstruction loss of lecture 4 for real-valued input.

    Args:
        reconstruction, target: (N, ...) each, of the same shape.

    Returns:
        (N,) at least 0, in squared units of the input.

    Raises:
        ValueError: the two have different shapes.

    Example:
        >>> squared_error(torch.tensor([[1.0, 3.0]]), torch.zeros(1, 2))  # ½ (1 + 9)
        tensor([5.])
    """
    same_shape(reconstruction=reconstruction, target=target)
    of_examples(reconstruction=reconstruction)
    return 0.5 * (reconstruction - target).square().flatten(1).sum(1)


def gaussian_kl(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(μ, diag σ²) ‖ N(0, I)) = ½ Σ (σ² - log σ² - 1 + μ²), in nats per example.

    Lecture 4 writes V(z) for σ² and E(z) for μ. The closed form is in Kingma and Welling
    (2014), appendix B.

    Args:
        mu: (N, d) means.
        logvar: (N, d) log σ², natural logarithm.

    Returns:
        (N,) at least 0.

    Raises:
        ValueError: the two have different shapes, or not two dimensions.

    Example:
        >>> gaussian_kl(torch.tensor([[0.0, 2.0]]), logvar=torch.zeros(1, 2))  # ½ · 2²
        tensor([2.])
    """
    same_shape(mu=mu, logvar=logvar)
    of_dimensions(2, "(N, d)", mu=mu)
    return 0.5 * (logvar.exp() - logvar - 1 + mu.square()).sum(1)


def gaussian_kl_full(mu: Tensor, covariance: Tensor) -> Tensor:
    """KL(N(μ, Σ) ‖ N(0, I)) = ½ (tr Σ + μᵀμ - k - log det Σ), lecture 3.

    Args:
        mu: (N, k) means.
        covariance: (N, k, k) Σ, symmetric and positive definite.

    Returns:
        (N,) nats, at least 0.

    Raises:
        ValueError: the covariances are not (N, k, k) for means (N, k).

    Example:
        >>> gaussian_kl_full(torch.tensor([[0.0, 2.0]]), torch.eye(2)[None])  # ½ · 2²
        tensor([2.])
    """
    of_dimensions(2, "(N, k)", mu=mu)
    _tensors(covariance=covariance)
    if covariance.shape != (*mu.shape, mu.shape[-1]):
        _refuse_shapes("mu", mu, "covariance", covariance, "give (N, k) and (N, k, k)")
    trace = covariance.diagonal(dim1=-2, dim2=-1).sum(-1)
    return 0.5 * (trace + mu.square().sum(-1) - mu.shape[-1] - torch.logdet(covariance))


def gaussian_log_density(z: Tensor, mu: Tensor | float = 0.0, logvar: Tensor | float = 0.0):
    """log N(z; μ, diag σ²), summed over the last dimension, in nats.

    Args:
        z: (..., d) points.
        mu, logvar: means and log σ², which broadcast against `z`; the defaults are the prior
            N(0, I).

    Returns:
        (...) nats.

    Raises:
        ValueError: the two do not broadcast against `z`, or have another last dimension.

    Example:
        >>> gaussian_log_density(torch.zeros(2))  # -log 2π, the peak of the prior in the plane
        tensor(-1.8379)
    """
    _tensors(z=z)
    for name, value in {"mu": mu, "logvar": logvar}.items():
        if isinstance(value, Tensor) and not _broadcasts(value.shape, z.shape):
            _refuse_shapes("z", z, name, value, "give means and log σ² that broadcast against z")
    logvar = torch.as_tensor(logvar, dtype=z.dtype, device=z.device)
    per_dimension = (z - mu).square() / logvar.exp() + logvar + math.log(2 * math.pi)
    return -0.5 * per_dimension.sum(-1)


def sparsity_kl(activations: Tensor, rho: float) -> Tensor:
    """Σ_j KL(ρ ‖ ρ̂_j) = Σ_j ρ log ρ/ρ̂_j + (1 - ρ) log (1 - ρ)/(1 - ρ̂_j), lecture 3.

    ρ̂_j is the average activation of unit j over the batch, so the result is one number for the
    whole batch, in nats, and not one per example.

    Args:
        activations: (N, units) in (0, 1), after a sigmoid.
        rho: the sparsity parameter ρ, the wanted average activation, in (0, 1).

    Returns:
        a tensor of one number, at least 0.

    Raises:
        ValueError: rho is not between 0 and 1, or the activations are not (N, units).

    Example:
        >>> sparsity_kl(torch.full((8, 1), 0.5), rho=0.1)  # 0.1 log 0.2 + 0.9 log 1.8
        tensor(0.3681)
    """
    of_dimensions(2, "(N, units)", activations=activations)
    if not 0 < rho < 1:
        raise ValueError(f"The sparsity parameter ρ is {rho!r}; give a number between 0 and 1.")
    # Kept away from 0 and 1, where the logarithm of a unit that is always off would be infinite;
    # half precision would round 1 - 1e-6 to 1.
    dtype = torch.promote_types(activations.dtype, torch.float32)
    average = activations.mean(0, dtype=dtype).clamp(1e-6, 1 - 1e-6)
    on = rho * (math.log(rho) - average.log())
    off = (1 - rho) * (math.log(1 - rho) - (1 - average).log())
    return (on + off).sum()


def contractive_penalty(h: Tensor, weight: Tensor) -> Tensor:
    """‖∂h/∂x‖² of one sigmoid layer h = σ(W x + b), summed over all its entries (lecture 4).

    ∂h_j/∂x_i = h_j (1 - h_j) W_ji, so the sum of squares over i and j is
    Σ_j (h_j (1 - h_j))² Σ_i W_ji²; the Jacobian itself is never built (Rifai et al. 2011).

    Args:
        h: (N, units) in (0, 1).
        weight: (units, pixels), the W of the layer.

    Returns:
        (N,) at least 0.

    Raises:
        ValueError: the two are not of these shapes.

    Example:
        >>> h = torch.tensor([[0.5]])  # σ' = ½ (1 - ½) = ¼, so (¼ · 4)²
        >>> contractive_penalty(h, weight=torch.tensor([[4.0, 0.0]]))
        tensor([1.])
    """
    of_dimensions(2, "(N, units)", h=h)
    of_dimensions(2, "(units, pixels)", weight=weight)
    if h.shape[1] != weight.shape[0]:
        _refuse_shapes("h", h, "weight", weight, "give (N, units) and (units, pixels)")
    derivative = h * (1 - h)
    return derivative.square() @ weight.square().sum(1)


def squared_gradient_norm(logits: Tensor, images: Tensor) -> Tensor:
    """‖∂D/∂x‖², averaged over a batch; γ/2 times it is the penalty R1 (Mescheder et al. 2018).

    It can be differentiated again, so that a discriminator can be trained on it. Where D has batch
    normalisation each logit depends on the whole batch; the gradient is that of the logits' sum.

    Args:
        logits: (N,), or any shape whose sum is to be differentiated, computed from `images`.
        images: (N, ...) that require a gradient.

    Returns:
        a tensor of one number, at least 0.

    Raises:
        RuntimeError: the logits were not computed from these images.

    Example:
        >>> images = torch.zeros(5, 3, requires_grad=True)
        >>> squared_gradient_norm(2 * images.sum(1), images).item()  # 2² at each of 3 pixels
        12.0
    """
    (gradients,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradients.square().flatten(1).sum(1).mean()


def content_loss(features: Tensor, wanted: Tensor) -> Tensor:
    """½ Σ (F - P)² over channels and positions of one layer, lecture 1.

    The content loss of Gatys, Ecker and Bethge (2016).

    Args:
        features: (N, C, h, w), the activations F of the generated image.
        wanted: (N, C, h, w), the activations P of the content image; of length 1 in a dimension
            where all are to become alike.

    Returns:
        (N,) at least 0.

    Raises:
        ValueError: the two are not of these shapes.

    Example:
        >>> content_loss(torch.ones(1, 2, 2, 2), torch.zeros(1, 2, 2, 2))  # ½ · 8 activations
        tensor([4.])
    """
    of_dimensions(4, "(N, C, h, w)", features=features, wanted=wanted)
    same_but_for_ones(features=features, wanted=wanted)
    return 0.5 * (features - wanted).square().flatten(1).sum(1)


def gram_matrix(features: Tensor) -> Tensor:
    """G_ij = 1/(h w) Σ_k F_ik F_jk: which channels are active together, at whatever position.

    Gatys et al. (2016) sum over the positions k; the mean makes images of different sizes
    comparable.

    Args:
        features: (N, C, h, w).

    Returns:
        (N, C, C), float32 even from half precision, whose sums over positions overflow.

    Raises:
        ValueError: features of another number of dimensions.

    Example:
        >>> features = torch.tensor([[[[1.0, 1.0]], [[1.0, -1.0]]]])  # (1, 2, 1, 2)
        >>> gram_matrix(features)
        tensor([[[1., 0.],
                 [0., 1.]]])
    """
    of_dimensions(4, "(N, C, h, w)", features=features)
    flat = features.to(torch.promote_types(features.dtype, torch.float32)).flatten(2)
    with torch.autocast(features.device.type, enabled=False):
        return flat @ flat.mT / flat.shape[2]


def mean_and_variance(features: Tensor) -> Tensor:
    """The mean and the variance of every channel over positions: a style in 2 C numbers.

    Li et al. (2017) match these statistics; so does adaptive instance normalisation (Huang and
    Belongie 2017). Both use the standard deviation. Its gradient is infinite at 0, where the
    channels lie that are never active, so the variance is used here.

    Args:
        features: (N, C, h, w).

    Returns:
        (N, 2, C): means, then variances; float32 even from half precision.

    Raises:
        ValueError: features of another number of dimensions.

    Example:
        >>> mean_and_variance(torch.tensor([[[[1.0, 3.0]]]]))  # one channel, two positions
        tensor([[[2.],
                 [1.]]])
    """
    of_dimensions(4, "(N, C, h, w)", features=features)
    flat = features.to(torch.promote_types(features.dtype, torch.float32)).flatten(2)
    return torch.stack([flat.mean(2), flat.var(2, correction=0)], dim=1)


def style_loss(statistics: Tensor, wanted: Tensor) -> Tensor:
    """Σ (G - A)² / Σ A² of one layer: 0 for the wanted style, 1 where all statistics are 0.

    Gatys et al. (2016) divide by 4 C² instead. The two differ by a factor that is fixed once the
    style is chosen; this one makes the losses of all layers comparable.

    Args:
        statistics: (N, ...), Gram matrices or other statistics G of the generated image.
        wanted: (1, ...) or (N, ...), the same statistics A of the style image.

    Returns:
        (N,) at least 0.

    Raises:
        ValueError: the two are not of these shapes.

    Example:
        >>> wanted = torch.eye(2)[None]
        >>> style_loss(wanted, wanted), style_loss(0 * wanted, wanted)
        (tensor([0.]), tensor([1.]))
    """
    same_but_for_ones(statistics=statistics, wanted=wanted)
    of_examples(statistics=statistics)
    error = (statistics - wanted).square().flatten(1).sum(1)
    size = wanted.square().flatten(1).sum(1)
    return error / size.clamp_min(torch.finfo(size.dtype).tiny)


def squared_variation(images: Tensor) -> Tensor:
    """The mean squared difference of neighbouring pixels, vertical plus horizontal.

    A regularizer against high-frequency noise (Mahendran and Vedaldi 2015, with β = 2). It is not
    the total variation: a step of height 1 costs as much as a hundred steps of height .1, so it
    blurs edges, which `total_variation` does not. It is the mean and not the sum, so that one
    weight suits images of all sizes. A side of one pixel has no neighbours and adds 0.
    `metrics.sharpness` is the same measure of an image.

    Args:
        images: (N, C, H, W).

    Returns:
        (N,) at least 0.

    Raises:
        ValueError: images of another number of dimensions.

    Example:
        >>> squared_variation(torch.tensor([[[[0.0, 1.0, 1.0]]]]))  # one of two steps is 1
        tensor([0.5000])
        >>> squared_variation(torch.tensor([[[[0.0, 0.5, 1.0]]]]))  # a ramp costs half of it
        tensor([0.2500])
    """
    of_dimensions(4, "(N, C, H, W)", images=images)
    down, across = images.diff(dim=2), images.diff(dim=3)
    return sum(
        steps.square().flatten(1).sum(1) / max(1, steps[0].numel()) for steps in (down, across)
    )


def total_variation(images: Tensor) -> Tensor:
    """The mean length of the gradient of the image, √((∂x/∂h)² + (∂x/∂w)²), per channel and pixel.

    The total variation of Rudin, Osher and Fatemi (1992), divided by the number of activations so
    that one weight suits images of all sizes. A step costs its height whether it is one edge or a
    ramp, so it removes small oscillations and keeps edges; `squared_variation` blurs them.
    Derivatives are differences to the next pixel, 0 at the last row and column. Where the image is
    constant the length has no derivative; the root is smoothed there, by at most 1/1,000.

    Args:
        images: (N, C, H, W).

    Returns:
        (N,) at least 0.

    Raises:
        ValueError: images of another number of dimensions.

    Example:
        >>> total_variation(torch.tensor([[[[0.0, 1.0, 1.0, 1.0]]]]))  # one step of 1, four pixels
        tensor([0.2498])
        >>> total_variation(torch.tensor([[[[0.0, 0.5, 1.0, 1.0]]]]))  # two of ½: the same
        tensor([0.2495])
    """
    of_dimensions(4, "(N, C, H, W)", images=images)
    down = F.pad(images.diff(dim=2), (0, 0, 0, min(1, images.shape[2])))
    across = F.pad(images.diff(dim=3), (0, min(1, images.shape[3]), 0, 0))
    smooth = 1e-3  # of the range of a pixel, 1
    length = (down.square() + across.square() + smooth**2).sqrt() - smooth
    return length.flatten(1).mean(1) if images[0].numel() else length.flatten(1).sum(1)
