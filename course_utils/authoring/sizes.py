"""How large a lesson is, and how many minutes it takes: counted, by one formula, from its cells.

    alone     words / 150 + code lines · 6 s + 2 min a widget + 8 min an exercise
    in class  45 s a visible code cell + 2 min a widget

A code cell is folded where JupyterLab hides its source (`jupyter.source_hidden`; Colab's form view
is `cellView`), and visible otherwise. Words are those of the text without solutions.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from nbformat import NotebookNode

from ..session.files import replacing
from .notebooks import NOTEBOOKS, NotebookError, find, read, tags, write
from .targets import CLONE, check_replaceable, check_writable

WORDS_A_MINUTE, SECONDS_A_LINE = 150, 6
MINUTES_A_WIDGET, MINUTES_AN_EXERCISE, SECONDS_A_CELL = 2, 8, 45
ROUNDED_TO = 5  # minutes: an estimate has no more digits
MINUTES = re.compile(r"about (\d+) minutes to work through, (\d+) to show in class")
SOLUTION = re.compile(r"<details>.*?</details>", re.DOTALL)


@dataclass(frozen=True)
class Sizes:
    """What was counted in a lesson.

    Attributes:
        visible, folded: code cells whose source is shown, and those whose source is hidden.
        lines: non-blank lines of each visible code cell.
        words: of the text, without solutions.
        widgets: those that are swept, and image pickers.
        exercises: cells that hold one.
    """

    visible: int
    folded: int
    lines: tuple[int, ...]
    words: int
    widgets: int
    exercises: int

    @property
    def exactly_alone(self) -> float:
        """Minutes to work through, by the formula."""
        minutes = self.words / WORDS_A_MINUTE + sum(self.lines) * SECONDS_A_LINE / 60
        return minutes + MINUTES_A_WIDGET * self.widgets + MINUTES_AN_EXERCISE * self.exercises

    @property
    def exactly_in_class(self) -> float:
        """Minutes to show in class, by the formula."""
        return self.visible * SECONDS_A_CELL / 60 + MINUTES_A_WIDGET * self.widgets

    @property
    def alone(self) -> int:
        """Minutes to work through, rounded up to five."""
        return ROUNDED_TO * ceil(self.exactly_alone / ROUNDED_TO)

    @property
    def in_class(self) -> int:
        """Minutes to show in class, rounded up to five."""
        return ROUNDED_TO * ceil(self.exactly_in_class / ROUNDED_TO)


def is_folded(cell: NotebookNode) -> bool:
    """Whether a reader sees no source of a code cell until he unfolds it."""
    return bool(cell.metadata.get("jupyter", {}).get("source_hidden"))


def measure(notebook: NotebookNode) -> Sizes:
    """Count a lesson."""
    return measure_cells(notebook.cells)


def measure_cells(cells: Sequence[NotebookNode]) -> Sizes:
    """Count some cells, such as those of a section."""
    code = [cell for cell in cells if cell.cell_type == "code"]
    visible = [cell for cell in code if not is_folded(cell)]
    text = [SOLUTION.sub("", cell.source) for cell in cells if cell.cell_type == "markdown"]
    everything = "\n".join(cell.source for cell in code)
    return Sizes(
        visible=len(visible),
        folded=len(code) - len(visible),
        lines=tuple(len(list(filter(str.strip, c.source.splitlines()))) for c in visible),
        words=sum(len(part.split()) for part in text),
        widgets=len(re.findall(r"\.sweep\(\)|widgets\.ImagePicker\(", everything)),
        exercises=sum("exercise" in tags(cell) for cell in code),
    )


def minutes(names: Sequence[str] = (), folder: Path = NOTEBOOKS) -> int:
    """Count lessons, and write their minutes into their headers and the README's table.

    Raises:
        NotebookError: a header has no place for the minutes, or something cannot be written.
    """
    readme = folder.parent / "README.md"
    for place in (folder, readme.parent):
        check_writable(place, CLONE)
    check_replaceable(readme)
    print("lesson                          visible folded lines median longest words alone class")
    for path in find(names, folder):
        notebook = read(path)
        sizes = measure(notebook)
        header = notebook.cells[0]
        if not MINUTES.search(header.source):
            raise NotebookError(
                f"The header of {path.name} does not say 'about … minutes to work through, … to "
                "show in class'."
            )
        told = f"about {sizes.alone} minutes to work through, {sizes.in_class} to show in class"
        if told not in header.source:
            header.source = MINUTES.sub(told, header.source)
            write(notebook, path)
        _write_into_table(readme, path.name, f"{sizes.alone} / {sizes.in_class}")
        print(
            f"{path.stem:<31} {sizes.visible:7} {sizes.folded:6} {sum(sizes.lines):5} "
            f"{statistics.median(sizes.lines):6g} {max(sizes.lines):7} {sizes.words:5} "
            f"{sizes.alone:5} {sizes.in_class:5}"
        )
    return 0


def _write_into_table(readme: Path, name: str, cell: str) -> None:
    """Put the minutes into the last column of a lesson's row, where the page has one."""
    if not readme.exists():
        return
    text = readme.read_text(encoding="utf-8")
    row = re.compile(rf"^(\|[^\n]*\(notebooks/{re.escape(name)}\)[^\n]*\| )[^|\n]*( \|)$", re.M)
    renewed = row.sub(rf"\g<1>{cell}\2", text)
    if renewed != text:
        with replacing(readme) as file:
            file.write(renewed.encode())
