"""A statement of the lecture, held against what was just measured."""

from __future__ import annotations

import os


class ClaimFailed(AssertionError):
    """A claim that the measurement does not bear out."""


def claim(statement: str, holds: bool, figures: str = "") -> None:
    """Print that the statement holds, with its figures, or raise, naming them.

    Args:
        statement: what the lecture says, as a sentence.
        holds: the comparison that was measured, as one truth value: a bool, or a tensor or
            NumPy value of one bool. A number is refused, for it would always hold.
        figures: the numbers behind it; they are printed in square brackets, which is what the
            notebook tests allow to differ from machine to machine.

    Raises:
        ClaimFailed: the claim is false. With COURSE_CLAIMS=collect it is printed instead, so
            that a run over many seeds can count.
        ValueError: there are square brackets in the text, or `holds` is not one truth value.
    """
    if any(bracket in statement + figures for bracket in "[]"):
        raise ValueError(f"Leave square brackets out of a claim: {statement!r}, {figures!r}.")
    kind = str(getattr(holds, "dtype", type(holds).__name__)).removeprefix("torch.")
    count = holds.numel() if hasattr(holds, "numel") else getattr(holds, "size", 1)
    if kind != "bool" or count != 1:
        raise ValueError(
            f"A claim needs one truth value, and this is {kind}: "
            "write a comparison, and reduce several with .all()."
        )
    brackets = f" [{figures}]" if figures else ""
    if bool(holds):
        print(f"✔ {statement}{brackets}")
    elif os.environ.get("COURSE_CLAIMS") == "collect":
        print(f"✘ {statement}{brackets}")
    else:
        raise ClaimFailed(f"This did not hold here: {statement}{brackets}")
