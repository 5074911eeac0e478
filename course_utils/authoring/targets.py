"""Where a command writes its variants of notebooks: never over what it did not make itself.

A variant carries in its metadata which command made it and a checksum of its cells, so that a
lecturer's notebook, or a copy that somebody has worked on, is told from one that may be made anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from nbformat import NotebookNode

from .notebooks import ROOT, NotebookError, read, write

KEY = "course"


def targets(paths: Iterable[Path], out: Path | None, command: str) -> list[tuple[Path, Path]]:
    """(notebook, where its variant goes) of each notebook, looked at before anything is computed.

    Args:
        paths: the notebooks.
        out: the folder of the variants; by default build/COMMAND of the course.
        command: what makes them: "student", "instructor" or "solved".

    Raises:
        NotebookError: something is in the way that this command has not made, or that was changed
            since.
    """
    folder = out or ROOT / "build" / command
    if folder.exists() and not folder.is_dir():
        raise NotebookError(f"{folder} is a file; name a folder with --out.")
    pairs = [(path, folder / path.name) for path in paths]
    for path, target in pairs:
        _look(path, target, command)
    return pairs


def write_variant(notebook: NotebookNode, target: Path, command: str) -> None:
    """Write a variant with the note of who made it."""
    notebook.metadata[KEY] = {"made by": command, "cells": _checksum(notebook)}
    write(notebook, target)


def _look(path: Path, target: Path, command: str) -> None:
    if not target.exists():
        return
    if target.is_dir():
        raise NotebookError(f"{target} is a folder; move it away, or name another --out.")
    if target.resolve() == path.resolve():
        raise NotebookError(f"{target} is the lesson itself; name another folder with --out.")
    there = read(target)
    made = there.metadata.get(KEY, {})
    if made.get("made by") != command:
        raise NotebookError(
            f"{target} is there and was not made by `{command}`; move it away, or name another "
            "folder with --out."
        )
    if made.get("cells") != _checksum(there):
        raise NotebookError(
            f"{target} was worked on since `{command}` made it; move it away, or name another "
            "folder with --out."
        )


def _checksum(notebook: NotebookNode) -> str:
    cells = [[cell.cell_type, cell.source] for cell in notebook.cells]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()
