"""Text from files and people, such as the names of files, where every reader can read it."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable

# What ends a line, moves the cursor or has no letter: control codes, the stand-ins for bytes that
# are no text, and the separators of lines and paragraphs.
UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
# They turn the direction of what follows, so that "exe.jpg" may be read backwards.
TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text, encoding: str | None = None) -> str:
    """`text` on one line, with a code such as "\\x1b" for what cannot be printed as it is.

    Args:
        text: a string, or what `str` makes one of: a path, an error.
        encoding: of the terminal, where what it has no letter for shall become a code too.

    Example:
        >>> print(printable("two\\nlines, \\x1b[31mred, \\udcff"))
        two\\nlines, \\x1b[31mred, \\udcff
        >>> print(printable("café 猫", "latin-1"))
        café \\u732b
    """
    shown = "".join(
        _code(letter) if letter in TURNS or unicodedata.category(letter) in UNPRINTABLE else letter
        for letter in str(text)
    )
    return shown.encode(encoding, "backslashreplace").decode(encoding) if encoding else shown


def some(names: Iterable[str], most: int = 3) -> str:
    """The first few of many names, printable, and how many more there are.

    Example:
        >>> some(["a", "b", "c", "d"])
        'a, b, c and 1 more'
    """
    names = [printable(name) for name in names]
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def print_line(text) -> None:
    """Print one line, whatever is in it and whatever the terminal has letters for."""
    print(printable(text, getattr(sys.stdout, "encoding", None)))


def _code(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
