"""The API reference: one web page per module, made by pdoc from the docstrings, for use offline.

Formulas stay in Unicode, because pdoc's `--math` would load MathJax from a server.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import warnings
from pathlib import Path

import course_utils


def build(folder: Path) -> None:
    """Write the pages to `folder`. It changes the package, so run it in a process of its own.

    Args:
        folder: where `index.html` goes; it is made if need be.

    Raises:
        Warning: pdoc has found something wrong with a docstring or an annotation.
    """
    import pdoc
    from torch import nn

    _document_where_defined()
    nn.Module.__init__.__doc__ = None  # or every network would inherit it
    version = f"course_utils {course_utils.__version__}"
    pdoc.render.configure(docformat="google", footer_text=version)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pdoc.pdoc("course_utils", output_directory=folder)


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


if __name__ == "__main__":
    build(Path(sys.argv[1]))
