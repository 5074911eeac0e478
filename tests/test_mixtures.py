"""Mixtures of Gaussians: where the modes are, what is drawn, and the density by other means."""

import math

import pytest
import torch
from torch import distributions

from course_utils.data import mixtures

ALL = [mixtures.ring(), mixtures.grid(), mixtures.ring(3, 2.0, 0.4), mixtures.grid(2, 1.0, 0.3)]


@pytest.fixture(params=ALL, ids=lambda mixture: f"{mixture.name} of {len(mixture.means)}")
def mixture(request):
    return request.param


def numbers(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("modes, radius", [(8, 1.0), (1, 3.0), (2, 3.0), (7, 3.0), (100, 3.0)])
def test_a_ring_has_its_modes_at_the_roots_of_one(modes, radius):
    means = mixtures.ring(modes, radius).means
    roots = torch.view_as_complex(means.double()) / radius
    assert torch.allclose(roots**modes, torch.ones_like(roots), atol=1e-4)
    assert len(means.mul(1e4).round().unique(dim=0)) == modes
    assert means[0].tolist() == [radius, 0.0]
    ring = mixtures.ring()
    assert torch.equal(ring.means, mixtures.ring(8, 1.0).means) and ring.std == 0.01


@pytest.mark.parametrize("side, spacing", [(5, 2.0), (2, 3.0), (1, 2.0)])
def test_a_grid_has_its_modes_at_equal_distances_around_the_origin(side, spacing):
    line = [spacing * number - spacing * (side - 1) / 2 for number in range(side)]
    means = mixtures.grid(side, spacing).means.tolist()
    assert sorted(means) == [[x, y] for x in line for y in line]
    assert torch.equal(mixtures.grid().means, mixtures.grid(5, 2.0).means)


def test_samples_have_the_frequencies_means_and_spread_of_their_modes(mixture):
    points, labels = mixture.sample_with_labels(4, 10_000, generator=numbers())
    assert points.shape == (4, 10_000, 2) and labels.shape == (4, 10_000)
    count, drawn = len(mixture.means), labels.numel()
    frequency = torch.bincount(labels.flatten(), minlength=count) / drawn
    # Five standard errors of each.
    assert (frequency - 1 / count).abs().max() < 5 * math.sqrt(1 / count / drawn)
    offset = ((points - mixture.means[labels]) / mixture.std).flatten(0, 1)
    assert offset.mean(0).abs().max() < 5 / math.sqrt(drawn)
    assert torch.allclose(offset.T.cov(), torch.eye(2), atol=5 * math.sqrt(2 / drawn))


def test_samples_repeat_with_a_generator_and_leave_the_global_one_alone(mixture):
    before = torch.get_rng_state()
    first = mixture.sample(10, 4, generator=numbers(5))
    assert torch.equal(first, mixture.sample(10, 4, generator=numbers(5)))
    assert torch.equal(first, mixture.sample_with_labels(10, 4, generator=numbers(5))[0])
    assert not torch.equal(first, mixture.sample(10, 4, generator=numbers(6)))
    assert torch.equal(before, torch.get_rng_state())


def test_the_log_density_is_that_of_torch_distributions(mixture):
    count = len(mixture.means)
    parts = distributions.Independent(distributions.Normal(mixture.means, mixture.std), 1)
    choice = distributions.Categorical(torch.full((count,), 1 / count))
    reference = distributions.MixtureSameFamily(choice, parts)
    points = mixture.sample(3, 50, generator=numbers())
    assert mixture.log_density(points).shape == (3, 50)
    assert torch.allclose(mixture.log_density(points), reference.log_prob(points), atol=1e-3)
    # Far away the density underflows and its logarithm does not.
    far = torch.tensor([[30.0, -30.0]])
    assert torch.allclose(mixture.log_density(far), reference.log_prob(far), rtol=1e-5)


def test_standardised_coordinates_have_mean_square_one(mixture):
    standardised = mixture.standardised()
    assert standardised.means.square().mean().item() == pytest.approx(1, rel=1e-6)
    assert standardised.name == mixture.name
    # One factor for means and spread, which changes no figure of coverage.
    factor = mixture.std / standardised.std
    assert torch.allclose(standardised.means * factor, mixture.means, atol=1e-5)


def test_a_mixture_moves_to_a_device_with_its_name_and_spread():
    elsewhere = mixtures.grid().to("meta")
    assert elsewhere.means.is_meta and (elsewhere.name, elsewhere.std) == ("grid", 0.05)


@pytest.mark.parametrize("make", [mixtures.ring, mixtures.grid])
@pytest.mark.parametrize(
    "wrong", [(0, 1.0, 0.1), (-1, 1.0, 0.1), (3, 0.0, 0.1), (3, 1.0, -0.1), (3, 1.0, 0)]
)
def test_impossible_mixtures_are_refused_with_their_numbers(make, wrong):
    culprit = next(number for number in wrong if number <= 0)
    with pytest.raises(ValueError, match=f"is {float(culprit)}|is {culprit}; use a") as refusal:
        make(*wrong)
    assert str(refusal.value).endswith(".")
