"""The table that says when each notebook last ran, and with what."""

import re
from datetime import date

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course_utils.authoring.commands import run, store
from course_utils.authoring.notebooks import write
from course_utils.authoring.verified_table import COLUMNS, record_classroom, record_full

SESSION = {"torch": "2.15.0", "device": "CPU, 1 thread", "precision": "float32"}


def test_a_row_is_renewed_and_all_else_stays(tmp_path):
    table = tmp_path / "README.md"
    table.write_text(f"# Notebooks\n\nFirst words.\n\n{COLUMNS}\n\nLast words.\n", encoding="utf-8")
    for stem in ("02_second", "01_first", "02_second"):
        record_classroom(stem, SESSION, 51.7, table)
    text = table.read_text(encoding="utf-8")
    assert text.startswith(
        f"# Notebooks\n\nFirst words.\n\n{COLUMNS}| [01_first](01_first.ipynb) |"
    )
    assert text.endswith("| 52 s | – |\n\nLast words.\n")
    rows = re.findall(r"^\| \[(\w+)\]", text, re.MULTILINE)
    assert rows == ["01_first", "02_second"]
    assert f"| {date.today()} | Python 3." in text
    assert ", torch 2.15.0 | CPU, 1 thread, float32 | 52 s | – |" in text


def test_a_file_without_the_table_is_refused(tmp_path):
    (tmp_path / "README.md").write_text("Nothing here.", encoding="utf-8")
    with pytest.raises(ValueError, match="lost the heading"):
        record_classroom("01_first", SESSION, 1.0, tmp_path / "README.md")


def test_a_full_run_has_a_column_of_its_own_that_storing_leaves_alone(tmp_path):
    table = tmp_path / "README.md"
    record_full("02_second", SESSION, 99.6, table)
    record_classroom("01_first", SESSION, 51.7, table)
    record_full("01_first", SESSION, 4500.0, table)
    record_classroom("01_first", SESSION, 48.2, table)
    first, second = table.read_text(encoding="utf-8").splitlines()[-2:]
    assert first.endswith(f"| 48 s | 75 min on CPU, 1 thread, float32 ({date.today()}) |")
    assert second.startswith("| [02_second](02_second.ipynb) | – | – | – | – | 100 s on CPU")


def test_storing_a_notebook_says_when(tmp_path, capsys):
    start = 'import course_utils\nlab = course_utils.start("01_first")'
    write(new_notebook(cells=[new_code_cell(start)]), tmp_path / "01_first.ipynb")
    write(new_notebook(cells=[new_code_cell("1 / 0")]), tmp_path / "02_fails.ipynb")
    with pytest.raises(Exception, match="ZeroDivisionError"):
        store([], tmp_path)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "| [01_first](01_first.ipynb) | " in text
    assert "02_fails" not in text


def full_budget_of(table):
    return table.read_text(encoding="utf-8").splitlines()[-1].split(" | ")[-1]


def test_only_a_full_run_from_scratch_that_publishes_is_timed(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path / "runs"))
    start = 'import course_utils\nlab = course_utils.start("01_first")'
    write(new_notebook(cells=[new_code_cell(start)]), tmp_path / "01_first.ipynb")
    table = tmp_path / "README.md"
    record_classroom("01_first", SESSION, 51.7, table)
    run("01", folder=tmp_path)
    run("01", "full", folder=tmp_path)
    assert full_budget_of(table) == "– |"
    run("01", "full", publish=True, folder=tmp_path)
    assert re.match(r"\d+ s on .* \(\d{4}-\d\d-\d\d\) \|", full_budget_of(table))

    record_full("01_first", SESSION, 4500.0, table)
    for kept in ("line-12345678.pt", "losses.parts/12345678.json"):
        path = tmp_path / "runs" / "01_first" / kept
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        run("01", "full", publish=True, folder=tmp_path)  # goes on where another run was cut
        assert full_budget_of(table).startswith("75 min")
        path.unlink()
