"""The factors of a face as one vector: a condition for a generator, or a target of a regressor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from .face_factors import CHOICES, FACTORS, RANGES

YES_OR_NO = ("glasses", "beard")


def width(name: str) -> int:
    """How many dimensions a factor takes: 1, 2 for the wall's colour, or one for each choice.

    Args:
        name: the factor.

    Raises:
        ValueError: there is no such factor.

    Example:
        >>> width("smile"), width("background"), width("hair_style")
        (1, 2, 8)
    """
    if name not in FACTORS:
        raise ValueError(f"There is no factor {name!r}; a face has {', '.join(FACTORS)}.")
    if name in RANGES or name in YES_OR_NO:
        return 2 if name == "background" else 1
    return len(CHOICES[name])


def encode(factors: Mapping[str, Tensor], names: Sequence[str]) -> Tensor:
    """The named factors of N faces as vectors.

    Continuous factors are scaled to [-1, 1]; the wall's colour, which is periodic, becomes a point
    on the unit circle; glasses and beard are 0 or 1; every other choice is one-hot. An age between
    two stages is a mixture of both.

    Args:
        factors: name -> (N,), as from `sample_factors`; other factors may be missing.
        names: which factors, and in which order.

    Returns:
        (N, k) float32, k being the sum of the factors' widths.

    Raises:
        ValueError: an unknown name, or one that `factors` lacks.

    Example:
        >>> factors = {"smile": torch.tensor([1.0]), "age": torch.tensor([0.5])}
        >>> encode(factors, ["smile", "age"])  # half child, half adult
        tensor([[1.0000, 0.5000, 0.5000, 0.0000]])
    """
    for name in names:
        width(name)  # refuses unknown names
        if name not in factors:
            raise ValueError(f"The factor {name!r} is missing; these are {', '.join(factors)}.")
    return torch.cat([_encode_one(name, torch.as_tensor(factors[name])) for name in names], dim=1)


def decode(vectors: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
    """The factors nearest to given vectors or outputs of a network: the inverse of `encode`.

    Args:
        vectors: (N, k).
        names: which factors, and in which order.

    Returns:
        name -> (N,): float32 within the range of a continuous factor, int64 for choices.

    Raises:
        ValueError: k is not the sum of the factors' widths.
    """
    widths = [width(name) for name in names]
    if vectors.dim() != 2 or vectors.shape[1] != sum(widths):
        shape = tuple(vectors.shape)
        raise ValueError(f"{list(names)} take vectors (N, {sum(widths)}); these are {shape}.")
    parts = zip(names, vectors.split(widths, dim=1), strict=True)
    return {name: _decode_one(name, part) for name, part in parts}


def _encode_one(name: str, values: Tensor) -> Tensor:
    if name == "background":
        angle = 2 * math.pi * values.float()
        return torch.stack([angle.cos(), angle.sin()], dim=1)
    if name in RANGES:
        low, high = RANGES[name]
        return (2 * (values.float() - low) / (high - low) - 1)[:, None]
    if name in YES_OR_NO:
        return values.float()[:, None]
    if name == "age":
        stages = torch.arange(len(CHOICES["age"]), device=values.device)
        return (1 - (values.float()[:, None] - stages).abs()).clamp(min=0)
    return one_hot(values.long(), len(CHOICES[name])).float()


def _decode_one(name: str, part: Tensor) -> Tensor:
    if name == "background":
        return (torch.atan2(part[:, 1], part[:, 0]) / (2 * math.pi)) % 1
    if name in RANGES:
        low, high = RANGES[name]
        return low + (high - low) * (part[:, 0].clamp(-1, 1) + 1) / 2
    if name in YES_OR_NO:
        return (part[:, 0] > 0.5).long()
    return part.argmax(dim=1)
