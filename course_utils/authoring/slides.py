"""A lesson as slides: what stands on each, from the stored outputs, and nothing is executed.

`lesson_slides` composes them: a section's text in portions, each question before its answer on a
slide of its own, each figure as large as a slide allows with what was seen in it beside or below,
each exercise with its solution, and the live demos. `slides_pages` writes them as web pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from nbformat import NotebookNode

from ..session.records import FAILED, KEY, MARKS
from .notebooks import records, tags
from .plan import Section, plan_of, sections
from .site_pages import (
    MARKER,
    WIDGET,
    Demo,
    Lesson,
    Picture,
    alternative,
    picture,
)
from .sizes import MINUTES_AN_EXERCISE, is_folded
from .slides_text import (
    HEIGHT,
    LINE,
    WIDTH,
    Block,
    blocks,
    claim_block,
    groups,
    height,
    printed_block,
)
from .speaker_notes import asked, section_notes
from .variants import BADGE, SOLUTION, exercises

# What a loop says while it trains, and a widget that is moved for the tests: not for a lecture.
FLEETING = re.compile(r"(?m)^.*: \d+ (?:epochs?|steps) .*\n?|^'?\d+ (?:slider|control)s? \w+ .*\n?")
CAPTION = "In the notebook this is a widget."
SWEPT = re.compile(r"(?:print\()?[\w.]+\.sweep\(\)\)?")
NUMBERED = re.compile(r"^\*\*\d+\. ", re.MULTILINE)
ENLARGED = 2.5  # times that a figure may be, before one sees its pixels more than what it shows
BESIDE = 1.35  # up to this width by height a figure has room beside it
GAP = 36  # pixels between a figure and its text
SHORT = 118  # pixels of text for which a figure may be made a little smaller: a claim, two lines
ONE_LINE = 58  # pixels that a paragraph of one line takes
FULL = 1.1  # of a slide's height, at which its letters become a little smaller than `SIZE`
CODES = 4  # buttons in one row
LETTERS = 20  # on a button


@dataclass(frozen=True)
class Code:
    """What a button opens: source, or the solution of an exercise with the reason below it."""

    label: str
    source: str
    below: str = ""


@dataclass
class Slide:
    """One slide.

    Attributes:
        kind: "title", "text", "question", "figure", "demo" or "exercise".
        heading: of the section that it belongs to.
        blocks: its text; on a figure's slide, what stands beside or below the figure.
        lead: what stands above the figure, or first beside it.
        picture: the figure.
        caption: below the figure.
        codes: what its buttons open.
        demo: what runs in it.
        notes: for the presenter, in Markdown.
        opens: whether it begins a section.
    """

    kind: str
    heading: str
    blocks: list[Block] = field(default_factory=list)
    lead: list[Block] = field(default_factory=list)
    picture: Picture | None = None
    caption: str = ""
    codes: list[Code] = field(default_factory=list)
    demo: Demo | None = None
    notes: list[str] = field(default_factory=list)
    opens: bool = False

    @property
    def beside(self) -> bool:
        """Whether the text stands beside the figure, not below it."""
        return bool(self.picture) and self.picture.size[0] / self.picture.size[1] <= BESIDE

    @property
    def figure_size(self) -> tuple[int, int]:
        """Width and height of the figure on the slide, in pixels."""
        text = [*self.lead, *self.blocks]
        if self.beside:
            return self._enlarged(WIDTH * 0.6 if text else WIDTH, HEIGHT)
        return self._enlarged(WIDTH, HEIGHT - (height(text) + 12 if text else 0))

    def _enlarged(self, wide: float, high: float) -> tuple[int, int]:
        width, tall = self.picture.size
        high -= 34 if self.caption else 0
        times = min(wide / width, high / tall, ENLARGED)
        return round(width * times), round(tall * times)

    def takes(self, more: Sequence[Block]) -> bool:
        """Whether some blocks fit on it too."""
        more_by = LINE if height(more) <= ONE_LINE else 0  # or a line would stand alone
        if self.kind == "figure" and more[0].kind != "heading":
            return self.has_room([*self.lead, *self.blocks, *more], SHORT + more_by)
        return self.kind == "text" and height([*self.blocks, *more]) <= FULL * HEIGHT + 2 * more_by

    def says_only(self, *kinds: str) -> bool:
        """Whether all that it has is text of some kinds, below a heading or not."""
        others = (
            self.blocks[1:] if self.blocks and self.blocks[0].kind == "heading" else self.blocks
        )
        return self.kind == "text" and all(block.kind in kinds for block in others)

    def has_room(self, text: Sequence[Block], short: int = SHORT) -> bool:
        """Whether a figure has room for some text beside it, above it and below.

        Args:
            text: all that it shall have.
            short: pixels of text for which the figure is made smaller.
        """
        if any(block.kind == "table" for block in text):
            return False
        if self.beside and any(block.kind == "printed" for block in text):
            return False
        if self.beside:
            return height(text, int(WIDTH * 0.4) - GAP) <= HEIGHT
        return height(text) <= max(short, HEIGHT - self._enlarged(WIDTH, HEIGHT)[1] - 12)


def lesson_slides(lesson: Lesson, demos: Sequence[Demo] = ()) -> list[Slide]:
    """The slides of a lesson.

    Args:
        lesson: its notebook, with stored outputs, is left as it is.
        demos: those of this lesson that are there to be shown.

    Raises:
        NotebookError: its header does not say how many minutes it takes, or an exercise has no
            solution.
    """
    notebook = lesson.notebook
    parts = sections(notebook)
    plan = plan_of(parts, notebook)
    widgets = set(WIDGET.findall("\n".join(cell.source for cell in notebook.cells)))
    found: list[Slide] = []
    for part, entry in zip(parts, plan):
        if part.title == "Exercises":
            slides = _exercise_slides(part, notebook)
        else:
            waiting = [demo for demo in demos if _bare(demo.section) == _bare(part.title)]
            title = lesson.title if part is parts[0] else part.title
            slides = _section_slides(part, title, waiting, widgets, lesson.number)
            if part is parts[0]:
                slides[:0] = _title_slides(lesson)
        if not slides:
            continue
        slides[0].opens = True
        if part.shown_in_class:
            slides[0].notes.insert(0, section_notes(part, entry, {}))
            ends = entry.start + entry.in_class
            for slide in slides[1:]:
                slide.notes.insert(0, f"Minutes {entry.start} to {ends}: {part.title}.")
        found += slides
    return found


def _bare(section: str) -> str:
    return re.sub(r"^\d+\. ", "", section)


def _title_slides(lesson: Lesson) -> list[Slide]:
    """The title with what the header says below it, and then what one can do afterwards."""
    said, _, goals = _header(lesson).partition("**When you have finished")
    slides = [Slide("title", lesson.title, blocks(said))]
    if goals:
        slides.append(Slide("text", lesson.title, blocks(f"**When you have finished{goals}")))
    return slides


def _header(lesson: Lesson) -> str:
    text = BADGE.sub("", lesson.notebook.cells[0].source)
    return re.sub(r"^# .+\n*", "", text).strip()


class _Composer:
    """Puts one thing after the other on the slides of a section."""

    def __init__(self, heading: str):
        self.heading = heading
        self.slides: list[Slide] = []
        self.codes: list[Code] = []  # of cells whose result has not been shown yet

    def begin(self, heading: str) -> None:
        """Go on with a new slide, under another heading."""
        self.hand_over_codes()
        self.heading = heading
        self.slides.append(Slide("text", heading))

    def text(self, found: Sequence[Block]) -> None:
        """Blocks of one cell, on the slide before as far as they fit there."""
        if found:
            self.hand_over_codes()
        for group in groups(found, int(FULL * HEIGHT)):
            alone = group[0].kind == "heading" and (len(group) == 1 or height(found) > HEIGHT / 2)
            fresh = alone or group[0].continued
            if fresh or not (self.slides and self.slides[-1].takes(group)):
                self.slides.append(Slide("text", self.heading))
            self.slides[-1].blocks += group

    def question(self, before: str, question: str) -> None:
        context = blocks(before)
        if height(context) > HEIGHT * 0.45:
            self.text(context)
            context = []
        self.hand_over_codes()
        slide = Slide("question", self.heading)
        last = self.slides[-1] if self.slides else slide
        if last.says_only("prose") and height(last.blocks) + height(context) <= 2 * SHORT:
            slide.blocks, slide.codes = self.slides.pop().blocks, last.codes
        slide.blocks += [*context, *blocks(question)]
        slide.notes.append("Ask, and wait for answers: the next slides show what comes out.")
        self.slides.append(slide)

    def figure(self, drawn: Picture, caption: str) -> None:
        slide = Slide("figure", self.heading, picture=drawn, caption=caption)
        last = self.slides[-1] if self.slides else slide
        for place, kinds in (("lead", ["prose"]), ("blocks", ["claim", "printed"])):
            if last.says_only(*kinds) and slide.has_room(last.blocks):
                setattr(slide, place, self.slides.pop().blocks)
                slide.codes = last.codes
                break
        slide.notes.append(f"To be seen: {drawn.alt}")
        self.slides.append(slide)
        self.hand_over_codes()

    def outcome(self, block: Block) -> None:
        """A claim or something printed: it belongs to the figure or the text before it."""
        last = self.slides[-1] if self.slides else None
        if not (last and last.takes([block])):
            self.slides.append(Slide("text", self.heading))
        self.slides[-1].blocks.append(block)
        self.hand_over_codes()

    def hand_over_codes(self) -> None:
        """Give the code that waits to the last slide, as many buttons as it has room for."""
        if self.codes and not self.slides:
            self.slides.append(Slide("text", self.heading))
        while self.codes:
            slide = self.slides[-1]
            slide.codes = fewer([*slide.codes, *self.codes], CODES)
            self.codes = []


def _section_slides(
    part: Section, heading: str, waiting: list[Demo], widgets: set[str], number: str
) -> list[Slide]:
    """The slides of a section; its demos stand behind its first widget, or at its end."""
    composer = _Composer(heading)
    for cell in part.cells:
        if cell.cell_type == "markdown":
            if cell.source.startswith("# "):
                continue  # the notebook's header
            for text in filter(None, re.split(r"(?m)^(?=## )", cell.source)):
                first, _, below = text.partition("\n")
                title = first.removeprefix("## ")
                if title not in (first, part.title):  # a second section in one cell
                    composer.begin(title)
                _compose_text(composer, text if title == first else below)
        elif cell.cell_type == "code":
            _compose_code(composer, cell, part.title, widgets, f"{number}-{cell.id}")
            if waiting and composer.slides and composer.slides[-1].caption:
                composer.slides += _demo_slides(heading, waiting)
                waiting = []
    composer.hand_over_codes()
    return composer.slides + _demo_slides(heading, waiting)


def _demo_slides(heading: str, demos: Sequence[Demo]) -> list[Slide]:
    said = "It runs in the page. Click beside its frame before you go on by keys."
    return [Slide("demo", heading, demo=demo, notes=[f"{demo.title}. {said}"]) for demo in demos]


def _compose_text(composer: _Composer, text: str) -> None:
    kept: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text):
        if found := asked(paragraph):
            composer.text(blocks("\n\n".join(kept)))
            composer.question(*found)
            kept = []
        else:
            kept.append(paragraph)
    composer.text(blocks("\n\n".join(kept)))


def _compose_code(
    composer: _Composer, cell: NotebookNode, section: str, widgets: set[str], name: str
) -> None:
    source = MARKER.sub("", cell.source).strip()
    if not is_folded(cell) and not SWEPT.fullmatch(source):
        composer.codes.append(Code(label(source), source))
    claims = iter(records(cell, "claim"))
    for number, output in enumerate(cell.outputs):
        data = output.get("data", {})
        record = output.get("metadata", {}).get(KEY, {})
        if drawn := picture(f"{name}-{number}", output, alternative(cell, output, section)):
            last = re.split(r"\W", source.splitlines()[-1])[0]
            alive = last in widgets or source.splitlines()[-1].startswith("widgets.")
            composer.figure(drawn, CAPTION if alive else "")
        elif "claim" in record:
            composer.outcome(claim_block(next(claims), MARKS, FAILED))
        elif record:
            continue  # the session's line, or the verdict on an exercise
        elif "text/html" in data:
            rows = data["text/html"].count("<tr")
            composer.outcome(Block("table", data["text/html"], 20 + 58 * rows))
        elif "text/markdown" in data:
            composer.text(blocks(data["text/markdown"]))
        elif (
            said := FLEETING.sub("", output.get("text", data.get("text/plain", "")))
            .rstrip()
            .lstrip("\n")
        ):
            composer.outcome(printed_block(said))


def label(source: str) -> str:
    """What the button says that opens some code: the names that it gives, or its first line.

    >>> label("def f(x):\\n    return x"), label("x, y = 1, 2"), label("f(23456) + g(45678)[:3]")
    ('f', 'x, y', 'f(23456) + g(45678)…')
    """
    names = re.findall(r"^(?:def|class) (\w+)", source, re.MULTILINE)
    first = re.search(r"^[^#\s].*$", source, re.MULTILINE)
    given = first and re.match(r"(\w+(?:, \w+)*) = ", first[0])
    return shortened(", ".join(names) or (given or first or ["code"])[1 if given else 0])


def shortened(text: str) -> str:
    """A text that fits on a button."""
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1].rstrip(' ,.=(')}…"


def fewer(codes: Sequence[Code], most: int) -> list[Code]:
    """Neighbouring pieces of code put together until at most `most` are left, shortest first."""
    kept = list(codes)
    while len(kept) > most:
        lines = [code.source.count("\n") for code in kept]
        at = min(range(len(kept) - 1), key=lambda number: lines[number] + lines[number + 1])
        one, other = kept[at : at + 2]
        name = shortened(f"{one.label}, {other.label}")
        kept[at : at + 2] = [Code(name, f"{one.source}\n\n\n{other.source}")]
    return kept


def _exercise_slides(part: Section, notebook: NotebookNode) -> list[Slide]:
    """A slide for each exercise: what is asked, and behind buttons the stub and the solution."""
    solutions = {cell.id: (stub, solution) for cell, stub, _, solution in exercises(notebook)}
    slides: list[Slide] = []
    statement = ""
    for cell in part.cells:
        if cell.cell_type == "markdown":
            if slides and (solution := SOLUTION.match(cell.source)) and solution["reason"]:
                stub, code = slides[-1].codes
                slides[-1].codes = [stub, Code(code.label, code.source, solution["reason"])]
            statement += SOLUTION.sub("", re.sub(r"^## .+\n*", "", cell.source)) + "\n\n"
        elif "exercise" in tags(cell):
            stub, solution = solutions[cell.id]
            begins = NUMBERED.search(statement)
            text = statement[begins.start() if begins else 0 :]
            slide = Slide("exercise", part.title, blocks(text))
            slide.codes = [Code("Code to begin with", stub), Code("Solution", solution)]
            slide.notes.append(
                f"{MINUTES_AN_EXERCISE} minutes. The solution opens by the second button."
            )
            slides.append(slide)
            statement = ""
    return slides


def pictures(slides: Sequence[Slide]) -> Iterator[Picture]:
    """The figures of some slides."""
    return (slide.picture for slide in slides if slide.picture)
