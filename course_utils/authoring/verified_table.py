"""When each notebook last ran as it is stored, with what, and how long: a row a notebook."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from ..session.files import replacing

COLUMNS = (
    "| notebook | verified | with | on | classroom | full budget |\n|---|---|---|---|--:|---|\n"
)
UNKNOWN = "–"


def record_classroom(stem: str, session: Mapping, seconds: float, table: Path) -> None:
    """Renew what the row of a notebook says of its stored outputs, in the classroom budget.

    This is the process that ran the notebook's kernel, so its Python is the notebook's.

    Args:
        stem: the notebook's name.
        session: what `start` recorded in it: versions, device, precision.
        seconds: how long its cells ran.
        table: the markdown file; made where there is none.

    Raises:
        ValueError: the file has no such table.
    """
    cells = {
        "verified": date.today().isoformat(),
        "with": f"Python {platform.python_version()}, torch {session['torch']}",
        "on": _where(session),
        "classroom": f"{seconds:.0f} s",
    }
    _renew(stem, cells, table)


def record_full(stem: str, session: Mapping, seconds: float, table: Path) -> None:
    """Renew what the row of a notebook says of the full budget: how long, on what, and when.

    Args and errors: those of `record_classroom`.
    """
    took = f"{seconds / 60:.0f} min" if seconds >= 100 else f"{seconds:.0f} s"
    today = date.today().isoformat()
    _renew(stem, {"full budget": f"{took} on {_where(session)} ({today})"}, table)


def _where(session: Mapping) -> str:
    return f"{session['device']}, {session['precision']}"


def _renew(stem: str, cells: dict[str, str], table: Path) -> None:
    """Put cells into one notebook's row, and leave all else of the file as it is."""
    text = table.read_text(encoding="utf-8") if table.exists() else f"# Notebooks\n\n{COLUMNS}"
    before, heading, after = text.partition(COLUMNS)
    if not heading:
        raise ValueError(f"{table} has lost the heading of its table:\n{COLUMNS}")
    body, gap, rest = after.partition("\n\n")
    names = [name.strip() for name in COLUMNS.split("\n")[0].strip("|").split("|")]
    rows = [dict(zip(names, line.strip("| ").split(" | "))) for line in body.splitlines()]
    by_link = {row["notebook"]: row for row in rows}
    link = f"[{stem}]({stem}.ipynb)"
    known = by_link.get(link, dict.fromkeys(names, UNKNOWN))
    by_link[link] = {**known, "notebook": link, **cells}
    lines = [f"| {' | '.join(by_link[name].values())} |" for name in sorted(by_link)]
    with replacing(table) as file:
        file.write((before + heading + "\n".join(lines) + (gap + rest or "\n")).encode())
