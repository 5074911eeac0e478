"""Slides: what stands on them, and in a browser that nothing runs over.

`make slides-check`, or COURSE_SLIDES=all, looks at every slide of every main lesson; without it one
lesson is looked at. COURSE_SCREENSHOTS names a folder for an image of every slide.
"""

import os
from contextlib import contextmanager
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_utils.authoring.notebooks import (
    NOTEBOOKS,
    ROOT,
    NotebookError,
    find,
    read,
    records,
    tags,
)
from course_utils.authoring.plan import sections
from course_utils.authoring.site_pages import Demo, Lesson, Picture
from course_utils.authoring.slides import Code, Slide, fewer, lesson_slides
from course_utils.authoring.slides_text import HEIGHT, blocks, groups, html_of, pieces
from tests.demo_pages import browser, served
from tests.lab_page import find_browser

MAIN = [path for path in find() if path.name.split("_")[0].isdigit()]
EVERYTHING = os.environ.get("COURSE_SLIDES") == "all"
LOOKED_AT = MAIN if EVERYTHING else [path for path in MAIN if path.name.startswith("05")]
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
SHOWN = new_output("display_data", {"image/png": DOT})
HEADER = "# Two\n\nLecture 1 · about 30 minutes to work through, 10 to show in class.\n\n"
SOLUTION = """<details><summary>Solution</summary>

```python
def f(): return 2
```

So.
</details>"""
TEXT = """### One
Three:
- a
- b

```
x

y
```

<details>no</details>

| t |
|---|
| 1 |"""
FOLDED = {"jupyter": {"source_hidden": True}}


def claim(line="✔ two is even [2]", kind="claim"):
    said = {"claim": "two is even", "figures": "[2]", "kind": kind, "holds": True}
    return new_output("display_data", {"text/plain": line}, metadata={"course": said})


def lesson(*cells):
    return Lesson("02_two", new_notebook(cells=[new_markdown_cell(HEADER), *cells]))


def composed(*cells, demos=()):
    return lesson_slides(lesson(*cells), demos)


def words(slide):
    return "".join(block.html for block in [*slide.lead, *slide.blocks])


def test_formulas_and_code_do_not_meet_the_markdown_library():
    assert html_of("$a_1*b_2*c$") == "<p>\\(a_1*b_2*c\\)</p>\n"
    assert html_of("$$a < b$$") == "<p>\\[a &lt; b\\]</p>\n"
    assert html_of("it costs 5$ or 6$") == "<p>it costs 5$ or 6$</p>\n"
    assert "|" not in html_of("| x |\n|---|\n| $p(x|y)$ |").replace("(x|y)", "")


def test_a_text_is_cut_at_paragraphs_lists_and_headings():
    assert list(pieces(TEXT)) == [
        *("### One", "Three:", "- a\n- b", "```\nx\n\ny\n```", "| t |\n|---|\n| 1 |"),
    ]


def test_what_is_too_long_for_a_slide_is_cut_between_rows():
    table = "| a | b |\n|---|---|\n" + "| one | two |\n" * 40
    cut = blocks(table.strip())
    assert len(cut) > 1 and all(part.height <= HEIGHT for part in cut)
    assert all("<thead>" in part.html for part in cut)
    rows = [part.html.count("<tr>") - 1 for part in cut]
    assert sum(rows) == 40 and max(rows) - min(rows) <= 2
    assert [part.continued for part in cut] == [False] + [True] * (len(cut) - 1)
    cut = blocks("\n".join(f"{number}. {'word ' * 30}" for number in range(1, 20)))
    assert len(cut) > 1 and sum(part.html.count("<li>") for part in cut) == 19
    assert f'<ol start="{1 + cut[0].html.count("<li>")}">' in cut[1].html


def test_what_belongs_together_stays_together():
    found = groups(blocks("A:\n\n$$x$$\n\nwith y.\n\nB."))
    assert [[block.kind for block in group] for group in found] == [
        ["prose", "formula", "prose"],
        ["prose"],
    ]


def test_a_question_stands_before_its_answer():
    question = "Some text. *Is two even, with $D^*$?*"
    shown = new_code_cell("show()", outputs=[SHOWN, claim()])
    slides = composed(new_markdown_cell(f"## 1. Two\n\n{question}\n\nYes."), shown)
    assert [slide.kind for slide in slides] == ["title", "question", "figure"]
    assert "even" in words(slides[1]) and "Some text" in words(slides[1])
    assert "Yes" in words(slides[2]) and "two is even" in words(slides[2])
    assert slides[2].codes == [Code("show()", "show()")]


def test_the_code_waits_for_its_figure_and_folded_code_is_left_out():
    slides = composed(
        new_markdown_cell("## 1. Two\n\n" + "Text. " * 80),
        new_code_cell("def f(): pass"),
        new_code_cell("figure()", metadata=FOLDED, outputs=[SHOWN]),
        new_code_cell(
            "g.sweep()", outputs=[new_output("stream", text="2 sliders moved to 6 places")]
        ),
    )
    assert [slide.kind for slide in slides] == ["title", "text", "figure"]
    assert [slide.codes for slide in slides] == [[], [], [Code("f", "def f(): pass")]]
    assert [slide.opens for slide in slides] == [True, True, False]


def test_a_short_text_stands_with_the_figure_or_question_that_it_leads_to():
    shown = new_code_cell("show()", outputs=[SHOWN])
    section = new_markdown_cell("## 1. Pairs\n\nA short line.")
    (figure,) = composed(section, shown)[1:]
    assert "A short line" in figure.lead[0].html and not figure.blocks
    said = new_code_cell("claim()", metadata=FOLDED, outputs=[claim()])
    (figure,) = composed(new_markdown_cell("## 1. Pairs"), said, shown)[1:]
    assert figure.blocks[0].kind == "claim" and not figure.lead
    (question,) = composed(section, new_markdown_cell("*Is it so?*"))[1:]
    assert question.kind == "question" and "A short line" in words(question)


def test_many_cells_share_the_buttons():
    codes = [Code(str(number), "\n" * number) for number in range(7)]
    assert len(fewer(codes, 4)) == 4
    assert "".join(code.source for code in fewer(codes, 4)).count("\n") >= 21


def test_a_demo_follows_the_widget_of_its_section():
    demo = Demo("ring", "Ring", "02_two", "1. Pairs", 900)
    widget = new_code_cell("walk = widgets.Walk()\nwalk", outputs=[SHOWN])
    section = new_markdown_cell("## 1. Pairs\n\n" + "Text. " * 80)
    slides = composed(section, widget, new_markdown_cell("After it."), demos=[demo])
    assert [slide.kind for slide in slides] == ["title", "text", "figure", "demo", "text"]
    assert composed(section, demos=[demo])[-1].demo == demo
    assert "demo" not in [slide.kind for slide in composed(section, widget)]


def test_an_exercise_is_a_slide_with_its_solution_behind_a_button():
    stub = new_code_cell("def f(): ...\n\n\ncheck(f)", metadata={"tags": ["exercise"]})
    text = "## Exercises\n\nReplace the dots.\n\n**1. Two.** Return two."
    slides = composed(new_markdown_cell(text), stub, new_markdown_cell(SOLUTION))
    (exercise,) = [slide for slide in slides if slide.kind == "exercise"]
    assert "Return two" in words(exercise) and "Replace" not in words(exercise)
    first, second = exercise.codes
    assert first.source == "def f(): ..." and second.source == "def f(): return 2"
    assert second.below == "So."


def test_a_figure_is_as_large_as_the_slide():
    def shown(width, height):
        return Slide("figure", "Two", picture=Picture("x.png", b"", "two", (width, height)))

    assert shown(720, 360).figure_size == (1144, 572)
    assert shown(1160, 200).figure_size == (1160, 200)
    assert shown(100, 100).figure_size == (250, 250)  # not all pixels
    square, text = shown(500, 500), blocks("Two is even. " * 10)
    assert square.beside and square.takes(text) and not square.takes(text * 20)
    assert not shown(720, 360).takes(text * 2)
    assert shown(720, 360).takes(text)  # a line or two, for which the figure is made smaller


@pytest.mark.parametrize("path", find(), ids=lambda path: path.stem)
def test_every_lesson_has_slides_and_nothing_is_lost(path):
    notebook = read(path)
    slides = lesson_slides(Lesson(path.stem, notebook))
    parts = sections(notebook)
    assert sum(slide.opens for slide in slides) == len(parts)
    text = "".join(words(slide) for slide in slides)
    claims = records(notebook, "claim")
    assert text.count('class="claim ') == len(claims)
    figures = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if any(kind.startswith("image/") for kind in output.get("data", {}))
    ]
    assert sum(slide.picture is not None for slide in slides) == len(figures)
    exercises = [cell for cell in notebook.cells if "exercise" in tags(cell)]
    assert [len(one.codes) for one in slides if one.kind == "exercise"] == [2] * len(exercises)
    assert all(slide.blocks[-1].kind != "heading" for slide in slides if slide.blocks)
    assert all(slide.notes for slide in slides if slide.kind not in ("title", "text"))


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path):
    from course_utils.authoring.slides_pages import slides

    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(NotebookError, match="something else than slides"):
        slides(["05"], tmp_path)


# In a browser

LOOK = """async () => {
    const found = [];
    const text = node => node.nodeType === 3 && node.data.trim();
    const letters = one => [...one.childNodes].some(text);
    const size = one => parseFloat(getComputedStyle(one).fontSize) * scale;
    const slide = Reveal.getCurrentSlide();
    const scale = Reveal.getScale();
    const edge = slide.getBoundingClientRect();
    const say = (what, one) => found.push(`${what}: ${one.outerHTML.slice(0, 90)}`);
    for (const image of slide.querySelectorAll("img")) {
        try { await image.decode(); } catch { say("no image", image); }
    }
    const beyond = (one, box) => {
        const {left, right, top, bottom} = one.getBoundingClientRect();
        return Math.max(box.left - left, right - box.right, box.top - top, bottom - box.bottom) > 1;
    };
    const body = slide.querySelector(".body").getBoundingClientRect();
    for (const one of slide.querySelectorAll("*")) {
        if (!one.getClientRects().length || one.closest("aside, svg, .panel")) continue;
        if (beyond(one, edge)) say("beyond the slide", one);
        if (one.closest(".body") && beyond(one, body)) say("beyond its place", one);
        if (letters(one) && size(one) < 19.99) say("small", one);
        const wide = one.scrollWidth - one.clientWidth, long = one.scrollHeight - one.clientHeight;
        if (one.matches(".fit, h2, summary") && wide > 1) say("cut", one);
        if (one.matches(".fit") && long > 1) say("too long", one);
        if (one.closest("mjx-merror")) say("formula", one);
    }
    for (const box of slide.querySelectorAll("details")) {
        box.open = true;
        const panel = box.querySelector(".panel");
        if (beyond(panel, edge)) say("code beyond the slide", panel);
        if (panel.scrollWidth > panel.clientWidth + 1) say("code too wide", panel);
        box.open = false;
    }
    return found;
}"""
INDICES = "() => Reveal.getSlides().map(slide => Reveal.getIndices(slide))"
needs_browser = pytest.mark.skipif(
    find_browser() is None, reason="no browser on PATH: install chromium or Google Chrome"
)


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    """The folder of the slides that are looked at."""
    from course_utils.authoring import scripts
    from course_utils.authoring.slides_pages import slides

    pytest.importorskip("playwright", reason="playwright is not installed; `make test` installs it")
    try:
        scripts.fetched_scripts(ROOT / "site")
    except NotebookError as error:
        pytest.skip(str(error).splitlines()[0])
    out = tmp_path_factory.mktemp("slides") / "slides"
    assert slides([path.stem for path in LOOKED_AT], out) == 0
    return out


@contextmanager
def shown(folder: Path, name: str):
    """(page with a lesson's slides, what went wrong so far)."""
    with served(folder) as address, browser() as opened:
        page = opened.new_page(viewport={"width": 1280, "height": 720})
        wrong: list[str] = []

        def request(sent):
            if not sent.url.startswith((address, "data:", "blob:")):
                wrong.append(f"off the server: {sent.url}")

        page.context.on("request", request)
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("console", lambda said: said.type != "log" and wrong.append(said.text))
        page.on("response", lambda got: got.status >= 400 and wrong.append(f"missing: {got.url}"))
        page.goto(f"{address}{name}.html")
        page.wait_for_selector("html[data-ready=yes]", timeout=120_000)
        yield page, wrong


@needs_browser
@pytest.mark.parametrize("path", LOOKED_AT, ids=lambda path: path.stem)
def test_no_slide_runs_over(path, decks):
    found = []
    pictures = os.environ.get("COURSE_SCREENSHOTS")
    with shown(decks, path.stem) as (page, wrong):
        places = page.evaluate(INDICES)
        assert len(places) == len(lesson_slides(Lesson(path.stem, read(path)))) + len(
            page.query_selector_all("section.demo")
        )
        for number, place in enumerate(places, start=1):
            page.evaluate("({h, v}) => Reveal.slide(h, v)", place)
            found += [f"slide {number}: {said}" for said in page.evaluate(LOOK)]
            if pictures:
                page.screenshot(path=Path(pictures) / f"{path.stem}-{number:03d}.png")
        found += wrong
    assert not found, "\n".join(found)


@needs_browser
def test_keys_open_code_and_the_presenter_s_view_has_notes(decks):
    with shown(decks, LOOKED_AT[-1].stem) as (page, wrong):
        place = page.evaluate(
            "() => Reveal.getIndices(document.querySelector('.codes').closest('section'))"
        )
        page.evaluate("({h, v}) => Reveal.slide(h, v)", place)
        panel = page.locator("section.present:not(.stack) .panel").first
        assert not panel.is_visible()
        page.keyboard.press("c")
        panel.wait_for()
        page.keyboard.press("Escape")
        panel.wait_for(state="hidden")
        assert not page.evaluate("Reveal.isOverview()")
        with page.expect_popup() as opening:
            page.keyboard.press("s")
        view = opening.value
        view.wait_for_selector(".speaker-controls-notes:not(.hidden) .value", timeout=60_000)
        page.keyboard.press("Space")
        view.wait_for_function("document.querySelector('.speaker-controls-notes .value').innerText")
        assert not wrong


def test_the_course_has_its_main_lessons():
    assert MAIN and {path.parent for path in MAIN} == {NOTEBOOKS}
