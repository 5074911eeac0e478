"""Odd inputs over every public function that a notebook uses: see tests/odd."""

from __future__ import annotations

import pytest

from odd import answers, folders, numbers, places, systems, try_row

KINDS = {
    "folders": folders,
    "numbers": numbers,
    "answers": answers,
    "places": places,
    "systems": systems,
}
ROWS = [(f"{kind}: {row.what}", row) for kind, rows in KINDS.items() for row in rows.ROWS]


@pytest.mark.parametrize("row", [row for _, row in ROWS], ids=[name for name, _ in ROWS])
def test_an_odd_input_works_or_is_refused_in_one_sentence(row, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # nothing is left where the tests run
    try_row(row, tmp_path)


def test_no_situation_stands_in_the_table_twice():
    names = [name for name, _ in ROWS]
    assert len(names) == len(set(names))
