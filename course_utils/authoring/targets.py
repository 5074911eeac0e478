"""Where a command writes its notebooks: never over what it did not make itself.

A notebook that a command makes carries in its metadata which one that was, and a checksum of its
cells, so that a lecturer's notebook, or a copy that somebody has worked on, is told from one that
may be made anew. All this is looked at before anything is computed.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import uuid
from collections.abc import Iterable
from pathlib import Path

from nbformat import NotebookNode

from ..session import files
from ..session.records import KEY
from .notebooks import ROOT, NotebookError, read, write

CLONE = "work in a clone of your own"  # what to do where the course itself cannot be changed


def targets(paths: Iterable[Path], out: Path | None, command: str) -> list[tuple[Path, Path]]:
    """(notebook, where its variant goes) of each notebook, looked at before anything is computed.

    Args:
        paths: the notebooks.
        out: the folder of the variants; by default build/COMMAND of the course.
        command: what makes them: "student", "instructor" or "solved".

    Raises:
        NotebookError: something is in the way that this command has not made, or that was changed
            since, or the folder cannot be written.
    """
    folder = out or ROOT / "build" / command
    if folder.exists() and not folder.is_dir():
        raise NotebookError(f"{folder} is a file; name a folder with --out.")
    pairs = [(path, folder / path.name) for path in paths]
    for path, target in pairs:
        _look(path, target, command)
    check_writable(folder, "name another folder with --out")
    return pairs


def executed_copy(path: Path, out: Path | None, runs: Path) -> Path:
    """Where `run` keeps the executed copy of a notebook, looked at before anything is computed.

    Args:
        path: the notebook.
        out: a file, or a folder that is there and takes the notebook's own name.
        runs: the folder that is meant without `out`.

    Raises:
        NotebookError: as `targets` does, or `out` is no name of a notebook.
    """
    target = out or runs / path.name
    if out and target.is_dir():
        target = target / path.name
    if target.suffix != ".ipynb":
        raise NotebookError(f"{target} is no name of a notebook; end it in .ipynb.")
    _look(path, target, "run")
    otherwise = "name another place with --out" if out else files.way_out("COURSE_RUNS")
    check_writable(target.parent, otherwise)
    return target


def check_writable(folder: Path, otherwise: str) -> None:
    """Raises: NotebookError where no file can be written into `folder`; `otherwise` ends it."""
    if obstacle := files.obstacle(folder):
        raise NotebookError(f"{folder} cannot be written ({obstacle}); {otherwise}.")


def check_replaceable(path: Path) -> None:
    """Raises: NotebookError where something is at `path` that is no file."""
    if files.is_no_file(path):
        raise NotebookError(f"{path} is in the way and is no file; move it away.")


def keep(notebook: NotebookNode, target: Path) -> bool:
    """Write an executed notebook to `target`; where that fails now, elsewhere, and say so.

    What was computed for minutes is not lost to a disk that has filled up meanwhile.

    Returns:
        whether it is at `target`.

    Raises:
        OSError: there is room nowhere.
    """
    try:
        write(notebook, target)
        return True
    except OSError as error:
        failure = error
    for place in files.own_places():
        spare = place / f"{target.stem}-{uuid.uuid4().hex[:8]}.ipynb"
        try:
            write(notebook, spare)
        except OSError:
            continue
        said = f"{target} could not be written ({failure.strerror}); what ran is kept as {spare}."
        print(f"\n{said}", file=sys.stderr)
        return False
    raise failure


def signed(notebook: NotebookNode, command: str) -> NotebookNode:
    """The notebook, with the note of which command made it."""
    notebook.metadata[KEY] = {"made by": command, "cells": _checksum(notebook)}
    return notebook


def _look(path: Path, target: Path, command: str) -> None:
    """Raises: NotebookError where something is at `target` that `command` may not replace."""
    otherwise = "move it away, or name another place with --out"
    if not os.path.lexists(target):
        return
    if target.is_symlink():
        raise NotebookError(f"{target} is a link; {otherwise}.")
    if not target.is_file():
        raise NotebookError(f"{target} is a folder or a device; {otherwise}.")
    if target.samefile(path):
        raise NotebookError(f"{target} is the lesson itself; name another place with --out.")
    there = read(target)
    made = there.metadata.get(KEY, {})
    if made.get("made by") != command:
        raise NotebookError(f"{target} is there and was not made by `{command}`; {otherwise}.")
    if made.get("cells") != _checksum(there):
        raise NotebookError(f"{target} was worked on since `{command}` made it; {otherwise}.")


def _checksum(notebook: NotebookNode) -> str:
    cells = [[cell.cell_type, cell.source] for cell in notebook.cells]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()
