"""One output for two readers: a line for people, and a record of the same for programs.

Claims, verdicts of exercises and the session's settings are shown this way. A notebook keeps the
record in the metadata of the output, under "course", where `authoring.notebooks.records` finds it,
so that nothing has to parse a printed sentence.
"""

from __future__ import annotations

import codecs
import sys

KEY = "course"
# What stands in front of a statement that holds, by its kind, and of one that does not.
MARKS = {"claim": "✔", "check": "≡", "stored": "▣"}
FAILED = "✘"
# The same for the verdict on an exercise.
VERDICTS = {"right": "✔", "wrong": "✘", "not attempted": "○"}
# How they are spelt where the output has no such letters: on Windows, a file is of an old alphabet.
SPELT = {"✔": "+", "✘": "x", "≡": "=", "▣": "#", "○": "o", "·": "-", "×": "x", "−": "-", "…": "..."}


def say(line: str, **record) -> None:
    """Show a line; in a notebook, with the record in the output's metadata.

    Args:
        line: for people.
        record: for programs: strings, numbers, truth values, and lists and dictionaries of them.
    """
    if in_notebook():
        from IPython.display import publish_display_data

        publish_display_data({"text/plain": line}, {KEY: record})
    else:
        accept_any_letter(sys.stdout)
        print(line)


def accept_any_letter(stream) -> None:
    """Let a stream of text spell what its alphabet lacks, where it would end the program."""
    if getattr(stream, "errors", None) == "strict" and hasattr(stream, "reconfigure"):
        stream.reconfigure(errors=SPELLING)


def _spell(error: UnicodeEncodeError) -> tuple[str, int]:
    """A handler of `codecs`: marks by `SPELT`, and every other letter by its code."""
    letter = error.object[error.start]
    if letter in SPELT:
        return SPELT[letter], error.start + 1
    error.end = error.start + 1
    return codecs.backslashreplace_errors(error)


SPELLING = "course_utils"
codecs.register_error(SPELLING, _spell)


def in_notebook() -> bool:
    """Whether a notebook's kernel runs this code. IPython is not imported to find out."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel")
