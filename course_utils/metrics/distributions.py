"""How far a generated distribution is from the data: modes, Fréchet distance, density, coverage."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ..losses import of_dimensions
from ..session.arguments import shown, whole


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """The distance between two sets of features, each modelled as a Gaussian (Fréchet 1957).

        ‖μ₁ - μ₂‖² + tr(Σ₁ + Σ₂ - 2 (Σ₁ Σ₂)^½)

    With the features of an Inception network this is the FID (Heusel et al. 2017).

    Args:
        first, second: (N, k) and (M, k) features, more rows than columns.

    Returns:
        0 where the means and covariances agree, and larger the more they differ.

    Raises:
        ValueError: sets with different numbers of features, or with fewer than two rows.

    Example:
        >>> features = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])
        >>> round(frechet_distance(features, features + 3), 3)  # ‖μ₁ - μ₂‖² = 3² + 3²
        18.0
    """
    of_dimensions(2, "(N, k): rows of equally many features", first=first, second=second)
    if first.shape[1:] != second.shape[1:] or min(len(first), len(second)) < 2:
        raise ValueError(
            f"The features have shapes {tuple(first.shape)} and {tuple(second.shape)}; give rows "
            "of equally many features, two or more."
        )
    a, b = first.cpu().double(), second.cpu().double()  # not every device has double precision
    cov_a, cov_b = (some.T.cov().view(some.shape[1], -1) for some in (a, b))  # of one: no matrix
    root = torch.linalg.eigvals(cov_a @ cov_b).real.clamp(min=0).sqrt().sum()
    spread = cov_a.trace() + cov_b.trace() - 2 * root
    return ((a.mean(0) - b.mean(0)).square().sum() + spread).item()


ROWS_AT_ONCE = 1_000  # real rows whose distances are computed together
HIGH_QUALITY = 3.0  # a sample is of high quality within this many standard deviations of a mode


def coverage(samples: Tensor, mixture) -> dict[str, Tensor]:
    """How well samples cover a mixture of equal Gaussians, by the counts of Lin et al. (2018).

    Args:
        samples: (..., N, 2); leading dimensions are independent sets.
        mixture: `means` (K, 2) and `std`, as in `course_utils.data.mixtures`.

    Returns:
        name -> (...), one number per set:

        - "modes": modes with at least one high-quality sample, 0 to K. High quality is a distance
          to the mode of at most three standard deviations.
        - "heavy modes": modes that hold at least 1 % of all samples, counting high-quality
          samples only.
        - "high quality": the share of high-quality samples, in [0, 1]; 0.989 for samples of the
          mixture itself.
        - "reverse KL": KL(samples ‖ mixture) in nats over K + 1 bins, one per mode and one for
          all samples that are far from every mode. Without that last bin an untrained generator
          could look perfect, because each of its samples has a nearest mode.
        - "share KL": KL(shares ‖ uniform) in nats of the shares of the modes among the high-quality
          samples alone, as the released code of Lin et al. computes it: log K minus the entropy.
          It does not see how many samples are off every mode; NaN where all are.

    Raises:
        ValueError: the samples are no points of the plane.

    Example:
        >>> from course_utils.data import mixtures
        >>> ring = mixtures.ring(modes=8)
        >>> coverage(ring.means[:3], ring)["modes"]  # one sample on each of three modes
        tensor(3)
    """
    if not isinstance(samples, Tensor) or samples.dim() < 2 or samples.shape[-1] != 2:
        raise ValueError(f"The samples are {shown(samples)}; give points of a plane, (..., N, 2).")
    modes = len(mixture.means)
    distance, nearest = torch.cdist(samples, mixture.means.to(samples)).min(dim=-1)
    bins = torch.where(distance <= HIGH_QUALITY * mixture.std, nearest, modes)
    share = F.one_hot(bins, modes + 1).float().mean(dim=-2)
    # The distance of a plane Gaussian's sample to its centre is Rayleigh distributed.
    missed = math.exp(-(HIGH_QUALITY**2) / 2)
    expected = torch.full_like(share, (1 - missed) / modes)
    expected[..., -1] = missed
    found = share[..., :-1]
    among_good = found / found.sum(-1, keepdim=True)  # 0 / 0, not a number, where none is good
    return {
        "modes": (found > 0).sum(-1),
        "heavy modes": (found >= 0.01).sum(-1),
        "high quality": found.sum(-1),
        "reverse KL": torch.special.xlogy(share, share / expected).sum(-1),
        "share KL": torch.special.xlogy(among_good, among_good * modes).sum(-1),
    }


def density_and_coverage(real: Tensor, fake: Tensor, nearest: int = 5) -> dict[str, float]:
    """Whether samples lie where the data lie, and whether they lie everywhere there.

    The measures of Naeem et al. (ICML 2020). Around each real row lies a ball that reaches to its
    `nearest`-th neighbour among the other real rows.

        density  = (number of pairs, a fake row in the ball of a real row) / (nearest · M)
        coverage = the share of real rows whose ball holds at least one fake row

    Samples of the data's own distribution have an expected density of 1 and, for N = M, an expected
    coverage near 1 - 2 ** -nearest, 0.97 for five: the chance that of the five rows that are
    closest to a real one, real and fake together, at least one is fake. Both depend on N, M and
    the features: compare only figures for which they agree.

    Args:
        real: (N, d) features of real images, N > nearest.
        fake: (M, d) features of generated ones, M >= 1.
        nearest: which neighbour among the real rows sets the radius, 1 or more. As in the
            authors' released code, a fake row exactly at the radius lies outside.

    Returns:
        "density", 0 or more (above 1 where the samples crowd where the data are dense), and
        "coverage", in [0, 1].

    Raises:
        ValueError: no rows of equally many features, no fake row, or no more real ones than
            `nearest`.

    Example:
        >>> real = torch.tensor([[0.0], [1.0], [3.0], [7.0]])  # radii 1, 1, 2, 4
        >>> density_and_coverage(real, torch.tensor([[0.5], [2.0]]), nearest=1)
        {'density': 1.5, 'coverage': 0.75}
    """
    of_dimensions(2, "(N, d): rows of equally many features", real=real, fake=fake)
    if real.shape[1:] != fake.shape[1:] or len(real) < 2 or not len(fake):
        raise ValueError(
            f"The features have shapes {tuple(real.shape)} and {tuple(fake.shape)}; give rows of "
            "equally many features, two or more real ones and at least one fake one."
        )
    nearest = whole(nearest, "nearest", most=len(real) - 1)  # a row is not its own neighbour
    real, fake = real.detach().cpu().double(), fake.detach().cpu().double()
    pairs, covered = 0, 0
    for first in range(0, len(real), ROWS_AT_ONCE):  # (N, N) distances need not fit the memory
        rows = real[first : first + ROWS_AT_ONCE]
        among_real = torch.cdist(rows, real)
        among_real[range(len(rows)), range(first, first + len(rows))] = math.inf  # not itself
        radius = among_real.kthvalue(nearest, dim=1, keepdim=True).values
        inside = torch.cdist(rows, fake) < radius
        pairs += inside.sum().item()
        covered += inside.any(1).sum().item()
    return {"density": pairs / (nearest * len(fake)), "coverage": covered / len(real)}
