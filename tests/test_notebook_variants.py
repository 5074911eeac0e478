"""Notebooks for students and lecturers, and the solved ones that nbval runs."""

import os
import re
import subprocess

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_utils.authoring.commands import instructor, solved, student
from course_utils.authoring.notebooks import (
    NOTEBOOKS,
    ROOT,
    NotebookError,
    find,
    read,
    records,
    tags,
    write,
)
from course_utils.authoring.speaker_notes import sections, shared_out, with_speaker_notes
from course_utils.authoring.variants import (
    exercises,
    global_names,
    only_exercises,
    unsolved,
    with_solutions,
    without_solutions,
)

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))

HEADER = """# Numbers

[![Open in Colab](https://badge.svg)](https://colab.research.google.com/x)

Lecture 1 · about 30 minutes to work through, 12 to show in class · it runs in seconds."""
CHECK = """
from course_utils.claims import claim
from course_utils.exercises.checking import Wrong, ask, check
def check_double(answer):
    def examine(answer):
        if ask(answer, 2) != 4:
            raise Wrong("twice two is four.")
        return "so it is."
    check("Exercise 1, twice", answer, examine)
"""
NOT_YET = {"course": {"exercise": "Exercise 1, twice", "verdict": "not attempted"}}
SOLVED = {
    "exercise": "Exercise 1, twice",
    "verdict": "right",
    "line": "✔ Exercise 1, twice: solved.",
}
SOLUTION = """<details><summary>Solution</summary>

```python
def double(x):
    return {factor} * x
```

Adding would do as well.
</details>

**2. Nothing.** No more of this."""


def lesson(factor=2):
    """A small notebook with everything the variants look for."""
    exercise = new_code_cell(
        "def double(x): ...\n\n\ncheck_double(double)",
        metadata={"tags": ["exercise"]},
        outputs=[new_output("display_data", data={"text/plain": "○"}, metadata=NOT_YET)],
    )
    cells = [
        new_markdown_cell(HEADER),
        new_code_cell(CHECK),
        new_markdown_cell("## 1. Two", metadata={"speaker_notes": "Bring two apples."}),
        new_markdown_cell("*Lecture 1.* Of two.\n\n*Before you run it: is two even?*"),
        new_code_cell("two = 2"),
        new_code_cell("three = 3"),
        new_code_cell('claim("two is even", two % 2 == 0, "2")'),
        new_markdown_cell("## Exercises\n\n**1. Twice.** Double a number."),
        exercise,
        new_markdown_cell(SOLUTION.format(factor=factor)),
        new_markdown_cell("## Where to read on\n\nNowhere."),
    ]
    return new_notebook(cells=cells)


@pytest.fixture
def folder(tmp_path):
    write(lesson(), tmp_path / "01_numbers.ipynb")
    return tmp_path


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_student_s_notebook_has_the_stubs_and_no_solution(path):
    notebook = read(path)
    variant = without_solutions(notebook)
    nbformat.validate(variant)
    text = "\n".join(cell.source for cell in variant.cells)
    assert "<details>" not in text and "colab.research" not in text
    for _, stub, call, solution in exercises(notebook):
        assert f"{stub}\n\n\n{call}" in text
        assert solution not in text
    assert not [cell for cell in variant.cells if cell.get("outputs")]
    statements = re.findall(r"^\*\*\d+\. .*$", text, re.MULTILINE)
    assert len(statements) >= len(exercises(notebook)) > 0


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_solutions_take_the_place_of_the_stubs(path):
    notebook = read(path)
    variant = with_solutions(notebook)
    nbformat.validate(variant)
    filled = [cell for cell in variant.cells if "exercise" in tags(cell)]
    assert len(filled) == len(exercises(notebook))
    for cell, (stub, _, call, solution) in zip(filled, exercises(notebook)):
        assert cell.source == f"{solution}\n\n\n{call}"
        (before,), (said,) = records(stub, "exercise"), records(cell, "exercise")
        assert (before["verdict"], said["verdict"]) == ("not attempted", "right")
        assert said["line"] == f"✔ {before['exercise']}: solved."
    assert "<details>" not in "".join(cell.source for cell in variant.cells)


def test_the_notebook_itself_is_left_alone():
    notebook = lesson()
    before = nbformat.writes(notebook)
    without_solutions(notebook)
    only_exercises(with_solutions(notebook))
    with_speaker_notes(notebook, {})
    assert nbformat.writes(notebook) == before


def test_what_a_solution_says_beside_its_code_stays_with_the_lecturer():
    below = with_solutions(lesson()).cells[9].source
    assert below == "Adding would do as well.\n\n**2. Nothing.** No more of this."
    assert without_solutions(lesson()).cells[9].source == "**2. Nothing.** No more of this."


def test_an_exercise_without_a_solution_is_refused():
    notebook = lesson()
    del notebook.cells[9]
    with pytest.raises(NotebookError, match="(?s)no solution below it.*def double"):
        with_solutions(notebook)


def test_only_the_cells_that_exercises_need_are_run():
    notebook = with_solutions(lesson())
    assert [cell.source[:10] for cell in only_exercises(notebook).cells[1:]] == ["def double"]
    notebook.cells[8].source = "def double(x):\n    return two * x\n\n\ncheck_double(double)"
    assert [cell.source[:7] for cell in only_exercises(notebook).cells[1:]] == [
        "two = 2",
        "def dou",
    ]


def test_global_names_are_those_of_the_module():
    function = "def f(x, y=z):\n    global g\n    g = x + h\n    return [k for k in g]"
    read_names, given = global_names(f"import torch.nn as nn\n{function}")
    assert read_names == {"z", "h", "g"}
    assert given == {"nn", "f", "g"}
    assert global_names("total += 1")[1] == {"total"}


def test_variants_are_written_where_they_are_wanted(folder, tmp_path):
    assert student([], tmp_path / "student", folder) == 0
    assert solved(["01"], tmp_path / "solved", folder) == 0
    assert "colab" not in read(tmp_path / "student" / "01_numbers.ipynb").cells[0].source
    *_, exercise = read(tmp_path / "solved" / "01_numbers.ipynb").cells
    assert records(exercise, "exercise") == [SOLVED]


def test_a_lecturer_s_notebook_is_solved_executed_and_has_notes(folder, tmp_path, capsys):
    assert instructor(["01"], tmp_path / "notes", folder) == 0
    notebook = read(tmp_path / "notes" / "01_numbers.ipynb")
    assert unsolved(notebook) == []
    title, plan, opening, setup, heading, notes = notebook.cells[:6]
    assert "| 1. Two | " in plan.source and "| Exercises |  |  | " in plan.source
    assert opening.source.startswith("**Speaker notes.** About ")
    assert heading.source == "## 1. Two"
    assert notes.metadata.slideshow.slide_type == "notes"
    said = notes.source
    assert said.index("Bring two apples.") < said.index("- *Before you run it: is two even?*")
    assert "- ✔ two is even [2]" in said
    assert "Lecture 1" not in said


def test_a_solution_that_its_check_refuses_is_told(tmp_path, capsys):
    write(lesson(factor=3), tmp_path / "01_numbers.ipynb")
    with pytest.raises(NotebookError, match="(?s)refused.*✘ Exercise 1, twice: twice two is four"):
        instructor([], tmp_path / "notes", tmp_path)
    assert find([], tmp_path) == [tmp_path / "01_numbers.ipynb"]


def test_minutes_are_shared_out_whole():
    assert shared_out(60, [1, 1, 1]) == [20, 20, 20]
    assert sum(shared_out(45, [7, 0, 11, 13, 1, 200])) == 45
    assert shared_out(45, [7, 0, 11])[1] == 0


def test_waiting_times_and_missing_headers():
    notebook = lesson()
    waiting = with_speaker_notes(notebook, {notebook.cells[5].id: 4.2})
    assert "- 4 s at `three = 3`" in waiting.cells[5].source
    assert "4 s of computing" in waiting.cells[5].source
    notebook.cells[0].source = "# Numbers"
    with pytest.raises(NotebookError, match="minutes to work through"):
        with_speaker_notes(notebook, {})


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_notebook_can_be_planned(path):
    notebook = read(path)
    parts = sections(notebook)
    assert sum(len(part.cells) for part in parts) == len(notebook.cells)
    assert [part.title for part in parts].count("Exercises") == 1
    plan = with_speaker_notes(notebook, {}).cells[1].source
    assert plan.count("\n| ") == len(parts) + 1


def test_nothing_is_written_over_that_the_command_has_not_made(folder, tmp_path):
    """The lecturer's own notebooks, another's file, and a copy that a student has worked on."""
    lesson, out = folder / "01_numbers.ipynb", tmp_path / "student"
    before = lesson.read_bytes()
    with pytest.raises(NotebookError, match="is the lesson itself; name another place"):
        student(["01"], folder, folder)
    assert student(["01"], out, folder) == student(["01"], out, folder) == 0
    copy = read(out / "01_numbers.ipynb")
    copy.cells[-1].source = "def twice(x): return 2 * x"
    write(copy, out / "01_numbers.ipynb")
    with pytest.raises(NotebookError, match="was worked on since `student` made it; move it away"):
        student(["01"], out, folder)
    with pytest.raises(NotebookError, match="was not made by `solved`"):
        solved(["01"], out, folder)
    (tmp_path / "file").touch()
    with pytest.raises(NotebookError, match="file is a file; name a folder with --out"):
        student(["01"], tmp_path / "file", folder)
    assert lesson.read_bytes() == before
    assert read(out / "01_numbers.ipynb").cells[-1].source == "def twice(x): return 2 * x"


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root is refused")
def test_make_lab_opens_for_root_on_loopback_only():
    command = ["make", "--dry-run", "lab"]
    shown = subprocess.run(
        command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    ).stdout
    assert "jupyterlab notebooks --allow-root --ip=127.0.0.1" in shown
