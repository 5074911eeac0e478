"""A claim can fail."""

import numpy
import pytest
import torch

from course_utils import claim
from course_utils.claims import ClaimFailed


@pytest.fixture(autouse=True)
def raising(monkeypatch):
    monkeypatch.delenv("COURSE_CLAIMS", raising=False)


def test_a_true_claim_prints_its_figures(capsys):
    claim("two is more than one", torch.tensor(2) > 1, "2 against 1")
    assert capsys.readouterr().out == "✔ two is more than one [2 against 1]\n"


def test_a_false_claim_raises_and_names_its_figures():
    with pytest.raises(ClaimFailed, match="1 against 2"):
        claim("one is more than two", 1 > 2, "1 against 2")


def test_a_false_claim_is_counted_when_collecting(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_CLAIMS", "collect")
    claim("one is more than two", False, "1 against 2")
    assert capsys.readouterr().out.startswith("✘ one is more than two [1 against 2]")


@pytest.mark.parametrize(
    "holds",
    [
        torch.tensor([True, False]), numpy.array([True, True]), [True], "yes", 0.3, float("nan"),
        torch.tensor(0.3), {"x": 0}, lambda: False,
    ],
)  # fmt: skip
def test_a_claim_needs_one_truth_value(holds):
    with pytest.raises(ValueError, match="one truth value"):
        claim("something", holds)


def test_brackets_are_kept_for_the_figures():
    with pytest.raises(ValueError, match="brackets"):
        claim("something", True, "[1, 2]")
    with pytest.raises(ValueError, match="brackets"):
        claim("something [odd]", True)


@pytest.mark.parametrize("holds", [True, numpy.bool_(True), torch.tensor(True), torch.ones(1) > 0])
def test_every_kind_of_bool_will_do(holds, capsys):
    claim("something", holds)
    assert capsys.readouterr().out == "✔ something\n"
