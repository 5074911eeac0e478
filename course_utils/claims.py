"""A statement of the lecture, held against what was just measured, derived or read.

The mark in front of it says what kind of evidence stands behind it: ✔ an experiment that could
have failed, ≡ an identity that is true whatever the data, ▣ a run that ships with the course.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

from .session.arguments import shown
from .session.records import FAILED, MARKS, say


class ClaimFailed(AssertionError):
    """A statement that the numbers do not bear out."""


@dataclass(frozen=True)
class Comparison:
    """A figure held against a threshold; `above` and `below` make one.

    Attributes:
        figure, threshold: what was measured, and what it is held against.
        sign: 1 where the figure must be above, -1 where it must be below.
    """

    figure: float
    threshold: float
    sign: int

    @property
    def holds(self) -> bool:
        """Whether the figure is on the right side; a figure that is not a number is on none."""
        return self.sign * (self.figure - self.threshold) > 0

    @property
    def margin(self) -> float:
        """How far it is on the right side, as a share of the threshold (or whole, where that is 0);
        negative on the wrong one."""
        return self.sign * (self.figure - self.threshold) / (abs(self.threshold) or 1.0)


def above(figure: float, threshold: float) -> Comparison:
    """A figure that must be larger than a threshold.

    Example:
        >>> claim("three is more than two", above(3, 2), "3")
        ✔ three is more than two [3]
    """
    return Comparison(float(figure), float(threshold), 1)


def below(figure: float, threshold: float) -> Comparison:
    """A figure that must be smaller than a threshold.

    Example:
        >>> round(below(0.02, 0.05).margin, 3)  # of the threshold
        0.6
    """
    return Comparison(float(figure), float(threshold), -1)


def claim(
    statement: str,
    holds: bool | Comparison | Sequence[Comparison],
    figures: str = "",
    *,
    stored: str = "",
) -> None:
    """Print that an experiment bears the statement out, with its figures, or raise, naming them.

    Args:
        statement: what the lecture says, as a sentence.
        holds: what was measured against its threshold, `above(figure, threshold)` or `below`, or
            several of them, which must all hold: how far each is from its threshold is recorded.
            Or one truth value: a bool, or a tensor or NumPy value of one bool. A number is
            refused, for it would always hold.
        figures: the numbers behind it; they are printed in square brackets, which is what the
            notebook tests allow to differ from machine to machine.
        stored: where the numbers were read and not measured here, the name of the table or
            weights they come from.

    Raises:
        ClaimFailed: the claim is false. With COURSE_CLAIMS=collect it is printed instead, so
            that a run over many seeds can count.
        ValueError: the text is none or has square brackets, or `holds` is not one truth value.

    Example:
        >>> claim("two is even", 2 % 2 == 0, "2")
        ✔ two is even [2]
    """
    if stored:
        _hold("stored", statement, holds, figures, stored=stored)
    else:
        _hold("claim", statement, holds, figures)


def check(
    statement: str, holds: bool | Comparison | Sequence[Comparison], figures: str = ""
) -> None:
    """Like `claim`, of what is true whatever the data.

    An identity, a formula against a second derivation, or code against a library.

    Args and errors: those of `claim`.

    Example:
        >>> check("2 (a + b) = 2 a + 2 b", 2 * (3 + 4) == 2 * 3 + 2 * 4)
        ≡ 2 (a + b) = 2 a + 2 b
    """
    _hold("check", statement, holds, figures)


def _hold(kind: str, statement: str, holds, figures: str, **more) -> None:
    compared = [holds] if isinstance(holds, Comparison) else holds
    if isinstance(compared, (list, tuple)) and compared:
        if not all(isinstance(each, Comparison) for each in compared):
            raise ValueError(
                "A claim needs one truth value, or figures held against thresholds by `above` and "
                f"`below`: {statement!r}."
            )
        nearest = min(
            compared, key=lambda each: each.margin if each.margin == each.margin else -math.inf
        )
        more |= {"figure": nearest.figure, "threshold": nearest.threshold, "margin": nearest.margin}
        holds = all(each.holds for each in compared)
    if not isinstance(statement, str) or not isinstance(figures, str):
        what = f"{shown(statement)} and {shown(figures)}"
        raise ValueError(f"A claim is a sentence, and its figures are text; these are {what}.")
    if any(bracket in statement + figures for bracket in "[]"):
        raise ValueError(f"Leave square brackets out of a claim: {statement!r}, {figures!r}.")
    type_name = str(getattr(holds, "dtype", type(holds).__name__)).removeprefix("torch.")
    count = holds.numel() if hasattr(holds, "numel") else getattr(holds, "size", 1)
    if type_name != "bool" or count != 1:
        raise ValueError(
            f"A claim needs one truth value, and this is {type_name}: "
            "write a comparison, and reduce several with .all()."
        )
    holds = bool(holds)
    said = f"{statement} [{figures}]" if figures else statement
    if not holds and os.environ.get("COURSE_CLAIMS") != "collect":
        raise ClaimFailed(f"This did not hold here: {said}")
    mark = MARKS[kind] if holds else FAILED
    say(f"{mark} {said}", claim=statement, holds=holds, figures=figures, kind=kind, **more)
