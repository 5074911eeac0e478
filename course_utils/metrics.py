"""How good a model is, as numbers: bounds, likelihoods, codes and pictures.

Models are given as objects with `encode(x) -> (mu, logvar)` and a `decoder(z) -> logits`, as
in `course_utils.models`. Pictures for a likelihood must be binary (`binarise`): a Bernoulli
decoder gives probabilities to black and white, and only there is the bound a bound.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from . import losses


def binarise(images: Tensor, seed: int = 0) -> Tensor:
    """Draw each pixel black or white with its grey value as the probability.

    The stochastic binarisation of Salakhutdinov and Murray (2008), with a seed of its own so
    that a test set stays the same test set.
    """
    numbers = torch.rand(images.shape, generator=torch.Generator().manual_seed(seed))
    return (numbers.to(images.device) < images).to(images.dtype)


def log_joint(vae, x: Tensor, z: Tensor) -> Tensor:
    """log p(x, z) = log p(x|z) + log p(z) for k codes a picture, in nats.

    Args:
        x: (N, C, H, W) binary pictures.
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


def bound(vae, x: Tensor, draws: int = 8, batch_size: int = 4096) -> Tensor:
    """The evidence lower bound of every picture, (N,) nats, from `draws` codes each.

    Args:
        x: (N, C, H, W) binary pictures.
        draws: codes per picture.
        batch_size: decoded pictures held in memory at once.
    """
    parts = x.split(max(1, batch_size // draws))
    return torch.cat([log_weights(vae, part, draws).mean(1) for part in parts])


def importance_weighted_bound(vae, x: Tensor, draws: int = 100, batch_size: int = 4096) -> Tensor:
    """log 1/k Σ p(x, z) / q(z|x), a tighter bound on log p(x) (Burda et al. 2016), (N,) nats.

    Args:
        x: (N, C, H, W) binary pictures.
        draws: codes a picture, k; the bound rises towards log p(x) as k grows.
        batch_size: decoded pictures held in memory at once.
    """
    at_once = max(1, min(draws, batch_size))
    pictures = max(1, batch_size // at_once)
    bounds = []
    for part in x.split(pictures):
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
    """log p(x, z) of every picture at every point of a grid over two latent numbers.

    With two latent numbers the integral over z that no one can do in general is a sum over a
    fine grid: log p(x) = logsumexp over the grid + log cell.

    Args:
        x: (N, C, H, W) binary pictures.
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


def active_units(mu: Tensor, threshold: float = 0.01) -> Tensor:
    """Which latent numbers carry anything: variance over the data of E[z|x] above 0.01.

    The statistic of Burda et al. (2016).

    Args:
        mu: (N, d) posterior means over a data set.

    Returns:
        (d,) booleans.
    """
    return mu.var(0) > threshold


def sharpness(images: Tensor) -> Tensor:
    """Mean squared step between neighbouring pixels of each picture, (N,).

    Edges make it large and blur makes it small; it needs no reference picture.
    """
    across = (images[..., :, 1:] - images[..., :, :-1]).square().flatten(1).mean(1)
    down = (images[..., 1:, :] - images[..., :-1, :]).square().flatten(1).mean(1)
    return across + down


def prior_coverage(mu: Tensor, logvar: Tensor, draws: int = 2000, reach: float = 2.0) -> float:
    """The share of draws from the prior N(0, I) that land within reach of some code.

    A code reaches `reach` of its own standard deviations. 1 means that wherever the prior
    points, the decoder has been trained nearby; what is missing to 1 are gaps.

    Args:
        mu, logvar: (N, d), the posteriors of a data set.
    """
    z = torch.randn(draws, mu.shape[1], device=mu.device)
    nearest = torch.full((draws,), float("inf"), device=mu.device)
    for part_mu, part_logvar in zip(mu.split(1000), logvar.split(1000)):
        distance = (z[:, None] - part_mu).square() / part_logvar.exp()
        nearest = torch.minimum(nearest, distance.sum(-1).min(1).values)
    return (nearest < reach**2).float().mean().item()


def gap_in_sigmas(mu: Tensor, logvar: Tensor) -> float:
    """How far it is from a code to the nearest other one, in its own standard deviations.

    The median over a data set. Far above 1, the codes are islands with nothing between them;
    below 1, neighbours overlap.

    Args:
        mu, logvar: (N, d), the posteriors of a data set.
    """
    # The matrix-product form of cdist loses the small distances that matter here.
    distance = torch.cdist(mu, mu, compute_mode="donot_use_mm_for_euclid_dist")
    distance.fill_diagonal_(float("inf"))
    sigma = (0.5 * logvar).exp().mean(1)
    return (distance.min(1).values / sigma).median().item()


def mutual_information(codes: Tensor, factors: Tensor, bins: int = 20) -> Tensor:
    """Mutual information between every code and every factor, from histograms, in nats.

    Each variable is cut into bins of equal counts, so the result does not depend on units.

    Args:
        codes: (N, d).
        factors: (N, f).

    Returns:
        (d, f).
    """
    code_bins = _equal_count_bins(codes, bins)
    factor_bins = _equal_count_bins(factors, bins)
    return torch.stack(
        [
            torch.stack([_information(code, factor, bins) for factor in factor_bins.T])
            for code in code_bins.T
        ]
    )


def normalised_information(codes: Tensor, factors: Tensor, bins: int = 20) -> Tensor:
    """Mutual information as a share of each factor's entropy, (d, f): 1 tells all of it.

    A factor that never changes has nothing to tell: 0. A histogram of N examples overstates the
    information of independent variables by about (bins - 1)² / 2N nats.
    """
    binned = _equal_count_bins(factors, bins)
    entropy = torch.stack([_entropy(column, bins) for column in binned.T])
    information = mutual_information(codes, factors, bins)
    return torch.where(entropy > 0, information / entropy, torch.zeros_like(information))


def mutual_information_gap(codes: Tensor, factors: Tensor, bins: int = 20) -> Tensor:
    """How much more the best code tells of each factor than the second best (Chen et al. 2018).

    1 where one latent number alone carries the factor, 0 where two share it.

    Args:
        codes: (N, d) with d >= 2.
        factors: (N, f).

    Returns:
        (f,), as a share of each factor's entropy.
    """
    if codes.shape[1] < 2:
        raise ValueError("The gap needs two latent numbers or more: it compares the best two.")
    best = normalised_information(codes, factors, bins).topk(2, dim=0).values
    return best[0] - best[1]


def _equal_count_bins(values: Tensor, bins: int) -> Tensor:
    """The bin of each value among `bins` quantiles of its column, as integers (N, columns).

    Values that are equal share a bin, so a factor of few values keeps them apart.
    """
    columns = []
    for column in values.T.contiguous():
        edges = column.float().quantile(torch.linspace(0, 1, bins + 1, device=values.device)[1:-1])
        columns.append(torch.bucketize(column.float(), edges.unique(), right=True))
    return torch.stack(columns, dim=1)


def _entropy(column: Tensor, bins: int) -> Tensor:
    share = torch.bincount(column, minlength=bins).float() / len(column)
    return -torch.xlogy(share, share).sum()


def _information(first: Tensor, second: Tensor, bins: int) -> Tensor:
    joint = torch.bincount(first * bins + second, minlength=bins * bins).float()
    joint = (joint / joint.sum()).view(bins, bins)
    independent = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    return torch.xlogy(joint, joint).sum() - torch.xlogy(joint, independent).sum()


def squared_error(reconstruction: Tensor, images: Tensor) -> float:
    """Squared error of a picture, Σ (x - x̂)² over its pixels, averaged over the pictures.

    The measure of Hinton and Salakhutdinov (2006): without the ½ of the loss, and not divided by
    the number of pixels.
    """
    return (reconstruction - images).square().flatten(1).sum(1).mean().item()


def psnr(pictures: Tensor, truth: Tensor) -> Tensor:
    """Peak signal to noise ratio of each picture in [0, 1], -10 log₁₀ of its mean squared error.

    Returns:
        (N,) dB; every 10 dB are a tenth of the error. Equal pictures give infinity.
    """
    return -10 * (pictures - truth).square().flatten(1).mean(1).log10()


def ssim(pictures: Tensor, truth: Tensor, window: int = 11, sigma: float = 1.5) -> Tensor:
    """Structural similarity of each picture in [0, 1] to the truth (Wang et al. 2004).

    In every window, with Gaussian weights, the means m, the variances s² and the covariance v of
    the two are compared,

        (2 m m' + c) / (m² + m'² + c) · (2 v + d) / (s² + s'² + d),

    with c = 0.01² and d = 0.03². The result is averaged over the places where the whole window
    lies in the picture, and over the channels.

    Args:
        pictures, truth: (N, C, H, W) each.
        window: its side in pixels, odd.
        sigma: standard deviation of the weights in pixels.

    Returns:
        (N,) at most 1, which only equal pictures reach.

    Raises:
        ValueError: two different shapes, or pictures smaller than the window.
    """
    if pictures.shape != truth.shape or pictures.dim() != 4:
        raise ValueError(
            f"SSIM compares (N, C, H, W) with as many; these are {tuple(pictures.shape)} and "
            f"{tuple(truth.shape)}."
        )
    if min(pictures.shape[2:]) < window:
        raise ValueError(
            f"A window of {window} pixels does not fit into pictures of {pictures.shape[2]} by "
            f"{pictures.shape[3]}."
        )
    # In double precision where there is any: variances are small differences of large numbers.
    kind = torch.float32 if pictures.device.type == "mps" else torch.float64
    x, y = pictures.to(kind), truth.to(kind)
    down, across = (_gaussian_windows(size, window, sigma).to(x) for size in x.shape[2:])

    def blurred(some: Tensor) -> Tensor:
        return down @ some @ across.T

    mean_x, mean_y = blurred(x), blurred(y)
    spread = blurred(x * x) + blurred(y * y) - mean_x**2 - mean_y**2
    together = blurred(x * y) - mean_x * mean_y
    c, d = 0.01**2, 0.03**2
    light = (2 * mean_x * mean_y + c) / (mean_x**2 + mean_y**2 + c)
    structure = (2 * together + d) / (spread + d)
    return (light * structure).flatten(1).mean(1).float()


def _gaussian_windows(size: int, window: int, sigma: float) -> Tensor:
    """(size - window + 1, size): one row of Gaussian weights for each place of a window."""
    places = torch.arange(window, dtype=torch.float64) - (window - 1) / 2
    weights = (-(places**2) / (2 * sigma**2)).exp()
    rows = torch.zeros(size - window + 1, size, dtype=torch.float64)
    for start, row in enumerate(rows):
        row[start : start + window] = weights / weights.sum()
    return rows


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """How far two heaps of features are apart, each taken for a Gaussian (Fréchet 1957).

        ‖μ₁ - μ₂‖² + tr(Σ₁ + Σ₂ - 2 (Σ₁ Σ₂)^½)

    With the features of an Inception network this is FID (Heusel et al. 2017).

    Args:
        first, second: (N, k) and (M, k) features, more rows than columns.

    Returns:
        0 where the means and covariances agree, and more the less they do.

    Raises:
        ValueError: heaps of different width, or with fewer than two rows.
    """
    if first.dim() != 2 or first.shape[1:] != second.shape[1:] or min(len(first), len(second)) < 2:
        raise ValueError(
            f"The heaps have shapes {tuple(first.shape)} and {tuple(second.shape)}; give rows of "
            "equally many features, two or more."
        )
    a, b = first.cpu().double(), second.cpu().double()  # not every device has double precision
    product = a.T.cov() @ b.T.cov()
    root = torch.linalg.eigvals(product).real.clamp(min=0).sqrt().sum()
    spread = a.T.cov().trace() + b.T.cov().trace() - 2 * root
    return ((a.mean(0) - b.mean(0)).square().sum() + spread).item()


def principal_angles(first: Tensor, second: Tensor) -> Tensor:
    """The angles between two subspaces, in degrees, the smallest first (Björck and Golub 1973).

    All are 0 where the two are the same subspace, whatever bases describe it.

    Args:
        first, second: (n, k) each; the columns span the subspaces.

    Returns:
        (k,) from 0 to 90.

    Raises:
        ValueError: the two have different shapes, or columns that are linearly dependent (to
            the precision they come in), which span less than they should.
    """
    if first.dim() != 2 or first.shape != second.shape:
        raise ValueError(
            f"The columns have shapes {tuple(first.shape)} and {tuple(second.shape)}; give as "
            "many for one subspace as for the other, both (n, k)."
        )
    bases = []
    for columns in (first.cpu(), second.cpu()):  # not every device has double precision
        if torch.linalg.matrix_rank(columns) < columns.shape[1]:
            raise ValueError("The columns are linearly dependent; they span a smaller subspace.")
        bases.append(torch.linalg.qr(columns.double()).Q)
    # The part of one basis that the other misses: its singular values are the sines, which stay
    # exact for small angles where cosines round to 1.
    missed = bases[1] - bases[0] @ (bases[0].T @ bases[1])
    return torch.linalg.svdvals(missed).clamp(max=1).asin().rad2deg().flip(0)


@torch.no_grad()  # the derivatives are taken all the same
def jacobian_norm(encode, images: Tensor) -> Tensor:
    """‖∂h/∂x‖, the Frobenius norm of the encoder's Jacobian at each picture, by autograd.

    Args:
        encode: pictures (N, C, H, W) -> codes (N, d), each picture by itself.
        images: (N, C, H, W); N · d · pixels numbers are held in memory.

    Returns:
        (N,).
    """
    one = torch.func.jacrev(lambda image: encode(image[None])[0])
    return torch.func.vmap(one)(images).flatten(1).norm(dim=1)


def linear_probe(
    codes: Tensor, labels: Tensor, test_codes: Tensor, test_labels: Tensor, ridge: float = 0.01
) -> float:
    """The share of test pictures that a linear classifier on frozen codes puts in their class.

    Least squares on one-hot targets over standardised codes, with a small ridge: solved exactly,
    so nothing depends on the luck of another training.

    Args:
        codes: (N, d), of labelled pictures to learn from.
        labels: (N,) classes from 0.
        ridge: added to the diagonal of the codes' correlation matrix.

    Returns:
        accuracy from 0 to 1.
    """
    # In double precision, which not every device has: codes can be close to dependent.
    codes, test_codes = codes.cpu().double(), test_codes.cpu().double()
    labels, test_labels = labels.cpu(), test_labels.cpu()
    mean, spread = codes.mean(0), codes.std(0) + 1e-3
    codes, test_codes = (codes - mean) / spread, (test_codes - mean) / spread
    targets = F.one_hot(labels).double()
    frequency = targets.mean(0)
    correlation = codes.T @ codes / len(codes)
    correlation.diagonal().add_(ridge)
    weights = torch.linalg.solve(correlation, codes.T @ (targets - frequency) / len(codes))
    guess = (frequency + test_codes @ weights).argmax(1)
    return (guess == test_labels).double().mean().item()


HIGH_QUALITY = 3.0  # a sample is of high quality within this many standard deviations of a mode


def coverage(samples: Tensor, mixture) -> dict[str, Tensor]:
    """How well samples cover a mixture of equal Gaussians, by the counts of Lin et al. (2018).

    Args:
        samples: (..., N, 2); leading dimensions are independent sets.
        mixture: `means` (K, 2) and `std`, as in `course_utils.data.mixtures`.

    Returns:
        each (...), one number a set:

        - "modes": modes with at least one high-quality sample, 0 to K. High quality is a distance
          to the mode of at most three standard deviations.
        - "heavy modes": modes with at least 1 % of all samples, high-quality ones counted.
        - "high quality": the share of high-quality samples, in [0, 1]; 0.989 of perfect ones.
        - "reverse KL": KL(samples, mixture) in nats over K + 1 bins, one a mode and one for all
          that is far from every mode. Without that last bin an untrained generator, whose
          samples have a nearest mode each, can look perfect.
    """
    modes = len(mixture.means)
    distance, nearest = torch.cdist(samples, mixture.means.to(samples)).min(dim=-1)
    bins = torch.where(distance <= HIGH_QUALITY * mixture.std, nearest, modes)
    share = F.one_hot(bins, modes + 1).float().mean(dim=-2)
    # The distance of a plane Gaussian's sample to its centre is Rayleigh distributed.
    missed = math.exp(-(HIGH_QUALITY**2) / 2)
    expected = torch.full_like(share, (1 - missed) / modes)
    expected[..., -1] = missed
    found = share[..., :-1]
    return {
        "modes": (found > 0).sum(-1),
        "heavy modes": (found >= 0.01).sum(-1),
        "high quality": found.sum(-1),
        "reverse KL": torch.special.xlogy(share, share / expected).sum(-1),
    }
