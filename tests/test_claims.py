"""A claim can fail, and its mark says what kind of evidence stands behind it."""

import numpy
import pytest
import torch

import course_utils.claims as claims
from course_utils import check, claim
from course_utils.claims import ClaimFailed


@pytest.mark.parametrize(
    ("mark", "say", "more"),
    [("✔", claim, {}), ("≡", check, {}), ("▣", claim, {"stored": "resnet_degradation"})],
)
def test_a_statement_is_printed_with_its_mark_or_refused(mark, say, more, capsys, monkeypatch):
    say("two is more than one", torch.tensor(2) > 1, "2 against 1", **more)
    say("one is one", True, **more)
    assert (
        capsys.readouterr().out == f"{mark} two is more than one [2 against 1]\n{mark} one is one\n"
    )
    with pytest.raises(ClaimFailed, match="1 against 2"):
        say("one is more than two", 1 > 2, "1 against 2", **more)
    monkeypatch.setenv("COURSE_CLAIMS", "collect")
    say("one is more than two", False, "1 against 2", **more)
    assert capsys.readouterr().out == "✘ one is more than two [1 against 2]\n"


def test_figures_are_held_against_thresholds_and_the_nearest_is_recorded(monkeypatch, capsys):
    seen = {}
    monkeypatch.setattr(claims, "say", lambda line, **record: seen.update(record, line=line))
    claims.claim("both", [claims.above(3, 2), claims.below(0.5, 0.52)], "3 and 0.5")
    assert seen["holds"] and (seen["figure"], seen["threshold"]) == (0.5, 0.52)
    assert seen["margin"] == pytest.approx(0.02 / 0.52)
    monkeypatch.setenv("COURSE_CLAIMS", "collect")
    claims.claim("one of them", [claims.above(3, 2), claims.below(float("nan"), 1)])
    assert not seen["holds"] and seen["line"].startswith("✘")
    claims.claim("at the threshold", claims.above(2, 2))
    assert not seen["holds"] and seen["margin"] == 0
    claims.claim("against zero", claims.above(0.25, 0))
    assert seen["holds"] and seen["margin"] == 0.25


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


@pytest.mark.parametrize("holds", [True, numpy.bool_(True), torch.tensor(True), torch.ones(1) > 0])
def test_every_kind_of_bool_will_do(holds, capsys):
    claim("something", holds)
    assert capsys.readouterr().out == "✔ something\n"


def test_brackets_are_kept_for_the_figures():
    for said in (("something", True, "[1, 2]"), ("something [odd]", True)):
        with pytest.raises(ValueError, match="brackets"):
            claim(*said)
