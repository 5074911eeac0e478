"""Numbers as people have them: Python's, NumPy's or torch's, taken alike or refused in a sentence.

Whole numbers stay whole: 2.0 is refused as 2.5 is, because a size that was divided is right only by
chance. Nothing here imports torch or NumPy.
"""

from __future__ import annotations

import math
import operator
import re
import reprlib
from collections.abc import Callable

LONGEST_NAME = 100  # characters: with what is added to it, a file system's limit is 255


def whole(value, name: str, least: int = 1, most: int | None = None) -> int:
    """`value` as an int of Python.

    Args:
        value: a whole number of Python or NumPy, or an array or tensor of one without dimensions.
        name: of the argument, for the sentence.
        least, most: the range, both included; None is no limit.

    Raises:
        ValueError: it is no whole number (2.0, True, "3"), or is out of range.

    Example:
        >>> import numpy
        >>> whole(numpy.int64(3), "size")
        3
    """
    number = as_whole(value)
    if number is None or number < least or (most is not None and number > most):
        reach = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name} is {shown(value)}; use a whole number {reach}.")
    return number


def real(value, name: str, wanted: str, fits: Callable[[float], bool] = math.isfinite) -> float:
    """`value` as a float of Python.

    Args:
        value: a number of Python or NumPy, or an array or tensor of one without dimensions.
        name: of the argument, for the sentence.
        wanted: which numbers it may be, as in "a number above 0".
        fits: whether a float is one of them; it is False for NaN.

    Raises:
        ValueError: it is no number, or none of these.

    Example:
        >>> real(1, "lr", "a number above 0", lambda rate: rate > 0)
        1.0
    """
    plain = hasattr(value, "__float__") and not _is_boolean(value) and not getattr(value, "ndim", 0)
    if not plain or not fits(float(value)):
        raise ValueError(f"{name} is {shown(value)}; use {wanted}.")
    return float(value)


def file_name(value, name: str) -> str:
    """`value`, a name from which files are called on every system.

    Args:
        value: a string of letters, digits, spaces and most signs.
        name: of the argument, for the sentence.

    Raises:
        ValueError: it is no string, empty or long, or holds signs that some file system refuses.

    Example:
        >>> file_name("faces, 10 epochs", "save")
        'faces, 10 epochs'
    """
    plain = isinstance(value, str) and value.strip() == value and 0 < len(value) <= LONGEST_NAME
    if not plain or value.startswith(".") or re.search(r'[/\\:*?"<>|\x00-\x1f\x7f]', value):
        raise ValueError(
            f"{name} is {shown(value)}; use a name of letters, digits and spaces, such as "
            f'"my run": files are called after it.'
        )
    return value


def shown(value) -> str:
    """A value in a few characters of one line, for a sentence about it."""
    shape = getattr(value, "shape", None)
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if shape is not None and len(shape):
        return f"{type(value).__name__} of shape {tuple(shape)}"
    return " ".join(reprlib.repr(value).split())


def as_whole(value) -> int | None:
    """`value` as an int; None where it is no whole number."""
    if _is_boolean(value) or getattr(value, "ndim", 0):
        return None
    try:
        return operator.index(value)  # only this tells a tensor of a whole number from a float's
    except TypeError:
        return None


def _is_boolean(value) -> bool:
    return isinstance(value, bool) or str(getattr(value, "dtype", "")).endswith("bool")
