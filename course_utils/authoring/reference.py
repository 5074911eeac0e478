"""The API reference: one web page per module, made by pdoc from the docstrings, for use offline.

Formulas stay in Unicode, because pdoc's `--math` would load MathJax from a server.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
import warnings
from pathlib import Path

import course_utils

from .notebooks import ROOT, NotebookError
from .targets import check_replaceable, check_writable

# pdoc's links to a member have a sign, but no name for who hears the page instead of seeing it.
EMPTY_LINK = re.compile(r'(<a class="headerlink" href="#([\w.]+)")>(?=</a>)')
OURS = "course_utils.html"  # a page that is there wherever this has been before


def build(folder: Path, home: str = "") -> None:
    """Write the pages to `folder`. It changes the package, so run it in a process of its own.

    Args:
        folder: where `index.html` goes; it is made if need be.
        home: address of the course's front page, seen from there; "" where there is none.

    Raises:
        NotebookError: the folder cannot be written, or holds something else.
        Warning: pdoc has found something wrong with a docstring or an annotation.
    """
    otherwise = "name another folder"
    if folder.is_dir() and any(folder.iterdir()) and not (folder / OURS).is_file():
        raise NotebookError(f"{folder} holds something else than this reference; {otherwise}.")
    check_writable(folder, otherwise)
    for page in ("index.html", "search.js", OURS):
        check_replaceable(folder / page)

    import pdoc
    from torch import nn

    _document_where_defined()
    nn.Module.__init__.__doc__ = None  # or every network would inherit it
    version = f"course_utils {course_utils.__version__}"
    pdoc.render.configure(
        docformat="google",
        footer_text=version,
        favicon="data:,",  # none, or every browser would ask the server for one
        template_directory=ROOT / "site" / "reference",
    )
    pdoc.render.env.globals["course_home"] = home
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pdoc.pdoc("course_utils", output_directory=folder)
    for page in folder.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        page.write_text(EMPTY_LINK.sub(r'\1 aria-label="Link to \2">', text), encoding="utf-8")


def _document_where_defined() -> None:
    """Let the pages of packages list their modules, and not what they import from these.

    pdoc would leave out the modules that `__all__` does not name, document a class once more on the
    page of its package, and take functions that are loaded on first use for modules.
    """
    rooms = [course_utils]
    for info in pkgutil.walk_packages(course_utils.__path__, "course_utils."):
        if info.ispkg:
            rooms.append(importlib.import_module(info.name))
    for room in rooms:
        for name in ("__all__", "__dir__", "__getattr__"):
            vars(room).pop(name, None)


def main(arguments: list[str]) -> int:
    """Build the pages into the folder that is named first. Returns the exit status.

    A second argument is the address of the course's front page, seen from that folder.
    """
    if len(arguments) not in (1, 2):
        print("Name one folder for the pages, such as build/reference.", file=sys.stderr)
        return 2
    try:
        build(Path(arguments[0]), *arguments[1:])
    except (NotebookError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
