"""Every formula against a second derivation."""

import pytest
import torch
from torch.distributions import Bernoulli, MultivariateNormal, Normal, kl_divergence

from course_utils import losses

torch.manual_seed(0)
MU, LOGVAR = torch.randn(6, 4, dtype=torch.double), torch.randn(6, 4, dtype=torch.double)


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


def test_sparsity_kl_is_torch_s_divergence_between_coins_summed_over_units():
    h, rho = torch.rand(7, 5, dtype=torch.double), torch.tensor(0.05, dtype=torch.double)
    expected = kl_divergence(Bernoulli(rho), Bernoulli(h.mean(0))).sum()
    assert torch.allclose(losses.sparsity_kl(h, 0.05), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_sparsity_kl_is_finite_for_units_that_are_always_off_or_on(value, dtype):
    h = torch.full((4, 3), value, dtype=dtype, requires_grad=True)
    loss = losses.sparsity_kl(h, 0.05)
    loss.backward()
    assert loss.isfinite() and loss > 0.1 and h.grad.isfinite().all()


@pytest.mark.parametrize("rho", [0, 1, -0.1, 1.5, float("nan")])
def test_a_sparsity_that_is_none_is_refused(rho):
    with pytest.raises(ValueError, match="ρ is .*; give a number between 0 and 1"):
        losses.sparsity_kl(torch.rand(7, 5), rho)


def equal_with_gradients(found, expected, weight):
    gradients = [
        torch.autograd.grad(value.sum(), weight, retain_graph=True)[0]
        for value in (found, expected)
    ]
    # Single precision rounds differently from one processor to the next.
    alike = torch.allclose(*gradients, rtol=1e-4, atol=1e-6)
    return torch.allclose(found, expected, rtol=1e-5, atol=0) and alike


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_contractive_penalty_is_the_squared_norm_of_autograd_s_jacobian(dtype):
    torch.manual_seed(1)
    weight = torch.randn(6, 20, dtype=dtype, requires_grad=True)
    bias, x = torch.randn(6, dtype=dtype), torch.rand(5, 20, dtype=dtype)

    def encode(one):
        return (weight @ one + bias).sigmoid()

    jacobians = [torch.autograd.functional.jacobian(encode, one, create_graph=True) for one in x]
    penalty = losses.contractive_penalty((x @ weight.T + bias).sigmoid(), weight)
    assert penalty.dtype == dtype
    assert equal_with_gradients(penalty, torch.stack(jacobians).square().sum((1, 2)), weight)


def test_the_squared_slope_is_that_of_the_function_and_can_be_differentiated():
    torch.manual_seed(0)
    weight = torch.randn(12, dtype=torch.double, requires_grad=True)
    images = torch.rand(5, 3, 2, 2, dtype=torch.double, requires_grad=True)
    slope = losses.squared_gradient_norm((images.flatten(1) @ weight).tanh(), images)
    tilt = 1 - (images.flatten(1) @ weight).tanh().square()
    expected = (tilt[:, None] * weight).square().sum(1).mean()
    assert equal_with_gradients(slope, expected, weight)
