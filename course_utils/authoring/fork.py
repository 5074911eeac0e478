"""The address of the project, which stands in pyproject.toml, and every place that repeats it."""

from __future__ import annotations

import re
import subprocess
from contextlib import ExitStack
from pathlib import Path

from ..session.files import replacing
from .notebooks import ROOT, NotebookError

GITHUB = re.compile(r"https://github\.com/([\w-]+/[\w.-]+?)(?:\.git)?/?")
# How else git names a repository there.
BY_SSH = re.compile(r"(?:ssh://)?git@github\.com[:/]")
AFTER = r"(?![\w-]|\.(?!git\b)\w)"  # no longer name that begins alike
STATED = re.compile(r'^Repository = "(.+)"$', re.MULTILINE)
PLACES = ("pyproject.toml", "CITATION.cff", "*.md", "*/*.md", "notebooks/*.ipynb")


def stated_name(root: Path = ROOT) -> str:
    """The project's OWNER/NAME on GitHub, from pyproject.toml."""
    return _name(STATED.search((root / "pyproject.toml").read_text(encoding="utf-8"))[1])


def fork(address: str | None = None, root: Path = ROOT) -> int:
    """Point every badge, setup cell and page at a fork; the same with the old address undoes it.

    Args:
        address: of the fork, for example https://github.com/me/my-course; by default that from
            which this clone was made, git's origin.

    Raises:
        NotebookError: no address of a repository on GitHub, from where alone Colab opens
            notebooks; or the new address is mentioned already, so that there were no way back.
        OSError: a file cannot be read or written; none is changed then.
    """
    old, new = stated_name(root), _name(origin(root) if address is None else address)
    texts = {path: path.read_bytes() for path in _files(root)}
    mentioned = [path.name for path, text in texts.items() if _pointed(text, new, new)[1]]
    if new != old and mentioned:
        raise NotebookError(f"{new} is mentioned in {', '.join(mentioned)} already; change that.")
    changed = {}
    with ExitStack() as all_or_none:  # half a fork has no way back
        for path, text in texts.items():
            pointed, count = _pointed(text, old, new)
            if pointed != text:
                changed[path.relative_to(root)] = count
                file = all_or_none.enter_context(replacing(path))
                file.write(pointed)
                file.flush()
    for name, count in changed.items():
        print(f"{name}: {count}")
    print(f"The course is now fetched from https://github.com/{new}. Commit this and push it.")
    return 0


def origin(root: Path = ROOT) -> str:
    """The address that git has for `origin`, as one of the web.

    Raises:
        NotebookError: there is no git, no clone, or no origin.
    """
    command = ["git", "remote", "get-url", "origin"]
    try:
        told = subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8")
    except FileNotFoundError:
        told = None
    if told is None or told.returncode:
        raise NotebookError(
            "git names no origin here. Say where the fork is: "
            "make fork URL=https://github.com/me/my-course"
        )
    return BY_SSH.sub("https://github.com/", told.stdout.strip())


def _files(root: Path) -> list[Path]:
    """The files that may mention the address."""
    return [path for pattern in PLACES for path in sorted(root.glob(pattern)) if path.is_file()]


def _name(address: str) -> str:
    match = GITHUB.fullmatch(address.strip())
    if not match:
        raise NotebookError(f"'{address}' is not like https://github.com/OWNER/NAME.")
    return match[1]


def _pointed(text: bytes, old: str, new: str) -> tuple[bytes, int]:
    """The text with every place of the old name under the new one, and how many there are."""
    text, links = _places(old).subn(new.encode(), text)
    text, pages = _pages(old).subn(rf"\g<1>{_site(new)}".encode(), text)
    return text, links + pages


def _places(name: str) -> re.Pattern[bytes]:
    """Where a repository is named: behind github.com/, Colab's /github/ or Binder's /gh/."""
    before = r"(?<=github\.com/)|(?<=/github/)|(?<=/gh/)|(?<=githubusercontent\.com/)"
    return re.compile(f"(?:{before}){re.escape(name)}{AFTER}".encode())


def _pages(name: str) -> re.Pattern[bytes]:
    """Where the web pages of a repository are named: https://OWNER.github.io/NAME."""
    return re.compile(f"(https://){re.escape(_site(name))}{AFTER}".encode())


def _site(name: str) -> str:
    """Where GitHub shows the pages of a repository.

    >>> _site("Me/course")
    'me.github.io/course'
    """
    owner, _, repository = name.partition("/")
    return f"{owner.lower()}.github.io/{repository}"
