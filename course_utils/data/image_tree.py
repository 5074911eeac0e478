"""What lies below a folder: images, folders of images, and what else."""

from __future__ import annotations

import itertools
import os
import re
import stat
import unicodedata
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ..session.text import printable
from .image_files import SUFFIXES

MAX_FILES = 1_000_000  # that may lie below a folder
MAX_DEPTH = 50  # of folders in folders
# Folders that systems and programs leave; hidden ones (".ipynb_checkpoints") are ignored as well.
LEFT_BY_SYSTEMS = {
    "@eadir", "#recycle", "#snapshot", "@recycle", "__macosx", "__pycache__", "$recycle.bin",
    "system volume information", "lost+found",
}  # fmt: skip
# Files that hold images, or may, in a form that is not read.
UNREAD = set(
    ".heic .heif .hif .avif .tif .tiff .svg .svgz .jp2 .j2k .jxl .ico .icns .tga .psd .xcf .ai .eps"
    " .pdf .ppm .pgm .pbm .pnm .pcx .exr .hdr .dds .dng .cr2 .cr3 .nef .arw .raf .orf .rw2 .raw"
    " .dcm .nii .npy .npz .mat .parquet .mp4 .mov .avi .mkv .webm"
    .split()
)  # fmt: skip
PACKED = {".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"}
DEAD, NO_FILE = "links that lead nowhere", "pipes, sockets or devices"
TWICE, NO_SUFFIX = "links to folders that are read already", "files without a suffix"
# They have no suffix, and are no images.
NOTES = {"readme", "license", "licence", "copying", "notice", "authors", "makefile", "changelog"}


@dataclass(eq=False)
class Tree:
    """A folder and what lies below it, each list in natural order ("2" before "10").

    Attributes:
        path: the folder.
        images: the names of the image files in it.
        folders: the folders in it, without hidden ones and those that systems leave.
        left: what else there is in it -> how many: suffixes, DEAD links and so on.
    """

    path: Path
    images: list[str] = field(default_factory=list)
    folders: list[Tree] = field(default_factory=list)
    left: Counter = field(default_factory=Counter)

    @property
    def name(self) -> str:
        """As a class is called: printable, and the same from any system (Unicode's NFC)."""
        return printable(unicodedata.normalize("NFC", self.path.name))

    @cached_property
    def count(self) -> int:
        """How many images there are in all."""
        return len(self.images) + sum(folder.count for folder in self.folders)

    @cached_property
    def all_left(self) -> Counter:
        """`left`, also of all folders below."""
        return sum((folder.all_left for folder in self.folders), Counter(self.left))

    def files(self) -> list[Path]:
        """The paths of all images: those of a folder before those of the folders in it."""
        below = [file for folder in self.folders for file in folder.files()]
        return [self.path / name for name in self.images] + below


def scan(folder: Path) -> Tree:
    """Look at all that lies below a folder; nothing is opened.

    A link to a folder is followed, each folder read once, so that links in a circle end.

    Raises:
        ValueError: a folder cannot be listed, or there are more than MAX_FILES files, or folders
            more than MAX_DEPTH deep.
    """
    outside = Tree(folder.parent)
    status = os.stat(folder)
    folders, links = deque([(outside, folder, (status.st_dev, status.st_ino), 0)]), deque()
    seen, files = set(), 0
    while waiting := folders or links:  # a folder itself before links to it
        parent, path, identity, depth = waiting.popleft()
        if identity in seen:
            parent.left[TWICE] += 1
            continue
        seen.add(identity)
        tree = Tree(path)
        parent.folders.append(tree)
        parent.folders.sort(key=lambda inner: natural(inner.name))
        for name, status, is_link in _entries(path):
            files += 1
            if status and stat.S_ISDIR(status.st_mode):
                inner = (tree, path / name, (status.st_dev, status.st_ino), depth + 1)
                (links if is_link else folders).append(inner)
            else:
                _sort_in(tree, name, status)
        tree.images.sort(key=natural)
        if files > MAX_FILES or depth > MAX_DEPTH:
            raise ValueError(
                f"{printable(folder)} holds more than {MAX_FILES:,} files, or folders in folders "
                f"more than {MAX_DEPTH} deep; name a folder that is closer to its images."
            )
    return outside.folders[0]


def natural(name: str) -> tuple:
    """A key to sort names by, in which numbers count as numbers: 2 before 10.

    Example:
        >>> sorted(["10", "b2", "2", "B10"], key=natural)
        ['2', '10', 'b2', 'B10']
    """
    pieces = re.split("([0-9]+)", name.casefold())
    return tuple(int(p) if odd % 2 else p for odd, p in enumerate(pieces)), name


# What lies there


def _sort_in(tree: Tree, name: str, status: os.stat_result | None) -> None:
    """Enter a file into the tree; no status stands for a dead link."""
    suffix = os.path.splitext(name)[1].lower()
    if status is None:
        tree.left[DEAD] += 1
    elif not stat.S_ISREG(status.st_mode):
        tree.left[NO_FILE] += 1  # opening a pipe would wait for ever
    elif suffix in SUFFIXES:
        tree.images.append(name)
    elif name.casefold() not in NOTES:
        tree.left[suffix or NO_SUFFIX] += 1


def _entries(folder: Path) -> Iterator[tuple[str, os.stat_result | None, bool]]:
    """(name, status, whether it is a link) of what is in a folder; no status of a dead link."""
    try:
        with os.scandir(folder) as entries:
            for entry in itertools.islice(entries, MAX_FILES + 1):
                if entry.name.startswith(".") or entry.name.casefold() in LEFT_BY_SYSTEMS:
                    continue
                try:  # not entry.stat(): on Windows it does not tell which folder it is
                    status = os.stat(entry.path)
                except OSError:  # it leads nowhere, or in a circle
                    status = None
                yield entry.name, status, entry.is_symlink()
    except OSError as error:
        raise ValueError(
            f"The folder {printable(folder)} cannot be read ({error.strerror}); allow yourself to "
            f"read it, or move it away."
        ) from None
