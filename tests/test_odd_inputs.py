"""Odd inputs over every public function that a notebook uses: see tests/odd."""

from __future__ import annotations

import math

import numpy
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from odd import answers, folders, numbers, places, systems, try_row

from course_utils.session.arguments import real, whole

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


# --- numbers and tensors, of every shape and kind ------------------------------------------------
quickly = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
# `start` lets denormal numbers be zero for speed, and then Hypothesis cannot make them.
FLOATS = some.floats(allow_subnormal=False)
SHAPES = some.lists(some.integers(1, 4), min_size=1, max_size=4).map(tuple)
PAIRS = [each for each in numbers.SPECS if numbers.is_pair(each)]


def test_every_function_of_losses_and_metrics_is_in_the_table():
    assert numbers.functions() == set(numbers.SPECS) | numbers.OTHERS


@pytest.mark.parametrize("each", PAIRS, ids=lambda each: f"{each.__module__}.{each.__name__}")
@quickly
@given(one=SHAPES, other=SHAPES)
def test_two_tensors_of_unequal_shapes_are_refused(each, one, other):
    tensors = zip(numbers.SPECS[each][0].items(), (one, other))
    try:
        each(**{name: torch.ones(shape).to(value.dtype) for (name, value), shape in tensors})
    except (ValueError, TypeError) as refusal:
        text = str(refusal)
        assert text.endswith(".") and "\n" not in text and len(text) < 300
    else:
        assert numbers.may_compare(each, one, other)


@quickly
@given(number=some.integers(-(2**31), 2**31 - 1), least=some.integers(-5, 5))
def test_a_whole_number_of_numpy_or_torch_is_what_python_s_is(number, least):
    kinds = (numpy.int64, numpy.int32, numpy.array, torch.tensor)
    for value in (number, *(kind(number) for kind in kinds)):
        if number >= least:
            found = whole(value, "size", least)
            assert found == number and type(found) is int
        else:
            with pytest.raises(ValueError, match=rf"use a whole number of at least {least}\.$"):
                whole(value, "size", least)


@quickly
@given(
    some.one_of(
        FLOATS, some.text(max_size=3), some.booleans(), some.none(),
        some.complex_numbers(allow_subnormal=False),
        FLOATS.map(numpy.float64), some.floats(width=32, allow_subnormal=False).map(torch.tensor),
        some.booleans().map(numpy.bool_), some.booleans().map(torch.tensor),
        some.lists(some.integers(0, 9)), some.lists(some.integers(0, 9)).map(numpy.array),
        some.lists(some.integers(0, 9)).map(torch.tensor),
    )
)  # fmt: skip
def test_what_is_no_whole_number_is_refused_in_one_sentence(value):
    with pytest.raises(ValueError) as refusal:
        whole(value, "size")
    text = str(refusal.value)
    assert text.startswith("size is ") and text.endswith(".") and len(text) < 200
    assert text.isprintable()


@quickly
@given(number=FLOATS)
def test_a_number_of_numpy_or_torch_is_what_python_s_is(number):
    for kind in (float, numpy.float64, partial_double):
        if math.isfinite(number):
            assert real(kind(number), "lr", "a number") == number
        else:
            with pytest.raises(ValueError, match=r"^lr is .*; use a number\.$"):
                real(kind(number), "lr", "a number")


def partial_double(number: float) -> torch.Tensor:
    return torch.tensor(number, dtype=torch.float64)


INDICES = some.one_of(
    some.integers(-7, 7),
    some.lists(some.integers(-7, 7), max_size=6),
    some.permutations(range(5)),
    some.lists(some.booleans(), min_size=4, max_size=6),
    some.slices(5),
)


@quickly
@given(index=INDICES, kind=some.sampled_from([None, numpy.array, torch.tensor]))
def test_a_set_at_an_index_is_what_a_list_is(index, kind):
    """Positions, permutations and masks choose the same images, whatever they are made with."""
    everything = list(range(5))
    mask = isinstance(index, list) and index and all(isinstance(one, bool) for one in index)
    try:
        if isinstance(index, slice):
            expected = everything[index]
        elif isinstance(index, int):
            expected = [everything[index]]
        elif mask:
            expected = [one for one, chosen in zip(everything, index, strict=True) if chosen]
        else:
            expected = [everything[position] for position in index]
    except (IndexError, ValueError):  # beyond the end, or a mask of another length
        expected = None
    given_as = index if kind is None or isinstance(index, slice) else kind(index)
    if expected is None:
        with pytest.raises(IndexError):
            numbers.SET[given_as]
        return
    found = numbers.SET[given_as]
    assert found.labels.tolist() == expected
    assert found.captions == tuple("abcde"[position] for position in expected)
    assert found.images.flatten().tolist() == found.factors["size"].tolist() == expected


@pytest.mark.parametrize("what", [w for w in numbers.WHOLES if not w.startswith(numbers.SLOW)])
@settings(quickly, max_examples=6)
@given(value=some.one_of(FLOATS, some.text(max_size=3), some.booleans()))
def test_no_call_of_a_notebook_takes_another_kind_for_a_whole_number(what, value):
    call, _, name = numbers.WHOLES[what]
    with pytest.raises(ValueError, match=name) as refusal:
        call(value)
    assert str(refusal.value).endswith(".") and str(refusal.value).isprintable()
