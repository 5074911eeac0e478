"""The same notebook for other readers: without its solutions, or with them filled in."""

from __future__ import annotations

import re
import symtable
from copy import deepcopy

from nbformat import NotebookNode
from nbformat.v4 import new_output

from ..session.records import KEY, VERDICTS
from .notebooks import NotebookError, python_source, records, tags

SOLUTION = re.compile(
    r"<details>\s*<summary>Solution</summary>\s*```python\n(?P<code>.*?)```\s*(?P<reason>.*?)\s*"
    r"</details>\s*",
    re.DOTALL,
)
BADGE = re.compile(r"^\[!\[Open in Colab\].*\n*", re.MULTILINE)


def exercises(notebook: NotebookNode) -> list[tuple[NotebookNode, str, str, str]]:
    """(cell, stub, call of the check, solution) of every exercise, in order.

    Raises:
        NotebookError: an exercise is not a stub, two empty lines and a check, or the cell below
            it does not begin with its solution.
    """
    found = []
    for cell, below in zip(notebook.cells, [*notebook.cells[1:], NotebookNode(source="")]):
        if "exercise" in tags(cell):
            stub, parting, call = cell.source.rpartition("\n\n\n")
            solution = SOLUTION.match(below.source)
            if not parting or not solution:
                raise NotebookError(f"This exercise has no solution below it:\n\n{cell.source}")
            found.append((cell, stub, call, solution["code"].rstrip()))
    return found


def without_solutions(notebook: NotebookNode) -> NotebookNode:
    """What a student gets: no solutions, no outputs that answer the predictions.

    The badge goes too: it opens the notebook that has both.
    """
    copy = deepcopy(notebook)
    for cell in copy.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        else:
            cell.source = SOLUTION.sub("", BADGE.sub("", cell.source)).strip()
    copy.cells = [cell for cell in copy.cells if cell.source]
    return copy


def with_solutions(notebook: NotebookNode) -> NotebookNode:
    """The solutions in the place of the stubs; what the solution says beside its code stays.

    The verdict on each exercise becomes the one that its check must now give, up to the praise.
    """
    copy = deepcopy(notebook)
    for cell, _, call, solution in exercises(copy):
        cell.source = f"{solution}\n\n\n{call}"
        cell.outputs = [_solved(said["exercise"]) for said in records(cell, "exercise")]
        below = copy.cells[copy.cells.index(cell) + 1]
        below.source = SOLUTION.sub(r"\g<reason>\n\n", below.source).strip()
    copy.cells = [cell for cell in copy.cells if cell.source]
    return copy


def _solved(title: str) -> NotebookNode:
    return new_output(
        "display_data",
        data={"text/plain": f"{VERDICTS['right']} {title}: solved."},
        metadata={KEY: {"exercise": title, "verdict": "right"}},
    )


def only_exercises(notebook: NotebookNode) -> NotebookNode:
    """The cells that the exercises need, and no others: seconds instead of a minute.

    These are the first code cell, the exercises, and every cell above that gives a value to a
    name which a chosen cell reads. Where that is not enough, a NameError says so when it runs.
    """
    first, *others = (cell for cell in deepcopy(notebook).cells if cell.cell_type == "code")
    chosen: list[NotebookNode] = []
    wanted: set[str] = set()
    for cell in reversed(others):
        read, given = global_names(python_source(cell))
        if "exercise" in tags(cell):
            chosen.append(cell)
            wanted |= read - given  # it defines its function before it calls it
        elif given & wanted:
            chosen.append(cell)
            wanted |= read
    copy = deepcopy(notebook)
    copy.cells = [first, *reversed(chosen)]
    return copy


def global_names(source: str) -> tuple[set[str], set[str]]:
    """The global names that Python code reads, and those it gives a value, functions within too."""
    read, given = set(), set()
    scopes = [symtable.symtable(source, "cell", "exec")]
    for scope in scopes:
        scopes += scope.get_children()
        for symbol in scope.get_symbols():
            if scope.get_type() == "module" or symbol.is_global():
                if symbol.is_referenced():
                    read.add(symbol.get_name())
                if symbol.is_assigned() or symbol.is_imported():
                    given.add(symbol.get_name())
    return read, given


def unsolved(notebook: NotebookNode) -> list[str]:
    """What the checks of an executed notebook say of the exercises that are not right."""
    verdicts = [records(cell, "exercise") for cell in notebook.cells if "exercise" in tags(cell)]
    return [
        "\n".join(said["line"] for said in given) or "nothing"
        for given in verdicts
        if not given or any(said["verdict"] != "right" for said in given)
    ]
