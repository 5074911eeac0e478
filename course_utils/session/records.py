"""One output for two readers: a line for people, and a record of the same for programs.

Claims, verdicts of exercises and the session's settings are shown this way. A notebook keeps the
record in the metadata of the output, under "course", where `authoring.notebooks.records` finds it,
so that nothing has to parse a printed sentence.
"""

from __future__ import annotations

import sys

KEY = "course"
# What stands in front of a statement that holds, by its kind, and of one that does not.
MARKS = {"claim": "✔", "check": "≡", "stored": "▣"}
FAILED = "✘"
# The same for the verdict on an exercise.
VERDICTS = {"right": "✔", "wrong": "✘", "not attempted": "○"}


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
        print(line)


def in_notebook() -> bool:
    """Whether a notebook's kernel runs this code. IPython is not imported to find out."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel")
