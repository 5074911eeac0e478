"""The web site as files: it is whole, its links lead somewhere, nothing comes from elsewhere."""

import json
import re
import runpy
import shutil
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_utils.authoring import site as program
from course_utils.authoring import site_pages
from course_utils.authoring.notebooks import NOTEBOOKS, NotebookError, read, records
from course_utils.authoring.sizes import is_folded

# Elements that have no end.
VOID = set("area base br col embed hr img input link meta source track wbr".split())
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "embed": "src"}
LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))


class Page(HTMLParser):
    """What the tests ask about a page.

    Attributes:
        faults: elements that are not closed where they should be, and ids that occur twice.
        ids: what can be linked to.
        links: addresses behind `a`.
        loaded: addresses of what the page loads by itself.
        images: the attributes of every image.
    """

    def __init__(self, text: str):
        super().__init__()
        self.faults, self.ids, self.links, self.loaded, self.images = [], Counter(), [], [], []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        self.faults += [f"{name} is never closed" for name in self.open]
        self.faults += [f"id {name} occurs twice" for name, count in self.ids.items() if count > 1]

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if values.get("id"):
            self.ids[values["id"]] += 1
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        if tag == "img":
            self.images.append(values)
        if tag == "link" and values.get("rel") in ("stylesheet", "icon", "shortcut icon"):
            self.loaded.append(values["href"])
        if values.get(LOADED.get(tag)):
            self.loaded.append(values[LOADED[tag]])
        if values.get("style"):
            self.loaded += addresses(values["style"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> at {self.getpos()} closes {self.open[-1:]}")
        if tag in self.open:
            while self.open.pop() != tag:
                pass


def addresses(style: str) -> list[str]:
    """What a style sheet loads."""
    found = re.findall(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)", style)
    return [first or second for first, second in found]


@cache
def page(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def pages(site: Path) -> list[Path]:
    """Every page but the pages of the API reference, which pdoc makes."""
    return [path for path in sorted(site.rglob("*.html")) if "reference" not in path.parts]


def target(path: Path, address: str) -> tuple[Path, str] | None:
    """The file and the part that an address leads to; None where it leads out of the site."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    return file / "index.html" if file.is_dir() else file, unquote(parts.fragment)


def test_every_lesson_is_a_page_and_stands_in_the_map(site):
    front = page(site / "index.html").links
    for path in LESSONS:
        assert f"notebooks/{path.stem}.html" in front, path.stem
    for name in ("glossary", "lectures", "benchmarks/index", "reference/index", "search"):
        assert (site / f"{name}.html").is_file()


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_is_shown_as_it_is_stored(site, path):
    text = (site / "notebooks" / f"{path.stem}.html").read_text(encoding="utf-8")
    notebook = read(path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [output for cell in code for output in cell.outputs]
    drawn = [output for output in outputs if set(site_pages.IMAGES) & set(output.get("data", {}))]
    assert text.count('<figure class="course-figure') == len(drawn) > 0
    assert text.count('<p class="course-said course-claim">') == len(records(notebook, "claim"))
    folded = [cell for cell in code if is_folded(cell) and not site_pages.only_sweeps(cell)]
    assert text.count("<details class=") == len(folded)
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            title = re.sub(r"[`*$\\].*", "", cell.source.splitlines()[0][3:])
            assert re.sub(r"\W+", "", title) in re.sub(r"<[^>]+>|&\w+;|\W+", "", text), title


def test_every_demo_stands_in_its_section(site):
    demos = program.planned_demos(program.ROOT)
    if not demos:
        pytest.skip("there are no demos")
    for demo in demos:
        place = site / "notebooks" / f"{demo.lesson.removesuffix('.ipynb')}.html"
        assert f"../demos/{demo.name}/index.html?here" in page(place).loaded, demo


def test_html_is_well_formed(site):
    assert len(pages(site)) > len(LESSONS) + 5
    for path in pages(site):
        assert not page(path).faults, path.relative_to(site)


def test_links_and_their_parts_lead_somewhere(site):
    for path in pages(site):
        for address in page(path).links + page(path).loaded:
            if led := target(path, address):
                file, part = led
                said = f"{path.relative_to(site)}: {address}"
                assert file.is_file(), said
                if part and file.suffix == ".html" and not part.startswith(":~:"):
                    assert part in page(file).ids, said


def test_every_image_says_what_it_shows(site):
    for path in pages(site):
        for image in page(path).images:
            assert image.get("alt", "").strip(), f"{path.relative_to(site)}: {image.get('src')}"
            assert "<Figure size" not in image["alt"]


def test_nothing_is_loaded_from_elsewhere(site):
    for path in site.rglob("*.html"):
        for address in page(path).loaded:
            parts = urlsplit(address)
            assert not parts.netloc and parts.scheme in ("", "data"), f"{path}: {address}"
    for path in site.rglob("*.css"):
        for address in addresses(path.read_text(encoding="utf-8")):
            assert not urlsplit(address).netloc, f"{path}: {address}"


def test_terms_lead_from_lessons_to_the_glossary_and_back(site):
    lesson = (site / "notebooks" / "03_vae_latent_space.html").read_text(encoding="utf-8")
    link = r'<a class="course-term reference internal" href="\.\./glossary\.html#term-[^"]+" title='
    assert len(re.findall(link, lesson)) > 10
    glossary = page(site / "glossary.html")
    assert sum("/03_vae_latent_space.html#section-03-" in link for link in glossary.links) > 10


def test_a_word_of_several_meanings_leads_to_the_glossary_only_in_its_own_topic(site):
    terms = runpy.run_path(str(program.ROOT / "site" / "terms.py"))
    ids = {f"term-{word.replace(' ', '-')}" for word in terms["OF_ONE_TOPIC"]}
    glossary = (site / "glossary.html").read_text(encoding="utf-8")
    assert ids <= set(re.findall(r'id="(term-[^"]+)"', glossary))
    topics = {}  # id -> the topics of the pages that link to it
    for path in LESSONS:
        lesson = (site / "notebooks" / f"{path.stem}.html").read_text(encoding="utf-8")
        for found in re.findall(r'glossary\.html#(term-[^"]+)" title=', lesson):
            topics.setdefault(found, set()).add(path.stem[:2])
    assert all(len(topics.get(one, ())) <= 1 for one in ids)
    assert len(topics["term-discriminator"]) > 1


def test_the_search_knows_the_lessons(site):
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    found = json.loads(index[index.index("(") + 1 : index.rindex(")")])
    assert {f"notebooks/{path.stem}" for path in LESSONS} <= set(found["docnames"])
    assert "elbo" in found["terms"]


def test_nothing_in_the_pages_is_of_this_machine(site):
    for path in pages(site):
        assert str(program.ROOT) not in path.read_text(encoding="utf-8"), path


# What the pages are made of, without a build.


def image_output(**data):
    return new_output("display_data", {"image/svg+xml": '<svg viewBox="0 0 4 3"/>', **data})


@pytest.mark.parametrize(
    ("source", "plain", "said"),
    [
        ("# @title Figure and claim: errors\nshow()", "<Figure size 9x9 with 1 Axes>", "errors"),
        ("# @title Samples\nshow()", "Four samples.", "Four samples."),
        ('plot(title="The losses")', "<Figure size 9x9 with 1 Axes>", "The losses"),
        ("pyplot.show()", "<Figure size 9x9 with 1 Axes>", "The objective"),
    ],
)
def test_an_image_is_described_by_itself_its_cell_or_its_section(source, plain, said):
    cell = new_code_cell(source)
    alt = site_pages.alternative(cell, image_output(**{"text/plain": plain}), "The objective")
    assert alt.removeprefix("Figure: ") == said


def lesson(*cells):
    title = "# Codes\n\n[![Open](badge.svg)](https://colab.research.google.com/x)"
    return site_pages.Lesson("09_codes", new_notebook(cells=[new_markdown_cell(title), *cells]))


def test_a_page_has_no_badge_no_markers_and_its_demo_behind_the_widget():
    fold = {"jupyter": {"source_hidden": True}}
    page, pictures = site_pages.lesson_page(
        lesson(
            new_markdown_cell("## 1. A map"),
            new_code_cell("# @title Ring\n# NBVAL_IGNORE_OUTPUT\nring = 1", metadata=fold),
            new_code_cell("view = widgets.explore(f)\nview", outputs=[image_output()]),
            new_markdown_cell("## 2. No more"),
        ),
        demos=[site_pages.Demo("ring", "A ring", "09_codes.ipynb", "1. A map", 300)],
        open_in={"Open in Colab": "https://colab"},
    )
    title, heading, folded, widget, demo, last = page.cells
    assert "badge.svg" not in title.source and 'href="https://colab"' in title.source
    assert heading.source == "(section-09-1)=\n## 1. A map"
    assert folded.source == "ring = 1" and folded.metadata.mystnb.code_prompt_show == "Ring"
    assert pictures[0].size == (4, 3) and pictures[0].name in widget.outputs[0].data["text/html"]
    assert 'src="../demos/ring/index.html?here"' in demo.source and 'title="A ring"' in demo.source
    assert last.source.endswith("## 2. No more")


def test_code_in_a_text_is_left_alone():
    text = "[a](A.md)\n\n```\n[a](A.md)\n## 1. No heading\n```\n"
    linked = site_pages.relinked(text, "", {"A.md": "a.md"}, "https://r", "index.md")
    assert linked == text.replace("A.md", "a.md", 1)
    assert site_pages.targets(lesson(new_markdown_cell(text))) == set()


def test_npm_that_is_missing_is_told_in_a_sentence(tmp_path, monkeypatch):
    site = program.ROOT / "site"
    shutil.copy(site / "package-lock.json", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotebookError, match=r"install Node\.js 20"):
        program.fetched_scripts(tmp_path)


def test_a_folder_with_something_else_is_left_as_it_is(tmp_path):
    if program.missing_packages():
        pytest.skip("the packages of the site are not installed")
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(NotebookError, match="holds something else"):
        program.build(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    assert program.main([]) == 2
