"""Measured tables that ship with the course: a JSON file each, in data/tables.

Like trained weights they are made by running the notebook itself, `python -m course_utils run 07
--budget full --publish`. The file holds a card, which says how and when the table was measured, and
the table, in numbers of four significant digits. What takes hours is made of parts (`parts.py`).
"""

from __future__ import annotations

import inspect
import json
import math
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..session import processes
from ..session.files import replacing
from ..session.lab import Lab
from .cards import card_of, hold_against, look_for, read_json, shipped_folder

DIGITS = 4
EXACT = 17  # digits that tell every number from the next


def tables_folder() -> Path:
    """Where the tables that ship lie."""
    return shipped_folder("tables")


def parts_folder(name: str, lab: Lab) -> Path:
    """Where a run keeps finished parts of a table until the whole is published."""
    return lab.runs_folder / f"{name}.parts"


def shipped_table(
    name: str, lab: Lab, measure: Callable[[], Mapping], protocol: str = ""
) -> dict[str, Any]:
    """The measured table that ships; in the full budget it is measured instead.

    Args:
        name: the file's name without ending, for example "resnet_degradation".
        lab: the session. In the full budget `measure` is called, and with `lab.publish` what it
            returns replaces the file that ships, and parts of it that were kept on the way go.
        measure: returns the table: a dictionary of numbers, strings, tensors, and lists and
            dictionaries of them; its keys are strings.
        protocol: how it is measured, in a sentence, for the card; by default the first line of
            `measure`'s docstring.

    Returns:
        the table in plain numbers, strings, lists and dictionaries, rounded to four significant
        digits whether it was measured or read.

    Raises:
        Refused: the file is missing or damaged.
        ValueError: nothing says how the table is measured, or it cannot be a JSON file.

    Example:
        >>> from course_utils import start
        >>> table = shipped_table("face_consistency_regularizer", start("example"), None, "six")
        course_utils ...
        >>> isinstance(table, dict)
        True
    """
    protocol = protocol or _first_line(measure)
    if not protocol:
        raise ValueError(f"Say how {name} is measured, in the docstring of the function.")
    if lab.budget != "full":
        return load(name)[0]
    table = plain(measure())
    if lab.publish and processes.is_first():
        save(name, table, {"protocol": protocol, "seed": lab.seed, "budget": lab.budget})
        shutil.rmtree(parts_folder(name, lab), ignore_errors=True)
    return processes.broadcast_object(table)  # all go on when the file is there


def save(name: str, table: Mapping, card: Mapping, folder: Path | None = None) -> Path:
    """Write a table and its card, to which date, versions and checksum are added.

    Raises:
        ValueError: the table cannot be a JSON file.
    """
    folder = folder or tables_folder()
    folder.mkdir(parents=True, exist_ok=True)
    table = plain(table)
    text = json.dumps(
        {"card": card_of(compact(table), **card), "table": table}, indent=1, ensure_ascii=False
    )
    path = folder / f"{name}.json"
    with replacing(path) as file:
        file.write((_with_short_lists(text) + "\n").encode())
    return path


def load(name: str, folder: Path | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """A table and its card.

    Raises:
        Refused: the file is missing or damaged.

    Example:
        >>> table, card = load("gan_methods")
        >>> len(table), card["budget"]
        (16, 'full')
    """
    path = (folder or tables_folder()) / f"{name}.json"
    look_for(path, what=f"table called {name}", instead="measure it")
    whole = read_json(path, "card", "table")
    hold_against(whole["card"], compact(whole["table"]), path)
    return whole["table"], whole["card"]


def plain(table: Any, digits: int = DIGITS) -> Any:
    """A table as it is read again: tensors as lists, numbers to four significant digits.

    Args:
        digits: others than four.

    Raises:
        ValueError: it has a number that is not finite, a key that is no string, or something else
            that cannot stand in a JSON file.
    """
    if hasattr(table, "tolist"):
        table = table.tolist()
    if isinstance(table, Mapping) and all(isinstance(key, str) for key in table):
        return {key: plain(value, digits) for key, value in table.items()}
    if isinstance(table, Sequence) and not isinstance(table, str):
        return [plain(value, digits) for value in table]
    if isinstance(table, float) and math.isfinite(table):
        return float(f"{table:.{digits}g}")
    if isinstance(table, (int, str)):
        return table
    raise ValueError(f"A table that ships cannot hold {table!r}.")


def _first_line(measure: Callable) -> str:
    """Of the docstring; of the function's where some of its arguments are given already."""
    described = inspect.getdoc(getattr(measure, "func", measure)) or ""
    return described.split("\n", 1)[0]


def compact(table: Any) -> bytes:
    """What the checksum of a table, or of a part of one, is taken of."""
    return json.dumps(table, separators=(",", ":")).encode()


def _with_short_lists(text: str) -> str:
    """JSON text with every innermost list on one line. No string in it has a line break."""
    innermost = re.compile(r"\[\n\s*([^\[\]{}]*?)\n\s*\]")
    return innermost.sub(lambda found: "[" + re.sub(r"\n\s*", " ", found[1]) + "]", text)
