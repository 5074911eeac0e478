"""When each notebook last ran as it is stored, and with what: a table with a row a notebook."""

from __future__ import annotations

import platform
from datetime import date
from pathlib import Path

from course_utils.files import replacing

COLUMNS = "| notebook | verified | with | on | takes |\n|---|---|---|---|--:|\n"


def record(stem: str, session: str, seconds: float, table: Path) -> None:
    """Renew one notebook's row, below the table's heading, and leave all else as it is.

    This is the process that ran the notebook's kernel, so its Python is the notebook's.

    Args:
        stem: the notebook's name.
        session: the line that `start` printed in it: versions and device.
        seconds: how long its cells ran.
        table: the markdown file; made where there is none.

    Raises:
        ValueError: the file has no such table.
    """
    text = table.read_text(encoding="utf-8") if table.exists() else f"# Notebooks\n\n{COLUMNS}"
    before, heading, after = text.partition(COLUMNS)
    if not heading:
        raise ValueError(f"{table} has lost the heading of its table:\n{COLUMNS}")
    body, gap, rest = after.partition("\n\n")
    rows = {row.split("]")[0]: row for row in [*body.splitlines(), _row(stem, session, seconds)]}
    body = "\n".join(rows[name] for name in sorted(rows))
    with replacing(table) as file:
        file.write((before + heading + body + (gap + rest or "\n")).encode())


def _row(stem: str, session: str, seconds: float) -> str:
    """A row, from a line like `course_utils 0.1.0 · torch 2.15.0 · CPU, 1 thread · float32 · …`."""
    _, torch, device, precision, *_ = session.split(" · ")
    versions = f"Python {platform.python_version()}, {torch}"
    cells = [f"[{stem}]({stem}.ipynb)", date.today().isoformat(), versions]
    return f"| {' | '.join(cells)} | {device}, {precision} | {seconds:.0f} s |"
