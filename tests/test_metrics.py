"""Measures, each on cases whose value is known."""

import math

import pytest
import torch

from course_utils import losses, metrics, models


@pytest.fixture(scope="module")
def small():
    """A VAE with two latent numbers and a few binary pictures of 8×8."""
    torch.manual_seed(0)
    vae = models.VariationalAutoencoder(2, hidden=16, shape=(1, 8, 8)).eval()
    return vae, metrics.binarise(torch.rand(5, 1, 8, 8), seed=1)


def test_binarise_is_binary_repeatable_and_right_on_average():
    grey = torch.full((2000, 1, 4, 4), 0.3)
    binary = metrics.binarise(grey, seed=4)
    assert set(binary.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(binary, metrics.binarise(grey, seed=4))
    assert binary.mean().item() == pytest.approx(0.3, abs=0.02)


def test_log_joint_is_the_sum_of_its_two_parts(small):
    vae, x = small
    z = torch.randn(5, 3, 2)
    with torch.no_grad():
        joint = metrics.log_joint(vae, x, z)
        one = -losses.binary_cross_entropy(vae.decoder(z[2, 1:2]), x[2:3])
    assert joint.shape == (5, 3)
    assert joint[2, 1].item() == pytest.approx(
        (one + losses.gaussian_log_density(z[2, 1:2])).item(), rel=1e-5
    )


def test_bounds_tighten_towards_the_integral(small):
    vae, x = small
    _, log_joint, log_cell = metrics.log_joint_on_grid(vae, x, extent=6, steps=241)
    evidence = (log_joint + log_cell).logsumexp(1)
    torch.manual_seed(0)
    plain = metrics.bound(vae, x, draws=2000)
    tight = metrics.importance_weighted_bound(vae, x, draws=5000)
    assert (plain < evidence + 0.02).all()
    assert (plain <= tight + 0.02).all()
    assert torch.allclose(tight, evidence, atol=0.05)


def test_importance_weights_do_not_depend_on_the_batch_size(small):
    vae, x = small
    torch.manual_seed(1)
    whole = metrics.importance_weighted_bound(vae, x[:1], draws=64, batch_size=64)
    torch.manual_seed(1)
    parts = metrics.importance_weighted_bound(vae, x[:1], draws=64, batch_size=16)
    assert torch.allclose(whole, parts, atol=1e-4)


def test_active_units_counts_what_moves():
    mu = torch.randn(1000, 3) * torch.tensor([1.0, 0.05, 0.5]) + 7
    assert metrics.active_units(mu).tolist() == [True, False, True]


def test_sharpness_falls_when_a_picture_is_blurred():
    images = (torch.rand(4, 1, 16, 16) > 0.5).float()
    blurred = torch.nn.functional.avg_pool2d(images, 3, stride=1, padding=1)
    assert (metrics.sharpness(blurred) < 0.5 * metrics.sharpness(images)).all()


def test_prior_coverage_of_the_prior_itself_and_of_islands():
    mu = torch.zeros(10, 2)
    assert metrics.prior_coverage(mu, torch.zeros(10, 2)) == pytest.approx(
        1 - math.exp(-2), abs=0.04  # the mass of a 2-D Gaussian within 2σ
    )
    assert metrics.prior_coverage(torch.full((10, 2), 20.0), torch.full((10, 2), -8.0)) == 0


def test_gap_in_sigmas_of_an_even_line():
    mu = torch.stack([torch.arange(50) * 0.6, torch.zeros(50)], dim=1)
    logvar = torch.full((50, 2), 2 * math.log(0.2))
    assert metrics.gap_in_sigmas(mu, logvar) == pytest.approx(3.0, rel=1e-3)


def test_mutual_information_knows_copies_from_noise():
    torch.manual_seed(0)
    factor = torch.rand(20_000, 1)
    codes = torch.cat([factor * 5 - 1, torch.rand(20_000, 1)], dim=1)
    information = metrics.mutual_information(codes, factor)
    assert information[0, 0].item() == pytest.approx(math.log(20), abs=0.01)
    assert information[1, 0].item() < 0.02
    assert metrics.normalised_information(codes, factor)[0, 0].item() == pytest.approx(1, abs=0.01)


def test_mutual_information_gap_is_one_for_a_code_of_its_own_and_zero_for_twins():
    torch.manual_seed(0)
    factors = torch.rand(20_000, 2)
    own = torch.cat([factors, torch.rand(20_000, 1)], dim=1)
    twins = torch.cat([factors[:, :1], factors[:, :1], factors[:, 1:]], dim=1)
    assert (metrics.mutual_information_gap(own, factors) > 0.97).all()
    assert metrics.mutual_information_gap(twins, factors)[0].item() == pytest.approx(0, abs=0.01)


def test_factors_of_few_values_are_kept_apart():
    labels = torch.arange(10).repeat(500)[:, None].float()
    information = metrics.mutual_information(labels, labels)
    assert information.item() == pytest.approx(math.log(10), abs=0.01)
