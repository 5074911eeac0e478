"""What drawn sets share: factors that are held or refused, and how many images fit into memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from ..session.arguments import real, shown, whole


def held(fixed: Mapping[str, float] | None, known: Iterable[str], count: int) -> dict[str, Tensor]:
    """What a caller fixes, as factors.

    Args:
        fixed: name -> number; None is nothing.
        known: the names of all factors.
        count: of the images.

    Returns:
        name -> (count,) float32.

    Raises:
        ValueError: it is no mapping, a name is unknown, or a value is no finite number.

    Example:
        >>> held({"smile": 1}, ["smile", "tilt"], 2)
        {'smile': tensor([1., 1.])}
    """
    if fixed is None:
        return {}
    known = list(known)
    if not isinstance(fixed, Mapping):
        raise ValueError(f"fixed is {shown(fixed)}; give names and numbers, {{{known[0]!r}: 0.5}}.")
    if unknown := [name for name in fixed if name not in known]:
        raise ValueError(f"There are no factors {unknown}; choose from {', '.join(known)}.")
    return {
        name: torch.full((count,), real(value, f"The fixed {name}", "a finite number"))
        for name, value in fixed.items()
    }


def check_factors(
    factors: Mapping[str, Tensor], ranges: Mapping[str, tuple[float, float]], what: str
) -> None:
    """Refuse factors that do not describe one or more things.

    Args:
        factors: name -> (N,) numbers.
        ranges: every name -> the ends between which its numbers lie.
        what: what they describe, for the sentence.

    Raises:
        ValueError: a factor is missing, unknown, of another shape or out of its range.

    Example:
        >>> check_factors({"smile": torch.tensor([0.5])}, {"smile": (0.0, 1.0)}, "a face")
    """
    if missing := [name for name in ranges if name not in factors]:
        raise ValueError(
            f"The factors {missing} are missing; sample_factors gives all of them: {what} has the "
            f"factors {list(ranges)}."
        )
    if unknown := [name for name in factors if name not in ranges]:
        raise ValueError(f"There are no factors {unknown}; {what} has {list(ranges)}.")
    values = {name: torch.as_tensor(given) for name, given in factors.items()}
    shapes = {name: tuple(given.shape) for name, given in values.items()}
    if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
        raise ValueError(f"Every factor needs the same shape (N,), but the shapes are {shapes}.")
    for name, given in values.items():
        low, high = ranges[name]
        if not ((given >= low) & (given <= high)).all():
            raise ValueError(f"Every {name} must lie between {low} and {high}, and one does not.")


def drawable(size, seed, *shape: int, name: str = "size") -> tuple[int, int]:
    """The number of images of a drawn set and its seed, as Python's whole numbers.

    Args:
        size: how many images.
        seed: of the random numbers.
        shape: of an image.
        name: of the argument `size`, for the sentence.

    Raises:
        ValueError: one is no whole number or negative, or so many images fill no memory there is.

    Example:
        >>> drawable(10, 0, 1, 28, 28)
        (10, 0)
    """
    size, seed = whole(size, name), whole(seed, "seed", least=0, most=2**62)
    filled = 4 * size * torch.Size(shape).numel()  # bytes of float32
    if filled > _memory():
        raise ValueError(
            f"{name} is {size:,}; such images would fill {filled / 2**30:,.0f} GiB of memory, and "
            f"this machine has {_memory() / 2**30:,.0f}; ask for fewer."
        )
    return size, seed


def _memory() -> int:
    """Bytes of memory of this machine; 64 GiB where the system does not tell."""
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", ()):
        return 2**36
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
