"""What a lecturer wants beside each section: how long it takes, what to ask, what to point at.

All of it comes out of the notebook. Predictions are the paragraphs in italics that ask something,
claims are what the section recorded, seconds were measured when it ran. Minutes are an
estimate: those of the notebook's header, shared out by the words of each section, in text and
code alike. A lecturer's own words go into the metadata of a section's heading cell, under
"speaker_notes", and come first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import accumulate

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from .notebooks import NotebookError, records, tags
from .sizes import MINUTES

HEADING = re.compile(r"^##? (.+)$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
PREDICTION = re.compile(r"\*(?!\*)[^*]*\?[^*]*\*")
# For nbconvert's slides these are notes to the slide above.
NOTES_METADATA = {"slideshow": {"slide_type": "notes"}, "tags": ["speaker-notes"]}
EXERCISE_WORDS = 400  # that an exercise weighs beside its own: it is longer done than read
LONG_WAIT = 3.0  # seconds that one should fill with words


@dataclass(frozen=True)
class Section:
    """A heading of the first or second level, and the cells down to the next."""

    title: str
    cells: list[NotebookNode]

    @property
    def words(self) -> int:
        """The words of its cells, and the weight of its exercises."""
        written = sum(len(cell.source.split()) for cell in self.cells)
        return written + EXERCISE_WORDS * sum("exercise" in tags(cell) for cell in self.cells)

    @property
    def shown_in_class(self) -> bool:
        """Whether there is something to run; exercises are for later."""
        return self.title != "Exercises" and any(cell.cell_type == "code" for cell in self.cells)


def with_speaker_notes(notebook: NotebookNode, seconds: Mapping[str, float]) -> NotebookNode:
    """A copy of an executed notebook with a plan on top, and notes below each heading.

    Args:
        seconds: cell id -> how long it ran.

    Raises:
        NotebookError: the header does not say how many minutes the notebook takes.
    """
    copy = deepcopy(notebook)
    parts = sections(copy)
    promised = MINUTES.search(copy.cells[0].source)
    if not promised:
        raise NotebookError("The header does not say 'about … minutes to work through, … to show'.")
    alone = shared_out(int(promised[1]), [part.words for part in parts])
    in_class = shared_out(int(promised[2]), [part.words * part.shown_in_class for part in parts])
    copy.cells = []
    for part, minutes, shown in zip(parts, alone, in_class):
        heading, *below = part.cells
        notes = [new_markdown_cell(_notes(part, minutes, shown, seconds), metadata=NOTES_METADATA)]
        if heading is parts[0].cells[0]:
            plan = _plan(parts, alone, in_class, seconds)
            notes.insert(0, new_markdown_cell(plan, metadata=NOTES_METADATA))
        copy.cells += [heading, *notes, *below] if part.shown_in_class else part.cells
    return copy


def sections(notebook: NotebookNode) -> list[Section]:
    """The sections of a notebook, whose first cell holds its title."""
    found: list[Section] = []
    for cell in notebook.cells:
        heading = cell.cell_type == "markdown" and HEADING.search(FENCED.sub("", cell.source))
        if heading:
            found.append(Section(heading[1], []))
        found[-1].cells.append(cell)
    return found


def shared_out(minutes: int, words: list[int]) -> list[int]:
    """Whole minutes in proportion to the words, which add up to all the minutes."""
    ends = [round(minutes * count / sum(words)) for count in accumulate(words)]
    return [end - start for start, end in zip([0, *ends], ends)]


def _notes(part: Section, minutes: int, shown: int, seconds: Mapping[str, float]) -> str:
    own = part.cells[0].metadata.get("speaker_notes")
    questions = [
        " ".join(paragraph.split())
        for cell in part.cells
        if cell.cell_type == "markdown"
        for paragraph in cell.source.split("\n\n")
        if PREDICTION.fullmatch(paragraph.strip())
    ]
    claims = [said["line"] for cell in part.cells for said in records(cell, "claim")]
    waits = [
        f"{seconds[cell.id]:.0f} s at `{cell.source.splitlines()[0]}`"
        for cell in part.cells
        if seconds.get(cell.id, 0) >= LONG_WAIT
    ]
    lines = [
        f"**Speaker notes.** About {shown} min in class, {minutes} min to work through alone; "
        f"{_computing(part, seconds):.0f} s of computing.",
        *([own] if own else []),
        *_list("Ask before you run:", questions),
        *_list("Talk while it runs:", waits),
        *_list("Point at:", claims),
    ]
    return "\n\n".join(lines)


def _plan(
    parts: list[Section], alone: list[int], in_class: list[int], seconds: Mapping[str, float]
) -> str:
    rows = ["| section | from minute | in class | to work through | computing |"]
    rows.append("|---|--:|--:|--:|--:|")
    starts = [0, *accumulate(in_class)]
    for part, start, shown, minutes in zip(parts, starts, in_class, alone):
        when = f"{start} | {shown} min" if part.shown_in_class else " | "
        computing = f"{_computing(part, seconds):.0f} s"
        rows.append(f"| {part.title} | {when} | {minutes} min | {computing} |")
    rule = (
        "Seconds of computing were measured when this copy was made. Minutes are an estimate: "
        "those in the header, shared out by the words of each section, in text and code; an "
        f"exercise counts as {EXERCISE_WORDS} words more."
    )
    return "\n".join(["**Plan.**", "", *rows, "", rule])


def _computing(part: Section, seconds: Mapping[str, float]) -> float:
    return sum(seconds.get(cell.id, 0) for cell in part.cells)


def _list(title: str, items: list[str]) -> list[str]:
    return ["\n".join([title, "", *(f"- {item}" for item in items)])] if items else []
