"""Retrieval: the nearest neighbours of a query, and how many of them are relevant."""

from __future__ import annotations

import numpy
import torch
import torch.nn.functional as F
from torch import Tensor

from ..losses import of_dimensions
from ..session.arguments import whole


def _alike(queries: Tensor, gallery: Tensor) -> None:
    if queries.shape[1:] != gallery.shape[1:] or queries.dim() < 2:
        raise ValueError(
            f"The queries have the shape {tuple(queries.shape)} and the gallery "
            f"{tuple(gallery.shape)}; give (Q, ...) and (N, ...), alike but for the numbers."
        )


def euclidean(queries: Tensor, gallery: Tensor) -> Tensor:
    """Euclidean distances between codes, or between images.

    Args:
        queries, gallery: (Q, ...) and (N, ...).

    Returns:
        (Q, N) float32.

    Raises:
        ValueError: codes of different shapes.

    Example:
        >>> euclidean(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
        tensor([[5., 1.]])
    """
    _alike(queries, gallery)
    return torch.cdist(queries.flatten(1).float(), gallery.flatten(1).float())


def hamming(queries: Tensor, gallery: Tensor) -> Tensor:
    """Hamming distances: the number of bits in which binary codes differ.

    Args:
        queries, gallery: (Q, bits) and (N, bits) booleans.

    Returns:
        (Q, N) float32.

    Raises:
        ValueError: codes that are not booleans, or of different lengths.

    Example:
        >>> gallery = torch.tensor([[True, True, False], [False, False, False]])
        >>> hamming(gallery[:1], gallery)
        tensor([[0., 2.]])
    """
    _alike(queries, gallery)
    of_dimensions(2, "(N, bits)", queries=queries, gallery=gallery)
    for codes in (queries, gallery):
        if codes.dtype != torch.bool:
            raise ValueError(f"Hamming distance is for booleans; threshold these {codes.dtype}.")
    ones, others = queries.float(), gallery.float()
    # |a xor b| = |a| + |b| - 2 |a and b|, so that one matrix product compares all with all.
    return ones.sum(1)[:, None] + others.sum(1) - 2 * ones @ others.T


def packed(bits: Tensor) -> Tensor:
    """Binary codes as bytes, eight bits in each; the first bit is the lowest of the first byte.

    PyTorch stores a boolean in a byte of its own, so a code of 64 bits needs 64 bytes before and 8
    after.

    Args:
        bits: (N, bits) booleans; the number of bits is a multiple of 8.

    Returns:
        (N, bits / 8) uint8.

    Raises:
        ValueError: no booleans (N, bits), or bits that do not fill whole bytes.

    Example:
        >>> packed(torch.tensor([[True, False, True, False, False, False, False, False]]))
        tensor([[5]], dtype=torch.uint8)
    """
    of_dimensions(2, "(N, bits)", bits=bits)
    if bits.dtype != torch.bool:
        raise ValueError(f"Only booleans can be packed; threshold these {bits.dtype}.")
    if bits.shape[1] % 8 or not bits.shape[1]:
        raise ValueError(f"{bits.shape[1]} bits do not fill whole bytes; give a multiple of 8.")
    values = 2 ** torch.arange(8, device=bits.device, dtype=torch.uint8)
    return (bits.view(len(bits), -1, 8) * values).sum(2, dtype=torch.uint8)


def popcount(packed_bits: Tensor) -> Tensor:
    """How many bits are 1 in each packed code: the population count.

    On the CPU NumPy (from version 2) counts with the processor's own instruction. PyTorch has none,
    so on other devices a few operations on whole words do it.

    Args:
        packed_bits: (..., B) uint8, such as `packed` makes, or the XOR of two of them.

    Returns:
        (...) int64, from 0 to 8 B.

    Raises:
        ValueError: not bytes, or none of them.

    Example:
        >>> popcount(torch.tensor([[5, 255], [0, 1]], dtype=torch.uint8))
        tensor([10,  1])
    """
    if packed_bits.dtype != torch.uint8 or not packed_bits.dim() or not packed_bits.shape[-1]:
        raise ValueError(
            f"Bits are counted in bytes (..., B), uint8; these are {packed_bits.dtype} "
            f"{tuple(packed_bits.shape)}."
        )
    if missing := -packed_bits.shape[-1] % 8:
        packed_bits = F.pad(packed_bits, (0, missing))
    words = packed_bits.contiguous().view(torch.int64)
    if words.device.type == "cpu" and hasattr(numpy, "bitwise_count"):
        ones = torch.from_numpy(numpy.bitwise_count(words.numpy().view(numpy.uint64)))
    else:
        ones = _ones(words)
    return ones.squeeze(-1).long() if ones.shape[-1] == 1 else ones.sum(-1)


def _ones(words: Tensor) -> Tensor:
    """How many bits are 1 in each int64: in pairs, in fours, in eights, in all.

    Warren (2013), Hacker's Delight, section 5-1.
    """
    x = words - ((words >> 1) & 0x5555555555555555)
    x = (x & 0x3333333333333333) + ((x >> 2) & 0x3333333333333333)
    x = (x + (x >> 4)) & 0x0F0F0F0F0F0F0F0F
    return x * 0x0101010101010101 >> 56  # the sum of the eight bytes stands in the highest


def ranked(distances: Tensor) -> Tensor:
    """Positions in the gallery, nearest first; equal distances keep the order of the gallery.

    Args:
        distances: (Q, N).

    Returns:
        (Q, N) int64.

    Raises:
        ValueError: the distances are not (Q, N).

    Example:
        >>> ranked(torch.tensor([[0.3, 0.1, 0.2]]))
        tensor([[1, 2, 0]])
    """
    of_dimensions(2, "(Q, N)", distances=distances)
    return distances.sort(dim=1, stable=True).indices


def precision_at(hits: Tensor, k: int) -> Tensor:
    """Precision at k: the share of the first k results that are relevant.

    Args:
        hits: (Q, N) booleans, ranked: whether the result at each rank is relevant.
        k: how many results count, from 1 to N.

    Returns:
        (Q,) in [0, 1].

    Raises:
        ValueError: k is not from 1 to N.

    Example:
        >>> precision_at(torch.tensor([[True, False, True, True]]), k=2)
        tensor([0.5000])
    """
    of_dimensions(2, "(Q, N)", hits=hits)
    k = whole(k, "k", most=hits.shape[1])
    return hits[:, :k].float().mean(1)


def average_precision(hits: Tensor) -> Tensor:
    """Average precision: the precision at the rank of every relevant result, averaged over them.

    It is 1 where all relevant results come first, and 0 for a query without relevant results.

    Args:
        hits: (Q, N) booleans, ranked: whether the result at each rank is relevant.

    Returns:
        (Q,) in [0, 1].

    Raises:
        ValueError: the hits are not (Q, N).

    Example:
        >>> average_precision(torch.tensor([[True, False, False, True]]))  # (1/1 + 2/4) / 2
        tensor([0.7500])
    """
    of_dimensions(2, "(Q, N)", hits=hits)
    hits = hits.float()
    ranks = torch.arange(1, hits.shape[1] + 1, device=hits.device)
    precision = hits.cumsum(1) / ranks
    return (precision * hits).sum(1) / hits.sum(1).clamp(min=1)
