"""Slides as web pages for use offline: one a lesson, run by reveal.js, formulas by MathJax.

Both come from npm, as site/package-lock.json says, and lie beside the pages; nothing is fetched
from elsewhere. What a page does is in site/slides/deck.js, how it looks in deck.css.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

from .fork import stated_name
from .notebooks import NOTEBOOKS, ROOT, NotebookError, find, read
from .scripts import MATHJAX_SVG, copy_parts, fetched_scripts
from .site import planned_demos
from .site_pages import Demo, Lesson, relinked
from .slides import Code, Slide, lesson_slides, pictures
from .slides_text import Block, html_of, inline
from .targets import check_writable

SOURCES = ROOT / "site" / "slides"
MARK = ".course-slides"  # in a folder that this program made
PARTS = {
    "reveal.js/dist/reveal.js": "reveal/reveal.js",
    "reveal.js/dist/reveal.css": "reveal/reveal.css",
    "reveal.js/dist/reset.css": "reveal/reset.css",
    "reveal.js/plugin/notes/notes.js": "reveal/notes.js",
    "reveal.js/dist/theme/fonts/source-sans-pro": "reveal/source-sans-pro",
}
EDGE = re.compile(r'<a [^>]*target="_top"[^>]*>.*?</a>', re.DOTALL)  # out of a demo, to its lesson


def slides(names: Sequence[str] = (), out: Path | None = None, folder: Path = NOTEBOOKS) -> int:
    """Write the slides of lessons, by default of all main ones, and a page with a list of them.

    Slides of other lessons that are there already stay.

    Args:
        names: how the file names of the notebooks start; a companion has slides if it is named.
        out: their folder, build/slides by default.

    Raises:
        NotebookError: no such notebook, npm or what it fetches is missing, or the folder holds
            something else.
    """
    paths = find(names, folder)
    paths = paths if names else [path for path in paths if path.name.split("_")[0].isdigit()]
    out = out or ROOT / "build" / "slides"
    otherwise = "name another folder with --out"
    if out.exists() and (out.is_file() or (any(out.iterdir()) and not (out / MARK).is_file())):
        raise NotebookError(f"{out} holds something else than slides; {otherwise}.")
    check_writable(out, otherwise)
    modules = fetched_scripts(ROOT / "site")
    out.mkdir(parents=True, exist_ok=True)
    (out / MARK).write_text("", encoding="utf-8")
    write_static(out / "_static", modules)
    demos = copied_demos(ROOT / "build" / "site" / "demos", out / "demos")
    decks = {path.stem for path in paths} | {path.stem for path in out.glob("[0-9]*.html")}
    for path in paths:
        lesson = Lesson(path.stem, read(path))
        found = lesson_slides(lesson, [demo for demo in demos if demo.lesson == path.stem])
        figures = out / "figures" / path.stem
        shutil.rmtree(figures, ignore_errors=True)
        figures.mkdir(parents=True)
        for drawn in pictures(found):
            (figures / drawn.name).write_bytes(drawn.content)
        page = deck(lesson, found, addresses(decks, folder), stated_name(ROOT))
        (out / f"{path.stem}.html").write_text(page, encoding="utf-8")
        print(f"{path.stem:<34}{len(found):4} slides")
    (out / "index.html").write_text(front([*out.glob("[0-9]*.html")], folder), encoding="utf-8")
    print(f"The slides begin at {out / 'index.html'}")
    if missing := len(planned_demos(ROOT)) - len(demos):
        print(f"{missing} live demos are not in them: they come from build/site (make site).")
    return 0


def write_static(folder: Path, modules: Path) -> None:
    """Write what all pages load: reveal.js, MathJax, the course's own script and style."""
    from pygments.formatters import HtmlFormatter

    copy_parts(modules, PARTS, folder)
    copy_parts(modules, MATHJAX_SVG, folder / "mathjax")
    for name in ("deck.js", "deck.css"):
        shutil.copyfile(SOURCES / name, folder / name)
    colours = HtmlFormatter(style="default").get_style_defs(".code")
    (folder / "code.css").write_text(colours, encoding="utf-8")


def copied_demos(built: Path, target: Path) -> list[Demo]:
    """Copy the live demos of the web site, where it was built, without their ways to its pages.

    Returns: those that are there.
    """
    demos = [demo for demo in planned_demos(ROOT) if (built / demo.name / "index.html").is_file()]
    if not demos:
        return []
    shutil.copytree(built, target, dirs_exist_ok=True)
    for demo in demos:
        page = target / demo.name / "index.html"
        page.write_text(EDGE.sub("", page.read_text(encoding="utf-8")), encoding="utf-8")
    (target / "index.html").unlink(missing_ok=True)
    return demos


def addresses(decks: set[str], folder: Path) -> dict[str, str]:
    """Path of a notebook in the repository -> its slides, for those that have some."""
    return {f"notebooks/{stem}.ipynb": f"{stem}.html" for stem in sorted(decks)}


def deck(lesson: Lesson, found: Sequence[Slide], pages: Mapping[str, str], repository: str) -> str:
    """The page of a lesson's slides.

    Args:
        lesson: which one.
        found: its slides.
        pages: path of a file in the repository -> address to which links to it lead.
        repository: OWNER/NAME, to which all other links lead.
    """
    stacks: list[list[str]] = []
    for slide in found:
        if slide.opens or not stacks:
            stacks.append([])
        stacks[-1].append(slide_html(slide, f"figures/{lesson.stem}"))
    body = "\n".join(
        "<section>\n" + "\n".join(stack) + "\n</section>" if len(stack) > 1 else stack[0]
        for stack in stacks
    )
    text = Template((SOURCES / "deck.html").read_text(encoding="utf-8")).substitute(
        title=escape(f"{lesson.number} {lesson.title}"), slides=body
    )
    return _linked(text, pages, f"https://github.com/{repository}/blob/main")


def _linked(text: str, pages: Mapping[str, str], repository: str) -> str:
    """Links in the text of slides, as they must be where the slides lie."""

    def elsewhere(match: re.Match) -> str:
        if re.match(r"\w+:|#|_static/|figures/|demos/", match[1]) or match[1].endswith(".html"):
            return match[0]
        link = relinked(f"[]({match[1]})", "notebooks", pages, repository, "x.html")
        return f'href="{link[3:-1]}"'

    return re.sub(r'href="([^"]*)"', elsewhere, text)


def slide_html(slide: Slide, folder: str) -> str:
    """One slide."""
    notes = "".join(html_of(part) for part in slide.notes)
    aside = f'<aside class="notes">{notes}</aside>' if notes else ""
    body = {
        "title": _title,
        "question": _question,
        "figure": lambda one: _figure(one, folder),
        "demo": _demo,
    }.get(slide.kind, _text)(slide)
    return f'<section class="{slide.kind}">\n{body}{aside}\n</section>'


def _head(slide: Slide) -> str:
    return f'<h2 class="fit" data-largest="32">{inline(slide.heading)}</h2>\n'


def _set(blocks: Sequence[Block]) -> str:
    return "".join(block.html for block in blocks)


def _title(slide: Slide) -> str:
    heading = inline(slide.heading)
    return f'<div class="body fit"><h1>{heading}</h1>\n{_set(slide.blocks)}</div>'


def _text(slide: Slide) -> str:
    return f'{_head(slide)}<div class="body fit">{_set(slide.blocks)}</div>{_buttons(slide.codes)}'


def _question(slide: Slide) -> str:
    return (
        f'{_head(slide)}<div class="body fit"><p class="ask">What do you expect?</p>'
        f"{_set(slide.blocks)}</div>{_buttons(slide.codes)}"
    )


def _figure(slide: Slide, folder: str) -> str:
    drawn, (width, height) = slide.picture, slide.figure_size
    below = f"<figcaption>{slide.caption}</figcaption>" if slide.caption else ""
    above, words = _words(slide.lead, "lead"), _words(slide.blocks)
    where = "below"
    if slide.beside and (above or words):
        where, above, words = "beside", "", _words([*slide.lead, *slide.blocks])
    return (
        f'{_head(slide)}<div class="body {where}">{above}<figure style="width:{width}px">'
        f'<img data-src="{folder}/{drawn.name}" alt="{escape(drawn.alt)}" width="{width}" '
        f'height="{height}">{below}</figure>{words}</div>{_buttons(slide.codes)}'
    )


def _words(blocks: Sequence[Block], more: str = "") -> str:
    return f'<div class="words fit {more}" data-largest="28">{_set(blocks)}</div>' if blocks else ""


def _demo(slide: Slide) -> str:
    demo = slide.demo
    return (
        f'<div class="body"><iframe '
        f'data-src="demos/{demo.name}/index.html" title="{escape(demo.title)}"></iframe>'
        '<p class="unserved">A live demo needs a server: '
        "<code>python -m http.server --directory build/slides</code></p></div>"
    )


def _buttons(codes: Sequence[Code]) -> str:
    if not codes:
        return ""
    return f'<div class="codes">{"".join(map(_button, codes))}</div>'


def _button(code: Code) -> str:
    below = html_of(code.below) if code.below else ""
    source = f'<pre class="code">{highlighted(code.source)}</pre>'
    opens = f"<summary>{escape(code.label)}</summary>"
    return f'<details>{opens}<div class="panel" data-largest="30">{source}{below}</div></details>'


def highlighted(source: str) -> str:
    """Python in colours, as HTML.

    >>> highlighted("x = 1")
    '<span class="n">x</span> <span class="o">=</span> <span class="mi">1</span>'
    """
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    coloured = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True))
    return re.sub(r'<span class="w">(\s*)</span>', r"\1", coloured).rstrip("\n")


def front(pages: Sequence[Path], folder: Path) -> str:
    """The page that lists the slides of all lessons."""
    rows = []
    for page in sorted(pages):
        lesson = Lesson(page.stem, read(folder / f"{page.stem}.ipynb"))
        minutes = f"{lesson.minutes[1]} minutes in class" if lesson.minutes else ""
        rows.append(
            f'<li><a href="{page.name}">{lesson.number} {escape(lesson.title)}</a> {minutes}</li>'
        )
    template = Template((SOURCES / "index.html").read_text(encoding="utf-8"))
    return template.substitute(lessons="\n".join(rows))
