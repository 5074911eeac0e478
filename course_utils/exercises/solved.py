"""What is solved in this session: `exercises.progress()`."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import ModuleType

from ..session.records import VERDICTS, say
from .checking import SAID
from .exercise import Exercise

NOT_TRIED = "not tried yet"


def progress(lesson: ModuleType) -> None:
    """Show each exercise of a lesson with its last verdict since the notebook was started.

    In a notebook it is called without an argument, `exercises.progress()`.

    Args:
        lesson: the file with its checks.

    Example:
        >>> from course_utils.exercises import start_here as exercises
        >>> SAID.clear()  # as in a notebook that was just started
        >>> exercises.check_receptive_field(lambda layers: 1)  # doctest: +ELLIPSIS
        ✘ Exercise 3, the receptive field: ...
        >>> exercises.progress()  # doctest: +ELLIPSIS
        ○ Exercise 1, Bayes' rule: ...
        ○ Exercise 2, a convolution as a matrix: ...
        ✘ Exercise 3, the receptive field: wrong
        0 of 3 exercises are solved.
    """
    checks = [value for name, value in vars(lesson).items() if name.startswith("check_")]
    titles = sorted((_title(check, lesson) for check in checks), key=_number)
    verdicts = {title: SAID.get(title, NOT_TRIED) for title in titles}
    solved = sum(verdict == "right" for verdict in verdicts.values())
    lines = [f"{VERDICTS.get(said, '○')} {title}: {said}" for title, said in verdicts.items()]
    lines.append(f"{solved} of {len(titles)} exercises are solved.")
    say("\n".join(lines), progress=verdicts)


def _title(check: Callable, lesson: ModuleType) -> str:
    """The title of an exercise; that of a procedural one stands in its code, or in its file."""
    if hasattr(check, "title"):
        return check.title
    words = [word for word in check.__code__.co_consts if isinstance(word, str)]
    words += [each.title for each in vars(lesson).values() if isinstance(each, Exercise)]
    numbered = re.match(r"Exercise \d+", check.__doc__ or "")
    start = numbered[0] if numbered else "Exercise "
    titles = [word for word in words if word.startswith(start) and word != check.__doc__]
    return titles[0] if titles else check.__name__.removeprefix("check_").replace("_", " ")


def _number(title: str) -> int:
    """The number in a title, behind all others where there is none."""
    found = re.search(r"\d+", title)
    return int(found[0]) if found else 99
