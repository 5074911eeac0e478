"""The table of odd inputs: what people really hand in, and what must happen.

One row is a call, what is odd about it, and its outcome: it works, or it is refused in one sentence
that says what to do. The next fault that somebody reports is one more row in the file of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LONGEST = 400  # characters of a refusal: more is no sentence, but a dump


@dataclass(frozen=True)
class Row:
    """An odd input and its outcome.

    Attributes:
        what: the situation, as in "a test split that lacks a class of train"; names the test.
        do: the call; is given an empty folder of its own.
        words: a pattern of what the refusal says; None where the call must work.
        kind: the exceptions that may carry the refusal.
        holds: what must hold of the result of a call that works.
    """

    what: str
    do: Callable[[Path], object]
    words: str | None = None
    kind: type[BaseException] | tuple[type[BaseException], ...] = (ValueError, TypeError)
    holds: Callable[[object], bool] = lambda result: True


def refused(what: str, do: Callable[[Path], object], words: str, kind=None) -> Row:
    """A call that must be refused, in a sentence in which the pattern `words` is found."""
    return Row(what, do, words, kind or (ValueError, TypeError))


def works(what: str, do: Callable[[Path], object], holds: Callable[[object], bool]) -> Row:
    """A call that must work, and what must then hold of its result."""
    return Row(what, do, holds=holds)


def try_row(row: Row, folder: Path) -> None:
    """Make the call of a row, and hold its outcome."""
    if row.words is None:
        result = row.do(folder)
        assert row.holds(result), f"{row.what}: {result!r}"
        return
    try:
        result = row.do(folder)
    except row.kind as error:
        # A KeyError shows its message in quotation marks; people read what is in them.
        message = str(error.args[0]) if isinstance(error, KeyError) else str(error)
        assert re.search(row.words, message), f"{row.what}: {message}"
        assert len(message) <= LONGEST, f"{row.what}: {len(message)} characters: {message}"
        return
    raise AssertionError(f"{row.what}: not refused, but gave {str(result)[:200]}")
