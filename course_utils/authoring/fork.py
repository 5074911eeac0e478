"""The address of the project, which stands in pyproject.toml, and every place that repeats it."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path

from ..session.files import replacing
from .notebooks import ROOT, NotebookError

GITHUB = re.compile(r"https://github\.com/([\w-]+/[\w.-]+?)(?:\.git)?/?")
STATED = re.compile(r'^Repository = "(.+)"$', re.MULTILINE)
PLACES = ("pyproject.toml", "CITATION.cff", "*.md", "*/*.md", "notebooks/*.ipynb")


def stated_name(root: Path = ROOT) -> str:
    """The project's OWNER/NAME on GitHub, from pyproject.toml."""
    return _name(STATED.search((root / "pyproject.toml").read_text(encoding="utf-8"))[1])


def fork(address: str, root: Path = ROOT) -> int:
    """Point every badge, setup cell and page at a fork; the same with the old address undoes it.

    Args:
        address: of the fork, for example https://github.com/me/my-course.

    Raises:
        NotebookError: no address of a repository on GitHub, from where alone Colab opens
            notebooks; or the new address is mentioned already, so that there were no way back.
        OSError: a file cannot be read or written; none is changed then.
    """
    old, new = stated_name(root), _name(address)
    texts = {path: path.read_bytes() for path in _files(root)}
    mentioned = [path.name for path, text in texts.items() if _places(new).search(text)]
    if new != old and mentioned:
        raise NotebookError(f"{new} is mentioned in {', '.join(mentioned)} already; change that.")
    changed = {}
    with ExitStack() as all_or_none:  # half a fork has no way back
        for path, text in texts.items():
            pointed, count = _places(old).subn(new.encode(), text)
            if pointed != text:
                changed[path.relative_to(root)] = count
                file = all_or_none.enter_context(replacing(path))
                file.write(pointed)
                file.flush()
    for name, count in changed.items():
        print(f"{name}: {count}")
    print(f"The course is now fetched from https://github.com/{new}. Commit this and push it.")
    return 0


def _files(root: Path) -> list[Path]:
    """The files that may mention the address."""
    return [path for pattern in PLACES for path in sorted(root.glob(pattern)) if path.is_file()]


def _name(address: str) -> str:
    match = GITHUB.fullmatch(address.strip())
    if not match:
        raise NotebookError(f"'{address}' is not like https://github.com/OWNER/NAME.")
    return match[1]


def _places(name: str) -> re.Pattern[bytes]:
    """Where a repository is named: behind github.com/, Colab's /github/ or Binder's /gh/."""
    before = r"(?<=github\.com/)|(?<=/github/)|(?<=/gh/)|(?<=githubusercontent\.com/)"
    after = r"(?![\w-]|\.(?!git\b)\w)"  # no longer name that begins alike
    return re.compile(f"(?:{before}){re.escape(name)}{after}".encode())
