"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file that takes the name `path` at the end of the block, whole or not at all.

    Whatever ends the block early, an interrupt included, removes the new file and leaves a
    former one at `path` as it was. Only a process that is killed leaves a part of it behind,
    under a hidden name; `remove_parts` clears those away.
    """
    # A name of our own instead of tempfile's, whose files no other user may read.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_parts(path: Path, older_than: float = 3600.0) -> None:
    """Remove what killed processes left of writing `path`.

    Only parts older than `older_than` seconds: a younger one may be another process's work.
    """
    for part in path.parent.glob(f".{path.name}.*.part"):
        if time.time() - part.stat().st_mtime > older_than:
            part.unlink(missing_ok=True)
