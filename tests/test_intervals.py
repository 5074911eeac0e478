"""Intervals: against a second derivation, how often they hold the truth, and what is refused."""

import math

import pytest
import torch
from scipy import stats

from course_utils import metrics


@pytest.mark.parametrize("successes, trials", [(0, 10), (3, 10), (10, 10), (1, 1), (198, 200)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_wilson_is_that_of_scipy(successes, trials, confidence):
    expected = stats.binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    found = metrics.wilson_interval(successes, trials, confidence)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_wilson_solves_its_own_equation():
    low, high = metrics.wilson_interval(40, 50)
    for p in (low, high):
        assert abs(0.8 - p) == pytest.approx(1.959964 * math.sqrt(p * (1 - p) / 50), rel=1e-5)


def test_a_bootstrap_is_near_the_normal_interval_where_values_are_many():
    values = torch.randn(400, generator=torch.Generator().manual_seed(3))
    half = 1.96 * values.std().item() / 20
    low, high = metrics.bootstrap_mean(values)
    assert low == pytest.approx(values.mean().item() - half, abs=0.01)
    assert high == pytest.approx(values.mean().item() + half, abs=0.01)
    low, high = metrics.bootstrap_difference(values + 1, values)
    assert (low + high) / 2 == pytest.approx(1, abs=0.01)
    assert high - low == pytest.approx(2 * half * math.sqrt(2), rel=0.05)


def test_a_difference_of_the_same_values_holds_nought_and_changes_sign_when_turned():
    first, second = torch.rand(2, 40, generator=torch.Generator().manual_seed(5))
    low, high = metrics.bootstrap_difference(first, first)
    assert low < 0 < high
    low, high = metrics.bootstrap_difference(first, second, seed=1)
    turned = metrics.bootstrap_difference(second, first, seed=2)
    assert turned == pytest.approx((-high, -low), abs=0.01)


def test_a_bootstrap_is_the_same_again_and_leaves_the_random_numbers_of_torch_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    found = [metrics.bootstrap_mean([1.0, 2.0, 3.0]) for _ in range(2)]
    assert found[0] == found[1] and torch.equal(torch.rand(3), expected)


def test_constant_values_give_a_point():
    assert metrics.bootstrap_mean([2, 2, 2]) == (2, 2)
    assert metrics.bootstrap_difference([2, 2], [1, 1, 1]) == (1, 1)


@pytest.mark.parametrize("successes, trials", [(-1, 3), (4, 3), (0, 0)])
def test_counts_that_cannot_be_are_refused(successes, trials):
    with pytest.raises(ValueError, match="cannot be; give 0 to `trials` successes"):
        metrics.wilson_interval(successes, trials)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, float("nan")], [[1.0, 2.0]]])
def test_values_that_no_bootstrap_takes_are_refused(values):
    for call in (
        lambda: metrics.bootstrap_mean(values),
        lambda: metrics.bootstrap_difference(values, [1.0, 2.0]),
        lambda: metrics.bootstrap_difference([1.0, 2.0], values),
    ):
        with pytest.raises(ValueError, match="one row of two or more finite values"):
            call()


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_a_confidence_is_between_nought_and_one(confidence):
    for call in (
        lambda: metrics.wilson_interval(1, 2, confidence),
        lambda: metrics.bootstrap_mean([1.0, 2.0], confidence),
    ):
        with pytest.raises(ValueError, match="above 0 and below 1"):
            call()
