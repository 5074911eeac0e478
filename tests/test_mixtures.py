"""Mixtures of Gaussians: where the modes are, what is drawn, and the density by other means."""

import math

import pytest
import torch
from torch import distributions

from course_utils import metrics
from course_utils.data import mixtures

ALL = [mixtures.ring(), mixtures.grid(), mixtures.ring(3, 2.0, 0.4), mixtures.grid(2, 1.0, 0.3)]
IDS = ["ring", "grid", "wide ring of three", "wide grid of four"]


@pytest.fixture(params=ALL, ids=IDS)
def mixture(request):
    return request.param


def numbers(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_ring_has_eight_different_modes_at_equal_distances():
    means = mixtures.ring().means
    assert means.shape == (8, 2) and mixtures.ring().std == 0.01
    assert torch.allclose(means.norm(dim=1), torch.ones(8))
    neighbours = (means - means.roll(1, dims=0)).norm(dim=1)
    assert torch.allclose(neighbours, torch.full((8,), 2 * math.sin(math.pi / 8)), atol=1e-6)
    apart = torch.cdist(means, means) + 9 * torch.eye(8)
    assert apart.min() > 0.7


def test_the_grid_has_twenty_five_modes_two_apart_around_the_origin():
    means = mixtures.grid().means
    assert means.shape == (25, 2) and mixtures.grid().std == 0.05
    expected = {(float(x), float(y)) for x in range(-4, 5, 2) for y in range(-4, 5, 2)}
    assert set(map(tuple, means.tolist())) == expected


@pytest.mark.parametrize("modes", [1, 2, 7, 100])
def test_a_ring_has_as_many_modes_as_asked(modes):
    means = mixtures.ring(modes, radius=3.0).means
    assert len(means.mul(1e4).round().unique(dim=0)) == modes
    assert means[0].tolist() == [3.0, 0.0]


def test_an_even_grid_is_centred_too():
    means = mixtures.grid(2, spacing=3.0).means
    assert sorted(map(tuple, means.tolist())) == [
        (-1.5, -1.5),
        (-1.5, 1.5),
        (1.5, -1.5),
        (1.5, 1.5),
    ]
    assert mixtures.grid(1).means.tolist() == [[0.0, 0.0]]


def test_samples_have_the_mixture_s_frequencies_means_and_spread(mixture):
    points, labels = mixture.sample_with_labels(40_000, generator=numbers())
    count = len(mixture.means)
    frequency = torch.bincount(labels, minlength=count) / len(labels)
    # Five standard errors of each.
    assert (frequency - 1 / count).abs().max() < 5 * math.sqrt(1 / count / len(labels))
    offset = (points - mixture.means[labels]) / mixture.std
    assert offset.mean(0).abs().max() < 5 / math.sqrt(len(labels))
    assert torch.allclose(offset.T.cov(), torch.eye(2), atol=5 * math.sqrt(2 / len(labels)))


def test_a_label_names_the_gaussian_of_its_point():
    for mixture in ALL[:2]:
        points, labels = mixture.sample_with_labels(3, 500, generator=numbers())
        assert points.shape == (3, 500, 2) and labels.shape == (3, 500)
        assert torch.equal(torch.cdist(points, mixture.means).argmin(-1), labels)


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
    reference = distributions.MixtureSameFamily(
        distributions.Categorical(torch.full((count,), 1 / count)), parts
    )
    points = mixture.sample(3, 50, generator=numbers())
    assert mixture.log_density(points).shape == (3, 50)
    assert torch.allclose(mixture.log_density(points), reference.log_prob(points), atol=1e-3)
    # Far away the density underflows and its logarithm does not.
    far = torch.tensor([[30.0, -30.0]])
    assert torch.allclose(mixture.log_density(far), reference.log_prob(far), rtol=1e-5)
    assert mixture.log_density(far).isfinite()


@pytest.mark.parametrize("mixture", ALL[:2], ids=IDS[:2])
def test_the_density_of_narrow_modes_integrates_to_one(mixture):
    # A fine grid of its own around every mode; the modes are too far apart for these to overlap.
    line = torch.linspace(-6, 6, 41, dtype=torch.double) * mixture.std
    points = mixture.means.double()[:, None] + torch.cartesian_prod(line, line)
    precise = mixtures.Mixture(mixture.name, mixture.means.double(), mixture.std)
    mass = precise.log_density(points).exp().sum() * (0.3 * mixture.std) ** 2
    assert mass.item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("mixture", ALL[2:], ids=IDS[2:])
def test_the_density_of_wide_modes_integrates_to_one(mixture):
    line = torch.linspace(-5, 5, 201)
    density = mixture.log_density(torch.cartesian_prod(line, line)).exp()
    assert density.sum().item() * 0.05**2 == pytest.approx(1, abs=1e-4)


def test_the_entropy_of_separate_modes_is_that_of_one_and_of_the_choice():
    for mixture in ALL[:2]:
        points = mixture.sample(20_000, generator=numbers())
        one = math.log(2 * math.pi * math.e * mixture.std**2)
        entropy = -mixture.log_density(points).mean().item()
        assert entropy == pytest.approx(one + math.log(len(mixture.means)), abs=0.04)


def test_standardised_coordinates_have_mean_square_one(mixture):
    standardised = mixture.standardised()
    assert standardised.means.square().mean().item() == pytest.approx(1, rel=1e-6)
    assert standardised.name == mixture.name
    # One factor for means and spread: the same image.
    factor = mixture.std / standardised.std
    assert torch.allclose(standardised.means * factor, mixture.means, atol=1e-5)


def test_standardising_changes_no_figure_of_coverage(mixture):
    standardised = mixture.standardised()
    torch.manual_seed(0)
    samples = mixture.sample(4, 2000, generator=numbers())
    samples[1] += 2.5 * mixture.std * torch.randn(2000, 2)  # blurred
    samples[2] = samples[2, :1]  # collapsed
    samples[3] = torch.randn(2000, 2)  # untrained
    before = metrics.coverage(samples, mixture)
    after = metrics.coverage(samples * (standardised.std / mixture.std), standardised)
    assert torch.equal(before["modes"], after["modes"])
    assert torch.equal(before["heavy modes"], after["heavy modes"])
    # A sample on the edge of high quality may fall to either side by rounding.
    assert torch.allclose(before["high quality"], after["high quality"], atol=1.1 / 2000)
    assert torch.allclose(before["reverse KL"], after["reverse KL"], atol=5e-3)


def test_a_mixture_moves_to_a_device_with_its_name_and_spread():
    elsewhere = mixtures.grid().to("meta")
    assert elsewhere.means.is_meta and (elsewhere.name, elsewhere.std) == ("grid", 0.05)
    assert torch.equal(mixtures.grid().to("cpu").means, mixtures.grid().means)


@pytest.mark.parametrize("make", [mixtures.ring, mixtures.grid])
@pytest.mark.parametrize("wrong", [(0, 1.0, 0.1), (-1, 1.0, 0.1), (3, 0.0, 0.1), (3, 1.0, -0.1)])
def test_impossible_mixtures_are_refused_with_their_numbers(make, wrong):
    with pytest.raises(ValueError, match="at least one mode, a positive distance") as refusal:
        make(*wrong)
    assert f"these are {wrong[0]}, {wrong[1]} and {wrong[2]}." in str(refusal.value)


@pytest.mark.parametrize("make", [mixtures.ring, mixtures.grid])
def test_a_spread_of_zero_is_refused(make):
    with pytest.raises(ValueError, match="these are 3, 1.0 and 0"):
        make(3, 1.0, 0)
