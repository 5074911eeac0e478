"""Density and coverage (Naeem et al. 2020) against their definition and expected values."""

import pytest
import torch

from course_utils import metrics
from course_utils.metrics import distributions


def by_definition(real, fake, nearest):
    """Every ball and every fake row, one by one."""
    pairs, covered = 0, 0
    for number, x in enumerate(real):
        others = sorted((x - y).norm().item() for n, y in enumerate(real) if n != number)
        radius = others[nearest - 1]
        inside = [(x - y).norm().item() < radius for y in fake]
        pairs += sum(inside)
        covered += any(inside)
    return {"density": pairs / (nearest * len(fake)), "coverage": covered / len(real)}


@pytest.mark.parametrize("nearest", [1, 3, 5])
@pytest.mark.parametrize("rows_at_once", [7, 1_000])
def test_it_is_the_definition(nearest, rows_at_once, monkeypatch):
    monkeypatch.setattr(distributions, "ROWS_AT_ONCE", rows_at_once)
    rng = torch.Generator().manual_seed(nearest)
    real = torch.randn(40, 3, generator=rng, dtype=torch.float64)
    fake = 0.7 * torch.randn(25, 3, generator=rng, dtype=torch.float64)
    found = metrics.density_and_coverage(real, fake, nearest)
    assert found == pytest.approx(by_definition(real, fake, nearest))


def test_of_one_distribution_the_figures_are_the_expected_ones():
    rng = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 2_500, 4, generator=rng)
    for nearest in (1, 5):
        found = metrics.density_and_coverage(real, fake, nearest)
        assert found["density"] == pytest.approx(1, abs=0.06)
        assert found["coverage"] == pytest.approx(1 - 0.5**nearest, abs=0.03)


def test_a_missing_mode_lowers_coverage_and_not_density():
    rng = torch.Generator().manual_seed(1)
    real = torch.randn(600, 2, generator=rng)
    real[:300, 0] += 50
    fake = torch.randn(600, 2, generator=rng)
    found = metrics.density_and_coverage(real, fake)
    assert found["coverage"] == pytest.approx(0.5, abs=0.03)
    assert found["density"] > 0.8


def test_samples_far_from_all_data_have_neither():
    real = torch.randn(50, 3, generator=torch.Generator().manual_seed(2))
    assert metrics.density_and_coverage(real, real + 100) == {"density": 0.0, "coverage": 0.0}


def test_arguments_are_not_changed_and_gradients_do_not_matter():
    real = torch.randn(20, 2, generator=torch.Generator().manual_seed(3))
    fake = (real.clone() + 0.1).requires_grad_()
    before = real.clone()
    metrics.density_and_coverage(real, fake)
    assert torch.equal(real, before)


@pytest.mark.parametrize(
    ("real", "fake", "nearest", "words"),
    [
        ((5, 2), (5, 3), 1, "equally many features"),
        ((1, 2), (5, 2), 1, "two or more real"),
        ((5, 2), (0, 2), 1, "at least one fake"),
        ((5, 2), (5, 2), 5, "nearest is 5; use a whole number from 1 to 4"),
        ((5, 2), (5, 2), 0, "nearest is 0"),
    ],
)
def test_it_refuses_what_cannot_be_compared(real, fake, nearest, words):
    with pytest.raises(ValueError, match=words):
        metrics.density_and_coverage(torch.rand(real), torch.rand(fake), nearest)
