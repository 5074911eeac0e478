"""Answers of different students that are the same code, for a person to look at.

Names that the code itself makes, comments, docstrings and layout do not count; what everybody was
handed out is left out. Short answers are often alike without anybody having copied.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

from .handed_out import Lesson

FEWEST = 40  # parts of the syntax tree, about three lines; what is shorter is alike by chance


@dataclass(frozen=True)
class Same:
    """Answers that are the same.

    Attributes:
        lesson, exercise: which.
        names, files: of the students, and their files.
        size: parts of the syntax tree.
        published: whether it is the lesson's own solution.
    """

    lesson: str
    exercise: str
    names: tuple[str, ...]
    files: tuple[str, ...]
    size: int
    published: bool


def duplicates(answers: list[tuple], lessons: dict[str, Lesson]) -> list[Same]:
    """Groups of students with the same code for an exercise.

    Args:
        answers: (lesson, exercise, name of the student, file, code) of each.
        lessons: what was handed out.
    """
    common = {stem: _pieces(*lesson.code) for stem, lesson in lessons.items()}
    solutions = {stem: _pieces(*lesson.solutions) for stem, lesson in lessons.items()}
    groups: dict[tuple, list[tuple]] = defaultdict(list)
    for lesson, exercise, name, file, code in answers:
        pieces = _pieces(code)
        own = [piece for piece in pieces if piece not in common.get(lesson, {})]
        size = sum(pieces[piece] for piece in own)
        if own and size >= FEWEST:
            published = set(own) <= set(solutions.get(lesson, {}))
            key = (lesson, exercise, "\n".join(sorted(own)), size, published)
            groups[key].append((name, file))
    found = []
    for (lesson, exercise, _, size, published), who in sorted(groups.items()):
        names = tuple(sorted({name for name, _ in who}))
        if len(names) > 1:
            files = tuple(sorted(file for _, file in who))
            found.append(Same(lesson, exercise, names, files, size, published))
    return found


def _pieces(*sources: str) -> dict[str, int]:
    """The statements at the top of code, each in normal form, and their sizes."""
    found = {}
    for source in sources:
        try:
            body = ast.parse(source).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in body:
            form, size = _normal(ast.unparse(node))
            found[form] = size
    return found


@lru_cache(maxsize=20_000)
def _normal(source: str) -> tuple[str, int]:
    """A statement without the names that it makes itself, docstrings, annotations; its size."""
    node = ast.parse(source).body[0]
    made: dict[str, str] = {}
    for part in ast.walk(node):
        for name in _names_made(part):
            made.setdefault(name, f"v{len(made)}")
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            part.id = made.get(part.id, part.id)
        elif isinstance(part, ast.arg):
            part.arg, part.annotation = made.get(part.arg, part.arg), None
        elif isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if ast.get_docstring(part) is not None:
                part.body = part.body[1:] or [ast.Pass()]
            part.name = made.get(part.name, part.name)
            if not isinstance(part, ast.ClassDef):
                part.returns = None
    return ast.dump(node), sum(1 for _ in ast.walk(node))


def _names_made(part: ast.AST) -> list[str]:
    if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
        return [part.id]
    if isinstance(part, ast.arg):
        return [part.arg]
    if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [part.name]
    return []
