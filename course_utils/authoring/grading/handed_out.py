"""The lessons as they are handed out: which exercises each has, and the code that everybody has."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from nbformat import NotebookNode

from ..notebooks import NOTEBOOKS, NotebookError, python_source, read, tags
from ..variants import SOLUTION

CHECK = re.compile(r"\bcheck_\w+")
TITLE = re.compile(r"[\"'](?P<title>Exercise \d+[^\"']*)[\"']")


@dataclass(frozen=True)
class Wanted:
    """An exercise of a lesson.

    Attributes:
        check: the name of its check, such as "check_kl".
        function: what the stub is called.
        arguments: the names of its arguments.
        cell: the id of its cell.
        number: which it is in its lesson, from 1.
    """

    check: str
    function: str
    arguments: tuple[str, ...]
    cell: str
    number: int


@dataclass(frozen=True)
class Lesson:
    """A lesson: its notebook's name, its exercises, and its code.

    Attributes:
        stem: the notebook's name, such as "03_vae_latent_space".
        wanted: its exercises, in order.
        code: the sources of its code cells.
        solutions: the code of its solutions, where the notebook has them.
    """

    stem: str
    wanted: tuple[Wanted, ...]
    code: tuple[str, ...] = field(repr=False, default=())
    solutions: tuple[str, ...] = field(repr=False, default=())

    @cached_property
    def module(self) -> str:
        """The name of the file with its checks."""
        return self.stem.split("_", 1)[-1]

    @cached_property
    def statements(self) -> frozenset[str]:
        """Everything at the top of its cells, in one form of writing: no student's answer."""
        found = set()
        for source in self.code:
            try:
                body = ast.parse(python_source(NotebookNode(source=source))).body
            except SyntaxError:
                continue
            found |= {ast.unparse(node) for node in body}
        return frozenset(found)


def lessons(folder: Path = NOTEBOOKS) -> dict[str, Lesson]:
    """Every lesson of a folder that has exercises, by its notebook's name.

    A notebook that cannot be read is left out.
    """
    paths = sorted(folder.glob("*.ipynb"))
    return _lessons(tuple((path, path.stat().st_mtime_ns) for path in paths))


@lru_cache(maxsize=4)
def _lessons(paths: tuple[tuple[Path, int], ...]) -> dict[str, Lesson]:
    found = {}
    for path, _ in paths:
        try:
            lesson = _lesson(path)
        except (NotebookError, OSError):
            continue
        if lesson.wanted:
            found[path.stem] = lesson
    return found


def _lesson(path: Path) -> Lesson:
    notebook = read(path)
    wanted, code, solutions = [], [], []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            if solution := SOLUTION.search(cell.source):
                solutions.append(solution["code"])
            continue
        code.append(cell.source)
        if "exercise" not in tags(cell):
            continue
        check = CHECK.search(cell.source)
        try:
            functions = [
                node
                for node in ast.parse(python_source(cell)).body
                if isinstance(node, ast.FunctionDef)
            ]
        except SyntaxError:
            continue
        if check and functions:
            function = functions[-1]
            arguments = tuple(one.arg for one in function.args.args)
            number = len(wanted) + 1
            wanted.append(
                Wanted(check[0], function.name, arguments, cell.get("id", ""), number)
            )  # fmt: skip
    return Lesson(path.stem, tuple(wanted), tuple(code), tuple(solutions))
