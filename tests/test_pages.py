"""The pages for readers are held to the notebooks: sections, links, tables and counts."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from course_utils.authoring.notebooks import (
    NOTEBOOKS,
    ROOT,
    read,
    records,
    tags,
)
from course_utils.authoring.sizes import MINUTES

LECTURES, GLOSSARY, README = (ROOT / f"{name}.md" for name in ("LECTURES", "GLOSSARY", "README"))
MEASURED = ROOT / "benchmarks" / "README.md"
PAGES = [path for path in (*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("*/README.md")))]
LESSONS = {path.name.split("_")[0]: path for path in sorted(NOTEBOOKS.glob("*.ipynb"))}

LINK = re.compile(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$", re.MULTILINE)
# [02 §7][02], or [04, Pros and cons][04], and after it *a part*.
REFERENCE = re.compile(r"\[(\d\d\w?)(?: §(\d+|\?)|, ([^\]]+))\]\[\1\](?: \*([^*]+)\*)?")
# Elsewhere a section is named without a link: 02 §1, §3 to §5.
SHORT = re.compile(r"\b(\d\d[a-z]?) ((?:§\d+(?:, | to | and )?)+)")
HEADING = re.compile(r"^(##+) (?:(\d+)\. )?(.+)$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@cache
def sections(lesson: str) -> dict[str, tuple[str, set[str], str]]:
    """Number, or title where it has none -> title, titles of its parts, text, of every section."""
    found: dict[str, tuple[str, set[str], str]] = {}
    name = ""
    for cell in read(LESSONS[lesson]).cells:
        heads = cell.cell_type == "markdown"
        text = FENCED.sub("", cell.source) if heads else cell.source
        for piece in re.split(r"^(?=##+ )", text, flags=re.MULTILINE) if heads else [text]:
            if heading := HEADING.match(piece) if heads else None:
                level, number, title = heading.groups()
                if level == "##":
                    name = number or title
                    found[name] = title, set(), ""
                elif name:
                    found[name][1].add(title)
            if name:
                title, parts, before = found[name]
                found[name] = title, parts, f"{before}\n{piece}"
    return found


def rows(page: Path, below: str = "") -> list[list[str]]:
    """The cells of a page's table rows, without heads and rules; below a heading, if given."""
    text = page.read_text(encoding="utf-8")
    if below:
        text = re.split(r"^#+ ", text.split(f"{below}\n", 1)[1], flags=re.MULTILINE)[0]
    lines = re.findall(r"^\|(.+)\|$", text, re.MULTILINE)
    split = [[part.strip() for part in re.split(r"(?<!\\)\|", line)] for line in lines]
    rules = [number for number, row in enumerate(split) if not set("".join(row)) - set("-:")]
    heads = {number - 1 for number in rules} | set(rules)
    return [row for number, row in enumerate(split) if number not in heads]


def references(page: Path) -> list[tuple[str, str, str]]:
    """Lesson, section and part ("" for none) that a page names, of lessons that are there."""
    found = REFERENCE.findall(page.read_text(encoding="utf-8"))
    return [(lesson, number or title, part) for lesson, number, title, part in found]


def plain(markdown: str) -> str:
    """What a table cell says, without link, emphasis and the escape of a bar."""
    return re.sub(r"[*`]|\[([^\]]+)\](?:\[[^\]]*\]|\([^)]*\))", r"\1", markdown).replace("\\|", "|")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    targets = {unquote(inline or below) for inline, below in LINK.findall(text)}
    local = {target for target in targets if not re.match(r"\w+:", target)}
    for target in sorted(local):
        file, _, anchor = target.partition("#")
        path = (page.parent / file).resolve() if file else page
        assert path.exists(), f"{page.name}: {target}"
        if anchor:
            titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", t).lower().replace(" ", "-") for t in titles}


@pytest.mark.parametrize("page", (LECTURES, GLOSSARY), ids=lambda page: page.stem)
def test_every_lesson_that_is_referred_to_has_its_link(page):
    text = page.read_text(encoding="utf-8")
    named = {lesson for lesson, _, _ in references(page)}
    linked = dict(re.findall(r"^\[(\w+)\]: notebooks/(\S+)$", text, re.MULTILINE))
    assert named <= set(linked)
    assert all(name.startswith(f"{lesson}_") for lesson, name in linked.items())


@pytest.mark.parametrize("page", (LECTURES, GLOSSARY), ids=lambda page: page.stem)
def test_every_section_that_is_named_exists(page):
    for lesson, section, part in references(page):
        if lesson in LESSONS:
            assert section in sections(lesson), f"{page.name}: {lesson} §{section}"
            parts = sections(lesson)[section][1]
            assert not part or part in parts, f"{page.name}: {lesson} §{section} {part}"


@pytest.mark.parametrize("page", (README, MEASURED, ROOT / "data" / "README.md"), ids=str)
def test_every_section_named_without_a_link_exists(page):
    for lesson, numbers in SHORT.findall(page.read_text(encoding="utf-8")):
        if lesson in LESSONS:
            assert set(re.findall(r"\d+", numbers)) <= set(sections(lesson)), f"{lesson} {numbers}"


def test_the_list_of_sections_is_that_of_the_notebooks():
    listed = {plain(lesson): plain(titles) for lesson, titles in rows(LECTURES, "of the lessons")}
    for lesson, path in LESSONS.items():
        title = re.search(r"^# (.+)$", read(path).cells[0].source, re.MULTILINE)[1]
        numbered = {number: at[0] for number, at in sections(lesson).items() if number.isdigit()}
        assert listed[f"{lesson} {title}"] == " · ".join(map(" ".join, numbered.items()))


@pytest.mark.parametrize("page", (LECTURES, GLOSSARY), ids=lambda page: page.stem)
def test_every_lesson_has_its_part_in_the_page(page):
    assert set(LESSONS) <= {lesson for lesson, _, _ in references(page)}


def test_every_numbered_section_stands_in_the_page_of_the_lectures():
    """A section of no lecture is allowed, but not by oversight."""
    of_no_lecture = {("00", "1"), ("00", "2"), ("03", "9"), ("05", "3")}
    of_no_lecture |= {("05", "4"), ("05", "5"), ("06", "7")}
    named = {(lesson, section) for lesson, section, _ in references(LECTURES)}
    for lesson in LESSONS:
        numbered = {(lesson, number) for number in sections(lesson) if number.isdigit()}
        assert numbered - named <= of_no_lecture


def test_terms_are_in_order_and_once():
    terms = [term.replace("β", "beta").replace("é", "e").lower() for term, *_ in rows(GLOSSARY)]
    assert terms == sorted(set(terms))


def test_terms_are_explained_where_the_glossary_says():
    """Every longer word of a term occurs in its section."""
    for term, _, lecture, section in rows(GLOSSARY):
        assert re.fullmatch(r"–|L[1-5](?: to L[1-5]|(?:, L[1-5])*(?: to L[1-5])?)", lecture), term
        lesson, number, title, _ = REFERENCE.search(section).groups()
        if lesson in LESSONS:
            text = sections(lesson)[number or title][2].lower().replace("**", "")
            missing = [word for word in term.lower().split() if word.strip("s") not in text]
            assert not missing, f"{term}: {section} never says {missing}"


def test_the_first_page_has_every_lesson_with_its_minutes():
    text = README.read_text(encoding="utf-8")
    for path in LESSONS.values():
        assert f"(notebooks/{path.name})" in text, path.name
        minutes = MINUTES.search(read(path).cells[0].source)
        row = rf"^\|.*\(notebooks/{path.name}\).*\| (\d+) / (\d+) \|"
        for stated in re.findall(row, text, re.MULTILINE):
            assert stated == minutes.groups(), path.name


def megabytes(folder: str) -> str:
    files = (path for path in (ROOT / "data" / folder).rglob("*") if path.is_file())
    return f"{sum(path.stat().st_size for path in files) / 1e6:.1f}"


def counted() -> dict[str, str]:
    """What the pages count, as the pattern it stands in -> the right number."""
    notebooks = [read(path) for path in LESSONS.values()]
    claims = [said for notebook in notebooks for said in records(notebook, "claim")]
    cells = [cell for notebook in notebooks for cell in notebook.cells]
    return {
        r"(\d+) claims": str(sum(said["kind"] == "claim" and said["holds"] for said in claims)),
        r"(\d+) lessons": str(len(notebooks)),
        r"(\d+) exercises": str(sum("exercise" in tags(cell) for cell in cells)),
        r"([\d.]+) MB of weights": megabytes("weights"),
        r"([\d.]+) MB of images": megabytes("images"),
    }


def test_what_the_pages_count_is_right():
    text = README.read_text(encoding="utf-8") + MEASURED.read_text(encoding="utf-8")
    stated = {pattern: re.findall(pattern, text) for pattern in counted()}
    assert stated[r"(\d+) claims"], "The first page does not say how many claims there are."
    for pattern, number in counted().items():
        assert set(stated[pattern]) <= {number}, f"{pattern}: it is {number}"


def test_the_claims_of_the_first_page_were_held_against_seeds():
    held = [row[1:3] for row in rows(ROOT / "benchmarks" / "results" / "claims.md")]
    (claims,) = set(re.findall(r"(\d+) claims", README.read_text(encoding="utf-8")))
    assert sum(kind == "claim" for kind, _ in held) == int(claims)
    assert {count for _, count in held} == {"5 of 5"}
