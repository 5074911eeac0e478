"""What a lecturer wants beside each section: how long it takes, what to ask, what to point at.

All of it comes out of the notebook. Predictions are the sentences in italics that end a paragraph
and ask something, claims are what the section recorded, seconds were measured when it ran, and
minutes are shared out by `plan`. A lecturer's own words go into the metadata of a section's heading
cell, under "speaker_notes", and come first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from .notebooks import records, tags
from .plan import (
    CLASSES,
    Companion,
    Planned,
    Section,
    advice,
    plan_of,
    sections,
    shared_out,  # noqa: F401
)

# A question in italics at the end of a paragraph; stars within formulas are none of its ends.
PREDICTION = re.compile(
    r"(?P<before>.*?)(?<!\*)(?P<question>\*(?=[^*\s])(?:\$[^$]+\$|[^*$])*\?\*)", re.DOTALL
)
# For nbconvert's slides these are notes to the slide above.
NOTES_METADATA = {"slideshow": {"slide_type": "notes"}, "tags": ["speaker-notes"]}
LONG_WAIT = 3.0  # seconds that one should fill with words
RULE = (
    "Seconds of computing were measured when this copy was made. Minutes are those in the header, "
    "shared out over the sections by the formula that they come from: alone, a minute for 150 "
    "words, 6 s for a line of code, 2 minutes for a widget and 8 for an exercise; in class, 45 s "
    "for a cell and 2 minutes for a widget. Lectures: how many rows of LECTURES.md name the "
    "section. In a shorter class the first half of the sections stays, and of the others those "
    "that fit and have the most rows together. Run all cells before the class: later sections use "
    "what earlier ones computed."
)


def with_speaker_notes(
    notebook: NotebookNode,
    seconds: Mapping[str, float],
    ideas: Mapping[str, int] | None = None,
    companions: Sequence[Companion] = (),
) -> NotebookNode:
    """A copy of an executed notebook with a plan on top, and notes below each heading.

    Args:
        seconds: cell id -> how long it ran.
        ideas: number of a section -> rows of LECTURES.md that name it.
        companions: the lessons that go deeper.

    Raises:
        NotebookError: the header does not say how many minutes the notebook takes.
    """
    copy = deepcopy(notebook)
    parts = sections(copy)
    plan = plan_of(parts, copy, ideas)
    copy.cells = []
    for part, entry in zip(parts, plan):
        heading, *below = part.cells
        said = section_notes(part, entry, seconds)
        notes = [new_markdown_cell(said, metadata=NOTES_METADATA)]
        if part is parts[0]:
            table = _plan(parts, plan, seconds, companions)
            notes.insert(0, new_markdown_cell(table, metadata=NOTES_METADATA))
        copy.cells += [heading, *notes, *below] if part.shown_in_class else part.cells
    return copy


def asked(paragraph: str) -> tuple[str, str] | None:
    """What stands before the question that a paragraph ends in, and the question; or None.

    >>> asked("Here is $D^*$. *Is it $a*b$?*")
    ('Here is $D^*$.', '*Is it $a*b$?*')
    >>> asked("**Bold?**"), asked("*Only said.*")
    (None, None)
    """
    found = PREDICTION.fullmatch(paragraph.strip())
    return (found["before"].strip(), found["question"]) if found else None


def section_notes(part: Section, entry: Planned, seconds: Mapping[str, float]) -> str:
    """The notes to a section, in Markdown.

    Args:
        seconds: cell id -> how long it ran; nothing is said of computing where there are none.
    """
    own = part.cells[0].metadata.get("speaker_notes")
    questions = [
        " ".join(found[1].split())
        for cell in part.cells
        if cell.cell_type == "markdown"
        for paragraph in cell.source.split("\n\n")
        if (found := asked(paragraph))
    ]
    claims = [said["line"] for cell in part.cells for said in records(cell, "claim")]
    waits = [
        f"{seconds[cell.id]:.0f} s at `{cell.source.splitlines()[0]}`"
        for cell in part.cells
        if seconds.get(cell.id, 0) >= LONG_WAIT
    ]
    computing = f"; {_computing(part, seconds):.0f} s of computing" if seconds else ""
    lines = [
        f"**Speaker notes.** About {entry.in_class} min in class, from minute {entry.start}; "
        f"{entry.alone} min to work through alone{computing}.",
        *([own] if own else []),
        *_list("Ask before you run:", questions),
        *_list("Talk while it runs:", waits),
        *_list("Point at:", claims),
    ]
    return "\n\n".join(lines)


def _plan(
    parts: Sequence[Section],
    plan: Sequence[Planned],
    seconds: Mapping[str, float],
    companions: Sequence[Companion],
) -> str:
    rows = ["| section | from minute | in class | to work through | computing | lectures |"]
    rows.append("|---|--:|--:|--:|--:|--:|")
    for part, entry in zip(parts, plan):
        when = f"{entry.start} | {entry.in_class} min" if entry.shown else " | "
        computing = f"{_computing(part, seconds):.0f} s"
        rows.append(
            f"| {entry.title} | {when} | {entry.alone} min | {computing} | {entry.ideas or ''} |"
        )
    exercises = sum("exercise" in tags(cell) for part in parts for cell in part.cells)
    classes = [f"- {advice(plan, minutes, exercises, companions)}" for minutes in CLASSES]
    return "\n".join(["**Plan.**", "", *rows, "", "In a class of", "", *classes, "", RULE])


def _computing(part: Section, seconds: Mapping[str, float]) -> float:
    return sum(seconds.get(cell.id, 0) for cell in part.cells)


def _list(title: str, items: list[str]) -> list[str]:
    return ["\n".join([title, "", *(f"- {item}" for item in items)])] if items else []
