"""Every formula against a second derivation."""

import pytest
import torch
from torch.distributions import Bernoulli, MultivariateNormal, Normal, kl_divergence

from course_utils import losses

torch.manual_seed(0)
MU, LOGVAR = torch.randn(6, 4, dtype=torch.double), torch.randn(6, 4, dtype=torch.double)


def test_binary_cross_entropy_is_minus_the_log_probability_of_a_bernoulli():
    logits = torch.randn(5, 1, 4, 4, dtype=torch.double)
    binary = torch.randint(0, 2, logits.shape).double()
    expected = -Bernoulli(logits=logits).log_prob(binary).flatten(1).sum(1)
    assert torch.allclose(losses.binary_cross_entropy(logits, binary), expected)


def test_binary_cross_entropy_follows_the_slide_for_grey_targets():
    logits, grey = torch.randn(5, 1, 4, 4).double(), torch.rand(5, 1, 4, 4).double()
    drawn = logits.sigmoid()
    slide = -(grey * drawn.log() + (1 - grey) * (1 - drawn).log()).flatten(1).sum(1)
    assert torch.allclose(losses.binary_cross_entropy(logits, grey), slide)


def test_binary_cross_entropy_stays_finite_where_the_sigmoid_underflows():
    logits = torch.tensor([[-200.0, 200.0]])
    loss = losses.binary_cross_entropy(logits, torch.tensor([[1.0, 0.0]]))
    assert loss.item() == pytest.approx(400)


def test_squared_error_is_half_the_squared_distance():
    a, b = torch.randn(3, 2, 4, 4), torch.randn(3, 2, 4, 4)
    assert torch.allclose(losses.squared_error(a, b), 0.5 * (a - b).flatten(1).norm(dim=1) ** 2)


def test_gaussian_kl_equals_torch_distributions():
    q = Normal(MU, (0.5 * LOGVAR).exp())
    expected = kl_divergence(q, Normal(torch.zeros_like(MU), torch.ones_like(MU))).sum(1)
    assert torch.allclose(losses.gaussian_kl(MU, LOGVAR), expected)


def test_gaussian_kl_is_zero_at_the_prior_and_its_gradient_too():
    mu = torch.zeros(1, 3, requires_grad=True)
    logvar = torch.zeros(1, 3, requires_grad=True)
    kl = losses.gaussian_kl(mu, logvar)
    kl.backward()
    assert kl.item() == 0 and not mu.grad.any() and not logvar.grad.any()


def test_full_covariance_kl_equals_torch_distributions():
    root = torch.randn(6, 4, 4, dtype=torch.double)
    covariance = root @ root.mT + torch.eye(4)
    prior = MultivariateNormal(torch.zeros(4).double(), torch.eye(4).double())
    expected = kl_divergence(MultivariateNormal(MU, covariance), prior)
    assert torch.allclose(losses.gaussian_kl_full(MU, covariance), expected)


def test_log_density_equals_torch_distributions():
    z = torch.randn(6, 4, dtype=torch.double)
    expected = Normal(MU, (0.5 * LOGVAR).exp()).log_prob(z).sum(1)
    assert torch.allclose(losses.gaussian_log_density(z, MU, LOGVAR), expected)
    assert torch.allclose(losses.gaussian_log_density(z), Normal(0.0, 1.0).log_prob(z).sum(1))
