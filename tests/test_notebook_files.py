"""The notebooks as files: what a reader would trip over, found without running anything."""

import re
import statistics
from pathlib import Path

import nbformat
import pytest

from course_utils.authoring.notebooks import (
    KERNEL,
    NOTEBOOKS,
    ROOT,
    VOLATILE_CELL_METADATA,
    WIDGET_VIEW,
    records,
)
from course_utils.authoring.sizes import is_folded

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
PERSONAL_PATH = re.compile(r"(?<![\w.])/(?:home|root|Users|tmp)/|\bC:\\")
LONGEST_CELL, MEDIAN_CELL, LARGEST_FILE = 25, 6, 2_500_000


def test_there_are_notebooks():
    assert PATHS, f"There is no notebook in {NOTEBOOKS}, so the tests of notebooks tested nothing."


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request) -> Path:
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


@pytest.fixture
def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture
def outputs(code):
    return [output for cell in code for output in cell.outputs]


def test_format_is_valid_and_the_file_small(path):
    assert path.stat().st_size < LARGEST_FILE
    raw = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(raw)
    identities = [cell.id for cell in raw.cells]
    assert len(set(identities)) == len(identities)


def test_cells_ran_once_in_order(code):
    """nbval compares nothing in a cell whose count is null, and says nothing about it."""
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))


def test_nothing_alive_or_volatile_is_stored(notebook, outputs):
    assert "widgets" not in notebook.metadata
    assert set(notebook.metadata.language_info) == {"name"}
    assert notebook.metadata.kernelspec == KERNEL
    assert not [output for output in outputs if WIDGET_VIEW in output.get("data", {})]
    kept = {key for cell in notebook.cells for key in cell.metadata}
    assert not kept & set(VOLATILE_CELL_METADATA)


def test_no_error_and_no_stderr(outputs):
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output.text for output in outputs if output.get("name") == "stderr"]


def test_no_path_of_one_machine(notebook, outputs):
    texts = [cell.source for cell in notebook.cells]
    for output in outputs:  # what is read as text; an image's base64 is not
        texts += [text for kind, text in data(output).items() if kind.startswith("text/")]
        texts.append(output.get("text", ""))
    assert not [text for text in texts if PERSONAL_PATH.search(text)]


def test_opens_with_a_title(notebook):
    assert re.search(r"^# \S", notebook.cells[0].source, re.MULTILINE)


def test_no_star_import(code):
    assert not [cell.source for cell in code if re.search(r"\bimport \*", cell.source)]


def test_code_cells_are_short(code):
    lines = r"^[ \t]*[^\s#].*$"  # neither empty nor a comment
    shown = [cell.source for cell in code if not is_folded(cell)]
    lengths = {source: len(re.findall(lines, source, re.MULTILINE)) for source in shown}
    assert not [source for source, length in lengths.items() if length > LONGEST_CELL]
    assert statistics.median(lengths.values()) <= MEDIAN_CELL


def test_figures_say_in_text_what_they_are(outputs):
    figures = [output for output in outputs if {"image/png", "image/jpeg"} & set(data(output))]
    assert figures, "a notebook needs figures"
    assert not [figure for figure in figures if not data(figure).get("text/plain", "").strip()]


def test_what_ships_is_named_rightly(notebook):
    """A statement about a run that ships names its file of weights, its table or its image."""
    named = {said["stored"] for said in records(notebook, "stored")}
    shipped = (ROOT / "data").glob("[itw]*/*.json")
    assert named <= {path.stem for path in shipped}


def data(output) -> dict:
    return output.get("data", {})
