"""The lecturer's plan of a lesson as a page to print, made from the notebook with speaker notes."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template

from nbformat import NotebookNode

from .notebooks import ROOT, NotebookError, tags
from .plan import HEADING, Section, sections
from .scripts import MATHJAX_SVG, copy_parts
from .slides_text import html_of, inline

TEMPLATE = ROOT / "site" / "slides" / "plan.html"
MODULES = ROOT / "site" / "node_modules"
MARK = '<meta name="generator" content="course_utils instructor">'


def plan_page(notebook: NotebookNode) -> str:
    """The plan, the notes to each section, and the exercises with their solutions, as HTML.

    Args:
        notebook: what `with_speaker_notes` made of one with solutions.
    """
    first, *others = sections(notebook)
    body = [_notes(first)]
    for part in others:
        if said := _exercises(part) if part.title == "Exercises" else _notes(part):
            body.append(f"<section>\n<h2>{inline(part.title)}</h2>\n{said}</section>")
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        mark=MARK, title=escape(first.title), heading=inline(first.title), body="\n".join(body)
    )


def _notes(part: Section) -> str:
    return "".join(html_of(cell.source) for cell in part.cells if "speaker-notes" in tags(cell))


def _exercises(part: Section) -> str:
    said = []
    for cell in part.cells:
        if cell.cell_type == "markdown":
            said.append(html_of(HEADING.sub("", cell.source)))
        elif "exercise" in tags(cell):
            said.append(f"<pre>{escape(cell.source, quote=False)}</pre>")
    return "".join(said)


def check_own(target: Path) -> None:
    """Raises: NotebookError where something else than such a page is at `target`."""
    if not target.exists() and not target.is_symlink():
        return
    if not target.is_file() or MARK not in target.read_text(encoding="utf-8", errors="replace"):
        raise NotebookError(
            f"{target} is there and was not made by `instructor`; move it away, or name another "
            "place with --out."
        )


def write_plan(notebook: NotebookNode, target: Path) -> None:
    """Write the page, and beside it MathJax for its formulas where npm has fetched it.

    Without it they stand as they are written in the notebook.
    """
    target.write_text(plan_page(notebook), encoding="utf-8")
    if not (MODULES / "mathjax").is_dir():
        return
    copy_parts(MODULES, MATHJAX_SVG, target.parent / "_static" / "mathjax")
