"""Search: what lies nearest, and how much of it was wanted."""

from __future__ import annotations

import torch
from torch import Tensor


def euclidean(queries: Tensor, gallery: Tensor) -> Tensor:
    """Distances (Q, N) between codes, or images, (Q, ...) and (N, ...)."""
    return torch.cdist(queries.flatten(1).float(), gallery.flatten(1).float())


def hamming(queries: Tensor, gallery: Tensor) -> Tensor:
    """In how many bits codes differ, (Q, N), for booleans (Q, bits) and (N, bits).

    Raises:
        ValueError: codes that are not booleans.
    """
    for codes in (queries, gallery):
        if codes.dtype != torch.bool:
            raise ValueError(f"Hamming distance is for booleans; threshold these {codes.dtype}.")
    ones, others = queries.float(), gallery.float()
    # |a xor b| = |a| + |b| - 2 |a and b|, so that one matrix product compares all with all.
    return ones.sum(1)[:, None] + others.sum(1) - 2 * ones @ others.T


def ranked(distances: Tensor) -> Tensor:
    """Positions in the gallery, nearest first, (Q, N); equal distances keep the gallery's order."""
    return distances.sort(dim=1, stable=True).indices


def precision_at(hits: Tensor, k: int) -> Tensor:
    """The share of the first k found that were wanted, (Q,), from ranked hits (Q, N) of booleans.

    Raises:
        ValueError: there are fewer than k.
    """
    if not 1 <= k <= hits.shape[1]:
        raise ValueError(f"There are {hits.shape[1]} ranked images; ask for 1 to that many.")
    return hits[:, :k].float().mean(1)


def average_precision(hits: Tensor) -> Tensor:
    """The precision at the rank of every wanted image, averaged over them, (Q,).

    1 where all wanted ones come first. A query with nothing to find has 0.

    Args:
        hits: (Q, N) booleans, ranked: whether the image at each rank was wanted.
    """
    hits = hits.float()
    ranks = torch.arange(1, hits.shape[1] + 1, device=hits.device)
    precision = hits.cumsum(1) / ranks
    return (precision * hits).sum(1) / hits.sum(1).clamp(min=1)
