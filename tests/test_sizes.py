"""The pattern of a lesson: its sizes, its minutes, its words, its schematic and its curve."""

import re
import statistics
from pathlib import Path

import pytest

from course_utils.authoring.notebooks import NOTEBOOKS, read, records
from course_utils.authoring.sizes import MINUTES, is_folded, measure, minutes

# Rewritten by the pattern. The others follow, one after the other, and then this is all of them;
# until then their headers say how many minutes they really take.
REWRITTEN = (
    "00_start_here",
    "00b_learning_curves_and_convolutions",
    "01_style_transfer",
    "01b_style_in_depth",
    "01c_feed_forward_style_transfer",
    "02_autoencoders",
    "02b_autoencoder_uses",
    "02c_autoencoder_variants",
    "03_vae_latent_space",
    "03b_measuring_a_vae",
    "04_gans_and_mode_collapse",
    "04b_stabilizing_gans",
    "05_conditional_gan",
    "05b_text_and_attributes",
    "05c_image_to_image",
    "05d_inversion_and_directions",
    "06_cyclegan",
    "06b_cyclegan_in_depth",
    "07_resnet",
    "07b_residual_networks_in_depth",
    "08_diffusion_and_flow_matching",
    "08b_diffusion_in_depth",
)
MAIN = {"visible": 45, "folded": 25, "lines": 400, "longest": 20, "words": 3000}
COMPANION = {"visible": 60, "folded": 30, "lines": 500, "longest": 25, "words": 3000}
MEDIAN, MINUTES_ALONE, MINUTES_IN_CLASS = 6, 110, 50

# What the field calls otherwise, in text, code and outputs alike.
OTHER_WORDS = (
    r"pictures?", r"heaps?", r"crowds?", r"flocks?", r"envelopes?", r"partners?", r"painters?",
    r"portraitists?", r"menders?", r"artists?", r"verdicts?", r"judges?d?", r"examiners?",
    r"pupils?", r"promises?", r"wish(es)?", r"prices?", r"charged", r"bridges?", r"untold",
    r"by heart", r"memorisers?", r"asleep", r"awake", r"hills", r"ghosts?", r"floors", r"stamps",
    r"films?", r"reels?", r"doubles?", r"cures?d?", r"drawers?", r"sitters?", r"calm",
)  # fmt: skip
# Lectures 3 and 5 tell of a forger and a detective, a bank and its spy: once or twice each.
METAPHORS = (r"forgers?", r"detectives?", r"spy|spies", r"counterfeiters?", r"banks?")


def of_pattern():
    return [NOTEBOOKS / f"{name}.ipynb" for name in REWRITTEN]


@pytest.fixture(params=of_pattern(), ids=lambda path: path.stem)
def path(request) -> Path:
    return request.param


@pytest.fixture
def notebook(path):
    return read(path)


def is_companion(path: Path) -> bool:
    return path.stem.split("_")[0][-1].isalpha()


def test_a_lesson_keeps_its_size(path, notebook):
    sizes, limits = measure(notebook), COMPANION if is_companion(path) else MAIN
    found = {
        "visible": sizes.visible,
        "folded": sizes.folded,
        "lines": sum(sizes.lines),
        "longest": max(sizes.lines),
        "words": sizes.words,
    }
    assert all(found[name] <= limit for name, limit in limits.items()), (found, limits)
    assert statistics.median(sizes.lines) <= MEDIAN
    if is_companion(path):
        assert 1 <= sizes.exercises <= 3
    else:
        assert sizes.exercises == 3
        assert sizes.alone <= MINUTES_ALONE and sizes.in_class <= MINUTES_IN_CLASS


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_header_of_every_lesson_says_the_minutes_that_are_counted(path):
    notebook = read(path)
    sizes, told = measure(notebook), MINUTES.search(notebook.cells[0].source)
    assert told and tuple(map(int, told.groups())) == (sizes.alone, sizes.in_class)


def text_of(notebook, without="## What to read"):
    """Text, code and printed outputs, down to the references, whose titles have their own words."""
    parts = []
    for cell in notebook.cells:
        quoted = r'"[^"\n]*"' if cell.cell_type == "markdown" else "^$"  # a lecture's own words
        parts.append(re.sub(quoted, "", cell.source))
        for output in cell.get("outputs", []):
            parts += [output.get("text", ""), output.get("data", {}).get("text/plain", "")]
    return "\n".join(parts).partition(without)[0]


def words_in(text: str, pattern: str) -> list[str]:
    # In names of code, parts are separated by underscores.
    return re.findall(rf"(?:(?<=[\W_])|^)(?:{pattern})(?=[\W_]|$)", text, re.IGNORECASE)


def test_a_lesson_speaks_the_language_of_the_field(notebook):
    text = text_of(notebook)
    found = {
        pattern: re.findall(rf".*\b(?:{pattern})\b.*", text, re.IGNORECASE)
        for pattern in OTHER_WORDS
        if words_in(text, pattern)
    }
    assert not found
    often = {pattern: len(words_in(text, pattern)) for pattern in METAPHORS}
    assert all(count <= 2 for count in often.values()), often


def test_a_lesson_has_a_schematic_a_curve_and_references_with_links(path, notebook):
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert "training_curves(" in code
    if not is_companion(path):
        assert "schematics." in code
        early = notebook.cells[: len(notebook.cells) // 3]
        assert any("image/svg+xml" in str(cell.get("outputs", "")) for cell in early)
    reading = notebook.cells[-1].source.partition("## What to read")[2]
    entries = [line for line in reading.splitlines() if line.startswith("- ")]
    assert entries and all(re.search(r"\]\(https://", entry) for entry in entries)


def test_claims_and_imports_are_folded_and_say_what_they_do(notebook):
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        if re.search(r"^(claim|check)\(", cell.source, re.MULTILINE):
            assert is_folded(cell), cell.source
        if is_folded(cell) and not cell.source.startswith("# On Colab"):
            assert cell.source.startswith("# @title "), cell.source
            assert cell.metadata.get("cellView") == "form"


def test_every_claim_compares_figures_and_every_kind_is_in_the_table(notebook):
    said = [one for kind in ("claim",) for one in records(notebook, kind)]
    assert all("margin" in one for one in said if one["kind"] == "claim"), said
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    table = text.partition("by kind of evidence")[2].partition("## What to read")[0]
    marks = {"claim": "✔", "check": "≡", "stored": "▣"}
    assert {marks[one["kind"]] for one in said} <= set(re.findall("[✔≡▣]", table))


def test_minutes_are_counted_by_the_stated_formula(tmp_path):
    from nbformat import write
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    folded = {"jupyter": {"source_hidden": True}}
    cells = [
        new_markdown_cell("# A\n\nabout 1 minutes to work through, 1 to show in class"),
        new_markdown_cell("word " * 1489 + "<details>\n\nnot read\n\n</details>"),
        new_code_cell("a\n\nb\nview.sweep()"),
        new_code_cell("not shown", metadata=folded),
        new_code_cell("def answer(): ...", metadata={"tags": ["exercise"]}),
    ]
    lessons = tmp_path / "notebooks"
    lessons.mkdir()
    write(new_notebook(cells=cells), lessons / "01_a.ipynb")
    (tmp_path / "README.md").write_text(
        "| 01 | [A](notebooks/01_a.ipynb) | 1 / 1 |\n", encoding="utf-8"
    )
    assert minutes(["01"], lessons) == 0
    sizes = measure(read(lessons / "01_a.ipynb"))
    assert (sizes.visible, sizes.folded, sizes.lines) == (2, 1, (3, 1))
    # 1,502 words at 150 a minute, 4 lines at 6 s, one widget, one exercise: 20.4 minutes.
    assert sizes.words == 1502 and sizes.alone == 25
    assert sizes.in_class == 5  # two cells at 45 s, and a widget
    assert "about 25 minutes to work through, 5" in read(lessons / "01_a.ipynb").cells[0].source
    assert "| 25 / 5 |" in (tmp_path / "README.md").read_text(encoding="utf-8")
