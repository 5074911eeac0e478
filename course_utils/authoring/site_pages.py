"""Lessons and pages as the web site shows them: functions from notebooks and text to the same.

A notebook becomes a page by `lesson_page`: its stored outputs as they are, images as files with
an alternative text, folded cells as closed boxes, claims as lines that wrap. The repository's
pages in Markdown go through `relinked` and `with_sections`.
"""

from __future__ import annotations

import base64
import posixpath
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape, unescape

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from ..session.records import KEY
from .notebooks import KERNEL
from .sizes import MINUTES, is_folded

FENCED = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(\]\(|^\[[^\]\n]+\]: )([^)\s]+)", re.MULTILINE)
BADGE = re.compile(r"^\[!\[[^\]]*\]\([^)]*\)\]\(([^)]+)\)$", re.MULTILINE)
HEADING = re.compile(r"^(##+) (?:(\d+)\. )?(.+)$", re.MULTILINE)
# [02 §7][02], or [04, Pros and cons][04].
REFERENCE = re.compile(r"\[(?P<said>(\d\d\w?)(?: §(\d+)|, ([^\]]+)))\]\[\2\]")
TITLE = re.compile(r"^# @title (.+)\n?", re.MULTILINE)
FIGURE = re.compile(r"^(?:Figure|Table)(?:, \w+)*(?: and \w+)?: ")
MARKER = re.compile(r"^# NBVAL_\w+\n", re.MULTILINE)
WIDGET = re.compile(r"^(\w+) = widgets\.\w+\(", re.MULTILINE)
SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
LABEL = re.compile(r'aria-label="([^"]*)"')
ROW = re.compile(
    r"^\| *(?P<number>\d\d[a-z]?) *\|[^|\n]*\(notebooks/[\w.]+\)[^|\n]*\| *(?P<words>.*?) *\|",
    re.MULTILINE,
)
WIDGET_CAPTION = "A widget as it starts: in the notebook its controls can be moved."
SWEEP = re.compile(r"^(?:print\()?\w+\.sweep\(\)\)?$")
WIDE = 640  # pixels: on a phone a figure that is wider scrolls in its box
IMAGES = ("image/svg+xml", "image/png", "image/jpeg")
# What is shown of an output that comes in several forms, best first.
FORMS = (*IMAGES, "text/html", "text/markdown", "text/plain")


@dataclass(frozen=True)
class Lesson:
    """A notebook of the course.

    Attributes:
        stem: its file name without the ending; the page is called the same.
        notebook: as stored.
        words: what the first page says of it, in Markdown.
    """

    stem: str
    notebook: NotebookNode = field(repr=False)
    words: str = ""

    @property
    def number(self) -> str:
        """For example 02b."""
        return self.stem.split("_")[0]

    @property
    def topic(self) -> str:
        """The number of the main lesson, for example 02."""
        return self.number[:2]

    @property
    def title(self) -> str:
        """The first heading."""
        return re.search(r"^# (.+)$", self.notebook.cells[0].source, re.MULTILINE)[1]

    @property
    def minutes(self) -> tuple[str, str] | None:
        """To work through, and to show in class, as its header says."""
        found = MINUTES.search(self.notebook.cells[0].source)
        return found.groups() if found else None


@dataclass(frozen=True)
class Demo:
    """A model that runs in the page, and the section beside whose widget it stands.

    Attributes:
        name: its folder among the demos.
        title: what the frame is called.
        lesson: file name of the notebook, with or without its ending.
        section: its heading there, with or without the number.
        height: of the frame, in pixels.
    """

    name: str
    title: str
    lesson: str
    section: str
    height: int


@dataclass(frozen=True)
class Picture:
    """An image of an output.

    Attributes:
        name: of its file.
        content: of its file.
        alt: what it shows, in words.
        size: width and height in pixels.
    """

    name: str
    content: bytes = field(repr=False)
    alt: str
    size: tuple[int, int]


def topics(lessons: Sequence[Lesson]) -> dict[str, list[Lesson]]:
    """Number of a topic -> its lessons, the main one first."""
    found: dict[str, list[Lesson]] = {}
    for lesson in sorted(lessons, key=lambda lesson: lesson.number):
        found.setdefault(lesson.topic, []).append(lesson)
    return found


def entry(lesson: Lesson, folder: str = "") -> str:
    """A lesson in the list of pages, with its number."""
    return f"{lesson.number} {lesson.title} <{folder}{lesson.stem}>"


def words_of_lessons(readme: str) -> dict[str, str]:
    """Number of a lesson -> what the README's table says of it.

    >>> words_of_lessons("| 02 | [Codes](notebooks/02_codes.ipynb) | What a code is. | 5 / 2 |")
    {'02': 'What a code is.'}
    """
    return {row["number"]: row["words"] for row in ROW.finditer(readme)}


def plain_html(markdown: str) -> str:
    """A few words in Markdown as HTML, without links and emphasis.

    >>> plain_html("*x* < [y](z.md)")
    'x &lt; y'
    """
    return escape(re.sub(r"[*`]|\[([^\]]+)\](?:\[[^\]]*\]|\([^)]*\))", r"\1", markdown), False)


def anchor(lesson: str, section: str) -> str:
    """The name of a section's target, the same from wherever it is referred to.

    >>> anchor("02b", "7"), anchor("04", "Pros and cons")
    ('section-02b-7', 'section-04-pros-and-cons')
    """
    return f"section-{lesson}-" + re.sub(r"[^a-z0-9]+", "-", section.lower()).strip("-")


def outside_fences(text: str) -> Iterator[tuple[bool, str]]:
    """(whether it is prose, piece) of a text in Markdown, fenced code being the rest."""
    for number, piece in enumerate(FENCED.split(text)):
        yield number % 2 == 0, piece


def relinked(text: str, place: str, pages: Mapping[str, str], repository: str, page: str) -> str:
    """Point the relative links of a text at the site's pages, or else into the repository.

    Args:
        text: in Markdown.
        place: folder of the text in the repository, "" for its root.
        pages: path of a file in the repository -> path of its source among the site's.
        repository: web address of the folder of files.
        page: path of the text's own source among the site's.

    >>> relinked("[a](../A.md#b) [c](c.py)", "x", {"A.md": "a.md"}, "https://r", "x/y.md")
    '[a](../a.md#b) [c](https://r/x/c.py)'
    """

    def elsewhere(match: re.Match) -> str:
        file, mark, part = match[2].partition("#")
        if not file or re.match(r"\w+:", file):
            return match[0]
        path = posixpath.normpath(posixpath.join(place, file))
        if path not in pages:
            return f"{match[1]}{repository}/{path}"
        return match[1] + posixpath.relpath(pages[path], posixpath.dirname(page)) + mark + part

    pieces = outside_fences(text)
    return "".join(LINK.sub(elsewhere, piece) if prose else piece for prose, piece in pieces)


def with_sections(text: str, known: Mapping[str, set[str]]) -> str:
    """Let references such as [02 §7][02] lead to the section, where the lesson has it.

    Args:
        known: number of a lesson -> targets in its page, as `anchor` names them.

    >>> with_sections("[02 §7][02]", {"02": {"section-02-7"}})
    '[02 §7](#section-02-7)'
    """

    def linked(match: re.Match) -> str:
        lesson = match[2]
        target = anchor(lesson, match[3] or match[4])
        return f"[{match['said']}](#{target})" if target in known.get(lesson, ()) else match[0]

    return REFERENCE.sub(linked, text)


def targets(lesson: Lesson) -> set[str]:
    """The names of all sections of a lesson, as `anchor` gives them."""
    return {
        anchor(lesson.number, number or title)
        for cell in lesson.notebook.cells
        if cell.cell_type == "markdown"
        for prose, piece in outside_fences(cell.source)
        if prose
        for level, number, title in HEADING.findall(piece)
        if level == "##"
    }


def glossary(text: str) -> str:
    """The glossary's table as a list of terms that other pages can refer to.

    Args:
        text: the page, with one table of term, meaning, lecture and section.
    """
    terms = []
    before = text[: text.index("\n|")]
    for line in re.findall(r"^\|(.+)\|$", text, re.MULTILINE)[2:]:
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)]
        term, meaning, lecture, section = (cell.replace("\\|", "|") for cell in cells)
        of = "" if lecture == "–" else f"Lecture {lecture.replace('L', '')} · "
        terms.append(f"{term}\n  {meaning}\n\n  {of}{section}\n")
    after = "\n".join(re.findall(r"^\[\w+\]: .+$", text, re.MULTILINE))
    # The definitions of links stand above: inside the list none of the page's would be known.
    return f"{before}\n\n{after}\n\n```{{glossary}}\n" + "\n".join(terms) + "```\n"


def title_of(cell: NotebookNode) -> str:
    """What a folded cell says it is for; "" where it says nothing."""
    found = TITLE.search(cell.source)
    return found[1].strip() if found else ""


def alternative(cell: NotebookNode, output: NotebookNode, section: str) -> str:
    """What an image shows, in words: it is said itself, or by its cell's title, or by the section.

    Args:
        section: heading that the cell stands under.
    """
    data = output.get("data", {})
    if label := LABEL.search(data.get("image/svg+xml", "")):
        return unescape(label[1])
    said = data.get("text/plain", "").strip()
    if said and not re.match(r"<.*>$", said, re.DOTALL):
        return " ".join(said.split())
    if title := title_of(cell):
        return f"Figure: {FIGURE.sub('', title)}"
    titles = re.findall(r"\btitle=\"([^\"{]+)\"", cell.source)
    return "Figure: " + (", ".join(titles) or section)


def picture(name: str, output: NotebookNode, alt: str) -> Picture | None:
    """The image of an output as a file; None where it has none."""
    kind = next((kind for kind in IMAGES if kind in output.get("data", {})), None)
    if kind is None:
        return None
    if kind == "image/svg+xml":
        text = output.data[kind]
        width, height = (round(float(length)) for length in SIZE.search(text).groups())
        return Picture(f"{name}.svg", text.encode(), alt, (width, height))
    content = base64.b64decode(output.data[kind])
    return Picture(f"{name}.{kind.split('/')[1]}", content, alt, _pixels(content))


def _pixels(content: bytes) -> tuple[int, int]:
    """Width and height of a PNG or a JPEG, read off its head."""
    if content.startswith(b"\x89PNG"):
        return struct.unpack(">II", content[16:24])
    place = 2
    while content[place + 1] not in (0xC0, 0xC1, 0xC2):  # the frames that tell the size
        place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    height, width = struct.unpack(">HH", content[place + 5 : place + 9])
    return width, height


def figure(picture: Picture, folder: str, caption: str = "") -> str:
    """HTML that shows an image when it comes into view, its place kept until then."""
    width, height = picture.size
    wide = " wide" if width > WIDE and width > 1.4 * height else ""
    below = f"<figcaption>{caption}</figcaption>" if caption else ""
    return (
        f'<figure class="course-figure{wide}"><img src="{folder}/{picture.name}" '
        f'alt="{escape(picture.alt)}" width="{width}" height="{height}" loading="lazy" '
        f'decoding="async">{below}</figure>'
    )


def said(output: NotebookNode) -> str:
    """HTML of a line that a program can read too: a claim, an exercise, the session; or ""."""
    record = output.get("metadata", {}).get(KEY, {})
    line = output.get("data", {}).get("text/plain", "")
    if not record or not line:
        return ""
    kind = next((kind for kind in ("claim", "exercise") if kind in record), "session")
    return f'<p class="course-said course-{kind}">{escape(line, quote=False)}</p>'


def frame(demo: Demo, folder: str, place: str = "") -> str:
    """HTML of a demo within a page, which loads when it comes near to the view.

    Args:
        folder: of the demos, seen from the page.
        place: "?here" in the section that explains it, to which the demo then has no link.
    """
    address = f"{folder}/{demo.name}/index.html{place}"
    return (
        f'<iframe class="course-demo" loading="lazy" title="{escape(demo.title)}" '
        f'src="{address}" width="100%" height="{demo.height}"></iframe>'
    )


def lesson_page(
    lesson: Lesson,
    companions: Sequence[Lesson] = (),
    demos: Sequence[Demo] = (),
    open_in: Mapping[str, str] | None = None,
) -> tuple[NotebookNode, list[Picture]]:
    """The notebook of a lesson's page, and the images that it shows.

    A demo stands behind the first widget of its section, or at the section's end.

    Args:
        lesson: its notebook is left as it is.
        companions: the pages below this one.
        demos: those of this lesson.
        open_in: name -> address of the places where the notebook can be opened.
    """
    cells: list[NotebookNode] = []
    pictures: list[Picture] = []
    section, waiting = lesson.title, []
    everything = "\n".join(cell.source for cell in lesson.notebook.cells)
    widgets = set(WIDGET.findall(everything))
    for number, cell in enumerate(lesson.notebook.cells):
        if cell.cell_type == "markdown":
            source = BADGE.sub(lambda _: _places(open_in or {}), cell.source, count=1)
            if headings := [title for _, _, title in HEADING.findall(source)]:
                cells += _frames(waiting)
                section = headings[-1]
                waiting = [demo for demo in demos if _heading(demo.section) in headings]
            cells.append(new_markdown_cell(_with_targets(source, lesson.number)))
        elif cell.cell_type == "code" and not only_sweeps(cell):
            alive = _shows_widget(cell.source, widgets)
            name = f"{lesson.number}-{number:03d}"
            shown, drawn = _code(cell, name, section, WIDGET_CAPTION if alive else "")
            cells.append(shown)
            pictures += drawn
            if alive and drawn:
                cells += _frames(waiting)
                waiting = []
    cells += _frames(waiting)
    if companions:
        below = "\n".join(map(entry, companions))
        cells.append(new_markdown_cell(f"```{{toctree}}\n:hidden:\n\n{below}\n```"))
    metadata = NotebookNode(
        kernelspec=KERNEL, language_info={"name": "python", "pygments_lexer": "ipython3"}
    )
    return new_notebook(cells=cells, metadata=metadata), pictures


def only_sweeps(cell: NotebookNode) -> bool:
    """Whether a cell does nothing but move every slider: a test, of which a page shows nothing."""
    lines = [line for line in cell.source.splitlines() if line and not line.startswith("#")]
    return bool(lines) and all(SWEEP.match(line) for line in lines)


def _places(open_in: Mapping[str, str]) -> str:
    links = (f'<a href="{escape(address)}">{name}</a>' for name, address in open_in.items())
    return f'<p class="course-open">{" ".join(links)}</p>'


def _frames(demos: Sequence[Demo]) -> list[NotebookNode]:
    return [new_markdown_cell(frame(demo, "../demos", "?here")) for demo in demos]


def _heading(section: str) -> str:
    """The title of a heading without its marks and its number."""
    return re.sub(r"^(#+ )?(\d+\. )?", "", section)


def _shows_widget(source: str, names: set[str]) -> bool:
    """Whether a cell ends in a widget, `names` being the variables that hold one."""
    last = source.rstrip().splitlines()[-1] if source.strip() else ""
    return re.split(r"\W", last)[0] in names or last.startswith("widgets.")


def _with_targets(text: str, lesson: str) -> str:
    def named(match: re.Match) -> str:
        if match[1] != "##":
            return match[0]
        return f"({anchor(lesson, match[2] or match[3])})=\n{match[0]}"

    pieces = outside_fences(text)
    return "".join(HEADING.sub(named, piece) if prose else piece for prose, piece in pieces)


def _code(
    cell: NotebookNode, name: str, section: str, caption: str
) -> tuple[NotebookNode, list[Picture]]:
    """A code cell as its page shows it, and the images of its outputs, called after `name`."""
    outputs, pictures = [], []
    for number, output in enumerate(cell.outputs):
        alt = alternative(cell, output, section)
        if drawn := picture(f"{name}-{number}", output, alt):
            pictures.append(drawn)
            output = _html(figure(drawn, "../figures", caption))
        elif line := said(output):
            output = _html(line)
        elif "data" in output:
            form = next((form for form in FORMS if form in output.data), None)
            if form is None:  # nothing that a page can show
                continue
            output = new_output("display_data", {form: output.data[form]})
        outputs.append(output)
    source = MARKER.sub("", TITLE.sub("", cell.source)).strip("\n")
    metadata = {}
    if is_folded(cell):
        prompt = title_of(cell) or "Setup"
        metadata = {"tags": ["hide-input"]}
        metadata["mystnb"] = {"code_prompt_show": prompt, "code_prompt_hide": prompt}
    shown = new_code_cell(source, metadata=metadata, outputs=outputs)
    return shown, pictures


def _html(text: str) -> NotebookNode:
    return new_output("display_data", {"text/html": text})
