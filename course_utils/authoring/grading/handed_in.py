"""What was handed in: files as learning platforms export them, students, and the roster.

Moodle makes a folder, or the beginning of a file's name, "Name_1234567_assignsubmission_file_";
Canvas makes "lastnamefirstname_LATE_12345_67890_notebook-1.ipynb". Anything else is taken as it is:
a folder of its own is a student, else the file's name is.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from ..notebooks import NotebookError

LARGEST = 50 * 2**20  # bytes of a notebook; those of this course have less than 5 million
MOODLE = re.compile(r"(?P<name>[^_]+)_(?P<id>\d+)_assignsubmission_\w+?_(?P<rest>.*)", re.DOTALL)
CANVAS = re.compile(
    r"(?P<name>[^_]+)_(?:LATE_)?(?P<id>\d+)_(?:question_\d+_)?(?P<number>\d+)_(?P<rest>.+)",
    re.DOTALL,
)
AGAIN = re.compile(r"(?:-\d+| ?\(\d+\))(?=\.\w+$)")
IGNORED = {".ds_store", "thumbs.db", "desktop.ini"}
BELONGING = {".csv", ".txt", ".md", ".html", ".json"}  # lists and notes beside submissions


@dataclass(frozen=True)
class Student:
    """Somebody in the roster, or somebody who handed something in."""

    name: str
    id: str = ""


@dataclass(frozen=True)
class HandedIn:
    """A file of a student.

    Attributes:
        path: where it is.
        shown: its name within the folder of submissions.
        original: what the student called it, as far as the platform tells.
        student: whose it is.
        in_roster: whether the roster has him or her; True without a roster.
    """

    path: Path
    shown: str
    original: str
    student: Student
    in_roster: bool = True


class Unreadable(Exception):
    """What is wrong with a file that is no notebook, in a sentence."""


def roster(path: Path) -> list[Student]:
    """The students in a CSV file with a header; columns such as name, id, first and last name.

    Raises:
        NotebookError: it has no column for names.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="latin-1")
    except OSError as error:
        raise NotebookError(f"The roster {path} cannot be read: {error.strerror}.") from error
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
    header = {key: _plain(key) for key in (rows[0] if rows else {}) if key}

    def column(*names: str) -> str | None:
        return next((key for name in names for key, said in header.items() if said == name), None)

    name = column("name", "full name", "student", "student name", "fullname")
    given, family = column("first name", "given name"), column("last name", "surname")
    number = column("id", "sis user id", "id number", "student id", "matriculation number", "email")
    if not name and not (given and family):
        raise NotebookError(f"The roster {path} needs a header with a column `name` (and `id`).")
    found = []
    for row in rows:
        said = row.get(name) if name else f"{row.get(given) or ''} {row.get(family) or ''}"
        if said and said.strip():
            found.append(Student(" ".join(said.split()), (row.get(number) or "").strip()))
    return found


def handed_in(folder: Path, students: list[Student]) -> list[HandedIn]:
    """Every file of a folder and its folders that could be a submission, in order of names.

    Lists and notes that no student's name begins (a roster, a read-me) are left out, and so are
    hidden files.
    """
    found = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
        if hidden or parts[-1].lower() in IGNORED or not (path.is_file() or path.is_symlink()):
            continue
        one = _of_file(path, parts, students)
        if len(parts) == 1 and path.suffix.lower() in BELONGING and one.original == path.name:
            continue
        found.append(one)
    return found


def _of_file(path: Path, parts: tuple[str, ...], students: list[Student]) -> HandedIn:
    shown, last = "/".join(parts), parts[-1]
    for text in (*parts[:-1], last):
        if match := MOODLE.fullmatch(text):
            original = match["rest"] or last
            return _named(path, shown, original, match["name"], match["id"], students)
    if match := CANVAS.fullmatch(last):
        original = AGAIN.sub("", match["rest"])
        return _named(path, shown, original, match["name"], match["id"], students)
    name = parts[-2] if len(parts) > 1 else Path(last).stem
    return _named(path, shown, last, name, "", students)


def _named(path, shown, original, name: str, number: str, students: list[Student]) -> HandedIn:
    """Whose file it is: by the platform's number, or by the letters of the name in any order."""
    for one in students:
        if number and one.id == number:
            return HandedIn(path, shown, original, one)
    letters, words = _letters(name), _words(name)
    for one in students:
        theirs = _words(one.name)
        if words == theirs or letters in ("".join(theirs), "".join(reversed(theirs))):
            return HandedIn(path, shown, original, one)
        if sorted(words) == sorted(theirs) or sorted(letters) == sorted("".join(theirs)):
            return HandedIn(path, shown, original, one)
    within = [
        one
        for one in students
        if (one.id and one.id in re.split(r"[^\w@.-]|_", name))
        or (len(_words(one.name)) > 1 and set(_words(one.name)) <= set(words))
    ]
    if len(within) == 1:
        return HandedIn(path, shown, original, within[0])
    return HandedIn(path, shown, original, Student(name.strip(), number), not students)


def _plain(text: str) -> str:
    return " ".join(text.replace("_", " ").lower().split())


def _words(name: str) -> list[str]:
    """The words of a name, without accents and capitals."""
    text = unicodedata.normalize("NFKD", name.replace("ß", "ss")).casefold()
    text = "".join(c for c in text if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+", text)


def _letters(name: str) -> str:
    return "".join(_words(name))


def checksum(path: Path) -> str:
    """A checksum of a file, or of the reason why it cannot be read."""
    digest = hashlib.sha256()
    try:
        digest.update(str(path.stat().st_size).encode())
        if path.stat().st_size <= LARGEST:
            digest.update(path.read_bytes())
    except OSError as error:
        digest.update(str(error.strerror).encode())
    return digest.hexdigest()


def notebook_of(path: Path) -> NotebookNode:
    """The notebook in a file, or the only one in a zip archive.

    Raises:
        Unreadable: there is none.
    """
    data = _bytes_of(path)
    if not data.strip():
        raise Unreadable("the file is empty.")
    if data[:4] == b"PK\x03\x04":
        data = _unpacked(data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        kind = f" (a {path.suffix} file)" if path.suffix != ".ipynb" else ""
        raise Unreadable(f"this is no notebook{kind}: it is not even text.") from error
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        begins = text.lstrip().startswith("{") and "cells" in text[: 10**6]
        raise Unreadable(
            "the notebook was saved only in part: its JSON breaks off or is damaged."
            if begins
            else "this is no notebook: it does not hold JSON."
        ) from error
    try:
        notebook = nbformat.reads(text, as_version=4)
        for cell in notebook.cells:
            if not isinstance(cell.source, str) or not isinstance(cell.cell_type, str):
                raise TypeError("a cell without text")
            tags = cell.metadata.get("tags", [])
            if not isinstance(tags, list) or not isinstance(cell.get("id", ""), str):
                raise TypeError("tags that are none")
    except Exception as error:  # JSON of another kind meets nbformat in all its places
        raise Unreadable("this is no notebook: it holds other JSON.") from error
    if not any(cell.cell_type == "code" and cell.source.strip() for cell in notebook.cells):
        raise Unreadable("the notebook has no code in it.")
    return notebook


def _bytes_of(path: Path) -> bytes:
    try:
        if path.is_symlink():
            raise Unreadable("this is a link and no file.")
        size = path.stat().st_size
        if size > LARGEST:
            raise Unreadable(
                f"the file has {size / 2**20:.0f} MB, more than any notebook of this course; "
                "clear its outputs and save it again."
            )
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(f"the file cannot be read: {error.strerror}.") from error


def _unpacked(data: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inside = [
                one
                for one in archive.infolist()
                if one.filename.endswith(".ipynb") and "__MACOSX" not in one.filename
            ]
            if len(inside) != 1:
                raise Unreadable(f"the archive holds {len(inside) or 'no'} notebooks, not one.")
            if inside[0].file_size > LARGEST:
                raise Unreadable("the notebook in the archive is larger than any of this course.")
            with archive.open(inside[0]) as file:
                data = file.read(LARGEST + 1)
            if len(data) > LARGEST:
                raise Unreadable("the notebook in the archive is larger than it says.")
            return data
    except Unreadable:
        raise
    except Exception as error:  # zipfile raises a dozen kinds
        raise Unreadable("the archive is damaged.") from error
