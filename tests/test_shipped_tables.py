"""Measured tables that ship: plain numbers, small, whole, and said so when not."""

from dataclasses import replace
from functools import partial

import pytest
import torch

import course_utils
from course_utils import shipped_table
from course_utils.shipped import tables
from course_utils.shipped.cards import Refused

SHIPPED = sorted(tables.tables_folder().glob("*.json"))
LARGEST = 200_000  # bytes


def measured(name="loss"):
    """How it is measured.

    And more.
    """
    return {name: torch.tensor([0.123456, 1234.56]), "rows": [(1, 20_001), "a [b]\n"], "none": []}


READ = {"loss": [0.1235, 1235.0], "rows": [[1, 20_001], "a [b]\n"], "none": []}


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "tables_folder", lambda: tmp_path / "tables")
    return replace(course_utils.start("tables", seed=5), budget="full", publish=True)


def test_what_a_full_run_publishes_is_read_in_class(lab):
    classroom = replace(lab, budget="classroom")
    for name, measure, protocol in (
        ("own", measured, ""),
        ("given", partial(measured, "loss"), ""),
        ("said", measured, "In another way."),
    ):
        assert shipped_table(name, lab, measure, protocol) == READ
        assert shipped_table(name, classroom, measure) == READ
        table, card = tables.load(name)
        assert card["protocol"] == (protocol or "How it is measured.")
        assert (card["seed"], card["budget"], card["date"][:2]) == (5, "full", "20")
    text = (tables.tables_folder() / "own.json").read_text(encoding="utf-8")
    assert '  "loss": [0.1235, 1235.0],\n' in text


def test_only_the_first_process_publishes_and_only_when_told(lab, monkeypatch):
    assert shipped_table("own", replace(lab, publish=False), measured) == READ
    monkeypatch.setattr(tables.processes, "is_first", lambda: False)
    assert shipped_table("own", lab, measured) == READ
    assert not tables.tables_folder().exists()


@pytest.mark.parametrize("number", [float("nan"), float("inf"), None, {1: 2}, measured])
def test_what_cannot_stand_in_the_file_is_refused_and_the_former_stays(lab, number):
    shipped_table("own", lab, measured)
    with pytest.raises(ValueError, match="cannot hold"):
        shipped_table("own", lab, lambda: {"loss": [number]}, "Wrongly.")
    assert tables.load("own")[0] == READ
    with pytest.raises(ValueError, match="Say how own is measured"):
        shipped_table("own", replace(lab, budget="classroom"), lambda: {})


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (None, "No shipped table called own in .*COURSE_BUDGET=full"),
        (lambda text: text[:-9], "own.json is damaged; fetch it again"),
        (lambda text: text.replace('"table"', '"tables"'), "own.json is damaged; fetch"),
        (lambda text: text.replace("0.1235", "0.1236"), "its checksum differs from its card"),
    ],
)
def test_a_missing_or_damaged_table_is_refused_in_a_sentence(lab, damage, said):
    if damage:
        shipped_table("own", lab, measured)
        path = tables.tables_folder() / "own.json"
        path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(Refused, match=said):
        shipped_table("own", replace(lab, budget="classroom"), measured)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_table_that_ships_is_whole_small_and_in_the_data_readme(path):
    table, card = tables.load(path.stem)
    assert tables.plain(table) == table
    assert card["protocol"].endswith(".") and card["budget"] == "full"
    assert path.stat().st_size < LARGEST
    assert f"`{path.stem}`" in (path.parents[1] / "README.md").read_text(encoding="utf-8")
