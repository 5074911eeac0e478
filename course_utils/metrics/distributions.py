"""How far a generated distribution is from the data: modes, quality, Fréchet distance."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ..losses import of_dimensions
from ..session.arguments import shown


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
