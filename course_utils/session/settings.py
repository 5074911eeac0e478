"""The environment variables that override what a session decides, checked in one place.

    COURSE_BUDGET    classroom (default) or full
    COURSE_SEED      a whole number
    COURSE_DEVICE    cpu, cuda, cuda:N or mps
    COURSE_PRECISION float32, bf16 or fp16
    COURSE_DATA, COURSE_RUNS: folders; they need not be there yet

An empty one means the default. Nothing here imports torch: the command line asks before it begins.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

BUDGETS = ("classroom", "full")
PRECISIONS = ("float32", "bf16", "fp16")
DEVICES = r"cpu|mps|cuda(:\d+)?"


class WrongSetting(ValueError):
    """A variable holds something that cannot be used; the message says what to set it to."""


def check() -> None:
    """Look at all of them.

    Raises:
        WrongSetting: one cannot be used.
    """
    budget(), seed(), device(), precision(), folder("COURSE_DATA"), folder("COURSE_RUNS")


def budget() -> str:
    """The budget, "classroom" unless COURSE_BUDGET says otherwise."""
    chosen = os.environ.get("COURSE_BUDGET") or BUDGETS[0]
    if chosen not in BUDGETS:
        raise WrongSetting(f"COURSE_BUDGET is {chosen!r}; set it to one of: {', '.join(BUDGETS)}.")
    return chosen


def seed(default: int = 0) -> int:
    """The seed, `default` unless COURSE_SEED says otherwise."""
    chosen = os.environ.get("COURSE_SEED") or str(default)
    if not re.fullmatch(r"[0-9]+", chosen) or int(chosen) >= 2**31 - 1:
        raise WrongSetting(
            f"The seed is {chosen!r}; give start, or COURSE_SEED, a whole number from 0 to 2³¹."
        )
    return int(chosen)


def device() -> str | None:
    """The device that COURSE_DEVICE names, None where it names none."""
    chosen = os.environ.get("COURSE_DEVICE") or None
    if chosen and not re.fullmatch(DEVICES, chosen):
        raise WrongSetting(f"COURSE_DEVICE is {chosen!r}; set it to cpu, cuda, cuda:N or mps.")
    return chosen


def precision() -> str | None:
    """The precision that COURSE_PRECISION names, None where it names none."""
    chosen = os.environ.get("COURSE_PRECISION") or None
    if chosen and chosen not in PRECISIONS:
        raise WrongSetting(f"COURSE_PRECISION is {chosen!r}; use {', '.join(PRECISIONS)}.")
    return chosen


def folder(variable: str) -> Path | None:
    """The folder that COURSE_DATA or COURSE_RUNS names, None where it names none."""
    chosen = os.environ.get(variable)
    if not chosen:
        return None
    expanded = os.path.expanduser(chosen)
    path = Path(expanded).absolute()
    there = next(above for above in (path, *path.parents) if os.path.lexists(above))
    if expanded.startswith("~") or not os.path.isdir(there):  # nobody's home, or a file
        raise WrongSetting(f"{variable} is {chosen!r}, which can be no folder; name another.")
    return path
