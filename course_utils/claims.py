"""A statement of the lecture, held against what was just measured."""

from __future__ import annotations

import os


class ClaimFailed(AssertionError):
    """A claim that the measurement does not bear out."""


def claim(statement: str, holds: bool, figures: str = "") -> None:
    """Print that the statement holds, with its figures, or raise, naming them.

    Args:
        statement: what the lecture says, as a sentence.
        holds: the comparison that was measured, as one truth value (bool or a tensor of one).
        figures: the numbers behind it; they are printed in square brackets, which is what the
            notebook tests allow to differ from machine to machine.

    Raises:
        ClaimFailed: the claim is false. With COURSE_CLAIMS=collect it is printed instead, so
            that a run over many seeds can count.
        ValueError: `figures` has square brackets of its own, or `holds` is not one truth value.
    """
    if "[" in figures or "]" in figures:
        raise ValueError(f"Leave square brackets out of the figures of a claim: {figures!r}.")
    if getattr(holds, "numel", lambda: 1)() != 1 or isinstance(holds, (str, list, tuple)):
        raise ValueError("A claim needs one truth value; reduce the comparison with .all().")
    brackets = f" [{figures}]" if figures else ""
    if bool(holds):
        print(f"✔ {statement}{brackets}")
    elif os.environ.get("COURSE_CLAIMS") == "collect":
        print(f"✘ {statement}{brackets}")
    else:
        raise ClaimFailed(f"This did not hold here: {statement}{brackets}")
