"""How an answer is checked: what is wrong is said, and why, one hint at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Real
from types import MappingProxyType

import torch
from torch import Tensor

from ..session.records import VERDICTS, say


class Wrong(Exception):
    """What is wrong with an answer, said to the student."""


def check(title: str, answer: Callable, examine: Callable[[Callable], str]) -> None:
    """Examine an answer and print one line: right, wrong and why, or not attempted.

    Args:
        title: the exercise, for example "Exercise 1".
        answer: the student's function. A stub returns `...` or None.
        examine: tries the function and raises `Wrong` with a hint; returns what to say when
            all is right.
    """
    try:
        praise = examine(answer)
    except _NotAttempted:
        verdict, words = "not attempted", "not attempted yet."
    except Wrong as hint:
        verdict, words = "wrong", str(hint)
    else:
        verdict, words = "right", praise
    say(f"{VERDICTS[verdict]} {title}: {words}", exercise=title, verdict=verdict)


class _NotAttempted(Exception):
    pass


def random_tensor(*shape: int, seed: int) -> Tensor:
    """Standard normal numbers, the same for a seed, that leave the notebook's dice alone."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def ask(answer: Callable, *arguments, crashes: Mapping[str, str] = MappingProxyType({})):
    """What the student's function returns; a crash in it becomes a hint with its message.

    Args:
        crashes: part of a crash's message -> what it means in this exercise.

    Raises:
        Wrong: the function is none, or raised.
    """
    if not callable(answer):
        raise Wrong(f"a function is needed here, and this is {type(answer).__name__}.")
    try:
        result = answer(*arguments)
    except Exception as error:
        crash = f"your function stopped with {type(error).__name__}: {error}"
        meaning = next((meaning for part, meaning in crashes.items() if part in crash), "")
        raise Wrong(f"{crash} ({meaning})" if meaning else crash) from error
    if result is None or result is Ellipsis:
        raise _NotAttempted
    return result


def ask_tensor(answer: Callable, *arguments, shape: tuple[int, ...], meaning: str) -> Tensor:
    """Like `ask`, and the result must be a tensor of finite floats of the given shape."""
    result = ask(answer, *arguments)
    if not isinstance(result, Tensor):
        raise Wrong(f"return a tensor; this is {type(result).__name__}.")
    if tuple(result.shape) != shape:
        raise Wrong(
            f"the result has shape {tuple(result.shape)} and should have {shape}: {meaning}."
        )
    if not result.is_floating_point() or not result.isfinite().all():
        raise Wrong(
            "the result has values that are not finite numbers; look for log(0) or an "
            "exp of something large."
        )
    return result


def as_number(result, wanted: str = "return one number", otherwise: str = "") -> Real:
    """A number, or a tensor of one, as a number.

    Args:
        wanted: what to return, said where it is neither.
        otherwise: what to do with a tensor of more numbers, or fewer.

    Raises:
        Wrong: it is neither.
    """
    if isinstance(result, Tensor):
        if result.numel() != 1:
            shape = tuple(result.shape)
            raise Wrong(f"{wanted}, not a tensor of shape {shape}{otherwise}.")
        result = result.item()
    if isinstance(result, bool) or not isinstance(result, Real):
        raise Wrong(f"{wanted}; this is {type(result).__name__}.")
    return result


def near(first: Tensor, second: Tensor, tolerance: float = 1e-4) -> bool:
    """Whether two tensors agree to a relative tolerance."""
    return torch.allclose(first.double(), second.double(), rtol=tolerance, atol=tolerance)
