"""What latent codes are like: active, informative, close to the prior."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..losses import of_dimensions, same_shape
from ..session.arguments import real, whole


def active_units(mu: Tensor, threshold: float = 0.01) -> Tensor:
    """Which latent dimensions are active: those whose E[z|x] varies over the data.

    The statistic of Burda et al. (2016): the variance of E[z|x] over the data is above 0.01.

    Args:
        mu: (N, d) posterior means over a dataset.
        threshold: the variance above which a unit counts as active.

    Returns:
        (d,) booleans.

    Raises:
        ValueError: `mu` is not (N, d), or of one image.

    Example:
        >>> mu = torch.tensor([[-1.0, 0.0], [1.0, 0.01]])  # the second hardly depends on x
        >>> active_units(mu)
        tensor([ True, False])
    """
    of_dimensions(2, "(N, d)", mu=mu)
    if len(mu) < 2:
        raise ValueError(
            "One code has no variance; give the posterior means of two or more images."
        )
    return mu.var(0) > real(threshold, "threshold", "a finite number")


def prior_coverage(mu: Tensor, logvar: Tensor, draws: int = 2000, reach: float = 2.0) -> float:
    """The share of draws from the prior N(0, I) that lie close to some posterior.

    Close means within `reach` standard deviations of that posterior. At 1 the decoder has been
    trained near every z that the prior draws; 1 minus the result is the share of draws that fall
    into gaps between the posteriors.

    Args:
        mu, logvar: (N, d) each, the posteriors of a dataset.
        draws: how many z are drawn from the prior, with torch's random numbers.
        reach: the largest distance, in standard deviations of the posterior.

    Returns:
        a number in [0, 1].

    Raises:
        ValueError: the two have different shapes, or a number cannot be used.

    Example:
        >>> prior_coverage(torch.zeros(1, 1), logvar=torch.full((1, 1), 9.0))  # σ = 90
        1.0
    """
    same_shape(mu=mu, logvar=logvar)
    of_dimensions(2, "(N, d)", mu=mu)
    draws = whole(draws, "draws")
    reach = real(reach, "reach", "a number of at least 0", lambda far: far >= 0)
    z = torch.randn(draws, mu.shape[1], device=mu.device)
    nearest = torch.full((draws,), float("inf"), device=mu.device)
    for part_mu, part_logvar in zip(mu.split(1000), logvar.split(1000)):
        distance = (z[:, None] - part_mu).square() / part_logvar.exp()
        nearest = torch.minimum(nearest, distance.sum(-1).min(1).values)
    return (nearest < reach**2).float().mean().item()


def nearest_code_distance(mu: Tensor, logvar: Tensor) -> float:
    """The distance from a posterior to the nearest other one, in its own standard deviations.

    The median over a dataset. Far above 1 there are gaps between the posteriors; below 1
    neighbouring posteriors overlap.

    Args:
        mu, logvar: (N, d) each, the posteriors of a dataset, N of 2 or more.

    Returns:
        a number, at least 0.

    Raises:
        ValueError: the two have different shapes, or there is one posterior only.

    Example:
        >>> mu = torch.tensor([[0.0], [3.0]])
        >>> nearest_code_distance(mu, logvar=torch.zeros(2, 1))  # σ = 1
        3.0
    """
    same_shape(mu=mu, logvar=logvar)
    of_dimensions(2, "(N, d)", mu=mu)
    if len(mu) < 2:
        raise ValueError("One posterior has no other beside it; give two or more.")
    # The matrix-product form of cdist loses the small distances that matter here.
    distance = torch.cdist(mu, mu, compute_mode="donot_use_mm_for_euclid_dist")
    distance.fill_diagonal_(float("inf"))
    sigma = (0.5 * logvar).exp().mean(1)
    return (distance.min(1).values / sigma).median().item()


def mutual_information(codes: Tensor, factors: Tensor, bins: int = 20) -> Tensor:
    """Mutual information of every latent dimension and every factor, from histograms, in nats.

    Each variable is cut into bins of equal counts, so the result does not depend on units.

    Args:
        codes: (N, d).
        factors: (N, f).
        bins: bins per variable.

    Returns:
        (d, f) at least 0.

    Raises:
        ValueError: other shapes or lengths, or fewer than one bin.
    """
    bins = _checked(codes, factors, bins)
    code_bins = _equal_count_bins(codes, bins)
    factor_bins = _equal_count_bins(factors, bins)
    return torch.stack(
        [
            torch.stack([_information(code, factor, bins) for factor in factor_bins.T])
            for code in code_bins.T
        ]
    )


def normalised_information(codes: Tensor, factors: Tensor, bins: int = 20) -> Tensor:
    """Mutual information as a share of each factor's entropy: 1 where z_i determines the factor.

    A factor that never changes has no entropy, and gets 0. A histogram of N examples overstates
    the information of independent variables by about (bins - 1)² / 2N nats.

    Args:
        codes: (N, d).
        factors: (N, f).
        bins: bins per variable.

    Returns:
        (d, f) in [0, 1].

    Raises:
        ValueError: as `mutual_information`.

    Example:
        >>> factor = torch.arange(100.0)[:, None]
        >>> normalised_information(codes=-factor, factors=factor, bins=4).round(decimals=3)
        tensor([[1.]])
    """
    bins = _checked(codes, factors, bins)
    binned = _equal_count_bins(factors, bins)
    entropy = torch.stack([_entropy(column, bins) for column in binned.T])
    information = mutual_information(codes, factors, bins)
    return torch.where(entropy > 0, information / entropy, torch.zeros_like(information))


def mutual_information_gap(codes: Tensor, factors: Tensor, bins: int = 20) -> Tensor:
    """The mutual information gap, MIG, of each factor (Chen et al. 2018).

    How much more information the best latent dimension has about a factor than the second best:
    1 where one latent dimension alone carries the factor, 0 where two carry it equally.

    Args:
        codes: (N, d) with d >= 2.
        factors: (N, f).
        bins: bins per variable.

    Returns:
        (f,) in [0, 1], as a share of each factor's entropy.

    Raises:
        ValueError: fewer than two latent dimensions, or as `mutual_information`.

    Example:
        >>> factor = torch.arange(100.0)[:, None]
        >>> alone = torch.cat([factor, 0 * factor], dim=1)
        >>> mutual_information_gap(alone, factor, bins=4).round(decimals=3)
        tensor([1.])
    """
    _checked(codes, factors, bins)
    if codes.shape[1] < 2:
        raise ValueError("The gap needs two latent dimensions or more: it compares the best two.")
    best = normalised_information(codes, factors, bins).topk(2, dim=0).values
    return best[0] - best[1]


def _checked(codes: Tensor, factors: Tensor, bins: int) -> int:
    """The number of bins as Python's, after a check of all three."""
    of_dimensions(2, "(N, d)", codes=codes)
    of_dimensions(2, "(N, f)", factors=factors)
    if len(codes) != len(factors) or not len(codes):
        raise ValueError(
            f"There are {len(codes)} codes and {len(factors)} rows of factors; give one row for "
            "each code."
        )
    return whole(bins, "bins", most=1000)  # bins² are counted


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


def principal_angles(first: Tensor, second: Tensor) -> Tensor:
    """The angles between two subspaces, in degrees, the smallest first (Björck and Golub 1973).

    All are 0 where the two are the same subspace, whatever bases describe it.

    Args:
        first, second: (n, k) each; the columns span the subspaces.

    Returns:
        (k,) from 0 to 90.

    Raises:
        ValueError: the two have different shapes, or columns that are linearly dependent to
            their precision, so that they span fewer than k dimensions.

    Example:
        >>> x_axis, diagonal = torch.tensor([[1.0], [0.0]]), torch.tensor([[1.0], [1.0]])
        >>> principal_angles(x_axis, diagonal).round().tolist()
        [45.0]
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
    """‖∂h/∂x‖, the Frobenius norm of the encoder's Jacobian at each image, by autograd.

    Args:
        encode: images (N, C, H, W) -> codes (N, d), each image by itself.
        images: (N, C, H, W); N · d · pixels numbers are held in memory.

    Returns:
        (N,) at least 0.

    Raises:
        ValueError: images of another number of dimensions.

    Example:
        >>> images = torch.rand(3, 1, 2, 2)
        >>> jacobian_norm(lambda x: 5 * x.flatten(1)[:, :1], images)  # h = 5 x₁
        tensor([5., 5., 5.])
    """
    of_dimensions(4, "(N, C, H, W)", images=images)
    one = torch.func.jacrev(lambda image: encode(image[None])[0])
    return torch.func.vmap(one)(images).flatten(1).norm(dim=1)


def linear_probe(
    codes: Tensor, labels: Tensor, test_codes: Tensor, test_labels: Tensor, ridge: float = 0.01
) -> float:
    """The accuracy on test images of a linear classifier on frozen codes.

    Least squares on one-hot targets over standardised codes, with a small ridge penalty: solved
    exactly, so that the result does not depend on a further training.

    Args:
        codes: (N, d), the codes of labelled images to learn from.
        labels: (N,) classes from 0.
        test_codes, test_labels: (M, d) and (M,), the same of the test images.
        ridge: added to the diagonal of the codes' correlation matrix.

    Returns:
        accuracy from 0 to 1.

    Raises:
        ValueError: codes of other shapes, not as many labels as codes, or labels that are no
            classes.

    Example:
        >>> codes, labels = torch.tensor([[-1.0], [-2.0], [1.0], [2.0]]), torch.tensor([0, 0, 1, 1])
        >>> linear_probe(codes, labels, test_codes=5 * codes, test_labels=labels)
        1.0
    """
    for what, rows, classes in (("", codes, labels), ("test_", test_codes, test_labels)):
        of_dimensions(2, "(N, d)", **{f"{what}codes": rows})
        of_dimensions(1, "(N,), one class a code", **{f"{what}labels": classes})
        if len(rows) != len(classes):
            raise ValueError(
                f"There are {len(rows)} {what}codes and {len(classes)} {what}labels; give one "
                "label for each code."
            )
        if classes.is_floating_point() or (classes < 0).any():
            raise ValueError(f"The {what}labels must be classes, whole numbers from 0 on.")
    if codes.shape[1] != test_codes.shape[1]:
        raise ValueError(
            f"The codes have {codes.shape[1]} numbers and the test_codes {test_codes.shape[1]}; "
            "give those of one encoder."
        )
    ridge = real(ridge, "ridge", "a number of at least 0", lambda size: 0 <= size < float("inf"))
    # In double precision, which not every device has: codes can be close to dependent.
    codes, test_codes = codes.cpu().double(), test_codes.cpu().double()
    labels, test_labels = labels.cpu(), test_labels.cpu()
    mean, spread = codes.mean(0), codes.std(0) + 1e-3
    codes, test_codes = (codes - mean) / spread, (test_codes - mean) / spread
    targets = F.one_hot(labels.long()).double()
    frequency = targets.mean(0)
    correlation = codes.T @ codes / len(codes)
    correlation.diagonal().add_(ridge)
    weights = torch.linalg.solve(correlation, codes.T @ (targets - frequency) / len(codes))
    guess = (frequency + test_codes @ weights).argmax(1)
    return (guess == test_labels).double().mean().item()
