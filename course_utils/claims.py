"""A statement of the lecture, held against what was just measured, derived or read.

The mark in front of it says what kind of evidence stands behind it: ✔ an experiment that could
have failed, ≡ an identity that is true whatever the data, ▣ a run that ships with the course.
"""

from __future__ import annotations

import os

from .session.records import FAILED, MARKS, say


class ClaimFailed(AssertionError):
    """A statement that the numbers do not bear out."""


def claim(statement: str, holds: bool, figures: str = "", *, stored: str = "") -> None:
    """Print that an experiment bears the statement out, with its figures, or raise, naming them.

    Args:
        statement: what the lecture says, as a sentence.
        holds: the comparison that was measured, as one truth value: a bool, or a tensor or
            NumPy value of one bool. A number is refused, for it would always hold.
        figures: the numbers behind it; they are printed in square brackets, which is what the
            notebook tests allow to differ from machine to machine.
        stored: where the numbers were read and not measured here, the name of the table or
            weights they come from.

    Raises:
        ClaimFailed: the claim is false. With COURSE_CLAIMS=collect it is printed instead, so
            that a run over many seeds can count.
        ValueError: there are square brackets in the text, or `holds` is not one truth value.

    Example:
        >>> claim("two is even", 2 % 2 == 0, "2")
        ✔ two is even [2]
    """
    if stored:
        _hold("stored", statement, holds, figures, stored=stored)
    else:
        _hold("claim", statement, holds, figures)


def check(statement: str, holds: bool, figures: str = "") -> None:
    """Like `claim`, of what is true whatever the data.

    An identity, a formula against a second derivation, or code against a library.

    Args and errors: those of `claim`.

    Example:
        >>> check("2 (a + b) = 2 a + 2 b", 2 * (3 + 4) == 2 * 3 + 2 * 4)
        ≡ 2 (a + b) = 2 a + 2 b
    """
    _hold("check", statement, holds, figures)


def _hold(kind: str, statement: str, holds: bool, figures: str, **more) -> None:
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
