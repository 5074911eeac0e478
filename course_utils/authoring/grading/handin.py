"""The student's side: does the notebook run, what is solved, and everything in one archive."""

from __future__ import annotations

import zipfile
from pathlib import Path

from ...session.files import replacing
from ..notebooks import NOTEBOOKS, ROOT, NotebookError, execute, find, read, records
from ..targets import check_replaceable, check_writable

MARKS = {"right": "✔", "wrong": "✘", "not attempted": "○"}


def handin(name: str, out: Path | None = None, folder: Path = NOTEBOOKS) -> int:
    """Run a notebook from its first cell, say what is solved, and pack it as it was saved.

    The file itself is left as it is. What is not solved is no obstacle; a cell that fails is.

    Args:
        name: a notebook's file, or how the name of one in `folder` starts.
        out: the archive, or a folder for it; by default build/handin of the course.

    Raises:
        NotebookError: there is no such notebook, or a cell of it fails.
    """
    path = _path(name, folder)
    target = out or ROOT / "build" / "handin"
    if target.suffix != ".zip":
        target = target / f"{path.stem}.zip"
    check_writable(target.parent, "name another place with --out")
    check_replaceable(target)
    saved = path.read_bytes()
    notebook = read(path)
    print(f"Running {path.name} from its first cell …", flush=True)
    environment = {"COURSE_BUDGET": "classroom", "COURSE_PROGRESS": "off"}

    def before(number: int, count: int, cell) -> None:
        print(f"\r{number}/{count}", end="", flush=True)

    try:
        execute(notebook, path.parent, environment, before)
    except NotebookError as error:
        raise NotebookError(
            f"{error}\n\nNothing was packed: mend that cell, or delete it if it is your own trial, "
            "and save the notebook."
        ) from error
    print()
    verdicts = {
        said["exercise"]: said["verdict"]
        for said in records(notebook, "exercise")
        if said.get("verdict")
    }
    for title, verdict in verdicts.items():
        print(f"{MARKS.get(verdict, '·')} {title}: {verdict}")
    right = sum(verdict == "right" for verdict in verdicts.values())
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        one = zipfile.ZipInfo(path.name)  # without the time: the same notebook, the same archive
        one.compress_type, one.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
        archive.writestr(one, saved)
    print(f"It runs, and {right} of {len(verdicts)} exercises are right. Hand in {target}")
    return 0


def _path(name: str, folder: Path) -> Path:
    path = Path(name)
    if path.suffix == ".ipynb" and path.is_file():
        return path.absolute()
    found = find([name], folder)
    if len(found) > 1:
        raise NotebookError(f"Name one notebook: {', '.join(one.stem for one in found)}.")
    return found[0]
