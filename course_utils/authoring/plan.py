"""How a lecturer shares out the minutes of a lesson, and what to skip when there are fewer.

Minutes are those of the header, which `sizes` counts, shared out over the sections by the same
formula. What a section is worth in class is the number of rows in LECTURES.md that name it: how
much of the lectures is written out there. In a shorter class the first half of the sections stays,
on which the others build, and of these as fit and have the most rows together; in a longer one
there is time for exercises, and then for a companion. A lecturer who knows better writes
`"keep": true` into the metadata of a heading's cell: that section always stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations
from pathlib import Path

from nbformat import NotebookNode

from .notebooks import NotebookError, read
from .sizes import MINUTES, MINUTES_AN_EXERCISE, Sizes, measure_cells

HEADING = re.compile(r"^##? (.+)$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CLASSES = (30, 45, 90)  # minutes


@dataclass(frozen=True)
class Section:
    """A heading of the first or second level, and the cells down to the next."""

    title: str
    cells: list[NotebookNode]

    @property
    def sizes(self) -> Sizes:
        """What is counted in it."""
        return measure_cells(self.cells)

    @property
    def shown_in_class(self) -> bool:
        """Whether there is something to run; exercises are for later."""
        return self.title != "Exercises" and any(cell.cell_type == "code" for cell in self.cells)

    @property
    def number(self) -> str:
        """For example "7"; "" where it has none."""
        found = re.match(r"(\d+)\. ", self.title)
        return found[1] if found else ""


@dataclass(frozen=True)
class Planned:
    """A section in the plan.

    Attributes:
        title, number: its heading's.
        start: the minute of the class in which it begins.
        in_class, alone: minutes.
        shown: whether it is shown in class.
        ideas: rows of LECTURES.md that name it.
        keep: whether its heading's metadata says that it always stays.
    """

    title: str
    number: str
    start: int
    in_class: int
    alone: int
    shown: bool
    ideas: int = 0
    keep: bool = False


@dataclass(frozen=True)
class Companion:
    """A lesson that goes deeper: its number, its title, and its minutes in class."""

    number: str
    title: str
    in_class: int


def sections(notebook: NotebookNode) -> list[Section]:
    """The sections of a notebook, whose first cell holds its title."""
    found: list[Section] = []
    for cell in notebook.cells:
        heading = cell.cell_type == "markdown" and HEADING.search(FENCED.sub("", cell.source))
        if heading:
            found.append(Section(heading[1], []))
        found[-1].cells.append(cell)
    return found


def shared_out(minutes: int, weights: Sequence[float]) -> list[int]:
    """Whole minutes in proportion to the weights, which add up to all the minutes."""
    whole = sum(weights) or 1
    ends = [round(minutes * part / whole) for part in accumulate(weights)]
    return [end - start for start, end in zip([0, *ends], ends)]


def plan_of(
    parts: Sequence[Section], notebook: NotebookNode, ideas: Mapping[str, int] | None = None
) -> list[Planned]:
    """The plan of a lesson, one entry for each section.

    Args:
        parts: its sections.
        notebook: whose header says how many minutes it takes.
        ideas: number of a section -> rows of LECTURES.md that name it.

    Raises:
        NotebookError: the header does not say how many minutes the notebook takes.
    """
    promised = MINUTES.search(notebook.cells[0].source)
    if not promised:
        raise NotebookError("The header does not say 'about … minutes to work through, … to show'.")
    sizes = [part.sizes for part in parts]
    alone = shared_out(int(promised[1]), [size.exactly_alone for size in sizes])
    weights = [size.exactly_in_class * part.shown_in_class for size, part in zip(sizes, parts)]
    in_class = shared_out(int(promised[2]), weights)
    return [
        Planned(
            *(part.title, part.number, start, shown, minutes, part.shown_in_class),
            (ideas or {}).get(part.number, 0),
            bool(part.cells[0].metadata.get("keep")),
        )
        for part, start, shown, minutes in zip(parts, [0, *accumulate(in_class)], in_class, alone)
    ]


def ideas_of(lectures: str, lesson: str) -> dict[str, int]:
    """Number of a section -> rows of LECTURES.md that name it.

    Args:
        lectures: the page.
        lesson: number of the lesson, for example 02b.

    >>> ideas_of("| a | [02 §1][02], [02b §4][02b] |\\n| b | [02 §1][02], [02 §3][02] |", "02")
    {'1': 2, '3': 1}
    """
    rows = [line for line in lectures.splitlines() if line.startswith("|")]
    named = [set(re.findall(rf"\[{lesson} §(\d+)\]\[{lesson}\]", row)) for row in rows]
    numbers = sorted({number for row in named for number in row}, key=int)
    return {number: sum(number in row for row in named) for number in numbers}


def companions_of(path: Path) -> list[Companion]:
    """The lessons that go deeper than the main lesson at `path`; a companion has none."""
    number = path.name.split("_")[0]
    found = []
    for other in sorted(path.parent.glob(f"{number}[a-z]_*.ipynb")):
        header = read(other).cells[0].source
        minutes, title = MINUTES.search(header), HEADING.search(header)
        if minutes and title:
            found.append(Companion(other.name.split("_")[0], title[1], int(minutes[2])))
    return found


def kept(plan: Sequence[Planned], minutes: int) -> list[Planned]:
    """The sections to show in a class of so many minutes, in order.

    The first half stays, and what is marked so. Of the others those are chosen that fit and have
    the most ideas of the lectures together; among equals, those that fill the class. Where even
    the first half does not fit, only what stands before the first section is sure to stay.
    """
    shown = [entry for entry in plan if entry.shown]
    for sure in (len(shown) // 2 + 1, 1):
        best: list[Planned] = []
        for skipped in _choices([one for one in shown[sure:] if not one.keep]):
            stay = [entry for entry in shown if entry not in skipped]
            if _minutes(stay) <= minutes and (not best or _worth(stay) > _worth(best)):
                best = stay
        if best:
            return best
    return shown[:1]


def _choices(entries: Sequence[Planned]) -> Iterator[tuple[Planned, ...]]:
    """What may be skipped: few before many, late sections before early ones."""
    late = entries[::-1]
    return (some for count in range(len(late) + 1) for some in combinations(late, count))


def _worth(entries: Sequence[Planned]) -> tuple[int, int]:
    return sum(entry.ideas for entry in entries), _minutes(entries)


def _minutes(entries: Iterable[Planned]) -> int:
    return sum(entry.in_class for entry in entries)


def advice(
    plan: Sequence[Planned], minutes: int, exercises: int, companions: Sequence[Companion] = ()
) -> str:
    """A paragraph in Markdown: what to skip, or what to add, in a class of so many minutes.

    Args:
        plan: of the lesson.
        minutes: of the class.
        exercises: how many the lesson has.
        companions: of the lesson.
    """
    shown = [entry for entry in plan if entry.shown]
    whole = _minutes(shown)
    if whole > minutes:
        stay = kept(plan, minutes)
        skipped = ", ".join(f"*{one.title}* ({one.in_class})" for one in shown if one not in stay)
        ideas = sum(entry.ideas for entry in stay), sum(entry.ideas for entry in shown)
        share = f", with {ideas[0]} of {ideas[1]} entries in LECTURES.md" if ideas[1] else ""
        stays = f"{_minutes(stay)} of {whole} minutes stay{share}."
        return f"**{minutes} minutes:** skip {skipped}. {stays}"
    left = minutes - whole
    told = [f"**{minutes} minutes:** all sections, {whole} minutes."]
    done = min(exercises, left // MINUTES_AN_EXERCISE)
    if done:
        left -= done * MINUTES_AN_EXERCISE
        some = "the exercises" if done == exercises else f"{done} of the {exercises} exercises"
        told.append(f"Then {some}, {MINUTES_AN_EXERCISE} minutes each.")
    for companion in companions:
        if companion.in_class <= left:
            left -= companion.in_class
            told.append(f"Then all of {companion.number}, *{companion.title}*.")
    if left:
        told.append("1 minute is left." if left == 1 else f"{left} minutes are left.")
    return " ".join(told)
