"""The web site: every lesson a page, made by Sphinx from the stored notebooks, for use offline.

    python -m course_utils.authoring.site build/site

Nothing is executed and nothing is fetched by a reader's browser. Beside the lessons stand the
glossary, the table of the lectures, the benchmarks, the API reference (`reference`) and the demos
(`demos`). What Sphinx reads is written beside the site, in a folder that ends in -source.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

import nbformat

from .fork import stated_name
from .notebooks import ROOT, NotebookError, image_cells, read, records, tags
from .scripts import copy_parts, fetched_scripts
from .site_pages import (
    Demo,
    Lesson,
    Picture,
    alternative,
    entry,
    frame,
    glossary,
    lesson_page,
    picture,
    plain_html,
    relinked,
    targets,
    topics,
    with_sections,
    words_of_lessons,
)
from .targets import check_writable

OURS = ".buildinfo"  # what Sphinx leaves in every site it makes
NEEDED = ("sphinx", "myst_nb", "furo", "pdoc")
INSTALL = "pip install -r requirements-site.txt"
# The parts of MathJax that the pages load: the program and the letters.
MATHJAX = {
    "mathjax/tex-chtml.js": "tex-chtml.js",
    "mathjax/a11y/assistive-mml.js": "a11y/assistive-mml.js",
    "@mathjax/mathjax-newcm-font/chtml/woff2": "fonts/mathjax-newcm-font/chtml/woff2",
    "@mathjax/mathjax-newcm-font/chtml/dynamic": "fonts/mathjax-newcm-font/chtml/dynamic",
}


def build(out: Path, root: Path = ROOT) -> None:
    """Make the whole site anew.

    Args:
        out: its folder, which may hold an older site.
        root: of the clone.

    Raises:
        NotebookError: a package or a program is missing, the folder holds something else, or a
            page has a fault, such as a link that leads nowhere.
    """
    otherwise = "name another folder"
    if missing := missing_packages():
        raise NotebookError(f"The site needs {', '.join(missing)}: {INSTALL}")
    if out.exists() and not (out / OURS).is_file() and (out.is_file() or any(out.iterdir())):
        raise NotebookError(f"{out} holds something else than this site; {otherwise}.")
    check_writable(out.parent, otherwise)
    modules = fetched_scripts(root / "site")
    shutil.rmtree(out, ignore_errors=True)
    sources = out.with_name(f"{out.name}-source")
    pictures = write_sources(sources, root)
    folder = str(out.resolve() / "reference")
    reference = _started("course_utils.authoring.reference", folder, "../index.html")
    options = ["-b", "html", "-W", "--keep-going", "-q", "-j", "auto"]
    options += ["-c", str(root / "site"), "-d", str(sources / ".doctrees")]
    try:
        _finished(_started("sphinx", *options, str(sources), str(out)))
    finally:  # never left behind
        reference_said = reference.communicate()[0]
    for drawn in pictures:
        target = out / "figures" / drawn.name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(drawn.content)
    copy_parts(modules, MATHJAX, out / "_static" / "mathjax")
    _finished(_started("course_utils.authoring.demos", str(out.resolve() / "demos")))
    _succeeded(reference, reference_said)


def missing_packages() -> list[str]:
    """What requirements-site.txt names and this Python does not have."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def write_sources(sources: Path, root: Path = ROOT) -> list[Picture]:
    """Write what Sphinx reads, and return the images that its pages show."""
    shutil.rmtree(sources, ignore_errors=True)
    (sources / "notebooks").mkdir(parents=True)
    lessons, demos = course(root), planned_demos(root)
    name = stated_name(root)
    pages = site_pages(root)
    repository = f"https://github.com/{name}/blob/main"
    known = {lesson.number: targets(lesson) for lesson in lessons}
    pictures: list[Picture] = []

    for main, *companions in topics(lessons).values():
        for lesson in (main, *companions):
            file = f"{lesson.stem}.ipynb"
            page, drawn = lesson_page(
                lesson,
                companions if lesson is main else (),
                [demo for demo in demos if demo.lesson.removesuffix(".ipynb") == lesson.stem],
                places(name, file),
            )
            for cell in page.cells:
                if cell.cell_type == "markdown":
                    at = f"notebooks/{file}"
                    cell.source = relinked(cell.source, "notebooks", pages, repository, at)
            pictures += drawn
            nbformat.write(page, sources / "notebooks" / file)

    texts = {
        place: (root / place).read_text(encoding="utf-8") for place in pages if _is_text(place)
    }
    for place, text in texts.items():
        if place == "GLOSSARY.md":
            text = glossary(text)
        if place == "benchmarks/README.md":
            text += _below(pages)
        folder = str(Path(place).parent.as_posix()).removeprefix(".")
        text = relinked(with_sections(text, known), folder, pages, repository, pages[place])
        target = sources / pages[place]
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="utf-8")

    covers = dict(_covers(lessons))
    front = first_page(root, lessons, covers, demos, pages, repository)
    (sources / "index.md").write_text(front, encoding="utf-8")
    return pictures + list(covers.values())


def course(root: Path) -> list[Lesson]:
    """Every lesson, with what the README's table says of it."""
    words = words_of_lessons((root / "README.md").read_text(encoding="utf-8"))
    paths = sorted((root / "notebooks").glob("*.ipynb"))
    return [Lesson(path.stem, read(path), words.get(path.name.split("_")[0], "")) for path in paths]


def planned_demos(root: Path) -> list[Demo]:
    """The demos that site/demos/demos.json lists."""
    listed = json.loads((root / "site" / "demos" / "demos.json").read_text(encoding="utf-8"))
    return [Demo(**{name: one[name] for name in Demo.__dataclass_fields__}) for one in listed]


def site_pages(root: Path) -> dict[str, str]:
    """Path of every file of the repository that is a page -> path of its source for Sphinx."""
    pages = {"README.md": "index.md", "LECTURES.md": "lectures.md", "GLOSSARY.md": "glossary.md"}
    pages["notebooks/README.md"] = "benchmarks/last_runs.md"
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        pages[f"notebooks/{path.name}"] = f"notebooks/{path.name}"
    for path in sorted((root / "benchmarks" / "results").glob("*.md")):
        pages[f"benchmarks/results/{path.name}"] = f"benchmarks/{path.name}"
    pages["benchmarks/README.md"] = "benchmarks/index.md"
    return pages


def _is_text(place: str) -> bool:
    return place.endswith(".md") and place != "README.md"


def places(repository: str, file: str) -> dict[str, str]:
    """Name -> address of the places where a notebook can be opened.

    >>> sorted(places("me/course", "02_codes.ipynb"))
    ['Notebook on GitHub', 'Open in Binder', 'Open in Colab']
    """
    path = f"notebooks/{file}"
    return {
        "Open in Colab": f"https://colab.research.google.com/github/{repository}/blob/main/{path}",
        "Open in Binder": f"https://mybinder.org/v2/gh/{repository}/main?labpath={path}",
        "Notebook on GitHub": f"https://github.com/{repository}/blob/main/{path}",
    }


def _below(pages: Mapping[str, str]) -> str:
    """The list of pages below that of the benchmarks."""
    below = [Path(page).stem for page in pages.values() if page.startswith("benchmarks/")]
    names = "\n".join(sorted(name for name in below if name != "index"))
    return f"\n\n```{{toctree}}\n:hidden:\n\n{names}\n```\n"


def _covers(lessons: Sequence[Lesson]):
    """(stem, image) of each lesson that has a cover."""
    for lesson in lessons:
        for name, cell in image_cells(lesson.notebook, lesson.stem):
            drawn = [
                picture(name, out, alternative(cell, out, lesson.title)) for out in cell.outputs
            ]
            if name == lesson.stem and any(drawn):
                yield lesson.stem, next(filter(None, drawn))


def first_page(
    root: Path,
    lessons: Sequence[Lesson],
    covers: Mapping[str, Picture],
    demos: Sequence[Demo],
    pages: Mapping[str, str],
    repository: str,
) -> str:
    """The front page's source: site/index.md with the map and the counts in it."""
    notebooks = [lesson.notebook for lesson in lessons]
    claims = [said for notebook in notebooks for said in records(notebook, "claim")]
    exercises = [
        cell for notebook in notebooks for cell in notebook.cells if "exercise" in tags(cell)
    ]
    grouped = topics(lessons)
    text = Template((root / "site" / "index.md").read_text(encoding="utf-8")).substitute(
        map="\n".join(_topic(group, covers) for group in grouped.values()),
        lessons=len(lessons),
        claims=sum(said["kind"] == "claim" and said["holds"] for said in claims),
        exercises=len(exercises),
        first=f"notebooks/{lessons[0].stem}.html",
        demo=frame(demos[0], "demos"),
        repository=repository.removesuffix("/blob/main"),
        toctree="\n".join(entry(main, "notebooks/") for main, *_ in grouped.values()),
    )
    return relinked(text, "", pages, repository, "index.md")


def _topic(group: Sequence[Lesson], covers: Mapping[str, Picture]) -> str:
    """HTML of one topic of the map: its main lesson with its image, and the companions."""
    main, *companions = group
    page = f"notebooks/{main.stem}.html"
    image = ""
    if cover := covers.get(main.stem):
        width, height = cover.size
        image = (
            f'<img src="figures/{cover.name}" alt="{escape(cover.alt)}" width="{width}" '
            f'height="{height}" loading="lazy" decoding="async">'
        )
    alone, in_class = main.minutes or ("", "")
    minutes = f"{alone} minutes alone, {in_class} in class" if alone else ""
    below = "".join(
        f'<li><a href="notebooks/{other.stem}.html">'
        f'<span class="course-number">{other.number}</span> {escape(other.title)}</a></li>'
        for other in companions
    )
    return (
        f'<article class="course-topic"><div class="course-cover">{image}</div>'
        f'<h3><a href="{page}"><span class="course-number">{main.number}</span> '
        f"{escape(main.title)}</a></h3><p>{plain_html(main.words)}</p>"
        f'<p class="course-minutes">{minutes}</p>'
        f"{f'<ul>{below}</ul>' if below else ''}</article>"
    )


def _started(module: str, *arguments: str) -> subprocess.Popen:
    """A module of this very clone as a program, started; what it says is kept."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def _finished(program: subprocess.Popen) -> None:
    _succeeded(program, program.communicate()[0])


def _succeeded(program: subprocess.Popen, said: str) -> None:
    if program.returncode:
        module = program.args[2]
        raise NotebookError(f"{module} found a fault (exit status {program.returncode}).\n{said}")


def main(arguments: list[str]) -> int:
    """Build the site into the one folder that is named. Returns the exit status."""
    if len(arguments) != 1:
        print("Name one folder for the site, such as build/site.", file=sys.stderr)
        return 2
    try:
        build(Path(arguments[0]))
    except (NotebookError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The site is {Path(arguments[0]) / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
