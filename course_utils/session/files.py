"""Files that are there whole or not at all, and what keeps them from being written."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

TRIAL_BYTES = 4096  # a full disk still takes an empty file


@contextmanager
def replacing(path: Path, former: Path | None = None) -> Iterator[BinaryIO]:
    """A new file that takes the name `path` at the end of the block, whole or not at all.

    Whatever ends the block early, an interrupt included, removes the new file and leaves a
    former one at `path` as it was. Only a process that is killed leaves a part of it behind,
    under a hidden name; `remove_parts` clears those away.

    Args:
        path: the file.
        former: where the file that was at `path` is kept; without it, it is gone.

    Raises:
        OSError: it cannot be written, or what is at `path` is no file: a folder, a device.
    """
    if is_no_file(path):
        raise FileExistsError(errno.EEXIST, "something that is no file is in the way", str(path))
    # A name of our own instead of tempfile's, whose files no other user may read.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if former is not None:
            # Another process that saves under the same name may have moved it just now.
            with contextlib.suppress(FileNotFoundError):
                os.replace(path, former)
        os.replace(temporary, path)
    except OSError as error:
        if error.errno and error.filename in (None, temporary, str(temporary)):
            error.filename = str(path)  # what people know; a full disk names no file at all
        raise
    finally:
        if os.path.lexists(temporary):
            temporary.unlink()


def is_no_file(path: Path) -> bool:
    """Whether something is there that is no file, nor a link to one.

    It is looked at once: another process may move or replace the file at any moment.
    """
    try:
        mode = os.lstat(path).st_mode
    except OSError:  # nothing is there, or it cannot be seen
        return False
    return not (os.path.isfile(path) if stat.S_ISLNK(mode) else stat.S_ISREG(mode))


def remove_parts(path: Path, older_than: float = 3600.0) -> None:
    """Remove what killed processes left of writing `path`, a file or a folder.

    Only parts older than `older_than` seconds: a younger one may be another process's work. A part
    that cannot be removed, because another process was first or the disk is read-only, stays.
    """
    for part in path.parent.glob(f".{path.name}.*.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > older_than:
                shutil.rmtree(part) if part.is_dir() else part.unlink()


def obstacle(folder: Path) -> str | None:
    """What keeps files from being written into `folder`, in a few words; None where nothing does.

    It is tried: permissions do not tell of a read-only disk or a full one, and root has them all.
    A folder that is not there is not made for it; the nearest one above it is tried.
    """
    folder = Path(folder).absolute()
    while not os.path.lexists(folder):
        folder = folder.parent
    if not os.path.isdir(folder):
        return f"{folder} is no folder"
    trial = folder / f".{uuid.uuid4().hex}.part"
    try:
        new = open(trial, "xb")
        try:
            with new as file:
                file.write(bytes(TRIAL_BYTES))
        finally:
            trial.unlink()
    except OSError as error:
        return error.strerror
    return None


def way_out(variable: str) -> str:
    """What to do about a folder that cannot be written: which variable to set, and to what.

    Args:
        variable: COURSE_RUNS or COURSE_DATA.

    Returns: a part of a sentence, as in "set COURSE_RUNS to a folder that can, such as ~/…".
    """
    name = variable.lower().replace("_", "-")
    place = next(own_places(), None)
    example = f", such as {place / name}" if place else ""
    return f"set {variable} to a folder that can{example}"


def own_places() -> Iterator[Path]:
    """Folders that a user can write to: the home, and that of temporary files."""
    places = [os.path.expanduser("~")]
    with contextlib.suppress(FileNotFoundError):  # where there is none at all
        places.append(tempfile.gettempdir())
    for place in map(Path, places):
        if place.is_absolute() and os.path.isdir(place) and not obstacle(place):
            yield place
